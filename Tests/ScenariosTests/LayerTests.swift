import Foundation
import Parts
import Scenarios
import Testing

/// A folder of scenario files that disappears with the test.
final class ScenarioFolder {
  let path: String

  init(_ files: [String: String]) throws {
    path = NSTemporaryDirectory() + "csilink-scenarios-\(UUID().uuidString)"
    for (name, text) in files { try write(Data(text.utf8), to: name) }
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  func write(_ data: Data, to name: String) throws {
    let url = URL(fileURLWithPath: "\(path)/\(name)")
    try FileManager.default.createDirectory(
      at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
    try data.write(to: url)
  }

  func read(_ name: String, set overrides: [String] = []) throws -> (
    scenario: Scenario, warnings: [Diagnostic]
  ) {
    try demoReader.read("\(path)/\(name)", overrides: overrides)
  }

  /// The errors of a file, with the folder left out of the text.
  func errors(_ name: String) -> String {
    do {
      _ = try read(name)
      return "none"
    } catch {
      return "\(error)".replacingOccurrences(of: path + "/", with: "")
    }
  }
}

@Suite struct ExtendsTests {
  @Test func mergesBelowTheFile() throws {
    let folder = try ScenarioFolder([
      "base.yaml": """
      name: base
      description: shared
      link:
        grid: {tones: 16, spacing: 30 kHz}
        estimator: {type: lmmse, fit: {drops: 7}}
        codec: {type: pca, compression: 8}
      sweep:
        pilots.snr_db: {from: 0, to: 10, step: 5}
        grid.tones: [1, 2]
      run: {drops: 10, seed: 3}
      """,
      "top.yaml": """
      extends: base.yaml
      link:
        grid: {spacing: 60 kHz}
        estimator: {fit.source: estimate}
        codec: none
      sweep:
        grid.tones: [4]
        channel.delay_spread: [0, 1 us]
      run: {seed: 4}
      """,
    ])
    let scenario = try folder.read("top.yaml").scenario
    #expect(scenario.name == "top")
    #expect(scenario.description == "shared")
    #expect(scenario.directory == folder.path)
    #expect(
      scenario.axes == [
        SweepAxis(path: "pilots.snr_db", values: ["0", "5", "10"]),
        SweepAxis(path: "grid.tones", values: ["4"]),
        SweepAxis(path: "channel.delay_spread", values: ["0", "1 us"]),
      ])
    let point = scenario.points[0]
    #expect(point.settings[.grid]?.values == ["tones": .integer(4), "spacing": .number(60e3)])
    #expect(
      point.settings[.estimator]?.values
        == ["fit.drops": .integer(7), "fit.source": .text("estimate")])
    // 'none' has no compression.
    #expect(point.settings[.codec]?.part == "none")
    #expect(scenario.run?.values == ["drops": .integer(10), "seed": .integer(4)])
  }

  /// Files that a base names are found from the base's folder, its own base from there again.
  @Test func keepsFilesOfTheBaseFolder() throws {
    let folder = try ScenarioFolder([
      "top/top.yaml": "extends: ../common/base.yaml\nrun: {drops: 1}",
      "common/base.yaml": """
      extends: deep/root.yaml
      link: {codec: {type: csinet, weights: net.safetensors}}
      """,
      "common/deep/root.yaml": "link: {channel: {type: recorded, file: /data/x.mat, note: x.mat}}",
    ])
    let point = try folder.read("top/top.yaml").scenario.points[0]
    #expect(
      point.settings[.codec]?.values["weights"] == .text("../common/net.safetensors"))
    #expect(
      point.settings[.channel]?.values == ["file": .text("/data/x.mat"), "note": .text("x.mat")])
  }

  @Test func cyclesAreErrors() throws {
    let folder = try ScenarioFolder([
      "a.yaml": "extends: b/b.yaml", "b/b.yaml": "extends: ../b/./c.yaml",
      "b/c.yaml": "run: {drops: 1}\nextends: ../a.yaml", "self.yaml": "extends: self.yaml",
    ])
    #expect(
      folder.errors("a.yaml") == """
        b/../b/./c.yaml:2:10: error: '../a.yaml' extends itself: a.yaml -> b.yaml -> c.yaml -> a.yaml
            2 | extends: ../a.yaml
              |          ^
          hint: remove one of the 'extends:' lines
        """)
    #expect(folder.errors("self.yaml").contains("self.yaml:1:10: error: 'self.yaml' extends"))
  }

  @Test func errorsNameTheFileThatHasThem() throws {
    let folder = try ScenarioFolder([
      "base.yaml": "link:\n  grid: {tones: many}\n  chanel: cdl",
      "top.yaml": "extends: base.yaml\nlink: {pilots: {snr: 3}}\nrun: {drops: 0}",
      "lost.yaml": "extends: nowhere.yaml",
    ])
    let text = folder.errors("top.yaml")
    let places = text.split(separator: "\n").filter { $0.contains(": error: ") }
      .map { $0.prefix { $0 != " " } }
    #expect(places == ["top.yaml:2:17:", "top.yaml:3:14:", "base.yaml:2:17:", "base.yaml:3:3:"])
    #expect(
      folder.errors("lost.yaml") == """
        lost.yaml:1:10: error: 'nowhere.yaml' no such file
            1 | extends: nowhere.yaml
              |          ^
          hint: the path starts from the folder of this file
        """)
  }

  @Test func warnsAboutValuesThatTheBaseSweeps() throws {
    let folder = try ScenarioFolder([
      "base.yaml": "sweep: {pilots.snr_db: [0, 10]}\nrun: {drops: 1}",
      "top.yaml": "extends: base.yaml\nlink: {pilots: {snr_db: 3}}",
      "good.yaml": "extends: base.yaml\nsweep: {pilots.snr_db: 3}",
    ])
    let (scenario, warnings) = try folder.read("top.yaml")
    #expect(scenario.points.count == 2)
    #expect(warnings.count == 1)
    #expect(warnings[0].message.hasPrefix("'pilots.snr_db' has no effect: "))
    #expect(warnings[0].position.line == 2)
    let good = try folder.read("good.yaml")
    #expect(good.warnings.isEmpty)
    #expect(good.scenario.points.map(\.coordinates) == [["3"]])
  }
}

@Suite struct PresetTests {
  @Test func isBelowEverything() throws {
    let text = """
      link:
        preset: narrow
        grid: {tones: 8}
      run: {drops: 1}
      """
    let settings = try scenario(text).points[0].settings
    #expect(settings[.grid]?.values == ["tones": .integer(8), "spacing": .number(30e3)])
    #expect(settings[.estimator]?.part == "lmmse")
    let other = try scenario(text, set: ["estimator=ls", "grid.spacing=1 kHz"]).points[0].settings
    #expect(other[.grid]?.values == ["tones": .integer(8), "spacing": .number(1e3)])
    #expect(other[.estimator]?.part == "ls")
  }

  @Test func canComeFromTheBaseOrTheCommandLine() throws {
    let folder = try ScenarioFolder([
      "base.yaml": "link: {preset: measured}\nrun: {drops: 1}", "top.yaml": "extends: base.yaml",
    ])
    let settings = try folder.read("top.yaml").scenario.points[0].settings
    #expect(settings[.channel]?.part == "recorded")
    let other = try folder.read("top.yaml", set: ["preset=narrow"]).scenario.points[0].settings
    #expect(other[.channel]?.part == "rayleigh")
    #expect(other[.grid]?.values["tones"] == .integer(32))
  }
}

@Suite struct OverrideTests {
  static let text = """
    link:
      pilots: {snr_db: 20}
      codec: {type: pca, compression: 8}
    sweep:
      grid.tones: [1, 2]
    run: {drops: 5}
    """

  @Test func replacesValues() throws {
    let scenario = try scenario(
      Self.text,
      set: [
        "pilots.snr_db=-3 dB", "link.codec.gain=7", "run.seed=9", "run.drops = 1e3",
        "report={cosine_domain: public_set}", "name=other", "description=a text", "estimator=lmmse",
        "estimator.fit.drops=3",
      ])
    let settings = scenario.points[0].settings
    #expect(settings[.pilots]?.values["snr_db"] == .number(-3))
    #expect(settings[.codec]?.values == ["compression": .integer(8), "gain": .integer(7)])
    #expect(settings[.estimator]?.values["fit.drops"] == .integer(3))
    #expect(scenario.run?.values == ["seed": .integer(9), "drops": .integer(1000)])
    #expect(scenario.report?.values["cosine_domain"] == .text("public_set"))
    #expect(scenario.name == "other")
    #expect(scenario.description == "a text")
  }

  @Test func replacesSweeps() throws {
    let scenario = try scenario(
      Self.text, set: ["sweep.pilots.snr_db=[0, 10]", "sweep.grid.tones={from: 2, to: 4, step: 1}"])
    #expect(
      scenario.axes == [
        SweepAxis(path: "grid.tones", values: ["2", "3", "4"]),
        SweepAxis(path: "pilots.snr_db", values: ["0", "10"]),
      ])
  }

  @Test func theLastOneWins() throws {
    let scenario = try scenario(
      Self.text, set: ["codec.compression=2", "codec.compression=16", "codec=none", "codec=pca"])
    // A part in between that lacks the key does not take it away.
    #expect(scenario.points[0].settings[.codec]?.values["compression"] == .integer(16))
  }

  @Test func aSweptKeyIsFixed() throws {
    let (scenario, warnings) = try demoReader.read(
      text: Self.text, path: "demo.yaml", overrides: ["grid.tones=7"])
    #expect(scenario.axes.isEmpty)
    #expect(scenario.points[0].settings[.grid]?.values["tones"] == .integer(7))
    #expect(
      warnings.map(\.description) == [
        "--set grid.tones=7: warning: 'grid.tones' is swept by the scenario; now it has one value"
      ])
  }

  static let broken: [(String, String)] = [
    ("pilots.snr_db", "--set pilots.snr_db: error: must be path=value"),
    ("=3", "--set =3: error: must be path=value"),
    ("pilots.snr_db=", "--set pilots.snr_db=: error: has no value after '='"),
    (
      "pilots..snr_db=3",
      "--set pilots..snr_db=3: error: the path 'pilots..snr_db' has an empty step"
    ),
    ("pilot.snr_db=3", "--set pilot.snr_db=3: error: a scenario has no 'pilot.snr_db'"),
    ("pilot.snr_db=3", "hint: did you mean 'pilots'?"),
    ("pilots.snr=3", "--set pilots.snr=3: error: pilots 'dft' has no key 'snr'"),
    ("pilots.snr_db=[1", "--set pilots.snr_db=[1: error: did not find expected ',' or ']'"),
    ("pilots.snr_db=high", "error: pilots.snr_db must be a number in -100...200 (dB), got 'high'"),
    ("run=3", "--set run=3: error: 'run' must be a mapping, got '3'"),
    ("sweep.codec=[]", "--set sweep.codec=[]: error: 'codec' needs values to sweep"),
    ("sweep=3", "--set sweep=3: error: a scenario has no 'sweep'"),
    ("name=a b", "--set name=a b: error: 'name' cannot be 'a b'"),
    ("extends=x.yaml", "--set extends=x.yaml: error: a scenario has no 'extends'"),
    ("pilots.snr_db=\u{7}", "contains the control character U+7"),
    ("preset=wide", "unknown preset 'wide'\n  hint: known presets: narrow, measured"),
  ]

  @Test(arguments: broken)
  func errorsShowTheArgument(argument: String, fragment: String) throws {
    let errors = try #require(throws: ScenarioErrors.self) {
      try scenario(Self.text, set: [argument])
    }
    #expect(errors.description.contains(fragment), "\(errors)")
  }
}
