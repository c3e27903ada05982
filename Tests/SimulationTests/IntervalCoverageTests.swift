import LinkMath
import Simulation
import Testing

/// Intervals of links, against closed forms.
@Suite struct IntervalCoverageTests {
  /// Point folds of windows of drops of a run.
  private func windows(of run: PreparedRun, drops: Int, count: Int) throws -> [PointSummary] {
    let empty = PointFold(
      PointConstants(
        coordinates: [], payloadBits: nil, quantizedValues: 0, reportsPerDrop: 1, bitErrorRate: 0))
    var folds: [PointFold] = []
    var (fold, held) = (empty, 0)
    try forEachDrop(run) { _, value in
      guard folds.count < count else { return }
      var block = BlockMetrics(pointCount: 1, dropCount: 1)
      for metric in DropNumber.standard { block[0, 0, metric] = value(metric) }
      fold.add(block, point: 0)
      held += 1
      if held == drops {
        folds.append(fold)
        (fold, held) = (empty, 0)
      }
    }
    return folds.map { $0.summary(.drops) }
  }

  /// Least squares with n ports that fade alike, one tone: ‖noise‖² / ‖h‖² has the mean `n / (n - 1)` over the SNR and the
  /// tail index n. Of 200 runs, intervals that are not marked hold it in at least 92 of 100.
  @Test(arguments: [(2, 30), (2, 100), (2, 1000), (4, 30), (4, 100), (4, 1000)])
  func leastSquaresWithFewPorts(ports: Int, drops: Int) throws {
    let run = try prepare(
      """
      link:
        grid: {tones: 1}
        channel: {type: rayleigh, ports: \(ports), taps: 1}
        estimator: ls
        pilots: {type: dft, snr_db: 10}
        transform: {taps: 1}
      run: {seed: \(drops), drops: \(200 * drops), block: 1000}
      """)
    let truth = decibels(0.1 * Double(ports) / Double(ports - 1))
    let runs = try windows(of: run, drops: drops, count: 200)
    #expect(runs.count == 200)
    let hits = runs.filter { $0.interval(.nmse)!.contains(truth) }.count
    #expect(hits >= 184, "\(hits)")
    let reliable = runs.filter { $0.isReliable(.nmse)! }
    let held = reliable.filter { $0.interval(.nmse)!.contains(truth) }.count
    #expect(Double(held) >= 0.92 * Double(reliable.count), "\(held) of \(reliable.count)")
    if drops == 1000 { #expect(reliable.count > 140, "\(reliable.count)") }
  }

  /// Drops in one cell that the seed drew say nothing of other cells: the row is marked, and no rule ends the run. A cell
  /// that the scenario names is the one that is asked for.
  @Test(arguments: [("cell", true), ("cell, environment_seed: 3", false), ("independent", false)])
  func drawnCellsAreMarked(environment: String, isMarked: Bool) throws {
    let result = try execute(
      prepare(
        """
        link:
          grid: {tones: 8, spacing: 1 MHz, carrier_frequency: 3.5 GHz}
          channel: {type: tr38901, scenario: umi, state: los, environment: \(environment), ports: 8}
          estimator: perfect
          transform: {taps: 4}
        run: {seed: 2, drops: 320, stop: {rate_half_width: 100, min_drops: 64}}
        """))
    let point = result.points[0]
    #expect(point.isReliable(.rate) == !isMarked)
    #expect(point.stopReason == (isMarked ? .drops : .interval))
    #expect(result.sharesEnvironment == isMarked)
  }
}
