/// Values brought to a mean and a variance.
extension ONNXTracer {
  /// Normalisations with their scales and shifts.
  static let normalizations: [String: Operator] = [
    "BatchNormalization": { try $0.batchNormalization($1) },
    "GroupNormalization": { try $0.groupNormalization($1) },
    "InstanceNormalization": { try $0.instanceNormalization($1) },
    "LayerNormalization": { try $0.layerNormalization($1) },
  ]

  private mutating func batchNormalization(_ node: ONNXNode) throws -> [Value] {
    let (x, shape) = try signal(node, 0)
    guard try integer(node, "training_mode", default: 0) == 0, node.outputs.count == 1 else {
      throw fail(node, "a network in its evaluation mode", "batch statistics")
    }
    let channels = shape.count > 1 ? shape[1] : 0
    let (_, name) = try weight(node, 1)
    let values = try (1...4).map { try weight(node, $0).0.floats }
    guard values.allSatisfy({ $0.count == channels }) else {
      throw fail(node, "\(channels) values of each weight", "\(values.map(\.count))")
    }
    let epsilon = Double(try number(node, "epsilon", default: 1e-5))
    let map = x.reshaped(Self.planes(shape))
    if isLoneConvolution(node.inputs[0], x), map.shape == x.shape {
      let momentum = 1 - Double(try number(node, "momentum", default: 0.9))
      let layer = BatchNorm(channels, .init(epsilon: epsilon, momentum: momentum))
      return [try signal(try apply(layer, x, name: name, node, values), Array(shape.dropFirst()))]
    }
    let layer = FrozenNormalization(channels, epsilon: epsilon)
    return [try signal(try apply(layer, map, name: name, node, values), Array(shape.dropFirst()))]
  }

  /// The axes of a signal as [channel, 1, all others], or as they are if there are three.
  private static func planes(_ shape: [Int]) -> Shape {
    shape.count == 4
      ? Shape(shape[1], shape[2], shape[3])
      : Shape(shape[1], 1, shape.dropFirst(2).reduce(1, *))
  }

  private mutating func layerNormalization(_ node: ONNXNode) throws -> [Value] {
    let (x, shape) = try signal(node, 0)
    let first = try sampleAxis(node, try integer(node, "axis", default: -1), shape)
    let count = shape[first...].reduce(1, *)
    let (scale, name) = try weight(node, 1)
    let shift =
      try optional(node, 2) == nil
      ? [Float](repeating: 0, count: count) : try weight(node, 2).0.floats
    let epsilon = Double(try number(node, "epsilon", default: 1e-5))
    let rows = x.reshaped(Shape(1, shape[1..<first].reduce(1, *), count))
    let layer = LayerNorm(count, epsilon: epsilon)
    let y = try apply(layer, rows, name: name, node, [scale.floats, shift])
    return [try signal(y, Array(shape.dropFirst()))]
  }

  /// Normalisation of each plane, then scale and shift of its channel.
  private mutating func instanceNormalization(_ node: ONNXNode) throws -> [Value] {
    let (x, shape) = try signal(node, 0)
    guard shape.count > 2 else { throw fail(node, "planes of channels", "the axes \(shape)") }
    return [try grouped(node, x, shape, groups: shape[1])]
  }

  /// Normalisation of channels in groups, then scale and shift of each channel; of each group in the first version of the operator.
  private mutating func groupNormalization(_ node: ONNXNode) throws -> [Value] {
    let (x, shape) = try signal(node, 0)
    let groups = try integer(node, "num_groups", default: 0)
    guard shape.count > 2, groups > 0, shape[1] % groups == 0 else {
      throw fail(node, "channels in groups", "the axes \(shape) and \(groups) groups")
    }
    return [try grouped(node, x, shape, groups: groups)]
  }

  private mutating func grouped(
    _ node: ONNXNode, _ x: Signal, _ shape: [Int], groups: Int
  ) throws -> Value {
    let (channels, plane) = (shape[1], shape.dropFirst(2).reduce(1, *))
    let (_, name) = try weight(node, 1)
    let values = try (1...2).map { index -> [Float] in
      let given = try weight(node, index).0.floats
      guard given.count == channels || given.count == groups else {
        throw fail(node, "\(channels) scales and shifts", "\(given.count)")
      }
      return given.count == channels
        ? given : (0..<channels).map { given[$0 / (channels / groups)] }
    }
    let epsilon = Double(try number(node, "epsilon", default: 1e-5))
    let rows = x.reshaped(Shape(1, groups, channels / groups * plane))
    let normal = Standardization(epsilon: epsilon)(rows)
    let layer = FrozenNormalization(channels, epsilon: 0)
    let y = try apply(
      layer, normal.reshaped(Shape(channels, 1, plane)), name: name, node,
      values + [
        [Float](repeating: 0, count: channels), [Float](repeating: 1, count: channels),
      ])
    return try signal(y, Array(shape.dropFirst()))
  }
}
