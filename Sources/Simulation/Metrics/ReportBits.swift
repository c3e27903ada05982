import Parts

extension DropNumber {
  /// Bits of the payloads that arrived wrong, summed over reports.
  public static let bitErrors = DropNumber("bit_errors", .none)
  /// Quantised values outside their range, summed over reports.
  public static let clippedValues = DropNumber("clipped_values", .none)
  /// Bits of the payloads, summed over reports.
  public static let sentBits = DropNumber("sent_bits", .none)
  /// Reports that the feedback link lost.
  public static let lostReports = DropNumber("lost_reports", .none)
}

extension Column {
  /// `payload_bits`: bits of one report, side information included, the mean if they vary; empty if real numbers travel.
  public static let payloadBits = Column(
    "payload_bits", unit: "bit",
    "Bits of one report, side information included, the mean if they vary; empty if real numbers travel.",
    label: "payload"
  ) { fold in
    guard fold.constants.payloadVaries else { return fold.constants.payloadBits.map(Value.count) }
    return fold.meanPayloadBits.map(Value.number)
  }
  /// `feedback_bit_error_rate`: share of the payload bits that arrive wrong; empty if no bits are sent.
  public static let feedbackBitErrorRate = number(
    "feedback_bit_error_rate",
    "Share of the payload bits that arrive wrong; empty if no bits are sent."
  ) { fold in
    fold.constants.payloadBits.flatMap { bits in
      let sent = Double(bits * fold.constants.reportsPerDrop)
      let count = fold.constants.payloadVaries ? fold.mean(of: .sentBits) ?? sent : sent
      return count > 0 ? fold.mean(of: .bitErrors).map { $0 / count } : nil
    }
  }
  /// `quantizer_clip_fraction`: share of the quantised values outside the quantiser's range.
  public static let quantizerClipFraction = number(
    "quantizer_clip_fraction", "Share of the quantised values outside the quantiser's range."
  ) { fold in
    let values = fold.constants.quantizedValues * fold.constants.reportsPerDrop
    return values > 0 ? fold.mean(of: .clippedValues).map { $0 / Double(values) } : nil
  }
}

/// Bits that were sent and what became of them.
public struct ReportBits: Metric {
  public static let schema = PartSchema(
    .metric, "report_bits",
    "Bits of the reports and what became of them: payload_bits, feedback_bit_error_rate, quantizer_clip_fraction."
  )
  public static let numbers: [DropNumber] = [
    .bitErrors, .clippedValues, .sentBits, .lostReports,
  ]
  public static let columns: [Column] = [
    .payloadBits, .feedbackBitErrorRate, .quantizerClipFraction,
  ]

  public init() {}

  public func add(_ slot: ReportedSlot, to sums: inout DropSums) {
    for drop in slot.drops {
      let report = slot.reports[drop]
      if case .bits(let received, _) = slot.deliveries[drop] {
        sums[drop, 0] += Double(report.bits.hammingDistance(to: received))
      }
      sums[drop, 1] += Double(report.clippedCount)
      if report.reals == nil { sums[drop, 2] += Double(report.bits.count) }
      if slot.deliveries[drop].isLost { sums[drop, 3] += 1 }
    }
  }
}
