import DataFiles
import Foundation
import Testing

/// `csilink reproduce`: published figures beside those that are obtained.
@Suite struct ReproduceCommandTests {
  private static let link = """
    link:
      grid: {tones: 32}
      channel: {type: rayleigh, ports: 8, taps: 3}
      estimator: perfect
      transform: {taps: 8, guard_rows: 0}
      quantizer: none
      precoder: {type: mrt, snr_db: 10}

    """
  /// Selection and PCA of several lengths over 430 drops: two batches of 200 and one of 30.
  private static let linear =
    link + """
      sweep:
        codec: [dft_selection, pca]
        codec.compression: [4, 8]
      run: {seed: 3, drops: 430, block: 64}

      """

  private func rows(_ folder: TestFolder, _ path: String) throws -> [[String: String]] {
    let records = try CSVRecords.parse(folder.text(path), file: path).filter { $0 != [""] }
    return records.dropFirst().map { Dictionary(uniqueKeysWithValues: zip(records[0], $0)) }
  }

  private func folder(_ paper: String, _ more: [String: String] = [:]) throws -> TestFolder {
    try TestFolder(
      ["scenarios/papers/here/linear.yaml": Self.linear + paper].merging(more) { $1 })
  }

  /// Published figures are taken from a run, shifted by known amounts.
  @Test func figuresAreThoseOfTheRunAndVerdictsOfTheTolerance() throws {
    let plain = try TestFolder(["linear.yaml": Self.linear])
    let run = try Program.run(
      "run", "linear.yaml", "--output", "out", "--per-drop", "d.npz", in: plain)
    try #require(run.status == 0, "\(run)")
    let report = try rows(plain, "out/report.csv")
    let levels = report.map { Double($0["nmse_db"]!)! }
    let shifts = [0.0, 0.4, -0.4, 2]
    let cells = zip(report, zip(levels, shifts)).map { row, number in
      "    - [\(row["codec"]!), \(row["codec.compression"]!), \(number.0 + number.1)]"
    }
    let folder = try folder(
      """
      paper:
        source: N. Nobody, Nothing, 2020
        table: Table I
        tolerance: 0.3
        keys: [codec, codec.compression]
        published:
      \(cells.joined(separator: "\n"))
          - [\(report[0]["codec"]!), \(report[0]["codec.compression"]!), null]
        quoted: [[other, 4, -30]]
        orderings:
          - {key: codec, better: pca, worse: dft_selection, claim: learning helps}
          - {key: codec.compression, better: 8, worse: 4, claim: shorter is better}
        budgets: {usual: {}, small: {judged: false, run.drops: 20}}

      """)
    let result = try Program.run("reproduce", "here/linear", in: folder)
    #expect(result.status == 3, "\(result)")
    let place = "results/papers/here/linear/usual"
    let obtained = try rows(folder, "\(place)/cells.csv")
    #expect(
      obtained.map { $0["verdict"] } == [
        "within", "better", "missed", "better", "unprinted", "quoted",
      ])
    for (row, level) in zip(obtained, levels) {
      #expect(abs(Double(row["obtained"]!)! - level) < 1e-9)
      #expect(Double(row["low"]!)! < level && level < Double(row["high"]!)!)
      #expect(row["budget"] == "usual")
    }
    #expect(obtained[4]["obtained"] == obtained[0]["obtained"])
    #expect(obtained[4]["published"] == "" && obtained[4]["difference"] == "")
    #expect(obtained[5]["obtained"] == "" && obtained[5]["published"] == "-30")
    // Decibels of the means of batches, averaged.
    let ratios = try ArrayFile.read("\(plain.path)/d.npz", variable: "error_ratio")
    guard case .double(let values) = ratios.values else { throw Failure() }
    for (point, row) in obtained.prefix(4).enumerated() {
      let batches: [Double] = [0..<200, 200..<400, 400..<430].map { (range: Range<Int>) in
        let sum: Double = range.reduce(0) { $0 + values[430 * point + $1] }
        return 10 * log10(sum / Double(range.count))
      }
      let mean: Double = batches.reduce(0, +) / 3
      #expect(abs(Double(row["batch_mean_db"]!)! - mean) < 1e-6)
    }
    #expect(result.output.contains("shorter is better: refuted"), "\(result)")
    let page = try folder.text("results/papers/README.md")
    for text in [
      "## here/linear", "N. Nobody, Nothing, 2020. Table I.", "2 better, 1 missed, 1 quoted",
      "1 of curves without numbers",
    ] {
      #expect(page.contains(text), "\(page)")
    }
    let batches = String(format: " | %.2f | ", Double(obtained[1]["batch_mean_db"]!)!)
    #expect(page.contains(batches), "\(batches) \(page)")
    // A budget without verdicts misses nothing and is not on the page.
    let small = try Program.run("reproduce", "--all", "--budget", "small", in: folder)
    #expect(small.status == 0, "\(small)")
    let unjudged = try rows(folder, "results/papers/here/linear/small/cells.csv")
    #expect(unjudged.prefix(4).allSatisfy { $0["verdict"] == "unjudged" })
    #expect(try folder.text("results/papers/README.md") == page)
  }

  private struct Failure: Error {}

  private static let trained =
    link + """
      sweep: {codec: [{network: cl-acrnet-1x}, {network: cl-csinet}], codec.compression: [16]}
      training: {samples: 24, validation_samples: 4, test_samples: 4, epochs: 2, batch: 4}
      run: {seed: 3, drops: 12}
      paper:
        source: N. Nobody, Nothing, 2020
        table: Table II
        passes: 480
        tolerance: 100
        keys: [variant, codec]
        variants:
          plain: {}
          tuned: {training: {start: ['trained:plain'], learning_rate: 1e-4}}
        published: [[plain, cl-csinet, -1], [tuned, cl-acrnet-1x, -2]]
        orderings: [{key: variant, better: tuned, worse: plain, claim: tuning helps}]

      """

  /// Weights lie by recipe; a second table, and the same command again, train nothing that is there.
  @Test func trainsWhatIsMissing() throws {
    let folder = try TestFolder([
      "scenarios/papers/a/first.yaml": Self.trained,
      "scenarios/papers/a/second.yaml": Self.trained
        .replacing(
          "[{network: cl-acrnet-1x}, {network: cl-csinet}]",
          with: "[{network: cl-crnet}, {network: cl-csinet}]"
        )
        .replacing("[tuned, cl-acrnet-1x, -2]", with: "[tuned, cl-crnet, -2]"),
    ])
    let first = try Program.run("reproduce", "a/first", "--threads", "1", in: folder)
    try #require(first.status == 0, "\(first)")
    #expect(first.output.contains("24 samples x 2 epochs, 10 % of the paper's"), "\(first)")
    let trainings = { try rows(folder, "results/papers/trainings.csv") }
    let link = "[trainings.csv](trainings.csv)"
    #expect(try folder.text("results/papers/README.md").contains(link))
    #expect(
      try trainings().map { $0["network"] } == [
        "cl-acrnet-1x", "cl-csinet", "cl-acrnet-1x", "cl-csinet",
      ])
    #expect(try Set(trainings().map { $0["weights"] }).count == 2)
    let plain = try trainings()[1]
    let cells = try folder.read("results/papers/a/first/full/cells.csv")
    // A journal of another scenario is refused until it may be discarded.
    let other = ["--set", "run.seed=4", "--set", "training.epochs=1"]
    let refused = try Program.run(["reproduce", "a/first"] + other, in: folder)
    #expect(refused.status == 1 && refused.errors.contains("--fresh"), "\(refused)")
    let again = try Program.run(["reproduce", "a/first", "--fresh"] + other, in: folder)
    #expect(again.status == 0, "\(again)")
    try #require(try trainings().count == 8)
    #expect(try Program.run("reproduce", "a/first", "--fresh", in: folder).status == 0)
    #expect(try folder.read("results/papers/a/first/full/cells.csv") == cells)
    try FileManager.default.removeItem(atPath: "\(folder.path)/results/papers/trainings.csv")
    #expect(try Program.run("reproduce", "a/first", "--threads", "2", in: folder).status == 0)
    #expect(!folder.has("results/papers/trainings.csv"))
    #expect(try !folder.text("results/papers/README.md").contains(link))
    #expect(try folder.read("results/papers/a/first/full/cells.csv") == cells)
    try #require(try Program.run("reproduce", "a/second", in: folder).status == 0)
    #expect(try trainings().map { $0["network"] } == ["cl-crnet", "cl-crnet"])
    // The weights are those of the trainings that the variants describe.
    let digest = try #require(plain["weights"])
    let alone = try Program.run(
      "train", "scenarios/papers/a/first.yaml", "--output", "alone", in: folder)
    try #require(alone.status == 0, "\(alone)")
    let file = "cl-csinet-8x8-16-decoder.safetensors"
    #expect(
      try folder.read("results/papers/trained/\(digest)/\(file)") == folder.read("alone/\(file)"))
  }

  /// A table that cannot be made any more keeps what there is of it.
  @Test func freshDiscardsNothingForAnImpossibleTable() throws {
    let trained = Self.trained.replacing(
      "run: {seed: 3, drops: 12}", with: "run: {seed: 3, drops: 4}")
    let folder = try folder(
      """
      paper:
        source: N. Nobody, Nothing, 2020
        table: Table I
        tolerance: 300
        keys: [codec, codec.compression]
        published: [[pca, 4, -1]]

      """, ["scenarios/papers/here/trained.yaml": trained])
    let small = ["--set", "run.drops=8"]
    for (table, result, override) in [
      ("here/linear", "full", "channel={type: recorded, file: missing.npy}"),
      ("here/trained", "full/plain", "training.start=[missing.safetensors]"),
    ] {
      let first = try Program.run(["reproduce", table] + small, in: folder)
      try #require(first.status == 0, "\(first)")
      let path = "results/papers/\(table)/\(result)/report.csv"
      let report = try folder.read(path)
      let broken = try Program.run(
        ["reproduce", table, "--fresh", "--set", override] + small, in: folder)
      #expect(broken.status == 1 && broken.errors.contains("missing."), "\(broken)")
      #expect(folder.has(path), "\(table)")
      #expect(try folder.read(path) == report)
      #expect(try Program.run(["reproduce", table, "--fresh"] + small, in: folder).status == 0)
    }
  }

  /// All tables are looked at before the first one is trained, and what is wrong with several is told at once.
  @Test func nothingIsTrainedBesideAnImpossibleTable() throws {
    let folder = try folder(
      """
      paper:
        source: N. Nobody, Nothing, 2020
        table: Table I
        keys: [codec, codec.compression]
        published: [[pca, 4, -1]]

      """, ["scenarios/papers/here/trained.yaml": Self.trained])
    for name in ["one", "two"] {
      let broken = try folder.text("scenarios/papers/here/linear.yaml")
        .replacing("paper:", with: "extra: \(name)\npaper:")
      try folder.write(Data(broken.utf8), to: "scenarios/papers/here/\(name).yaml")
    }
    let wrong = try Program.run(
      "reproduce", "here/trained", "here/one", "here/absent", "here/two", in: folder)
    #expect(wrong.status == 2, "\(wrong)")
    for text in ["one.yaml", "two.yaml", "absent"] {
      #expect(wrong.errors.contains(text), "\(text) \(wrong)")
    }
    let files = Self.trained.replacing("plain: {}", with: "plain: {training.start: [gone.pth]}")
    try folder.write(Data(files.utf8), to: "scenarios/papers/here/files.yaml")
    let missing = try Program.run("reproduce", "here/trained", "here/files", in: folder)
    #expect(missing.status == 1 && missing.errors.contains("gone.pth"), "\(missing)")
    #expect(!folder.has("results"))
  }

  /// What a variant says for a budget holds with that budget alone, and each row tells what it was trained with.
  @Test func variantsWithBudgetsOfTheirOwn() throws {
    let folder = try TestFolder([
      "here/t.yaml": Self.trained
        .replacing("plain: {}", with: "plain: {first: {training.samples: 32, training.epochs: 3}}")
        .replacing(
          "  variants:", with: "  budgets: {first: {training.epochs: 1}, second: {}}\n  variants:")
    ])
    for (budget, trained) in [("first", ["32 x 3", "24 x 1"]), ("second", ["24 x 2", "24 x 2"])] {
      let result = try Program.run("reproduce", "here/t.yaml", "--budget", budget, in: folder)
      try #require(result.status == 0, "\(result)")
      #expect(result.output.contains("at most ") == (budget == "first"))
      let cells = try rows(folder, "results/papers/here/t/\(budget)/cells.csv")
      #expect(cells.map { "\($0["samples"]!) x \($0["epochs"]!)" } == trained)
      let page = try folder.text("results/papers/README.md")
      #expect(trained.allSatisfy { page.contains("| \($0) |") })
    }
  }

  /// Parameters and operations are counted: CsiNet of 8 x 8 images has `2 n M + M + n` parameters in its fully connected layers,
  /// n = 128, `2 n M` multiply-accumulates there, and 3404 and 64 x 3240 in its convolutions, 42 and 64 x 36 of them at the UE.
  @Test(arguments: [
    ("parameters", 2 * 128 * 16 + 16 + 128 + 3404), ("ue_parameters", 128 * 16 + 16 + 42),
    ("bs_multiply_accumulates", 128 * 16 + 64 * 3204),
  ])
  func counts(column: String, count: Int) throws {
    let folder = try TestFolder([
      "here/t.yaml": Self.linear.replacing("[dft_selection, pca]", with: "[{network: csinet}, pca]")
        + """
        paper:
          source: N
          table: T
          column: \(column)
          tolerance: 3
          keys: [codec, codec.compression]
          published: [[csinet, 8, \(count + 3)], [csinet, 4, 1]]
          budgets: {usual: {training.epochs: 1}, smoke: {judged: false}}

        """
    ])
    let result = try Program.run("reproduce", "here/t.yaml", "--budget", "smoke", in: folder)
    #expect(result.status == 3, "\(result)")
    #expect(result.output.contains("nothing trained"))
    let obtained = try rows(folder, "results/papers/here/t/counted/cells.csv")
    #expect(obtained[0]["obtained"] == "\(count)" && obtained[0]["verdict"] == "within")
    #expect(obtained[1]["verdict"] == "missed")
    #expect(
      try folder.text("results/papers/README.md")
        .contains("| \(count) | - | - | -3 | within | - |"))
    #expect(!folder.has("results/papers/trained") && !folder.has("results/papers/trainings.csv"))
    let other = try folder.text("here/t.yaml").replacing("[csinet, 4, 1]", with: "[pca, 4, 1]")
    try folder.write(Data(other.utf8), to: "here/t.yaml")
    let wrong = try Program.run("reproduce", "here/t.yaml", in: folder)
    #expect(wrong.status == 2 && wrong.errors.contains("0 networks are pca, 4"), "\(wrong)")
  }

  /// A table that is wrong is told before anything is trained, with its place.
  @Test func wrongTables() throws {
    for (right, wrong, message) in [
      ("keys: [codec]", "keys: []", "a list of different swept paths"),
      ("published: [[pca, -1]]", "published: [[pca]]", "1 values and a figure, got [pca]"),
      ("published: [[pca, -1]]", "published: [[pca, low]]", "1 values and a figure"),
      ("published: [[pca, -1]]", "published: [[pca, -1, null]]", "1 values and a figure"),
      ("orderings: []", "quoted: [[other, null]]", "a row of 'paper.quoted'"),
      ("tolerance: 1", "tolerance: -1", "a number of 0 or more"),
      ("tolerance: 1", "tolerence: 1", "did you mean 'tolerance'?"),
      ("source: N", "source: ''", "'paper.source' must be a text"),
      ("budgets: {a: {}}", "budgets: [a]", "a mapping of names"),
      ("budgets: {a: {}}", "budgets: {a: 3}", "got 'a' with '3'"),
      (
        "budgets: {a: {}}", "budgets: {a: {}}\n  variants: {x: {a: 3}}",
        "budget 'a' must be a mapping"
      ),
      ("orderings: []", "orderings: [{key: codec}]", "must have key, better, worse, claim"),
      ("budgets: {a: {}}", "budgets: {a: {codec.colour: red}}", "colour"),
      (
        "budgets: {a: {}}", "variants: {x: {codec.weights: 'trained:y'}}",
        "no variant 'y' is trained before 'x'"
      ),
      ("budgets: {a: {}}", "variants: {x: {}, y: {}}", "keys: [variant, codec]"),
      ("published: [[pca, -1]]", "published: [[csinet, -1]]", "no point has codec=csinet"),
    ] as [(String, String, String)] {
      let text = Self.wrong.replacing(right, with: wrong)
      #expect(text != Self.wrong)
      let folder = try TestFolder(["t.yaml": text])
      let result = try Program.run("reproduce", "t.yaml", in: folder)
      #expect(result.status == 2, "\(result)")
      #expect(result.errors.contains(message), "\(wrong): \(result)")
      #expect(!folder.has("results"))
    }
  }

  private static let wrong =
    linear.replacing("  codec.compression: [4, 8]\n", with: "") + """
      paper:
        source: N
        table: T
        tolerance: 1
        keys: [codec]
        published: [[pca, -1]]
        budgets: {a: {}}
        orderings: []

      """

  @Test func namesThatDoNotExist() throws {
    let folder = try folder(
      "paper: {source: N, table: T, keys: [codec], published: [[pca, -1]], budgets: {a: {}, b: {}}}\n",
      ["plain.yaml": Self.linear])
    for (arguments, text) in [
      (["here/linear", "--budget", "c"], "its budgets: a, b"), (["nothing"], "nothing.yaml"),
      (["plain.yaml"], "repeats no published table"), ([], "here/linear.yaml"),
      (["here/linear", "--all"], "--all"),
    ] {
      let result = try Program.run(["reproduce"] + arguments, in: folder)
      #expect(result.status == 2, "\(result)")
      #expect(result.errors.contains(text), "\(arguments): \(result)")
    }
  }
}
