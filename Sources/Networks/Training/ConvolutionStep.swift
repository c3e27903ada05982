import CKernels

/// Convolution of the channels of one or more views.
final class ConvolutionStep: BlockSummingStep, @unchecked Sendable {
  // Sendable: scratch memory is per worker, partial sums per block.
  private let layer: Convolution
  private let inputs: [Consumer]
  private let output: View
  private let scratch: [Scratch]
  private let geometry: PaddedGeometry
  private let packed: FloatMemory
  /// What the weights of a layer of low precision stand for, made from the real ones before each pass; their gradient is that of
  /// the real ones.
  private let rounded: RoundedWeights?
  private let bias: FloatMemory
  private let taps: OffsetTable
  private let outputOffsets: OffsetTable
  private let backward: [BackwardData]
  private let gradientOffsets: OffsetTable
  /// Weight and bias gradients of each block.
  private let partial: FloatMemory
  private let tapTotal: Int
  /// Samples staged together: rows of a map of height 1 are too short to fill a kernel call.
  private let group: Int

  /// Weight sums have their lanes along the output channels instead of the columns: for single rows, whose sums over
  /// columns are too short, and their gradient is `[tap, output]`.
  private let sumsAlongChannels: Bool

  /// Staged input, staged output gradient (plain and `[column, output]`) and lane-wise weight sums of one worker.
  private struct Scratch {
    let input, gradient, transposed, sums: FloatMemory
  }

  /// Transposed convolution onto the channels of one input view.
  private struct BackwardData {
    let consumer: Consumer
    let firstChannel: Int
    let packed, bias: FloatMemory
    let taps: OffsetTable
    let offsets: OffsetTable
  }

  init(_ layer: Convolution, _ views: [View], _ output: View, batch: Int, workers: Int) {
    precondition(layer.groups == 1 || views.count == 1, "a grouped convolution reads one map")
    self.layer = layer
    self.output = output
    rounded = RoundedWeights(.convolution(layer))
    inputs = views.map { Consumer($0) }
    let shape = output.shape
    let geometry = PaddedGeometry(layer, height: shape.height, width: shape.width)
    self.geometry = geometry
    tapTotal = layer.outputs * layer.tapCount
    group = shape.height == 1 ? Run.blockSize : 1
    let samples = group
    let isAlongChannels = ConvolutionStep.sumsAlongChannels(layer, shape)
    sumsAlongChannels = isAlongChannels
    let sums = isAlongChannels ? 0 : tapTotal * Int(CONV_MAX_LANES)
    let transposed = isAlongChannels ? samples * shape.width * layer.outputs : 0
    scratch = (0..<workers).map { _ in
      Scratch(
        input: FloatMemory(samples * layer.inputs * geometry.plane),
        gradient: FloatMemory(samples * layer.outputs * geometry.plane),
        transposed: FloatMemory(transposed), sums: FloatMemory(sums))
    }
    bias = FloatMemory(layer.outputs)
    let groupInputs = layer.inputs / layer.groups
    let groupOutputs = layer.outputs / layer.groups
    packed = FloatMemory(geometry.packedCount(layer, inputs: groupInputs, outputs: layer.outputs))
    taps = OffsetTable(
      (0..<layer.groups).flatMap {
        geometry.taps(channels: $0 * groupInputs..<($0 + 1) * groupInputs)
      })
    outputOffsets = OffsetTable((0..<layer.outputs).map { $0 * shape.plane })
    gradientOffsets = OffsetTable((0..<layer.outputs).map { $0 * geometry.plane + geometry.origin })
    let backTaps = OffsetTable(
      (0..<layer.groups).flatMap {
        geometry.taps(channels: $0 * groupOutputs..<($0 + 1) * groupOutputs)
      })
    var first = 0
    var backward: [BackwardData] = []
    for consumer in inputs {
      let channels = consumer.view.shape.channels
      let count = geometry.packedCount(layer, inputs: groupOutputs, outputs: channels)
      backward.append(
        BackwardData(
          consumer: consumer, firstChannel: first, packed: FloatMemory(count),
          bias: FloatMemory(channels), taps: backTaps,
          offsets: OffsetTable((0..<channels).map { $0 * shape.plane })))
      first += channels
    }
    self.backward = backward
    let blocks = (batch + Run.blockSize - 1) / Run.blockSize
    partial = FloatMemory(blocks * (tapTotal + layer.outputs))
  }

  /// True if the sums of the weight gradient have their lanes along the output channels.
  static func sumsAlongChannels(_ layer: Convolution, _ shape: Shape) -> Bool {
    shape.height == 1 && layer.groups == 1 && layer.outputs % Int(CONV_MAX_LANES) == 0
  }

  private var forwardShape: conv_shape {
    geometry.convolution(
      layer, inputs: layer.inputs / layer.groups, outputs: layer.outputs, taps: taps)
  }

  private func backwardShape(_ part: BackwardData) -> conv_shape {
    geometry.convolution(
      layer, inputs: layer.outputs / layer.groups, outputs: part.consumer.view.shape.channels,
      taps: part.taps)
  }

  func prepare(_ run: Run) {
    var shape = forwardShape
    rounded?.update(run.store.value(layer.weight))
    run.kernels.table.pack(&shape, weight(run), packed.pointer)
    if let parameter = layer.bias {
      bias.pointer.update(from: run.store.value(parameter), count: layer.outputs)
    }
  }

  /// The weights that are multiplied.
  private func weight(_ run: Run) -> UnsafeMutablePointer<Float> {
    rounded?.pointer ?? run.store.value(layer.weight)
  }

  func forward(_ run: Run, block: Int, worker: Int) {
    let scratch = scratch[worker]
    var job = conv_forward_job()
    job.shape = forwardShape
    job.weights = UnsafePointer(packed.pointer)
    job.bias = UnsafePointer(bias.pointer)
    job.input = UnsafePointer(scratch.input.pointer)
    job.input_pitch = geometry.pitch
    job.output_offsets = UnsafePointer(outputOffsets.pointer)
    job.output_pitch = geometry.width
    for sample in run.samples(block) {
      stageInput(run, sample, scratch.input.pointer)
      job.output = output.data(sample)
      run.kernels.table.forward(&job)
    }
  }

  private func stageInput(_ run: Run, _ sample: Int, _ target: UnsafeMutablePointer<Float>) {
    var plane = target + geometry.origin
    for input in inputs {
      for channel in 0..<input.view.shape.channels {
        input.view.stage(run.kernels, sample, channel, to: plane, pitch: geometry.pitch)
        plane += geometry.plane
      }
    }
  }

  private func stageGradient(_ run: Run, _ sample: Int, _ target: UnsafeMutablePointer<Float>) {
    for channel in 0..<layer.outputs {
      let offset = channel * output.shape.plane
      var job = plane_job(
        height: geometry.height, width: geometry.width,
        source: UnsafePointer(output.gradient(sample) + offset), source_pitch: geometry.width,
        target: target + channel * geometry.plane + geometry.origin,
        target_pitch: geometry.pitch, scale: 1, shift: 0, slope: 1)
      run.kernels.table.stage_gradient(
        &job, output.data(sample) + offset, output.a.pointer[channel], output.b.pointer[channel],
        output.c.pointer[channel])
    }
  }

  func prepareBackward(_ run: Run) {
    let weight = weight(run)
    let area = layer.kernel.area
    let groupInputs = layer.inputs / layer.groups
    let groupOutputs = layer.outputs / layer.groups
    for part in backward where part.consumer.view.wantsGradient {
      var flipped: [Float] = []
      flipped.reserveCapacity(part.packed.count)
      for local in 0..<part.consumer.view.shape.channels {
        let channel = part.firstChannel + local
        let base = channel / groupInputs * groupOutputs
        for o in 0..<groupOutputs {
          let kernel = weight + ((base + o) * groupInputs + channel % groupInputs) * area
          for tap in 0..<area { flipped.append(kernel[area - 1 - tap]) }
        }
      }
      var shape = backwardShape(part)
      run.kernels.table.pack(&shape, flipped, part.packed.pointer)
    }
  }

  func backward(_ run: Run, block: Int, worker: Int) {
    guard output.wantsGradient else { return }
    let scratch = scratch[worker]
    let totals = partial.pointer + block * (tapTotal + layer.outputs)
    (totals + tapTotal).update(repeating: 0, count: layer.outputs)
    if !sumsAlongChannels {
      scratch.sums.pointer.update(repeating: 0, count: tapTotal * run.kernels.table.lanes)
    }
    let samples = run.samples(block)
    for start in stride(from: samples.lowerBound, to: samples.upperBound, by: group) {
      let chunk = start..<min(start + group, samples.upperBound)
      for sample in chunk {
        let place = sample - start
        let input = scratch.input.pointer + place * layer.inputs * geometry.plane
        let gradient = scratch.gradient.pointer + place * layer.outputs * geometry.plane
        stageInput(run, sample, input)
        stageGradient(run, sample, gradient)
        if needsBiasGradient { addBiasGradient(run, gradient, totals + tapTotal) }
        backwardData(run, sample, gradient)
      }
      if sumsAlongChannels {
        sumAlongChannels(run, scratch, chunk.count, totals)
      } else {
        sumAlongColumns(run, scratch, chunk.count)
      }
    }
    if !sumsAlongChannels {
      run.kernels.table.reduce_lanes(scratch.sums.pointer, tapTotal, totals)
    }
  }

  private func sumAlongColumns(_ run: Run, _ scratch: Scratch, _ samples: Int) {
    var job = conv_weight_job()
    job.shape = forwardShape
    job.samples = samples
    job.input = UnsafePointer(scratch.input.pointer)
    job.input_pitch = geometry.pitch
    job.input_step = layer.inputs * geometry.plane
    job.gradient = UnsafePointer(scratch.gradient.pointer)
    job.gradient_offsets = UnsafePointer(gradientOffsets.pointer)
    job.gradient_pitch = geometry.pitch
    job.gradient_step = layer.outputs * geometry.plane
    job.sums = scratch.sums.pointer
    run.kernels.table.weight_sums(&job)
  }

  private func sumAlongChannels(
    _ run: Run, _ scratch: Scratch, _ samples: Int, _ totals: UnsafeMutablePointer<Float>
  ) {
    let (outputs, width) = (layer.outputs, geometry.width)
    for sample in 0..<samples {
      run.kernels.table.transpose(
        scratch.gradient.pointer + sample * outputs * geometry.plane + geometry.origin,
        geometry.plane, outputs, width, scratch.transposed.pointer + sample * width * outputs,
        outputs)
    }
    var job = conv_outer_job()
    job.outputs = outputs
    job.width = width
    job.samples = samples
    job.tap_count = layer.tapCount
    job.taps = UnsafePointer(taps.pointer)
    job.input = UnsafePointer(scratch.input.pointer)
    job.input_step = layer.inputs * geometry.plane
    job.gradient = UnsafePointer(scratch.transposed.pointer)
    job.totals = totals
    run.kernels.table.weight_outer(&job)
  }

  /// A bias before batch normalisation has no effect and an exactly zero gradient.
  private var needsBiasGradient: Bool { layer.bias != nil && output.normalization == nil }

  private func addBiasGradient(
    _ run: Run, _ gradient: UnsafeMutablePointer<Float>, _ target: UnsafeMutablePointer<Float>
  ) {
    for channel in 0..<layer.outputs {
      var (sum, squares) = (0.0, 0.0)
      // The halo is zero, so the padded plane has the sum of the map.
      run.kernels.table.moments(
        gradient + channel * geometry.plane, geometry.plane, &sum, &squares)
      target[channel] += Float(sum)
    }
  }

  private func backwardData(_ run: Run, _ sample: Int, _ gradient: UnsafeMutablePointer<Float>) {
    for part in backward where part.consumer.view.wantsGradient {
      var job = conv_forward_job()
      job.shape = backwardShape(part)
      job.weights = UnsafePointer(part.packed.pointer)
      job.bias = UnsafePointer(part.bias.pointer)
      job.input = UnsafePointer(gradient)
      job.input_pitch = geometry.pitch
      job.output = part.consumer.view.gradient(sample)
      job.output_offsets = UnsafePointer(part.offsets.pointer)
      job.output_pitch = geometry.width
      if !part.consumer.isFirstInBackward {
        job.residual = UnsafePointer(job.output)
        job.residual_offsets = job.output_offsets
        job.residual_pitch = geometry.width
      }
      run.kernels.table.forward(&job)
    }
  }

  func finishBackward(_ run: Run) {
    guard output.wantsGradient, needsBiasGradient, let parameter = layer.bias else { return }
    for block in 0..<run.blockCount {
      run.kernels.table.axpy(
        1, partial.pointer + block * (tapTotal + layer.outputs) + tapTotal,
        run.store.gradient(parameter), layer.outputs)
    }
  }

  var summed: [NetworkParameter?] { [layer.weight] }

  /// Adds the blocks' gradients of some of the weights, numbered as they are stored, in the order of blocks.
  func addGradient(_ run: Run, of index: Int, _ weights: Range<Int>) {
    guard output.wantsGradient else { return }
    let target = run.store.gradient(layer.weight)
    withUnsafeTemporaryAllocation(of: Float.self, capacity: weights.count) { memory in
      let sum = memory.baseAddress!
      sum.update(repeating: 0, count: weights.count)
      let source = partial.pointer + weights.lowerBound
      for block in 0..<run.blockCount {
        run.kernels.table.axpy(
          1, source + block * (tapTotal + layer.outputs), sum, weights.count)
      }
      for (index, stored) in weights.enumerated() {
        let (tap, channel) = stored.quotientAndRemainder(dividingBy: layer.outputs)
        target[sumsAlongChannels ? channel * layer.tapCount + tap : stored] += sum[index]
      }
    }
  }
}
