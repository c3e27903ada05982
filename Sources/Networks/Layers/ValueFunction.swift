import Foundation

/// A differentiable function applied value by value.
public struct ValueFunction: Layer, CustomOperation {
  /// Adds to an ONNX graph what the function does to a value of the given name, and names the result.
  public typealias Expression = @Sendable (String, inout ONNXGraphWriter) -> String

  public let summary: String
  /// The function in ONNX; nil if nobody has said it.
  let expression: Expression?
  private let value: @Sendable (Float) -> Float
  private let slope: @Sendable (Float) -> Float
  public let outputRange: ClosedRange<Float>?

  /// - Parameters:
  ///   - summary: its name.
  ///   - range: where all values lie; nil if they can be anything.
  ///   - onnx: the function with operators of ONNX, for ``ONNXExport``.
  ///   - value: the function.
  ///   - slope: its derivative.
  public init(
    _ summary: String, range: ClosedRange<Float>? = nil, onnx: Expression? = nil,
    _ value: @escaping @Sendable (Float) -> Float, slope: @escaping @Sendable (Float) -> Float
  ) {
    (self.summary, outputRange, expression) = (summary, range, onnx)
    (self.value, self.slope) = (value, slope)
  }

  public func callAsFunction(_ x: Signal) -> Signal { x.applying(self) }
  public func outputShape(_ inputs: [Shape]) -> Shape { inputs[0] }

  public func forward(_ sample: CustomSample, into output: UnsafeMutableBufferPointer<Float>) {
    let x = sample.inputs[0]
    for i in x.indices { output[i] = value(x[i]) }
  }

  public func backward(
    _ sample: CustomSample, gradient: UnsafeBufferPointer<Float>,
    inputs: [UnsafeMutableBufferPointer<Float>], parameters: [UnsafeMutableBufferPointer<Float>]
  ) {
    let x = sample.inputs[0]
    for i in x.indices { inputs[0][i] = gradient[i] * slope(x[i]) }
  }
}

extension ValueFunction {
  /// A function that is an operator of ONNX.
  private static func operation(
    _ name: String, _ attributes: [String: ONNXGraphWriter.Attribute] = [:]
  ) -> Expression {
    { $1.node(name, [$0], attributes) }
  }

  private static func sigmoid(_ x: Float) -> Float { 1 / (1 + exp(-x)) }

  /// `max(x, 0) + log(1 + exp(-|x|))`, `log(1 + exp x)` without overflow.
  private static func softplus(_ x: Float) -> Float { max(x, 0) + log1p(exp(-abs(x))) }

  /// `exp(x)`.
  public static let exponential = ValueFunction(
    "exp", onnx: operation("Exp"), { exp($0) }, slope: { exp($0) })
  /// `ln(x)`.
  public static let logarithm = ValueFunction(
    "log", onnx: operation("Log"), { log($0) }, slope: { 1 / $0 })
  /// `sqrt(x)`.
  public static let squareRoot = ValueFunction(
    "sqrt", onnx: operation("Sqrt"), { $0.squareRoot() }, slope: { 0.5 / $0.squareRoot() })
  /// `1 / x`.
  public static let reciprocal = ValueFunction(
    "reciprocal", onnx: operation("Reciprocal"), { 1 / $0 }, slope: { -1 / ($0 * $0) })
  /// `-x`.
  public static let negation = ValueFunction(
    "negation", onnx: operation("Neg"), { -$0 }, slope: { _ in -1 })
  /// `|x|`, of slope 0 at 0.
  public static let magnitude = ValueFunction(
    "magnitude", onnx: operation("Abs"), { abs($0) }, slope: { $0 > 0 ? 1 : $0 < 0 ? -1 : 0 })
  /// The error function.
  public static let errorFunction = ValueFunction(
    "erf", range: -1...1, onnx: operation("Erf"), { erff($0) },
    slope: { 2 / Float.pi.squareRoot() * exp(-$0 * $0) })
  /// The sine.
  public static let sine = ValueFunction(
    "sin", range: -1...1, onnx: operation("Sin"), { sin($0) }, slope: { cos($0) })
  /// The cosine.
  public static let cosine = ValueFunction(
    "cos", range: -1...1, onnx: operation("Cos"), { cos($0) }, slope: { -sin($0) })
  /// The tangent.
  public static let tangent = ValueFunction(
    "tan", onnx: operation("Tan"), { tan($0) }, slope: { 1 / (cos($0) * cos($0)) })
  /// The inverse of the sine.
  public static let arcSine = ValueFunction(
    "asin", onnx: operation("Asin"), { asin($0) }, slope: { 1 / (1 - $0 * $0).squareRoot() })
  /// The inverse of the cosine.
  public static let arcCosine = ValueFunction(
    "acos", onnx: operation("Acos"), { acos($0) }, slope: { -1 / (1 - $0 * $0).squareRoot() })
  /// The inverse of the tangent.
  public static let arcTangent = ValueFunction(
    "atan", onnx: operation("Atan"), { atan($0) }, slope: { 1 / (1 + $0 * $0) })
  /// The hyperbolic sine.
  public static let hyperbolicSine = ValueFunction(
    "sinh", onnx: operation("Sinh"), { sinh($0) }, slope: { cosh($0) })
  /// The hyperbolic cosine.
  public static let hyperbolicCosine = ValueFunction(
    "cosh", onnx: operation("Cosh"), { cosh($0) }, slope: { sinh($0) })
  /// The inverse of the hyperbolic sine.
  public static let areaSine = ValueFunction(
    "asinh", onnx: operation("Asinh"), { asinh($0) }, slope: { 1 / (1 + $0 * $0).squareRoot() })
  /// The inverse of the hyperbolic cosine.
  public static let areaCosine = ValueFunction(
    "acosh", onnx: operation("Acosh"), { acosh($0) }, slope: { 1 / ($0 * $0 - 1).squareRoot() })
  /// The inverse of the hyperbolic tangent.
  public static let areaTangent = ValueFunction(
    "atanh", onnx: operation("Atanh"), { atanh($0) }, slope: { 1 / (1 - $0 * $0) })
  /// `ln(1 + exp x)`.
  public static let softplus = ValueFunction(
    "Softplus", onnx: operation("Softplus"), { softplus($0) }, slope: { sigmoid($0) })
  /// `x / (1 + |x|)`.
  public static let softsign = ValueFunction(
    "Softsign", range: -1...1, onnx: operation("Softsign"), { $0 / (1 + abs($0)) },
    slope: { 1 / ((1 + abs($0)) * (1 + abs($0))) })
  /// `x clip((x + 3) / 6, 0, 1)`, A. Howard et al., Searching for MobileNetV3, 2019.
  public static let hardSwish = ValueFunction(
    "HardSwish", onnx: operation("HardSwish"), { $0 * min(max(($0 + 3) / 6, 0), 1) },
    slope: { $0 <= -3 ? 0 : $0 >= 3 ? 1 : (2 * $0 + 3) / 6 })
  /// `x tanh(ln(1 + exp x))`, D. Misra, Mish, 2020.
  public static let mish = ValueFunction(
    "Mish",
    onnx: { $1.node("Mul", [$0, $1.node("Tanh", [$1.node("Softplus", [$0])])]) },
    { $0 * tanh(softplus($0)) },
    slope: {
      let t = tanh(softplus($0))
      return t + $0 * (1 - t * t) * sigmoid($0)
    })
  /// `x / 2 (1 + tanh(sqrt(2 / π) (x + 0.044715 x³)))`, the approximation of GELU by Hendrycks and Gimpel, 2016.
  public static let tanhGELU = ValueFunction(
    "GELU by tanh",
    onnx: { x, graph in
      let cube = graph.scaled(graph.node("Mul", [x, graph.node("Mul", [x, x])]), by: 0.044715)
      let inner = graph.scaled(
        graph.node("Add", [x, cube]), by: (2 / Float.pi).squareRoot())
      let sum = graph.node("Add", [graph.node("Tanh", [inner]), graph.constant([], [1])])
      return graph.scaled(graph.node("Mul", [x, sum]), by: 0.5)
    },
    { $0 / 2 * (1 + tanh(geluArgument($0))) },
    slope: {
      let t = tanh(geluArgument($0))
      let inner = (2 / Float.pi).squareRoot() * (1 + 3 * 0.044715 * $0 * $0)
      return (1 + t) / 2 + $0 / 2 * (1 - t * t) * inner
    })

  private static func geluArgument(_ x: Float) -> Float {
    (2 / Float.pi).squareRoot() * (x + 0.044715 * x * x * x)
  }

  /// `x / (1 + exp(-a x))`, P. Ramachandran et al., Searching for Activation Functions, 2017.
  public static func swish(_ a: Float) -> ValueFunction {
    ValueFunction(
      "Swish",
      onnx: { $1.node("Mul", [$0, $1.node("Sigmoid", [$1.scaled($0, by: a)])]) },
      { $0 * sigmoid(a * $0) },
      slope: {
        let s = sigmoid(a * $0)
        return s + a * $0 * s * (1 - s)
      })
  }

  /// `c x` above 0, `c a (exp(x / b) - 1)` below: ELU with b = c = 1, CELU with c = 1 and a = b, SELU with b = 1.
  public static func exponentialLinear(
    _ name: String, a: Float, b: Float = 1, c: Float = 1
  ) -> ValueFunction {
    ValueFunction(
      name,
      onnx: { x, graph in
        let scaled = b == 1 ? x : graph.scaled(x, by: 1 / b)
        let elu = graph.node("Elu", [scaled], ["alpha": .number(a / b)])
        return b * c == 1 ? elu : graph.scaled(elu, by: b * c)
      }, { $0 > 0 ? c * $0 : c * a * expm1($0 / b) },
      slope: { $0 > 0 ? c : c * a / b * exp($0 / b) })
  }

  /// `clip(a x + b, 0, 1)`.
  public static func hardSigmoid(a: Float, b: Float) -> ValueFunction {
    ValueFunction(
      "HardSigmoid", range: 0...1,
      onnx: operation("HardSigmoid", ["alpha": .number(a), "beta": .number(b)]),
      { min(max(a * $0 + b, 0), 1) },
      slope: { a * $0 + b > 0 && a * $0 + b < 1 ? a : 0 })
  }

  /// x above a threshold, 0 below.
  public static func thresholded(_ threshold: Float) -> ValueFunction {
    ValueFunction(
      "ThresholdedReLU", onnx: operation("ThresholdedRelu", ["alpha": .number(threshold)]),
      { $0 > threshold ? $0 : 0 }, slope: { $0 > threshold ? 1 : 0 })
  }
}
