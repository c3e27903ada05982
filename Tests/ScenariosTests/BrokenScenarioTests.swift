import Foundation
import Parts
import Scenarios
import Testing

/// A broken scenario with one of the errors it must give.
struct BrokenScenario: Sendable, CustomTestStringConvertible {
  let text: String
  let place: String
  let message: String
  let hint: String?

  init(_ text: String, _ place: String, _ message: String, hint: String? = nil) {
    self.text = text
    self.place = place
    self.message = message
    self.hint = hint
  }

  var testDescription: String { message }
}

@Suite struct BrokenScenarioTests {
  /// The end of every text that is not about `run`.
  static let run = "\nrun: {drops: 1}"

  @Test(arguments: syntax + documents + sections + values + sweeps)
  func isReported(_ broken: BrokenScenario) throws {
    let errors = try #require(throws: ScenarioErrors.self) { try scenario(broken.text) }
    let match = errors.diagnostics.first { $0.message.contains(broken.message) }
    let found = try #require(match, "\(errors)")
    let place = "\(found.position.line):\(found.position.column)"
    #expect(place == broken.place, "\(errors)")
    if let hint = broken.hint {
      #expect(found.hint?.contains(hint) == true, "\(errors)")
    }
    // None of these texts has a second mistake, so none may be invented.
    #expect(errors.diagnostics.count == 1, "\(errors)")
  }

  static let syntax = [
    BrokenScenario("", "0:0", "the scenario is empty", hint: "csilink list"),
    BrokenScenario("# only a comment\n", "0:0", "the scenario is empty"),
    BrokenScenario("just a word", "1:1", "must be a mapping, got 'just a word'"),
    BrokenScenario("- link\n- run", "1:1", "must be a mapping, got a list"),
    BrokenScenario(
      "link:\n\tgrid: {tones: 1}", "2:1", "found character that cannot start any token",
      hint: "spaces, not tabs"),
    BrokenScenario("link: {grid: {tones: 1}\nrun: 3", "2:1", "did not find expected ',' or '}'"),
    BrokenScenario("link: {grid: [1, 2}", "1:19", "did not find expected ',' or ']'"),
    BrokenScenario("name: \"open\nrun: {}", "2:8", "found unexpected end of stream"),
    BrokenScenario("name: @me", "1:7", "cannot start any token", hint: "put the text in quotes"),
    BrokenScenario("name: a: b", "1:8", "mapping values are not allowed"),
    BrokenScenario("link: *base", "1:7", "found undefined alias"),
    BrokenScenario("run: {drops: 1}\n--- \nrun: {drops: 1}", "2:1", "another document"),
    BrokenScenario(
      "run: {drops: 1, drops: 2}", "1:7", "key 'drops' is given twice", hint: "remove one"),
    BrokenScenario(
      "run: {drops: 1, \"drops\": 2}", "1:7", "key 'drops' is given twice", hint: "remove one"),
    BrokenScenario("run: {drops: 1}\nlink:\nlink:", "2:1", "key 'link' is given twice"),
    BrokenScenario("run: {drops: 1, [a, b]: 1}", "1:17", "a key must be a word, got a list"),
    BrokenScenario("run: {<<: {drops: 1}, drops: 1}", "1:7", "merge keys", hint: "extends"),
    BrokenScenario("run: {drops: !count 1}", "1:14", "YAML tags"),
    BrokenScenario("name: !x a\nrun: {drops: 1}", "1:7", "YAML tags"),
  ]

  static let documents = [
    BrokenScenario(
      "lnik: {}" + run, "1:1", "unknown key 'lnik'", hint: "did you mean 'link'?"),
    BrokenScenario(
      "results: {}" + run, "1:1", "unknown key 'results'",
      hint: "known keys: name, description, extends, link, sweep, paper, training, run, report"),
    BrokenScenario(
      "pilots: {snr_db: 3}" + run, "1:1", "unknown key 'pilots'", hint: "belongs below 'link:'"),
    BrokenScenario(
      "pilots.snr_db: 3" + run, "1:1", "unknown key 'pilots.snr_db'", hint: "below 'link:'"),
    BrokenScenario("link: ls" + run, "1:7", "'link' must be a mapping"),
    BrokenScenario("link: [ls]" + run, "1:7", "'link' must be a mapping"),
    BrokenScenario("sweep: [1, 2]" + run, "1:8", "'sweep' must be a mapping"),
    BrokenScenario("run: {drops: 1}\nreport: full", "2:9", "'report' must be a mapping"),
    BrokenScenario("name: quick start" + run, "1:7", "'name' cannot be", hint: "letters, digits"),
    BrokenScenario("name: ../up" + run, "1:7", "'name' cannot be '../up'"),
    BrokenScenario("name: .hidden" + run, "1:7", "'name' cannot be '.hidden'"),
    BrokenScenario("name: [a]" + run, "1:7", "'name' cannot be a list"),
    BrokenScenario("name:" + run, "1:6", "'name' cannot be nothing"),
    BrokenScenario("description: {a: b}" + run, "1:14", "'description' must be a text"),
    BrokenScenario("extends: [a.yaml, b.yaml]" + run, "1:10", "must be one file path"),
    BrokenScenario(
      "link:\n  preset: narow" + run, "2:11", "unknown preset 'narow'", hint: "narrow"),
    BrokenScenario(
      "link:\n  run: {seed: 1}" + run, "2:3", "the link has no section 'run'",
      hint: "at the left margin"),
    BrokenScenario(
      "link:\n  estimater: ls" + run, "2:3", "no section 'estimater'",
      hint: "did you mean 'estimator'?"),
    BrokenScenario(
      "link:\n  codebook: x" + run, "2:3", "no section 'codebook'",
      hint: "known sections: grid, channel, pilots, estimator, codec"),
    BrokenScenario("link:\n  quantizer: none" + run, "2:3", "no section 'quantizer'"),
  ]

  static let sections = [
    BrokenScenario(
      "link: {}", "1:1", "run.drops is required: a whole number in 1...1000000000",
      hint: "Drops per point."),
    BrokenScenario(
      "link:\n  channel: cld" + run, "2:12",
      "unknown channel 'cld'; known: rayleigh, cdl, recorded", hint: "did you mean 'cdl'?"),
    BrokenScenario("link:\n  channel: 38.901" + run, "2:12", "unknown channel '38.901'"),
    BrokenScenario(
      "link:\n  channel: {type: [cdl]}" + run, "2:19", "unknown channel a list; known: rayleigh"),
    BrokenScenario(
      "link:\n  estimator: [ls, lmmse]" + run, "2:14", "estimator must be one part, got a list",
      hint: "write them below 'sweep:'"),
    BrokenScenario(
      "link:\n  channel:\n    type: cdl" + run, "3:11",
      "channel.profile is required: one of A, B, C", hint: "Profile."),
    BrokenScenario(
      "link: {grid: {tone: 4}}" + run, "1:15", "grid 'ofdm' has no key 'tone'",
      hint: "did you mean 'tones'?"),
    BrokenScenario(
      "link: {estimator: {window: 4}}" + run, "1:20", "estimator 'ls' has no key 'window'",
      hint: "it has no keys"),
    BrokenScenario(
      "link: {estimator: {fit: {drops: 4}}}" + run, "1:20", "estimator 'ls' has no key 'fit'"),
    BrokenScenario(
      "link: {estimator: {type: lmmse, fit: {drop: 4}}}" + run, "1:39", "no key 'fit.drop'",
      hint: "did you mean 'fit.drops'?"),
    BrokenScenario(
      "link: {estimator: {type: lmmse, fit: 4}}" + run, "1:38",
      "estimator.fit must be a mapping, got '4'", hint: "fit.drops, fit.source"),
    BrokenScenario(
      "link: {codec: {compression: 4}}" + run, "1:16", "codec 'none' has no key 'compression'",
      hint: "'compression' belongs to pca, csinet"),
    BrokenScenario(
      "link:\n  codec: {type: pca, label: x}" + run, "2:22", "codec 'pca' has no key 'label'"),
    BrokenScenario(
      "link:\n  pilots.snr_db: 3\n  pilots: {snr_db: 4}" + run, "3:12",
      "key 'snr_db' is given twice; first in line 2"),
    BrokenScenario("link:\n  pilots.: 3" + run, "2:3", "'pilots.' has an empty step"),
    BrokenScenario(
      "link: {estimator: {type: lmmse, fit.drops: 4, fit: {drops: 5}}}" + run, "1:53",
      "key 'drops' is given twice"),
  ]

  static let values = [
    BrokenScenario(
      "link:\n  grid: {tones: 0}" + run, "2:17",
      "grid.tones must be a whole number in 1...8192, got '0'"),
    BrokenScenario("link:\n  grid: {tones: 1.5}" + run, "2:17", "got '1.5'"),
    BrokenScenario(
      "link:\n  grid: {tones: }" + run, "2:17", "a whole number in 1...8192, got nothing"),
    BrokenScenario("link:\n  grid: {tones: {a: 1}}" + run, "2:17", "got a mapping"),
    BrokenScenario(
      "link:\n  grid: {tones: [16, 32]}" + run, "2:17", "a whole number in 1...8192, got a list",
      hint: "below 'sweep:'"),
    BrokenScenario(
      "link:\n  grid: {spacing: 15}" + run, "2:19", "with its unit (Hz, kHz, MHz, GHz), got '15'",
      hint: "for example '15 kHz'"),
    BrokenScenario("link:\n  grid: {spacing: 15 kbps}" + run, "2:19", "got '15 kbps'"),
    BrokenScenario(
      "link:\n  pilots: {snr_db: .nan}" + run, "2:20", "a number in -100...200 (dB), got"),
    BrokenScenario("link:\n  pilots: {snr_db: nan}" + run, "2:20", "got 'nan'"),
    BrokenScenario("link:\n  pilots: {snr_db: .inf}" + run, "2:20", "got '.inf'"),
    BrokenScenario("link:\n  pilots: {snr_db: -inf}" + run, "2:20", "got '-inf'"),
    BrokenScenario("link:\n  channel: {delay_spread: 1e400 s}" + run, "2:27", "got '1e400 s'"),
    BrokenScenario("link:\n  pilots: {ideal: maybe}" + run, "2:19", "must be true or false"),
    BrokenScenario(
      "link:\n  channel: {type: cdl, profile: a}" + run, "2:33", "one of A, B, C, got 'a'",
      hint: "did you mean 'A'?"),
    BrokenScenario(
      "link:\n  channel: {type: cdl, profile: A, angles: 30}" + run, "2:44",
      "channel.angles must be a list", hint: "write it as [30]"),
    BrokenScenario(
      "link:\n  channel: {type: cdl, profile: A, angles: [0, 200]}" + run, "2:48",
      "channel.angles must be a list of at most 4 values, each a number in -180...180 (deg), got '200' in the list"
    ),
    BrokenScenario(
      "link:\n  channel: {type: cdl, profile: A, angles: []}" + run, "2:44", "got an empty list"),
    BrokenScenario(
      "link:\n  channel: {type: recorded, file: ''}" + run, "2:35", "must be a file path"),
    BrokenScenario(
      "link:\n  codec: {type: pca, gain: 33}" + run, "2:28",
      "one of genie, unit, or a whole number in 1...32, got '33'"),
    BrokenScenario(
      "run: {drops: 1}\nreport: {cosine_domain: all}", "2:25", "one of full, public_set"),
  ]

  static let sweeps = [
    BrokenScenario(
      "sweep:\n  pilots.snr: [1]" + run, "2:3", "pilots 'dft' has no key 'snr'",
      hint: "did you mean 'snr_db'?"),
    BrokenScenario(
      "sweep:\n  codec.bits: [1]\n  codec: [none, pca]" + run, "2:3",
      "codec 'none', 'pca' has no key 'bits'", hint: "known keys: compression, gain"),
    BrokenScenario(
      "sweep:\n  codec.weights: [a]\n  codec: [none, pca]" + run, "2:3", "has no key 'weights'",
      hint: "'weights' belongs to csinet"),
    BrokenScenario(
      "sweep:\n  link.pilots.snr_db: [1]" + run, "2:3", "cannot sweep 'link.pilots.snr_db'",
      hint: "write 'pilots.snr_db'"),
    BrokenScenario(
      "sweep:\n  run.seed: [1]" + run, "2:3", "cannot sweep 'run.seed'",
      hint: "only keys of the link"),
    BrokenScenario("sweep:\n  preset: [narrow]" + run, "2:3", "cannot sweep 'preset'"),
    BrokenScenario(
      "sweep:\n  pilot.snr_db: [1]" + run, "2:3", "cannot sweep 'pilot.snr_db'",
      hint: "did you mean 'pilots'?"),
    BrokenScenario(
      "sweep:\n  grid.tones: []" + run, "2:15", "needs values to sweep, got an empty list"),
    BrokenScenario("sweep:\n  grid.tones:" + run, "2:3", "needs values to sweep, got nothing"),
    BrokenScenario(
      "sweep:\n  codec: {type: pca}" + run, "2:10", "'codec' needs values to sweep, got a mapping",
      hint: "[a, {type: b, ...}]"),
    BrokenScenario(
      "sweep:\n  codec: [none, [pca]]" + run, "2:17", "an entry of 'codec' must be one part"),
    BrokenScenario(
      "sweep:\n  codec: [none, pcb]" + run, "2:17", "unknown codec 'pcb'", hint: "'pca'"),
    BrokenScenario(
      "sweep:\n  codec: [none, {type: pca, compression: 99}]" + run, "2:42",
      "codec.compression must be a whole number in 1...64, got '99'"),
    BrokenScenario(
      "sweep:\n  codec: [none, csinet]" + run, "2:17", "codec.weights is required: a file path"),
    BrokenScenario(
      "sweep:\n  codec: [{type: pca, label: x}, {type: none, label: x}]" + run, "2:54",
      "two entries of 'codec' are called 'x'", hint: "another 'label:'"),
    BrokenScenario(
      "sweep:\n  codec: [{type: pca, label: [x]}]" + run, "2:30", "a label must be a text"),
    BrokenScenario("sweep:\n  grid.tones: [16, 0, 32]" + run, "2:20", "1...8192, got '0'"),
    BrokenScenario("sweep:\n  grid.tones: {from: 0, to: 2, step: 1}" + run, "2:15", "got '0'"),
    BrokenScenario(
      "sweep:\n  pilots.snr_db: {from: 0, to: 10, step: 0}" + run, "2:18", "must not be zero"),
    BrokenScenario(
      "sweep:\n  pilots.snr_db: {from: 0, to: 10, step: -1}" + run, "2:18",
      "the step of -1 leads from 0 away from 10", hint: "change the sign"),
    BrokenScenario(
      "sweep:\n  pilots.snr_db: {from: 0, to: 10}" + run, "2:18", "needs a number 'step'"),
    BrokenScenario(
      "sweep:\n  pilots.snr_db: {from: 0, to: 10, steps: 2}" + run, "2:36",
      "a range has no 'steps'",
      hint: "did you mean 'step'?"),
    BrokenScenario(
      "sweep:\n  pilots.snr_db: {from: low, to: 10, step: 1}" + run, "2:18",
      "'from' of a range must be a number, got 'low'"),
    BrokenScenario(
      "sweep:\n  pilots.snr_db: {from: 0, to: .inf, step: 1}" + run, "2:18", "'to' of a range must"),
    BrokenScenario(
      "sweep:\n  pilots.snr_db: {from: 0, to: 1e18, step: 1e-18}" + run, "2:18", "too far apart"),
    BrokenScenario(
      "sweep:\n  channel.delay_spread: {from: 10 ns, to: 1 us, step: 10 ns}" + run, "2:25",
      "different units", hint: "same unit"),
    BrokenScenario(
      "sweep:\n  pilots.snr_db: {from: 0, to: 1000000, step: 1}" + run, "2:18",
      "more than 100000 values"),
    BrokenScenario(
      """
      sweep:
        pilots.snr_db: {from: 0, to: 99, step: 1}
        grid.tones: {from: 1, to: 1001, step: 1}
      """ + run, "3:3", "more than 100000 combinations", hint: "split it"),
    BrokenScenario(
      "sweep:\n  codec: [none]\n  codec.type: [pca]" + run, "3:3", "key 'codec' is given twice"),
  ]
}

@Suite struct ErrorFormTests {
  /// YAML itself takes the number 1 and the text "1" for two keys.
  @Test func keysThatDifferOnlyInQuotes() throws {
    let errors = try #require(throws: ScenarioErrors.self) {
      try scenario("run: {drops: 1}\nlink: {grid: {1: a, \"1\": b}}")
    }
    #expect(errors.description.contains("demo.yaml:2:21: error: key '1' is given twice\n"))
  }

  @Test func allErrorsOfAFileInTheOrderOfItsLines() throws {
    let errors = try #require(throws: ScenarioErrors.self) {
      try scenario(
        """
        link:
          channel: {type: cdl, profile: Z, angles: 3}
          codec: pcb
        run: {drop: 1}
        """)
    }
    #expect(
      errors.description == """
        demo.yaml:2:33: error: channel.profile must be one of A, B, C, got 'Z'
            2 |   channel: {type: cdl, profile: Z, angles: 3}
              |                                 ^
        demo.yaml:2:44: error: channel.angles must be a list of at most 4 values, each a number in -180...180 (deg), got '3'
            2 |   channel: {type: cdl, profile: Z, angles: 3}
              |                                            ^
          hint: write it as [3]
        demo.yaml:3:10: error: unknown codec 'pcb'; known: none, pca, csinet, network
            3 |   codec: pcb
              |          ^
          hint: did you mean 'pca'?
        demo.yaml:4:1: error: run.drops is required: a whole number in 1...1000000000
            4 | run: {drop: 1}
              | ^
          hint: Drops per point.
        demo.yaml:4:7: error: run 'run' has no key 'drop'
            4 | run: {drop: 1}
              |       ^
          hint: did you mean 'drops'?
        """)
  }

  /// Columns count Unicode scalars, and tabs stay tabs above the caret.
  @Test func theCaretStandsBelowTheValue() throws {
    let errors = try #require(throws: ScenarioErrors.self) {
      try scenario("description: \"µ\t→\"\nlink: {\"grid\":\t{tones: µ}}\nrun: {drops: 1}")
    }
    #expect(
      errors.description
        == "demo.yaml:2:24: error: grid.tones must be a whole number in 1...8192, got 'µ'\n"
        + "    2 | link: {\"grid\":\t{tones: µ}}\n      |               \t        ^")
  }

  @Test func aCatalogueWithoutReport() throws {
    let reader = ScenarioReader(registry: PartRegistry([PartSchema(.estimator, "ls", "LS.")]))
    #expect(try reader.read(text: "link: {}", path: "x.yaml").scenario.report == nil)
    let errors = try #require(throws: ScenarioErrors.self) {
      try reader.read(text: "link: {}\nreport: {a: 1}", path: "x.yaml")
    }
    #expect(errors.description.hasPrefix("x.yaml:2:1: error: 'report' has no settings here"))
  }

  @Test func aHundredErrorsAreEnough() throws {
    let errors = try #require(throws: ScenarioErrors.self) {
      try scenario("sweep: {grid.tones: {from: -999, to: 0, step: 1}}\nrun: {drops: 1}")
    }
    #expect(errors.diagnostics.count == 101)
    #expect(errors.diagnostics.last?.message == "900 further errors are not shown")
  }
}

@Suite struct BrokenFileTests {
  @Test func filesThatAreNoScenarios() throws {
    let folder = try ScenarioFolder(["dir/x.yaml": "run: {drops: 1}", "empty.yaml": ""])
    try folder.write(Data("run: {drops: 1}\n# caf\u{e9}".utf16.map { UInt8($0) }), to: "latin.yaml")
    try folder.write(Data("# ok\nname: a\0b".utf8), to: "nul.yaml")
    try folder.write(Data(repeating: 0x20, count: 256 * 1024 + 1), to: "huge.yaml")
    try folder.write(Data("\u{FEFF}run: {drops: 1}".utf8), to: "mark.yaml")
    try folder.write(Data("run: {drops: 1}\r\nlink: {x: 1}\r\n".utf8), to: "windows.yaml")
    try folder.write(Data("run: {drops: 1}".utf8), to: "no name.yaml")

    #expect(folder.errors("missing.yaml") == "missing.yaml: error: no such file")
    #expect(folder.errors("dir") == "dir: error: is a folder, not a scenario file")
    #expect(folder.errors("empty.yaml").hasPrefix("empty.yaml: error: the scenario is empty"))
    #expect(folder.errors("latin.yaml") == "latin.yaml:2:6: error: is not UTF-8 text")
    #expect(
      folder.errors("nul.yaml") == "nul.yaml:2:8: error: contains the control character U+0")
    #expect(folder.errors("huge.yaml").hasPrefix("huge.yaml: error: is larger than 256 KiB"))
    #expect(folder.errors("mark.yaml") == "none")
    #expect(folder.errors("windows.yaml").contains("2 | link: {x: 1}\n"))
    #expect(
      folder.errors("no name.yaml").hasPrefix(
        "no name.yaml:1:1: error: the file name 'no name' cannot be the name of the scenario"))
  }

  @Test func aFileThatMayNotBeRead() throws {
    let folder = try ScenarioFolder(["x.yaml": "run: {drops: 1}"])
    let path = folder.path + "/x.yaml"
    try FileManager.default.setAttributes([.posixPermissions: 0], ofItemAtPath: path)
    // The superuser may read everything.
    if !FileManager.default.isReadableFile(atPath: path) {
      #expect(folder.errors("x.yaml") == "x.yaml: error: cannot be opened: permission denied")
    }
  }

  /// Nine aliases of nine aliases of ... would be 10^9 values.
  @Test func aliasBombs() throws {
    var text = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n"
    for level in 1...9 {
      let copies = Array(repeating: "*a\(level - 1)", count: 9).joined(separator: ", ")
      text += "a\(level): &a\(level) [\(copies)]\n"
    }
    let errors = try #require(throws: ScenarioErrors.self) { try scenario(text + "? *a9\n: 1") }
    #expect(
      errors.description == "demo.yaml: error: more than 16 YAML aliases (*name)\n"
        + "  hint: write the values out, or share them with 'extends:'")
  }

  @Test func theLargestBombThatAliasesAllow() throws {
    let leaves = Array(repeating: "x", count: 2000).joined(separator: ", ")
    var text = "a0: &a0 [\(leaves)]\n"
    for level in 1...5 {
      text += "a\(level): &a\(level) [*a\(level - 1), *a\(level - 1), *a\(level - 1)]\n"
    }
    let errors = try #require(throws: ScenarioErrors.self) { try scenario(text) }
    #expect(errors.description.contains("more than 100000 values, aliases expanded"))
  }

  @Test func aliasesWork() throws {
    let scenario = try scenario(
      """
      link: {grid: {tones: &n 16}, estimator: {type: lmmse, fit: &fit {drops: *n}}}
      sweep: {pilots.snr_db: [*n]}
      run: {drops: *n}
      """)
    #expect(scenario.run?.values["drops"] == .integer(16))
    #expect(scenario.points[0].settings[.estimator]?.values["fit.drops"] == .integer(16))
  }

  @Test(arguments: ["[", "{a: ", "- ", "? "])
  func deepNesting(opening: String) throws {
    for depth in [30, 900, 5000] {
      let text = String(repeating: opening, count: depth)
      for closing in ["[": "]", "{a: ": "}"][opening].map({ [$0, ""] }) ?? [""] {
        let whole = text + "1" + String(repeating: closing, count: depth)
        #expect(throws: ScenarioErrors.self) { try scenario(whole) }
        #expect(throws: ScenarioErrors.self) { try scenario("link: {}\n", set: ["codec=\(whole)"]) }
      }
    }
  }
}
