import CKernels

/// A step over all samples of a tile, so that its weights are fetched once for many samples.
protocol TileStep: Sendable {
  /// Floats of scratch memory.
  var scratchCount: Int { get }

  /// - Parameter memory: of the first sample.
  func run(_ memory: SampleMemory, count: Int, _ kernels: Kernels)
}

/// A dense layer.
struct TileDense: TileStep {
  let product: DenseProduct
  let source, target: Place
  let packed, bias: FloatMemory

  var scratchCount: Int { 0 }

  func run(_ memory: SampleMemory, count: Int, _ kernels: Kernels) {
    csk_product_part(
      count, product.outputs, product.inputs, memory.pointer(source.buffer) + source.base,
      memory.strides[source.buffer], packed.pointer, product.inputs, bias.pointer,
      memory.pointer(target.buffer) + target.base, memory.strides[target.buffer])
  }
}

/// Two dense layers over the tokens of each sample: every block of hidden units takes all samples before the next.
struct TileFeedForward: TileStep {
  let layers: FeedForward
  let source, target: Place
  let packedFirst, packedSecond, firstBias, secondBias: FloatMemory

  /// Samples whose hidden units are computed at once: 96 rows of 32 tokens, a multiple of the rows of a register tile.
  private static let samplesAtOnce = 3

  private var tokens: Int { source.shape.count / layers.first.inputs }
  var scratchCount: Int { TileFeedForward.samplesAtOnce * tokens * FeedForward.pitch }

  func run(_ memory: SampleMemory, count: Int, _ kernels: Kernels) {
    precondition(
      memory.strides[source.buffer] == source.shape.count
        && memory.strides[target.buffer] == target.shape.count, "samples are rows of one matrix")
    let x = memory.pointer(source.buffer) + source.base
    let y = memory.pointer(target.buffer) + target.base
    withUnsafeTemporaryAllocation(of: Float.self, capacity: scratchCount) { scratch in
      let hidden = scratch.baseAddress!
      layers.forEachBlock { start, width in
        for sample in stride(from: 0, to: count, by: TileFeedForward.samplesAtOnce) {
          let rows = min(TileFeedForward.samplesAtOnce, count - sample) * tokens
          layers.activate(
            x + sample * source.shape.count, rows: rows, start, width,
            packed: packedFirst.pointer, bias: firstBias.pointer, hidden, kernels)
          layers.collect(
            hidden, rows: rows, start, width, packed: packedSecond.pointer,
            bias: secondBias.pointer, into: y + sample * target.shape.count)
        }
      }
    }
  }
}
