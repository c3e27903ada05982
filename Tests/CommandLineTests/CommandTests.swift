import Foundation
import Testing

/// Commands, options and exit codes of the built program.
@Suite struct CommandTests {
  static let commands = [
    "run", "train", "check", "list", "merge", "plot", "compare", "config", "inspect", "forward",
    "quantize", "verify", "weights", "data", "report", "replay", "reproduce",
  ]

  private static let small = Repository.scenario("small")

  private func run(_ arguments: String...) throws -> Program.Output {
    try Program.run(arguments, in: TestFolder())
  }

  @Test func version() throws {
    let result = try run("--version")
    #expect(result.status == 0)
    #expect(result.output.wholeMatch(of: /\d+\.\d+\.\d+\n/) != nil, "\(result)")
  }

  @Test func helpNamesEveryCommand() throws {
    for arguments in [["--help"], ["-h"], ["help"], []] {
      let result = try Program.run(arguments, in: TestFolder())
      #expect(result.status == 0, "\(result)")
      for command in Self.commands {
        #expect(result.output.contains("\n  \(command) "), "\(result)")
      }
    }
  }

  @Test(arguments: [
    ("run", ["<scenario>", "--set", "--threads", "-o, --output", "--shard", "--fresh", "--stats"]),
    ("train", ["<scenario>", "--set", "--threads", "-o, --output", "--fresh"]),
    ("check", ["<scenario>", "--set", "--threads"]),
    ("list", ["<section>"]),
    ("merge", ["<scenario>", "<folders>", "--set", "--threads", "-o, --output"]),
    ("inspect", ["<networks>", "-c, --compression", "--image", "--json"]),
    (
      "forward",
      [
        "<network>", "-c, --compression", "--image", "--weights", "--input", "--output", "--part",
        "--threads",
      ]
    ),
    (
      "quantize",
      [
        "<network>", "-c, --compression", "--image", "--weights", "--input", "--samples",
        "--calibration", "--output", "--label", "--threads",
      ]
    ),
    ("verify", ["<files>", "--path", "--threads"]),
  ])
  func helpOfEachCommand(command: String, words: [String]) throws {
    for arguments in [[command, "--help"], ["help", command]] {
      let result = try Program.run(arguments, in: TestFolder())
      #expect(result.status == 0)
      #expect(result.errors.isEmpty)
      for word in words { #expect(result.output.contains("\n  \(word)"), "\(result)") }
    }
  }

  @Test(arguments: [
    (["simulate"], "simulate"),
    (["run"], "<scenario>"),
    (["run", "x.yaml", "--fast"], "--fast"),
    (["run", "x.yaml", "--thread", "2"], "--threads"),
    (["run", "x.yaml", "--threads", "0"], "--threads must be in 1...1024, got 0"),
    (["run", "x.yaml", "--threads", "two"], "two"),
    (["run", "x.yaml", "--shard", "4/3"], "--shard must be i/n"),
    (["run", "x.yaml", "--shard", "0/3"], "--shard must be i/n"),
    (["run", "x.yaml", "--shard", "half"], "--shard must be i/n"),
    (["run", "x.yaml", "y.yaml"], "y.yaml"),
    (["check", "x.yaml", "--threads", "1025"], "--threads must be in 1...1024, got 1025"),
    (["list", "codecs"], "did you mean 'codec'?"),
    (["merge"], "<scenario>"),
    (["inspect", "crnt"], "no network 'crnt'; did you mean 'crnet'?"),
    (["inspect", "crnet", "-c", "5"], "crnet is not defined at 1/5; defined: 1/4, 1/8"),
    (["inspect", "-c", "4"], "--compression needs a network"),
    (["inspect", "a.safetensors", "-c", "4"], "--compression needs a network"),
    (["forward", "crnet", "-c", "4", "--input", "a.npy", "--output", "b.npy"], "--weights"),
    (
      [
        "forward", "crnt", "-c", "4", "--weights", "w", "--input", "a.npy", "--output", "b.npy",
      ], "did you mean 'crnet'?"
    ),
    (
      [
        "forward", "crnet", "-c", "4", "--weights", "w", "--input", "a.npy", "--output", "b.npy",
        "--part", "middle",
      ], "middle"
    ),
    (["verify"], "<files>"),
    (["verify", "a.safetensors", "--path", "quick"], "quick"),
  ])
  func wrongUsage(arguments: [String], message: String) throws {
    let result = try Program.run(arguments, in: TestFolder())
    #expect(result.status == 2, "\(result)")
    #expect(result.output.isEmpty)
    #expect(result.errors.contains(message), "\(result)")
    #expect(result.errors.contains("Usage: "), "\(result)")
  }

  @Test(arguments: ["run", "check", "merge"])
  func missingFile(command: String) throws {
    let result = try run(command, "missing.yaml")
    #expect(result.status == 2)
    #expect(result.errors.hasPrefix("missing.yaml: error: no such file"), "\(result)")
    #expect(result.output.isEmpty)
  }

  @Test(arguments: [
    ("run.drops", "must be path=value"),
    ("run.drop=3", "did you mean 'drops'?"),
    ("run.drops=", "has no value after '='"),
    ("run.drops=few", "got 'few'"),
    ("pilots.snr=3", "did you mean 'snr_db'?"),
    ("pilot.snr_db=3", "did you mean 'pilots'?"),
    ("channel=cld", "did you mean 'cdl'?"),
    ("codec={type: pca", "--set codec={type: pca"),
    ("=3", "--set =3"),
  ])
  func wrongOverride(override: String, message: String) throws {
    let result = try run("run", Self.small, "--set", override)
    #expect(result.status == 2, "\(result)")
    #expect(result.errors.hasPrefix("--set \(override)"), "\(result)")
    #expect(result.errors.contains(message), "\(result)")
    #expect(result.output.isEmpty)
  }

  @Test func listShowsEverySection() throws {
    let result = try run("list")
    #expect(result.status == 0)
    for section in [
      "grid", "channel", "pilots", "estimator", "transform", "normaliser", "codec", "quantizer",
      "feedback", "timing", "precoder", "run",
    ] {
      #expect(result.output.contains("\n\(section) (") || result.output.hasPrefix("\(section) ("))
      let one = try run("list", section)
      #expect(one.status == 0)
      #expect(result.output.contains(one.output.trimmingCharacters(in: .newlines)))
    }
  }

  @Test func listShowsPresets() throws {
    let result = try run("list", "preset")
    #expect(result.status == 0)
    #expect(result.output.hasPrefix("csinet: "), "\(result)")
    #expect(result.output.contains("\n    channel: {type: cost2100"), "\(result)")
    #expect(try run("list", "nothing").errors.contains("metric, preset"))
  }

  @Test func checkWritesNothing() throws {
    let folder = try TestFolder()
    let result = try Program.run("check", Self.small, in: folder)
    #expect(result.status == 0)
    #expect(result.errors.isEmpty)
    #expect(result.output.contains("[drop, subcarrier, port]  [4, 64, 8]"), "\(result)")
    #expect(result.output.contains("[drop, delay, angle]      [4, 16, 8]"), "\(result)")
    #expect(result.output.contains("real codeword, no bits"), "\(result)")
    #expect(result.output.split(separator: "\n").allSatisfy { $0.hasPrefix("#") })
    #expect(!folder.has("results"))
  }

  @Test func statistics() throws {
    let result = try run("run", Self.small, "--stats")
    #expect(result.status == 0)
    for stage in ["channel", "pilots", "estimator", "transform", "codec", "precoder"] {
      #expect(result.output.contains("\n# \(stage) "), "\(result)")
    }
  }

  @Test(arguments: [SIGINT, SIGTERM])
  func interrupted(signal: Int32) throws {
    let folder = try TestFolder()
    let running = try Program.start(
      ["run", Self.small, "--set", "run.drops=10000000", "--output", "out"], in: folder)
    try running.wait { folder.size("out/journal.log") > 10_000 }
    running.send(signal)
    let result = try running.wait()
    #expect(result.status == 130, "\(result)")
    #expect(result.errors.contains("interrupted; the same command continues"), "\(result)")
    #expect(!folder.has("out/report.csv"))
    // What was done is of use: a run to fewer drops than that needs no further block.
    let journal = folder.size("out/journal.log")
    let rest = try Program.run("run", Self.small, "--output", "out", in: folder)
    #expect(rest.status == 0, "\(rest)")
    #expect(folder.size("out/journal.log") == journal)
  }
}
