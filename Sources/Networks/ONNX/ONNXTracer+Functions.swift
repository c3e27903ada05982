import Foundation

extension ONNXTracer {
  /// Functions value by value, of one or two values.
  static let functions: [String: Operator] = [
    "Abs": { try $0.function($1, ValueFunction.magnitude) },
    "Acos": { try $0.function($1, ValueFunction.arcCosine) },
    "Acosh": { try $0.function($1, ValueFunction.areaCosine) },
    "Add": { try $0.arithmetic($1, .add) },
    "Asin": { try $0.function($1, ValueFunction.arcSine) },
    "Asinh": { try $0.function($1, ValueFunction.areaSine) },
    "Atan": { try $0.function($1, ValueFunction.arcTangent) },
    "Atanh": { try $0.function($1, ValueFunction.areaTangent) },
    "Celu": {
      let alpha = try $0.number($1, "alpha", default: 1)
      return try $0.function($1, ValueFunction.exponentialLinear("CELU", a: alpha, b: alpha))
    },
    "Clip": { try $0.clip($1) },
    "Cos": { try $0.function($1, ValueFunction.cosine) },
    "Cosh": { try $0.function($1, ValueFunction.hyperbolicCosine) },
    "Div": { try $0.arithmetic($1, .divide) },
    "Elu": {
      let alpha = try $0.number($1, "alpha", default: 1)
      return try $0.function($1, ValueFunction.exponentialLinear("ELU", a: alpha))
    },
    "Erf": { try $0.function($1, ValueFunction.errorFunction) },
    "Exp": { try $0.function($1, ValueFunction.exponential) },
    "Gelu": {
      let kind = try $0.text($1, "approximate", default: "none")
      let layer: any Layer = kind == "tanh" ? ValueFunction.tanhGELU : GELU()
      return try $0.function($1, layer)
    },
    "HardSigmoid": {
      let (a, b) = (
        try $0.number($1, "alpha", default: 0.2), try $0.number($1, "beta", default: 0.5)
      )
      let isStandard = abs(a - 1 / 6) < 1e-6 && b == 0.5
      let layer: any Layer =
        isStandard ? Pointwise.hardSigmoid : ValueFunction.hardSigmoid(a: a, b: b)
      return try $0.function($1, layer)
    },
    "HardSwish": { try $0.function($1, ValueFunction.hardSwish) },
    "LeakyRelu": {
      try $0.function($1, LeakyReLU(slope: try $0.number($1, "alpha", default: 0.01)))
    },
    "Log": { try $0.function($1, ValueFunction.logarithm) },
    "Mean": {
      let sum = try $0.arithmetic($1, .add)[0]
      let share = ONNXTensor([], floats: [1 / Float(max(1, $1.inputs.count))])
      return [try $0.arithmetic($1, .multiply, sum, .constant(share, name: nil))]
    },
    "Max": { try $0.arithmetic($1, .maximum) },
    "Min": { try $0.arithmetic($1, .minimum) },
    "Mish": { try $0.function($1, ValueFunction.mish) },
    "Mul": { try $0.arithmetic($1, .multiply) },
    "Neg": { try $0.function($1, ValueFunction.negation) },
    "Pow": { try $0.arithmetic($1, .power) },
    "Reciprocal": { try $0.function($1, ValueFunction.reciprocal) },
    "Relu": { try $0.function($1, LeakyReLU(slope: 0)) },
    "Selu": {
      let (alpha, gamma) = (
        try $0.number($1, "alpha", default: 1.6732632),
        try $0.number($1, "gamma", default: 1.050701)
      )
      return try $0.function(
        $1, ValueFunction.exponentialLinear("SELU", a: alpha, c: gamma))
    },
    "Sigmoid": { try $0.function($1, Pointwise.sigmoid) },
    "Sin": { try $0.function($1, ValueFunction.sine) },
    "Sinh": { try $0.function($1, ValueFunction.hyperbolicSine) },
    "Softplus": { try $0.function($1, ValueFunction.softplus) },
    "Softsign": { try $0.function($1, ValueFunction.softsign) },
    "Sqrt": { try $0.function($1, ValueFunction.squareRoot) },
    "Sub": { try $0.arithmetic($1, .subtract) },
    "Sum": { try $0.arithmetic($1, .add) },
    "Swish": {
      try $0.function($1, ValueFunction.swish(try $0.number($1, "alpha", default: 1)))
    },
    "Tan": { try $0.function($1, ValueFunction.tangent) },
    "Tanh": { try $0.function($1, Pointwise.tanh) },
    "ThresholdedRelu": {
      try $0.function($1, ValueFunction.thresholded(try $0.number($1, "alpha", default: 1)))
    },
  ]

  /// A layer without weights on the only input.
  private mutating func function(_ node: ONNXNode, _ layer: any Layer) throws -> [Value] {
    let input = try value(node, 0)
    if case .constant(let tensor, _) = input {
      switch node.operation {
      case "Neg" where tensor.integers != nil:
        return [
          .constant(ONNXTensor(tensor.shape, integers: tensor.integers!.map { 0 &- $0 }), name: nil)
        ]
      default:
        guard let values = Self.values(of: layer, at: tensor.floats) else {
          throw fail(node, "a computed input", "a constant")
        }
        return [.constant(ONNXTensor(tensor.shape, floats: values), name: nil)]
      }
    }
    return [try applied(layer, input)]
  }

  /// A function of numbers that are known, as of a gate `sigmoid(a)` that was learned; nil for layers that are none value by value.
  private static func values(of layer: any Layer, at numbers: [Float]) -> [Float]? {
    if let layer = layer as? LeakyReLU {
      return numbers.map { $0 < 0 ? layer.slope * $0 : $0 }
    }
    if let function = layer as? Pointwise {
      return numbers.map { x in
        switch function {
        case .sigmoid: 1 / (1 + exp(-x))
        case .hardSigmoid: min(max((x + 3) / 6, 0), 1)
        case .tanh: tanh(x)
        }
      }
    }
    guard let operation = layer as? any CustomOperation else { return nil }
    return numbers.withUnsafeBufferPointer { x in
      [Float](unsafeUninitializedCapacity: x.count) { output, count in
        let shape = Shape.vector(x.count)
        let sample = CustomSample(inputs: [x], shapes: [shape], parameters: [])
        operation.forward(sample, into: .init(rebasing: output[..<x.count]))
        count = x.count
      }
    }
  }

  /// A layer without weights that keeps the shape.
  func applied(_ layer: any Layer, _ input: Value) throws -> Value {
    guard case .signal(let x, let shape) = input else {
      preconditionFailure("layers are applied to signals")
    }
    return .signal(layer(x), shape)
  }

  private mutating func clip(_ node: ONNXNode) throws -> [Value] {
    func bound(_ attribute: String, _ input: Int, _ open: Float) throws -> Float {
      if node.attributes[attribute] != nil { return try number(node, attribute, default: open) }
      guard try optional(node, input) != nil else { return open }
      let values = try constant(node, input).floats
      guard values.count == 1 else { throw fail(node, "one bound", "\(values.count)") }
      return values[0]
    }
    let limit = Float.greatestFiniteMagnitude
    let (low, high) = (try bound("min", 1, -limit), try bound("max", 2, limit))
    guard low <= high else { throw fail(node, "bounds in order", "\(low) and \(high)") }
    return try function(node, Clip(low...high))
  }

  /// A function of two values, or of more one after the other.
  private mutating func arithmetic(_ node: ONNXNode, _ function: Arithmetic.Function) throws
    -> [Value]
  {
    var result = try value(node, 0)
    for index in node.inputs.indices.dropFirst() {
      result = try arithmetic(node, function, result, try value(node, index))
    }
    return [result]
  }

  mutating func arithmetic(
    _ node: ONNXNode, _ function: Arithmetic.Function, _ a: Value, _ b: Value
  ) throws -> Value {
    if case .constant(let left, _) = a, case .constant(let right, _) = b {
      return .constant(try folded(node, function, left, right), name: nil)
    }
    if case .signal(let x, let left) = a, case .signal(let y, let right) = b, left == right {
      switch function {
      case .add: return .signal(x + y.reshaped(x.shape), left)
      case .subtract: return .signal(x - y.reshaped(x.shape), left)
      case .multiply: return .signal(x * y.reshaped(x.shape), left)
      default: break
      }
    }
    // The batch takes part as an axis of 1; constants have none.
    func axes(_ value: Value) throws -> [Int] {
      switch value {
      case .signal(_, let shape): return [1] + shape.dropFirst()
      case .constant(let tensor, _): return tensor.shape
      }
    }
    let (left, right) = (try axes(a), try axes(b))
    let (outer, places) = try broadcast(node, left, right)
    // Signals of different ranks would bring the batch of one to another axis of the other.
    let ranks = Set([a, b].compactMap(\.rank))
    guard ranks.count == 1, outer.count == ranks.first, outer[0] == 1,
      outer.allSatisfy({ $0 > 0 })
    else {
      throw fail(node, "samples that stay apart", "the axes \(left) and \(right)")
    }
    var signals: [Signal] = []
    func operand(_ value: Value, _ places: [Int32]?) -> Arithmetic.Operand {
      switch value {
      case .signal(let signal, _):
        signals.append(signal)
        return .init(places: places)
      case .constant(let tensor, let name):
        // An exponent that moves would have no value for negative bases.
        let own = function == .power ? nil : name
        return .init(parameter(tensor, name: own, node), places: places)
      }
    }
    let operands = (operand(a, places.0), operand(b, places.1))
    let result = Array(outer.dropFirst())
    let operation = Arithmetic(
      function, operands.0, operands.1, shape: try Self.shape(result))
    return try signal(signals[0].applying(operation, Array(signals.dropFirst())), result)
  }

  /// Axes of two arrays together, and the places of each in its values; nil where they are the places of the result.
  func broadcast(_ node: ONNXNode, _ a: [Int], _ b: [Int]) throws -> (
    [Int], ([Int32]?, [Int32]?)
  ) {
    let rank = max(a.count, b.count)
    func padded(_ axes: [Int]) -> [Int] {
      [Int](repeating: 1, count: rank - axes.count) + axes
    }
    let (left, right) = (padded(a), padded(b))
    guard zip(left, right).allSatisfy({ $0 == $1 || $0 == 1 || $1 == 1 }) else {
      throw fail(node, "shapes of which one repeats along the other", "the axes \(a) and \(b)")
    }
    let result = zip(left, right).map { $0 == 1 ? $1 : $0 }
    _ = try size(result, "node '\(node.label)'")
    func places(_ axes: [Int]) -> [Int32]? {
      if axes == result { return nil }
      let strides = zip(axes, IndexMap.strides(axes)).map { $0 == 1 ? 0 : $1 }
      return IndexMap.places(result, strides: strides)
    }
    return (result, (places(left), places(right)))
  }

  /// Constants together, as shapes are computed.
  private func folded(
    _ node: ONNXNode, _ function: Arithmetic.Function, _ a: ONNXTensor, _ b: ONNXTensor
  ) throws -> ONNXTensor {
    let (shape, places) = try broadcast(node, a.shape, b.shape)
    let count = shape.reduce(1, *)
    func pick<T>(_ values: [T], _ places: [Int32]?, _ i: Int) -> T {
      values[places.map { Int($0[i]) } ?? i]
    }
    if let left = a.integers, let right = b.integers, function != .power {
      return ONNXTensor(
        shape,
        integers: try (0..<count).map { i in
          let (x, y) = (pick(left, places.0, i), pick(right, places.1, i))
          switch function {
          case .add: return x &+ y
          case .subtract: return x &- y
          case .multiply: return x &* y
          case .maximum: return max(x, y)
          case .minimum: return min(x, y)
          default:
            guard y != 0, !(x == .min && y == -1) else {
              throw fail(node, "a divisor", "\(y)")
            }
            return x / y
          }
        })
    }
    let (left, right) = (a.floats, b.floats)
    return ONNXTensor(
      shape,
      floats: (0..<count).map { function(pick(left, places.0, $0), pick(right, places.1, $0)) })
  }
}

extension ONNXTracer.Value {
  /// Axes of a signal; nil for a constant.
  fileprivate var rank: Int? { if case .signal(_, let shape) = self { shape.count } else { nil } }
}
