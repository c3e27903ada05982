import CKernels
import LinkMath

/// One fused operation on a sample.
protocol SampleStep: Sendable {
  func run(_ memory: SampleMemory, _ kernels: Kernels)
  /// Buffers read and written, for the reuse of memory.
  var buffers: [Int] { get }
}

/// Convolution with folded normalisation, residual and activation, from one halo buffer to another.
struct FusedConvolution: SampleStep {
  let input: Place
  let output: Place
  let residual: Place?
  let layer: Convolution
  let weights, bias: FloatMemory
  let slopes: FloatMemory?
  let taps, outputOffsets: OffsetTable
  let residualOffsets: OffsetTable?

  var buffers: [Int] { [input.buffer, output.buffer] + (residual.map { [$0.buffer] } ?? []) }

  /// - Parameters: `weights` plain `[out, in / groups, row, column]`.
  init(
    _ layer: Convolution, input: Place, output: Place, residual: Place?, weights: [Float],
    bias: [Float], slopes: [Float]?, kernels: Kernels
  ) {
    self.input = input
    self.output = output
    self.residual = residual
    self.layer = layer
    let kernel = layer.kernel
    precondition(output.shape.height == 1 || kernel.height == 1 || input.rowsPerPlane > 1)
    taps = OffsetTable(
      (0..<layer.inputs).flatMap { channel in
        (0..<kernel.height).flatMap { row in
          (0..<kernel.width).map { column in
            input.rowOffset(channel) + layer.dilation
              * ((row - kernel.height / 2) * input.pitch + column - kernel.width / 2)
          }
        }
      })
    outputOffsets = OffsetTable(output.channelOffsets)
    residualOffsets = residual.map { OffsetTable($0.channelOffsets) }
    self.bias = FloatMemory(bias)
    self.slopes = slopes.map { FloatMemory($0) }
    var shape = FusedConvolution.shape(layer, output, taps)
    self.weights = FloatMemory(layer.outputs * conv_packed_taps(&shape))
    kernels.table.pack(&shape, weights, self.weights.pointer)
  }

  private static func shape(_ layer: Convolution, _ output: Place, _ taps: OffsetTable)
    -> conv_shape
  {
    conv_shape(
      height: output.shape.height, width: output.shape.width, tap_count: layer.tapCount,
      kernel_rows: layer.kernel.height, kernel_columns: layer.kernel.width,
      row_dilation: layer.dilation, group_count: layer.groups,
      channels_per_group: layer.outputs / layer.groups, taps: UnsafePointer(taps.pointer))
  }

  func run(_ memory: SampleMemory, _ kernels: Kernels) {
    var job = conv_forward_job()
    job.shape = FusedConvolution.shape(layer, output, taps)
    job.weights = UnsafePointer(weights.pointer)
    job.bias = UnsafePointer(bias.pointer)
    job.slopes = slopes.map { UnsafePointer($0.pointer) }
    job.input = UnsafePointer(memory.pointer(input.buffer))
    job.input_pitch = input.pitch
    job.output = memory.pointer(output.buffer)
    job.output_offsets = UnsafePointer(outputOffsets.pointer)
    job.output_pitch = output.pitch
    if let residual, let residualOffsets {
      job.residual = UnsafePointer(memory.pointer(residual.buffer))
      job.residual_offsets = UnsafePointer(residualOffsets.pointer)
      job.residual_pitch = residual.pitch
    }
    kernels.table.forward(&job)
  }
}

/// target = f(scale source + shift) or, with `sign`, target += sign f(...); per channel, between any two layouts.
struct AffineStep: SampleStep {
  let source, target: Place
  let scale, shift, slope: [Float]
  /// Adds to the target instead of replacing it.
  let sign: Float?

  init(
    _ source: Place, _ target: Place, slope: [Float]? = nil, sign: Float? = nil,
    scale: [Float]? = nil
  ) {
    self.source = source
    self.target = target
    let ones = [Float](repeating: 1, count: source.shape.channels)
    self.scale = scale ?? ones
    shift = ones.map { _ in 0 }
    self.slope = slope ?? ones
    self.sign = sign
  }

  var buffers: [Int] { [source.buffer, target.buffer] }

  func run(_ memory: SampleMemory, _ kernels: Kernels) {
    let from = memory.pointer(source.buffer)
    let to = memory.pointer(target.buffer)
    for channel in 0..<source.shape.channels {
      var job = plane_job(
        height: source.shape.height, width: source.shape.width,
        source: UnsafePointer(from + source.rowOffset(channel)), source_pitch: source.pitch,
        target: to + target.rowOffset(channel), target_pitch: target.pitch,
        scale: scale[channel], shift: shift[channel], slope: slope[channel])
      if let sign {
        kernels.table.stage_add(&job, sign)
      } else {
        kernels.table.stage(&job)
      }
    }
  }
}

/// Row-major copy between layouts whose widths differ.
struct GatherStep: SampleStep {
  let source, target: Place

  var buffers: [Int] { [source.buffer, target.buffer] }

  func run(_ memory: SampleMemory, _ kernels: Kernels) {
    let from = memory.pointer(source.buffer)
    let to = memory.pointer(target.buffer)
    let (wide, narrow) = (source.shape.width, target.shape.width)
    // Pieces that lie in one row of both.
    var (piece, rest) = (wide, narrow)
    while rest > 0 { (piece, rest) = (rest, piece % rest) }
    for start in stride(from: 0, to: source.shape.count, by: piece) {
      let a = source.rowOffset(0, start / wide) + start % wide
      let b = target.rowOffset(0, start / narrow) + start % narrow
      (to + b).update(from: from + a, count: piece)
    }
  }
}

/// A saturating function, in place or into a buffer of the same layout.
struct PointwiseSampleStep: SampleStep {
  let function: Pointwise
  let source, target: Place

  var buffers: [Int] { [source.buffer, target.buffer] }

  func run(_ memory: SampleMemory, _ kernels: Kernels) {
    let from = memory.pointer(source.buffer)
    let to = memory.pointer(target.buffer)
    if source.isContiguous && target.isContiguous {
      function.apply(kernels, from + source.base, to + target.base, source.shape.count)
      return
    }
    for channel in 0..<source.shape.channels {
      for row in 0..<source.shape.height {
        function.apply(
          kernels, from + source.rowOffset(channel, row), to + target.rowOffset(channel, row),
          source.shape.width)
      }
    }
  }
}

/// Normalisation with one scale and shift per column.
struct ColumnAffineStep: SampleStep {
  let place: Place
  let scale, shift: [Float]

  var buffers: [Int] { [place.buffer] }

  func run(_ memory: SampleMemory, _ kernels: Kernels) {
    let values = memory.pointer(place.buffer)
    for channel in 0..<place.shape.channels {
      for row in 0..<place.shape.height {
        let line = values + place.rowOffset(channel, row)
        for i in 0..<place.shape.width { line[i] = line[i] * scale[i] + shift[i] }
      }
    }
  }
}

/// Elementwise product with a map, a value per channel or a plane.
struct MultiplySampleStep: SampleStep {
  let source, factor, target: Place

  var buffers: [Int] { [source.buffer, factor.buffer, target.buffer] }

  func run(_ memory: SampleMemory, _ kernels: Kernels) {
    let x = memory.pointer(source.buffer)
    let f = memory.pointer(factor.buffer)
    let y = memory.pointer(target.buffer)
    for channel in 0..<source.shape.channels {
      let factorChannel = factor.shape.channels == 1 ? 0 : channel
      for row in 0..<source.shape.height {
        let from = x + source.rowOffset(channel, row)
        let to = y + target.rowOffset(channel, row)
        let isScalar = factor.shape.plane == 1 && source.shape.plane > 1
        let by = f + factor.rowOffset(factorChannel, isScalar ? 0 : row)
        for i in 0..<source.shape.width { to[i] = from[i] * by[isScalar ? 0 : i] }
      }
    }
  }
}

/// Steps on contiguous maps: pooling, layer normalisation, attention.
struct PlainStep: SampleStep {
  enum Operation: Sendable {
    case planeMean, channelPool
    case layerNorm(LayerNorm, gamma: [Float], beta: [Float])
    case attention(AttentionProduct)
    case custom(any CustomOperation, [FloatMemory])
    /// Product with packed weights on every token.
    case dense(DenseProduct, packed: FloatMemory, bias: FloatMemory)
  }

  let operation: Operation
  let sources: [Place]
  let target: Place

  var buffers: [Int] { sources.map(\.buffer) + [target.buffer] }

  func run(_ memory: SampleMemory, _ kernels: Kernels) {
    let x = memory.pointer(sources[0].buffer) + sources[0].base
    let y = memory.pointer(target.buffer) + target.base
    let shape = sources[0].shape
    switch operation {
    case .planeMean: Networks.planeMean(x, shape, y)
    case .channelPool: Networks.channelPool(x, shape, y)
    case .layerNorm(let layer, let gamma, let beta):
      for row in 0..<shape.count / layer.count {
        Networks.layerNorm(
          x + row * layer.count, y + row * layer.count, layer, gamma: gamma, beta: beta)
      }
    case .dense(let product, let packed, let bias):
      csk_product_part(
        shape.count / product.inputs, product.outputs, product.inputs, x, product.inputs,
        packed.pointer, product.inputs, bias.pointer, y, product.outputs)
    case .custom(let operation, let parameters):
      let inputs = sources.map {
        UnsafeBufferPointer(
          start: UnsafePointer(memory.pointer($0.buffer) + $0.base), count: $0.shape.count)
      }
      operation.forward(
        CustomSample(
          inputs: inputs, shapes: sources.map(\.shape),
          parameters: parameters.map { UnsafeBufferPointer($0.buffer) }),
        into: UnsafeMutableBufferPointer(start: y, count: target.shape.count))
    case .attention(let core):
      let memoryPlace = sources.last!
      attend(core, x, memory.pointer(memoryPlace.buffer) + memoryPlace.base, y, kernels)
    }
  }

  private func attend(
    _ core: AttentionProduct, _ query: UnsafeMutablePointer<Float>,
    _ pair: UnsafeMutablePointer<Float>, _ y: UnsafeMutablePointer<Float>, _ kernels: Kernels
  ) {
    let (d, n) = (core.dimension, sources[0].shape.height)
    let isPacked = sources.count == 1
    let queryPitch = isPacked ? 3 * d : d
    let pairPitch = isPacked ? 3 * d : 2 * d
    let key = isPacked ? query + d : pair
    let value = key + d
    let size = d / core.heads
    withUnsafeTemporaryAllocation(of: Float.self, capacity: n * n) { weights in
      let p = weights.baseAddress!
      for head in 0..<core.heads {
        let shift = head * size
        MatrixProduct.multiply(
          m: n, n: n, k: size, query + shift, lda: queryPitch, .none, key + shift,
          ldb: pairPitch, .transpose, into: p, ldc: n)
        for row in 0..<n {
          softmax(kernels, p + row * n, n, scale: 1 / Float(size).squareRoot())
        }
        MatrixProduct.multiply(
          m: n, n: size, k: n, p, lda: n, .none, value + shift, ldb: pairPitch,
          into: y + shift, ldc: d)
      }
    }
  }
}
