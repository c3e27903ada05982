import LinkMath
import Parts

/// What the UE receives on the pilots of one slot.
public struct PilotObservation: Sendable {
  /// Y = H X + N, [drop, pilot tone, pilot symbol].
  public var received: ComplexArray
  public var pilots: PilotMatrix
  /// Every how many tones carry pilots, starting with tone 0.
  public var toneSpacing: Int
  /// Noise variance σ² of each complex sample.
  public var noiseVariance: Double
  /// The true response [drop, subcarrier, port]; only the genie estimator looks at it.
  public var channel: ComplexArray

  /// Variance of the least-squares error of each entry, σ²/c.
  public var errorVariance: Double { noiseVariance / pilots.energy }
}

/// How the BS sounds the channel.
public protocol PilotScheme: Part {
  /// What later stages need to know: pilot spacing, least-squares error variance, SNR.
  var summary: LinkContext.Pilots { get }

  /// - Parameter channel: true response [drop, subcarrier, port] of the slot.
  func observe(_ channel: ComplexArray, _ block: DropBlock, slot: Int) -> PilotObservation
}

public enum PilotRegistry {
  public static let schemes: [any PilotScheme.Type] = [
    DFTPilots.self, HadamardPilots.self, IdentityPilots.self,
  ]
}
