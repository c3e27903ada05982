import Codecs
import LinkMath
import Parts

/// What crosses the uplink in one report slot, for each drop of a block.
public enum FeedbackReport: Sendable {
  /// Bits, one string for each drop, all of the same length.
  case payload([BitString])
  /// Real codewords, for analogue feedback and for studies without a quantiser; side bits travel unharmed.
  case codeword(Codeword)
}

/// The uplink that carries the reports from the UE to the BS.
public protocol FeedbackLink: Sendable {
  /// What the link can carry; a scenario that does not fit is refused when it is read.
  static var carries: Set<FeedbackKind> { get }

  /// Mean rate of wrong payload bits; zero for a link that leaves bits unharmed.
  var bitErrorRate: Double { get }

  /// The report as the BS receives it.
  func transmit(_ report: FeedbackReport, _ block: DropBlock, slot: Int) -> FeedbackReport
}

extension FeedbackLink {
  /// Bits arrive unharmed.
  public var bitErrorRate: Double { 0 }
}

/// What a link is asked to carry: bits of payloads, or real codewords.
public enum FeedbackKind: Sendable {
  /// Bits of reports.
  case payload
  /// Reals of codewords.
  case codeword
}
