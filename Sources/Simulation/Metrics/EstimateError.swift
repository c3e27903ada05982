import Parts

extension DropNumber {
  /// ‖H − Ĥ‖² / ‖H‖² of the UE's estimate, all tones, in the measured slots.
  public static let estimateRatio = DropNumber("estimate_ratio", .reports)
}

extension Column {
  /// `estimate_nmse_db`: NMSE of the UE's estimate, all tones.
  public static let estimateNMSEDB = level(
    "estimate_nmse_db", .estimateRatio, "NMSE of the UE's estimate, all tones.",
    label: "NMSE of the estimate", lowerIsBetter: true)
}

/// Error of the UE's estimate.
public struct EstimateError: Metric {
  public static let schema = PartSchema(
    .metric, "estimate_error", "Error of the UE's estimate: estimate_nmse_db.")
  public static let numbers: [DropNumber] = [.estimateRatio]
  public static let columns: [Column] = [.estimateNMSEDB]

  public init() {}

  public func add(_ slot: ReportedSlot, to sums: inout DropSums) {
    for drop in slot.drops { sums[drop, 0] += slot.estimateEnergies.ratio(drop) }
  }
}
