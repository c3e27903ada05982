import DataFiles
import Foundation
import TestSupport
import Testing

/// Results are drawn, compared and printed; messages of everyday use.
@Suite struct EverydayTests {
  private static let small = Repository.scenario("small")

  private func cells(_ report: String) -> [[String]] {
    report.split(separator: "\n").map {
      $0.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
    }
  }

  @Test func printedResults() throws {
    let folder = try TestFolder()
    let csv = try Program.run(
      "run", Self.small, "--output", "out", "--format", "csv", "--quiet", in: folder)
    #expect(csv.status == 0, "\(csv)")
    #expect(try csv.output == folder.text("out/report.csv"))
    #expect(csv.errors.contains("# report: out/report.csv"))
    let json = try Program.run(
      "run", Self.small, "--output", "out", "--format", "json", "--per-drop", "drops.npz",
      in: folder)
    let rows = try #require(
      JSONSerialization.jsonObject(with: Data(json.output.utf8)) as? [[String: Any]])
    let report = try cells(folder.text("out/report.csv"))
    #expect(rows.count == report.count - 1)
    let column = try #require(report[0].firstIndex(of: "nmse_db"))
    for (row, fields) in zip(rows, report.dropFirst()) {
      #expect(row["pilots.snr_db"] as? String == fields[0])
      #expect(row["nmse_db"] as? Double == Double(fields[column]))
      #expect(row["data_digest"] is NSNull)
    }
    // The mean over drops of what the file holds is the report's NMSE.
    let ratios = try ArrayFile.read("\(folder.path)/drops.npz", variable: "error_ratio")
    #expect(ratios.shape == [2, 16])
    guard case .double(let values) = ratios.values else { throw Failure() }
    for (point, fields) in report.dropFirst().enumerated() {
      let mean = values[16 * point..<16 * point + 16].reduce(0, +) / 16
      #expect(abs(10 * log10(mean) - Double(fields[column])!) < 1e-6)
    }
  }

  private struct Failure: Error {}

  @Test func figuresAndComparisons() throws {
    let folder = try TestFolder()
    for (name, snr) in [("a", "10"), ("b", "20")] {
      let run = try Program.run(
        "run", Self.small, "--output", name, "--set", "precoder.snr_db=\(snr)", in: folder)
      #expect(run.status == 0, "\(run)")
    }
    let plot = try Program.run(
      "plot", "a", "b", "--y", "rate_bits_per_s_hz", "--series", "precoder.snr_db", "-o", "f.txt",
      in: folder)
    #expect(plot.status == 0, "\(plot)")
    let figure = try folder.text("f.txt")
    #expect(figure.contains("\nlegend line 1/0/1: precoder SNR 20 dB\n"))
    let report = try cells(folder.text("b/report.csv"))
    let column = try #require(report[0].firstIndex(of: "rate_bits_per_s_hz"))
    for row in report.dropFirst() { #expect(figure.contains("\n    \(row[0]) \(row[column])")) }
    let compare = try Program.run(
      "compare", "a", "b", "--column", "rate_bits_per_s_hz,nmse_db", in: folder)
    #expect(compare.status == 0, "\(compare)")
    #expect(compare.output.contains("# changed in b: precoder.snr_db 10 -> 20\n"))
    // The precoder does not change the CSI; 16 drops are too few for a verdict on the rate.
    #expect(compare.output.hasSuffix("# 0 better, 0 worse, 2 equal, 2 undecided\n"))
    for (arguments, status, hint) in [
      (["plot", "a", "--y", "nmse", "-o", "f.txt"], 1, "did you mean 'nmse_db'?"),
      (["plot", "a", "-o", "f.jpg"], 1, "the name ends in .pdf"),
      (["plot", "nowhere", "-o", "f.txt"], 1, "name the folder of a result"),
      (["plot", "a", "--where", "x", "-o", "f.txt"], 2, "key=value"),
      (["plot", "a", "--y", "rate", "-o", "f.txt"], 1, "did you mean 'rate_bits_per_s_hz'?"),
      (
        ["plot", "a", "--where", "pilots.snr_db=0", "--where", "pilots.snr_db=10", "-o", "f.txt"],
        2, "write pilots.snr_db=0,10"
      ),
      (["compare", "a"], 1, "--across KEY"),
      (["compare", "a", "--across", "codec", "--where", "x"], 2, "--where: "),
    ] as [([String], Int32, String)] {
      let wrong = try Program.run(arguments, in: folder)
      #expect(wrong.status == status && wrong.errors.contains(hint), "\(arguments) \(wrong)")
    }
  }

  /// The distribution over drops ends at one, and half of the drops lie below the median.
  @Test func distributions() throws {
    let folder = try TestFolder()
    let run = try Program.run(
      "run", Self.small, "--output", "a", "--per-drop", "d.npz", in: folder)
    #expect(run.status == 0, "\(run)")
    let plot = try Program.run(
      "plot", "a", "--cdf", "--y", "rate_bits_per_s_hz", "--where", "pilots.snr_db=10", "-o",
      "f.txt", in: folder)
    #expect(plot.status == 0, "\(plot)")
    let rates = try ArrayFile.read("\(folder.path)/d.npz", variable: "rate")
    guard case .double(let values) = rates.values else { throw Failure() }
    let sorted = values[16..<32].sorted()
    let points = try folder.text("f.txt").matches(of: /(?m)^    (\S+) (\S+)$/)
    #expect(points.count == 16)
    for (index, point) in points.enumerated() {
      #expect(abs(try #require(Double(point.1)) - sorted[index]) < 1e-6)
      #expect(Double(point.2) == Double(index + 1) / 16)
    }
    let wrong = try Program.run(
      "plot", "a", "--cdf", "--y", "payload_bits", "-o", "f.txt", in: folder)
    #expect(wrong.status == 1 && wrong.errors.contains("no mean over drops"), "\(wrong)")
    let joined = try Program.run(
      "plot", "a", "--cdf", "--y", "rate_bits_per_s_hz", "--series", "codec", "-o", "f.txt",
      in: folder)
    #expect(
      joined.status == 1 && joined.errors.contains("share one curve: they differ in"), "\(joined)")
    let levels = try Program.run(
      "plot", "a", "--y", "nmse_db", "--y-scale", "log", "-o", "f.txt", in: folder)
    #expect(levels.status == 0 && levels.errors.contains("no logarithmic axis"), "\(levels)")
    let facets = try Program.run(
      "plot", "a", "--y", "nmse_db", "--facet", "codec,coder", "-o", "f.txt", in: folder)
    #expect(facets.status == 2 && facets.errors.contains("takes one key"), "\(facets)")
    let refused = try Program.run(
      "run", Self.small, "-o", "b", "--per-drop", "d.csv", in: folder)
    #expect(refused.status == 2 && !folder.has("b"), "\(refused)")
    let inside = try Program.run(
      "run", Self.small, "-o", "b", "--per-drop", "b/numbers/d.npz", in: folder)
    #expect(inside.status == 0 && folder.has("b/numbers/d.npz"), "\(inside)")
  }

  @Test func plotsOfAScenario() throws {
    let folder = try TestFolder()
    let run = try Program.run(
      "run", Self.small, "--output", "out", "--set",
      "report.plots=['sgcs over pilots.snr_db as similar', estimate_nmse_db]", in: folder)
    #expect(run.status == 0, "\(run)")
    let program = try folder.text("out/plots.gp")
    #expect(program.contains("set output 'similar.'.format"))
    #expect(program.contains("set ylabel 'NMSE of the estimate (dB)'"))
    #expect(!program.contains("'nmse.'"))
    let plain = try Program.run("run", Self.small, "--output", "plain", in: folder)
    #expect(plain.status == 0)
    #expect(try folder.read("plain/report.csv") == folder.read("out/report.csv"))
    let wrong = try Program.run(
      "check", Self.small, "--set", "report.plots=[sgcs over coder.tpe]", in: folder)
    #expect(wrong.status == 2 && wrong.errors.contains("got 'coder.tpe'"), "\(wrong)")
    // A key that is swept elsewhere and has one value here.
    let constant = try Program.run(
      "check", Self.small, "--set", "report.plots=[sgcs over pilots.snr_db by coder]", in: folder)
    #expect(constant.status == 0, "\(constant)")
    // What the points alone show to be impossible is told before anything is run.
    for (plot, reason) in [
      ("nmse_db over pilots.snr_db by pilots.snr_db where codec=none", nil),
      ("nmse_db over codec by codec", "they differ in pilots.snr_db"),
      ("nmse_db where pilots.snr_db=7", "no point has pilots.snr_db=7"),
    ] as [(String, String?)] {
      let set = ["--set", "sweep.codec=[none, {type: dft_selection, compression: 4}]"]
      let check = try Program.run(
        ["run", Self.small, "--output", "none", "--set", "report.plots=['\(plot)']"] + set,
        in: folder)
      guard let reason else {
        #expect(check.status == 0, "\(check)")
        continue
      }
      #expect(check.status == 2 && check.errors.contains(reason), "\(check)")
    }
  }

  /// All wrong columns and plots are told at once, each where it is written.
  @Test func wrongPlotsAreToldTogether() throws {
    let folder = try TestFolder([
      "a.yaml": """
      link:
        channel: {type: rayleigh, ports: 8}
      sweep:
        pilots.snr_db: [0, 10]
        codec: [none, {type: dft_selection, compression: 4}]
      run: {drops: 4}
      report:
        columns: [rate_5_percentile, sum_rates]
        plots:
          - rate over pilots.snr_db
          - nmse_db over codec by codec
          - nmse_db over pilots.snr_db
          - nmse_db over pilots.snr_db
          - nmse_db over pilots.snr_db by
          - nmse_db where codec=none and codec=pca
          - sum_rate over codec where pilots.snr_db=0

      """
    ])
    let check = try Program.run("check", "a.yaml", in: folder)
    #expect(check.status == 2)
    let expected = [
      ("8:32", "got 'sum_rates'"), ("10:7", "got 'rate'"), ("11:7", "they differ in pilots.snr_db"),
      ("13:7", "two plots called"), ("14:7", "has nothing behind it"), ("15:7", "stands twice"),
    ]
    let lines = check.errors.split(separator: "\n").filter { $0.contains(": error: ") }
    #expect(lines.count == expected.count, "\(check)")
    for (line, (place, message)) in zip(lines, expected) {
      #expect(line.hasPrefix("a.yaml:\(place):") && line.contains(message), "\(line)")
    }
    #expect(check.errors.contains("did you mean 'rate_bits_per_s_hz'?"), "\(check)")
    #expect(check.errors.contains("write codec=none,pca"), "\(check)")
  }

  @Test func resolvedScenarios() throws {
    let folder = try TestFolder()
    let config = try Program.run("config", Self.small, "--set", "run.drops=8", in: folder)
    #expect(config.status == 0 && config.output.contains("  drops: 8\n"), "\(config)")
    try folder.write(Data(config.output.utf8), to: "again.yaml")
    let again = try Program.run("config", "again.yaml", in: folder)
    #expect(again.output == config.output)
  }

  @Test func parts() throws {
    let folder = try TestFolder()
    let pca = try Program.run("list", "pca", in: folder)
    #expect(pca.status == 0 && pca.output.hasPrefix("codec\n  pca: "), "\(pca)")
    #expect(!pca.output.contains("network:"))
    for (word, hint) in [
      ("cdll", "did you mean 'cdl'?"),
      (
        "csinet", "'csinet' is a network: 'csilink inspect csinet' shows it, 'csilink list network'"
      ),
      ("adam", "'adam' is a value of 'optimizer' of training"),
      ("UMi", "'UMi' is a value of 'scenario' of channel tr38901: 'csilink list tr38901'"),
      ("quantizer.bits", "is the key 'bits' of quantizer uniform: 'csilink list uniform'"),
      ("nmse_db", "is a column of report.csv"), ("rate_5_percentile", "is a column of report.csv"),
      ("a/b.yaml", "'csilink config' scenarios"),
    ] {
      let wrong = try Program.run("list", word, in: folder)
      #expect(wrong.status == 2 && wrong.errors.contains(hint), "\(word) \(wrong)")
    }
    for word in ["pca", "channel"] {
      let wrong = try Program.run("inspect", word, in: folder)
      #expect(wrong.status == 2 && wrong.errors.contains("'csilink list \(word)'"), "\(wrong)")
    }
  }

  /// A file of another kind than the command takes says where it belongs.
  @Test func filesOfOtherKinds() throws {
    let folder = try TestFolder()
    let fixture = { (name: String) in fixtures.appending(path: name).path }
    for name in [
      "foreign/types_zip.pt", "foreign/crnet_16_legacy.pth", "foreign/csinet_width_16.h5",
      "foreign/clnet_16_decoder.pth.tar", "networks/clacrnet1x_cr4_eval.safetensors",
    ] {
      let wrong = try Program.run("data", "describe", fixture(name), in: folder)
      #expect(wrong.status == 1 && wrong.errors.contains("'csilink weights import "), "\(wrong)")
      #expect(wrong.errors.contains("'csilink inspect \(fixture(name))'"), "\(wrong)")
    }
    let network = try Program.run("data", "describe", fixture("onnx/encoder.onnx"), in: folder)
    #expect(network.errors.contains("'codec: {type: onnx}' runs it"), "\(network)")
    for name in [
      "datasets/umi_los_20.npz", "datasets/umi_los_20_v5.mat", "datasets/several_v73.mat",
      "datasets/numpy_le_f2.npy", "datasets/umi_los_4.csv",
    ] {
      for arguments in [
        ["inspect", fixture(name)],
        ["weights", "import", fixture(name), "--network", "csinet", "-c", "4", "-o", "w"],
      ] {
        let wrong = try Program.run(arguments, in: folder)
        let hint = "these are arrays, not weights: 'csilink data describe \(fixture(name))'"
        #expect(wrong.status == 1 && wrong.errors.contains(hint), "\(wrong)")
      }
    }
    let scenario = try Program.run("weights", "import", Self.small, "-o", "w", in: folder)
    #expect(scenario.errors.contains("this is a scenario"), "\(scenario)")
    #expect(!folder.has("w"))
  }

  /// What the parser of arguments cannot know: keys of scenarios, and scenarios without a command.
  @Test(
    arguments: [
      (["run", "s.yaml", "--drops", "10"], "--set run.drops=..."),
      (["train", "s.yaml", "--learning-rate", "1"], "--set training.learning_rate=..."),
      (["check", "s.yaml", "--snr_db", "3"], "--set pilots.snr_db=..."),
      (["s.yaml"], "'csilink run s.yaml' runs a scenario"),
      (["rnu", "s.yaml"], "did you mean 'csilink run'?"), (["run", "s.yaml", "--bananas"], nil),
    ] as [([String], String?)])
  func wrongUsage(arguments: [String], hint: String?) throws {
    let result = try Program.run(arguments, in: TestFolder())
    #expect(result.status == 2, "\(result)")
    if let hint {
      #expect(result.errors.contains("hint: ") && result.errors.contains(hint), "\(result)")
    } else {
      #expect(!result.errors.contains("hint: "), "\(result)")
    }
  }

  /// A name with settings needs quotes in a file, which tells it, and none behind --set.
  @Test func namesWithSettings() throws {
    let folder = try TestFolder()
    let overridden = try Program.run(
      "config", Self.small, "--set", "codec={network: crnet}", "--set",
      "codec.network=acrnet {expansion: 2, binary: encoder}", in: folder)
    #expect(overridden.status == 0, "\(overridden)")
    #expect(overridden.output.contains("acrnet {expansion: 2, binary: encoder}"))
    for (name, text) in [
      ("one", "network: crnet {binary: both}"), ("two", "{network: crnet {binary: both}}"),
    ] {
      try folder.write(Data("link:\n  codec:\n    \(text)\n".utf8), to: "\(name).yaml")
      let file = try Program.run("config", "\(name).yaml", in: folder)
      #expect(file.status == 2 && file.errors.contains("needs quotes"), "\(file)")
    }
  }

  /// What is no array file tells how to make one of it; levels beside channels are no shards.
  @Test func arraysOfOtherPrograms() throws {
    let folder = try TestFolder()
    for (name, words) in [
      ("h.pkl", "numpy.save('h.npy', numpy.array(pickle.load(open('h.pkl', 'rb'))))"),
      ("h.json", "json.load(open('h.json'))"), ("h.fits", "numpy.save(FILE, array)"),
    ] {
      try folder.write(Data("something".utf8), to: name)
      let result = try Program.run("data", "describe", name, in: folder)
      #expect(result.status == 1 && result.errors.contains(words), "\(result)")
    }
    let real = NumericArray(
      name: nil, shape: [3, 2, 4, 4], floats: (0..<96).map { Float($0) / 96 })
    for (name, array) in [
      ("set/a.npy", real), ("set/b.npy", real),
      ("set/a-gain_db.npy", NumericArray(name: nil, shape: [3], floats: [1, 2, 3])),
    ] {
      try FileManager.default.createDirectory(
        atPath: "\(folder.path)/set", withIntermediateDirectories: true)
      try ArrayFile.write([array], to: "\(folder.path)/\(name)")
    }
    let set = try Program.run(
      "data", "describe", "set", "--layout", "csinet", "--ports", "4", "--pca", "0", in: folder)
    #expect(set.status == 0 && set.output.contains("6 x 2 x 4 x 4"), "\(set)")
    let colon = try Program.run("data", "describe", "set/a.npy:H", in: folder)
    #expect(colon.status == 1 && colon.errors.contains("--variable H"), "\(colon)")
  }

  @Test func missingShards() throws {
    let folder = try TestFolder()
    for shard in ["1", "3"] {
      _ = try Program.run(
        "run", Self.small, "--shard", "\(shard)/3", "--output", "s\(shard)", in: folder)
    }
    let merge = try Program.run("merge", Self.small, "s1", "s3", "--output", "m", in: folder)
    #expect(merge.status == 1, "\(merge)")
    #expect(merge.errors.contains("shard 2/3 is missing"), "\(merge)")
    // Another run's journal, and no journal, are found before anything is fitted.
    let fitted = ["--set", "codec={type: pca, compression: 4, fit.drops: 64}"]
    for folders in [["s1", "s3"], ["s1", "nowhere"]] {
      let other = try Program.run(
        ["merge", Self.small, "--output", "x"] + folders + fitted, in: folder)
      #expect(other.status == 1 && !other.errors.contains("fitting"), "\(other)")
      #expect(!FileManager.default.fileExists(atPath: "\(folder.path)/x"))
    }
    for (output, status) in [("s1", 1), ("new", 0)] as [(String, Int32)] {
      let again = try Program.run(
        ["run", Self.small, "--shard", "1/3", "--output", output] + fitted, in: folder)
      #expect(again.status == status, "\(again)")
      #expect(again.errors.contains("another scenario") == (status == 1), "\(again)")
      #expect(again.errors.contains("fitting") == (status == 0), "\(again)")
    }
    #expect(merge.errors.contains("run it with --shard 2/3"), "\(merge)")
  }

  /// Fits are counted, and told where they belong.
  @Test func fittingIsCounted() throws {
    let folder = try TestFolder()
    let command = [
      "run", Self.small, "--output", "out", "--set",
      "sweep.codec=[{type: pca, fit.drops: 64}, none]", "--set",
      "quantizer={type: uniform, bits: 4, fit.drops: 32}",
    ]
    let run = try Program.run(command, in: folder)
    #expect(run.status == 0, "\(run)")
    let lines = run.errors.split(separator: "\n").filter { $0.contains("fitting") }
    let totals = Set(lines.compactMap { $0.firstMatch(of: /of (\d+):/).map { String($0.1) } })
    #expect(totals == [String(lines.count)], "\(lines)")
    #expect(lines.contains { $0.contains("codec pca on 64 drops at pilots.snr_db=0, codec=pca") })
    // All are there, and nothing is told.
    let quiet = try Program.run(command + ["--quiet"], in: folder)
    #expect(!quiet.errors.contains("fitting"), "\(quiet)")
  }
}
