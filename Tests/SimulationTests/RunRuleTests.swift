import Foundation
import LinkMath
import Simulation
import TestSupport
import Testing

/// When a run stops, and which results it takes up.
@Suite struct RunRuleTests {
  /// The second point's error, of one kept row, varies much more than that of the first.
  private static let yaml = """
    link:
      grid: {tones: 32}
      channel: {type: rayleigh, ports: 4, taps: 2}
      pilots: {type: dft, snr_db: 5}
      transform: {taps: 32}
      normaliser: none
    sweep: {transform.taps: [32, 1]}
    run: {seed: 21, drops: 3000, block: 10}
    """

  private func drops(_ overrides: [String]) throws -> Int {
    let points = try execute(prepare(Self.yaml, set: overrides)).points
    #expect(Set(points.map(\.drops)).count == 1)
    #expect(points.allSatisfy { $0.stopReason == .interval }, "\(overrides)")
    return points[0].drops
  }

  /// A rule that is always met ends the run with the first block that reaches the least number of drops, and no interval
  /// of less than 30 is relied on.
  @Test(arguments: [(2, 30), (31, 40), (95, 100), (100, 100), (131, 140)])
  func noRunStopsBeforeItsLeastNumberOfDrops(least: Int, expected: Int) throws {
    let rules = ["run.stop.min_drops=\(least)", "transform.taps=32"]
    #expect(try drops(rules + ["run.stop.rate_half_width=100"]) == expected)
    guard least > 90 else { return }
    #expect(try drops(rules + ["run.stop.nmse_half_width_db=100"]) == expected)
  }

  /// The default of `stop.min_drops` is 100.
  @Test func aHundredDropsByDefault() throws {
    #expect(try drops(["run.stop.rate_half_width=100"]) == 100)
  }

  /// All points stop together, when the slowest of them is known well enough; of two rules both must be met.
  @Test func everyPointAndEveryRuleMustBeMet() throws {
    let nmse = ["run.stop.min_drops=2", "run.stop.nmse_half_width_db=0.5"]
    let alone = try [32, 1].map { try drops(nmse + ["transform.taps=\($0)"]) }
    #expect(alone[0] + 20 < alone[1], "the first point alone is known sooner: \(alone)")
    #expect(try drops(nmse) == alone[1])
    let byRate = try ["0.3", "0.05"].map { width in
      let rate = "run.stop.rate_half_width=\(width)"
      let one = try drops(["run.stop.min_drops=2", rate, "transform.taps=32"])
      #expect(try drops(nmse + [rate, "transform.taps=32"]) == max(one, alone[0]), "\(width)")
      return one
    }
    #expect(byRate[0] + 20 < alone[0] && alone[0] + 20 < byRate[1], "\(byRate), \(alone)")
  }

  /// What the metrics refer to is part of a run: its journal is not taken up under another definition.
  @Test func anotherReportSectionIsAnotherRun() throws {
    let yaml = """
      link:
        grid: {tones: 257}
        channel: {type: rayleigh, ports: 4, taps: 2}
        transform: {taps: 8}
      run: {seed: 2, drops: 4}
      """
    try withTemporaryFolder { folder in
      let all = try execute(prepare(yaml), folder: folder).points[0]
      let change = ["report.cosine_domain=public_set"]
      let error = #expect(throws: JournalError.self) {
        try execute(prepare(yaml, set: change), folder: folder)
      }
      #expect(error?.problem.contains("another scenario") == true)
      let part = try execute(prepare(yaml, set: change)).points[0]
      #expect(part[.cosineSimilarity] != all[.cosineSimilarity])
      #expect(part[.nmseDB] == all[.nmseDB] && part[.gainFraction] == all[.gainFraction])
    }
  }
}
