import CKernels

/// A dense layer of signs, computed from its bits.
struct TileSigns: TileStep {
  let product: DenseProduct
  let source, target: Place
  private let signs: IntegerMemory<UInt32>
  private let scale: Float
  private let bias: FloatMemory

  init(
    _ product: DenseProduct, _ tensor: SignTensor, bias: FloatMemory, source: Place, target: Place
  ) {
    self.product = product
    self.source = source
    self.target = target
    self.bias = bias
    scale = tensor.scale
    signs = IntegerMemory(csk_sign_words(product.inputs, product.outputs))
    csk_sign_pack(
      product.inputs, product.outputs, tensor.bytes, product.isTransposed ? 1 : 0, signs.pointer)
  }

  var scratchCount: Int { csk_sign_scratch(product.inputs) }

  func run(_ memory: SampleMemory, count: Int, _ kernels: Kernels) {
    let rows = source.shape.count / product.inputs
    withUnsafeTemporaryAllocation(of: Float.self, capacity: scratchCount) { scratch in
      for sample in 0..<count {
        let x = memory.pointer(source.buffer) + sample * memory.strides[source.buffer] + source.base
        let y = memory.pointer(target.buffer) + sample * memory.strides[target.buffer] + target.base
        csk_sign_product(
          rows, product.outputs, product.inputs, x, product.inputs, signs.pointer, scale,
          bias.pointer, y, product.outputs, scratch.baseAddress!)
      }
    }
  }
}

/// A dense layer of 8-bit integers: the inputs of all samples become integers first, then each row of weights takes them all.
struct TileInt8: TileStep {
  let product: DenseProduct
  let source, target: Place
  /// With the range of a calibration; nil for that of each sample.
  private let quantizer: ActivationQuantizer?
  private let weights: IntegerMemory<Int8>
  private let scales, bias: FloatMemory

  /// The largest integer of an activation with a range of its own: 7 bits, as common frameworks take.
  static let dynamicLevels = 127

  init(
    _ product: DenseProduct, _ tensor: Int8Tensor, _ quantizer: ActivationQuantizer?,
    bias: FloatMemory, source: Place, target: Place
  ) {
    self.product = product
    self.source = source
    self.target = target
    self.quantizer = quantizer
    self.bias = bias
    weights = IntegerMemory(tensor.integers.count)
    weights.pointer.update(from: tensor.integers, count: tensor.integers.count)
    let shared = tensor.scales.count == 1
    scales = FloatMemory((0..<product.outputs).map { tensor.scales[shared ? 0 : $0] })
  }

  private var rows: Int { source.shape.count / product.inputs }

  /// The integers of a whole tile, two in the room of a float, and the scale of each row.
  var scratchCount: Int {
    InferencePlan.tileSize * (source.shape.count / 2 + 1 + rows)
  }

  func run(_ memory: SampleMemory, count: Int, _ kernels: Kernels) {
    let (size, rows) = (source.shape.count, rows)
    withUnsafeTemporaryAllocation(of: Int16.self, capacity: count * size) { integers in
      withUnsafeTemporaryAllocation(of: Float.self, capacity: count * rows) { rowScales in
        for sample in 0..<count {
          let x =
            memory.pointer(source.buffer) + sample * memory.strides[source.buffer]
            + source.base
          let quantizer =
            quantizer
            ?? ActivationQuantizer(
              of: UnsafeBufferPointer(start: x, count: size), levels: TileInt8.dynamicLevels)
          quantizer.write(x, count: size, to: integers.baseAddress! + sample * size)
          for row in 0..<rows { rowScales[sample * rows + row] = quantizer.scale }
        }
        let y = memory.pointer(target.buffer) + target.base
        let stride = memory.strides[target.buffer]
        // Samples of one row each are the rows of one matrix.
        let (calls, height, pitch) = rows == 1 ? (1, count, stride) : (count, rows, product.outputs)
        for call in 0..<calls {
          csk_int8_product(
            height, product.outputs, product.inputs, integers.baseAddress! + call * size,
            weights.pointer, rowScales.baseAddress! + call * rows, scales.pointer, bias.pointer,
            y + call * stride, pitch)
        }
      }
    }
  }
}

/// A convolution of 8-bit integers with folded normalisation, residual and activation.
struct Int8Convolution: SampleStep {
  let input, output: Place
  let residual: Place?
  private let layer: Convolution
  private let quantizer: ActivationQuantizer
  /// [output, pair of channels, row, column, 2], a group of an odd number of channels filled with zeros.
  private let weights: IntegerMemory<Int16>
  /// Of a sum, for each output.
  private let scales: [Float]
  private let bias: [Float]
  private let slopes: [Float]

  var buffers: [Int] { [input.buffer, output.buffer] + (residual.map { [$0.buffer] } ?? []) }

  /// - Parameter chain: the convolution with what is folded into it, in real numbers.
  init(
    _ layer: Convolution, _ quantizer: ActivationQuantizer, _ chain: ConvolutionChain,
    input: Place, output: Place, residual: Place?
  ) {
    self.layer = layer
    self.quantizer = quantizer
    self.input = input
    self.output = output
    self.residual = residual
    let tensor = Int8Tensor(chain.weights, rows: layer.outputs)
    scales = tensor.scales.map { $0 * quantizer.scale }
    bias = chain.bias
    slopes = chain.slopes ?? [Float](repeating: 1, count: layer.outputs)
    let (channels, area) = (layer.inputs / layer.groups, layer.kernel.area)
    let pairs = (channels + 1) / 2
    weights = IntegerMemory(layer.outputs * pairs * area * 2)
    for output in 0..<layer.outputs {
      for channel in 0..<channels {
        for tap in 0..<area {
          let place = ((output * pairs + channel / 2) * area + tap) * 2 + channel % 2
          weights.pointer[place] = Int16(
            tensor.integers[(output * channels + channel) * area + tap])
        }
      }
    }
  }

  private var pairs: Int { (layer.inputs / layer.groups + 1) / 2 }
  private var stagedRows: Int { output.shape.height + layer.kernel.height - 1 }
  private var pitch: Int {
    output.shape.width + layer.kernel.width - 1 + Int(CSK_INT8_COLUMNS)
  }

  func run(_ memory: SampleMemory, _ kernels: Kernels) {
    let count = layer.groups * pairs * stagedRows * pitch * 2
    let width = output.shape.width
    let columns = Int(CSK_INT8_COLUMNS)
    let sumCount = (width + columns - 1) / columns * columns
    withUnsafeTemporaryAllocation(of: Int16.self, capacity: count) { staged in
      withUnsafeTemporaryAllocation(of: Int32.self, capacity: sumCount) { sums in
        stage(memory, staged.baseAddress!, count)
        var job = csk_int8_convolution()
        job.height = output.shape.height
        job.width = width
        job.kernel_rows = layer.kernel.height
        job.kernel_columns = layer.kernel.width
        job.pairs = pairs
        job.group_count = layer.groups
        job.group_outputs = layer.outputs / layer.groups
        job.input = UnsafePointer(staged.baseAddress!)
        job.pitch = pitch
        job.weights = UnsafePointer(weights.pointer)
        for channel in 0..<layer.outputs {
          for row in 0..<output.shape.height {
            csk_int8_convolve_row(&job, channel, row, sums.baseAddress!)
            finish(memory, channel, row, sums.baseAddress!)
          }
        }
      }
    }
  }

  private func finish(
    _ memory: SampleMemory, _ channel: Int, _ row: Int, _ sums: UnsafePointer<Int32>
  ) {
    let added = residual.map {
      UnsafePointer(memory.pointer($0.buffer) + $0.rowOffset(channel, row))
    }
    csk_int8_finish_row(
      output.shape.width, sums, scales[channel], bias[channel], added, slopes[channel],
      memory.pointer(output.buffer) + output.rowOffset(channel, row))
  }

  /// Integers q - Z with a halo of zeros, pairs of channels side by side.
  private func stage(
    _ memory: SampleMemory, _ staged: UnsafeMutablePointer<Int16>, _ count: Int
  ) {
    staged.update(repeating: 0, count: count)
    let (channels, width) = (layer.inputs / layer.groups, input.shape.width)
    let (top, left) = (layer.kernel.height / 2, layer.kernel.width / 2)
    let values = memory.pointer(input.buffer)
    withUnsafeTemporaryAllocation(of: Int16.self, capacity: width) { line in
      for channel in 0..<layer.inputs {
        let (group, local) = (channel / channels, channel % channels)
        for row in 0..<input.shape.height {
          quantizer.write(
            values + input.rowOffset(channel, row), count: width, to: line.baseAddress!)
          let place = ((group * pairs + local / 2) * stagedRows + row + top) * pitch + left
          let target = staged + place * 2 + local % 2
          for column in 0..<width { target[2 * column] = line[column] }
        }
      }
    }
  }
}
