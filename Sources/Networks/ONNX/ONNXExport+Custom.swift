extension ValueFunction: ONNXExpressible {
  public func write(_ inputs: [ONNXValue], to graph: inout ONNXGraphWriter) throws(NetworkError)
    -> String
  {
    guard let expression else { throw .notInONNX(summary) }
    return expression(inputs[0].name, &graph)
  }
}

extension GELU: ONNXExpressible {
  public func write(_ inputs: [ONNXValue], to graph: inout ONNXGraphWriter) -> String {
    let x = inputs[0].name
    let error = graph.node("Erf", [graph.scaled(x, by: Float(0.5).squareRoot())])
    let distribution = graph.node("Add", [error, graph.constant([], [1])])
    return graph.scaled(graph.node("Mul", [x, distribution]), by: 0.5)
  }
}

extension Softmax: ONNXExpressible {
  public func write(_ inputs: [ONNXValue], to graph: inout ONNXGraphWriter) -> String {
    graph.node("Softmax", [inputs[0].name], ["axis": .integer(-1)])
  }
}

extension RowReduction: ONNXExpressible {
  public func write(_ inputs: [ONNXValue], to graph: inout ONNXGraphWriter) -> String {
    let rows = inputs[0].shape.count / count
    let x = graph.reshaped(inputs[0].name, [rows, count])
    let result: String
    if kind == .sum {
      result = graph.node("ReduceSum", [x, graph.integers([2])], ["keepdims": .integer(0)])
    } else {
      let operations: [Kind: String] = [
        .mean: "ReduceMean", .maximum: "ReduceMax", .minimum: "ReduceMin",
        .energy: "ReduceSumSquare", .norm: "ReduceL2", .magnitudes: "ReduceL1",
      ]
      result = graph.node(
        operations[kind]!, [x], ["axes": .integers([2]), "keepdims": .integer(0)])
    }
    return graph.reshaped(result, [1, 1, rows])
  }
}

extension FrozenNormalization: ONNXExpressible {
  public func write(_ inputs: [ONNXValue], to graph: inout ONNXGraphWriter) -> String {
    let parts = [gamma, beta, mean, variance].map { graph.parameter($0, [gamma.count]) }
    return graph.node(
      "BatchNormalization", [inputs[0].name] + parts, ["epsilon": .number(epsilon)])
  }
}

extension TanhRange: ONNXExpressible {
  /// By `(tanh z + 1) / 2 = 1 / (1 + exp(-2 z))`.
  public func write(_ inputs: [ONNXValue], to graph: inout ONNXGraphWriter) -> String {
    let shape = [scale.count, 1, 1]
    let product = graph.node("Mul", [inputs[0].name, graph.parameter(scale, shape)])
    let sum = graph.node("Add", [product, graph.parameter(shift, shape)])
    return graph.node("Sigmoid", [graph.scaled(sum, by: 2)])
  }
}

extension Clip: ONNXExpressible {
  public func write(_ inputs: [ONNXValue], to graph: inout ONNXGraphWriter) -> String {
    let bounds = [range.lowerBound, range.upperBound].map {
      $0.magnitude == .greatestFiniteMagnitude ? "" : graph.constant([], [$0])
    }
    return graph.node("Clip", [inputs[0].name] + (bounds[1].isEmpty ? [bounds[0]] : bounds))
  }
}

extension Standardization: ONNXExpressible {
  public func write(_ inputs: [ONNXValue], to graph: inout ONNXGraphWriter) -> String {
    let count = inputs[0].shape.width
    let ones = graph.constant([count], [Float](repeating: 1, count: count))
    return graph.node(
      "LayerNormalization", [inputs[0].name, ones],
      ["axis": .integer(-1), "epsilon": .number(Float(epsilon))])
  }
}

extension ChannelShuffle: ONNXExpressible {
  public func write(_ inputs: [ONNXValue], to graph: inout ONNXGraphWriter) -> String {
    let shape = inputs[0].shape
    let split = graph.reshaped(
      inputs[0].name, [groups, shape.channels / groups, shape.plane])
    let turned = graph.node("Transpose", [split], ["perm": .integers([0, 2, 1, 3])])
    return graph.reshaped(turned, to: shape)
  }
}

extension IndexMap: ONNXExpressible {
  /// The constant stands behind the values.
  public func write(_ inputs: [ONNXValue], to graph: inout ONNXGraphWriter) -> String {
    let count = inputs[0].shape.count
    var x = graph.reshaped(inputs[0].name, [count])
    if places.contains(-1) {
      x = graph.node("Pad", [x, graph.integers([0, 0, 0, 1]), graph.constant([], [fill])])
    }
    let indices = graph.integers(places.map { $0 < 0 ? count : Int($0) })
    let picked = graph.node("Gather", [x, indices], ["axis": .integer(1)])
    return graph.reshaped(picked, to: shape)
  }
}

extension SignalProduct: ONNXExpressible {
  public func write(_ inputs: [ONNXValue], to graph: inout ONNXGraphWriter) -> String {
    /// One matrix for each product; offsets are whole matrices.
    func matrices(_ input: ONNXValue, _ axes: [Int], _ places: [Int]) -> String {
      let count = input.shape.count / axes.reduce(1, *)
      let all = graph.reshaped(input.name, [count] + axes)
      if places == Array(0..<count) { return all }
      return graph.node("Gather", [all, graph.integers(places)], ["axis": .integer(1)])
    }
    let a = matrices(inputs[0], [rows, inner], first.map { $0.a / (rows * inner) })
    let b = matrices(inputs[1], [inner, columns], first.map { $0.b / (inner * columns) })
    return graph.reshaped(graph.node("MatMul", [a, b]), to: shape)
  }
}

extension StridedConvolution: ONNXExpressible {
  public func write(_ inputs: [ONNXValue], to graph: inout ONNXGraphWriter) -> String {
    var (behind, extra) = ([0, 0], [0, 0])
    for axis in 0...1 {
      // Rows of the large map that the kernel reaches.
      let reach =
        (geometry.small[1 + axis] - 1) * geometry.strides[axis]
        + geometry.dilations[axis] * (geometry.size[axis] - 1) + 1
      let rest = reach - geometry.padding[axis] - geometry.large[1 + axis]
      behind[axis] = max(0, rest)
      extra[axis] = max(0, -rest)
    }
    var attributes: [String: ONNXGraphWriter.Attribute] = [
      "kernel_shape": .integers(geometry.size), "strides": .integers(geometry.strides),
      "dilations": .integers(geometry.dilations), "group": .integer(geometry.groups),
      "pads": .integers(geometry.padding + behind),
    ]
    if isTransposed { attributes["output_padding"] = .integers(extra) }
    let weights =
      [graph.parameter(weight, weight.shape)]
      + (bias.map { [graph.parameter($0, [$0.count])] } ?? [])
    return graph.node(
      isTransposed ? "ConvTranspose" : "Conv", [inputs[0].name] + weights, attributes)
  }
}

extension BilinearMeasurement: ONNXExpressible {
  /// With `a + i b = (2 x_0 - 1 + i (2 x_1 - 1)) v`, the measurements are `sum of ū (a + i b)` over the rows.
  public func write(_ inputs: [ONNXValue], to graph: inout ONNXGraphWriter) -> String {
    let centred = graph.node(
      "Sub", [graph.scaled(inputs[0].name, by: 2), graph.constant([], [1])])
    let planes = graph.nodes(
      "Split", [centred, graph.integers([1, 1])], ["axis": .integer(1)], outputs: 2)
    func turned(_ vectors: NetworkParameter) -> String {
      let (length, count) = (vectors.shape[1], count)
      return graph.parameter(vectors, [length, count], part: "transposed") { values in
        (0..<count * length).map { values[$0 % count * length + $0 / count] }
      }
    }
    func sum(_ products: [(String, String)], minus: Bool, _ operation: String) -> String {
      let terms = products.map { graph.node(operation, [$0.0, $0.1]) }
      return terms.count == 1 ? terms[0] : graph.node(minus ? "Sub" : "Add", terms)
    }
    let (vReal, vImaginary) = (turned(v.real), v.imaginary.map { turned($0) })
    let (uReal, uImaginary) = (turned(u.real), u.imaginary.map { turned($0) })
    let a = sum(
      [(planes[0], vReal)] + (vImaginary.map { [(planes[1], $0)] } ?? []), minus: true, "MatMul")
    let b = sum(
      [(planes[1], vReal)] + (vImaginary.map { [(planes[0], $0)] } ?? []), minus: false, "MatMul")
    let parts = [
      sum([(a, uReal)] + (uImaginary.map { [(b, $0)] } ?? []), minus: false, "Mul"),
      sum([(b, uReal)] + (uImaginary.map { [(a, $0)] } ?? []), minus: true, "Mul"),
    ].map { graph.node("ReduceSum", [$0, graph.integers([2])]) }
    return graph.node("Concat", parts, ["axis": .integer(3)])
  }
}

extension OuterProductSum: ONNXExpressible {
  /// `Re S = Re dᵀ Re a + Im dᵀ Im a`, `Im S = Im dᵀ Re a - Re dᵀ Im a`.
  public func write(_ inputs: [ONNXValue], to graph: inout ONNXGraphWriter) -> String {
    let (rows, columns) = (image.height, image.width)
    let ranks = inputs[0].shape.count / pitch
    let terms = graph.reshaped(inputs[0].name, [1, ranks, pitch])
    let parts = graph.nodes(
      "Split", [terms, graph.integers([rows, rows, columns, columns])], ["axis": .integer(3)],
      outputs: 4)
    let d = parts[..<2].map { graph.node("Transpose", [$0], ["perm": .integers([0, 1, 3, 2])]) }
    let a = Array(parts[2...])
    func product(_ i: Int, _ j: Int) -> String { graph.node("MatMul", [d[i], a[j]]) }
    let real = graph.node("Add", [product(0, 0), product(1, 1)])
    let imaginary = graph.node("Sub", [product(1, 0), product(0, 1)])
    return graph.node("Concat", [real, imaginary], ["axis": .integer(1)])
  }
}

extension RankExpansion: ONNXExpressible {
  func write(_ inputs: [ONNXValue], to graph: inout ONNXGraphWriter) -> String {
    let codes = graph.reshaped(inputs[0].name, [ranks, size, 1])
    let parts = matrices.map { matrix -> String in
      let product = graph.node("Mul", [codes, graph.parameter(matrix, matrix.shape)])
      return graph.node("ReduceSum", [product, graph.integers([2])])
    }
    let rows = graph.node("Concat", Array(parts[..<2]), ["axis": .integer(3)])
    let gated = graph.node("Mul", [rows, graph.reshaped(inputs[1].name, [ranks, 1, 1])])
    let all = graph.node("Concat", [gated, parts[2], parts[3]], ["axis": .integer(3)])
    return graph.reshaped(all, to: outputShape(inputs.map(\.shape)))
  }
}
