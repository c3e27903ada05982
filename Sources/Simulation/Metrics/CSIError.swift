import LinkMath
import Parts

extension DropNumber {
  /// ‖A − Â‖² / ‖A‖² of the reconstruction in the truncated angular-delay domain, in the measured slots. A harmed report gives
  /// a reconstruction that is unrelated to the channel: 2 if both have the same energy.
  public static let errorRatio = DropNumber("error_ratio", .reports, whenHarmed: 2) {
    !$0.givesDirections
  }
  /// The numerator of ``errorRatio``, summed over slots.
  public static let errorEnergy = DropNumber(
    "error_energy", .none, like: Resemblance(.errorRatio, .referenceEnergy) { $0[0] * $0[1] }
  ) { !$0.givesDirections }
  /// The denominator of ``errorRatio``, summed over slots.
  public static let referenceEnergy = DropNumber("reference_energy", .none)
  /// Share of ‖H‖² outside the kept delay rows, of the true channel in the measured slots.
  public static let truncationRatio = DropNumber("truncation_ratio", .reports) { $0.keepsEnergy }
}

extension Column {
  /// `nmse_db`: NMSE of the reconstruction in the kept rows of the angular-delay domain.
  public static let nmseDB = level(
    "nmse_db", .errorRatio,
    "NMSE of the reconstruction in the kept rows of the angular-delay domain.",
    lowerIsBetter: true)
  /// `nmse_effective_drops`: how many equal drops would leave the mean of the NMSE as uncertain; empty without errors.
  public static let nmseEffectiveDrops = Column(
    "nmse_effective_drops",
    "How many equal drops would leave the mean of the NMSE as uncertain; empty without errors.",
    intervals: [.errorRatio]
  ) { $0.effectiveDrops(of: .errorRatio).map(Value.number) }
  /// `nmse_ratio_of_sums_db`: the error energy of all drops over their energy.
  public static let nmseRatioOfSumsDB = number(
    "nmse_ratio_of_sums_db", unit: "dB", "The error energy of all drops over their energy.",
    label: "NMSE as ratio of sums"
  ) { fold in
    fold.mean(of: .errorEnergy).flatMap { error in
      fold.mean(of: .referenceEnergy).map { decibels(error / $0) }
    }
  }
  /// `truncation_loss_db`: share of the channel's energy outside the kept delay rows, which no codec can send; round-off if nothing is cut off.
  public static let truncationLossDB = level(
    "truncation_loss_db", .truncationRatio,
    "Share of the channel's energy outside the kept delay rows, which no codec can send; round-off if nothing is cut off.",
    lowerIsBetter: true)
}

extension Column.Interval {
  /// Ends of the 95 % interval of `nmse_db`.
  public static let nmse = Column.Interval("nmse_db", unit: "dB", .errorRatio) {
    decibels(max($0, 0))
  }
}

/// Error of the reconstruction in the domain of the codec, and what the transform cuts off.
public struct CSIError: Metric {
  public static let schema = PartSchema(
    .metric, "csi_error",
    "Error of the reconstruction in the codec's domain, and what is cut off: nmse_db and others.")
  public static let numbers: [DropNumber] = [
    .errorRatio, .errorEnergy, .referenceEnergy, .truncationRatio,
  ]
  public static let columns: [Column] = [
    .nmseDB, Column.Interval.nmse.low, Column.Interval.nmse.high, .nmseRatioOfSumsDB,
    .truncationLossDB, .nmseEffectiveDrops, Column.Interval.nmse.isReliable,
  ]

  public init() {}

  public func add(_ slot: ReportedSlot, to sums: inout DropSums) {
    for drop in slot.drops {
      let (whole, kept) = (slot.estimateEnergies.reference[drop], slot.energies.reference[drop])
      sums[drop, 0] += slot.energies.ratio(drop)
      sums[drop, 1] += slot.energies.error[drop]
      sums[drop, 2] += kept
      // Round-off below nothing counts as nothing.
      sums[drop, 3] += whole > 0 ? max(1 - kept / whole, 0) : .nan
    }
  }
}
