extension ONNXTracer {
  /// What makes one value of several.
  static let reductions: [String: Operator] = [
    "GlobalAveragePool": { try $0.globalPool($1, .mean) },
    "GlobalMaxPool": { try $0.globalPool($1, .maximum) },
    "LogSoftmax": { try $0.logSoftmax($1) },
    "ReduceL1": { try $0.reduction($1, .magnitudes) },
    "ReduceL2": { try $0.reduction($1, .norm) },
    "ReduceLogSum": { tracer, node in
      [try tracer.applied(ValueFunction.logarithm, tracer.reduction(node, .sum)[0])]
    },
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
    let input = try value(node, 0)
    let given = try integers(node, "axes", input: 1) ?? []
    if given.isEmpty, try integer(node, "noop_with_empty_axes", default: 0) != 0 { return [input] }
    let keeps = try integer(node, "keepdims", default: 1) != 0
    if case .constant(let tensor, _) = input {
      return [.constant(try reduced(node, tensor, kind, given, keeps: keeps), name: nil)]
    }
    let (x, shape) = try signal(node, 0)
    guard !given.isEmpty else {
      throw fail(node, "samples that stay apart", "a reduction of all axes")
    }
    let places = Set(try given.map { try sampleAxis(node, $0, shape) })
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

  /// A constant along some of its axes, none for all of them: whole numbers stay whole where shapes are made.
  private func reduced(
    _ node: ONNXNode, _ tensor: ONNXTensor, _ kind: RowReduction.Kind, _ axes: [Int], keeps: Bool
  ) throws -> ONNXTensor {
    let (shape, all) = (tensor.shape, Set(tensor.shape.indices))
    let places = axes.isEmpty ? all : Set(try axes.map { try axis(node, $0, rank: shape.count) })
    let order = shape.indices.filter { !places.contains($0) } + places.sorted()
    let strides = IndexMap.strides(shape)
    let turned = tensor.picked(
      order.map { shape[$0] },
      IndexMap.places(order.map { shape[$0] }, strides: order.map { strides[$0] }))
    let count = places.reduce(1) { $0 * shape[$1] }
    guard count > 0 else { throw fail(node, "axes with values", "the axes \(shape)") }
    let result = shape.indices.compactMap { places.contains($0) ? (keeps ? 1 : nil) : shape[$0] }
    let rows = (0..<tensor.count / count).map { $0 * count..<($0 + 1) * count }
    let wholeFunctions: [RowReduction.Kind: (Int, Int) -> Int] = [
      .sum: { $0 &+ $1 }, .maximum: { max($0, $1) }, .minimum: { min($0, $1) },
    ]
    if let integers = turned.integers, let function = wholeFunctions[kind] {
      return ONNXTensor(
        result,
        integers: rows.map { row in
          integers[row].dropFirst().reduce(integers[row.lowerBound], function)
        })
    }
    let reduction = RowReduction(kind, count: count)
    return turned.floats.withUnsafeBufferPointer { values in
      ONNXTensor(
        result, floats: rows.map { reduction.value(UnsafeBufferPointer(rebasing: values[$0])) })
    }
  }

  /// `x - max x - ln sum exp(x - max x)`, which stays finite where the softmax itself is 0.
  private mutating func logSoftmax(_ node: ONNXNode) throws -> [Value] {
    let (x, shape) = try signal(node, 0)
    let place = try sampleAxis(
      node, try integer(node, "axis", default: model.version < 13 ? 1 : -1), shape)
    guard model.version >= 13 || place == shape.count - 1 else {
      throw fail(node, "the last axis", "the axis \(place) and those behind it")
    }
    let order = shape.indices.filter { $0 != place } + [place]
    guard case .signal(let rows, let turned) = try transposed(.signal(x, shape), order) else {
      preconditionFailure("a signal stays one")
    }
    let kept = turned.dropFirst().dropLast() + [1]
    func reduced(_ kind: RowReduction.Kind, _ value: Value) throws -> Value {
      guard case .signal(let y, _) = value else { preconditionFailure("a signal stays one") }
      return try signal(y.applying(RowReduction(kind, count: shape[place])), Array(kept))
    }
    let whole = Value.signal(rows, turned)
    let below = try arithmetic(node, .subtract, whole, try reduced(.maximum, whole))
    let sum = try reduced(.sum, try applied(ValueFunction.exponential, below))
    let result = try arithmetic(
      node, .subtract, below, try applied(ValueFunction.logarithm, sum))
    return [try transposed(result, shape.indices.map { order.firstIndex(of: $0)! })]
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
