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
  /// Number of drops, those without energy included.
  public let drops: Int
  /// Why the run ended.
  public let stopReason: StopReason
  /// Bits of one report; nil without a quantiser.
  public let payloadBits: Int?
  /// NMSE of the UE's estimate in dB, all tones: mean of ratios.
  public let estimateNMSEDB: Double
  /// NMSE of the reconstruction in dB, kept delay rows: mean of ratios.
  public let nmseDB: Double
  /// 95 % interval of ``nmseDB``, computed on the linear mean; nil below two drops.
  public let nmseDBInterval: ClosedRange<Double>?
  /// How many equal drops would leave the mean of the NMSE as uncertain; nil without errors.
  public let nmseEffectiveDrops: Double?
  /// Whether the drops determine the interval; nil without one.
  public let nmseIntervalIsReliable: Bool?
  /// NMSE of the reconstruction in dB, kept delay rows: ratio of sums.
  public let nmseRatioOfSumsDB: Double
  /// NMSE of the reconstruction in dB, all tones, in the slots that use it; nil if the BS does not know the gain.
  public let nmseFullDB: Double?
  /// Mean cosine similarity ρ of true and reconstructed channel.
  public let cosineSimilarity: Double
  /// Mean of its square, SGCS.
  public let squaredCosineSimilarity: Double
  /// Payload bits that arrived wrong over those sent; nil if no bits are sent.
  public let feedbackBitErrorRate: Double?
  /// Received power over the mean power of a port, dB.
  public let beamformingGainDB: Double
  /// Received power over that of perfect beamforming.
  public let gainFraction: Double
  /// Rate in bit/s/Hz.
  public let rate: Double
  /// 95 % interval of the rate; nil below two drops.
  public let rateInterval: ClosedRange<Double>?
  /// Whether the drops determine the interval; nil without one.
  public let rateIntervalIsReliable: Bool?
  /// Rate in bit/s/Hz with perfect CSI at the BS.
  public let perfectRate: Double
  /// Quantised values outside their range; nil if nothing is quantised.
  public let quantizerClipFraction: Double?
  /// Share of the channel's energy outside the kept delay rows, which no codec can send; round-off
  /// if nothing is cut off.
  public let truncationLossDB: Double
  /// Drops without energy, left out of all means.
  public let zeroEnergyDrops: Int

  /// A summary; the parameters are the properties.
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
