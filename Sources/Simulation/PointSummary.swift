import Foundation
import LinkMath

/// Why a run ended.
public enum StopReason: String, Sendable {
  /// All drops were run.
  case drops = "max"
  /// All intervals are as narrow as asked for.
  case interval = "ci"
}

/// The result of one operating point: the numbers of one row of `report.csv`.
public struct PointSummary: Sendable {
  /// Swept values in axis order; nil where the axis does not apply.
  public let coordinates: [String?]
  public let drops: Int
  public let stopReason: StopReason
  /// Bits of one report; nil without a quantiser.
  public let payloadBits: Int?
  /// 10 log10 of means over drops; intervals are of the linear mean, converted.
  public let estimateNMSEDB: Double
  public let nmseDB: Double
  public let nmseDBInterval: ClosedRange<Double>?
  /// How many equal drops would leave the mean of the NMSE as uncertain; nil without errors.
  public let nmseEffectiveDrops: Double?
  /// Whether the drops determine the interval; nil without one.
  public let nmseIntervalIsReliable: Bool?
  public let nmseRatioOfSumsDB: Double
  /// nil if the BS does not know the gain.
  public let nmseFullDB: Double?
  public let cosineSimilarity: Double
  public let squaredCosineSimilarity: Double
  /// nil if no bits are sent.
  public let feedbackBitErrorRate: Double?
  public let beamformingGainDB: Double
  public let gainFraction: Double
  /// bit/s/Hz
  public let rate: Double
  public let rateInterval: ClosedRange<Double>?
  /// Whether the drops determine the interval; nil without one.
  public let rateIntervalIsReliable: Bool?
  public let perfectRate: Double
  /// nil if nothing is quantised.
  public let quantizerClipFraction: Double?
  /// Share of the channel's energy outside the kept delay rows, which no codec can send; round-off
  /// if nothing is cut off.
  public let truncationLossDB: Double
  /// Drops without energy, left out of all means.
  public let zeroEnergyDrops: Int

  package init(
    coordinates: [String?], drops: Int, stopReason: StopReason, payloadBits: Int?,
    estimateNMSEDB: Double, nmseDB: Double, nmseDBInterval: ClosedRange<Double>?,
    nmseEffectiveDrops: Double?, nmseIntervalIsReliable: Bool?,
    nmseRatioOfSumsDB: Double, nmseFullDB: Double?, cosineSimilarity: Double,
    squaredCosineSimilarity: Double, feedbackBitErrorRate: Double?, beamformingGainDB: Double,
    gainFraction: Double, rate: Double, rateInterval: ClosedRange<Double>?,
    rateIntervalIsReliable: Bool?, perfectRate: Double,
    quantizerClipFraction: Double?, truncationLossDB: Double, zeroEnergyDrops: Int
  ) {
    self.coordinates = coordinates
    self.drops = drops
    self.stopReason = stopReason
    self.payloadBits = payloadBits
    self.estimateNMSEDB = estimateNMSEDB
    self.nmseDB = nmseDB
    self.nmseDBInterval = nmseDBInterval
    self.nmseEffectiveDrops = nmseEffectiveDrops
    self.nmseIntervalIsReliable = nmseIntervalIsReliable
    self.nmseRatioOfSumsDB = nmseRatioOfSumsDB
    self.nmseFullDB = nmseFullDB
    self.cosineSimilarity = cosineSimilarity
    self.squaredCosineSimilarity = squaredCosineSimilarity
    self.feedbackBitErrorRate = feedbackBitErrorRate
    self.beamformingGainDB = beamformingGainDB
    self.gainFraction = gainFraction
    self.rate = rate
    self.rateInterval = rateInterval
    self.rateIntervalIsReliable = rateIntervalIsReliable
    self.perfectRate = perfectRate
    self.quantizerClipFraction = quantizerClipFraction
    self.truncationLossDB = truncationLossDB
    self.zeroEnergyDrops = zeroEnergyDrops
  }
}
