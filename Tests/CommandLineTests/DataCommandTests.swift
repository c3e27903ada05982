import DataFiles
import Datasets
import Foundation
import TestSupport
import Testing

/// `csilink data`: what is generated, described and converted, and that nothing is lost or broken.
@Suite struct DataCommandTests {
  private static let scenario = """
    name: small
    link:
      grid: {tones: 64, spacing: 100 kHz}
      channel: {type: rayleigh, ports: 32, taps: 8, normalise: sample}
      pilots: {type: dft, snr_db: 10}
      estimator: perfect
      transform: {taps: 32}
    run: {seed: 3, drops: 24}

    """

  func folder() throws -> TestFolder { try TestFolder(["small.yaml": Self.scenario]) }

  private func files(_ folder: TestFolder, _ name: String) throws -> [String: Data] {
    let names = try FileManager.default.contentsOfDirectory(atPath: "\(folder.path)/\(name)")
    return try Dictionary(
      uniqueKeysWithValues: names.map { ($0, try folder.read("\(name)/\($0)")) })
  }

  func generate(_ arguments: String..., in folder: TestFolder) throws -> Program.Output {
    try Program.run(["data", "generate", "small.yaml"] + arguments, in: folder)
  }

  /// What a generated file means is in its manifest: read as recorded data it gives the same errors as the model, rows before
  /// delay zero and turned angles included; data of another transform would lose its first rows.
  @Test(arguments: ["csinet", "delay"])
  func generatedDataComesBackUnshifted(layout: String) throws {
    let folder = try folder()
    let transform = "{taps: 32, guard_rows: 6, angle_dft: inverse, angle_shift: 5}"
    try folder.write(
      Data(
        """
        link:
          grid: {tones: 64, spacing: 100 kHz}
          channel: {type: rayleigh, ports: 32, delays: [0, 0.5, 3.3], normalise: sample}
          transform: \(transform)
        run: {seed: 3, drops: 24}
        """.utf8), to: "model.yaml")
    try folder.write(
      Data(
        """
        link:
          grid: {tones: 64, spacing: 100 kHz}
          channel: {type: recorded, file: h.npz, variable: \(layout == "csinet" ? "HT" : "H"), layout: \(layout)}
          transform: \(transform)
          estimator: perfect
        run: {seed: 3, drops: 20}
        """.utf8), to: "again.yaml")
    let made = try Program.run(
      ["data", "generate", "model.yaml", "--drops", "20", "--layout", layout, "-o", "h.npz"],
      in: folder)
    try #require(made.status == 0, "\(made)")
    let run = try Program.run(["run", "again.yaml", "--output", "o"], in: folder)
    try #require(run.status == 0, "\(run)")
    let lines = try String(decoding: folder.read("o/report.csv"), as: UTF8.self)
      .split(whereSeparator: \.isNewline)
      .map { $0.split(separator: ",", omittingEmptySubsequences: false) }
    let column = try #require(lines[0].firstIndex(of: "truncation_loss_db"))
    // All energy of the file lies in the rows that the transform keeps; what is left is round-off.
    let loss = try #require(Double(lines[1][column]))
    #expect(loss < -60, "\(loss)")
  }

  /// `data describe` and `data generate` of a scenario warn as `check` does, and know its array.
  @Test func scenariosAreWarnedAbout() throws {
    let folder = try folder()
    try folder.write(
      Data(
        """
        link:
          grid: {tones: 64, spacing: 100 kHz}
          channel: {type: tdl, profile: A, delay_spread: 30 us, ports: 4}
          transform: {taps: 32}
        run: {drops: 24}
        """.utf8), to: "wide.yaml")
    for command in [
      ["check", "wide.yaml"], ["data", "describe", "wide.yaml", "--drops", "2"],
      ["data", "generate", "wide.yaml", "--drops", "2", "-o", "w.npy", "--layout", "delay"],
    ] {
      let output = try Program.run(command, in: folder)
      #expect(output.status == 0 && output.errors.contains("wrap around"), "\(output)")
    }
  }

  @Test(arguments: ["csinet", "frequency", "delay"])
  func threadsAndShards(_ layout: String) throws {
    let folder = try folder()
    for (threads, size, output) in [("1", "40", "one"), ("2", "40", "two"), ("2", "30", "other")] {
      let result = try generate(
        "--drops", "100", "--layout", layout, "--threads", threads, "--shard-size", size, "-o",
        output, in: folder)
      try #require(result.status == 0, "\(result)")
    }
    #expect(try files(folder, "one") == files(folder, "two"))
    let whole = try generate("--drops", "100", "--layout", layout, "-o", "whole.npz", in: folder)
    #expect(whole.status == 0, "\(whole)")
    let reference = try ArrayFile.read(
      "\(folder.path)/whole.npz", variable: layout == "csinet" ? "HT" : "H")
    for name in ["one", "other"] {
      let source = try RecordSource("\(folder.path)/\(name)")
      #expect(try source.rows(0..<100) == reference.values)
    }
    // A later part is the same drops.
    let part = try generate(
      "--drops", "10", "--first", "50", "--layout", layout, "-o", "part.npy", in: folder)
    #expect(part.status == 0, "\(part)")
    let size = reference.values.count / 100
    #expect(
      try ArrayFile.read("\(folder.path)/part.npy").floats()
        == Array(reference.floats()[50 * size..<60 * size]))
    let other = try generate(
      "--drops", "10", "--domain", "train", "--layout", layout, "-o", "train.npy", in: folder)
    #expect(other.status == 0)
    #expect(
      try ArrayFile.read("\(folder.path)/train.npy").floats()
        != Array(reference.floats()[..<(10 * size)]))
  }

  /// Killed in the middle of a shard, twice; then continued with other threads, and enlarged.
  @Test func killedAndContinued() throws {
    let folder = try folder()
    let command = [
      "data", "generate", "small.yaml", "--layout", "frequency", "--shard-size", "500", "-o",
    ]
    let whole = try Program.run(
      command + ["whole", "--drops", "6000", "--threads", "1"], in: folder)
    try #require(whole.status == 0, "\(whole)")
    for shard in ["drops-000001000.npy", "drops-000003000.npy"] {
      let running = try Program.start(
        command + ["parts", "--drops", "5000", "--threads", "2"], in: folder)
      try running.wait { folder.has("parts/\(shard)") }
      running.send(SIGKILL)
      #expect(try running.wait().signal == SIGKILL)
      let described = try Program.run("data", "describe", "parts", in: folder)
      #expect(
        described.status == 1 && described.errors.contains("not finished"), "\(described)")
    }
    let finished = try Program.run(
      command + ["parts", "--drops", "5000", "--threads", "1"], in: folder)
    try #require(finished.status == 0, "\(finished)")
    // At least the shards before the ones that were waited for were kept.
    let drawn = try #require(finished.output.firstMatch(of: /, (\d+) of them drawn now/))
    #expect(Int(drawn.1)! <= 2000, "\(finished)")
    let more = try Program.run(command + ["parts", "--drops", "6000"], in: folder)
    #expect(more.status == 0 && more.output.contains("1000 of them drawn now"), "\(more)")
    #expect(try files(folder, "parts") == files(folder, "whole"))
    // A damaged shard is drawn again.
    let good = try folder.read("parts/drops-000000500.npy")
    try folder.write(good.dropLast(8), to: "parts/drops-000000500.npy")
    let repaired = try Program.run(command + ["parts", "--drops", "6000"], in: folder)
    #expect(repaired.output.contains("500 of them drawn now"), "\(repaired)")
    #expect(try folder.read("parts/drops-000000500.npy") == good)
  }

  @Test func anotherRecipeIsRefused() throws {
    let folder = try folder()
    #expect(try generate("--drops", "5", "-o", "a", in: folder).status == 0)
    let other = try generate("--drops", "5", "--set", "run.seed=4", "-o", "a", in: folder)
    #expect(other.status == 1 && other.errors.contains("--fresh"), "\(other)")
    let fewer = try generate("--drops", "4", "-o", "a", in: folder)
    #expect(fewer.status == 1 && fewer.errors.contains("at most the 4 drops"), "\(fewer)")
    let fresh = try generate(
      "--drops", "4", "--set", "run.seed=4", "-o", "a", "--fresh", in: folder)
    #expect(fresh.status == 0, "\(fresh)")
    #expect(try RecordSource("\(folder.path)/a").info.shape == [4, 2, 32, 32])
  }

  /// The samples are what the link gives its encoder: the NMSE of a network over them is that of the run.
  @Test func generateAndForwardIsTheLink() throws {
    let folder = try folder()
    try writeDrawnWeights("crnet", compression: 64, in: "\(folder.path)/weights")
    let run = try Program.run(
      "run", "small.yaml", "--set",
      "codec={network: crnet, compression: 64, weights: weights}", "--output", "link", in: folder)
    try #require(run.status == 0, "\(run)")
    let rows = try folder.text("link/report.csv").split(separator: "\n")
    let column = try #require(rows[0].split(separator: ",").firstIndex(of: "nmse_db"))
    let expected = try #require(
      Double(rows[1].split(separator: ",", omittingEmptySubsequences: false)[column]))
    #expect(try generate("--drops", "24", "-o", "set.npz", in: folder).status == 0)
    let forward = try Program.run(
      "forward", "crnet", "-c", "64", "--weights", "weights", "--input", "set.npz:HT", "--output",
      "out.npy", in: folder)
    let found = try #require(
      forward.output.firstMatch(of: /NMSE +(-?[0-9.]+) dB, mean of ratios/), "\(forward)")
    #expect(abs(Double(found.1)! - expected) < 2e-4, "\(found.1) and \(expected)")
  }

  /// The channel without normalisation is the normalised one times the gain that is kept.
  @Test func gainsAreKept() throws {
    let folder = try folder()
    let layout = ["--drops", "6", "--layout", "frequency", "--slots", "2"]
    for (value, name) in [("sample", "unit"), ("none", "raw")] {
      let result = try Program.run(
        [
          "data", "generate", "small.yaml", "--set", "channel.normalise=\(value)", "-o",
          "\(name).mat",
        ]
          + layout, in: folder)
      try #require(result.status == 0, "\(result)")
    }
    let unit = try ArrayFile.read("\(folder.path)/unit.mat", variable: "H")
    let raw = try ArrayFile.read("\(folder.path)/raw.mat", variable: "H").floats()
    let gains = try ArrayFile.read("\(folder.path)/unit.mat", variable: "gain_db")
    #expect(unit.shape == [6, 2, 64, 32] && gains.shape == [6, 2])
    let size = 2 * 64 * 32
    for (matrix, gain) in gains.doubles().enumerated() {
      for index in matrix * size..<(matrix + 1) * size {
        let value = Double(unit.floats()[index]) * pow(10, gain / 20)
        #expect(abs(value - Double(raw[index])) < 1e-5)
      }
    }
    let none = try ArrayFile.read("\(folder.path)/raw.mat", variable: "gain_db").doubles()
    #expect(none.allSatisfy { $0 == 0 })
  }

  /// One factor for all drops, learned from the fit split of a file.
  @Test func datasetNormalisation() throws {
    let folder = try folder()
    let file = fixtures.appending(path: "datasets/umi_los_20.npz").path
    try folder.write(
      Data(
        """
        name: recorded
        link:
          grid: {tones: 32}
          channel:
            {type: recorded, file: \(file), layout: csinet, split: {fit: 12}, normalise: dataset, fit.drops: 12}
          transform: {taps: 32}
        run: {seed: 3, drops: 8}

        """.utf8), to: "recorded.yaml")
    let command = ["data", "generate", "recorded.yaml", "--layout", "frequency"]
    let fit = try Program.run(
      command + ["--domain", "fit", "--drops", "12", "-o", "fit.npz"], in: folder)
    try #require(fit.status == 0, "\(fit)")
    let run = try Program.run(command + ["--drops", "8", "-o", "run.npz"], in: folder)
    try #require(run.status == 0, "\(run)")
    let values = try ArrayFile.read("\(folder.path)/fit.npz", variable: "H").doubles()
    let power = values.reduce(0) { $0 + $1 * $1 } / Double(values.count / 2)
    #expect(abs(power - 1) < 1e-5)
    let gains = try ["fit", "run"].map {
      try ArrayFile.read("\(folder.path)/\($0).npz", variable: "gain_db").floats()
    }
    #expect(Set(gains[0] + gains[1]).count == 1 && gains[0][0] < -20)
    let few = try Program.run(
      command + ["--drops", "8", "-o", "a", "--set", "channel.fit.drops=13"], in: folder)
    #expect(few.status == 2 && few.errors.contains("fit.drops"), "\(few)")
    let none = try Program.run(
      command + ["--drops", "8", "-o", "a", "--set", "channel.normalise=sample"], in: folder)
    #expect(none.status == 2 && none.errors.contains("normalise: dataset"), "\(none)")
  }

  @Test func describesFoldersAndScenarios() throws {
    let folder = try folder()
    #expect(
      try generate("--drops", "50", "--layout", "frequency", "-o", "set", in: folder).status == 0)
    let file = try Program.run(
      "data", "describe", "set", "--json", "--plot", "plots", in: folder)
    try #require(file.status == 0, "\(file)")
    let scenario = try Program.run(
      "data", "describe", "small.yaml", "--drops", "50", "--json", "--threads", "1", in: folder)
    try #require(scenario.status == 0, "\(scenario)")
    let channels = try [file, scenario].map { output in
      let object = try JSONSerialization.jsonObject(with: Data(output.output.utf8))
      let all = try #require(object as? [String: Any])
      return try #require(all["channels"] as? NSDictionary)
    }
    // Read or drawn, the drops are the same.
    #expect(channels[0] == channels[1])
    #expect(channels[0]["row_seconds"] as? Double == 1 / 6.4e6)
    for name in ["map.svg", "delay-profile.png", "drop-0.svg", "pca.png"] {
      #expect(folder.size("plots/\(name)") > 1000, "\(name)")
    }
    // The profiles of the plots are those of the description.
    let blocks = try folder.text("plots/dataset.dat").components(separatedBy: "\n\n\n")
    for (block, name) in zip(blocks, ["row_energy", "column_energy"]) {
      let expected = try #require(channels[0][name] as? [Double])
      let lines = block.split(separator: "\n").dropFirst().map { $0.split(separator: " ") }
      #expect(lines.map { String($0[0]) } == expected.indices.map { "\($0)" }, "\(name)")
      for (line, energy) in zip(lines, expected) {
        #expect(abs(try #require(Double(line[1])) - energy) < 1e-8, "\(name)")
      }
    }
    let text = try Program.run("data", "describe", "set", in: folder)
    #expect(text.output.contains("rms delay spread, ns"), "\(text)")
  }

  @Test func convertsAndMergesShards() throws {
    let folder = try folder()
    #expect(
      try generate("--drops", "20", "--shard-size", "7", "-o", "set", in: folder).status == 0)
    let merged = try Program.run(
      "data", "convert", "set", "all.mat", "--mat-version", "7.3", in: folder)
    try #require(merged.status == 0, "\(merged)")
    let arrays = try ArrayFile.list("\(folder.path)/all.mat")
    #expect(arrays.map(\.name) == ["HT", "gain_db", "normaliser_db"])
    #expect(arrays.map(\.shape) == [[20, 2, 32, 32], [20, 1], [20, 1]])
    let one = try Program.run("data", "convert", "set", "one.npy", in: folder)
    #expect(
      one.status == 0 && one.errors.contains("left out: gain_db, normaliser_db"), "\(one)")
    let layout = try Program.run(
      "data", "convert", "set", "tones.npy", "--layout-out", "frequency", in: folder)
    try #require(layout.status == 0, "\(layout)")
    #expect(try ArrayFile.list("\(folder.path)/tones.npy")[0].shape == [20, 64, 32])
  }

  @Test(arguments: [
    (["generate", "small.yaml", "--drops", "0", "-o", "a"], 2, "--drops"),
    (["generate", "small.yaml", "--drops", "5", "--slots", "2", "-o", "a"], 2, "no slots"),
    (["generate", "small.yaml", "--drops", "5", "--shard-size", "2", "-o", "a.npy"], 2, "folder"),
    (
      [
        "generate", "small.yaml", "--drops", "5", "-o", "a", "--set",
        "sweep.channel.taps=[1,2]",
      ], 2, "2 kinds"
    ),
    (["generate", "none.yaml", "--drops", "5", "-o", "a"], 2, "none.yaml"),
    (["generate", "small.yaml", "--drops", "5", "-o", "none/a.npy"], 1, "none/a.npy"),
    (["describe", "none.npy"], 1, "none.npy"),
    (["describe", "cut.npy"], 1, "cut.npy"),
    (["describe", "."], 1, "cut.npy"),
    (["describe", "good.npy", "--layout", "delay"], 1, "complex"),
    (["describe", "good.npy", "--layout", "csinet", "--axes", "drop", "tone"], 2, "axes"),
    (["convert", "good.npy", "a.xyz"], 1, "an extension"),
    (["convert", "cut.npy", "a.mat"], 1, "cut.npy"),
    (["convert", "good.npy", "a.npy", "--mat-version", "5"], 2, "--mat-version"),
    (["convert", "good.npy", "a.npz", "--layout-out", "delay", "--ports", "3"], 2, "--layout-in"),
    (["convert", "good.npy", "a.npz", "--shape", "7"], 1, "rows of 7"),
  ])
  func refusals(_ arguments: [String], _ status: Int32, _ word: String) throws {
    let folder = try folder()
    try ArrayFile.write(
      [NumericArray(shape: [4, 8], floats: [Float](repeating: 0.25, count: 32))],
      to: "\(folder.path)/good.npy")
    try folder.write(try folder.read("good.npy").dropLast(9), to: "cut.npy")
    let result = try Program.run(["data"] + arguments, in: folder)
    #expect(result.status == status && result.errors.contains(word), "\(result)")
    for name in ["a", "a.npy", "a.npz", "a.mat"] { #expect(!folder.has(name)) }
  }
}
