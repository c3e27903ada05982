import Reports
import Testing

@Suite struct ResultTableTests {
  @Test func snapshot() throws {
    #expect(ResultTable.text(of: awkward) + "\n" == (try fixture("table.txt")))
  }

  /// Drops of one drawn environment tell about no other one, and the table says so.
  @Test(arguments: [false, true]) func oneEnvironmentIsTold(shares: Bool) {
    let text = ResultTable.text(of: result(axes: [], [point([])], sharesEnvironment: shares))
    #expect(text.contains("environment") == shares)
  }

  /// A share of clipped values that can be seen in the error is told.
  @Test(arguments: [(nil, false), (0, false), (9e-5, false), (2e-4, true)])
  func clippedValuesAreTold(share: Double?, isTold: Bool) {
    let text = ResultTable.text(of: result(axes: [], [point([], clipFraction: share)]))
    #expect(text.contains("0.02 % of a point's quantised values") == isTold)
  }

  @Test(arguments: 0...6) func barsStandInOneColumn(axisCount: Int) throws {
    let paths = [
      "codec", "pilots.snr_db", "feedback.snr_db", "quantizer.bits",
      "channel.a_key_with_a_rather_long_name", "timing.delay_slots",
    ]
    let values = ["pca", "-10", "100000", "4", "1", "a value that is rather long, too"]
    let axes = Array(paths.prefix(axisCount))
    let points = [
      point(Array(values.prefix(axisCount)), clipFraction: 0),
      point(Array(repeating: nil, count: axisCount), clipFraction: 0),
    ]
    let lines = ResultTable.text(of: result(axes: axes, points)).split(separator: "\n")
    #expect(lines.count == 6)
    // Bars stand between the swept keys and the ten other columns; those between the four groups are doubled.
    let positions = lines.dropFirst(2).map { line in
      line.enumerated().filter { $0.element == "|" }.map(\.offset)
    }
    #expect(positions[0].count == axisCount + 9 + 3)
    #expect(Set(positions).count == 1, "\(lines.joined(separator: "\n"))")
    let doubled = positions[0].filter { positions[0].contains($0 + 1) }
    let banner = lines[1].enumerated().filter { $0.element == "|" }.map(\.offset)
    #expect(banner == doubled.flatMap { [$0, $0 + 1] })
    #expect(lines.prefix(4).allSatisfy { $0.hasPrefix("#") })
    #expect(lines.suffix(2).allSatisfy { !$0.hasPrefix("#") })
  }

  @Test func keysAreShortWhereUnique() {
    let text = ResultTable.text(
      of: result(
        axes: ["pilots.snr_db", "feedback.snr_db", "codec.compression", "quantizer.bits"],
        [point(["0", "1", "2", "3"])]))
    let header = text.split(separator: "\n")[2].split(separator: "|").prefix(5).map {
      $0.filter { $0 != " " && $0 != "#" }
    }
    #expect(header == ["pilots.snr", "feedback.snr", "compression", "quantizer.bits", "bits"])
  }

  @Test func textsOfTheScenarioCannotSteerTheTerminal() {
    let text = ResultTable.text(
      of: result(
        axes: ["codec"], [point(["\u{1B}[2J\u{202E}x"])], name: "a\u{1B}b\nc",
        description: "d\u{7}\r\ne"))
    let isHarmless = text.unicodeScalars.allSatisfy {
      $0 == "\n" || ![.control, .format].contains($0.properties.generalCategory)
    }
    #expect(isHarmless)
  }
}
