import LinkMath
import Parts

/// The UE's channel estimate.
public struct ChannelEstimate: Sendable {
  /// Ĥ, [drop, subcarrier, port].
  public var response: ComplexArray
  /// Mean error variance of an entry, averaged over tones and ports: of linear rules the noise that is left, of LMMSE
  /// rules also the bias; what interpolation misses is not counted.
  public var errorVariance: Double
}

/// How the UE estimates the channel from what it received on the pilots.
public protocol ChannelEstimator: Sendable {
  /// A key that was set and has no effect in this context. A scenario is refused if the key has none at any of its
  /// points; in a sweep some points may do without.
  static func idleKey(_ settings: Settings, in context: LinkContext) -> SettingsError?

  /// Whether the rule is that of one pilot SNR, so that it does not suit observations at another one.
  var isForOneSNR: Bool { get }

  /// The estimate of the response on all tones.
  func estimate(_ observation: PilotObservation) -> ChannelEstimate
}

extension ChannelEstimator {
  /// Every key has an effect.
  public static func idleKey(_ settings: Settings, in context: LinkContext) -> SettingsError? {
    nil
  }

  /// True, unless a rule says that it knows no SNR.
  public var isForOneSNR: Bool { true }
}

/// Every estimator a scenario can name.
public enum EstimatorRegistry {
  /// The estimators, in the order in which `csilink list` shows them.
  public static let estimators: [any (ChannelEstimator & Part).Type] = [
    LeastSquaresEstimator.self, PerfectEstimator.self, LMMSEEstimator.self,
    DelayWindowEstimator.self,
  ]
}

/// Perfect channel knowledge at the UE: the papers' assumption and the upper bound of every estimator.
public struct PerfectEstimator: ChannelEstimator, Part {
  public static let schema = PartSchema(
    .estimator, "perfect", "The UE knows the true channel; the pilots are ignored.")

  public init(_ settings: Settings, in context: LinkContext, fitted: Artefact?) throws {}

  public var isForOneSNR: Bool { false }

  public func estimate(_ observation: PilotObservation) -> ChannelEstimate {
    ChannelEstimate(response: observation.channel, errorVariance: 0)
  }
}
