import LinkMath
import Reports
import Simulation
import Testing

/// Means, intervals and the drops that are left out.
@Suite struct PointFoldTests {
  private let constants = PointConstants(
    coordinates: ["1"], payloadBits: 10, quantizedValues: 4, reportsPerDrop: 2)

  /// A block of drops with the given error ratios; NaN is a drop without energy.
  private func block(_ ratios: [Double]) -> BlockMetrics {
    var block = BlockMetrics(pointCount: 1, dropCount: ratios.count)
    for (drop, ratio) in ratios.enumerated() {
      for metric in DropMetric.allCases { block[0, drop, metric] = ratio }
      block[0, drop, .referenceEnergy] = 4
    }
    return block
  }

  private func fold(_ blocks: [BlockMetrics]) -> PointFold {
    var fold = PointFold(constants)
    for block in blocks { fold.add(block, point: 0) }
    return fold
  }

  @Test func meansAreOfRatiosAndOfSums() throws {
    let summary = fold([block([0.1, 0.2]), block([0.6])]).summary(.drops)
    #expect(abs(summary.nmseDB - decibels(0.3)) < 1e-12)
    #expect(abs(summary.nmseRatioOfSumsDB - decibels(0.3 / 4)) < 1e-12)
    #expect(abs(summary.rate - 0.3) < 1e-12)
    // 0.3 wrong bits in two reports of ten; 0.3 clipped values in two of four.
    #expect(abs(try #require(summary.feedbackBitErrorRate) - 0.3 / 20) < 1e-12)
    #expect(abs(try #require(summary.quantizerClipFraction) - 0.3 / 8) < 1e-12)
    #expect(abs(summary.truncationLossDB - decibels(0.3)) < 1e-12)
    #expect(summary.drops == 3 && summary.zeroEnergyDrops == 0)
  }

  /// The interval is that of the linear mean: Student's t with two degrees of freedom, 4.302653.
  @Test func intervalsAreOfTheLinearMean() throws {
    let summary = fold([block([0.29, 0.3, 0.31])]).summary(.drops)
    let interval = try #require(summary.nmseDBInterval)
    let half = 4.302653 * 0.01 / 3.0.squareRoot()
    #expect(abs(interval.lowerBound - decibels(0.3 - half)) < 1e-6)
    #expect(abs(interval.upperBound - decibels(0.3 + half)) < 1e-6)
  }

  /// A lower end that is not positive is minus infinity in dB and printed as `-inf`; such a point cannot be stopped on.
  @Test func anIntervalThatReachesZeroIsMinusInfinity() throws {
    let wide = fold([block([0.001, 1])])
    let summary = wide.summary(.drops)
    #expect(try #require(summary.nmseDBInterval).lowerBound == -.infinity)
    #expect(wide.nmseHalfWidthDB == nil)
    #expect(try #require(wide.rateHalfWidth) > 0.3)
    let narrow = fold([block([0.29, 0.3, 0.31])])
    #expect(try #require(narrow.nmseHalfWidthDB) > 0)
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
    #expect(try #require(point.nmseDBInterval).lowerBound == -.infinity)
    #expect(ReportCSV.text(of: result).contains(",-inf,"))
  }

  @Test func dropsWithoutEnergyAreCountedAndLeftOut() {
    let with = fold([block([0.1, .nan, 0.2]), block([.nan, .nan]), block([0.6])])
    let without = fold([block([0.1, 0.2, 0.6])])
    let (a, b) = (with.summary(.drops), without.summary(.drops))
    #expect(a.zeroEnergyDrops == 3)
    #expect(a.drops == 6)
    #expect(a.nmseDB == b.nmseDB)
    #expect(a.nmseDBInterval == b.nmseDBInterval)
    #expect(a.rate == b.rate)
    #expect(b.zeroEnergyDrops == 0 && b.drops == 3)
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
    #expect(points[0].nmseFullDB != nil)
    #expect(points[1].nmseFullDB == nil)
    #expect(points[0].rate == points[1].rate)
    #expect(points[0].squaredCosineSimilarity == points[1].squaredCosineSimilarity)
  }
}
