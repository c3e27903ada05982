import Foundation

/// A function of two values, elementwise, of maps or of a map and a parameter whose axes repeat.
public struct Arithmetic: CustomOperation {
  /// The function.
  public enum Function: String, Sendable {
    /// `a + b`.
    case add
    /// `a - b`.
    case subtract
    /// `a b`.
    case multiply
    /// `a / b`.
    case divide
    /// `a^b`.
    case power
    /// The larger one; its gradient goes to a where both are equal.
    case maximum
    /// The smaller one; its gradient goes to a where both are equal.
    case minimum
    /// 1 where a > b, else 0; the slopes of this one and of those below are 0.
    case greater
    /// 1 where a >= b, else 0.
    case greaterOrEqual
    /// 1 where a < b, else 0.
    case less
    /// 1 where a <= b, else 0.
    case lessOrEqual
    /// 1 where a = b, else 0.
    case equal
    /// 1 where neither is 0, else 0.
    case and
    /// 1 where one of them is not 0, else 0.
    case or
    /// 1 where exactly one of them is not 0, else 0.
    case xor

    func callAsFunction(_ a: Float, _ b: Float) -> Float {
      switch self {
      case .add: a + b
      case .subtract: a - b
      case .multiply: a * b
      case .divide: a / b
      case .power: b == 2 ? a * a : pow(a, b)
      case .maximum: max(a, b)
      case .minimum: min(a, b)
      case .greater: a > b ? 1 : 0
      case .greaterOrEqual: a >= b ? 1 : 0
      case .less: a < b ? 1 : 0
      case .lessOrEqual: a <= b ? 1 : 0
      case .equal: a == b ? 1 : 0
      case .and: a != 0 && b != 0 ? 1 : 0
      case .or: a != 0 || b != 0 ? 1 : 0
      case .xor: (a != 0) != (b != 0) ? 1 : 0
      }
    }

    /// Derivatives with respect to a and b.
    func slopes(_ a: Float, _ b: Float) -> (Float, Float) {
      switch self {
      case .add: (1, 1)
      case .subtract: (1, -1)
      case .multiply: (b, a)
      case .divide: (1 / b, -a / (b * b))
      case .power:
        (b == 2 ? 2 * a : b == 0 ? 0 : b * pow(a, b - 1), a > 0 ? pow(a, b) * log(a) : 0)
      case .maximum: a >= b ? (1, 0) : (0, 1)
      case .minimum: a <= b ? (1, 0) : (0, 1)
      case .greater, .greaterOrEqual, .less, .lessOrEqual, .equal, .and, .or, .xor: (0, 0)
      }
    }
  }

  /// Where an operand comes from, and its place for each output; nil for one that has the output's shape.
  public struct Operand: Sendable {
    /// A parameter in place of a map.
    let parameter: NetworkParameter?
    let places: [Int32]?

    /// An operand.
    public init(_ parameter: NetworkParameter? = nil, places: [Int32]? = nil) {
      (self.parameter, self.places) = (parameter, places)
    }

    /// Where the operand has the value of a place of the result.
    func place(_ i: Int) -> Int { places.map { Int($0[i]) } ?? i }
  }

  let function: Function
  let operands: [Operand]
  let shape: Shape

  /// The function of two operands.
  public init(_ function: Function, _ a: Operand, _ b: Operand, shape: Shape) {
    (self.function, operands, self.shape) = (function, [a, b], shape)
  }

  public var summary: String { function.rawValue }
  public var reads: [NetworkParameter] { operands.compactMap(\.parameter) }
  public func outputShape(_ inputs: [Shape]) -> Shape { shape }

  public func forward(_ sample: CustomSample, into output: UnsafeMutableBufferPointer<Float>) {
    let values = operands.buffers(sample.inputs, sample.parameters)
    for i in output.indices {
      output[i] = function(values[0][operands[0].place(i)], values[1][operands[1].place(i)])
    }
  }

  public func backward(
    _ sample: CustomSample, gradient: UnsafeBufferPointer<Float>,
    inputs: [UnsafeMutableBufferPointer<Float>], parameters: [UnsafeMutableBufferPointer<Float>]
  ) {
    for input in inputs { input.update(repeating: 0) }
    let values = operands.buffers(sample.inputs, sample.parameters)
    let targets = operands.buffers(inputs, parameters)
    for i in gradient.indices {
      let (a, b) = (operands[0].place(i), operands[1].place(i))
      let slopes = function.slopes(values[0][a], values[1][b])
      targets[0][a] += gradient[i] * slopes.0
      targets[1][b] += gradient[i] * slopes.1
    }
  }
}

extension [Arithmetic.Operand] {
  /// What belongs to each operand: of the maps, or of the parameters, both taken in their order.
  func buffers<Buffer>(_ maps: [Buffer], _ parameters: [Buffer]) -> [Buffer] {
    var (maps, parameters) = (maps[...], parameters[...])
    return map { $0.parameter == nil ? maps.removeFirst() : parameters.removeFirst() }
  }
}
