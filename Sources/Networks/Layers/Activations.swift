/// `x > 0 ? x : slope * x`; the field's networks use slope 0.3, ReLU is slope 0.
public struct LeakyReLU: Layer {
  /// What several uses of one published layer object have in common.
  final class Identity: Sendable {}

  /// Factor of negative values.
  public let slope: Float
  let identity: Identity?

  /// LeakyReLU; 0 for ReLU.
  public init(slope: Float = 0.3) {
    self.slope = slope
    identity = nil
  }

  /// One layer object of the published code that is called several times: the profiler rule of ``Costs`` counts
  /// its last call only.
  static func shared() -> LeakyReLU { LeakyReLU(identity: Identity()) }

  private init(identity: Identity) {
    slope = 0.3
    self.identity = identity
  }

  public var summary: String { slope == 0 ? "ReLU" : "LeakyReLU(\(slope))" }

  public func callAsFunction(_ x: Signal) -> Signal {
    x.applying(.leakyReLU(self), shape: x.shape)
  }
}

/// LeakyReLU with one learned slope per channel, initially 0.3. He et al. 2015.
public struct PReLU: Layer {
  let slopes: NetworkParameter

  /// One slope for each channel.
  public init(_ channels: Int) { slopes = NetworkParameter([channels], .constant(0.3)) }

  public var parameters: [(key: String, parameter: NetworkParameter)] { [("weight", slopes)] }
  public var summary: String { "PReLU(\(slopes.count))" }

  public func callAsFunction(_ x: Signal) -> Signal {
    precondition(x.shape.channels == slopes.count)
    return x.applying(.prelu(slopes), shape: x.shape)
  }
}

/// LeakyReLU with one learned slope for all channels, initially 0.3.
public struct CommonPReLU: Layer {
  private let prelu = PReLU(1)

  /// One slope.
  public init() {}

  public var parameters: [(key: String, parameter: NetworkParameter)] { prelu.parameters }
  public var summary: String { "PReLU(1)" }

  public func callAsFunction(_ x: Signal) -> Signal {
    // All planes as one.
    let plane = Shape(1, x.shape.channels * x.shape.height, x.shape.width)
    return prelu(x.reshaped(plane)).reshaped(x.shape)
  }
}

extension Pointwise: Layer {
  public var summary: String {
    switch self {
    case .sigmoid: "Sigmoid"
    case .hardSigmoid: "HardSigmoid"
    case .tanh: "Tanh"
    }
  }

  public func callAsFunction(_ x: Signal) -> Signal {
    x.applying(.pointwise(self), shape: x.shape)
  }
}

/// Product with one learned scalar. Where it starts at 0, `y = x + a f(x)` starts as the identity.
/// Bachlechner et al. 2020.
public struct ReZero: Layer {
  let factor: NetworkParameter
  /// A factor with its initial value.
  public init(initial: Float = 0) { factor = NetworkParameter([1], .constant(initial)) }

  /// The key is the parameter's own: a factor is stored under the name that the layer around it gives, such as its position
  /// in a list.
  public var parameters: [(key: String, parameter: NetworkParameter)] { [] }
  public var summary: String { "ReZero" }

  public func callAsFunction(_ x: Signal) -> Signal {
    x.applying(.scale(factor), shape: x.shape)
  }
}

/// ReZero factors stored as "0", "1", ...
public struct ReZeroList: Module {
  let items: [ReZero]
  init(_ count: Int) { items = (0..<count).map { _ in ReZero() } }

  public var parameters: [(key: String, parameter: NetworkParameter)] {
    items.enumerated().map { ("\($0.offset)", $0.element.factor) }
  }
}
