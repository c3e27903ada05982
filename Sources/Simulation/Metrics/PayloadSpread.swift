import Parts

extension DropNumber {
  /// Bits of the largest payload.
  public static let largestPayload = DropNumber("largest_payload", .none)
}

extension Column {
  /// Bits that 95 of 100 reports do not exceed.
  public static let payloadBits95Percentile = Column(
    "payload_bits_95_percentile",
    "95th percentile over drops of the bits of a report, the mean over the reports of a drop; empty if real numbers travel.",
    quantiles: [.sentBits]
  ) { fold in
    guard fold.constants.payloadBits != nil else { return nil }
    return fold.quantile(0.95, of: .sentBits).map {
      .number($0 / Double(fold.constants.reportsPerDrop))
    }
  }

  /// Bits of the largest report that was sent.
  public static let payloadBitsMaximum = Column(
    "payload_bits_maximum",
    "Bits of the largest report that was sent; empty if real numbers travel."
  ) { fold in
    guard fold.constants.payloadBits != nil else { return nil }
    return fold.largest(of: .largestPayload).map { .count(Int($0)) }
  }
}

/// How far the bits of single reports go.
public struct PayloadSpread: Metric {
  public static let schema = PartSchema(
    .metric, "payload_spread",
    "Columns payload_bits_95_percentile and payload_bits_maximum: bits of a report that 95 % do not exceed, and of the largest."
  )
  public static let numbers: [DropNumber] = [.largestPayload]
  public static let columns: [Column] = [.payloadBits95Percentile, .payloadBitsMaximum]

  public init() {}

  public func add(_ slot: ReportedSlot, to sums: inout DropSums) {
    for drop in slot.drops where slot.reports[drop].reals == nil {
      sums[drop, 0] = max(sums[drop, 0], Double(slot.reports[drop].bits.count))
    }
  }
}
