import Parts

extension DropNumber {
  /// Mean over tones of log2(1 + SNR |H w|²); of several users, log2(1 + SINR).
  public static let rate = DropNumber(
    "rate", .servedSlots, like: Resemblance(.perfectRate) { $0[0] })
  /// The same with ‖H‖² for |H w|²; of several users, with the weights of perfect CSI.
  public static let perfectRate = DropNumber("perfect_rate", .servedSlots)
}

extension Column {
  /// `rate_bits_per_s_hz`: mean over tones of log2(1 + SNR |H w|²).
  public static let rate = mean(
    "rate_bits_per_s_hz", unit: "bit/s/Hz", .rate,
    "Mean over tones of log2(1 + SNR |H w|²); of several users, the mean of log2(1 + SINR).")
  /// `rate_perfect_bits_per_s_hz`: the rate with perfect CSI.
  public static let perfectRate = mean(
    "rate_perfect_bits_per_s_hz", unit: "bit/s/Hz", .perfectRate, "The rate with perfect CSI.",
    label: "rate with perfect CSI")
}

extension Column.Interval {
  /// Ends of the 95 % interval of `rate_bits_per_s_hz`.
  public static let rate = Column.Interval("rate", unit: "bit/s/Hz", .rate) { $0 }
}

/// What the downlink can carry.
public struct Rate: Metric {
  public static let schema = PartSchema(
    .metric, "rate",
    "What the downlink can carry: rate_bits_per_s_hz, its interval, and the rate with perfect CSI.")
  public static let numbers: [DropNumber] = [.rate, .perfectRate]
  public static let columns: [Column] = [
    .rate, Column.Interval.rate.low, Column.Interval.rate.high, .perfectRate,
    Column.Interval.rate.isReliable,
  ]

  public init() {}

  public func add(_ slot: ServedSlot, to sums: inout DropSums) {
    let tones = Double(slot.toneCount)
    for drop in slot.drops {
      sums[drop, 0] += slot.beams[drop].rate / tones
      sums[drop, 1] += slot.beams[drop].perfectRate / tones
    }
  }
}
