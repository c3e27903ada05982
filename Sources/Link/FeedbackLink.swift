import Codecs
import LinkMath
import Parts

/// The uplink that carries the reports from the UE to the BS.
public protocol FeedbackLink: Sendable {
  /// What the link can carry; a scenario that does not fit is refused when it is read.
  static var carries: Set<FeedbackKind> { get }

  /// Mean rate of wrong bits in payloads of so many; zero for a link that leaves bits unharmed.
  func bitErrorRate(bits count: Int) -> Double

  /// Share of the reports of so many bits that do not arrive as they were sent because they are protected as a whole; a
  /// cautious estimate if it is not known.
  func lossRate(bits count: Int) -> Double

  /// - Throws: `SettingsError` if the link cannot carry reports of this size.
  func check(_ size: ReportSize) throws(SettingsError)

  /// What becomes of the reports of a block of drops.
  func transmit(_ reports: [Report], _ block: DropBlock, slot: Int) -> [Delivery]
}

extension FeedbackLink {
  /// No bits arrive wrong.
  public func bitErrorRate(bits count: Int) -> Double { 0 }
  /// All reports arrive.
  public func lossRate(bits count: Int) -> Double { 0 }
  /// Reports of any size.
  public func check(_ size: ReportSize) throws(SettingsError) {}
}

/// What reports are made of.
public enum FeedbackKind: Sendable {
  /// Bits.
  case payload
  /// Real numbers.
  case codeword
}
