import CKernels

/// Two dense layers over many tokens with a LeakyReLU between them that nothing else reads: `y = W2 f(W1 x + b1) + b2`.
///
/// Both plans take it as one step, in blocks of hidden units that stay in the cache.
struct FeedForward: Sendable {
  let first, second: DenseProduct
  let slope: Float
  /// Nodes of the first layer and of the activation.
  let start, middle: Int

  /// Hidden units taken at once.
  static let width = 256
  /// A pitch that spreads rows of hidden units over the sets of the cache.
  static let pitch = width + 16

  /// The block whose second layer is a node; nil if there is none that the kernels can take in parts.
  init?(_ graph: Graph, endingAt index: Int, uses: [Int]) {
    guard case .dense(let second) = graph.nodes[index].operation else { return nil }
    middle = graph.nodes[index].inputs[0]
    guard case .leakyReLU(let layer) = graph.nodes[middle].operation, layer.slope >= 0,
      uses[middle] == 1
    else { return nil }
    start = graph.nodes[middle].inputs[0]
    guard case .dense(let first) = graph.nodes[start].operation, uses[start] == 1 else {
      return nil
    }
    (self.first, self.second, slope) = (first, second, layer.slope)
    let panel = Int(CSK_PANELS)
    let isPlain = [first, second].allSatisfy {
      $0.precision == .real && $0.bias != nil && !$0.isTransposed && $0.firstRow == 0
        && $0.inputs % panel == 0
        && $0.outputs % panel == 0 && $0.weight.count == $0.inputs * $0.outputs
    }
    let input = graph.nodes[graph.nodes[start].inputs[0]].shape
    guard isPlain, first.outputs == second.inputs, first.outputs >= 2 * first.inputs,
      input.count >= 8 * first.inputs
    else { return nil }
  }

  /// Calls `body` with ranges of hidden units.
  func forEachBlock(_ body: (_ start: Int, _ count: Int) -> Void) {
    for start in stride(from: 0, to: first.outputs, by: FeedForward.width) {
      body(start, min(FeedForward.width, first.outputs - start))
    }
  }

  /// `f(W1 x + b1)` of some hidden units, `[row, FeedForward.pitch]`, from packed W1; x `[row, input]`.
  func activate(
    _ x: UnsafePointer<Float>, rows: Int, _ start: Int, _ count: Int,
    packed: UnsafePointer<Float>, bias: UnsafePointer<Float>,
    _ hidden: UnsafeMutablePointer<Float>, _ kernels: Kernels
  ) {
    csk_product_part(
      rows, count, first.inputs, x, first.inputs, packed + start * first.inputs, first.inputs,
      bias + start, hidden, FeedForward.pitch)
    var job = plane_job(
      height: rows, width: count, source: hidden, source_pitch: FeedForward.pitch, target: hidden,
      target_pitch: FeedForward.pitch, scale: 1, shift: 0, slope: slope)
    kernels.table.stage(&job)
  }

  /// Adds what some hidden units `[row, FeedForward.pitch]` give to y `[row, output]`, or starts it with the bias, from packed W2.
  func collect(
    _ hidden: UnsafePointer<Float>, rows: Int, _ start: Int, _ count: Int,
    packed: UnsafePointer<Float>, bias: UnsafePointer<Float>, into y: UnsafeMutablePointer<Float>
  ) {
    csk_product_part(
      rows, second.outputs, count, hidden, FeedForward.pitch,
      packed + start * csk_product_panel(), second.inputs, start == 0 ? bias : nil, y,
      second.outputs)
  }
}
