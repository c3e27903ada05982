extension ONNXTracer {
  /// Convolutions, matrix products and learned slopes.
  static let layers: [String: Operator] = [
    "Conv": { try $0.convolution($1) },
    "ConvTranspose": { try $0.transposedConvolution($1) },
    "Gemm": { try $0.gemm($1) },
    "MatMul": { try $0.matrixProduct($1) },
    "PRelu": { try $0.prelu($1) },
  ]

  /// A weight of a layer: values and name.
  func weight(_ node: ONNXNode, _ index: Int) throws -> (ONNXTensor, String?) {
    guard case .constant(let tensor, let name) = try value(node, index) else {
      throw fail(node, "a constant input \(index + 1), a weight", "a computed one")
    }
    return (tensor, name)
  }

  /// Two numbers of an attribute for rows and columns; one for maps of one axis.
  private func pair(_ node: ONNXNode, _ attribute: String, rank: Int, default value: Int) throws
    -> [Int]
  {
    let given = try integers(node, attribute) ?? [Int](repeating: value, count: rank)
    guard given.count == rank, given.allSatisfy({ (0...4096).contains($0) }) else {
      throw fail(node, "\(rank) numbers '\(attribute)' up to 4096", "\(given)")
    }
    return rank == 1 ? [value] + given : given
  }

  /// Sizes of a convolution's maps and kernel that both directions have in common.
  private struct Window {
    /// Axes of a sample [channel, row, column], and whether rows were added.
    var input: [Int]
    let isLine: Bool
    let weight: [Int]
    let strides, dilations: [Int]
    /// Before and behind rows and columns.
    let padding: [[Int]]
    let groups: Int
  }

  /// Pads before all axes, then behind them, as they are written or as `auto_pad` has them: the output of a SAME rule has the input's size over
  /// the stride, an odd pad lies behind (SAME_UPPER) or before (SAME_LOWER).
  func pads(
    _ node: ONNXNode, input: [Int], kernel: [Int], strides: ArraySlice<Int>,
    dilations: ArraySlice<Int>
  ) throws -> [Int] {
    let rule = try text(node, "auto_pad", default: "NOTSET")
    switch rule {
    case "NOTSET", "":
      return try integers(node, "pads") ?? [Int](repeating: 0, count: 2 * input.count)
    case "VALID": return [Int](repeating: 0, count: 2 * input.count)
    case "SAME_UPPER", "SAME_LOWER":
      // onnxruntime has no such rule for dilated windows either.
      guard node.operation != "ConvTranspose", strides.allSatisfy({ $0 > 0 }),
        dilations.allSatisfy({ $0 == 1 })
      else { break }
      let totals = zip(zip(input, kernel), strides).map { sizes, stride in
        let output = (sizes.0 + stride - 1) / stride
        return max(0, (output - 1) * stride + sizes.1 - sizes.0)
      }
      let first = totals.map { rule == "SAME_UPPER" ? $0 / 2 : ($0 + 1) / 2 }
      return first + zip(totals, first).map { $0 - $1 }
    default: break
    }
    throw fail(node, "explicit 'pads'", "auto_pad '\(onScreen(rule))'")
  }

  private func window(_ node: ONNXNode, _ shape: [Int], _ weight: [Int]) throws -> Window {
    let rank = shape.count - 2
    guard rank == 1 || rank == 2, weight.count == rank + 2, weight.allSatisfy({ $0 > 0 }) else {
      throw fail(
        node, "maps [batch, channel, row, column] or [batch, channel, place]",
        "the axes \(shape) and weights \(weight)")
    }
    let isLine = rank == 1
    let strides = try pair(node, "strides", rank: rank, default: 1)
    let dilations = try pair(node, "dilations", rank: rank, default: 1)
    let given = try pads(
      node, input: Array(shape[2...]), kernel: Array(weight[2...]), strides: strides.suffix(rank),
      dilations: dilations.suffix(rank))
    guard given.count == 2 * rank, given.allSatisfy({ (0...4096).contains($0) }),
      (strides + dilations).allSatisfy({ $0 > 0 })
    else { throw fail(node, "strides, dilations and pads", "\(given)") }
    let padding =
      isLine ? [[0, 0], [given[0], given[1]]] : [[given[0], given[2]], [given[1], given[3]]]
    let kernel = isLine ? [1] + weight[2...] : Array(weight[2...])
    return Window(
      input: isLine ? [shape[1], 1, shape[2]] : Array(shape[1...]), isLine: isLine,
      weight: [weight[0], weight[1]] + kernel, strides: isLine ? [1, strides[1]] : strides,
      dilations: isLine ? [1, dilations[1]] : dilations, padding: padding,
      groups: try integer(node, "group", default: 1))
  }

  mutating func convolution(_ node: ONNXNode) throws -> [Value] {
    let (x, shape) = try signal(node, 0)
    let (weight, name) = try weight(node, 1)
    let bias = try optional(node, 2) == nil ? nil : try self.weight(node, 2).0.floats
    let window = try window(node, shape, weight.shape)
    let (inputs, outputs) = (window.input[0], window.weight[0])
    guard window.groups > 0, inputs % window.groups == 0, outputs % window.groups == 0,
      window.weight[1] == inputs / window.groups
    else {
      throw fail(
        node, "weights [outputs, inputs / groups, ...] for \(inputs) channels",
        "\(weight.shape) and \(window.groups) groups")
    }
    let map = x.reshaped(Shape(inputs, window.input[1], window.input[2]))
    let values = [weight.floats] + (bias.map { [$0] } ?? [])
    if let layer = Self.centred(window, bias: bias != nil) {
      let y = try apply(layer, map, name: name, node, values)
      return [try signal(y, window.isLine ? [outputs, shape[2]] : [outputs] + shape[2...])]
    }
    var small = [outputs]
    for axis in 0...1 {
      let reach = window.dilations[axis] * (window.weight[2 + axis] - 1)
      let span = window.input[1 + axis] + window.padding[axis][0] + window.padding[axis][1] - reach
      guard span > 0 else { throw fail(node, "a map larger than the kernel", "\(shape)") }
      small.append((span - 1) / window.strides[axis] + 1)
    }
    _ = try size(small, "node '\(node.label)'")
    let layer = StridedConvolution(
      .init(
        small: small, large: window.input, size: Array(window.weight[2...]),
        strides: window.strides, dilations: window.dilations,
        padding: window.padding.map { $0[0] }, groups: window.groups), bias: bias != nil)
    let y = try apply(layer, map, name: name, node, values)
    return [try signal(y, window.isLine ? [small[0], small[2]] : small)]
  }

  /// The convolution of the library's kernels, which has stride 1, keeps the map and has an odd kernel; nil for another.
  private static func centred(_ window: Window, bias: Bool) -> Convolution? {
    let (rows, columns) = (window.weight[2], window.weight[3])
    guard window.strides == [1, 1], rows % 2 == 1, columns % 2 == 1 else { return nil }
    let dilation = columns > 1 ? window.dilations[1] : window.dilations[0]
    guard rows == 1 || columns == 1 || window.dilations[0] == window.dilations[1] else {
      return nil
    }
    let reach = [dilation * (rows / 2), dilation * (columns / 2)]
    // A kernel that reaches far beyond its map costs memory for zeros.
    guard
      (0...1).allSatisfy({ axis in
        window.padding[axis] == [reach[axis], reach[axis]]
          && reach[axis] <= max(16, window.input[1 + axis])
      })
    else { return nil }
    return Convolution(
      window.input[0], window.weight[0], KernelSize(rows, columns), groups: window.groups,
      dilation: dilation, bias: bias)
  }

  mutating func transposedConvolution(_ node: ONNXNode) throws -> [Value] {
    let (x, shape) = try signal(node, 0)
    let (weight, name) = try weight(node, 1)
    let bias = try optional(node, 2) == nil ? nil : try self.weight(node, 2).0.floats
    let window = try window(node, shape, weight.shape)
    guard node.attributes["output_shape"] == nil, window.groups > 0,
      window.input[0] % window.groups == 0, window.weight[0] == window.input[0]
    else {
      throw fail(
        node,
        "weights [inputs, outputs / groups, ...] for \(window.input[0]) channels, no output_shape",
        "\(weight.shape) and \(window.groups) groups")
    }
    let extra = try pair(node, "output_padding", rank: window.isLine ? 1 : 2, default: 0)
    var large = [window.weight[1] * window.groups]
    for axis in 0...1 {
      let span =
        (window.input[1 + axis] - 1) * window.strides[axis] + extra[axis]
        + window.dilations[axis] * (window.weight[2 + axis] - 1) + 1
      large.append(span - window.padding[axis][0] - window.padding[axis][1])
    }
    guard large.allSatisfy({ $0 > 0 }) else {
      throw fail(node, "an output with values", "padding \(window.padding)")
    }
    _ = try size(large, "node '\(node.label)'")
    let layer = StridedConvolution(
      .init(
        small: window.input, large: large, size: Array(window.weight[2...]),
        strides: window.strides, dilations: window.dilations,
        padding: window.padding.map { $0[0] }, groups: window.groups), isTransposed: true,
      bias: bias != nil)
    let map = x.reshaped(Shape(window.input[0], window.input[1], window.input[2]))
    let y = try apply(
      layer, map, name: name, node, [weight.floats] + (bias.map { [$0] } ?? []))
    return [try signal(y, window.isLine ? [large[0], large[2]] : large)]
  }

  mutating func gemm(_ node: ONNXNode) throws -> [Value] {
    let (x, shape) = try signal(node, 0)
    let (weight, name) = try weight(node, 1)
    guard shape.count >= 2, weight.shape.count == 2,
      try integer(node, "transA", default: 0) == 0
    else { throw fail(node, "a matrix of weights", "the axes \(shape) and \(weight.shape)") }
    let isOutputFirst = try integer(node, "transB", default: 0) != 0
    let (alpha, beta) = (
      try number(node, "alpha", default: 1), try number(node, "beta", default: 1)
    )
    var bias: [Float]?
    if let given = try optional(node, 2) {
      guard case .constant(let tensor, _) = given else {
        throw fail(node, "a constant bias", "a computed one")
      }
      let outputs = weight.shape[isOutputFirst ? 0 : 1]
      let values = tensor.floats.map { beta * $0 }
      bias = values.count == 1 ? [Float](repeating: values[0], count: outputs) : values
    }
    return [
      try dense(
        node, x, shape, weight, isOutputFirst: isOutputFirst, scale: alpha, bias: bias, name: name)
    ]
  }

  /// A fully connected layer on the last axis.
  mutating func dense(
    _ node: ONNXNode, _ x: Signal, _ shape: [Int], _ weight: ONNXTensor, isOutputFirst: Bool,
    scale: Float = 1, bias: [Float]? = nil, name: String?
  ) throws -> Value {
    let (inputs, outputs) = (
      weight.shape[isOutputFirst ? 1 : 0], weight.shape[isOutputFirst ? 0 : 1]
    )
    guard shape.last == inputs, inputs > 0, outputs > 0 else {
      throw fail(node, "weights for \(shape.last ?? 0) values", "\(weight.shape)")
    }
    var values = weight.floats
    if !isOutputFirst {
      let stored = values
      for output in 0..<outputs {
        for input in 0..<inputs {
          values[output * inputs + input] = stored[input * outputs + output]
        }
      }
    }
    if scale != 1 { values = values.map { scale * $0 } }
    let rows = x.reshaped(Shape(1, shape.dropFirst().dropLast().reduce(1, *), inputs))
    let layer = Dense(inputs, outputs, bias: bias != nil)
    let y = try apply(layer, rows, name: name, node, [values] + (bias.map { [$0] } ?? []))
    return try signal(y, shape.dropFirst().dropLast() + [outputs])
  }

  mutating func matrixProduct(_ node: ONNXNode) throws -> [Value] {
    switch (try value(node, 0), try value(node, 1)) {
    case (.signal(let x, let shape), .constant(let weight, let name)):
      guard weight.shape.count == 2, shape.count >= 2 else {
        throw fail(node, "a matrix of weights", "the axes \(shape) and \(weight.shape)")
      }
      return [try dense(node, x, shape, weight, isOutputFirst: false, name: name)]
    case (.constant(let weight, let name), .signal(let x, let shape)):
      // A X = (Xᵀ Aᵀ)ᵀ.
      guard weight.shape.count == 2, shape.count >= 3 else {
        throw fail(node, "a matrix of weights", "the axes \(weight.shape) and \(shape)")
      }
      let swap = Array(0..<shape.count - 2) + [shape.count - 1, shape.count - 2]
      guard case .signal(let turned, let turnedShape) = try transposed(.signal(x, shape), swap)
      else { preconditionFailure("a signal stays one") }
      let product = try dense(
        node, turned, turnedShape, weight, isOutputFirst: true, name: name)
      return [try transposed(product, swap)]
    case (.signal(let a, let left), .signal(let b, let right)):
      return [try signalProduct(node, a, left, b, right)]
    default: throw fail(node, "a computed input", "constants")
    }
  }

  mutating func signalProduct(
    _ node: ONNXNode, _ a: Signal, _ left: [Int], _ b: Signal, _ right: [Int]
  ) throws -> Value {
    guard left.count >= 3, left.count == right.count, left[left.count - 1] == right[right.count - 2]
    else { throw fail(node, "matrices that fit", "the axes \(left) and \(right)") }
    let (rows, inner, columns) = (
      left[left.count - 2], left[left.count - 1], right[right.count - 1]
    )
    let (outerLeft, outerRight) = (
      Array(left[1..<left.count - 2]), Array(right[1..<right.count - 2])
    )
    let (outer, places) = try broadcast(node, outerLeft, outerRight)
    let count = outer.reduce(1, *)
    _ = try size([count, rows, columns], "node '\(node.label)'")
    let axes = outer + [rows, columns]
    let product = SignalProduct(
      rows: rows, inner: inner, columns: columns,
      first: (0..<count).map {
        (
          Int(places.0?[$0] ?? Int32($0)) * rows * inner,
          Int(places.1?[$0] ?? Int32($0)) * inner * columns
        )
      }, shape: try Self.shape(axes))
    return try signal(a.applying(product, [b]), axes)
  }

  mutating func prelu(_ node: ONNXNode) throws -> [Value] {
    let (x, shape) = try signal(node, 0)
    let (slopes, name) = try weight(node, 1)
    let axes = Array(shape.dropFirst())
    // Slopes lie along axes of the sample, or there is one.
    let aligned =
      [Int](repeating: 1, count: max(0, shape.count - slopes.shape.count)) + slopes.shape
    let wide = aligned.indices.filter { aligned[$0] > 1 }
    guard aligned.count == shape.count,
      wide.allSatisfy({ $0 > 0 && aligned[$0] == shape[$0] })
    else {
      throw fail(node, "slopes along some of the axes \(shape)", "slopes \(slopes.shape)")
    }
    guard let axis = wide.first else {
      let plane = x.reshaped(Shape(1, x.shape.channels * x.shape.height, x.shape.width))
      let y = try apply(PReLU(1), plane, name: name, node, [slopes.floats])
      return [try signal(y, axes)]
    }
    guard wide.count == 1, shape[1..<axis].allSatisfy({ $0 == 1 }) else {
      // max(x, 0) + a min(x, 0).
      let below = try applied(Clip(-Float.greatestFiniteMagnitude...0), try value(node, 0))
      let scaled = try arithmetic(node, .multiply, below, try value(node, 1))
      let above = try applied(LeakyReLU(slope: 0), try value(node, 0))
      return [try arithmetic(node, .add, above, scaled)]
    }
    let map = x.reshaped(
      axes.count == 3 && axis == 1
        ? Shape(axes[0], axes[1], axes[2])
        : Shape(shape[axis], 1, shape[(axis + 1)...].reduce(1, *)))
    return [try signal(try apply(PReLU(shape[axis]), map, name: name, node, [slopes.floats]), axes)]
  }
}
