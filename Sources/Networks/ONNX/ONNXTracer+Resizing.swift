import Parts

/// Maps of other sizes.
extension ONNXTracer {
  /// Interpolation between the values of maps.
  static let resizing: [String: Operator] = [
    "Resize": { try $0.resized($1) },
    "Upsample": { try $0.resized($1) },
  ]

  /// How a place of the result is brought to the input: its formula in the operator's description, by name.
  private enum Coordinates: String, Choice {
    case half_pixel
    case pytorch_half_pixel
    case align_corners
    case asymmetric

    /// A place of the input, between its values, for place `i` of the result.
    func place(_ i: Int, scale: Double, input: Int, output: Int) -> Double {
      switch self {
      case .half_pixel: (Double(i) + 0.5) / scale - 0.5
      case .pytorch_half_pixel: output > 1 ? (Double(i) + 0.5) / scale - 0.5 : 0
      case .align_corners: output > 1 ? Double(i * (input - 1)) / Double(output - 1) : 0
      case .asymmetric: Double(i) / scale
      }
    }
  }

  /// Which of two values is nearest.
  private enum Rounding: String, Choice {
    case round_prefer_floor
    case round_prefer_ceil
    case floor
    case ceil

    func callAsFunction(_ place: Double) -> Double {
      switch self {
      case .round_prefer_floor: (place - 0.5).rounded(.up)
      case .round_prefer_ceil: (place + 0.5).rounded(.down)
      case .floor: place.rounded(.down)
      case .ceil: place.rounded(.up)
      }
    }
  }

  /// An attribute that is one of several names.
  private func choice<Names: Choice>(_ node: ONNXNode, _ attribute: String, default value: Names)
    throws -> Names
  {
    let name = try text(node, attribute, default: value.rawValue)
    guard let choice = Names(rawValue: name) else {
      let names = Names.allCases.map(\.rawValue).joined(separator: ", ")
      throw fail(node, "\(attribute) \(names)", "\(attribute) '\(onScreen(name))'")
    }
    return choice
  }

  /// Axis after axis: nearest values, or straight lines between two.
  private mutating func resized(_ node: ONNXNode) throws -> [Value] {
    let (_, shape) = try signal(node, 0)
    let (sizes, scales) = try resizedAxes(node, shape)
    let isOld = node.operation == "Upsample" || model.version < 11
    let coordinates = try choice(
      node, "coordinate_transformation_mode",
      default: isOld ? Coordinates.asymmetric : .half_pixel)
    let mode = try text(node, "mode", default: "nearest")
    guard mode == "nearest" || mode == "linear" || mode == "bilinear",
      try integer(node, "antialias", default: 0) == 0,
      ["stretch", ""].contains(
        try text(node, "keep_aspect_ratio_policy", default: "stretch"))
    else {
      throw fail(
        node, "nearest values or lines between two, of sizes as they are",
        "mode '\(onScreen(mode))'")
    }
    let rounding = try choice(
      node, "nearest_mode", default: isOld ? Rounding.floor : .round_prefer_floor)
    var result = try value(node, 0)
    for axis in shape.indices.dropFirst() where sizes[axis] != shape[axis] || scales[axis] != 1 {
      let places = (0..<sizes[axis]).map {
        coordinates.place($0, scale: scales[axis], input: shape[axis], output: sizes[axis])
      }
      let last = Double(shape[axis] - 1)
      func picked(_ places: [Double]) throws -> Value {
        try taken(result, axis - 1, places.map { Int(min(max($0, 0), last)) }, "resize")
      }
      if mode == "nearest" {
        result = try picked(places.map { rounding($0) })
        continue
      }
      // Beyond the edges stands their value.
      let inside = places.map { min(max($0, 0), last) }
      let low = try picked(inside.map { $0.rounded(.down) })
      let high = try picked(inside.map { $0.rounded(.down) + 1 })
      let rest = ONNXTensor(
        [sizes[axis]] + [Int](repeating: 1, count: shape.count - axis - 1),
        floats: inside.map { Float($0 - $0.rounded(.down)) })
      let step = try arithmetic(node, .subtract, high, low)
      let part = try arithmetic(node, .multiply, step, .constant(rest, name: nil))
      result = try arithmetic(node, .add, low, part)
    }
    return [result]
  }

  /// Sizes and scales of all axes of the file, from one of which the other follows.
  private func resizedAxes(_ node: ONNXNode, _ shape: [Int]) throws -> ([Int], [Double]) {
    let rank = shape.count
    let axes = try integers(node, "axes") ?? Array(0..<rank)
    let isFirst = node.operation == "Upsample" || model.version < 11
    func number(_ index: Int) throws -> [Double]? {
      guard try optional(node, index) != nil else { return nil }
      let values = try constant(node, index).floats
      return values.isEmpty ? nil : values.map { Double($0) }
    }
    var (sizes, scales) = (shape, [Double](repeating: 1, count: rank))
    let given = try isFirst ? number(1) : number(2)
    let lengths = try isFirst ? nil : number(3)
    guard let values = given ?? lengths, values.count == axes.count,
      values.allSatisfy({ $0 > 0 && $0 < 0x1p24 })
    else { throw fail(node, "a scale or a size for each of \(rank) axes", "others") }
    for (value, named) in zip(values, axes) {
      let axis = try self.axis(node, named, rank: rank)
      if given != nil {
        scales[axis] = value
        sizes[axis] = axis == 0 ? batch : Int((Double(shape[axis]) * value).rounded(.down))
      } else {
        sizes[axis] = Int(value)
        scales[axis] = value / Double(shape[axis])
      }
    }
    guard sizes[0] == shape[0], scales[0] == 1, sizes.allSatisfy({ $0 > 0 }) else {
      throw fail(node, "samples that stay apart, of some size", "the sizes \(sizes)")
    }
    _ = try size(sizes.dropFirst(), "node '\(node.label)'")
    return (sizes, scales)
  }
}
