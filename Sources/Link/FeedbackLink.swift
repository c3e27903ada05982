import Codecs
import LinkMath
import Parts

/// The uplink that carries the reports from the UE to the BS.
public protocol FeedbackLink: Sendable {
  /// What the link can carry; a scenario that does not fit is refused when it is read.
  static var carries: Set<FeedbackKind> { get }

  /// Mean rate of wrong payload bits; zero for a link that leaves bits unharmed.
  var bitErrorRate: Double { get }

  /// Share of the reports that do not arrive.
  var lossRate: Double { get }

  /// What becomes of the reports of a block of drops.
  func transmit(_ reports: [Report], _ block: DropBlock, slot: Int) -> [Delivery]
}

extension FeedbackLink {
  /// No bits arrive wrong.
  public var bitErrorRate: Double { 0 }
  /// All reports arrive.
  public var lossRate: Double { 0 }
}

/// What reports are made of.
public enum FeedbackKind: Sendable {
  /// Bits.
  case payload
  /// Real numbers.
  case codeword
}
