import CKernels
import LinkMath

/// Arithmetic rates of the convolution kernels, for benchmarks.
package enum KernelTiming {
  /// Multiply-adds in registers on one thread, in GFLOP/s: what no kernel can exceed.
  package static func peak(seconds: Double) -> Double {
    let kernels = Kernels.best
    let rounds = 1 << 16
    let flops = 2 * kernels.table.lanes * Int(MULTIPLY_ADD_CHAINS) * rounds
    return rate(seconds: seconds, flops: Double(flops)) {
      _ = kernels.table.multiply_adds(rounds)
    }
  }

  /// Instruction level whose rates are measured.
  package static var level: String { String(cString: Kernels.best.table.name) }

  /// GFLOP/s of the fastest of many calls.
  static func rate(seconds: Double, flops: Double, _ body: () -> Void) -> Double {
    let clock = ContinuousClock()
    var best = Duration.seconds(1000)
    let begin = clock.now
    repeat {
      let start = clock.now
      body()
      best = min(best, clock.now - start)
    } while clock.now - begin < .seconds(seconds)
    return flops / (Double(best.components.attoseconds) * 1e-18 + Double(best.components.seconds))
      / 1e9
  }

  /// A convolution of a network on maps of one size.
  package struct ConvolutionLayer {
    /// Kernel, channels and groups.
    package let name: String
    /// Occurrences in the network.
    package fileprivate(set) var count: Int
    let layer: Convolution
    let shape: Shape
  }

  /// The distinct convolutions of both sides.
  package static func convolutions(of autoencoder: Autoencoder) -> [ConvolutionLayer] {
    var layers: [ConvolutionLayer] = []
    for node in autoencoder.encoder.graph.nodes + autoencoder.decoder.graph.nodes {
      guard case .convolution(let layer) = node.operation else { continue }
      let groups = layer.groups > 1 ? " g\(layer.groups)" : ""
      let map = node.shape.height == 1 ? " on 1×\(node.shape.width)" : ""
      let dilation = layer.dilation > 1 ? " d\(layer.dilation)" : ""
      let name = "\(layer.kernel) \(layer.inputs)→\(layer.outputs)\(groups)\(dilation)\(map)"
      if let index = layers.firstIndex(where: { $0.name == name }) {
        layers[index].count += 1
      } else {
        layers.append(ConvolutionLayer(name: name, count: 1, layer: layer, shape: node.shape))
      }
    }
    return layers
  }

  /// Floating-point operations of convolutions and dense layers in one training step of a sample: forward, gradient
  /// of the input (not of the first layer's) and gradient of the weights.
  package static func trainingFlops(of autoencoder: Autoencoder) -> Int {
    let graph = autoencoder.encoder.graph
    let first = graph.nodes.reduce(0) { sum, node in
      guard case .convolution(let layer) = node.operation, node.inputs == graph.inputs else {
        return sum
      }
      return sum + 2 * node.shape.count * layer.tapCount
    }
    let costs = autoencoder.costs
    return 6 * (costs.multiplyAccumulates + costs.attention) - first
  }
}

extension KernelTiming.ConvolutionLayer {
  /// Speeds of one layer.
  package struct Rates {
    /// GFLOP/s of the output, of the input's gradient and of the weights' gradient.
    package let forward, backwardData, backwardWeights: Double
  }

  /// GFLOP/s on one thread with the operands of a few samples in the cache.
  package func rates(seconds: Double) -> Rates {
    Rates(
      forward: forward(layer.inputs, layer.outputs, seconds),
      backwardData: forward(layer.outputs, layer.inputs, seconds),
      backwardWeights: weights(seconds))
  }

  private var geometry: PaddedGeometry {
    PaddedGeometry(layer, height: shape.height, width: shape.width)
  }

  private var flops: Double { Double(2 * shape.count * layer.tapCount) }

  private func taps(_ inputs: Int) -> OffsetTable {
    let size = inputs / layer.groups
    return OffsetTable(
      (0..<layer.groups).flatMap { geometry.taps(channels: $0 * size..<($0 + 1) * size) })
  }

  private func convolution(_ inputs: Int, _ outputs: Int, _ taps: OffsetTable) -> conv_shape {
    geometry.convolution(layer, inputs: inputs / layer.groups, outputs: outputs, taps: taps)
  }

  /// Share of the multiply-adds of the plain sum that `forward` makes: half, where it uses minimal filters.
  package var multiplications: Double {
    var shape = convolution(layer.inputs, layer.outputs, OffsetTable([]))
    return conv_is_filter(&shape) == 0
      ? 1 : Double(CONV_FILTER_PRODUCTS) / Double(CONV_FILTER_TAPS * CONV_FILTER_ROWS)
  }

  /// Forward is also backward for the data, with inputs and outputs exchanged.
  private func forward(_ inputs: Int, _ outputs: Int, _ seconds: Double) -> Double {
    let kernels = Kernels.best
    let taps = taps(inputs)
    let offsets = OffsetTable((0..<outputs).map { $0 * shape.plane })
    let weights = FloatMemory(
      geometry.packedCount(layer, inputs: inputs / layer.groups, outputs: outputs))
    let input = FloatMemory(inputs * geometry.plane)
    let bias = FloatMemory(outputs)
    let output = FloatMemory(outputs * shape.plane)
    var job = conv_forward_job()
    job.shape = convolution(inputs, outputs, taps)
    job.weights = UnsafePointer(weights.pointer)
    job.bias = UnsafePointer(bias.pointer)
    job.input = UnsafePointer(input.pointer)
    job.input_pitch = geometry.pitch
    job.output = output.pointer
    job.output_offsets = UnsafePointer(offsets.pointer)
    job.output_pitch = shape.width
    return KernelTiming.rate(seconds: seconds, flops: 8 * flops) {
      for _ in 0..<8 { kernels.table.forward(&job) }
    }
  }

  /// Backward for the weights, from staged operands of one task.
  private func weights(_ seconds: Double) -> Double {
    let kernels = Kernels.best
    let samples = shape.height == 1 ? Run.blockSize : 1
    let work = 8 * Double(samples) * flops
    let taps = taps(layer.inputs)
    let input = FloatMemory(samples * layer.inputs * geometry.plane)
    let gradient = FloatMemory(samples * layer.outputs * geometry.plane)
    let sums = FloatMemory(layer.outputs * layer.tapCount * kernels.table.lanes)
    if ConvolutionStep.sumsAlongChannels(layer, shape) {
      let transposed = FloatMemory(samples * shape.width * layer.outputs)
      var job = conv_outer_job()
      job.outputs = layer.outputs
      job.width = shape.width
      job.samples = samples
      job.tap_count = layer.tapCount
      job.taps = UnsafePointer(taps.pointer)
      job.input = UnsafePointer(input.pointer)
      job.input_step = layer.inputs * geometry.plane
      job.gradient = UnsafePointer(transposed.pointer)
      job.totals = sums.pointer
      return KernelTiming.rate(seconds: seconds, flops: work) {
        for _ in 0..<8 {
          for sample in 0..<samples {
            kernels.table.transpose(
              gradient.pointer + sample * layer.outputs * geometry.plane, geometry.plane,
              layer.outputs, shape.width,
              transposed.pointer + sample * shape.width * layer.outputs, layer.outputs)
          }
          kernels.table.weight_outer(&job)
        }
      }
    }
    let offsets = OffsetTable(
      (0..<layer.outputs).map { $0 * geometry.plane + geometry.origin })
    var job = conv_weight_job()
    job.shape = convolution(layer.inputs, layer.outputs, taps)
    job.samples = samples
    job.input = UnsafePointer(input.pointer)
    job.input_pitch = geometry.pitch
    job.input_step = layer.inputs * geometry.plane
    job.gradient = UnsafePointer(gradient.pointer)
    job.gradient_offsets = UnsafePointer(offsets.pointer)
    job.gradient_pitch = geometry.pitch
    job.gradient_step = layer.outputs * geometry.plane
    job.sums = sums.pointer
    return KernelTiming.rate(seconds: seconds, flops: work) {
      for _ in 0..<8 { kernels.table.weight_sums(&job) }
    }
  }
}
