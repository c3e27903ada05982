import Foundation
import LinkMath
import Reports
import Simulation
import Testing

/// Identical bytes for any number of threads, for shards, for runs that were killed and for runs that were enlarged.
@Suite struct DeterminismTests {
  static let yaml = """
    name: repeat
    link:
      grid: {tones: 48}
      channel: {type: rayleigh, ports: 8, taps: 6}
      pilots: {type: dft, snr_db: 10, tone_spacing: 2}
      estimator: {type: ls, interpolation: lmmse, fit.drops: 60}
      transform: {taps: 8}
      normaliser: {type: sample_unit_power, gain: quantized}
      codec: {type: pca, compression: 4, fit.drops: 150}
      quantizer: {type: uniform, bits: 4, fit.drops: 100}
      feedback: {type: bsc, p: 0.01}
      timing: {feedback_delay: 1, speed: 3 m/s}
      precoder: mrt
    sweep:
      pilots.snr_db: [0, 20]
      quantizer.bits: [2, 5]
    run: {seed: 8, drops: 90, block: 7}
    """

  /// With a stop rule that is met between the first and the last block.
  static let stopping = [
    "run.stop.min_drops=20", "run.stop.nmse_half_width_db=0.3", "quantizer.bits=4", "run.drops=400",
  ]

  private func text(_ yaml: String, set overrides: [String] = [], threads: Int) throws -> String {
    ReportCSV.text(
      of: try execute(prepare(yaml, set: overrides, threads: threads), threads: threads))
  }

  @Test(arguments: [[], stopping])
  func oneAndTwoThreadsWriteTheSameReport(overrides: [String]) throws {
    let one = try text(Self.yaml, set: overrides, threads: 1)
    #expect(try text(Self.yaml, set: overrides, threads: 2) == one)
    #expect(try text(Self.yaml, set: overrides, threads: 5) == one)
  }

  @Test func blocksDoNotDependOnTheirOrder() throws {
    let run = try prepare(Self.yaml)
    let forwards = try (0..<run.blockCount).map(run.metrics)
    let again = try prepare(Self.yaml)
    for block in (0..<run.blockCount).reversed() {
      #expect(try again.metrics(ofBlock: block) == forwards[block], "block \(block)")
    }
  }

  /// A drop's numbers do not depend on the drops computed with it: other block sizes give the same metrics.
  @Test(arguments: [1, 3, 30, 90])
  func dropsDoNotDependOnTheirBlock(size: Int) throws {
    let run = try prepare(Self.yaml)
    let other = try prepare(Self.yaml, set: ["run.block=\(size)"])
    let drops = { (run: PreparedRun) in
      try (0..<run.blockCount).flatMap { block -> [[Double]] in
        let metrics = try run.metrics(ofBlock: block)
        return (0..<metrics.dropCount).map { drop in
          (0..<metrics.pointCount).flatMap { point in
            DropMetric.allCases.map { metrics[point, drop, $0] }
          }
        }
      }
    }
    #expect(try drops(other) == drops(run))
  }

  @Test func anotherSeedGivesOtherNumbers() throws {
    #expect(
      try text(Self.yaml, threads: 1) != text(Self.yaml, set: ["run.seed=9"], threads: 1))
  }

  /// Three shards in folders of their own, merged, are the whole run; so with a stop rule, which shards ignore.
  @Test(arguments: [[], stopping])
  func mergedShardsAreTheWholeRun(overrides: [String]) throws {
    let whole = try text(Self.yaml, set: overrides, threads: 2)
    try withTemporaryFolder { folder in
      for index in [3, 1, 2] {
        let run = try prepare(Self.yaml, set: overrides)
        let runner = Runner(
          run, pool: WorkerPool(threadCount: 1), folder: "\(folder)/\(index)",
          shard: try #require(Shard("\(index)/3")))
        guard case .shardFinished = try runner.execute() else { throw NotFinished() }
      }
      let run = try prepare(Self.yaml, set: overrides)
      let merged = try Merge.result(run, folders: (1...3).map { "\(folder)/\($0)" })
      #expect(ReportCSV.text(of: merged) == whole)
      let error = #expect(throws: JournalError.self) {
        try Merge.result(run, folders: ["\(folder)/1", "\(folder)/3"])
      }
      #expect(error?.problem.contains("is missing") == true, "\(String(describing: error))")
    }
  }

  @Test func theStopRuleStopsEarly() throws {
    let result = try execute(prepare(Self.yaml, set: Self.stopping))
    for point in result.points {
      #expect(point.stopReason == .interval)
      #expect(point.drops >= 20 && point.drops < 400 && point.drops % 7 == 0, "\(point.drops)")
      let interval = try #require(point.nmseDBInterval)
      #expect((interval.upperBound - interval.lowerBound) / 2 <= 0.3)
    }
    // One block less was not enough at some point.
    let drops = result.points[0].drops
    let shorter = try execute(
      prepare(Self.yaml, set: Self.stopping + ["run.drops=\(drops - 7)"]))
    #expect(shorter.points.allSatisfy { $0.stopReason == .drops })
    #expect(
      shorter.points.contains {
        ($0.nmseDBInterval!.upperBound - $0.nmseDBInterval!.lowerBound) / 2 > 0.3
      })
    #expect(ReportCSV.text(of: result).contains(",ci,"))
  }

  /// A rule on the rate alone.
  @Test func theRateCanStopTheRun() throws {
    let result = try execute(
      prepare(
        Self.yaml, set: ["run.stop.min_drops=20", "run.stop.rate_half_width=0.3", "run.drops=400"]))
    for point in result.points {
      #expect(point.stopReason == .interval && point.drops < 400)
      let interval = try #require(point.rateInterval)
      #expect((interval.upperBound - interval.lowerBound) / 2 <= 0.3)
    }
  }

  /// Fitted parts that are loaded give the bytes of those that were learned.
  @Test func storedPartsAreAsGoodAsLearnedOnes() throws {
    try withTemporaryFolder { folder in
      let learned = ReportCSV.text(of: try execute(prepare(Self.yaml, artefacts: folder)))
      let files = try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
      // The correlation, two quantisers of 2 and 5 bits, one PCA: nothing else is learned.
      #expect(files.count == 4, "\(files)")
      #expect(ReportCSV.text(of: try execute(prepare(Self.yaml, artefacts: folder))) == learned)
      #expect(try text(Self.yaml, threads: 2) == learned)
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder).sorted() == files)
    }
  }
}
