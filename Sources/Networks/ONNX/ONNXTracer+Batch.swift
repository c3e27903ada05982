/// Where the batch lies in a value of the file that does not have it first, as PyTorch's attention [token, batch, feature].
struct BatchPlace: Equatable {
  /// The axis of the file that holds it.
  var axis = 0
  /// How many values of that axis lie outside of the batch, and inside of each sample.
  var outer = 1
  var inner = 1

  /// The first axis, for itself.
  var isFirst: Bool { self == BatchPlace() }
}

/// Values whose batch has moved: the tracer keeps them as [batch] + axes, the axes those of the file with the batch's share of one taken out,
/// and computes with them as with all others.
extension ONNXTracer {
  /// A batch size that no other axis has, so that arithmetic on shapes tells where it went.
  static let openBatch = 1009

  /// Operators that arrange axes themselves.
  static let arrangingAxes: Set = [
    "Flatten", "Reshape", "Shape", "Squeeze", "Transpose", "Unsqueeze",
  ]

  /// An attribute, of no file, that tells an operator to count the axes of the sample.
  static let ownAxes = "\u{0}own_axes"

  /// Axes of a sample as the file counts them, and the place of the batch among them; nil for a constant.
  func general(_ name: String) -> (signal: Signal, axes: [Int], place: BatchPlace)? {
    guard case .signal(let x, let shape)? = values[name] else { return nil }
    if let place = moved[name] { return (x, Array(shape.dropFirst()), place) }
    return (x, [1] + shape.dropFirst(), BatchPlace())
  }

  /// Axes of an input as the file has them.
  func fileShape(_ node: ONNXNode, _ index: Int) throws -> [Int] {
    let value = try value(node, index)
    guard let place = moved[node.inputs[index]] else { return value.shape }
    var axes = Array(value.shape.dropFirst())
    axes[place.axis] *= batch
    return axes
  }

  /// A value of the file's axes with the batch at a place, under the name of a node's output.
  mutating func placed(
    _ x: Signal, _ axes: [Int], _ place: BatchPlace, _ node: ONNXNode, output: Int = 0
  ) throws -> Value {
    guard axes.indices.contains(place.axis), axes[place.axis] == place.outer * place.inner else {
      throw mixed(node, place)
    }
    if place.isFirst, axes.count > 1 { return try signal(x, Array(axes.dropFirst())) }
    guard mayMove, axes.count > 1, output < node.outputs.count else {
      throw fail(
        node, "samples that stay apart along the first axis", "the batch along axis \(place.axis)")
    }
    moved[node.outputs[output]] = place
    return try signal(x, axes)
  }

  private func mixed(_ node: ONNXNode, _ place: BatchPlace) -> Error {
    fail(node, "samples that stay apart", "the batch along axis \(place.axis)")
  }

  /// The same values under other axes of the file.
  mutating func regrouped(_ node: ONNXNode, _ axes: [Int]) throws -> Value {
    let name = node.inputs[0]
    guard let (x, own, place) = general(name) else {
      guard case .constant(let tensor, let name) = try value(node, 0) else {
        preconditionFailure("a value is a signal or a constant")
      }
      return .constant(tensor.reshaped(axes), name: name)
    }
    guard axes.count <= 32 else { throw fail(node, "at most 32 axes", "\(axes.count)") }
    let before = own[..<place.axis].reduce(1, *) * place.outer
    let behind = own[(place.axis + 1)...].reduce(1, *) * place.inner
    let places = axes.indices.compactMap { axis -> BatchPlace? in
      let (left, right) = (axes[..<axis].reduce(1, *), axes[(axis + 1)...].reduce(1, *))
      guard left > 0, right > 0, before % left == 0, behind % right == 0 else { return nil }
      let place = BatchPlace(axis: axis, outer: before / left, inner: behind / right)
      return place.outer * batch * place.inner == axes[axis] ? place : nil
    }
    // Of several axes that may hold the batch, as with a batch of one, the one that holds least besides.
    guard let found = places.min(by: { $0.outer * $0.inner < $1.outer * $1.inner }) else {
      throw fail(node, "samples that stay apart, of a batch of \(batch)", "the axes \(axes)")
    }
    var sample = axes
    sample[found.axis] = found.outer * found.inner
    return try placed(x, sample, found, node)
  }

  /// Axes in another order.
  mutating func turned(_ node: ONNXNode, _ order: [Int]) throws -> Value {
    guard let (x, axes, place) = general(node.inputs[0]) else {
      return try transposed(try value(node, 0), order)
    }
    if place.isFirst, order[0] == 0 { return try transposed(try value(node, 0), order) }
    let whole = try signal(x, axes)
    let result = try transposed(whole, [0] + order.map { $0 + 1 })
    guard case .signal(let y, let shape) = result else {
      preconditionFailure("a signal stays one")
    }
    var next = place
    next.axis = order.firstIndex(of: place.axis)!
    return try placed(y, Array(shape.dropFirst()), next, node)
  }

  /// Traces a node of which some input has its batch elsewhere: as with one more axis in front, all others counted one further.
  mutating func tracedMoved(_ node: ONNXNode, _ operation: Operator) throws -> [Value] {
    var inner = node
    var (ranks, places) = ([Int](), [BatchPlace]())
    let signals = node.inputs.compactMap { general($0)?.place }
    for (index, name) in node.inputs.enumerated() {
      guard let (x, axes, place) = general(name) else {
        if node.operation == "Concat", let place = signals.first,
          case .constant(let tensor, let name) = try value(node, index)
        {
          inner.inputs[index] = "\u{0}\(index)"
          let row = try alike(node, tensor, place)
          values[inner.inputs[index]] = .constant(row, name: row.count == tensor.count ? name : nil)
        }
        continue
      }
      // No name of a file begins like this.
      inner.inputs[index] = "\u{0}\(index)"
      values[inner.inputs[index]] = try signal(x, axes)
      ranks.append(axes.count)
      places.append(place)
    }
    let (rank, place) = (ranks[0], places[0])
    guard ranks.allSatisfy({ $0 == rank }), places.allSatisfy({ $0 == place }) else {
      throw mixed(node, place)
    }
    let next = try self.place(behind: node, &inner, rank, place)
    return try operation(&self, inner).enumerated().map { index, value in
      guard case .signal(let y, let shape) = value else { return value }
      return try placed(y, Array(shape.dropFirst()), next, node, output: index)
    }
  }

  /// A constant beside signals as a sample has it: it is the same along the batch, and has one axis more in front.
  private func alike(_ node: ONNXNode, _ tensor: ONNXTensor, _ place: BatchPlace) throws
    -> ONNXTensor
  {
    var shape = tensor.shape
    let differ = fail(node, "a constant that is the same for all samples", "one of \(shape)")
    guard place.outer * place.inner == 1, shape.indices.contains(place.axis),
      shape[place.axis] == 1 || shape[place.axis] == batch
    else { throw differ }
    var strides = IndexMap.strides(shape)
    let repeated = tensor.picked(shape, IndexMap.places(shape, strides: strides)).floats
    strides[place.axis] = 0
    guard tensor.picked(shape, IndexMap.places(shape, strides: strides)).floats == repeated else {
      throw differ
    }
    shape[place.axis] = 1
    let first = tensor.picked(shape, IndexMap.places(shape, strides: strides))
    return first.reshaped([1] + shape)
  }

  /// The place of the batch in a node's outputs; counts its axes one further.
  private func place(
    behind node: ONNXNode, _ inner: inout ONNXNode, _ rank: Int, _ place: BatchPlace
  ) throws -> BatchPlace {
    var next = place
    func axis(default value: Int) throws -> Int {
      try self.axis(node, try integer(node, "axis", default: value), rank: rank)
    }
    func require(_ isApart: Bool) throws { if !isApart { throw mixed(node, place) } }
    switch node.operation {
    case "Cast", "Dropout", "Identity": break
    case "Softmax", "Split", "Gather", "Concat":
      let acted = try axis(default: node.operation == "Softmax" ? -1 : 0)
      try require(acted != place.axis && (node.operation != "Softmax" || model.version >= 13))
      inner.attributes["axis"] = .integer(acted + 1)
      if node.operation == "Gather", acted < place.axis {
        next.axis += try constant(node, 1).shape.count - 1
      }
    case "GatherND":
      let (shape, own) = (try constant(node, 1).shape, place.axis)
      try require(general(node.inputs[0]) != nil && shape.last ?? 0 <= own)
      inner.attributes[Self.ownAxes] = .integer(1)
      next.axis += shape.count - 1 - (shape.last ?? 0)
    case "LayerNormalization":
      let acted = try axis(default: -1)
      try require(acted > place.axis)
      inner.attributes["axis"] = .integer(acted + 1)
    case "Slice":
      let starts = try integers(node, "starts", input: 1) ?? []
      let given = try integers(node, "axes", input: 3) ?? Array(starts.indices)
      let axes = try given.map { try self.axis(node, $0, rank: rank) }
      try require(!axes.contains(place.axis))
      inner.attributes["axes"] = .integers(axes.map { $0 + 1 })
    case _ where Self.reductions[node.operation] != nil && node.operation.hasPrefix("Reduce"):
      let given = try integers(node, "axes", input: 1) ?? []
      let axes = Set(try given.map { try self.axis(node, $0, rank: rank) })
      try require(!axes.isEmpty && !axes.contains(place.axis))
      inner.attributes["axes"] = .integers(axes.sorted().map { $0 + 1 })
      if try integer(node, "keepdims", default: 1) == 0 {
        next.axis -= axes.filter { $0 < place.axis }.count
      }
    case "Gemm": try require(place.axis == 0)
    case "MatMul":
      let isConstant = node.inputs.prefix(2).map { general($0) == nil }
      try require(
        isConstant[1]
          ? place.axis != rank - 1
          : place.axis < rank - 2 || (isConstant[0] && place.axis == rank - 1))
    case _ where Self.functions[node.operation] != nil || Self.logic[node.operation] != nil:
      // A constant must not differ along the batch.
      for (index, name) in node.inputs.enumerated() where general(name) == nil && !name.isEmpty {
        let shape = try value(node, index).shape
        let own = shape.count - rank + place.axis
        try require(own < 0 || shape[own] == 1)
      }
    default: throw mixed(node, place)
    }
    return next
  }
}
