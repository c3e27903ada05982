import DataFiles
import Foundation
import LinkMath
import Reports
import Simulation
import TestSupport
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
    "run.stop.min_drops=20", "run.stop.nmse_half_width_db=0.1", "quantizer.bits=4",
    "feedback=ideal", "run.drops=400",
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
            DropNumber.standard.map { metrics[point, drop, $0] }
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
      let interval = try #require(point.interval(.nmse))
      #expect((interval.upperBound - interval.lowerBound) / 2 <= 0.1)
    }
    // One block less was not enough at some point.
    let drops = result.points[0].drops
    let shorter = try execute(
      prepare(Self.yaml, set: Self.stopping + ["run.drops=\(drops - 7)"]))
    #expect(shorter.points.allSatisfy { $0.stopReason == .drops })
    #expect(
      shorter.points.contains {
        ($0.interval(.nmse)!.upperBound - $0.interval(.nmse)!.lowerBound) / 2 > 0.1
      })
    #expect(ReportCSV.text(of: result).contains(",ci,"))
  }

  /// The rule is not looked at before `min_drops`: one that any interval meets ends the run with the block that gets there.
  @Test(arguments: [(50, 56), (63, 63), (85, 91)])
  func noRuleStopsBeforeTheFewestDrops(least: Int, end: Int) throws {
    let result = try execute(
      prepare(
        Self.yaml,
        set: [
          "run.stop.min_drops=\(least)", "run.stop.nmse_half_width_db=90", "run.drops=400",
          "quantizer.bits=4", "feedback=ideal",
        ]))
    #expect(result.points.allSatisfy { $0.drops == end && $0.stopReason == .interval })
  }

  /// A rule on the rate alone.
  @Test func theRateCanStopTheRun() throws {
    let result = try execute(
      prepare(
        Self.yaml, set: ["run.stop.min_drops=20", "run.stop.rate_half_width=0.3", "run.drops=400"]))
    for point in result.points {
      #expect(point.stopReason == .interval && point.drops < 400)
      let interval = try #require(point.interval(.rate))
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

  /// What is fitted for one point does not leak into another: a moving UE draws other channels than one that stands still.
  @Test func partsFittedForOneSpeedAreNotUsedForAnother() throws {
    try withTemporaryFolder { folder in
      let swept = try execute(
        prepare(
          Self.yaml.replacing("sweep:", with: "sweep:\n  timing.speed: [0 m/s, 3 m/s]"),
          set: ["run.drops=14"], artefacts: folder))
      for (index, speed) in ["0 m/s", "3 m/s"].enumerated() {
        let set = ["run.drops=14", "timing.speed=\(speed)"]
        let alone = try execute(prepare(Self.yaml, set: set))
        let stored = try execute(prepare(Self.yaml, set: set, artefacts: folder))
        #expect(ReportCSV.text(of: stored) == ReportCSV.text(of: alone), "\(speed)")
        let points = swept.points.filter {
          $0.coordinates[0] == swept.points[4 * index].coordinates[0]
        }
        #expect(points.map { $0[.nmseDB] } == alone.points.map { $0[.nmseDB] }, "\(speed)")
      }
    }
  }

  /// A damaged record ends the run with its place; the blocks before it are kept.
  @Test func anErrorInABlockKeepsTheOthers() throws {
    try withTemporaryFolder { folder in
      var values: [Float] = (0..<20 * 8).map { (i: Int) -> Float in Float(1 + i % 7) }
      values[13 * 8 + 2] = .nan
      try ArrayFile.write(
        [NumericArray(shape: [20, 4, 1], isComplex: true, floats: values)],
        to: "\(folder)/data.npy")
      let yaml = """
        link:
          grid: {tones: 4}
          channel: {type: recorded, file: data.npy, layout: frequency}
          transform: {taps: 2}
        run: {seed: 1, drops: 20, block: 3}
        """
      let run = try prepare(yaml, path: "\(folder)/test.yaml")
      let runner = Runner(run, pool: WorkerPool(threadCount: 1), folder: folder)
      let error = #expect(throws: DataFileError.self) { try runner.execute() }
      #expect(error.map { "\($0)".contains("record 13") } == true, "\(String(describing: error))")
      let journal = try Data(contentsOf: URL(filePath: Runner.journalPath(folder, .whole)))
      #expect(journal.split(separator: 0x0a).count == 1 + 4)
    }
  }

  /// Nor does it outlive its data: another file of the same name is learned from again, and its journal is refused.
  @Test func partsFittedOnOtherDataAreNotUsed() throws {
    try withTemporaryFolder { folder in
      let yaml = """
        link:
          grid: {tones: 4}
          channel: {type: recorded, file: data.npy, layout: frequency, split.fit: 16}
          transform: {taps: 2}
          codec: {type: pca, length: 2, fit.drops: 16}
        run: {seed: 1, drops: 4, block: 3}
        """
      func write(_ seed: Int) throws {
        let values: [Float] = (0..<20 * 16).map { (i: Int) -> Float in Float(1 + i * i % seed) }
        try ArrayFile.write(
          [NumericArray(shape: [20, 4, 2], isComplex: true, floats: values)],
          to: "\(folder)/data.npy")
      }
      let path = "\(folder)/test.yaml"
      let stored = { try prepare(yaml, path: path, artefacts: "\(folder)/fitted") }
      try write(7)
      let first = ReportCSV.text(of: try execute(stored(), folder: "\(folder)/kept"))
      try write(11)
      let second = ReportCSV.text(of: try execute(stored()))
      #expect(second == ReportCSV.text(of: try execute(prepare(yaml, path: path))))
      #expect(second != first)
      let error = #expect(throws: JournalError.self) {
        try execute(stored(), folder: "\(folder)/kept")
      }
      #expect(error?.problem.contains("other data or weights") == true)
    }
  }
}
