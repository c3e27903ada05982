import Foundation
import LinkMath
import Parts
import Scenarios
import Simulation
import TestSupport
import Testing

/// Share of the served slots whose rate lies below a threshold: a metric as another program writes one.
struct OutageColumn: Metric {
  static let schema = PartSchema(.metric, "outage", "Column outage: slots below 5 bit/s/Hz.")
  static let outage = DropNumber("outage", .servedSlots)
  static let numbers = [outage]
  static let column = Column.mean("outage", outage, "Share of the slots below 5 bit/s/Hz.")
  static let columns = [column]

  func add(_ slot: ServedSlot, to sums: inout DropSums) {
    for drop in slot.drops where slot.beams[drop].rate / Double(slot.toneCount) < 5 {
      sums[drop, 0] += 1
    }
  }
}

/// Ports of the BS, from what the stages have settled, and the largest peak of a drop's reconstruction.
struct PortCount: Metric {
  static let schema = PartSchema(.metric, "port_count", "Column port_count.")
  static let ports = DropNumber("ports", .reports)
  static let numbers = [DropNumber("unused", .none) { _ in false }, ports]
  static let columns = [Column.mean("port_count", ports, "Ports.")]
  private let count: Int

  init() { count = 0 }
  init(_ settings: Settings, in context: LinkContext, fitted: Artefact?) {
    count = context.portCount
  }

  func add(_ slot: ReportedSlot, to sums: inout DropSums) {
    for drop in slot.drops { sums[drop, 1] += Double(count) }
  }
}

/// Metrics that the registry of another program adds.
@Suite struct OwnMetricTests {
  private static let yaml = """
    link:
      grid: {tones: 16}
      channel: {type: rayleigh, ports: 4, taps: 3}
      pilots: {type: dft, snr_db: 5}
      transform: {taps: 8}
      timing: {slots: 3, speed: 30 m/s}
      precoder: {type: mrt, snr_db: 10}
    sweep: {channel.ports: [2, 8]}
    run: {seed: 4, drops: 50, block: 16}
    """

  private func run(columns: String? = nil) throws -> PreparedRun {
    let registry = PartRegistry.standard.adding(PortCount.self, OutageColumn.self)
    let scenario = try ScenarioReader(registry: registry).read(
      text: Self.yaml, path: "own.yaml",
      overrides: columns.map { ["report.columns=[\($0)]"] } ?? []
    ).scenario
    return try PreparedRun(scenario, pool: WorkerPool(threadCount: 2), artefactFolder: nil)
  }

  /// Rates of single slots, from runs of one served slot each, tell the outage; the other columns stay as they are.
  @Test func anotherProgramAddsMetrics() throws {
    let plain = try execute(run()).points
    let own = try execute(run(columns: "outage, port_count, rate_5_percentile"))
    for (point, ports) in zip(own.points, [2.0, 8]) {
      #expect(point.number(PortCount.columns[0]) == ports)
    }
    for column in Column.standard {
      #expect(own.points.map { $0.value(column) } == plain.map { $0.value(column) })
    }
    #expect(own.columns.map(\.name).suffix(3) == ["rate_5_percentile", "port_count", "outage"])
    // A drop has three slots, so its outage is a multiple of a third; and it is none where the mean rate tells so.
    var shares: [Set<Double>] = [[], []]
    try forEachDrop(run(columns: "outage")) { point, value in
      // Kept in single precision.
      shares[point].insert(Double(3 * Float(value(OutageColumn.outage))))
      if value(.rate) < 5 {
        #expect(value(OutageColumn.outage) > 0)
      } else {
        #expect(value(OutageColumn.outage) < 1)
      }
    }
    #expect(shares.allSatisfy { $0.isSubset(of: [0, 1, 2, 3]) }, "\(shares)")
    #expect(shares[0].count > 1, "\(shares)")
    #expect(own.points[0][OutageColumn.column] > own.points[1][OutageColumn.column])
  }

  /// The journal says which numbers it holds: a run with others is told so, also when shards are merged.
  @Test func journalsOfOtherMetricsAreRefused() throws {
    try withTemporaryFolder { folder in
      let outage = try execute(run(columns: "outage"), folder: folder)
      let again = try execute(run(columns: "outage, report_loss_rate"), folder: folder)
      #expect(outage.points[0][OutageColumn.column] == again.points[0][OutageColumn.column])
      for columns in [nil, "port_count", "outage, port_count"] {
        let error = #expect(throws: JournalError.self) {
          try execute(run(columns: columns), folder: folder)
        }
        #expect(error?.problem.contains("other metrics") == true, "\(String(describing: error))")
        let merging = #expect(throws: JournalError.self) {
          try Merge.result(run(columns: columns), folders: [folder])
        }
        #expect(merging?.problem.contains("other metrics") == true)
      }
    }
  }

  /// A wrong name is told with its place and the names that there are.
  @Test func unknownColumnsNameTheKnownOnes() throws {
    let error = #expect(throws: ScenarioErrors.self) { try run(columns: "outtage") }
    let text = error?.diagnostics.map(\.description).joined() ?? ""
    #expect(text.contains("report.columns") && text.contains("'outage'"), "\(text)")
  }
}
