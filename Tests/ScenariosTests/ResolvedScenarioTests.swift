import Foundation
import Parts
import Scenarios
import Testing

@Suite struct ResolvedScenarioTests {
  static let text = """
    name: demo
    description: "text with: signs # and µ"
    link:
      preset: narrow
      channel: {type: cdl, profile: C, delay_spread: 100 ns}   # a comment
      estimator: {type: lmmse, fit: {drops: 500}}
    sweep:
      pilots.snr_db: {from: -5, to: 10, step: 2.5}
      codec: [none, {type: pca, compression: 2, gain: 3}, {type: csinet, weights: "on/a b.bin", label: my net}]
      codec.compression: [4, 8]
      channel.angles: [[0], [-0.5, 90]]
    run: {drops: 10}
    """

  /// The same in another order, with other units, over two files.
  @Test func canonicalTextIgnoresTheWayOfWriting() throws {
    let folder = try ScenarioFolder([
      "base.yaml": """
      report: {cosine_domain: full}
      link:
        estimator.type: lmmse
        grid: {spacing: 0.03 MHz, tones: 32}
        pilots: {snr_db: 77}
        channel:
          delay_spread: 0.1 us
          profile: "C"
          type: cdl
      run: {drops: 99}
      """,
      "other.yaml": """
      extends: base.yaml
      run: {seed: 1, drops: 1e1}
      sweep:
        pilots.snr_db: [-5.0, -2.5, 0, 2.5 dB, 5, 7.5, 10]
        codec:
          - none
          - {compression: 64, gain: +3, type: pca}
          - {weights: on/a b.bin, type: csinet}
        codec.compression: [4, 8]
        channel.angles: [[0 deg], [-0.5, 9e1]]
      link: {estimator: {fit.drops: 500}}
      """,
    ])
    let scenario = try scenario(Self.text)
    #expect(try folder.read("other.yaml").scenario.canonical == scenario.canonical)
  }

  @Test(arguments: [
    "pilots.ideal=true", "run.seed=2", "report.cosine_domain=public_set", "estimator=ls",
    "sweep.codec.compression=[8, 5]", "sweep.pilots.snr_db=1", "channel.angles=[0]",
  ])
  func canonicalTextSeesEveryChange(override: String) throws {
    #expect(
      try scenario(Self.text, set: [override]).canonical != scenario(Self.text).canonical)
  }

  /// A sweep in another order is the same set of points.
  @Test(arguments: [
    "sweep: {codec.compression: [4, 2], codec: [pca, none], pilots.snr_db: [10, 0]}",
    "sweep: {pilots.snr_db: [10, 0], codec: [none, pca], codec.compression: [2, 4]}",
  ])
  func canonicalTextIgnoresTheOrderOfTheSweep(other: String) throws {
    let run = "\nrun: {drops: 1}"
    let first = try scenario(
      "sweep: {pilots.snr_db: [0, 10], codec: [none, pca], codec.compression: [2, 4]}" + run)
    let second = try scenario(other + run)
    #expect(first.points.map(\.coordinates) != second.points.map(\.coordinates))
    #expect(first.canonical == second.canonical)
  }

  @Test func canonicalTextIsAsDocumented() throws {
    let scenario = try scenario(
      """
      sweep: {codec: [none, pca], codec.compression: [2, 3]}
      run: {drops: 7}
      """)
    #expect(
      scenario.canonical == """
        csilink scenario 2
        run=run
        run.drops=7
        run.seed=1
        report=report
        report.cosine_domain=full
        axis codec
        axis codec.compression
        variant grid 0
        grid=ofdm
        grid.spacing=15000
        grid.tones=64
        variant channel 0
        channel=rayleigh
        channel.delay_spread=1e-07
        variant pilots 0
        pilots=dft
        pilots.ideal=false
        pilots.snr_db=20
        variant estimator 0
        estimator=ls
        variant codec 0
        codec=none
        variant codec 1
        codec=pca
        codec.compression=2
        codec.gain=genie
        variant codec 2
        codec=pca
        codec.compression=3
        codec.gain=genie
        point 0 0 0 0 0
        point 0 0 0 0 1
        point 0 0 0 0 2

        """)
  }

  @Test func resolvedTextIsTheSameScenario() throws {
    let first = try scenario(Self.text)
    let yaml = try first.resolvedYAML()
    let (second, warnings) = try demoReader.read(text: yaml, path: "elsewhere.yaml")
    #expect(warnings.isEmpty)
    #expect(second.canonical == first.canonical)
    #expect(second.axes == first.axes)
    #expect(second.points == first.points)
    #expect(second.name == first.name)
    #expect(second.description == first.description)
    #expect(try second.resolvedYAML() == yaml)
  }

  @Test func resolvedTextFindsTheFilesOfTheBase() throws {
    let folder = try ScenarioFolder([
      "sub/base.yaml": """
      link: {channel: {type: recorded, file: null.mat, note: 'null'}}
      sweep: {channel.file: ["a: b.mat", 7.mat], codec: [{type: csinet, weights: w}]}
      run: {drops: 1}
      """,
      "top.yaml": "extends: sub/base.yaml",
    ])
    let first = try folder.read("top.yaml").scenario
    try folder.write(Data(try first.resolvedYAML().utf8), to: "resolved.yaml")
    let second = try folder.read("resolved.yaml").scenario
    #expect(second.canonical == first.canonical)
    #expect(
      second.points.map { $0.settings[.channel]?.values["file"] }
        == [.text("sub/a: b.mat"), .text("sub/7.mat")])
    #expect(second.points[0].settings[.channel]?.values["note"] == .text("null"))
  }
}

@Suite struct LaterDiagnosticTests {
  static let text = """
    link:
      channel: cdl
      channel.profile: C
    sweep:
      codec: [none, {type: pca, compression: 7}]
      pilots.snr_db: [0, 10]
    run:
      drops: 3
    """

  private func place(_ error: SettingsError, _ section: Section, _ point: Int?) throws -> String {
    let found = try scenario(Self.text).diagnostic(for: error, section: section, point: point)
    return String(found.description.prefix { $0 != "\n" })
  }

  @Test func areAtTheValueOfTheirPoint() throws {
    let error = SettingsError(part: "pca", key: "compression", reason: "does not divide 64")
    #expect(
      try place(error, .codec, 2)
        == "demo.yaml:5:42: error: codec.compression does not divide 64 "
        + "(at codec = pca, pilots.snr_db = 0)")
    let snr = SettingsError(part: "dft", key: "snr_db", reason: "is too high")
    #expect(
      try place(snr, .pilots, 3)
        == "demo.yaml:6:22: error: pilots.snr_db is too high (at codec = pca, pilots.snr_db = 10)")
  }

  @Test func areAtTheSectionIfItsKeyIsNotGiven() throws {
    let error = SettingsError(part: "pca", key: "gain", reason: "is wrong", hint: "try unit")
    #expect(try place(error, .codec, 2).hasPrefix("demo.yaml:5:17: error: codec.gain is wrong"))
    let grid = SettingsError(part: "ofdm", key: "tones", reason: "are too few")
    #expect(try place(grid, .grid, 0).hasPrefix("demo.yaml:1:1: error: grid.tones are too few"))
    let run = SettingsError(part: "run", key: "drops", reason: "are too few")
    #expect(try place(run, .run, nil) == "demo.yaml:8:10: error: run.drops are too few")
    let whole = SettingsError(part: "cdl", key: "", reason: "needs more ports")
    #expect(
      try place(whole, .channel, 0)
        == "demo.yaml:2:12: error: channel needs more ports (at codec = none, pilots.snr_db = 0)")
  }

  @Test func canBeWarnings() throws {
    let error = SettingsError(part: "run", key: "seed", reason: "is odd", hint: "why?")
    let found = try scenario(Self.text).diagnostic(for: error, section: .run, severity: .warning)
    #expect(
      found.description
        == "demo.yaml:7:1: warning: run.seed is odd\n    7 | run:\n      | ^\n  hint: why?")
  }
}
