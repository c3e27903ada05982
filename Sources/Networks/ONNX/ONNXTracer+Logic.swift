import Foundation

/// Comparisons, truth values and choices. A truth value is 1 or 0 in single precision, of slope 0.
extension ONNXTracer {
  /// Functions of truth values, value by value, and what makes them.
  static let logic: [String: Operator] = [
    "And": { try $0.comparison($1, .and) },
    "Ceil": { try $0.stepped($1, "ceil") { $0.rounded(.up) } },
    "Equal": { try $0.comparison($1, .equal) },
    "Floor": { try $0.stepped($1, "floor") { $0.rounded(.down) } },
    "Greater": { try $0.comparison($1, .greater) },
    "GreaterOrEqual": { try $0.comparison($1, .greaterOrEqual) },
    "Less": { try $0.comparison($1, .less) },
    "LessOrEqual": { try $0.comparison($1, .lessOrEqual) },
    "Not": { try $0.stepped($1, "not") { $0 == 0 ? 1 : 0 } },
    "Or": { try $0.comparison($1, .or) },
    "Round": { try $0.stepped($1, "round") { $0.rounded(.toNearestOrEven) } },
    "Sign": { try $0.stepped($1, "sign") { $0 > 0 ? 1 : $0 < 0 ? -1 : $0 } },
    "Where": { try $0.chosen($1) },
    "Xor": { try $0.comparison($1, .xor) },
  ]

  /// A truth value of two values; of constants, as shapes are computed, whole numbers.
  private mutating func comparison(_ node: ONNXNode, _ function: Arithmetic.Function) throws
    -> [Value]
  {
    let (a, b) = (try value(node, 0), try value(node, 1))
    guard case .constant(let left, _) = a, case .constant(let right, _) = b else {
      return [try arithmetic(node, function, a, b)]
    }
    let (shape, places) = try broadcast(node, left.shape, right.shape)
    let values: [Int]
    let pairs = (0..<shape.reduce(1, *)).map { i in
      (places.0.map { Int($0[i]) } ?? i, places.1.map { Int($0[i]) } ?? i)
    }
    if let x = left.integers, let y = right.integers {
      // The sign of the difference, so that numbers that single precision does not hold stay apart.
      let takesTruths = [.and, .or, .xor].contains(function)
      values = pairs.map { i, j in
        takesTruths
          ? Int(function(x[i] == 0 ? 0 : 1, y[j] == 0 ? 0 : 1))
          : Int(function(x[i] < y[j] ? -1 : x[i] > y[j] ? 1 : 0, 0))
      }
    } else {
      let (x, y) = (left.floats, right.floats)
      values = pairs.map { Int(function(x[$0], y[$1])) }
    }
    return [.constant(ONNXTensor(shape, integers: values), name: nil)]
  }

  /// A function of slope 0 everywhere.
  private func stepped(
    _ node: ONNXNode, _ summary: String, _ function: @escaping @Sendable (Float) -> Float
  ) throws -> [Value] {
    let input = try value(node, 0)
    if case .constant(let tensor, _) = input {
      guard let integers = tensor.integers else {
        return [.constant(ONNXTensor(tensor.shape, floats: tensor.floats.map(function)), name: nil)]
      }
      // Whole numbers stay what they are when they are rounded, also those that single precision does not hold.
      let keeps = ["Ceil", "Floor", "Round"].contains(node.operation)
      let values = integers.map { keeps ? $0 : Int(function(Float($0))) }
      return [.constant(ONNXTensor(tensor.shape, integers: values), name: nil)]
    }
    let operation = node.operation
    return [
      try applied(
        ValueFunction(
          summary, onnx: { x, graph in ONNXTracer.exported(operation, x, &graph) }, function,
          slope: { _ in 0 }), input)
    ]
  }

  /// The operator in a graph of single precision.
  private static func exported(
    _ operation: String, _ x: String, _ graph: inout ONNXGraphWriter
  ) -> String {
    guard operation == "Not" else { return graph.node(operation, [x]) }
    let truth = graph.node("Cast", [x], ["to": .integer(9)])
    return graph.node("Cast", [graph.node("Not", [truth])], ["to": .integer(1)])
  }

  /// One of two values by a third.
  private mutating func chosen(_ node: ONNXNode) throws -> [Value] {
    let given = try (0..<3).map { try value(node, $0) }
    let tensors = given.compactMap { value -> ONNXTensor? in
      if case .constant(let tensor, _) = value { tensor } else { nil }
    }
    // The batch takes part as an axis of 1; constants have none.
    let axes = given.map { value in
      if case .signal(_, let shape) = value { [1] + shape.dropFirst() } else { value.shape }
    }
    let (first, _) = try broadcast(node, axes[0], axes[1])
    let (outer, _) = try broadcast(node, first, axes[2])
    let places = try axes.map { try broadcast(node, $0, outer).1.0 }
    if tensors.count == 3 {
      return [.constant(Self.chosen(tensors, places, outer), name: nil)]
    }
    let ranks = Set(
      given.compactMap { value -> Int? in
        if case .signal(_, let shape) = value { shape.count } else { nil }
      })
    guard ranks.count == 1, outer.count == ranks.first, outer[0] == 1,
      outer.allSatisfy({ $0 > 0 })
    else { throw fail(node, "samples that stay apart", "the axes \(axes)") }
    var signals: [Signal] = []
    var operands: [Arithmetic.Operand] = []
    for (value, places) in zip(given, places) {
      switch value {
      case .signal(let signal, _):
        signals.append(signal)
        operands.append(.init(places: places))
      case .constant(let tensor, let name):
        operands.append(.init(parameter(tensor, name: name, node), places: places))
      }
    }
    let result = Array(outer.dropFirst())
    let operation = Selection(operands, shape: try Self.shape(result))
    return [try signal(signals[0].applying(operation, Array(signals.dropFirst())), result)]
  }

  private static func chosen(
    _ tensors: [ONNXTensor], _ places: [[Int32]?], _ shape: [Int]
  ) -> ONNXTensor {
    let condition = tensors[0].floats
    let count = shape.reduce(1, *)
    func pick<T>(_ values: [[T]]) -> [T] {
      (0..<count).map { i in
        let place = { (operand: Int) in places[operand].map { Int($0[i]) } ?? i }
        return condition[place(0)] != 0 ? values[0][place(1)] : values[1][place(2)]
      }
    }
    if let a = tensors[1].integers, let b = tensors[2].integers {
      return ONNXTensor(shape, integers: pick([a, b]))
    }
    return ONNXTensor(shape, floats: pick([tensors[1].floats, tensors[2].floats]))
  }
}
