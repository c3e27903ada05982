import Foundation
import Testing

/// What the README shows works: its commands run, its scenarios are valid, its lists are complete.
@Suite struct ReadmeTests {
  private static func text() throws -> String {
    try String(contentsOf: Repository.root.appending(path: "README.md"), encoding: .utf8)
  }

  /// The texts of the fenced blocks of a language.
  private static func blocks(_ language: String) throws -> [String] {
    try text().matches(of: /(?ms)^```(\w+)\n(.*?)^```$/)
      .filter { $0.1 == language }.map { String($0.2) }
  }

  /// The commands of all `sh` blocks, continued lines joined, comments removed.
  private static func commands() throws -> [[String]] {
    try blocks("sh").joined().replacing("\\\n", with: " ").split(separator: "\n")
      .map { line in
        let command = line.firstRange(of: " #").map { line[..<$0.lowerBound] } ?? line
        return command.replacing("'", with: "").split(separator: " ").map(String.init)
      }
      .filter { $0.first?.hasPrefix("#") == false }
  }

  /// A folder that looks like the repository to the commands, except that results are written elsewhere.
  private static func checkout() throws -> TestFolder {
    let folder = try TestFolder()
    for name in ["results", "shown"] {
      try FileManager.default.createDirectory(
        atPath: "\(folder.path)/\(name)", withIntermediateDirectories: true)
    }
    for name in ["scenarios", "Tests", "results/weights"] {
      try FileManager.default.createSymbolicLink(
        atPath: "\(folder.path)/\(name)",
        withDestinationPath: Repository.root.appending(path: name).path)
    }
    return folder
  }

  /// Commands are run in their order, those that compute with few drops.
  @Test func commandsOfCsilink() throws {
    let folder = try Self.checkout()
    let commands = try Self.commands().filter { $0[0] == "csilink" }
    #expect(Set(commands.map { $0[1] }) == Set(CommandTests.commands))
    for command in commands {
      let few: [String] =
        switch command[1] {
        case "run", "merge": ["run.drops=24"]
        case "train":
          [
            "training.samples=20", "training.validation_samples=10", "training.test_samples=10",
            "training.batch=10", "training.epochs=2",
          ]
        default: []
        }
      let result = try Program.run(
        command.dropFirst() + few.flatMap { ["--set", $0] }, in: folder)
      #expect(result.status == 0, "\(command.joined(separator: " "))\n\(result)")
    }
  }

  /// Everything else in `sh` blocks is a target of the Makefile, or fetches the repository.
  @Test func otherCommands() throws {
    let makefile = try String(
      contentsOf: Repository.root.appending(path: "Makefile"), encoding: .utf8)
    for command in try Self.commands() where command[0] != "csilink" {
      switch command[0] {
      case "make":
        for target in command.dropFirst() {
          #expect(makefile.contains("\n\(target):"), "make \(target)")
        }
      default:
        #expect(
          ["git clone", "cd csilink", "export"].contains {
            command.joined(separator: " ").hasPrefix($0)
          })
      }
    }
  }

  /// Complete scenarios, told by `link:`, are accepted.
  @Test func scenarios() throws {
    let scenarios = try Self.blocks("yaml").filter { $0.contains("\nlink:") }
    #expect(!scenarios.isEmpty)
    for text in scenarios {
      let folder = try Self.checkout()
      try folder.write(Data(text.utf8), to: "shown/shown.yaml")
      let result = try Program.run("check", "shown/shown.yaml", in: folder)
      #expect(result.status == 0, "\(text)\n\(result)")
      #expect(result.errors.isEmpty, "\(result)")
    }
  }

  /// The annotated scenario is the one that `make run` runs.
  @Test func theQuickstartIsTheFile() throws {
    let folder = try Self.checkout()
    try folder.write(
      Data(try #require(Self.blocks("yaml").first).utf8), to: "shown/quickstart.yaml")
    let shown = try Program.run("check", "shown/quickstart.yaml", in: folder)
    let real = try Program.run("check", "scenarios/quickstart.yaml", in: folder)
    // The estimated time is the only line that may differ.
    #expect(
      shown.output.split(separator: "\n").dropLast()
        == real.output.split(separator: "\n").dropLast())
    #expect(real.status == 0)
  }

  @Test func everyOptionIsDescribed() throws {
    let readme = try Self.text()
    let below =
      ["generate", "describe", "convert"].map { ["data", $0] } + [["weights", "import"]]
    for command in CommandTests.commands.map({ [$0] }) + below {
      let help = try Program.run(["help"] + command, in: TestFolder())
      for option in Set(help.output.matches(of: /--[a-z-]+[a-z]/).map { String($0.0) }) {
        #expect(readme.contains("`\(option)"), "\(option) of \(command)")
      }
    }
  }

  @Test func everyColumnIsDescribed() throws {
    let readme = try Self.text()
    let folder = try TestFolder()
    let run = try Program.run("run", Repository.scenario("small"), "--output", "out", in: folder)
    #expect(run.status == 0)
    let columns = try folder.text("out/report.csv").split(separator: "\n")[0].split(separator: ",")
    for column in columns.dropFirst() { #expect(readme.contains("`\(column)`"), "\(column)") }
  }

  @Test func linksLeadToFiles() throws {
    for link in try Self.text().matches(of: /\]\(([^)#]+)[^)]*\)/) where !link.1.contains("://") {
      let path = Repository.root.appending(path: String(link.1)).path
      #expect(FileManager.default.fileExists(atPath: path), "\(link.1)")
    }
  }

  /// The README's Python makes of a drop's estimate what the program compresses and what networks see, also with kept rows before delay zero
  /// and turned angles.
  @Test(.enabled(if: hasNumPy)) func pythonOfCSI() throws {
    let code = try #require(Self.blocks("python").first { $0.contains("def delays_and_angles") })
    let folder = try TestFolder([
      "t.yaml": """
      link:
        grid: {tones: 48}
        channel: {type: rayleigh, ports: 6, taps: 5}
        pilots: {type: dft, snr_db: 10}
        estimator: ls
        transform: {taps: 12, guard_rows: 3, angle_shift: 2, angle_dft: inverse}
      run: {seed: 2, drops: 3}
      """,
      "t.py": code + """
        drop = numpy.load("drop.npz")
        A = delays_and_angles(drop["estimate"][None], 12, guard_rows=3, angle_shift=2, angle_dft="inverse")
        seen = drop["normalised"].T
        for found, expected in [
            (A[0], drop["csi"]), (images(A)[0], 0.5 + 0.5 * numpy.stack([seen.real, seen.imag]))]:
            assert abs(found - expected).max() < 1e-5 * abs(expected).max()

        """,
    ])
    for arguments in [
      ["run", "t.yaml", "-o", "out"], ["replay", "out", "--drop", "1", "-o", "drop.npz"],
    ] {
      let result = try Program.run(arguments, in: folder)
      #expect(result.status == 0, "\(result)")
    }
    let checked = try Program.run(["python3", "t.py"], in: folder, program: "env")
    #expect(checked.status == 0, "\(checked)")
  }
}

/// The scenarios that come with the program.
@Suite struct ScenarioFolderTests {
  private static let folder = Repository.root.appending(path: "scenarios")

  static let scenarios: [String] =
    (try? FileManager.default.contentsOfDirectory(atPath: folder.path))?
    .filter { $0.hasSuffix(".yaml") }.sorted() ?? []

  @Test func thereAreSome() { #expect(Self.scenarios.contains("quickstart.yaml")) }

  @Test(arguments: scenarios)
  func isAccepted(name: String) throws {
    let path = Self.folder.appending(path: name).path
    let result = try Program.run("check", path, in: TestFolder())
    #expect(result.status == 0, "\(result)")
    // 32 tones over 70 MHz fold the latest clusters of a street canyon, about which the program warns.
    let isFolded =
      ["tr38901-umi.yaml", "distillation.yaml"].contains(name)
      && result.errors.contains("wrap around")
    #expect(result.errors.isEmpty || isFolded, "\(result)")
    #expect(result.output.contains("\n# time: about "), "\(result)")
  }
}
