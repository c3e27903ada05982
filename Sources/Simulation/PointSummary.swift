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
    nmseRatioOfSumsDB: Double, nmseFullDB: Double?, cosineSimilarity: Double,
    squaredCosineSimilarity: Double, feedbackBitErrorRate: Double?, beamformingGainDB: Double,
    gainFraction: Double, rate: Double, rateInterval: ClosedRange<Double>?, perfectRate: Double,
    quantizerClipFraction: Double?, truncationLossDB: Double, zeroEnergyDrops: Int
  ) {
    self.coordinates = coordinates
    self.drops = drops
    self.stopReason = stopReason
    self.payloadBits = payloadBits
    self.estimateNMSEDB = estimateNMSEDB
    self.nmseDB = nmseDB
    self.nmseDBInterval = nmseDBInterval
    self.nmseRatioOfSumsDB = nmseRatioOfSumsDB
    self.nmseFullDB = nmseFullDB
    self.cosineSimilarity = cosineSimilarity
    self.squaredCosineSimilarity = squaredCosineSimilarity
    self.feedbackBitErrorRate = feedbackBitErrorRate
    self.beamformingGainDB = beamformingGainDB
    self.gainFraction = gainFraction
    self.rate = rate
    self.rateInterval = rateInterval
    self.perfectRate = perfectRate
    self.quantizerClipFraction = quantizerClipFraction
    self.truncationLossDB = truncationLossDB
    self.zeroEnergyDrops = zeroEnergyDrops
  }
}

/// What the counts of a point are divided by; constants of the operating point.
public struct PointConstants: Sendable, Hashable {
  public var coordinates: [String?]
  public var payloadBits: Int?
  /// Quantised values of one report; 0 without a quantiser.
  public var quantizedValues: Int
  public var reportsPerDrop: Int

  package init(
    coordinates: [String?], payloadBits: Int?, quantizedValues: Int, reportsPerDrop: Int
  ) {
    self.coordinates = coordinates
    self.payloadBits = payloadBits
    self.quantizedValues = quantizedValues
    self.reportsPerDrop = reportsPerDrop
  }
}

/// Adds drops to the statistics of one operating point, in drop order.
package struct PointFold: Sendable {
  private let constants: PointConstants
  private var means = [RunningMean](repeating: RunningMean(), count: DropMetric.allCases.count)
  private var zeroEnergyDrops = 0

  package init(_ constants: PointConstants) { self.constants = constants }

  package mutating func add(_ block: BlockMetrics, point: Int) {
    for drop in 0..<block.dropCount {
      guard !block[point, drop, .errorRatio].isNaN else {
        zeroEnergyDrops += 1
        continue
      }
      for metric in DropMetric.allCases {
        means[metric.rawValue].add(block[point, drop, metric])
      }
    }
  }

  private func mean(_ metric: DropMetric) -> RunningMean { means[metric.rawValue] }

  /// Half the width of the 95 % interval of `nmse_db`; nil while it has no finite lower end.
  package var nmseHalfWidthDB: Double? {
    guard let interval = mean(.errorRatio).interval, interval.lowerBound > 0 else { return nil }
    return (decibels(interval.upperBound) - decibels(interval.lowerBound)) / 2
  }

  /// Half the width of the 95 % interval of the rate, in bit/s/Hz.
  package var rateHalfWidth: Double? {
    mean(.rate).interval.map { ($0.upperBound - $0.lowerBound) / 2 }
  }

  package func summary(_ reason: StopReason) -> PointSummary {
    // Without a drop that has energy there is no mean.
    let toDB = { (metric: DropMetric) in
      mean(metric).count > 0 ? decibels(mean(metric).mean) : .nan
    }
    let perReport = Double(constants.reportsPerDrop)
    let full = toDB(.fullRatio)
    return PointSummary(
      coordinates: constants.coordinates, drops: mean(.errorRatio).count + zeroEnergyDrops,
      stopReason: reason, payloadBits: constants.payloadBits,
      estimateNMSEDB: toDB(.estimateRatio), nmseDB: toDB(.errorRatio),
      nmseDBInterval: mean(.errorRatio).interval.map {
        decibels(max($0.lowerBound, 0))...decibels($0.upperBound)
      },
      nmseRatioOfSumsDB: decibels(mean(.errorEnergy).mean / mean(.referenceEnergy).mean),
      nmseFullDB: full.isNaN ? nil : full,
      cosineSimilarity: mean(.cosineSimilarity).mean,
      squaredCosineSimilarity: mean(.squaredCosineSimilarity).mean,
      feedbackBitErrorRate: constants.payloadBits.map {
        mean(.bitErrors).mean / (Double($0) * perReport)
      },
      beamformingGainDB: toDB(.beamformingGain), gainFraction: mean(.gainFraction).mean,
      rate: mean(.rate).mean, rateInterval: mean(.rate).interval,
      perfectRate: mean(.perfectRate).mean,
      quantizerClipFraction: constants.quantizedValues > 0
        ? mean(.clippedValues).mean / (Double(constants.quantizedValues) * perReport) : nil,
      truncationLossDB: toDB(.truncationRatio), zeroEnergyDrops: zeroEnergyDrops)
  }
}
