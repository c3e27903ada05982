import Parts

/// Batch normalisation over channels, or over columns.
///
/// `y = gamma (x - mean) / sqrt(var + eps) + beta`. In training mean and (biased) variance are those of the batch
/// and the running values move by `running <- (1 - m) running + m batch` with the unbiased variance; in inference
/// the running values are used. Ioffe and Szegedy 2015.
public struct BatchNorm: Layer {
  /// What shares one mean and variance: a channel, or a column of all channels (the first CsiNet release).
  public enum Axis: String, Choice {
    /// A channel.
    case channel
    /// A column of all channels.
    case width
  }

  /// Constants of the method.
  public struct Settings: Sendable {
    /// Added to the variance.
    public let epsilon: Double
    /// Share m of the batch in the running values.
    public let momentum: Double
    /// What shares one mean and variance.
    public let axis: Axis

    /// Normalisation over channels unless told otherwise.
    public init(epsilon: Double, momentum: Double, axis: Axis = .channel) {
      self.epsilon = epsilon
      self.momentum = momentum
      self.axis = axis
    }

    /// eps 1e-5, m 0.1.
    public static let standard = Settings(epsilon: 1e-5, momentum: 0.1)
    /// eps 1e-3, m 0.01, what networks derived from Keras use.
    public static let keras = Settings(epsilon: 1e-3, momentum: 0.01)
  }

  /// Channels, columns or values that are normalised.
  public let count: Int
  /// Constants.
  public let settings: Settings
  let gamma: NetworkParameter
  let beta: NetworkParameter
  let runningMean: NetworkParameter
  let runningVariance: NetworkParameter

  /// Scale 1, shift 0, running mean 0, running variance 1.
  public init(_ count: Int, _ settings: Settings = .standard) {
    self.count = count
    self.settings = settings
    gamma = NetworkParameter([count], .constant(1))
    beta = NetworkParameter([count], .constant(0))
    runningMean = NetworkParameter([count], .constant(0), isTrainable: false)
    runningVariance = NetworkParameter([count], .constant(1), isTrainable: false)
  }

  public var parameters: [(key: String, parameter: NetworkParameter)] {
    [
      ("weight", gamma), ("bias", beta), ("running_mean", runningMean),
      ("running_var", runningVariance),
    ]
  }

  public var summary: String { "BatchNorm(\(count), \(settings.axis))" }

  public func callAsFunction(_ x: Signal) -> Signal {
    precondition(count == (settings.axis == .channel ? x.shape.channels : x.shape.width))
    return x.applying(.normalization(self), shape: x.shape)
  }
}

/// Normalisation of the last axis of each token: `y = gamma (x - mean) / sqrt(var + eps) + beta`.
public struct LayerNorm: Layer {
  /// Channels, columns or values that are normalised.
  public let count: Int
  /// Added to the variance.
  public let epsilon: Double
  let gamma: NetworkParameter
  let beta: NetworkParameter

  /// Scale 1, shift 0.
  public init(_ count: Int, epsilon: Double = 1e-5) {
    self.count = count
    self.epsilon = epsilon
    gamma = NetworkParameter([count], .constant(1))
    beta = NetworkParameter([count], .constant(0))
  }

  public var parameters: [(key: String, parameter: NetworkParameter)] {
    [("weight", gamma), ("bias", beta)]
  }

  public var summary: String { "LayerNorm(\(count))" }

  public func callAsFunction(_ x: Signal) -> Signal {
    precondition(x.shape.width == count)
    return x.applying(.layerNorm(self), shape: x.shape)
  }
}
