import Foundation
import LinkMath
import Reports
import Simulation
import TestSupport
import Testing

/// Columns that a scenario asks for besides the standard ones.
@Suite struct FurtherColumnTests {
  private static let yaml = """
    link:
      grid: {tones: 16}
      channel: {type: rayleigh, ports: 4, taps: 3}
      pilots: {type: dft, snr_db: 5}
      transform: {taps: 8}
    run: {seed: 4, drops: 101, block: 16}
    """

  /// Of 101 drops the sixth smallest rate is the first that at least 5 % do not exceed.
  @Test func percentileOfTheRateIsThatOfTheDrops() throws {
    let run = try prepare(Self.yaml, set: ["report.columns=[rate_5_percentile]"])
    var rates: [Double] = []
    try forEachDrop(run) { _, value in rates.append(value(.rate)) }
    let result = try execute(run, threads: 2)
    #expect(result.points[0][.rate5Percentile] == rates.sorted()[5])
    #expect(ReportCSV.columns(of: result).last == "rate_5_percentile")
    #expect(ResultTable.text(of: result).contains("rate_5_percentile"))
  }

  /// A column changes nothing that is computed: blocks of a run without it serve a run with it, and the other fields stay.
  @Test func columnsAreReadFromFinishedBlocks() throws {
    try withTemporaryFolder { folder in
      let plain = try execute(prepare(Self.yaml), folder: folder)
      let journal = Runner.journalPath(folder, .whole)
      let before = try Data(contentsOf: URL(fileURLWithPath: journal))
      let run = try prepare(Self.yaml, set: ["report.columns=[rate_5_percentile]"])
      let more = try execute(run, folder: folder)
      #expect(try Data(contentsOf: URL(fileURLWithPath: journal)) == before)
      for column in Column.standard {
        #expect(more.points[0].value(column) == plain.points[0].value(column), "\(column.name)")
      }
      #expect(!ReportCSV.columns(of: plain).contains("rate_5_percentile"))
    }
  }

  @Test func unknownColumnsAreRefused() throws {
    let found = complaints(Self.yaml, set: ["report.columns=[rate_6_percentile]"])
    #expect(found.contains { "\($0)".contains("rate_5_percentile") })
  }

  /// Each column belongs to one metric, the general ones to none, and each number too.
  @Test func namesAreUnique() {
    let columns = MetricRegistry.metrics.flatMap { $0.columns }
    #expect(Set(columns.map(\.name)).count == columns.count)
    #expect((Column.standard + columns).allSatisfy { $0.documentation.hasSuffix(".") })
    let general = Set(Column.standard.map(\.name)).subtracting(columns.map(\.name))
    #expect(general == ["drops", "stop_reason", "zero_energy_drops"])
    let numbers = MetricRegistry.metrics.flatMap { $0.numbers }
    #expect(
      Set(numbers).count == numbers.count
        && Array(numbers.prefix(DropNumber.standard.count)) == DropNumber.standard)
  }
}
