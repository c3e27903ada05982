import Foundation
import Parts
import Scenarios
import Testing

/// Numbers, ranges and structures that are made to break a reader: each is an error with its place.
@Suite struct HostileTextTests {
  private static let run = "\nrun: {drops: 1}"

  /// The first line of the only error of a text.
  private func complaint(_ text: String) -> String {
    do {
      _ = try scenario(text)
      return "none"
    } catch {
      let lines = "\(error)".split(separator: "\n").filter { $0.contains(": error: ") }
      return lines.count == 1 ? String(lines[0]) : "several: \(error)"
    }
  }

  private static let notFinite = [
    "1e400", "-1e400", ".nan", ".NaN", ".NAN", "nan", "NaN", "-nan", ".inf", "-.inf", "+.INF",
    ".Inf", "inf", "-inf", "infinity", "1e9223372036854775807", "1e99999999999999999999",
    "nan(0x7)", "1__0", "1,5", "0x", "--1", "+-1", "1e", "e5", ".", "-", "1.2.3", "٣", "½",
  ]
  private static let notWhole =
    notFinite + [
      "9223372036854775807", "9223372036854775808", "-9223372036854775809",
      "18446744073709551616", "170141183460469231731687303715884105728", "1e30", "-1e30", "1e308",
      "9007199254740993.5", "0.5", "1e-1", "0x1p-1074",
    ]

  @Test(arguments: notWhole)
  func asAWholeNumber(text: String) {
    let expected = "a whole number in 1...8192, got '\(text)'"
    #expect(
      complaint("link:\n  grid: {tones: '\(text)'}\(Self.run)")
        == "demo.yaml:2:17: error: grid.tones must be \(expected)")
    #expect(
      complaint("sweep:\n  grid.tones: [16, '\(text)']\(Self.run)")
        == "demo.yaml:2:20: error: grid.tones must be \(expected)")
    #expect(
      complaint("run: {drops: 1, seed: \"-\(text)\"}").hasPrefix(
        "demo.yaml:1:23: error: run.seed must be a whole number of at least 0, got '-"))
  }

  @Test(arguments: notFinite)
  func asANumber(text: String) {
    #expect(
      complaint("link:\n  pilots: {snr_db: '\(text)'}\(Self.run)")
        == "demo.yaml:2:20: error: pilots.snr_db must be a number in -100...200 (dB), got '\(text)'"
    )
    #expect(
      complaint("link:\n  grid: {spacing: '\(text) Hz'}\(Self.run)").hasPrefix(
        "demo.yaml:2:19: error: grid.spacing must be a frequency in 1 Hz...1 GHz"))
    #expect(
      complaint("link:\n  channel: {type: cdl, profile: A, angles: [0, '\(text)']}\(Self.run)")
        .hasPrefix("demo.yaml:2:48: error: channel.angles must be a list of at most 4 values"))
    #expect(
      complaint("sweep:\n  pilots.snr_db: {from: 0, to: 1, step: '\(text)'}\(Self.run)")
        .hasPrefix("demo.yaml:2:18: error: "))
    for role in ["from", "to"] {
      let other = role == "from" ? "to" : "from"
      #expect(
        complaint("sweep:\n  pilots.snr_db: {\(role): '\(text)', \(other): 1, step: 1}\(Self.run)")
          .hasPrefix("demo.yaml:2:18: error: "), "\(role)")
    }
  }

  /// Exponents that no integer holds: as small as nothing, or refused.
  @Test(arguments: [
    "1e-9223372036854775808", "1e-9223372036854775807", "1e-400", "0e9223372036854775807",
    "0e-9223372036854775808",
  ])
  func vanishingNumbers(text: String) {
    let found = complaint("link: {channel: {delay_spread: \(text) ns}}\(Self.run)")
    #expect(found == "none" || found.hasPrefix("demo.yaml:1:32: error: channel.delay_spread"))
    let range = complaint("sweep: {grid.tones: {from: \(text), to: 1, step: 1}}\(Self.run)")
    #expect(range.hasPrefix("demo.yaml:1:21: error: "))
  }

  @Test(arguments: [
    ("{from: 0, to: 1000000000, step: 1}", "a range of more than 100000 values"),
    ("{from: 0, to: 1, step: 1e-9}", "a range of more than 100000 values"),
    ("{from: 0, to: -1e9, step: -1}", "a range of more than 100000 values"),
    ("{from: 0, to: 100000, step: 1}", "a range of more than 100000 values"),
    ("{from: -9e17, to: 9e17, step: 1}", "a range of more than 100000 values"),
    ("{from: -9e18, to: 9e18, step: 1}", "the numbers of a range are too far apart in size"),
    // The distance is the one number that its opposite does not exist for.
    ("{from: 922337203685477580e1, to: -8, step: -1}", "a range of more than 100000 values"),
    ("{from: 0, to: 0, step: 0}", "the step of a range must not be zero"),
    ("{from: 0, to: 1, step: 0.0e5}", "the step of a range must not be zero"),
    ("{from: 0, to: 1, step: 1e-18}", "a range of more than 100000 values"),
    ("{from: 1e18, to: 1e18, step: 1e-18}", "the numbers of a range are too far apart in size"),
    ("{from: 0, to: 1234567890123456789012345, step: 1}", "'to' of a range must be a number"),
    ("{from: 1 dB, to: 2 kHz, step: 1 dB}", "the numbers of a range have different units"),
    ("{from: [0], to: 1, step: 1}", "a range needs a number 'from'"),
    ("{from: 0, to: {a: 1}, step: 1}", "a range needs a number 'to'"),
    ("{from: 0, to: 1, step: }", "a range needs a number 'step'"),
    ("{}", "a range needs a number 'from'"),
  ])
  func ranges(range: String, message: String) {
    let found = complaint("sweep:\n  pilots.snr_db: \(range)\(Self.run)")
    #expect(found.hasPrefix("demo.yaml:2:") && found.contains("error: \(message)"), "\(found)")
  }

  /// Each axis is small enough, their product is not, nor does it fit an integer.
  @Test func productsOfAxes() {
    let keys = [
      "pilots.snr_db", "grid.tones", "grid.spacing", "channel.delay_spread", "codec.compression",
    ]
    let axes = keys.map { "  \($0): {from: 1, to: 99999, step: 1}" }.joined(separator: "\n")
    #expect(
      complaint("sweep:\n\(axes)\(Self.run)")
        == "demo.yaml:3:3: error: the sweep has more than 100000 combinations")
  }

  /// The place of the level that is one too many: level 0 is the file, level 1 the value of 'link', the key of a mapping
  /// lies a level below it.
  @Test(arguments: [("[", "]", 7 + 24), ("{a: ", "}", 7 + 23 * 4 + 1)])
  func nesting(opening: String, closing: String, column: Int) throws {
    let text =
      "name: x\nlink: " + String(repeating: opening, count: 40) + "1"
      + String(repeating: closing, count: 40)
    let errors = try #require(throws: ScenarioErrors.self) { try scenario(text + Self.run) }
    let expected = "demo.yaml:2:\(column): error: nested more than 24 levels deep\n"
    #expect(errors.diagnostics.count { $0.description.hasPrefix(expected) } == 1, "\(errors)")
  }

  @Test(arguments: [
    ("link: &a {grid: *a}", "1:17", "found undefined alias"),
    ("link: &a [*a]", "1:11", "found undefined alias"),
    ("? &a [*a]\n: 1", "1:7", "found undefined alias"),
    ("run: {drops: 1, ? drops : 2}", "1:7", "key 'drops' is given twice"),
    ("run: {drops: 1, \"\\u0064rops\": 2}", "1:7", "key 'drops' is given twice"),
    ("link: {grid.tones: 4, grid: {\"tones\": 5}}\nrun: {drops: 1}", "1:30", "given twice"),
    ("sweep: {pilots.snr_db: [1], \"pilots.snr_db\": [2]}", "1:9", "is given twice"),
    ("link:\n  grid:\n\t  tones: 4", "3:1", "found character that cannot start any token"),
    ("link:\n  grid: {\n\ttones: 4, tones: 5}", "3:2", "key 'tones' is given twice"),
    ("run: {drops: 1}\n...\nrun: {drops: 1}", "", "error: "),
    ("%YAML 9.9\n---\nrun: {drops: 1}", "", "incompatible YAML document"),
  ])
  func structure(text: String, place: String, message: String) {
    do {
      _ = try scenario(text)
      Issue.record("was read: \(text)")
    } catch {
      let start = place.isEmpty ? "demo.yaml" : "demo.yaml:\(place): error: "
      #expect("\(error)".hasPrefix(start) && "\(error)".contains(message), "\(error)")
    }
  }

  @Test(
    arguments: [
      ([0xFF, 0xFE, 0x72, 0x00], "1:1: error: is not UTF-8 text"),
      ([0xFE, 0xFF, 0x00, 0x72], "1:1: error: is not UTF-8 text"),
      // A surrogate, an overlong NUL, a scalar above U+10FFFF, half a character at the end.
      ([0x23, 0x0A, 0x23, 0xED, 0xA0, 0x80], "2:2: error: is not UTF-8 text"),
      ([0x23, 0xC0, 0x80], "1:2: error: is not UTF-8 text"),
      ([0x23, 0xF4, 0x90, 0x80, 0x80], "1:2: error: is not UTF-8 text"),
      ([0x23, 0xC3, 0xA9, 0xC3], "1:3: error: is not UTF-8 text"),
      ([0x23, 0x20, 0xEF, 0xBB, 0xBF], "1:3: error: contains the control character U+FEFF"),
      ([0x23, 0x1B, 0x5B], "1:2: error: contains the control character U+1B"),
      ([0xEF, 0xBB, 0xBF], " error: the scenario is empty"),
    ] as [([UInt8], String)])
  func bytes(_ bytes: [UInt8], expected: String) throws {
    let folder = try ScenarioFolder([:])
    try folder.write(Data(bytes), to: "x.yaml")
    #expect(folder.errors("x.yaml").hasPrefix("x.yaml:\(expected)"), "\(folder.errors("x.yaml"))")
  }
}
