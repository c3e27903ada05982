import Foundation
import Testing

/// The report of a scenario of 24 points has the same bytes however it was computed.
@Suite struct DeterminismTests {
  private static let scenario = Repository.scenario("grid-of-24")

  private struct Reference {
    let report: Data
    let journalSize: Int
  }

  /// One uninterrupted run with one thread.
  private static func reference() throws -> Reference {
    let folder = try TestFolder()
    let run = try Program.run("run", scenario, "--threads", "1", "--output", "whole", in: folder)
    try #require(run.status == 0, "\(run)")
    return Reference(
      report: try folder.read("whole/report.csv"), journalSize: folder.size("whole/journal.log"))
  }

  @Test func twoThreads() throws {
    let reference = try Self.reference()
    #expect(String(decoding: reference.report, as: UTF8.self).split(separator: "\n").count == 25)
    let folder = try TestFolder()
    let run = try Program.run("run", Self.scenario, "--threads", "2", "--output", "two", in: folder)
    #expect(run.status == 0, "\(run)")
    #expect(try folder.read("two/report.csv") == reference.report)
  }

  /// Killed while parts are fitted and at three pseudo-random sizes of the journal, then continued.
  @Test func killedAndContinued() throws {
    let reference = try Self.reference()
    let folder = try TestFolder()
    let command = ["run", Self.scenario, "--threads", "2", "--output", "killed"]
    let fitting = try Program.start(command, in: folder)
    try fitting.wait { folder.has("killed/fitted") }
    fitting.send(SIGKILL)
    #expect(try fitting.wait().signal == SIGKILL)
    // Steps of a linear congruential generator (Knuth, MMIX): any values would do, these are the same each time.
    var random: UInt64 = 2026
    for part in 0..<3 {
      random = random &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      let share = (Double(part) + Double(random >> 11) * 0x1p-53) / 4
      let size = Int(share * Double(reference.journalSize))
      let run = try Program.start(command, in: folder)
      try run.wait { folder.size("killed/journal.log") > size }
      run.send(SIGKILL)
      let killed = try run.wait()
      #expect(killed.signal == SIGKILL, "\(killed)")
      #expect(!folder.has("killed/report.csv"))
    }
    let last = try Program.run(command, in: folder)
    #expect(last.status == 0, "\(last)")
    #expect(try folder.read("killed/report.csv") == reference.report)
  }

  /// Whatever a crash leaves of the last line, and a line that was damaged on disk: the block is computed again.
  @Test func damagedJournal() throws {
    let reference = try Self.reference()
    let folder = try TestFolder()
    let command = ["run", Self.scenario, "--output", "damaged"]
    #expect(try Program.run(command, in: folder).status == 0)
    var journal = try folder.read("damaged/journal.log")
    journal[journal.count / 2] ^= 1
    try folder.write(journal.dropLast(100), to: "damaged/journal.log")
    let run = try Program.run(command, in: folder)
    #expect(run.status == 0, "\(run)")
    #expect(try folder.read("damaged/report.csv") == reference.report)
    #expect(folder.size("damaged/journal.log") > journal.count)
  }

  @Test func mergedShards() throws {
    let reference = try Self.reference()
    let folder = try TestFolder()
    for shard in 1...3 {
      let run = try Program.run(
        "run", Self.scenario, "--shard", "\(shard)/3", "--output", "shard\(shard)", in: folder)
      #expect(run.status == 0, "\(run)")
      #expect(!folder.has("shard\(shard)/report.csv"))
      if shard == 2 {
        let early = try Program.run(
          "merge", Self.scenario, "shard1", "shard2", "--output", "merged", in: folder)
        #expect(early.status == 1)
        #expect(early.errors.contains("shard 3/3 is missing"), "\(early)")
        #expect(!folder.has("merged/report.csv"))
      }
    }
    // What was fitted is taken from any shard, or is fitted again.
    for shard in 1...2 {
      try FileManager.default.removeItem(atPath: "\(folder.path)/shard\(shard)/fitted")
    }
    let merge = try Program.run(
      "merge", Self.scenario, "shard3", "shard1", "shard2", "--output", "merged", in: folder)
    #expect(merge.status == 0, "\(merge)")
    #expect(try folder.read("merged/report.csv") == reference.report)
    #expect(!folder.has("shard1/fitted") && !folder.has("merged/fitted"))
  }

  /// Columns that are learned from drops, and the limits of links with learned coders, are those of a whole run.
  @Test func shardsOfLearnedColumns() throws {
    let folder = try TestFolder()
    let scenario = [Repository.scenario("small")]
    let settings = [
      "--set", "link.codec={type: pca, compression: 8, fit: {drops: 100}}",
      "--set", "link.quantizer={type: uniform, bits: 3, fit: {drops: 100}}",
      "--set", "link.coder={type: range, fit: {drops: 100}}",
      "--set", "link.feedback={type: bsc, p: 0.001}",
      "--set", "report.columns=[nmse_gaussian_floor_db, symbol_entropy_bits, payload_bits_maximum]",
    ]
    func run(_ command: [String], _ output: String) throws {
      let run = try Program.run(command + settings + ["--output", output], in: folder)
      #expect(run.status == 0, "\(run)")
    }
    try run(["run"] + scenario, "whole")
    try run(["run"] + scenario + ["--shard", "1/2"], "shard1")
    try run(["run"] + scenario + ["--shard", "2/2"], "shard2")
    try run(["merge"] + scenario + ["shard1", "shard2"], "merged")
    #expect(try folder.read("merged/report.csv") == folder.read("whole/report.csv"))
    for shard in 1...2 {
      try FileManager.default.removeItem(atPath: "\(folder.path)/shard\(shard)/fitted")
    }
    try run(["merge"] + scenario + ["shard1", "shard2"], "again")
    #expect(try folder.read("again/report.csv") == folder.read("whole/report.csv"))
  }

  /// A longer run continues a shorter one, and a shorter one uses a longer one's blocks, also if the last block of either
  /// is not full.
  @Test func otherNumbersOfDropsContinue() throws {
    let folder = try TestFolder()
    let command = ["run", Repository.scenario("small")]
    #expect(try Program.run(command, in: folder).status == 0)
    for drops in [18, 41, 14] {
      let journal = try folder.read("results/small/journal.log")
      let count = ["--set", "run.drops=\(drops)"]
      let continued = try Program.run(command + count, in: folder)
      #expect(continued.status == 0, "\(continued)")
      #expect(try folder.read("results/small/journal.log").starts(with: journal))
      let fresh = try Program.run(command + count + ["--output", "fresh", "--fresh"], in: folder)
      #expect(fresh.status == 0, "\(fresh)")
      #expect(try folder.read("results/small/report.csv") == folder.read("fresh/report.csv"))
    }
  }
}
