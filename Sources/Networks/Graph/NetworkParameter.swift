/// A named array of a network: a weight, or a statistic kept beside the weights.
///
/// Holds no values, only what is needed to allocate and initialise them; the object's identity links
/// the operations of a ``Graph`` with the keys of the module tree. Values live in ``Weights``.
public final class NetworkParameter: Sendable {
  /// How initial values are drawn.
  public enum Initialization: Sendable {
    /// All the same value.
    case constant(Float)
    /// Uniform in `±bound`.
    case uniform(bound: Double)
    /// Normal with the given standard deviation.
    case normal(standardDeviation: Double)
    /// Normal with the given standard deviation, redrawn beyond two of them.
    case truncatedNormal(standardDeviation: Double)
  }

  /// Axes as stored in a weights file.
  public let shape: [Int]
  /// How initial values are drawn.
  public let initialization: Initialization
  /// False for running statistics, which training updates but no optimiser does.
  public let isTrainable: Bool

  /// A parameter of its own; no other object stands for it.
  public init(_ shape: [Int], _ initialization: Initialization, isTrainable: Bool = true) {
    self.shape = shape
    self.initialization = initialization
    self.isTrainable = isTrainable
  }

  /// Number of values.
  public var count: Int { shape.reduce(1, *) }
}

extension NetworkParameter.Initialization {
  /// Uniform in `±sqrt(6 / (fanIn + fanOut))`, Glorot and Bengio 2010.
  static func xavierUniform(fanIn: Int, fanOut: Int) -> Self {
    .uniform(bound: (6 / Double(fanIn + fanOut)).squareRoot())
  }

  /// Normal of variance `2 / fanOut`, K. He et al., Delving Deep into Rectifiers, 2015.
  static func heNormal(fanOut: Int) -> Self {
    .normal(standardDeviation: (2 / Double(fanOut)).squareRoot())
  }

  /// Uniform in `±1 / sqrt(fanIn)`, the usual rule for biases.
  static func biasUniform(fanIn: Int) -> Self {
    .uniform(bound: 1 / Double(fanIn).squareRoot())
  }
}
