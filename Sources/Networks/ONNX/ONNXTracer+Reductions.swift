extension ONNXTracer {
  /// What makes one value of several.
  static let reductions: [String: Operator] = [
    "GlobalAveragePool": { try $0.globalPool($1, .mean) },
    "GlobalMaxPool": { try $0.globalPool($1, .maximum) },
    "ReduceL1": { try $0.reduction($1, .magnitudes) },
    "ReduceL2": { try $0.reduction($1, .norm) },
    "ReduceMax": { try $0.reduction($1, .maximum) },
    "ReduceMean": { try $0.reduction($1, .mean) },
    "ReduceMin": { try $0.reduction($1, .minimum) },
    "ReduceSum": { try $0.reduction($1, .sum) },
    "ReduceSumSquare": { try $0.reduction($1, .energy) },
    "Softmax": { try $0.softmax($1) },
  ]

  private func globalPool(_ node: ONNXNode, _ kind: RowReduction.Kind) throws -> [Value] {
    let (x, shape) = try signal(node, 0)
    guard shape.count > 2 else { throw fail(node, "planes of channels", "the axes \(shape)") }
    let plane = shape.dropFirst(2).reduce(1, *)
    let ones = [Int](repeating: 1, count: shape.count - 2)
    return [
      try signal(x.applying(RowReduction(kind, count: plane)), [shape[1]] + ones)
    ]
  }

  private func reduction(_ node: ONNXNode, _ kind: RowReduction.Kind) throws -> [Value] {
    let (x, shape) = try signal(node, 0)
    let given = try integers(node, "axes", input: 1) ?? []
    if given.isEmpty, try integer(node, "noop_with_empty_axes", default: 0) != 0 {
      return [.signal(x, shape)]
    }
    guard !given.isEmpty else {
      throw fail(node, "samples that stay apart", "a reduction of all axes")
    }
    let places = Set(try given.map { try sampleAxis(node, $0, shape) })
    let keeps = try integer(node, "keepdims", default: 1) != 0
    let kept = shape.indices.filter { !places.contains($0) }
    let turned = try transposed(.signal(x, shape), kept + places.sorted())
    guard case .signal(let rows, _) = turned else { preconditionFailure("a signal stays one") }
    let count = places.reduce(1) { $0 * shape[$1] }
    let result = shape.indices.dropFirst().compactMap { place in
      places.contains(place) ? (keeps ? 1 : nil) : shape[place]
    }
    return [
      try signal(rows.applying(RowReduction(kind, count: count)), result.isEmpty ? [1] : result)
    ]
  }

  private func softmax(_ node: ONNXNode) throws -> [Value] {
    let (x, shape) = try signal(node, 0)
    let isOld = model.version < 13
    let place = try sampleAxis(
      node, try integer(node, "axis", default: isOld ? 1 : -1), shape)
    if isOld {
      // Over all axes from the given one.
      let count = shape[place...].reduce(1, *)
      let rows = x.reshaped(Shape(1, shape[1..<place].reduce(1, *), count))
      return [try signal(Softmax()(rows), Array(shape.dropFirst()))]
    }
    let order = shape.indices.filter { $0 != place } + [place]
    guard case .signal(let rows, let turned) = try transposed(.signal(x, shape), order) else {
      preconditionFailure("a signal stays one")
    }
    let result = try signal(Softmax()(rows), Array(turned.dropFirst()))
    return [try transposed(result, shape.indices.map { order.firstIndex(of: $0)! })]
  }
}
