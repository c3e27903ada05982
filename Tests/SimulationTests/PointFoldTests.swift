import LinkMath
import Reports
import Simulation
import Testing

/// Means, intervals and the drops that are left out.
@Suite struct PointFoldTests {
  private func constants(_ bitErrorRate: Double = 0) -> PointConstants {
    PointConstants(
      coordinates: ["1"], payloadBits: 10, quantizedValues: 4, reportsPerDrop: 2,
      bitErrorRate: bitErrorRate)
  }

  /// A block of drops with the given error ratios; NaN is a drop without energy.
  private func block(_ ratios: [Double]) -> BlockMetrics {
    var block = BlockMetrics(pointCount: 1, dropCount: ratios.count)
    for (drop, ratio) in ratios.enumerated() {
      for metric in DropNumber.standard { block[0, drop, metric] = ratio }
      if !ratio.isNaN { block[0, drop, .referenceEnergy] = 4 }
    }
    return block
  }

  private func fold(_ blocks: [BlockMetrics], bitErrorRate: Double = 0) -> PointFold {
    var fold = PointFold(constants(bitErrorRate))
    for block in blocks { fold.add(block, point: 0) }
    return fold
  }

  @Test func meansAreOfRatiosAndOfSums() throws {
    let summary = fold([block([0.1, 0.2]), block([0.6])]).summary(.drops)
    #expect(abs(summary[.nmseDB] - decibels(0.3)) < 1e-12)
    #expect(abs(summary[.nmseRatioOfSumsDB] - decibels(0.3 / 4)) < 1e-12)
    #expect(abs(summary[.rate] - 0.3) < 1e-12)
    // 0.3 wrong bits in two reports of ten; 0.3 clipped values in two of four.
    #expect(abs(try #require(summary.number(.feedbackBitErrorRate)) - 0.3 / 20) < 1e-12)
    #expect(abs(try #require(summary.number(.quantizerClipFraction)) - 0.3 / 8) < 1e-12)
    #expect(abs(summary[.truncationLossDB] - decibels(0.3)) < 1e-12)
    #expect(summary.drops == 3 && summary[.zeroEnergyDrops] == 0)
  }

  /// Every number of a point is of the metric that it is named after: drop d of three has (m + 1) (1 + d / 10) for metric m.
  @Test func everyNumberIsOfItsMetric() throws {
    let value = { (metric: DropNumber, drop: Int) in
      Double(DropNumber.standard.firstIndex(of: metric)! + 1) * (1 + Double(drop) / 10)
    }
    var metrics = BlockMetrics(pointCount: 1, dropCount: 3)
    for metric in DropNumber.standard {
      for drop in 0..<3 { metrics[0, drop, metric] = value(metric, drop) }
    }
    let summary = fold([metrics]).summary(.interval)
    #expect(summary.stopReason == .interval && summary[.payloadBits] == 10)
    let levels: [(DropNumber, Double?)] = [
      (.estimateRatio, summary[.estimateNMSEDB]), (.errorRatio, summary[.nmseDB]),
      (.fullRatio, summary.number(.nmseFullDB)), (.beamformingGain, summary[.beamformingGainDB]),
      (.truncationRatio, summary[.truncationLossDB]),
    ]
    for (metric, level) in levels {
      #expect(abs(try #require(level) - decibels(value(metric, 1))) < 1e-12, "\(metric)")
    }
    let means: [(DropNumber, Double?)] = [
      (.cosineSimilarity, summary[.cosineSimilarity]),
      (.squaredCosineSimilarity, summary[.squaredCosineSimilarity]),
      (.gainFraction, summary[.gainFraction]), (.rate, summary[.rate]),
      (.perfectRate, summary[.perfectRate]),
      (.bitErrors, summary.number(.feedbackBitErrorRate).map { 20 * $0 }),
      (.clippedValues, summary.number(.quantizerClipFraction).map { 8 * $0 }),
    ]
    for (metric, mean) in means {
      #expect(abs(try #require(mean) - value(metric, 1)) < 1e-12, "\(metric)")
    }
    let ratio = value(.errorEnergy, 1) / value(.referenceEnergy, 1)
    #expect(abs(summary[.nmseRatioOfSumsDB] - decibels(ratio)) < 1e-12)
    let ends = { (metric: DropNumber) in DropMean((0..<3).map { value(metric, $0) }).interval! }
    #expect(summary.interval(.rate) == ends(.rate))
    #expect(summary.interval(.nmse)?.upperBound == decibels(ends(.errorRatio).upperBound))
  }

  /// The interval is that of the linear mean, with few drops more than Student's t of two degrees of freedom, 4.302653.
  @Test func intervalsAreOfTheLinearMean() throws {
    let summary = fold([block([0.29, 0.3, 0.31])]).summary(.drops)
    let linear = try #require(DropMean([0.29, 0.3, 0.31]).interval)
    let half = 4.302653 * 0.01 / 3.0.squareRoot()
    #expect(linear.lowerBound <= 0.3 - half + 1e-6 && linear.upperBound >= 0.3 + half - 1e-6)
    #expect(
      try #require(summary.interval(.nmse))
        == decibels(linear.lowerBound)...decibels(linear.upperBound))
    #expect(try #require(summary.interval(.rate)) == linear)
  }

  /// A lower end that is not positive is minus infinity in dB and printed as `-inf`; such a point cannot be stopped on.
  @Test func anIntervalThatReachesZeroIsMinusInfinity() throws {
    let wide = fold([block([0.001, 1])])
    let summary = wide.summary(.drops)
    #expect(try #require(summary.interval(.nmse)).lowerBound == -.infinity)
    #expect(wide.nmseHalfWidthDB == nil)
    let narrow = fold([block(steady(100))])
    let point = narrow.summary(.drops)
    let (nmse, rate) = (try #require(point.interval(.nmse)), try #require(point.interval(.rate)))
    #expect(nmse.lowerBound < nmse.upperBound && rate.lowerBound < rate.upperBound)
    #expect(narrow.nmseHalfWidthDB == (nmse.upperBound - nmse.lowerBound) / 2)
    #expect(narrow.rateHalfWidth == (rate.upperBound - rate.lowerBound) / 2)
  }

  /// Values around 0.001 without a tail.
  private func steady(_ count: Int) -> [Double] {
    (0..<count).map { 0.001 + 1e-5 * Double($0 % 10) }
  }

  /// Before the first wrong report a link that makes them looks like one that does not; the means are then worth nothing.
  @Test(arguments: [
    (0.0, 0, true), (1e-8, 0, true), (1e-3, 0, false), (1e-3, 4, false), (1e-3, 5, true),
  ])
  func wrongReportsToComeAreNotForgotten(rate: Double, harmed: Int, reliable: Bool) throws {
    var metrics = block(steady(100))
    for drop in 0..<100 {
      (metrics[0, drop, .bitErrors], metrics[0, drop, .lostReports]) = (drop < harmed ? 3 : 0, 0)
    }
    let fold = fold([metrics], bitErrorRate: rate)
    #expect(fold.summary(.drops).isReliable(.nmse) == reliable)
    #expect((fold.nmseHalfWidthDB != nil) == reliable)
    #expect((fold.rateHalfWidth != nil) == reliable)
  }

  /// Wrong reports to come do no harm while they move the mean by less than a twentieth of the interval: with two reports of
  /// ten bits, 20 p of the drops have one, with an NMSE of 2 or without rate.
  @Test(arguments: [0.9, 1.1])
  func theHarmToComeIsThatOfAllReports(share: Double) throws {
    let values = steady(100)
    let interval = try #require(DropMean(values).interval)
    let allowed = 0.05 * (interval.upperBound - interval.lowerBound) / 20
    var metrics = block(values)
    for drop in 0..<100 {
      (metrics[0, drop, .bitErrors], metrics[0, drop, .lostReports]) = (0, 0)
    }
    let nmse = fold([metrics], bitErrorRate: share * allowed / 2).summary(.drops)
    #expect(nmse.isReliable(.nmse) == (share < 1))
    let rate = fold([metrics], bitErrorRate: share * allowed / DropMean(values).mean)
    #expect(rate.summary(.drops).isReliable(.rate) == (share < 1))
  }

  /// NMSE and rate are each judged by their own values.
  @Test(arguments: [DropNumber.errorRatio, .rate])
  func oneDoubtfulMeanLeavesTheOther(doubtful: DropNumber) {
    var metrics = block(steady(201))
    metrics[0, 0, doubtful] = 1
    let fold = fold([metrics])
    let summary = fold.summary(.drops)
    #expect(summary.isReliable(.nmse) == (doubtful == .rate))
    #expect(summary.isReliable(.rate) == (doubtful == .errorRatio))
    #expect((fold.nmseHalfWidthDB != nil) == (doubtful == .rate))
    #expect((fold.rateHalfWidth != nil) == (doubtful == .errorRatio))
  }

  /// One drop that outweighs the others: the report counts the drops that carry the mean and does not vouch for it.
  @Test func fewDropsThatCarryTheMeanAreTold() throws {
    let summary = fold([block([1] + steady(200))]).summary(.drops)
    let (sum, squares) = ([1] + steady(200)).reduce((0.0, 0.0)) { ($0.0 + $1, $0.1 + $1 * $1) }
    #expect(abs(try #require(summary.number(.nmseEffectiveDrops)) - sum * sum / squares) < 1e-9)
    #expect(summary.isReliable(.nmse) == false)
    #expect(fold([block(steady(200))]).summary(.drops).isReliable(.nmse) == true)
  }

  @Test func minusInfinityIsPrinted() throws {
    let result = try execute(
      prepare(
        """
        link:
          grid: {tones: 1}
          channel: {type: rayleigh, ports: 1, taps: 1}
          pilots: {type: dft, snr_db: 0}
          transform: {taps: 1}
        run: {seed: 2, drops: 2}
        """))
    let point = result.points[0]
    #expect(try #require(point.interval(.nmse)).lowerBound == -.infinity)
    #expect(ReportCSV.text(of: result).contains(",-inf,"))
  }

  @Test func dropsWithoutEnergyAreCountedAndLeftOut() {
    let with = fold([block([0.1, .nan, 0.2]), block([.nan, .nan]), block([0.6])])
    let without = fold([block([0.1, 0.2, 0.6])])
    let (a, b) = (with.summary(.drops), without.summary(.drops))
    #expect(a[.zeroEnergyDrops] == 3)
    #expect(a.drops == 6)
    #expect(a[.nmseDB] == b[.nmseDB])
    #expect(a.interval(.nmse) == b.interval(.nmse))
    #expect(a[.rate] == b[.rate])
    #expect(b[.zeroEnergyDrops] == 0 && b.drops == 3)
  }

  /// Reports to come that are lost do harm as wrong ones do.
  @Test(arguments: [(0.0, true), (1e-3, false)])
  func lostReportsToComeAreNotForgotten(rate: Double, reliable: Bool) {
    var metrics = block(steady(100))
    for drop in 0..<100 {
      (metrics[0, drop, .bitErrors], metrics[0, drop, .lostReports]) = (0, 0)
    }
    var constants = constants()
    constants.lossRate = rate
    var fold = PointFold(constants)
    fold.add(metrics, point: 0)
    #expect(fold.summary(.drops).isReliable(.nmse) == reliable)
  }

  /// Without the gain the BS cannot tell the full-band error.
  @Test func fullErrorNeedsTheGain() throws {
    let yaml = """
      link:
        grid: {tones: 8}
        channel: {type: rayleigh, ports: 4, taps: 2}
        transform: {taps: 4}
        normaliser: {type: sample_unit_power, gain: genie}
      sweep: {normaliser.gain: [genie, unit]}
      run: {seed: 2, drops: 10}
      """
    let points = try execute(prepare(yaml)).points
    #expect(points[0].number(.nmseFullDB) != nil)
    #expect(points[1].number(.nmseFullDB) == nil)
    #expect(points[0][.rate] == points[1][.rate])
    #expect(points[0][.squaredCosineSimilarity] == points[1][.squaredCosineSimilarity])
  }
}
