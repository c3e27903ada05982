import DataFiles
import Foundation
import TestSupport
import Testing

/// The shell scripts beside the scenarios run from end to end, with as little as they can.
@Suite struct ScenarioScriptTests {
  private static let few = [
    "training.validation_samples=10", "training.test_samples=10", "run.drops=10",
  ]

  /// - Returns: what `csilink` reports at the end, a row for each.
  private func rows(
    _ script: String, _ variables: [String], _ sets: [String], report: String, in folder: TestFolder
  ) throws -> [[String: String]] {
    let programs = URL(filePath: Program.path).deletingLastPathComponent().path
    let path = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin"
    let file = Repository.root.appending(path: "scenarios/\(script)").path
    let result = try Program.run(
      ["PATH=\(programs):\(path)"] + variables + ["sh", file, "out"] + Self.few + sets, in: folder,
      program: "/usr/bin/env")
    try #require(result.status == 0, "\(result)")
    let records = try CSVRecords.parse(folder.text("out/\(report)"), file: report).filter {
      $0 != [""]
    }
    return records.dropFirst().map { Dictionary(uniqueKeysWithValues: zip(records[0], $0)) }
  }

  @Test func generalisation() throws {
    let folder = try TestFolder()
    let rows = try rows(
      "generalisation.sh", [], ["training.samples=130", "training.epochs=2"],
      report: "matrix/report.csv", in: folder)
    #expect(rows.count == 3 * 4)
    #expect(Set(rows.map { $0["codec.label"] }) == ["cost2100", "umi", "inh", "all"])
    #expect(Set(rows.map { $0["nmse_db"] }).count == 3 * 4)
  }

  /// Each method has weights of its own, those of the two vendors and of the sequence too.
  @Test func distillation() throws {
    let folder = try TestFolder()
    let rows = try rows(
      "distillation.sh", ["RATIOS=32", "SEEDS=1 2"],
      [
        "training.samples=70", "training.epochs=2", "training.batch=35",
        "training.schedule.interval=1",
      ],
      report: "comparison/report.csv", in: folder)
    #expect(rows.count == 2 * 6)
    #expect(Set(rows.map { $0["nmse_db"] }).count == 2 * 6, "\(rows.map { $0["codec"] })")
    let times = try folder.text("out/times.txt")
    for name in ["variant_1", "variant_2", "sequential_1", "sequential_2"] {
      #expect(times.contains(name), "\(times)")
    }
  }

  @Test func noisyLink() throws {
    let folder = try TestFolder()
    let rows = try rows(
      "noisy-link.sh", [], ["training.samples=20", "training.epochs=2"],
      report: "comparison/report.csv", in: folder)
    #expect(rows.count == 10 * 3)
    #expect(Set(rows.map { $0["nmse_db"] }).count == 10 * 3)
  }

  @Test func codewordNoise() throws {
    let folder = try TestFolder()
    let rows = try rows(
      "codeword-noise.sh", [], ["training.samples=260", "training.epochs=4"],
      report: "comparison/report.csv", in: folder)
    #expect(rows.count == 10 * 5)
    let lines = try folder.text("out/denoiser_only.csv").split(separator: "\n").dropFirst()
    let levels = lines.compactMap { Double($0.split(separator: ",")[1]) }
    // Less noise, less error.
    #expect(levels.count == 10 && levels[0] > levels[4], "\(levels)")
  }

  @Test func quantisation() throws {
    let folder = try TestFolder()
    let rows = try rows(
      "quantisation.sh",
      [
        "METHODS=proposed round", "BITS=2", "REAL=samples=20 epochs=2",
        "THROUGH=samples=20 epochs=2", "SQUASHED=samples=20 epochs=2",
      ], ["sweep.codec.compression=[16]"], report: "networks-range/report.csv", in: folder)
    #expect(rows.map { $0["codec.label"] } == ["proposed2", "round2"], "\(rows)")
  }
}
