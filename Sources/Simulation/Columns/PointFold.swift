import LinkMath

/// What the statistics of a point need to know of its link; constants of the operating point.
public struct PointConstants: Sendable, Hashable {
  /// Swept values in axis order; nil where the axis does not apply.
  public var coordinates: [String?]
  /// Bits of one report, the largest number if they vary; nil without bits.
  public var payloadBits: Int?
  /// Whether reports have different numbers of bits.
  public var payloadVaries = false
  /// Quantised values of one report; 0 without a quantiser.
  public var quantizedValues: Int
  /// Reports of a drop.
  public var reportsPerDrop: Int
  /// Mean rate of wrong bits of the feedback link, as its model has it.
  public var bitErrorRate: Double
  /// Whether the drops lie in one environment that the run's seed drew.
  public var sharesEnvironment = false
  /// Share of the reports that the feedback link loses.
  public var lossRate = 0.0
  /// Whether the BS has CSI of the channel's scale.
  public var knowsScale = true
  /// What the drops of this point do not have.
  public var absent: Set<DropMetric> = []

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

/// The statistics of one operating point; drops are added in drop order.
public struct PointFold: Sendable {
  /// What is the same for all drops of the point.
  public let constants: PointConstants
  /// Why the run ended.
  public private(set) var stopReason = StopReason.drops
  /// Drops added, those without energy included.
  public private(set) var drops = 0
  /// Drops without energy, left out of all means.
  public private(set) var zeroEnergyDrops = 0
  private let columns: [Column]
  private var means = [RunningMean](repeating: RunningMean(), count: DropMetric.allCases.count)
  private var intervals: [DropMetric: DropMean] = [.errorRatio: DropMean(), .rate: DropMean()]
  private var quantiles: [DropMetric: QuantileSketch]
  private var harmedDrops = 0

  /// Statistics that have seen no drop.
  package init(_ constants: PointConstants, columns: [Column] = Column.standard) {
    self.constants = constants
    self.columns = columns
    quantiles = Dictionary(
      uniqueKeysWithValues: Set(columns.flatMap(\.quantiles)).map { ($0, QuantileSketch()) })
  }

  /// Adds the drops of a block. A metric that a drop does not have, NaN, is left out of its own statistics only.
  package mutating func add(_ block: BlockMetrics, point: Int) {
    for drop in 0..<block.dropCount {
      drops += 1
      let values = DropMetric.allCases.filter { !block[point, drop, $0].isNaN }
      if values.isEmpty { zeroEnergyDrops += 1 }
      for metric in values {
        let value = block[point, drop, metric]
        means[metric.rawValue].add(value)
        intervals[metric]?.add(value)
        quantiles[metric]?.add(value)
      }
      if block[point, drop, .bitErrors] + block[point, drop, .lostReports] > 0 { harmedDrops += 1 }
    }
  }

  /// Mean over the drops that have the metric; nil if none has it.
  public func mean(of metric: DropMetric) -> Double? {
    let mean = means[metric.rawValue]
    return mean.count > 0 ? mean.mean : nil
  }

  /// 95 % interval of the mean of the NMSE (`errorRatio`) or the rate; nil below two drops.
  public func interval(of metric: DropMetric) -> ClosedRange<Double>? {
    intervals[metric]?.interval
  }

  /// How many equal drops would leave the mean of `errorRatio` or `rate` as uncertain; nil without a positive value.
  public func effectiveDrops(of metric: DropMetric) -> Double? {
    intervals[metric]?.effectiveCount
  }

  /// The smallest value that at least a share p of the drops does not exceed; nil if no drop has the metric.
  ///
  /// - Precondition: a column of the report asks for quantiles of the metric.
  public func quantile(_ p: Double, of metric: DropMetric) -> Double? {
    guard let sketch = quantiles[metric] else {
      preconditionFailure("a column names the metrics whose quantiles it needs")
    }
    return sketch.quantile(p)
  }

  /// A harmed report gives a reconstruction that is unrelated to the channel: an NMSE of 2 if both have the same energy.
  private static let harmedNMSE = 2.0

  /// Whether the drops determine the interval of `errorRatio` or `rate`.
  public func isReliable(_ metric: DropMetric) -> Bool {
    // The drops of one drawn environment say nothing of how environments differ.
    guard let mean = intervals[metric], let interval = mean.interval, mean.isDetermined,
      !constants.sharesEnvironment
    else { return false }
    // Rare errors of the feedback link carry the mean once they are there, and do not show before: fewer than five
    // harmed drops are enough only if the errors to come cannot move the mean by a tenth of the interval.
    let harmed = min(
      constants.bitErrorRate * Double((constants.payloadBits ?? 0) * constants.reportsPerDrop)
        + constants.lossRate * Double(constants.reportsPerDrop), 1)
    let harm = metric == .errorRatio ? Self.harmedNMSE : mean.mean
    let width = interval.upperBound - interval.lowerBound
    return harmedDrops >= 5 || harmed * harm <= 0.05 * width
  }

  /// Half the width of the 95 % interval of `nmse_db`; nil while it has no finite lower end or is not reliable.
  package var nmseHalfWidthDB: Double? {
    guard isReliable(.errorRatio), let interval = interval(of: .errorRatio), interval.lowerBound > 0
    else { return nil }
    return (decibels(interval.upperBound) - decibels(interval.lowerBound)) / 2
  }

  /// Half the width of the 95 % interval of the rate, in bit/s/Hz; nil while it is not reliable.
  package var rateHalfWidth: Double? {
    guard isReliable(.rate) else { return nil }
    return interval(of: .rate).map { ($0.upperBound - $0.lowerBound) / 2 }
  }

  /// The row of the report.
  package func summary(_ reason: StopReason) -> PointSummary {
    var ended = self
    ended.stopReason = reason
    return PointSummary(
      coordinates: constants.coordinates,
      values: columns.reduce(into: [:]) { $0[$1.name] = $1.value(ended) })
  }
}
