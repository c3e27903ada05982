import Parts
import Scenarios
import Testing

@Suite struct RangeTests {
  private func values(_ range: String, of path: String = "pilots.snr_db") throws -> [String] {
    try scenario("sweep: {\(path): \(range)}\nrun: {drops: 1}").axes[0].values
  }

  @Test func countsInclusively() throws {
    #expect(
      try values("{from: -5, to: 40, step: 5}")
        == ["-5", "0", "5", "10", "15", "20", "25", "30", "35", "40"])
    #expect(try values("{from: 3, to: 1, step: -1}") == ["3", "2", "1"])
    #expect(try values("{from: 7, to: 7, step: 1}") == ["7"])
  }

  /// Adding 0.1 a thousand times in binary drifts by 1.4e-12; every value must be the double next to its decimal.
  @Test func doesNotAccumulateRounding() throws {
    let scenario = try scenario(
      "sweep: {pilots.snr_db: {from: -50, to: 50, step: 0.1}}\nrun: {drops: 1}")
    #expect(scenario.points.count == 1001)
    for (i, point) in scenario.points.enumerated() {
      let tenths = i - 500
      let digits = "\(tenths.magnitude / 10).\(tenths.magnitude % 10)"
      let decimal = Double((tenths < 0 ? "-" : "") + digits)
      let value = point.settings[.pilots]?.values["snr_db"]?.asNumber
      #expect(value == decimal, "value \(i)")
      #expect(point.coordinates[0].flatMap(Double.init) == decimal)
    }
    #expect(scenario.points[503].coordinates == ["0.3"])
  }

  @Test func keepsUnits() throws {
    #expect(
      try values("{from: 0, to: 30 ns, step: 10 ns}", of: "channel.delay_spread")
        == ["0 ns", "10 ns", "20 ns", "30 ns"])
    #expect(
      try values("{from: 2.5e3 kHz, to: 3e3 kHz, step: 250kHz}", of: "grid.spacing")
        == ["2500 kHz", "2750 kHz", "3000 kHz"])
  }

  @Test func warnsIfTheEndIsMissed() throws {
    let text = "sweep: {pilots.snr_db: {from: 0, to: 10, step: 4}}\nrun: {drops: 1}"
    let (scenario, warnings) = try demoReader.read(text: text, path: "demo.yaml")
    #expect(scenario.axes[0].values == ["0", "4", "8"])
    #expect(warnings.map(\.severity) == [.warning])
    #expect(
      warnings[0].description.hasPrefix(
        "demo.yaml:1:24: warning: the range ends at 8; its step does not lead to 10"))
  }
}

@Suite struct SweepTests {
  @Test func firstKeyVariesSlowest() throws {
    let scenario = try scenario(
      """
      sweep:
        grid.tones: [16, 32]
        pilots.snr_db: [0, 10, 20]
      run: {drops: 1}
      """)
    #expect(scenario.axes.map(\.path) == ["grid.tones", "pilots.snr_db"])
    #expect(
      scenario.points.map(\.coordinates) == [
        ["16", "0"], ["16", "10"], ["16", "20"], ["32", "0"], ["32", "10"], ["32", "20"],
      ])
    #expect(scenario.points.map(\.index) == Array(0..<6))
    #expect(scenario.points[4].settings[.grid]?.values["tones"] == .integer(32))
    #expect(scenario.points[4].settings[.pilots]?.values["snr_db"] == .number(10))
  }

  @Test func withoutSweepThereIsOnePoint() throws {
    let scenario = try scenario("link: {}\nrun: {drops: 1}")
    #expect(scenario.axes.isEmpty)
    #expect(scenario.points.count == 1)
    #expect(scenario.points[0].coordinates.isEmpty)
    #expect(scenario.points[0].settings[.channel]?.part == "rayleigh")
    #expect(
      Set(scenario.points[0].settings.keys) == [.grid, .channel, .pilots, .estimator, .codec])
  }

  /// `none` has no compression: its cell is empty and its three combinations are one point.
  @Test func leavesOutKeysThatAPartLacks() throws {
    let scenario = try scenario(
      """
      sweep:
        codec.compression: [4, 8, 16]
        codec: [none, {type: pca, compression: 2, gain: unit}]
      run: {drops: 1}
      """)
    #expect(
      scenario.points.map(\.coordinates) == [
        [nil, "none"], ["4", "pca"], ["8", "pca"], ["16", "pca"],
      ])
    #expect(scenario.points.map(\.index) == [0, 1, 2, 3])
    #expect(scenario.points[0].settings[.codec]?.values == [:])
    #expect(
      scenario.points[3].settings[.codec]?.values
        == ["compression": .integer(16), "gain": .text("unit")])
  }

  @Test func entriesOfASectionKeepItsOtherKeys() throws {
    let scenario = try scenario(
      """
      link: {estimator: {type: lmmse, fit: {drops: 7}}}
      sweep: {estimator: [lmmse, ls, {fit.source: estimate}]}
      run: {drops: 1}
      """)
    let settings = scenario.points.compactMap { $0.settings[.estimator] }
    #expect(settings.map(\.part) == ["lmmse", "ls", "lmmse"])
    #expect(settings[0].values == ["fit.drops": .integer(7), "fit.source": .text("truth")])
    #expect(settings[2].values == ["fit.drops": .integer(7), "fit.source": .text("estimate")])
  }

  @Test func tellsEntriesOfOnePartApart() throws {
    let scenario = try scenario(
      """
      sweep:
        codec:
          - none
          - {type: pca, gain: unit}
          - {type: pca, gain: unit, compression: 8}
          - {type: pca, compression: 16, label: best}
      run: {drops: 1}
      """)
    #expect(scenario.axes[0].values == ["none", "pca", "pca compression=8", "best"])
    #expect(scenario.points.map { $0.coordinates[0] } == scenario.axes[0].values)
  }

  @Test func aTypeCanBeSwept() throws {
    let scenario = try scenario("sweep: {codec.type: [none, pca]}\nrun: {drops: 1}")
    #expect(scenario.axes == [SweepAxis(path: "codec", values: ["none", "pca"])])
  }

  @Test func listsCanBeSwept() throws {
    let scenario = try scenario(
      """
      link: {channel: {type: cdl, profile: A}}
      sweep: {channel.angles: [[0], [-10, 10]]}
      run: {drops: 1}
      """)
    #expect(scenario.axes[0].values == ["[0]", "[-10, 10]"])
    #expect(
      scenario.points[1].settings[.channel]?.values["angles"] == .list([.number(-10), .number(10)]))
  }

  @Test func repeatedValuesAreUsedOnce() throws {
    let text = "sweep: {grid.tones: [16, 32, 16]}\nrun: {drops: 1}"
    let (scenario, warnings) = try demoReader.read(text: text, path: "demo.yaml")
    #expect(scenario.axes[0].values == ["16", "32"])
    #expect(warnings.map(\.message) == ["'grid.tones' has the value 16 twice; it is used once"])
  }

  @Test func aHundredThousandPointsAreAllowed() throws {
    let scenario = try scenario(
      """
      sweep:
        pilots.snr_db: {from: 0, to: 99.9, step: 0.1}
        grid.tones: {from: 1, to: 100, step: 1}
      run: {drops: 1}
      """)
    #expect(scenario.points.count == 100_000)
    #expect(scenario.points[99_999].coordinates == ["99.9", "100"])
  }
}
