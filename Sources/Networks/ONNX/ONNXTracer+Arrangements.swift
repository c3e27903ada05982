extension ONNXTracer {
  /// What gives values other axes, and what shapes are made with.
  static let arrangements: [String: Operator] = [
    "Cast": { try $0.cast($1) },
    "Constant": { try $0.constantNode($1) },
    "ConstantOfShape": { try $0.filled($1) },
    "Dropout": { [try $0.value($1, 0)] },
    "Flatten": { try $0.flattened($1) },
    "Identity": { [try $0.value($1, 0)] },
    "Mod": { try $0.remainder($1) },
    "Reshape": { try $0.reshaped($1) },
    "Shape": { try $0.shapeOf($1) },
    "Squeeze": { try $0.squeezed($1) },
    "Unsqueeze": { try $0.unsqueezed($1) },
  ]

  // MARK: constants

  private func constantNode(_ node: ONNXNode) throws -> [Value] {
    guard let (_, attribute) = node.attributes.first, node.attributes.count == 1 else {
      throw fail(node, "one value", "\(node.attributes.count) attributes")
    }
    switch attribute {
    case .tensor(let tensor):
      do {
        return [.constant(try tensor.tensor(model.path), name: nil)]
      } catch is WireMessage.Damage {
        throw fail(node, "a tensor", "damaged values")
      }
    case .number(let value): return [.constant(ONNXTensor([], floats: [value]), name: nil)]
    case .integer(let value): return [.constant(ONNXTensor([], integers: [value]), name: nil)]
    case .numbers(let values):
      return [.constant(ONNXTensor([values.count], floats: values), name: nil)]
    case .integers(let values):
      return [.constant(ONNXTensor([values.count], integers: values), name: nil)]
    default: throw fail(node, "numbers", "another value")
    }
  }

  private func filled(_ node: ONNXNode) throws -> [Value] {
    guard let shape = try constant(node, 0).integers else {
      throw fail(node, "whole numbers", "other numbers")
    }
    let count = try size(shape, "node '\(node.label)'")
    var value = ONNXTensor([1], floats: [0])
    if case .tensor(let tensor)? = node.attributes["value"] {
      value = (try? tensor.tensor(model.path)) ?? value
    }
    guard value.count == 1 else { throw fail(node, "one value", "\(value.count)") }
    let places = [Int32](repeating: 0, count: count)
    return [.constant(value.picked(shape, places), name: nil)]
  }

  private func shapeOf(_ node: ONNXNode) throws -> [Value] {
    let shape = try fileShape(node, 0)
    let first = try integer(node, "start", default: 0)
    let last = try integer(node, "end", default: shape.count)
    func place(_ axis: Int) -> Int {
      min(max(axis < 0 ? axis &+ shape.count : axis, 0), shape.count)
    }
    let part = Array(shape[place(first)..<max(place(first), place(last))])
    return [.constant(ONNXTensor([part.count], integers: part), name: nil)]
  }

  /// Numbers of another type: floats stay single precision, and whole numbers are only computed with while shapes are made.
  private func cast(_ node: ONNXNode) throws -> [Value] {
    let type = try integer(node, "to", default: 0)
    let isFloat = [1, 10, 11, 16].contains(type)
    switch try value(node, 0) {
    case .signal(let signal, let shape):
      if type == 9 {
        return [
          try applied(
            ValueFunction("is not 0", range: 0...1, { $0 != 0 ? 1 : 0 }, slope: { _ in 0 }),
            .signal(signal, shape))
        ]
      }
      guard isFloat else { throw fail(node, "float32 throughout", "a cast to type \(type)") }
      return [.signal(signal, shape)]
    case .constant(let tensor, let name):
      if isFloat { return [.constant(ONNXTensor(tensor.shape, floats: tensor.floats), name: name)] }
      guard tensor.integers == nil else { return [.constant(tensor, name: name)] }
      let values = tensor.floats.map { Int(exactly: $0.rounded(.towardZero)) }
      guard values.allSatisfy({ $0 != nil }) else {
        throw fail(node, "whole numbers", "numbers beyond 64 bits")
      }
      return [.constant(ONNXTensor(tensor.shape, integers: values.map { $0! }), name: nil)]
    }
  }

  /// The remainder of whole numbers, of the divisor's sign.
  private func remainder(_ node: ONNXNode) throws -> [Value] {
    let (a, b) = (try constant(node, 0), try constant(node, 1))
    guard let left = a.integers, let right = b.integers, right.allSatisfy({ $0 > 0 }) else {
      throw fail(node, "whole numbers and positive divisors", "other numbers")
    }
    let (shape, places) = try broadcast(node, a.shape, b.shape)
    let values = (0..<shape.reduce(1, *)).map { i in
      let divisor = right[places.1.map { Int($0[i]) } ?? i]
      let rest = left[places.0.map { Int($0[i]) } ?? i] % divisor
      return rest < 0 ? rest + divisor : rest
    }
    return [.constant(ONNXTensor(shape, integers: values), name: nil)]
  }

  // MARK: other axes for the same values

  private mutating func reshaped(_ node: ONNXNode) throws -> [Value] {
    let shape = try fileShape(node, 0)
    guard var axes = try integers(node, "shape", input: 1) else {
      throw fail(node, "a shape", "none")
    }
    let copiesZeros = try integer(node, "allowzero", default: 0) == 0
    for place in axes.indices where axes[place] == 0 && copiesZeros {
      guard place < shape.count else { throw fail(node, "axes to keep", "\(axes)") }
      axes[place] = shape[place]
    }
    let open = axes.indices.filter { axes[$0] == -1 }
    let count = shape.reduce(1, *)
    let known = try size(axes.filter { $0 != -1 }, "node '\(node.label)'", times: batch)
    guard open.count <= 1 else { throw fail(node, "one open axis", "\(axes)") }
    if let open = open.first {
      guard known > 0, count % known == 0 else {
        throw fail(node, "a shape for \(count) values", "\(axes)")
      }
      axes[open] = count / known
    }
    guard axes.allSatisfy({ $0 >= 0 }), axes.reduce(1, *) == count else {
      throw fail(node, "a shape for \(count) values", "\(axes)")
    }
    return [try regrouped(node, axes)]
  }

  private mutating func flattened(_ node: ONNXNode) throws -> [Value] {
    _ = try signal(node, 0)
    let shape = try fileShape(node, 0)
    let given = try integer(node, "axis", default: 1)
    let place = given == shape.count ? given : try axis(node, given, rank: shape.count)
    return [
      try regrouped(node, [shape[..<place].reduce(1, *), shape[place...].reduce(1, *)])
    ]
  }

  private mutating func squeezed(_ node: ONNXNode) throws -> [Value] {
    let shape = try fileShape(node, 0)
    let given = try integers(node, "axes", input: 1)
    let places = try given.map { axes in try axes.map { try axis(node, $0, rank: shape.count) } }
    let place = general(node.inputs[0])?.place
    let removed = Set(
      places ?? shape.indices.filter { shape[$0] == 1 && $0 != place?.axis })
    guard removed.allSatisfy({ shape[$0] == 1 }) else { throw fail(node, "axes of 1", "\(shape)") }
    var axes = shape.indices.filter { !removed.contains($0) }.map { shape[$0] }
    if place != nil, axes.count == 1 { axes.append(1) }
    return [try regrouped(node, axes)]
  }

  private mutating func unsqueezed(_ node: ONNXNode) throws -> [Value] {
    let shape = try fileShape(node, 0)
    guard let given = try integers(node, "axes", input: 1), given.count <= 8 else {
      throw fail(node, "up to 8 axes", "none, or more")
    }
    let rank = shape.count + given.count
    let added = Set(try given.map { try axis(node, $0, rank: rank) })
    guard added.count == given.count else { throw fail(node, "different axes", "\(given)") }
    var rest = shape[...]
    return [try regrouped(node, (0..<rank).map { added.contains($0) ? 1 : rest.removeFirst() })]
  }
}
