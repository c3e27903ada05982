import LinkMath

/// What the statistics of a point need to know of its link; constants of the operating point.
public struct PointConstants: Sendable, Hashable {
  /// Swept values in axis order; nil where the axis does not apply.
  public var coordinates: [String?]
  /// Bits of one report; nil without a quantiser.
  public var payloadBits: Int?
  /// Quantised values of one report; 0 without a quantiser.
  public var quantizedValues: Int
  /// Reports of a drop.
  public var reportsPerDrop: Int
  /// Mean rate of wrong bits of the feedback link, as its model has it.
  public var bitErrorRate: Double
  /// Whether the drops lie in one environment that the run's seed drew.
  public var sharesEnvironment = false

  /// The constants of a point whose drops have environments of their own.
  package init(
    coordinates: [String?], payloadBits: Int?, quantizedValues: Int, reportsPerDrop: Int,
    bitErrorRate: Double
  ) {
    self.coordinates = coordinates
    self.payloadBits = payloadBits
    self.quantizedValues = quantizedValues
    self.reportsPerDrop = reportsPerDrop
    self.bitErrorRate = bitErrorRate
  }
}

/// Adds drops to the statistics of one operating point, in drop order.
package struct PointFold: Sendable {
  private let constants: PointConstants
  private var means = [RunningMean](repeating: RunningMean(), count: DropMetric.allCases.count)
  private var nmse = DropMean()
  private var rate = DropMean()
  private var harmedDrops = 0
  private var zeroEnergyDrops = 0

  /// A fold that has seen no drop.
  package init(_ constants: PointConstants) { self.constants = constants }

  /// Adds the drops of a block, in their order.
  package mutating func add(_ block: BlockMetrics, point: Int) {
    for drop in 0..<block.dropCount {
      guard !block[point, drop, .errorRatio].isNaN else {
        zeroEnergyDrops += 1
        continue
      }
      for metric in DropMetric.allCases {
        means[metric.rawValue].add(block[point, drop, metric])
      }
      nmse.add(block[point, drop, .errorRatio])
      rate.add(block[point, drop, .rate])
      if block[point, drop, .bitErrors] > 0 { harmedDrops += 1 }
    }
  }

  private func mean(_ metric: DropMetric) -> RunningMean { means[metric.rawValue] }

  /// A harmed report gives a reconstruction that is unrelated to the channel: an NMSE of 2 if both have the same energy.
  private static let harmedNMSE = 2.0

  private var nmseIsReliable: Bool { isReliable(nmse, harm: Self.harmedNMSE) }
  private var rateIsReliable: Bool { isReliable(rate, harm: rate.mean) }

  /// Whether the drops determine an interval.
  ///
  /// - Parameter harm: what a harmed report changes the value of its drop by.
  private func isReliable(_ mean: DropMean, harm: Double) -> Bool {
    // The drops of one drawn environment say nothing of how environments differ.
    guard let interval = mean.interval, mean.isDetermined, !constants.sharesEnvironment else {
      return false
    }
    // Rare errors of the feedback link carry the mean once they are there, and do not show before: fewer than five
    // harmed drops are enough only if the errors to come cannot move the mean by a tenth of the interval.
    let harmed = min(
      constants.bitErrorRate * Double((constants.payloadBits ?? 0) * constants.reportsPerDrop), 1)
    let width = interval.upperBound - interval.lowerBound
    return harmedDrops >= 5 || harmed * harm <= 0.05 * width
  }

  /// Half the width of the 95 % interval of `nmse_db`; nil while it has no finite lower end or is not reliable.
  package var nmseHalfWidthDB: Double? {
    guard nmseIsReliable, let interval = nmse.interval, interval.lowerBound > 0 else { return nil }
    return (decibels(interval.upperBound) - decibels(interval.lowerBound)) / 2
  }

  /// Half the width of the 95 % interval of the rate, in bit/s/Hz; nil while it is not reliable.
  package var rateHalfWidth: Double? {
    guard rateIsReliable else { return nil }
    return rate.interval.map { ($0.upperBound - $0.lowerBound) / 2 }
  }

  /// The result of the drops so far.
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
      nmseDBInterval: nmse.interval.map {
        decibels(max($0.lowerBound, 0))...decibels($0.upperBound)
      },
      nmseEffectiveDrops: nmse.effectiveCount,
      nmseIntervalIsReliable: nmse.interval.map { _ in nmseIsReliable },
      nmseRatioOfSumsDB: decibels(mean(.errorEnergy).mean / mean(.referenceEnergy).mean),
      nmseFullDB: full.isNaN ? nil : full,
      cosineSimilarity: mean(.cosineSimilarity).mean,
      squaredCosineSimilarity: mean(.squaredCosineSimilarity).mean,
      feedbackBitErrorRate: constants.payloadBits.map {
        mean(.bitErrors).mean / (Double($0) * perReport)
      },
      beamformingGainDB: toDB(.beamformingGain), gainFraction: mean(.gainFraction).mean,
      rate: mean(.rate).mean, rateInterval: rate.interval,
      rateIntervalIsReliable: rate.interval.map { _ in rateIsReliable },
      perfectRate: mean(.perfectRate).mean,
      quantizerClipFraction: constants.quantizedValues > 0
        ? mean(.clippedValues).mean / (Double(constants.quantizedValues) * perReport) : nil,
      truncationLossDB: toDB(.truncationRatio), zeroEnergyDrops: zeroEnergyDrops)
  }
}
