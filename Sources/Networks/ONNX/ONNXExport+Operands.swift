extension [Arithmetic.Operand] {
  /// The names of the operands' values, each of the axes of a result or of such as repeat along them.
  fileprivate func write(
    _ inputs: [ONNXValue], _ shape: Shape, to graph: inout ONNXGraphWriter
  ) -> [String] {
    var maps = inputs[...]
    return map { operand -> String in
      let map = operand.parameter == nil ? maps.removeFirst() : nil
      let count = operand.parameter?.count ?? map!.shape.count
      // Axes that repeat are left to the operator, which knows how; other places are picked.
      if let axes = shape.repeatedAxes(operand.places, count) {
        return operand.parameter.map { graph.parameter($0, axes) }
          ?? graph.reshaped(map!.name, axes)
      }
      let indices = graph.integers((operand.places ?? []).map { Int($0) })
      let picked =
        operand.parameter.map {
          let flat = graph.parameter($0, [1, count])
          return graph.node("Gather", [flat, indices], ["axis": .integer(1)])
        }
        ?? graph.node(
          "Gather", [graph.reshaped(map!.name, [count]), indices], ["axis": .integer(1)])
      return graph.reshaped(picked, to: shape)
    }
  }
}

extension Shape {
  /// The axes of an operand of so many values that repeats along others of this shape; nil if it does something else.
  fileprivate func repeatedAxes(_ places: [Int32]?, _ count: Int) -> [Int]? {
    let axes = [channels, height, width]
    guard let places else { return count == self.count ? axes : nil }
    for repeated in 0..<8 {
      let own = axes.indices.map { repeated >> $0 & 1 == 1 ? 1 : axes[$0] }
      guard own.reduce(1, *) == count else { continue }
      let strides = zip(own, IndexMap.strides(own)).map { $0 == 1 ? 0 : $1 }
      if IndexMap.places(axes, strides: strides) == places { return own }
    }
    return nil
  }
}

extension Arithmetic: ONNXExpressible {
  public func write(_ inputs: [ONNXValue], to graph: inout ONNXGraphWriter) -> String {
    let values = operands.write(inputs, shape, to: &graph)
    let names: [Function: String] = [
      .add: "Add", .subtract: "Sub", .multiply: "Mul", .divide: "Div", .power: "Pow",
      .maximum: "Max", .minimum: "Min",
    ]
    if let name = names[function] { return graph.reshaped(graph.node(name, values), to: shape) }
    let truths: [Function: String] = [
      .greater: "Greater", .greaterOrEqual: "GreaterOrEqual", .less: "Less",
      .lessOrEqual: "LessOrEqual", .equal: "Equal", .and: "And", .or: "Or", .xor: "Xor",
    ]
    let takesTruths = [.and, .or, .xor].contains(function)
    let inputs = takesTruths ? values.map { graph.node("Cast", [$0], ["to": .integer(9)]) } : values
    let result = graph.node(
      "Cast", [graph.node(truths[function]!, inputs)], ["to": .integer(1)])
    return graph.reshaped(result, to: shape)
  }
}

extension Selection: ONNXExpressible {
  public func write(_ inputs: [ONNXValue], to graph: inout ONNXGraphWriter) -> String {
    let values = operands.write(inputs, shape, to: &graph)
    let condition = graph.node("Cast", [values[0]], ["to": .integer(9)])
    return graph.reshaped(graph.node("Where", [condition, values[1], values[2]]), to: shape)
  }
}

extension WindowPooling: ONNXExpressible {
  public func write(_ inputs: [ONNXValue], to graph: inout ONNXGraphWriter) throws(NetworkError)
    -> String
  {
    let input = inputs[0].shape
    let map = graph.reshaped(inputs[0].name, [input.channels, input.height, input.width])
    var attributes: [String: ONNXGraphWriter.Attribute] = [
      "kernel_shape": .integers(size), "strides": .integers(strides), "pads": .integers(padding),
    ]
    let counts = zip([input.height, input.width], 0...).map { length, axis -> Int in
      let padded = length + padding[axis] + padding[2 + axis]
      let reach = dilations[axis] * (size[axis] - 1) + 1
      return (padded - reach) / strides[axis] + 1
    }
    if counts != [shape.height, shape.width] { attributes["ceil_mode"] = .integer(1) }
    switch kind {
    case .maximum:
      attributes["dilations"] = .integers(dilations)
      return graph.reshaped(graph.node("MaxPool", [map], attributes), to: shape)
    case .mean(let countsEdge):
      // Means of windows with gaps came with a later version than the one that is written.
      guard dilations == [1, 1] else { throw .notInONNX(summary) }
      attributes["count_include_pad"] = .integer(countsEdge ? 1 : 0)
      return graph.reshaped(graph.node("AveragePool", [map], attributes), to: shape)
    }
  }
}
