import Foundation
import TestSupport
import Testing

/// `csilink train`: what it writes, and that nothing is lost when it is stopped.
@Suite struct TrainCommandTests {
  private static let scenario = """
    name: small
    link:
      grid: {tones: 64}
      channel: {type: rayleigh, ports: 32, taps: 3}
      pilots: {type: dft, snr_db: 10}
      transform: {taps: 32}
      codec: {network: cl-acrnet-1x, compression: 64}
    training:
      {samples: 160, validation_samples: 10, test_samples: 10, epochs: 40, batch: 4}
    run: {seed: 3, drops: 4}

    """

  private static let names = [
    "cl-acrnet-1x-64-encoder.safetensors", "cl-acrnet-1x-64-decoder.safetensors",
    "cl-acrnet-1x-64-curve.csv", "training.csv",
  ]

  private func folder() throws -> TestFolder { try TestFolder(["small.yaml": Self.scenario]) }

  private func contents(_ folder: TestFolder, _ output: String) throws -> [Data] {
    try Self.names.map { try folder.read("\(output)/\($0)") }
  }

  /// A scenario with a network of two ONNX files, e.onnx and d.onnx, beside it.
  private static func imported() throws -> TestFolder {
    let folder = try TestFolder([
      "imported.yaml": """
      name: imported
      link:
        grid: {tones: 32}
        channel: {type: rayleigh, ports: 8, taps: 3}
        transform: {taps: 8}
        codec: {type: onnx, encoder: e.onnx, decoder: d.onnx}
      training: {samples: 32, validation_samples: 6, test_samples: 5, batch: 8, epochs: 1}
      run: {seed: 3, drops: 4}
      """
    ])
    for (own, file) in [("e", "encoder"), ("d", "decoder")] {
      let path = Repository.root.appending(path: "Tests/Fixtures/onnx/\(file).onnx")
      try folder.write(Data(contentsOf: path), to: "\(own).onnx")
    }
    return folder
  }

  /// A network of ONNX files runs with the weights of its training once there are any, as others do.
  @Test func trainedImportsAreRun() throws {
    let folder = try Self.imported()
    let before = try Program.run("run", "imported.yaml", "-o", "before", in: folder)
    #expect(before.status == 0 && !before.errors.contains("# weights"), "\(before)")
    let train = try Program.run("train", "imported.yaml", in: folder)
    #expect(train.status == 0, "\(train)")
    let after = try Program.run("run", "imported.yaml", "-o", "after", in: folder)
    #expect(after.status == 0 && after.errors.contains("# weights: results/imported"), "\(after)")
    #expect(try folder.read("before/report.csv") != folder.read("after/report.csv"))
  }

  /// The weights of a training belong to the ONNX files that it began with.
  @Test func changedImportsAreRefused() throws {
    let folder = try Self.imported()
    let drawn = try Program.run(
      "train", "imported.yaml", "--set", "training.initialization=principal_components", in: folder)
    #expect(drawn.status == 2 && drawn.errors.contains("training.initialization"), "\(drawn)")
    #expect(try Program.run("train", "imported.yaml", in: folder).status == 0)
    #expect(try Program.run("run", "imported.yaml", in: folder).status == 0)
    let page = try Program.run("report", "results/imported", "--no-drops", in: folder)
    let html = try folder.text("results/imported/report.html")
    #expect(page.status == 0 && html.contains("Cost of each side"), "\(page)")
    // Another network under names of its own has no weights there.
    for own in ["e", "d"] {
      try folder.write(folder.read("\(own).onnx"), to: "other-\(own).onnx")
    }
    let other = try Program.run(
      "run", "imported.yaml", "-o", "other", "--set", "codec.encoder=other-e.onnx", "--set",
      "codec.decoder=other-d.onnx", in: folder)
    #expect(other.status == 0 && !other.errors.contains("# weights"), "\(other)")
    // The version of the producer is text that no operator looks at.
    var changed = try folder.read("e.onnx")
    let place = try #require(changed.range(of: Data("pytorch".utf8))?.lowerBound)
    changed[place] = UInt8(ascii: "P")
    try folder.write(changed, to: "e.onnx")
    let refused = try Program.run("run", "imported.yaml", "-o", "again", in: folder)
    #expect(refused.status == 1 && refused.errors.contains("files that have changed"), "\(refused)")
  }

  /// --fresh gives up nothing for what cannot be made.
  @Test func freshKeepsWhatCannotBeReplaced() throws {
    let folder = try folder()
    let small = ["small.yaml", "--set", "training.epochs=1"]
    #expect(try Program.run(["train"] + small, in: folder).status == 0)
    #expect(try Program.run(["run", "small.yaml"], in: folder).status == 0)
    let wrong = try Program.run(
      ["train"] + small + ["--fresh", "--set", "training.start=[nothing.pth]"], in: folder)
    #expect(wrong.status == 1, "\(wrong)")
    #expect(folder.has("results/small/data") && folder.has("results/small/training.csv"))
    let unmade = try Program.run(
      ["run", "small.yaml", "--fresh", "--set", "codec.weights=nothing"], in: folder)
    #expect(unmade.status == 1, "\(unmade)")
    #expect(folder.has("results/small/journal.log"))
    #expect(try Program.run(["run", "small.yaml", "--fresh"], in: folder).status == 0)
  }

  /// A run whose recorded drops are divided otherwise than those of its training says so; what it prints as its scenario has their number.
  @Test func otherSharesAreTold() throws {
    let file = fixtures.appending(path: "datasets/umi_los_20.npz").path
    let folder = try TestFolder([
      "own.yaml": """
      name: own
      link:
        preset: csinet
        channel: {type: recorded, file: \(file), variable: HT}
        estimator: perfect
        codec: {network: cl-crnet, compression: 16}
      training: {epochs: 1, batch: 4}
      """
    ])
    let split = ["--set", "channel.split={train: 8, validation: 2, test: 2}"]
    let train = try Program.run(["train", "own.yaml"] + split, in: folder)
    #expect(train.status == 0, "\(train)")
    // The public images are those that networks see, which the channel does not know.
    #expect(train.errors.contains("channel.angle_shift is 0"), "\(train)")
    let leaking = try Program.run(["run", "own.yaml"], in: folder)
    #expect(leaking.status == 0 && leaking.errors.contains("8, 2, 2"), "\(leaking)")
    let same = try Program.run(
      ["run", "own.yaml", "-o", "same", "--set", "channel.angle_shift=16"] + split, in: folder)
    #expect(same.status == 0 && !same.errors.contains("warning: the weights"), "\(same)")
    #expect(!same.errors.contains("channel.angle_shift is 0"), "\(same)")
    let config = try Program.run(["config", "own.yaml"], in: folder)
    #expect(config.status == 0 && config.output.contains("  drops: 20\n"), "\(config)")
  }

  /// Drops of another cell have surroundings that a network has not seen.
  @Test func otherCellsAreTold() throws {
    let folder = try TestFolder([
      "own.yaml": """
      name: own
      link:
        grid: {tones: 32}
        channel: {type: tr38901, scenario: umi, environment: cell, ports: 32}
        estimator: perfect
        transform: {taps: 32}
        codec: {network: cl-crnet, compression: 16}
      training: {samples: 8, validation_samples: 4, test_samples: 4, epochs: 1, batch: 4}
      run: {seed: 3, drops: 4}
      """
    ])
    #expect(try Program.run("train", "own.yaml", in: folder).status == 0)
    let message = "warning: the weights in results/own were trained in the cell of seed 3"
    let seed = ["--set", "run.seed=4"]
    for (number, (more, isOther)) in [
      ([], false), (seed, true), (seed + ["--set", "codec.weights=results/own"], true),
      (seed + ["--set", "channel.environment_seed=3"], false),
    ].enumerated() {
      let run = try Program.run(["run", "own.yaml", "-o", "out-\(number)"] + more, in: folder)
      #expect(run.status == 0, "\(run)")
      #expect(run.errors.contains(message) == isOther, "\(more) \(run)")
      #expect(run.errors.contains("'channel.environment_seed: 3'") == isOther)
    }
  }

  @Test func writesWeightsCurvesAndReport() throws {
    let folder = try folder()
    let result = try Program.run(
      "train", "small.yaml", "--set", "training.epochs=2", "--output", "out", in: folder)
    try #require(result.status == 0, "\(result)")
    for name in Self.names { #expect(folder.has("out/\(name)"), "\(name)") }
    #expect(folder.has("out/curves.svg") && folder.has("out/curves.png"))
    #expect(result.output.contains("cl-acrnet-1x   1/64"), "\(result)")
    let rows = try folder.text("out/training.csv").split(separator: "\n")
    #expect(rows[0] == "# csilink training 1")
    #expect(rows[2].hasPrefix("cl-acrnet-1x,64,"))
    // Losses are those of the best epoch of the curve.
    let cells = { (line: Substring) in
      line.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
    }
    let report = Dictionary(uniqueKeysWithValues: zip(cells(rows[1]), cells(rows[2])))
    let curve = try folder.text("out/cl-acrnet-1x-64-curve.csv").split(separator: "\n")
      .filter { $0.first?.isNumber == true }.map(cells)
    try #require(curve.count == 2)
    let validation = try curve.map { try #require(Double($0[5])) }
    let best = curve[validation[1] < validation[0] ? 1 : 0]
    #expect(report["best_epoch"] == best[0] && report["epochs"] == "2")
    // The curve has four decimals of a level.
    for (name, column, tolerance) in [("training_loss", 3, 1e-7), ("validation_nmse_db", 5, 6e-5)] {
      let told = try #require(report[name].flatMap { Double($0) })
      #expect(abs(told - (try #require(Double(best[column])))) < tolerance, "\(name)")
    }
    #expect(report["test_nmse_db"] != report["validation_nmse_db"])
    // The weights run in the link that they were trained for.
    let run = try Program.run(
      "run", "small.yaml", "--set", "codec.weights=out", "--output", "link", in: folder)
    #expect(run.status == 0, "\(run)")
    // And the checkpoint of another training is not overwritten.
    let other = try Program.run(
      "train", "small.yaml", "--set", "run.seed=4", "--output", "out", in: folder)
    #expect(other.status == 1 && other.errors.contains("--fresh"), "\(other)")
    let fresh = try Program.run(
      "train", "small.yaml", "--set", "run.seed=4", "--set", "training.epochs=1", "--output", "out",
      "--fresh", in: folder)
    #expect(fresh.status == 0, "\(fresh)")
  }

  /// A network of measurements and rank-one terms is trained, and its weights run in the link.
  @Test func networkOfRanks() throws {
    let folder = try folder()
    let network = ["--set", "codec={network: dcrnetv2-mini, compression: 64}"]
    let trained = try Program.run(
      ["train", "small.yaml", "--set", "training.epochs=2", "--output", "out"] + network,
      in: folder)
    try #require(trained.status == 0, "\(trained)")
    #expect(folder.has("out/dcrnetv2-mini-64-decoder.safetensors"))
    let inspected = try Program.run(
      "inspect", "out/dcrnetv2-mini-64-encoder.safetensors", in: folder)
    #expect(inspected.output.contains("\n# encoder: 93,477 parameters, "), "\(inspected)")
    let run = try Program.run(
      [
        "run", "small.yaml", "--output", "link", "--set",
        "codec={network: dcrnetv2-mini, compression: 64, weights: out}",
      ], in: folder)
    #expect(run.status == 0, "\(run)")
  }

  /// Killed while samples are drawn, and twice in the middle of the training; then continued with other threads.
  @Test func killedAndContinued() throws {
    let folder = try folder()
    let whole = try Program.run(
      "train", "small.yaml", "--threads", "1", "--output", "whole", in: folder)
    try #require(whole.status == 0, "\(whole)")
    let command = ["train", "small.yaml", "--output", "parts"]
    let drawing = try Program.start(command + ["--threads", "2"], in: folder)
    try drawing.wait { folder.has("parts/data") }
    drawing.send(SIGKILL)
    #expect(try drawing.wait().signal == SIGKILL)
    var size = 0
    for _ in 0..<2 {
      let training = try Program.start(command + ["--threads", "1"], in: folder)
      try training.wait { folder.size("parts/cl-acrnet-1x-64-curve.csv") > size + 200 }
      training.send(SIGKILL)
      #expect(try training.wait().signal == SIGKILL)
      size = folder.size("parts/cl-acrnet-1x-64-curve.csv")
    }
    #expect(!folder.has("parts/training.csv"))
    // An interrupt leaves a checkpoint and its own exit code.
    let interrupted = try Program.start(command + ["--threads", "1"], in: folder)
    try interrupted.wait { folder.size("parts/cl-acrnet-1x-64-curve.csv") > size + 100 }
    interrupted.send(SIGINT)
    let stopped = try interrupted.wait()
    #expect(stopped.status == 130, "\(stopped)")
    #expect(folder.has("parts/cl-acrnet-1x-64-checkpoint.safetensors"))
    let last = try Program.run(command + ["--threads", "2"], in: folder)
    #expect(last.status == 0, "\(last)")
    #expect(try contents(folder, "parts") == contents(folder, "whole"))
  }

  /// A training that ends above 0 dB says so, and what to try.
  @Test func worseThanNothing() throws {
    let folder = try folder()
    let result = try Program.run(
      "train", "small.yaml", "--set", "training.epochs=1", "--set", "training.learning_rate=1e-9",
      "--set", "training.schedule={type: constant}", in: folder)
    #expect(result.status == 0, "\(result)")
    #expect(
      result.errors.contains("warning: cl-acrnet-1x 1/64 ends at +")
        && result.errors.contains("training.learning_rate"), "\(result)")
  }

  @Test func checkTellsWhatWillBeTrained() throws {
    let folder = try folder()
    let result = try Program.run("check", "small.yaml", in: folder)
    #expect(result.status == 0, "\(result)")
    #expect(
      result.output.contains("# training cl-acrnet-1x 1/64: ")
        && result.output.contains("1600 steps"), "\(result)")
    // The run behind it too, before its networks are trained; nothing is left behind.
    #expect(
      result.output.contains("operating points") && result.output.contains("drawn for this check")
        && result.output.contains("# memory: "), "\(result)")
    #expect(!folder.has("results"))
    // A label of the training is not that of the run's codec.
    for label in ["training.label=mine", "codec.label=mine"] {
      let labelled = try Program.run("check", "small.yaml", "--set", label, in: folder)
      #expect(
        labelled.status == 0 && labelled.output.contains("drawn for this check"),
        "\(labelled)")
    }
    // 2000 maps of 8 KiB.
    let more = try Program.run("check", "small.yaml", "--set", "training.samples=1980", in: folder)
    #expect(more.output.contains("# samples on disk: about 15 MiB"), "\(more)")
  }

  @Test(arguments: [
    (["training.epochs=0"], "training.epochs"),
    (
      ["training.schedule.type=warm_up_cosine", "training.schedule.warm_up=40"], "schedule.warm_up"
    ),
    (["codec=pca"], "has a network"),
    (["codec.network=transnet-cross-batch"], "transnet"),
    (["codec.compression=3"], "codec.compression"),
    (["channel.ports=8"], "must be one of 4, 8, 16 for 8 ports and 32 taps, got 64"),
    (["training.speed=3"], "speed"),
    (["training=fast"], "must be a mapping"),
  ])
  func refusals(overrides: [String], word: String) throws {
    let folder = try folder()
    let result = try Program.run(
      ["train", "small.yaml"] + overrides.flatMap { ["--set", $0] }, in: folder)
    #expect(result.status == 2, "\(result)")
    #expect(result.errors.contains(word), "\(result)")
    #expect(!folder.has("results"))
  }

  /// Samples that were cut, damaged or edited on disk are an error with the file's name, or drawn again after its removal.
  @Test func damagedSamples() throws {
    let folder = try folder()
    let command = ["train", "small.yaml", "--set", "training.epochs=1", "--output", "out"]
    #expect(try Program.run(command, in: folder).status == 0)
    let files = try FileManager.default.contentsOfDirectory(atPath: "\(folder.path)/out/data")
    let name = try #require(files.first { $0.hasPrefix("train-") })
    let good = try folder.read("out/data/\(name)")
    var edited = good
    edited[good.count - 2] ^= 1
    for bytes in [good.prefix(0), good.prefix(60), good.prefix(good.count / 2), edited] {
      try folder.write(bytes, to: "out/data/\(name)")
      let result = try Program.run(command, in: folder)
      #expect(result.status == 1 && result.errors.contains(name), "\(bytes.count): \(result)")
    }
    // A file that nobody vouches for is drawn again.
    let sums = try folder.text("out/data/SHA256SUMS")
    #expect(sums.contains("  \(name)\n"))
    try FileManager.default.removeItem(atPath: "\(folder.path)/out/data/SHA256SUMS")
    #expect(try Program.run(command, in: folder).status == 0)
    #expect(try folder.read("out/data/\(name)") == good)
    #expect(try folder.text("out/data/SHA256SUMS") == sums)
    try FileManager.default.removeItem(atPath: "\(folder.path)/out/data/\(name)")
    #expect(try Program.run(command, in: folder).status == 0)
    #expect(try folder.read("out/data/\(name)") == good)
  }

  /// Another build of the program goes on with nothing of this one: not its samples, fitted parts, checkpoint, journal or
  /// data set.
  @Test func anotherBuildStartsOver() throws {
    let folder = try folder()
    let other = "\(folder.path)/other"
    // A byte behind the end of an executable file changes nothing but its digest. Another process writes it: what this one has open, children
    // of tests beside have open too, and a file that is open for writing cannot be run.
    let copy = try Program.run(
      ["-c", "cp \"$0\" other && printf x >> other", Program.path], in: folder, program: "/bin/sh")
    try #require(copy.status == 0, "\(copy)")
    func names(_ place: String) throws -> Set<String> {
      Set(
        try FileManager.default.contentsOfDirectory(atPath: "\(folder.path)/\(place)").filter {
          $0 != "SHA256SUMS"
        })
    }
    let train = ["train", "small.yaml", "--set", "training.epochs=1", "--output", "out"]
    #expect(try Program.run(train, in: folder).status == 0)
    let samples = try names("out/data")
    #expect(samples.count == 3)
    let refused = try Program.run(train, in: folder, program: other)
    #expect(refused.status == 1 && refused.errors.contains("or build have changed"), "\(refused)")
    let both = try names("out/data")
    #expect(both.isSuperset(of: samples) && both.count == 6, "\(both)")
    let fresh = try Program.run(train + ["--fresh"], in: folder, program: other)
    #expect(fresh.status == 0, "\(fresh)")
    #expect(try names("out/data") == both.subtracting(samples))

    try folder.write(
      Data(
        """
        link:
          grid: {tones: 16}
          channel: {type: rayleigh, ports: 4, taps: 4}
          transform: {taps: 8}
          codec: {type: pca, length: 4, fit.drops: 20}
        run: {drops: 8}
        """.utf8), to: "link.yaml")
    let link = ["run", "link.yaml", "--output", "link"]
    #expect(try Program.run(link, in: folder).status == 0)
    let parts = try names("link/fitted")
    let mixed = try Program.run(link, in: folder, program: other)
    #expect(mixed.status == 1 && mixed.errors.contains("another build"), "\(mixed)")
    #expect(try names("link/fitted") == parts)
    try FileManager.default.removeItem(atPath: "\(folder.path)/link/journal.log")
    #expect(try Program.run(link, in: folder, program: other).status == 0)
    #expect(try names("link/fitted").count == 2 * parts.count)

    let generate = ["data", "generate", "link.yaml", "--drops", "4", "-o", "set"]
    #expect(try Program.run(generate, in: folder).status == 0)
    let extended = try Program.run(generate, in: folder, program: other)
    #expect(extended.status == 1 && extended.errors.contains("set"), "\(extended)")
  }
}
