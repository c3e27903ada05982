import Foundation
import TestSupport
import Testing

/// `run --dump`, `run.worst` and `replay` on the built program.
@Suite struct ReplayCommandTests {
  private static let yaml = """
    name: again
    link:
      grid: {tones: 32}
      channel: {type: rayleigh, ports: 4, taps: 4}
      estimator: ls
      transform: {taps: 8}
      codec: {type: pca, compression: 4, fit.drops: 40}
      quantizer: {type: uniform, bits: 4, fit.drops: 40}
      precoder: mrt
    sweep:
      pilots.snr_db: [0, 20]
    run: {drops: 30, worst: 3}
    """

  @Test func aWorstDropIsRunAgain() throws {
    let folder = try TestFolder()
    try Self.yaml.write(toFile: "\(folder.path)/again.yaml", atomically: true, encoding: .utf8)
    let run = try Program.run("run", "again.yaml", "--dump", "codeword", in: folder)
    #expect(run.status == 0, "\(run)")
    let table = try String(
      contentsOfFile: "\(folder.path)/results/again/dump/codeword.csv", encoding: .utf8)
    #expect(table == "pilots.snr_db,file\n0,codeword-0.npy\n20,codeword-1.npy\n")
    let worst = try String(
      contentsOfFile: "\(folder.path)/results/again/worst.csv", encoding: .utf8
    )
    .split(separator: "\n").map { $0.split(separator: ",") }
    #expect(worst.count == 7)
    let last = worst[4]
    let replay = try Program.run(
      "replay", "results/again", "--drop", "\(last[3])", "--point", "pilots.snr_db=20", "-o",
      "drop.safetensors", in: folder)
    #expect(replay.status == 0 && replay.errors.contains("bit by bit"), "\(replay)")
    #expect(FileManager.default.fileExists(atPath: "\(folder.path)/drop.safetensors"))
    let unclear = try Program.run("replay", "results/again", "--drop", "0", in: folder)
    #expect(unclear.status == 1 && unclear.errors.contains("--point pilots.snr_db=0"))
    let beyond = try Program.run(
      "replay", "results/again", "--drop", "30", "--point", "pilots.snr_db=0", in: folder)
    #expect(beyond.status == 1 && beyond.errors.contains("drops 0 to 29"))
    // Also where the fitted parts are gone and would have to be made again.
    try FileManager.default.removeItem(atPath: "\(folder.path)/results/again/fitted")
    let early = try Program.run(
      "replay", "results/again", "--drop", "30", "--point", "pilots.snr_db=0", in: folder)
    #expect(early.status == 1 && early.errors.contains("drops 0 to 29"), "\(early)")
    #expect(!early.errors.contains("fitting"), "\(early)")
    let shard = try Program.run(
      "run", "again.yaml", "--shard", "1/2", "--dump", "codeword", in: folder)
    #expect(shard.status == 2)
  }

  /// Defaults that recorded data lowered are lowered again, and so is the share of fits that nobody wrote.
  @Test(arguments: ["", ", split.fit: 30"]) func recordedDropsAreRunAgain(split: String) throws {
    let folder = try TestFolder()
    let make = Self.yaml.replacing("pca, compression: 4, fit.drops: 40", with: "none")
    try folder.write(Data(make.utf8), to: "make.yaml")
    let data = try Program.run(
      "data", "generate", "make.yaml", "--drops", "80", "--layout", "frequency", "-o", "data",
      in: folder)
    #expect(data.status == 0, "\(data)")
    let yaml = Self.yaml.replacing(", fit.drops: 40", with: "")
      .replacing("rayleigh, ports: 4, taps: 4", with: "recorded, file: data\(split)")
      .replacing("drops: 30, ", with: "")
    try folder.write(Data(yaml.utf8), to: "again.yaml")
    let run = try Program.run("run", "again.yaml", in: folder)
    let drops = split.isEmpty ? 40 : 50
    #expect(run.status == 0 && run.errors.contains("run.drops is \(drops)"), "\(run)")
    let replay = try Program.run(
      "replay", "results/again", "--drop", "\(drops - 1)", "--point", "pilots.snr_db=20", in: folder
    )
    #expect(replay.status == 0 && replay.errors.contains("bit by bit"), "\(replay)")
    // The resolved scenario has the numbers that were used, and is a scenario.
    let config = try Program.run("config", "again.yaml", in: folder)
    #expect(config.output.contains("drops: \(drops)\n") && !config.output.contains("4000"))
    try folder.write(Data(config.output.utf8), to: "config.yaml")
    let same = try Program.run("run", "config.yaml", "--output", "c", in: folder)
    #expect(same.status == 0, "\(same)")
    #expect(try folder.read("c/report.csv") == folder.read("results/again/report.csv"))
    let other = try Program.run(
      "check", "again.yaml", "--set", "channel.layout=delay", in: folder)
    #expect(other.status == 2 && other.errors.contains("manifest says"), "\(other)")
  }

  /// What a shard cannot tell, the merged run tells as a whole one does.
  @Test func mergedRunsHaveDropsAndDumps() throws {
    let folder = try TestFolder()
    try folder.write(Data(Self.yaml.utf8), to: "again.yaml")
    let asked = ["--dump", "codeword", "--format", "csv"]
    let whole = try Program.run(
      ["run", "again.yaml", "--set", "run.block=8", "--output", "w", "--per-drop", "w.npz"] + asked,
      in: folder)
    #expect(whole.status == 0, "\(whole)")
    for shard in ["1/2", "2/2"] {
      let run = try Program.run(
        "run", "again.yaml", "--set", "run.block=8", "--shard", shard, "--output",
        "s\(shard.first!)", in: folder)
      #expect(run.status == 0, "\(run)")
      let more = try Program.run(
        "run", "again.yaml", "--shard", shard, "--per-drop", "s.npz", in: folder)
      #expect(more.status == 2 && more.errors.contains("give it to 'csilink merge'"), "\(more)")
    }
    let merge = try Program.run(
      ["merge", "again.yaml", "--set", "run.block=8", "s1", "s2", "--output", "m", "--per-drop"]
        + ["m.npz"] + asked, in: folder)
    #expect(merge.status == 0 && merge.output == whole.output, "\(merge)")
    #expect(try folder.read("m/dump/codeword-1.npy") == folder.read("w/dump/codeword-1.npy"))
    #expect(try folder.read("m.npz") == folder.read("w.npz"))
    // Shards are found beside the result, wherever all of them are moved.
    let manager = FileManager.default
    try manager.createDirectory(
      atPath: "\(folder.path)/sub", withIntermediateDirectories: false)
    for name in ["m", "s1", "s2"] {
      try manager.moveItem(
        atPath: "\(folder.path)/\(name)", toPath: "\(folder.path)/sub/\(name)")
    }
    let plot = try Program.run(
      "plot", "sub/m", "--cdf", "--y", "nmse_db", "-o", "f.txt", in: folder)
    #expect(plot.status == 0, "\(plot)")
  }

  /// A journal of other numbers is told, and nothing is written.
  @Test func anotherRunIsNotTakenForTheSame() throws {
    let folder = try TestFolder()
    try Self.yaml.write(toFile: "\(folder.path)/again.yaml", atomically: true, encoding: .utf8)
    for seed in ["1", "2"] {
      let run = try Program.run(
        "run", "again.yaml", "--set", "run.seed=\(seed)", "--output", seed, in: folder)
      #expect(run.status == 0, "\(run)")
    }
    let manager = FileManager.default
    try manager.removeItem(atPath: "\(folder.path)/1/journal.log")
    try manager.copyItem(
      atPath: "\(folder.path)/2/journal.log", toPath: "\(folder.path)/1/journal.log")
    let replay = try Program.run(
      "replay", "1", "--drop", "3", "--point", "pilots.snr_db=0", in: folder)
    #expect(replay.status == 1 && replay.errors.contains("came out differently"), "\(replay)")
    #expect(!manager.fileExists(atPath: "\(folder.path)/1/replay-0-3.npz"))
  }
}
