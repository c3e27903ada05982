import Parts

extension DropNumber {
  /// ‖H − Ĥ‖² / ‖H‖² of the reconstruction, all tones, in the slots that use it; missing if the BS does not know the gain.
  public static let fullRatio = DropNumber(
    "full_ratio", .servedSlots,
    like: Resemblance(.errorRatio, .truncationRatio) { $0[0] * (1 - $0[1]) + $0[1] }
  ) { $0.knowsScale }
}

extension Column {
  /// `nmse_full_db`: NMSE of the reconstruction over all tones in the slots that use it; empty if the BS does not know the gain.
  public static let nmseFullDB = level(
    "nmse_full_db", .fullRatio,
    "NMSE of the reconstruction over all tones in the slots that use it; empty if the BS does not know the gain.",
    label: "NMSE over all tones", lowerIsBetter: true)
}

/// Error of the reconstruction over all tones, when it is used.
public struct FullBandError: Metric {
  public static let schema = PartSchema(
    .metric, "full_band_error",
    "Error of the reconstruction over all tones in the slots that use it: nmse_full_db.")
  public static let numbers: [DropNumber] = [.fullRatio]
  public static let columns: [Column] = [.nmseFullDB]

  public init() {}

  public func add(_ slot: ServedSlot, to sums: inout DropSums) {
    for drop in slot.drops {
      let similarity = slot.similarities[drop]
      sums[drop, 0] += similarity.energy > 0 ? similarity.error / similarity.energy : .nan
    }
  }
}
