extension ONNXTracer {
  /// What moves values and computes none.
  static let placements: [String: Operator] = [
    "Concat": { try $0.concatenation($1) },
    "DepthToSpace": { try $0.depthToSpace($1) },
    "Expand": { try $0.expanded($1) },
    "Gather": { try $0.gathered($1) },
    "GatherND": { try $0.gatheredPoints($1) },
    "Pad": { try $0.padded($1) },
    "Slice": { try $0.sliced($1) },
    "SpaceToDepth": { try $0.spaceToDepth($1) },
    "Split": { try $0.split($1) },
    "Tile": { try $0.tiled($1) },
    "Transpose": { try $0.transposeNode($1) },
  ]

  /// Values at other places; those of a signal within the sample.
  ///
  /// - Parameters:
  ///   - axes: of the result; for a signal without the batch.
  ///   - places: in the sample, or in the constant.
  func picked(
    _ input: Value, _ axes: [Int], _ places: [Int32], fill: Float = 0, _ summary: String
  ) throws -> Value {
    switch input {
    case .constant(let tensor, _):
      return .constant(tensor.picked(axes, places, fill: fill), name: nil)
    case .signal(let x, _):
      guard axes.allSatisfy({ $0 > 0 }) else {
        throw fail("axes with values", "the axes \(axes)", hint: nil)
      }
      let isSame = places.count == x.shape.count && places.indices.allSatisfy { places[$0] == $0 }
      if isSame { return try signal(x, axes) }
      let map = IndexMap(places, shape: try Self.shape(axes), fill: fill, summary: summary)
      return try signal(x.applying(map), axes)
    }
  }

  /// The axes that places refer to: of the sample, or of the constant; and the axis of the file that comes first.
  private func own(_ input: Value) -> (axes: [Int], first: Int) {
    switch input {
    case .constant(let tensor, _): (tensor.shape, 0)
    case .signal(_, let shape): (Array(shape.dropFirst()), 1)
    }
  }

  /// An axis of the file among ``own(_:)``.
  private func ownAxis(_ node: ONNXNode, _ axis: Int, _ input: Value) throws -> Int {
    if case .signal(_, let shape) = input { return try sampleAxis(node, axis, shape) - 1 }
    return try self.axis(node, axis, rank: input.shape.count)
  }

  /// Axes in another order, which for a signal keeps the batch first.
  func transposed(_ input: Value, _ order: [Int]) throws -> Value {
    let (axes, first) = own(input)
    let order = order.dropFirst(first).map { $0 - first }
    let strides = IndexMap.strides(axes)
    let shape = order.map { axes[$0] }
    let places = IndexMap.places(shape, strides: order.map { strides[$0] })
    return try picked(input, shape, places, "transpose to \(shape)")
  }

  private mutating func transposeNode(_ node: ONNXNode) throws -> [Value] {
    let rank = try fileShape(node, 0).count
    let order = try integers(node, "perm") ?? Array((0..<rank).reversed())
    guard order.sorted() == Array(0..<rank) else {
      throw fail(node, "an order of \(rank) axes", "\(order)")
    }
    return [try turned(node, order)]
  }

  /// Part of a value along one axis.
  private func part(
    _ input: Value, axis: Int, first: Int, count: Int, step: Int = 1, _ summary: String
  ) throws -> Value {
    var (axes, strides) = (own(input).axes, IndexMap.strides(own(input).axes))
    let offset = count > 0 ? first * strides[axis] : 0
    axes[axis] = count
    strides[axis] *= step
    return try picked(
      input, axes, IndexMap.places(axes, strides: strides, offset: offset), summary)
  }

  private func split(_ node: ONNXNode) throws -> [Value] {
    let input = try value(node, 0)
    let axis = try ownAxis(node, try integer(node, "axis", default: 0), input)
    let size = own(input).axes[axis]
    let count = max(1, node.outputs.count)
    let whole = (size + count - 1) / count
    let sizes =
      try integers(node, "split", input: 1)
      ?? (0..<count).map { max(0, min(whole, size - $0 * whole)) }
    guard sizes.allSatisfy({ $0 > 0 && $0 <= size }), sizes.reduce(0, +) == size else {
      throw fail(node, "parts of \(size)", "\(sizes)")
    }
    var first = 0
    return try sizes.map { count in
      defer { first += count }
      return try part(input, axis: axis, first: first, count: count, "part of a split")
    }
  }

  private func sliced(_ node: ONNXNode) throws -> [Value] {
    var result = try value(node, 0)
    guard let starts = try integers(node, "starts", input: 1),
      let ends = try integers(node, "ends", input: 2)
    else { throw fail(node, "starts and ends", "none") }
    let axes = try integers(node, "axes", input: 3) ?? Array(starts.indices)
    let steps = try integers(node, "steps", input: 4) ?? [Int](repeating: 1, count: starts.count)
    guard ends.count == starts.count, axes.count == starts.count, steps.count == starts.count,
      axes.count <= 8
    else { throw fail(node, "as many starts as ends, axes and steps", "\(starts) and \(ends)") }
    for index in starts.indices {
      let (step, shape) = (steps[index], result.shape)
      let place = try axis(node, axes[index], rank: shape.count)
      let size = shape[place]
      guard step != 0, step.magnitude < 1 << 31 else { throw fail(node, "steps", "\(steps)") }
      func bound(_ value: Int, _ low: Int, _ high: Int) -> Int {
        min(max(value < 0 ? value &+ size : value, low), high)
      }
      let first = step > 0 ? bound(starts[index], 0, size) : bound(starts[index], 0, size - 1)
      // The end before the first value is written as a number far below 0.
      let last = step > 0 ? bound(ends[index], 0, size) : bound(ends[index], -1, size - 1)
      let count = max(
        0, step > 0 ? (last - first + step - 1) / step : (first - last - step - 1) / -step)
      if first == 0, count == size, step == 1 { continue }
      result = try part(
        result, axis: try ownAxis(node, place, result), first: first, count: count, step: step,
        "slice")
    }
    return [result]
  }

  private func gathered(_ node: ONNXNode) throws -> [Value] {
    let input = try value(node, 0)
    let axis = try ownAxis(node, try integer(node, "axis", default: 0), input)
    let picks = try constant(node, 1)
    let axes = own(input).axes
    guard let given = picks.integers, given.allSatisfy({ $0 >= -axes[axis] && $0 < axes[axis] })
    else {
      throw fail(node, "places along an axis of \(axes[axis])", "others")
    }
    return [
      try taken(
        input, axis, given.map { $0 < 0 ? $0 + axes[axis] : $0 }, as: picks.shape, "gather")
    ]
  }

  /// Values at known places of the first axes, which are put together. Of a signal whose batch is the first axis these would be samples;
  /// where the batch has moved, they are its own axes.
  private func gatheredPoints(_ node: ONNXNode) throws -> [Value] {
    let input = try value(node, 0)
    let indices = try constant(node, 1)
    let (axes, depth) = (own(input).axes, indices.shape.last ?? 0)
    var isApart = true
    if case .signal = input { isApart = try integer(node, Self.ownAxes, default: 0) != 0 }
    guard isApart, try integer(node, "batch_dims", default: 0) == 0,
      depth > 0, depth <= axes.count,
      let given = indices.integers
    else {
      throw fail(node, "samples that stay apart", "the axes \(input.shape) and \(indices.shape)")
    }
    let picks = try (0..<given.count / depth).map { point in
      try (0..<depth).reduce(0) { place, axis in
        let index = given[point * depth + axis]
        guard (-axes[axis]..<axes[axis]).contains(index) else {
          throw fail(node, "places along an axis of \(axes[axis])", "\(index)")
        }
        return place * axes[axis] + (index < 0 ? index + axes[axis] : index)
      }
    }
    let joined = [axes[..<depth].reduce(1, *)] + axes[depth...]
    let flat: Value =
      switch input {
      case .constant(let tensor, _): .constant(tensor.reshaped(joined), name: nil)
      case .signal(let x, _): try signal(x, joined)
      }
    return [try taken(flat, 0, picks, as: Array(indices.shape.dropLast()), "gather")]
  }

  /// Values at places of one axis of the sample, or of the constant; the places have axes of their own in its stead.
  func taken(
    _ input: Value, _ axis: Int, _ picks: [Int], as shape: [Int]? = nil, _ summary: String
  ) throws -> Value {
    let axes = own(input).axes
    let (outer, inner) = (axes[..<axis].reduce(1, *), axes[(axis + 1)...].reduce(1, *))
    let result = axes[..<axis] + (shape ?? [picks.count]) + axes[(axis + 1)...]
    _ = try size(result, summary)
    let places = (0..<outer).flatMap { o in
      picks.flatMap { pick in
        let start = (o * axes[axis] + pick) * inner
        return (start..<start + inner).map { Int32($0) }
      }
    }
    var isSignal = false
    if case .signal = input { isSignal = true }
    return try picked(input, result.isEmpty && isSignal ? [1] : Array(result), places, summary)
  }

  private func expanded(_ node: ONNXNode) throws -> [Value] {
    let input = try value(node, 0)
    guard var wanted = try constant(node, 1).integers else {
      throw fail(node, "a shape", "other numbers")
    }
    var isSignal = false
    if case .signal = input { isSignal = true }
    // A constant for an open batch stays one row, which all samples share.
    if !isSignal { wanted = wanted.map { $0 == batch && batch == Self.openBatch ? 1 : $0 } }
    let (result, places) = try broadcast(node, input.shape, wanted)
    guard case .signal(_, let shape) = input else {
      if result == input.shape { return [input] }
      return [
        try picked(
          input, result, places.0 ?? (0..<Int32(result.reduce(1, *))).map { $0 }, "expand")
      ]
    }
    guard result.count == shape.count, result[0] == batch else {
      throw fail(node, "samples that stay apart", "the axes \(result)")
    }
    let (axes, inner) = try broadcast(node, Array(shape.dropFirst()), Array(result.dropFirst()))
    guard let places = inner.0 else { return [input] }
    return [try picked(input, axes, places, "expand to \(axes)")]
  }

  private func tiled(_ node: ONNXNode) throws -> [Value] {
    let input = try value(node, 0)
    guard let repeats = try constant(node, 1).integers, repeats.count == input.shape.count,
      repeats.allSatisfy({ $0 > 0 })
    else { throw fail(node, "how often each axis repeats", "other numbers") }
    let (axes, first) = own(input)
    guard repeats.prefix(first).allSatisfy({ $0 == 1 }) else {
      throw fail(node, "samples that stay apart", "the repeats \(repeats)")
    }
    var places = [Int32(0)]
    var sizes: [Int] = []
    for (size, count) in zip(axes, repeats.dropFirst(first)) {
      let (length, overflows) = size.multipliedReportingOverflow(by: count)
      guard !overflows else { throw fail(node, "axes of some length", "\(repeats)") }
      sizes.append(length)
      _ = try self.size(sizes, "node '\(node.label)'")
      places = places.flatMap { outer in
        (0..<length).map { outer * Int32(size) + Int32($0 % size) }
      }
    }
    return [try picked(input, sizes, places, "repeat to \(sizes)")]
  }

  private func padded(_ node: ONNXNode) throws -> [Value] {
    let (x, shape) = try signal(node, 0)
    let mode = try text(node, "mode", default: "constant")
    guard let pads = try integers(node, "pads", input: 1) else { throw fail(node, "pads", "none") }
    var amounts = [[Int]](repeating: [0, 0], count: shape.count)
    let axes = try integers(node, "axes", input: 3) ?? Array(shape.indices)
    guard pads.count == 2 * axes.count, pads.allSatisfy({ $0.magnitude <= 1 << 20 }) else {
      throw fail(node, "two pads for each axis", "\(pads)")
    }
    for (index, given) in axes.enumerated() {
      amounts[try axis(node, given, rank: shape.count)] = [pads[index], pads[axes.count + index]]
    }
    var fill = try number(node, "value", default: 0)
    if try optional(node, 2) != nil { fill = try constant(node, 2).floats.first ?? 0 }
    guard amounts[0] == [0, 0], ["constant", "reflect", "edge", "wrap"].contains(mode) else {
      throw fail(
        node, "constant, reflect, edge or wrap within the sample", "mode '\(mode)', pads \(pads)")
    }
    // Places axis by axis; -1 stays what it is.
    var (sizes, places) = ([Int](), [Int32(0)])
    for (size, amount) in zip(shape, amounts).dropFirst() {
      let length = size + amount[0] + amount[1]
      guard length > 0, mode != "reflect" || amount.allSatisfy({ $0 < size }) else {
        throw fail(node, "pads below the size of an axis", "\(pads)")
      }
      sizes.append(length)
      _ = try self.size(sizes, "node '\(node.label)'")
      let line = (0..<length).map { position -> Int32 in
        let source = position - amount[0]
        if (0..<size).contains(source) { return Int32(source) }
        switch mode {
        case "edge": return Int32(source < 0 ? 0 : size - 1)
        case "wrap": return Int32((source % size + size) % size)
        case "reflect": return Int32(source < 0 ? -source : 2 * size - 2 - source)
        default: return -1
        }
      }
      places = places.flatMap { outer in
        line.map { outer < 0 || $0 < 0 ? -1 : outer * Int32(size) + $0 }
      }
    }
    return [try picked(.signal(x, shape), sizes, places, fill: fill, "pad to \(sizes)")]
  }

  private mutating func concatenation(_ node: ONNXNode) throws -> [Value] {
    let inputs = try node.inputs.indices.map { try value(node, $0) }
    guard let first = inputs.first else { throw fail(node, "inputs", "none") }
    let constants = inputs.compactMap { input -> ONNXTensor? in
      if case .constant(let tensor, _) = input { tensor } else { nil }
    }
    let axis = try ownAxis(
      node, try integer(node, "axis", default: 0),
      inputs.first {
        if case .signal = $0 { true } else { false }
      } ?? first)
    if constants.count == inputs.count {
      return [.constant(try concatenated(node, constants, axis), name: nil)]
    }
    var parts: [Value] = []
    for input in inputs { parts.append(try computed(node, input, inputs)) }
    return [try concatenated(node, parts, axis)]
  }

  /// Constants one after another.
  private func concatenated(_ node: ONNXNode, _ tensors: [ONNXTensor], _ axis: Int) throws
    -> ONNXTensor
  {
    var shape = tensors[0].shape
    guard
      tensors.allSatisfy({ tensor in
        tensor.shape.count == shape.count
          && shape.indices.allSatisfy { $0 == axis || tensor.shape[$0] == shape[$0] }
      })
    else { throw fail(node, "equal axes but for one", "\(tensors.map(\.shape))") }
    shape[axis] = tensors.reduce(0) { $0 + $1.shape[axis] }
    let outer = shape[..<axis].reduce(1, *)
    func joined<T>(_ values: [[T]]) -> [T] {
      (0..<outer).flatMap { row in
        values.flatMap { $0[row * ($0.count / outer)..<(row + 1) * ($0.count / outer)] }
      }
    }
    guard outer > 0 else { return ONNXTensor(shape, floats: []) }
    let integers = tensors.compactMap(\.integers)
    return integers.count == tensors.count
      ? ONNXTensor(shape, integers: joined(integers))
      : ONNXTensor(shape, floats: joined(tensors.map(\.floats)))
  }

  /// A constant beside signals, such as a learned token, for every sample; a signal as it is.
  mutating func computed(_ node: ONNXNode, _ input: Value, _ others: [Value]) throws
    -> Value
  {
    guard case .constant(let tensor, let name) = input else { return input }
    let axes = tensor.shape
    let count = axes.dropFirst().reduce(1, *)
    let values = tensor.floats
    // As many rows as the batch, or one: all alike.
    guard let signal = others.first(where: { if case .signal = $0 { true } else { false } }),
      axes.count > 1, count > 0, axes[0] == 1 || axes[0] == batch,
      values.indices.allSatisfy({ values[$0].bitPattern == values[$0 % count].bitPattern })
    else { throw fail(node, "a constant that is the same for all samples", "one of \(axes)") }
    let row = ONNXTensor([1] + axes.dropFirst(), floats: Array(values[..<count]))
    let zeros = try picked(
      signal, Array(axes.dropFirst()), [Int32](repeating: -1, count: count), "zeros")
    return try arithmetic(
      node, .add, zeros, .constant(row, name: axes[0] == 1 ? name : nil))
  }

  /// Signals along an axis of the sample: channels directly, other axes by way of the first.
  private func concatenated(_ node: ONNXNode, _ inputs: [Value], _ axis: Int) throws -> Value {
    let signals = inputs.map { input -> (Signal, [Int]) in
      guard case .signal(let x, let shape) = input else {
        preconditionFailure("constants have been made signals")
      }
      return (x, shape)
    }
    let axes = Array(signals[0].1.dropFirst())
    for (_, shape) in signals {
      var other = Array(shape.dropFirst())
      guard other.count == axes.count else { throw fail(node, "equal axes", "\(axes), \(other)") }
      other[axis] = axes[axis]
      guard other == axes else { throw fail(node, "equal axes but for one", "\(axes), \(other)") }
    }
    var sizes = axes
    sizes[axis] = signals.reduce(0) { $0 + $1.1[axis + 1] }
    let (outer, inner) = (axes[..<axis].reduce(1, *), axes[(axis + 1)...].reduce(1, *))
    // Along the channels of maps as they are; otherwise as planes of one row.
    let isChannels = axis == 0 && axes.count == 3
    let front = [axis] + axes.indices.filter { $0 != axis }
    let parts = try signals.map { x, shape -> Signal in
      let size = shape[axis + 1]
      if isChannels { return x.reshaped(Shape(size, axes[1], axes[2])) }
      var turned = Value.signal(x, shape)
      if outer > 1 { turned = try transposed(turned, [0] + front.map { $0 + 1 }) }
      guard case .signal(let y, _) = turned else { preconditionFailure("a signal stays one") }
      return y.reshaped(Shape(size, 1, outer * inner))
    }
    let height = isChannels ? axes[1] : 1
    let width = isChannels ? axes[2] : outer * inner
    let joined = parts[0].applying(
      .concatenate, Array(parts.dropFirst()), shape: Shape(sizes[axis], height, width))
    guard outer > 1 else { return try signal(joined, sizes) }
    let turned = try signal(joined, front.map { sizes[$0] })
    let back = sizes.indices.map { place in front.firstIndex(of: place)! + 1 }
    return try transposed(turned, [0] + back)
  }

  // MARK: blocks

  private func depthToSpace(_ node: ONNXNode) throws -> [Value] {
    let (x, shape) = try signal(node, 0)
    let block = try integer(node, "blocksize", default: 1)
    let isColumnFirst = try text(node, "mode", default: "DCR") == "CRD"
    guard shape.count == 4, (1...64).contains(block), shape[1] % (block * block) == 0 else {
      throw fail(node, "channels in blocks of \(block)", "the axes \(shape)")
    }
    let (channels, rows, columns) = (shape[1] / (block * block), shape[2], shape[3])
    let split =
      isColumnFirst
      ? [channels, block, block, rows, columns] : [block, block, channels, rows, columns]
    let order = isColumnFirst ? [0, 1, 4, 2, 5, 3] : [0, 3, 4, 1, 5, 2]
    guard case .signal(let y, _) = try transposed(try signal(x, split), order) else {
      preconditionFailure("a signal stays one")
    }
    return [try signal(y, [channels, rows * block, columns * block])]
  }

  private func spaceToDepth(_ node: ONNXNode) throws -> [Value] {
    let (x, shape) = try signal(node, 0)
    let block = try integer(node, "blocksize", default: 1)
    guard shape.count == 4, (1...4096).contains(block), shape[2] % block == 0, shape[3] % block == 0
    else { throw fail(node, "rows and columns in blocks of \(block)", "the axes \(shape)") }
    let (rows, columns) = (shape[2] / block, shape[3] / block)
    let split = try signal(x, [shape[1], rows, block, columns, block])
    guard case .signal(let y, _) = try transposed(split, [0, 3, 5, 1, 2, 4]) else {
      preconditionFailure("a signal stays one")
    }
    return [try signal(y, [shape[1] * block * block, rows, columns])]
  }
}
