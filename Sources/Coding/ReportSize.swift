/// What a report takes on the uplink.
public enum ReportSize: Sendable, Hashable {
  /// As many bits in every report.
  case bits(Int)
  /// At most so many bits, by drop and slot.
  case atMostBits(Int)
  /// Real numbers, without a quantiser.
  case reals(Int)

  /// The largest number of bits; nil for reals.
  public var bitLimit: Int? {
    switch self {
    case .bits(let count), .atMostBits(let count): count
    case .reals: nil
    }
  }
}
