import LinkMath
import Parts

/// What the UE receives on the pilots of one slot.
public struct PilotObservation: Sendable {
  /// Y = H X + N, [drop, pilot tone, pilot symbol].
  public var received: ComplexArray
  /// What was sent.
  public var pilots: any PilotSignal
  /// Every how many tones carry pilots, starting with tone 0.
  public var toneSpacing: Int
  /// Noise variance σ² of each complex sample.
  public var noiseVariance: Double
  /// The true response [drop, subcarrier, port]; only the genie estimator looks at it.
  public var channel: ComplexArray

  /// Variance of the least-squares error of each entry, σ²/c.
  public var errorVariance: Double { noiseVariance / pilots.energy }
}

/// What the antennas send on the pilots of a tone: X [antenna, symbol].
public protocol PilotSignal: Sendable {
  /// Rows of X.
  var antennaCount: Int { get }
  /// Columns of X.
  var symbolCount: Int { get }
  /// c of the least-squares error's variance σ²/c, mean over the antennas that the pilots determine:
  /// `X Xᴴ = c I` if the rows are orthogonal.
  var energy: Double { get }

  /// An entry of X.
  subscript(antenna antenna: Int, symbol symbol: Int) -> ComplexFloat { get }

  /// Rows Y [tone, symbol] times the pseudo-inverse of X: the least-squares estimate [tone, antenna], of least norm
  /// where the pilots do not determine it.
  func despread(
    _ received: UnsafePointer<ComplexFloat>, rows: Int,
    into estimate: UnsafeMutablePointer<ComplexFloat>)
}

/// How the BS sounds the channel.
public protocol PilotScheme: Sendable {
  /// What later stages need to know: pilot spacing, least-squares error variance, SNR.
  var summary: LinkContext.Pilots { get }

  /// What the UE receives on the pilots of a slot.
  ///
  /// - Parameters:
  ///   - channel: true response [drop, subcarrier, port] of the slot.
  ///   - block: which drops, for their noise.
  ///   - slot: number of the slot, for its noise.
  func observe(_ channel: ComplexArray, _ block: DropBlock, slot: Int) -> PilotObservation

  /// The same pilots at another SNR, for trainings in which each drop has its own; nil if it has none.
  func at(snrDB: Double) -> (any PilotScheme)?
}

extension PilotScheme {
  /// Nil.
  public func at(snrDB: Double) -> (any PilotScheme)? { nil }
}

/// Every pilot scheme a scenario can name.
public enum PilotRegistry {
  /// The schemes, in the order in which `csilink list` shows them.
  public static let schemes: [any (PilotScheme & Part).Type] = [
    DFTPilots.self, HadamardPilots.self, IdentityPilots.self, RandomPilots.self,
  ]
}
