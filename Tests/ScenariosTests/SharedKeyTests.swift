import Parts
import Scenarios
import Testing

/// A section that becomes another part keeps the keys that both parts have; no key that somebody wrote vanishes silently.
@Suite struct SharedKeyTests {
  /// Two lamps that share `watts` and `fit.hours` (in other bounds), a fan that has `watts` for something else, a box
  /// without keys.
  private static let catalogue = PartRegistry(
    [
      PartSchema(
        .codec, "lamp", "A lamp.",
        parameters: [
          Parameter.number("watts", default: 40, in: 0...100, "Electrical power.").declaration,
          Parameter.integer("fit.hours", default: 9, in: 1...100, "Hours on.").declaration,
          Parameter<String>("cap", .choice(["screw", "bayonet"]), default: "screw", "Cap.")
            .declaration,
          Parameter<Int?>.optional("age", .integer(0...9), "Years.").declaration,
        ]),
      PartSchema(
        .codec, "led", "A better lamp.",
        parameters: [
          Parameter.number("watts", default: 7, in: 0...100, "Electrical power.").declaration,
          Parameter.integer("fit.hours", default: 8, in: 1...10, "Hours on.").declaration,
          Parameter.integer("fit.cycles", default: 3, in: 1...10, "Cycles.").declaration,
        ]),
      PartSchema(
        .codec, "fan", "A fan.",
        parameters: [
          Parameter.number("watts", default: 1, in: 0...5, "Mechanical power.").declaration
        ]),
      PartSchema(.codec, "box", "A box."),
      PartSchema(
        .training, "adam", "Training.",
        parameters: [
          Parameter<String>("schedule.type", .choice(["step", "smooth"]), default: "step", "Kind.")
            .declaration,
          Parameter.integer("schedule.every", default: 7, in: 1...100, "Epochs.").declaration,
        ]),
    ], defaults: [.codec: "box"])

  private static let reader = ScenarioReader(
    registry: catalogue,
    presets: [Preset("dim", "little light", link: "codec: {type: lamp, watts: 5, age: 3}")])

  private func read(_ text: String, set: [String] = []) throws -> (
    codecs: [[String: Setting]], warnings: [String]
  ) {
    let (scenario, warnings) = try Self.reader.read(text: text, path: "x.yaml", overrides: set)
    return (
      scenario.points.map { $0.settings[.codec]!.values },
      warnings.map { "\($0.position.line):\($0.position.column) \($0.message)" }
    )
  }

  private static let led: [String: Setting] = [
    "watts": .number(60), "fit.hours": .integer(4), "fit.cycles": .integer(3),
  ]

  /// Each way to another type, from a lamp with `watts: 60` and `fit.hours: 4`.
  @Test(arguments: [
    "sweep: {codec: [led]}", "sweep: {codec.type: [led]}", "sweep: {codec: [{type: led}]}",
    "codec=led", "codec.type=led", "codec={type: led}", "link.codec=led",
  ])
  func whatBothHaveIsKept(way: String) throws {
    let base = "link: {codec: {type: lamp, watts: 60, fit: {hours: 4}}}"
    let isSweep = way.hasPrefix("sweep")
    let found = try read(isSweep ? "\(base)\n\(way)" : base, set: isSweep ? [] : [way])
    #expect(found.codecs == [Self.led])
    #expect(found.warnings.isEmpty)
  }

  @Test func inExtendedFilesAndPresets() throws {
    let folder = try ScenarioFolder([
      "base.yaml": "link: {codec: {type: lamp, watts: 60, fit.hours: 4}}",
      "top.yaml": "extends: base.yaml\nlink: {codec: led}",
      "far.yaml": "extends: top.yaml\nlink: {codec.fit.cycles: 5}",
      "dim.yaml": "link: {preset: dim, codec: led}",
    ])
    func values(_ name: String) throws -> [String: Setting] {
      let (scenario, warnings) = try Self.reader.read("\(folder.path)/\(name)")
      #expect(warnings.isEmpty, "\(name)")
      return scenario.points[0].settings[.codec]!.values
    }
    #expect(try values("top.yaml") == Self.led)
    #expect(try values("far.yaml") == Self.led.merging(["fit.cycles": .integer(5)]) { $1 })
    // What the preset says about the age of lamps, nobody wrote.
    #expect(
      try values("dim.yaml")
        == ["watts": .number(5), "fit.hours": .integer(8), "fit.cycles": .integer(3)])
  }

  @Test func anEntryAndASweptKeyWinOverTheBase() throws {
    let found = try read(
      """
      link: {codec: {type: lamp, watts: 60, fit.hours: 4}}
      sweep:
        codec: [lamp, {type: led, watts: 9}, {type: led, label: swept}]
        codec.fit.cycles: [1, 2]
      """)
    let lamp: [String: Setting] = [
      "watts": .number(60), "fit.hours": .integer(4), "cap": .text("screw"),
    ]
    let led = { (watts: Double, cycles: Int) -> [String: Setting] in
      ["watts": .number(watts), "fit.hours": .integer(4), "fit.cycles": .integer(cycles)]
    }
    #expect(found.codecs == [lamp, led(9, 1), led(9, 2), led(60, 1), led(60, 2)])
    #expect(found.warnings.isEmpty)
  }

  /// Keys that only some of the swept parts have hold for these, with and without a type in the link.
  @Test(arguments: ["type: lamp, ", ""])
  func keysOfSomeOfTheSweptParts(type: String) throws {
    let found = try read(
      "link: {codec: {\(type)watts: 60, cap: bayonet}}\nsweep: {codec: [lamp, led, box]}")
    #expect(found.codecs.map { $0["watts"] } == [.number(60), .number(60), nil])
    #expect(found.codecs.map { $0["cap"] } == [.text("bayonet"), nil, nil])
    #expect(found.warnings.isEmpty)
  }

  /// Keys without effect are named where they or the new type are written.
  @Test(
    arguments: [
      (
        "link: {codec: {type: lamp, cap: bayonet, age: 3}}\nsweep: {codec: [led, box]}", [],
        [
          "1:28 'codec.cap' of 'lamp' has no effect: none of the swept parts has it",
          "1:42 'codec.age' of 'lamp' has no effect: none of the swept parts has it",
        ]
      ),
      (
        "link: {codec: {type: lamp, watts: 60, fit.hours: 3, age: 3}}", ["codec=box"],
        [
          "1:1 codec 'box' has no 'age', 'fit.hours', 'watts'; written for 'lamp', without effect now"
        ]
      ),
      (
        "link: {codec: {type: lamp, watts: 60}}\nsweep: {codec: [lamp, fan]}", [],
        [
          "1:22 'watts' of codec 'lamp' means something else for the swept 'fan' and is not used there"
        ]
      ),
      (
        "link: {codec: {type: lamp, watts: 60}}", ["codec.type=fan"],
        ["1:1 'watts' of codec 'lamp' means something else for 'fan' and is not used"]
      ),
      // Given anew: nothing is lost.
      (
        "link: {codec: {type: lamp, watts: 60}}\nsweep: {codec: [lamp, {type: fan, watts: 2}]}", [],
        []
      ),
      ("link: {codec: {type: lamp, watts: 60}}", ["codec={type: fan, watts: 2}"], []),
      ("link: {codec: {type: lamp, watts: 60}}", ["codec.watts=2", "codec=led"], []),
    ] as [(String, [String], [String])])
  func lostKeysAreNamed(text: String, set: [String], expected: [String]) throws {
    #expect(try read(text, set: set).warnings == expected)
  }

  @Test(arguments: [
    // Bounds of the new part hold.
    (
      "link: {codec: {type: lamp, fit.hours: 50}}\nsweep: {codec: [lamp, led]}",
      "1:39: error: codec.fit.hours must be a whole number in 1...10, got '50'"
    ),
    (
      "link: {codec: {type: lamp, wats: 50}}\nsweep: {codec: [led, box]}",
      "1:28: error: codec 'led', 'box' has no key 'wats'"
    ),
    (
      "link: {codec: {wats: 50}}\nsweep: {codec: [led, box]}",
      "1:16: error: codec 'led', 'box' has no key 'wats'"
    ),
    (
      "link: {codec: {type: lamp, fit: {hour: 5}}}\nsweep: {codec: [lamp, led]}",
      "1:34: error: codec 'lamp', 'led' has no key 'fit.hour'"
    ),
    (
      "link: {codec: {type: lamp}}\nsweep: {codec: [led, {type: box, watts: 3}]}",
      "2:34: error: codec 'box' has no key 'watts'"
    ),
  ])
  func mistakesAreReported(text: String, expected: String) {
    #expect {
      try read(text)
    } throws: { error in
      "\(error)".hasPrefix("x.yaml:\(expected)") && "\(error)".split(separator: "error:").count == 2
    }
  }

  /// A nested `type` is a key as others: a schedule of another kind keeps its interval.
  @Test func aTypeBelowASectionIsNoPart() throws {
    let folder = try ScenarioFolder([
      "base.yaml": "training: {schedule: {type: smooth, every: 3}}",
      "top.yaml": "extends: base.yaml\ntraining: {schedule: {type: step}}",
    ])
    for set in [[], ["training.schedule.type=step"], ["training={schedule: {type: step}}"]] {
      let scenario = try Self.reader.read("\(folder.path)/top.yaml", overrides: set).scenario
      #expect(
        scenario.training?.values == [
          "schedule.type": .text("step"), "schedule.every": .integer(3),
        ]
      )
    }
  }

  /// A file that names the part of a section which the extended file sweeps.
  @Test func aTypeHiddenByASweepIsNamed() throws {
    let folder = try ScenarioFolder([
      "base.yaml": "sweep: {codec: [lamp, led]}",
      "top.yaml": "extends: base.yaml\nlink: {codec: box}",
    ])
    let (scenario, warnings) = try Self.reader.read("\(folder.path)/top.yaml")
    #expect(scenario.points.count == 2)
    #expect(warnings.count == 1)
    #expect(warnings.first?.message.hasPrefix("'codec' has no effect: ") == true)
    #expect(warnings.first?.hint?.contains("'codec: box' below 'sweep:'") == true)
  }

  @Test func theResolvedScenarioIsTheSame() throws {
    let text = """
      link: {codec: {type: lamp, watts: 60, fit.hours: 4}}
      sweep: {codec: [lamp, led, fan, box]}
      """
    let first = try Self.reader.read(text: text, path: "x.yaml").scenario
    let again = try Self.reader.read(text: first.resolvedYAML(), path: "x.yaml")
    #expect(again.scenario.canonical == first.canonical)
    #expect(again.warnings.isEmpty)
  }
}
