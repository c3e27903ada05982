import Foundation
import Testing

/// What a run leaves in its folder, and what it never destroys.
@Suite struct ResultFolderTests {
  private static let small = Repository.scenario("small")

  private static let reports = [
    "report.csv", "manifest.json", "nmse.svg", "nmse.png", "rate.svg", "rate.png",
  ]

  @Test func filesOfARun() throws {
    let folder = try TestFolder()
    let result = try Program.run("run", Self.small, "--threads", "2", in: folder)
    #expect(result.status == 0, "\(result)")
    #expect(result.errors.isEmpty, "\(result)")
    for name in Self.reports { #expect(folder.size("results/small/\(name)") > 0, "\(name)") }
    #expect(result.output.contains("\n# report: results/small/report.csv\n"), "\(result)")
    #expect(result.output.contains("\n# plot: results/small/nmse.svg\n"), "\(result)")

    let manifest = try #require(
      JSONSerialization.jsonObject(with: folder.read("results/small/manifest.json"))
        as? [String: Any])
    #expect(manifest["name"] as? String == "small")
    #expect(manifest["seed"] as? Int == 1)
    #expect(manifest["threads"] as? Int == 2)
    let command = try #require(manifest["command_line"] as? [String])
    #expect(Array(command.dropFirst()) == ["run", Self.small, "--threads", "2"])
    #expect(try folder.read("results/small/nmse.png").starts(with: [0x89, 0x50, 0x4e, 0x47]))
    #expect(try folder.text("results/small/rate.svg").contains("</svg>"))

    // The scenario in the manifest has every default filled in and gives the same report.
    try folder.write(
      Data(try #require(manifest["scenario"] as? String).utf8), to: "resolved.yaml")
    let again = try Program.run("run", "resolved.yaml", "--output", "again", in: folder)
    #expect(again.status == 0, "\(again)")
    #expect(try folder.text("again/report.csv") == folder.text("results/small/report.csv"))
  }

  @Test func aFileInPlaceOfTheFolderIsNamed() throws {
    let folder = try TestFolder()
    try folder.write(Data("mine".utf8), to: "taken")
    for output in ["taken", "taken/below"] {
      let result = try Program.run("run", Self.small, "--output", output, in: folder)
      #expect(result.status == 1, "\(result)")
      #expect(result.errors.contains("taken"), "\(result)")
      #expect(result.errors.contains("expected a folder"), "\(result)")
      #expect(result.output.isEmpty, "\(result)")
    }
    #expect(try folder.text("taken") == "mine")
  }

  @Test func theReportHasARowForEachPoint() throws {
    let folder = try TestFolder()
    #expect(try Program.run("run", Self.small, "--output", "out", in: folder).status == 0)
    let lines = try folder.text("out/report.csv").split(separator: "\n")
    #expect(lines.count == 3)
    let names = lines[0].split(separator: ",")
    #expect(names.prefix(3) == ["pilots.snr_db", "drops", "stop_reason"])
    for (line, snr) in zip(lines.dropFirst(), ["0", "10"]) {
      let fields = line.split(separator: ",", omittingEmptySubsequences: false)
      #expect(fields.count == names.count)
      #expect(fields.prefix(3) == [snr[...], "16", "max"])
      // Least squares with unitary pilots has the error -SNR: 16 drops of 512 values, 4 standard errors are 0.4 dB.
      let column = try #require(names.firstIndex(of: "estimate_nmse_db"))
      let error = try #require(Double(fields[column]))
      #expect(abs(error + Double(snr)!) < 0.6)
    }
  }

  /// Another scenario, a wrong scenario, damaged data and a folder that cannot be made leave the old report as it is.
  @Test func aFailedRunKeepsTheReport() throws {
    let folder = try TestFolder([
      "recorded.yaml": """
      link:
        preset: csinet
        channel: {type: recorded, file: data.csv}
        estimator: perfect
        precoder: {type: mrt, snr_db: 10}
      run: {seed: 1, drops: 4, block: 1}
      """
    ])
    let data = try Repository.dataset("umi_los_4.csv")
    try folder.write(data, to: "data.csv")
    let command = ["run", "recorded.yaml", "--output", "out"]
    let good = try Program.run(command, in: folder)
    #expect(good.status == 0, "\(good)")
    let files = ["out/report.csv", "out/manifest.json"]
    let before = try files.map(folder.read)

    let seed = try Program.run(command + ["--set", "run.seed=2"], in: folder)
    #expect(seed.status == 1, "\(seed)")
    #expect(seed.errors.contains("out/journal.log: error: holds results of another scenario,"))
    #expect(seed.errors.contains("--fresh"))

    let wrong = try Program.run(command + ["--fresh", "--set", "run.drops=0"], in: folder)
    #expect(wrong.status == 2, "\(wrong)")

    // The last record is not a number, so that three blocks are done before the failure.
    let lines = String(decoding: data, as: UTF8.self).split(separator: "\n")
    let damaged = lines[3].replacing(/^[^,]+/, with: "nan")
    let text = (lines.dropLast() + [damaged[...]]).joined(separator: "\n") + "\n"
    try folder.write(Data(text.utf8), to: "data.csv")
    let other = try Program.run(command, in: folder)
    #expect(other.status == 1)
    #expect(other.errors.contains("holds results of other data"), "\(other)")
    let failed = try Program.run(command + ["--fresh", "--threads", "1"], in: folder)
    #expect(failed.status == 1)
    #expect(failed.errors.contains("data.csv: expected finite values in record 3"), "\(failed)")

    try folder.write(Data(), to: "file")
    let blocked = try Program.run(
      "run", "recorded.yaml", "--output", "file/out", in: folder)
    #expect(blocked.status == 1, "\(blocked)")
    #expect(try files.map(folder.read) == before)
  }

  /// `--fresh` removes what csilink made to resume from and nothing else.
  @Test func freshKeepsForeignFiles() throws {
    let folder = try TestFolder()
    let command = ["run", Self.small, "--output", "out"]
    #expect(try Program.run(command, in: folder).status == 0)
    try folder.write(Data("mine".utf8), to: "out/notes.txt")
    let journal = try folder.read("out/journal.log")
    let fresh = try Program.run(command + ["--fresh", "--set", "run.seed=2"], in: folder)
    #expect(fresh.status == 0, "\(fresh)")
    #expect(try folder.text("out/notes.txt") == "mine")
    #expect(try folder.read("out/journal.log") != journal)
  }

  @Test func aFileThatIsNoJournal() throws {
    let folder = try TestFolder()
    try FileManager.default.createDirectory(
      atPath: "\(folder.path)/out", withIntermediateDirectories: true)
    try folder.write(Data("shopping list\nmilk\n".utf8), to: "out/journal.log")
    let run = try Program.run("run", Self.small, "--output", "out", in: folder)
    #expect(run.status == 1)
    #expect(run.errors.contains("out/journal.log: error: is not a journal"), "\(run)")
    #expect(try folder.text("out/journal.log") == "shopping list\nmilk\n")
    let merge = try Program.run("merge", Self.small, "out", in: folder)
    #expect(merge.status == 1, "\(merge)")
    let nothing = try Program.run("merge", Self.small, "nowhere", in: folder)
    #expect(nothing.status == 1, "\(nothing)")
    #expect(nothing.errors.contains("nowhere"), "\(nothing)")
  }
}
