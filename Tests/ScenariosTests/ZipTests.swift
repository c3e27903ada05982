import Parts
import Scenarios
import Testing

/// Lists that advance together, entries of swept sections by name, and hints for what was meant.
@Suite struct ZipTests {
  private static let text = """
    sweep:
      pilots.snr_db: [0, 10]
      zip: {codec: [pca, none, pca], grid.tones: [16, 32, 16]}
    run: {drops: 1}
    """

  @Test func advanceTogether() throws {
    let scenario = try scenario(
      """
      sweep:
        pilots.snr_db: [0, 10]
        zip:
          - {codec: [none, pca], grid.tones: [16, 32]}
          - {channel.delay_spread: [1 us, 2 us], estimator: [ls, lmmse]}
      run: {drops: 1}
      """)
    #expect(
      scenario.axes.map(\.path)
        == ["pilots.snr_db", "codec", "grid.tones", "channel.delay_spread", "estimator"])
    #expect(
      scenario.points.map { $0.coordinates.map { $0 ?? "-" }.joined(separator: " ") } == [
        "0 none 16 1 us ls", "0 none 16 2 us lmmse", "0 pca 32 1 us ls", "0 pca 32 2 us lmmse",
        "10 none 16 1 us ls", "10 none 16 2 us lmmse", "10 pca 32 1 us ls", "10 pca 32 2 us lmmse",
      ])
    for point in scenario.points {
      let tones = point.settings[.grid]?.values["tones"]
      #expect(tones == .integer(point.settings[.codec]?.part == "pca" ? 32 : 16))
    }
    let again = try self.again(scenario)
    #expect(again.canonical == scenario.canonical)
    #expect(again.points.map(\.coordinates) == scenario.points.map(\.coordinates))
  }

  private func again(_ first: Scenario) throws -> Scenario { try scenario(first.resolvedYAML()) }

  /// A key of such a list that is given on the command line is swept no more; what is left advances by itself.
  @Test func overridesTakeAKeyOut() throws {
    let one = try scenario(
      "sweep: {zip: {codec.compression: [2, 4], grid.tones: [16, 32]}}\nlink: {codec: pca}\nrun: {drops: 1}",
      set: ["grid.tones=8"])
    #expect(one.axes.map(\.path) == ["codec.compression"])
    #expect(one.points.map { $0.settings[.grid]?.values["tones"] } == [.integer(8), .integer(8)])
  }

  @Test(arguments: [
    ("zip: {codec: [none, pca], grid.tones: [16]}", "they advance together"),
    ("zip: {codec: [none, pca]}", "needs lists that advance together"),
    ("zip: 3", "needs lists that advance together"),
    ("zip: {codec: [none, pca], grid.tones: [1, 2]}\n  codec: [none]", "is swept twice"),
  ]) func mistakes(sweep: String, message: String) throws {
    let errors = try #require(throws: ScenarioErrors.self) {
      try scenario("sweep:\n  \(sweep)\nrun: {drops: 1}")
    }
    #expect("\(errors)".contains(message), "\(errors)")
  }

  @Test func entriesByName() throws {
    let text = """
      sweep:
        codec: [none, {network: crnet, weights: a}, {network: clnet, weights: a, label: mine}]
      run: {drops: 1}
      """
    let changed = try scenario(
      text, set: ["codec[crnet].weights=b", "codec[mine].compression=8"])
    let settings = changed.points.compactMap { $0.settings[.codec]?.values }
    #expect(settings[1]["weights"] == .text("b") && settings[2]["weights"] == .text("a"))
    #expect(settings[1]["compression"] == nil && settings[2]["compression"] == .integer(8))
    for (override, hint) in [
      ("codec[crnett].weights=b", "did you mean 'crnet'?"), ("grid[x].tones=8", "--set grid.tones"),
    ] {
      let errors = try #require(throws: ScenarioErrors.self) {
        try scenario(text, set: [override])
      }
      #expect("\(errors)".contains(hint), "\(errors)")
    }
  }

  @Test(arguments: [
    ("codec=CRNet", "write 'codec: {network: crnet}'"), ("codec=PCA", "write 'codec: pca'"),
    ("channel={type: b}", "write 'channel: {type: cdl, profile: B}'"),
    ("channel=cdl-b", "write 'channel: {type: cdl, profile: B}'"),
    ("channel={type: CDL_C}", "write 'channel: {type: cdl, profile: C}'"),
    ("pilots.snr_db=0,5, 10", "--set 'sweep.pilots.snr_db=[0, 5, 10]'"),
    ("codec={network: crnet, compression: 1/4}", "write 4 for 1/4"),
    ("pilots.snr_db=0:5:20", "--set 'sweep.pilots.snr_db={from: 0, to: 20, step: 5}'"),
    ("grid.tones=[16, 32]", "--set 'sweep.grid.tones=[16, 32]'"),
    ("channel.delay_spread=500", "for example '500 ns'"),
  ]) func hints(override: String, hint: String) throws {
    let errors = try #require(throws: ScenarioErrors.self) {
      try scenario("run: {drops: 1}", set: [override])
    }
    #expect("\(errors)".contains(hint), "\(errors)")
  }

  /// What was changed is told behind the description, unless it is new too.
  @Test func descriptionsAreNotStale() throws {
    let text = "description: six bits\nrun: {drops: 1}"
    #expect(try scenario(text, set: ["run.drops=2"]).description == "six bits")
    #expect(
      try scenario(text, set: ["grid.tones=8", "run.seed=3"]).description
        == "six bits\nchanged: grid.tones=8")
    #expect(try scenario(text, set: ["description=x", "grid.tones=8"]).description == "x")
    #expect(try scenario("run: {drops: 1}", set: ["grid.tones=8"]).description.isEmpty)
  }

  @Test func settingsOfTexts() throws {
    let text = try scenario(Self.text.replacing("pca", with: "{type: pca, gain: 3}")).resolvedYAML()
    let settings = ScenarioText.settings(text)
    #expect(settings["run.drops"] == "1" && settings["estimator"] == "ls")
    #expect(settings["sweep.pilots.snr_db"] == "[0, 10]")
    #expect(ScenarioText.settings("- no\n- scenario").isEmpty)
    #expect(
      ScenarioText.settings("link: {codec: {type: network, network: clnet}}")["codec"] == "clnet")
  }
}
