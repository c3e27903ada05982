import Parts

extension DropNumber {
  /// Mean over tones of |H w|² over the mean of |H|² over tones and ports.
  public static let beamformingGain = DropNumber("beamforming_gain", .servedSlots)
  /// Mean over tones of |H w|² / ‖H‖².
  public static let gainFraction = DropNumber(
    "gain_fraction", .servedSlots, like: Resemblance(.squaredCosineSimilarity) { $0[0] })
}

extension Column {
  /// `beamforming_gain_db`: received power of the precoder over that of one port of mean power.
  public static let beamformingGainDB = level(
    "beamforming_gain_db", .beamformingGain,
    "Received power of the precoder over that of one port of mean power.")
  /// `gain_fraction`: mean over tones of |H w|² / ‖H‖².
  public static let gainFraction = mean(
    "gain_fraction", .gainFraction, "Mean over tones of |H w|² / ‖H‖².")
}

/// Power that the precoder brings to the UE.
public struct BeamGain: Metric {
  public static let schema = PartSchema(
    .metric, "beam_gain",
    "Power that the precoder brings to the UE: beamforming_gain_db, gain_fraction.")
  public static let numbers: [DropNumber] = [.beamformingGain, .gainFraction]
  public static let columns: [Column] = [.beamformingGainDB, .gainFraction]

  public init() {}

  public func add(_ slot: ServedSlot, to sums: inout DropSums) {
    for drop in slot.drops {
      let beam = slot.beams[drop]
      sums[drop, 0] += beam.power * Double(slot.portCount) / beam.energy
      sums[drop, 1] += beam.fraction / Double(slot.toneCount)
    }
  }
}
