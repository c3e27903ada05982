extension ONNXGraphWriter {
  /// Adds what an operation of a graph does.
  ///
  /// - Returns: name of the output, of the axes [batch, channel, row, column].
  mutating func write(_ operation: NetworkOperation, _ inputs: [ONNXValue], _ shape: Shape)
    throws(NetworkError) -> String
  {
    let x = inputs.first?.name ?? ""
    let names = inputs.map(\.name)
    switch operation {
    case .input: preconditionFailure("inputs have names")
    case .convolution(let layer): return convolution(layer, x)
    case .normalization(let layer): return normalization(layer, x)
    case .leakyReLU(let layer):
      return layer.slope == 0
        ? node("Relu", [x]) : node("LeakyRelu", [x], ["alpha": .number(layer.slope)])
    case .prelu(let slopes): return node("PRelu", [x, parameter(slopes, [slopes.count, 1, 1])])
    case .pointwise(let function): return pointwise(function, x)
    case .dense(let product): return try dense(product, inputs[0])
    case .add: return names.dropFirst().reduce(x) { node("Add", [$0, $1]) }
    case .subtract: return node("Sub", names)
    case .multiply: return node("Mul", names)
    case .scale(let factor): return node("Mul", [x, parameter(factor, [])])
    case .concatenate: return node("Concat", names, ["axis": .integer(1)])
    case .reshape: return reshaped(x, to: shape)
    case .planeMean: return node("ReduceMean", [x], ["axes": .integers([2, 3])])
    case .channelPool:
      let axis: [String: Attribute] = ["axes": .integers([1])]
      return node(
        "Concat", [node("ReduceMax", [x], axis), node("ReduceMean", [x], axis)],
        ["axis": .integer(1)])
    case .layerNorm(let layer):
      return node(
        "LayerNormalization",
        [x, parameter(layer.gamma, [layer.count]), parameter(layer.beta, [layer.count])],
        ["axis": .integer(-1), "epsilon": .number(Float(layer.epsilon))])
    case .attention(let core): return attention(core, inputs)
    case .fakeQuantization(let quantization): return try quantized(quantization, x)
    case .custom(let operation):
      guard let operation = operation as? any ONNXExpressible else {
        throw .notInONNX(operation.summary)
      }
      return try operation.write(inputs, to: &self)
    }
  }

  private mutating func convolution(_ layer: Convolution, _ x: String) -> String {
    let (rows, columns) = layer.reach
    let bias = layer.bias.map { [parameter($0, [layer.outputs])] } ?? []
    return node(
      "Conv", [x, parameter(layer.weight, layer.weight.shape)] + bias,
      [
        "kernel_shape": .integers([layer.kernel.height, layer.kernel.width]),
        "pads": .integers([rows, columns, rows, columns]), "group": .integer(layer.groups),
        "dilations": .integers([layer.dilation, layer.dilation]),
      ])
  }

  private mutating func normalization(_ layer: BatchNorm, _ x: String) -> String {
    let parts = [layer.gamma, layer.beta, layer.runningMean, layer.runningVariance]
    if layer.settings.axis == .channel {
      return node(
        "BatchNormalization", [x] + parts.map { parameter($0, [layer.count]) },
        [
          "epsilon": .number(Float(layer.settings.epsilon)),
          "momentum": .number(Float(1 - layer.settings.momentum)),
        ])
    }
    // Over columns: y = s x + (beta - s mean), s = gamma / sqrt(var + eps).
    let stored = parts.map { values(of: $0) }
    let scale = zip(stored[0], stored[3]).map { (gamma: Float, variance: Float) -> Float in
      Float(Double(gamma) / (Double(variance) + layer.settings.epsilon).squareRoot())
    }
    let shift = scale.indices.map { (i: Int) -> Float in stored[1][i] - scale[i] * stored[2][i] }
    let factor = parameter(layer.gamma, [layer.count], part: "scale") { _ in scale }
    let term = parameter(layer.beta, [layer.count], part: "shift") { _ in shift }
    return node("Add", [node("Mul", [x, factor]), term])
  }

  private mutating func pointwise(_ function: Pointwise, _ x: String) -> String {
    switch function {
    case .sigmoid: node("Sigmoid", [x])
    case .tanh: node("Tanh", [x])
    case .hardSigmoid:
      node("HardSigmoid", [x], ["alpha": .number(1 / 6), "beta": .number(0.5)])
    }
  }

  /// A vector's layer is a `Gemm`, that of tokens a `MatMul` of the transposed weight.
  private mutating func dense(_ product: DenseProduct, _ x: ONNXValue) throws(NetworkError)
    -> String
  {
    guard product.precision != .dynamicInt8 else { throw .notInONNX(product.summary) }
    let (inputs, outputs, first) = (product.inputs, product.outputs, product.firstRow)
    let rows = product.ownsWeight ? "" : "rows \(first)"
    let bias = product.bias.map {
      parameter($0, [outputs], part: rows) { Array($0[first..<first + outputs]) }
    }
    func own(_ values: [Float]) -> ArraySlice<Float> {
      product.isTransposed ? values[...] : values[first * inputs..<(first + outputs) * inputs]
    }
    if x.shape.channels == 1, x.shape.height == 1 {
      let weight = parameter(
        product.weight, product.isTransposed ? [inputs, outputs] : [outputs, inputs], part: rows
      ) { Array(own($0)) }
      let y = node(
        "Gemm", [reshaped(x.name, [inputs]), weight] + (bias.map { [$0] } ?? []),
        ["transB": .integer(product.isTransposed ? 0 : 1)])
      return reshaped(y, [1, 1, outputs])
    }
    let weight = parameter(product.weight, [inputs, outputs], part: "transposed " + rows) {
      let values = Array(own($0))
      if product.isTransposed { return values }
      return (0..<inputs * outputs).map { values[$0 % outputs * inputs + $0 / outputs] }
    }
    let y = node("MatMul", [x.name, weight])
    return bias.map { node("Add", [y, $0]) } ?? y
  }

  /// `softmax(Q Kᵀ / sqrt(d / heads)) V` of each head; along the batch, the tokens take the batch's place.
  private mutating func attention(_ core: AttentionProduct, _ inputs: [ONNXValue]) -> String {
    let (d, heads) = (core.dimension, core.heads)
    let parts: [String]
    if inputs.count == 1 {
      parts = nodes(
        "Split", [inputs[0].name, integers([d, d, d])], ["axis": .integer(3)], outputs: 3)
    } else {
      parts =
        [inputs[0].name]
        + nodes("Split", [inputs[1].name, integers([d, d])], ["axis": .integer(3)], outputs: 2)
    }
    // [batch, token, head, value] to [batch, head, token, value], or [token, head, batch, value].
    let order = core.acrossBatch ? [1, 2, 0, 3] : [0, 2, 1, 3]
    let back = core.acrossBatch ? [2, 0, 1, 3] : [0, 2, 1, 3]
    func turned(_ part: Int, _ order: [Int]) -> String {
      let tokens = inputs[part == 0 ? 0 : inputs.count - 1].shape.height
      let split = reshaped(parts[part], [tokens, heads, d / heads])
      return node("Transpose", [split], ["perm": .integers(order)])
    }
    let query = turned(0, order)
    let key = turned(1, Array(order[..<2]) + [order[3], order[2]])
    let scores = scaled(
      node("MatMul", [query, key]), by: Float(1 / (Double(d) / Double(heads)).squareRoot()))
    let mixed = node(
      "MatMul", [node("Softmax", [scores], ["axis": .integer(-1)]), turned(2, order)])
    return reshaped(
      node("Transpose", [mixed], ["perm": .integers(back)]), [1, inputs[0].shape.height, d])
  }

  /// What the integers of an 8-bit activation stand for.
  private mutating func quantized(_ quantization: FakeQuantization, _ x: String)
    throws(NetworkError) -> String
  {
    let range = values(of: quantization.range)
    let quantizer = ActivationQuantizer(range[0], range[1], levels: FakeQuantization.levels)
    guard quantizer.scale > 0 else { throw .notInONNX("8-bit values of the range 0 to 0") }
    let step = constant([], [quantizer.scale])
    let zero = bytes([], [UInt8(quantizer.zero)])
    return node("DequantizeLinear", [node("QuantizeLinear", [x, step, zero]), step, zero])
  }
}
