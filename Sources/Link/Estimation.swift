import LinkMath
import Parts

/// What the UE receives on the pilots of one slot.
public struct PilotObservation: Sendable {
  /// Y, [drop, pilot tone, pilot symbol]; unit-power scale of the channel.
  public var received: ComplexArray
  /// The pilots that were sent.
  public var pilots: PilotMatrix
  /// Indices of the tones that carry pilots, ascending, equally spaced.
  public var tones: [Int]
  /// Noise variance σ² of each complex sample.
  public var noiseVariance: Double
  /// The true response [drop, subcarrier, port]; only a genie estimator looks at it.
  public var channel: ComplexArray
}

/// The UE's channel estimate.
public struct ChannelEstimate: Sendable {
  /// Ĥ, [drop, subcarrier, port].
  public var response: ComplexArray
  /// Error variance of each entry averaged over tones, as far as the estimator knows it; bias is not counted.
  public var errorVariance: Double
}

/// How the BS sounds the channel.
public protocol PilotScheme: Part {
  /// Pilot SNR in dB, the default of the downlink data SNR.
  var snrDB: Double { get }
  /// - Parameter channel: true response [drop, subcarrier, port] of the slot.
  func observe(_ channel: ComplexArray, _ block: DropBlock, slot: Int) -> PilotObservation
}

/// How the UE estimates the channel from what it received.
public protocol ChannelEstimator: Part {
  func estimate(_ observation: PilotObservation) -> ChannelEstimate
}
