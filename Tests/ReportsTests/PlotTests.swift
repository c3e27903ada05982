import Foundation
import Reports
import Simulation
import Testing

@Suite struct PlotTests {
  private static let gnuplot = ResultPlots.installedGnuplot

  /// The program that a run leaves.
  private func written(_ result: RunResult) throws -> String {
    try withFolder { folder in
      _ = try ResultPlots.write(result, toFolder: folder, gnuplot: nil)
      return try String(contentsOfFile: "\(folder)/plots.gp", encoding: .utf8)
    }
  }

  /// The plots in a folder that are not empty.
  private func plots(in folder: String) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: folder).sorted().filter {
      let size = try FileManager.default.attributesOfItem(atPath: "\(folder)/\($0)")[.size]
      return standardPlots.contains($0) && (size as? NSNumber)?.intValue ?? 0 > 0
    }
  }

  /// The numbers of each curve of the i-th plot of a program.
  private func blocks(_ program: String, plot: Int = 1) throws -> [[[String]]] {
    let start = try #require(program.range(of: "$data\(plot) << EOD\n"))
    let rest = program[start.upperBound...]
    return rest[..<(try #require(rest.range(of: "EOD\n"))).lowerBound]
      .components(separatedBy: "\n\n\n").map { block in
        block.split(separator: "\n").filter { !$0.hasPrefix("#") }
          .map { $0.split(separator: " ").map(String.init) }
      }
  }

  /// The figures as texts.
  private func texts(_ result: RunResult) -> [String] {
    ResultPlots.figures(of: result).0.map(\.description)
  }

  @Test func curvesOverTheFirstKey() throws {
    let sweep = snrSweep(axes: ["pilots.snr_db", "codec"], codecs: [["pca"], ["dft"]])
    let program = try written(sweep)
    #expect(program.contains("set xlabel 'pilot SNR (dB)'"))
    #expect(program.contains("set ylabel 'NMSE (dB)'"))
    #expect(program.contains("set ylabel 'rate (bit/s/Hz)'"))
    for title in ["pca", "dft", "perfect CSI"] { #expect(program.contains("title '\(title)'")) }
    #expect(!program.contains("  set logscale"))
    let dft = sweep.points.filter { $0.coordinates[1] == "dft" }
    for (plot, ends, column) in [
      (1, Column.Interval.nmse, Column.nmseDB), (2, .rate, .rate),
    ] {
      let blocks = try blocks(program, plot: plot)
      // The bound is the same for both codecs and stands by itself.
      #expect(blocks.map(\.count) == (plot == 1 ? [7, 7] : [7, 7, 7]))
      #expect(blocks[1].map { $0[0] } == dft.map { $0.coordinates[0] })
      for (index, point) in dft.enumerated() {
        let interval = try #require(point.interval(ends))
        let expected = [point[column], interval.lowerBound, interval.upperBound]
        for (text, value) in zip(blocks[1][index].dropFirst(), expected) {
          #expect(abs(try #require(Double(text)) - value) < 1e-6)
        }
        guard plot == 2 else { continue }
        #expect(blocks[2][index][0] == point.coordinates[0])
        #expect(abs(try #require(Double(blocks[2][index][1])) - point[.perfectRate]) < 1e-6)
      }
      for index in 0...1 {
        #expect(program.contains("$data\(plot) index \(index) using 1:2:3:4 with yerrorbars"))
        #expect(program.contains("$data\(plot) index \(index) using 1:2 with linespoints"))
      }
    }
  }

  @Test(arguments: [
    (["4", "8", "16", "32"], "codec.compression", "codec compression", true),
    (["10", "20", "40", "80"], "pilots.snr_db", "pilot SNR (dB)", false),
    (["0", "1", "2", "4"], "timing.delay_slots", "timing delay slots", false),
    (["300 ns", "1 us", "3 us"], "channel.delay_spread", "channel delay spread (ns)", true),
    (["3 km/h", "30 km/h"], "channel.speed", "channel speed (km/h)", false),
  ]) func numericAxes(texts: [String], path: String, label: String, isLogarithmic: Bool) throws {
    let program = try written(result(axes: [path], texts.reversed().map { point([$0]) }))
    #expect(program.contains("set xlabel '\(label)'"))
    #expect(program.contains("\n  set logscale x") == isLogarithmic)
    let positions = try blocks(program)[0].map { try #require(Double($0[0])) }
    #expect(positions == positions.sorted())
    // In the unit of the smallest value.
    if texts[0] == "300 ns" { #expect(positions == [300, 1000, 3000]) }
  }

  @Test func categories() throws {
    let points = ["pca", "type 'I'"].flatMap { codec in
      ["0", "10"].map { point([codec, $0], perfectRate: $0 == "0" ? 5 : 8.5) }
    }
    let program = try written(result(axes: ["codec", "pilots.snr_db"], points))
    #expect(program.contains(#"set xtics norotate ('pca' 0, "type 'I'" 1)"#))
    #expect(program.contains("title 'SNR 10 dB'"))
    // The bound differs between the curves, so that each has its own.
    #expect(program.contains("title 'perfect CSI (dashed)'"))
    // Side by side around the places 0 and 1.
    let places = [["-0.06", "0.94"], ["0.06", "1.06"]]
    #expect(try blocks(program).map { $0.map { $0[0] } } == places)
    #expect(try blocks(program, plot: 2).map { $0.map { $0[0] } } == places + places)
  }

  /// An interval down to zero is drawn to the axis.
  @Test func aCurveWithoutTheFirstKeyRunsAcross() throws {
    let points =
      ["4", "8", "16"].map { point([$0, "pca"], nmse: -10) }
      + [point([nil, "dft"], nmse: -3, nmseInterval: -.infinity...(-2))]
    let sweep = result(axes: ["codec.compression", "codec"], points)
    #expect(texts(sweep)[0] == (try fixture("across.txt")))
    let program = try written(sweep)
    #expect(program.contains("index 1 using 1:3:4 with filledcurves"))
    #expect(
      try blocks(program)[1] == [["4", "-3", "-10.4", "-2"], ["16", "-3", "-10.4", "-2"]])
  }

  /// Error bars are never cut: the axis reaches beyond all their finite ends.
  @Test func intervalsFit() throws {
    let points = [("0", -40.0...(-2)), ("10", -12...(-9))].map {
      point([$0.0], nmse: -10, nmseInterval: $0.1)
    }
    let figure = try #require(
      ResultPlots.figures(of: result(axes: ["pilots.snr_db"], points)).0.first)
    #expect(figure.description.contains("\ny: NMSE (dB), linear, -41.9 to -0.1\n"))
  }

  @Test func manyCurvesHaveTheirOwnStyles() throws {
    let codecs: [[String?]] = (1...40).map { ["codec\($0)"] }
    let program = try written(snrSweep(axes: ["pilots.snr_db", "codec"], codecs: codecs))
    let styles = program.split(separator: "\n").filter { $0.hasPrefix("  set style line") }
      .map { $0.split(separator: " ").dropFirst(4).joined(separator: " ") }
    // Two plots.
    #expect(styles.count == 80)
    for plot in [styles.prefix(40), styles.suffix(40)] { #expect(Set(plot).count == 40) }
  }

  @Test func nothingToDrawRemovesOldPlots() throws {
    try withFolder { folder in
      let sweep = snrSweep(axes: ["pilots.snr_db"], codecs: [[]])
      _ = try ResultPlots.write(sweep, toFolder: folder, gnuplot: nil)
      try "old".write(toFile: "\(folder)/nmse.svg", atomically: true, encoding: .utf8)
      try "kept".write(toFile: "\(folder)/report.csv", atomically: true, encoding: .utf8)
      let warnings = try ResultPlots.write(result(axes: [], [point([])]), toFolder: folder)
      #expect(warnings.isEmpty)
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["report.csv"])
    }
  }

  @Test func tooManyCurvesAndNoNumbersWarn() throws {
    try withFolder { folder in
      let codecs: [[String?]] = (0...Figure.curveLimit).map { ["codec\($0)"] }
      let many = snrSweep(axes: ["pilots.snr_db", "codec"], codecs: codecs, snrs: [0])
      let tooMany = try ResultPlots.write(many, toFolder: folder, gnuplot: nil)
      #expect(tooMany.count == 2)
      #expect(tooMany.first?.contains("41 curves") == true)
      let empty = result(
        axes: ["codec"], [point(["a"], nmse: .nan, rate: .nan, perfectRate: .nan)])
      let nothing = try ResultPlots.write(empty, toFolder: folder, gnuplot: nil)
      #expect(nothing.count == 2)
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder).isEmpty)
    }
  }

  @Test(arguments: [nil, "/nonexistent/gnuplot", "/bin/false"])
  func withoutGnuplotThereIsAScript(program: String?) throws {
    try withFolder { folder in
      let sweep = snrSweep(axes: ["pilots.snr_db"], codecs: [[]])
      let warnings = try ResultPlots.write(sweep, toFolder: folder, gnuplot: program)
      #expect(warnings.count == 1)
      #expect(warnings.first?.contains("gnuplot plots.gp") == true)
      let files = try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
      #expect(files == ["plots.gp"])
    }
  }

  @Test(.enabled(if: gnuplot != nil, "gnuplot is not installed"), arguments: [false, true])
  func gnuplotDraws(hasCategories: Bool) throws {
    let names = ["pca", "it's <5 & `id` {/Bold x}_2 @ \"q\" \\n % $HOME"]
    let sweep =
      hasCategories
      ? result(
        axes: ["codec", "quantizer.bits"],
        names.flatMap { name in ["2", "4"].map { point([name, $0], perfectRate: 9) } })
      : snrSweep(axes: ["pilots.snr_db", "codec"], codecs: names.map { [$0] })
    try withFolder { folder in
      let warnings = try ResultPlots.write(sweep, toFolder: folder, gnuplot: Self.gnuplot)
      #expect(warnings.isEmpty)
      #expect(try plots(in: folder) == ["nmse.png", "nmse.svg", "rate.png", "rate.svg"])
      for file in ["nmse", "rate"] {
        let svg = try Data(contentsOf: URL(fileURLWithPath: "\(folder)/\(file).svg"))
        let texts = try svgTexts(svg)
        // Axis marks are cut to 30 characters.
        let expected =
          hasCategories ? names.map { $0.count > 30 ? $0.prefix(29) + "…" : $0 } : names
        for name in expected { #expect(texts.contains(name), "\(texts)") }
        if hasCategories { #expect(texts.contains("quantizer bits 4")) }
        if file == "rate" { #expect(texts.contains("perfect CSI")) }
        let png = try Data(contentsOf: URL(fileURLWithPath: "\(folder)/\(file).png"))
        #expect(png.starts(with: [0x89, 0x50, 0x4E, 0x47]))
      }
    }
  }

  /// Letters with a meaning in number formats, enhanced text, strings or XML are drawn as they are, at tics too.
  @Test(
    .enabled(if: gnuplot != nil, "gnuplot is not installed"),
    arguments: [
      ["%", "%d items", "50 %", "%%", "%.3s%c", "5%g"], ["a_b^c", "{x}", "@y", "&(z)", "~a{.8-}"],
      ["\\n", "a\\", "\"q\"", "'", "''", "`id`"], ["<b>", "a&amp;b", "#5", "$x", "1:2,3;4"],
      ["é", "日本", "σ²", "😀"],
    ])
  func textsAreLiteral(_ names: [String]) throws {
    for hasCategories in [true, false] {
      let sweep =
        hasCategories
        ? result(axes: ["codec"], names.map { point([$0], perfectRate: 9) })
        : snrSweep(axes: ["pilots.snr_db", "codec"], codecs: names.map { [$0] })
      try withFolder { folder in
        let warnings = try ResultPlots.write(sweep, toFolder: folder, gnuplot: Self.gnuplot)
        #expect(warnings.isEmpty)
        #expect(try plots(in: folder).count == 4)
        for file in ["nmse", "rate"] {
          let texts = try svgTexts(Data(contentsOf: URL(filePath: "\(folder)/\(file).svg")))
          for name in names { #expect(texts.contains(name), "\(name) in \(texts)") }
        }
      }
    }
  }

  @Test func textsStayOnTheirLine() throws {
    let names = ["a\nset output 'x'", "b\r\u{2028}\u{85}", "c\u{0}\u{1B}[31m"]
    let sweep = result(axes: ["codec"], names.map { point([$0], perfectRate: 9) })
    for text in [try written(sweep)] {
      #expect(!text.contains("\nset output 'x'"))
      #expect(text.unicodeScalars.allSatisfy { $0 == "\n" || $0.value >= 0x20 && $0.value != 0x85 })
    }
  }

  /// On a full disk gnuplot ends well and leaves files that are empty or cut.
  @Test(arguments: [
    (
      "touch rate.png; cp full.svg nmse.svg; cp full.svg rate.svg; cp full.png nmse.png",
      ["rate.png"]
    ),
    (
      "head -c 40 full.svg > nmse.svg; head -c 40 full.png > nmse.png; touch rate.svg",
      ["nmse.svg", "nmse.png", "rate.svg", "rate.png"]
    ),
    ("cp full.svg rate.svg; cp full.png rate.png; cp full.svg nmse.svg", ["nmse.png"]),
  ])
  func unfinishedPicturesAreNoFiles(_ command: String, _ missing: [String]) throws {
    try withFolder { folder in
      let svg = "<svg>" + String(repeating: "<text>a</text>", count: 9) + "</svg>\n"
      try Data(svg.utf8).write(to: URL(filePath: "\(folder)/full.svg"))
      var png = Data([0x89, 0x50, 0x4E, 0x47]) + Data(repeating: 0, count: 50)
      png += Data([0, 0, 0, 0, 0x49, 0x45, 0x4E, 0x44, 0xAE, 0x42, 0x60, 0x82])
      try png.write(to: URL(filePath: "\(folder)/full.png"))
      let stub = "\(folder)/stub"
      try Data("#!/bin/sh\n\(command)\n".utf8).write(to: URL(filePath: stub))
      #expect(chmod(stub, 0o755) == 0)
      let sweep = snrSweep(axes: ["pilots.snr_db"], codecs: [[]])
      var warnings: [String] = []
      // A process that another test has just forked may still hold the stub open for writing.
      for _ in 0..<1000 {
        warnings = try ResultPlots.write(sweep, toFolder: folder, gnuplot: stub)
        guard warnings.contains(where: { $0.contains("did not start") }) else { break }
        usleep(10_000)
      }
      #expect(warnings.count == 1)
      let list = missing.joined(separator: ", ")
      #expect(warnings.first?.contains("did not write \(list) to the end") == true, "\(warnings)")
      let left = standardPlots.filter {
        FileManager.default.fileExists(atPath: "\(folder)/\($0)")
      }
      #expect(left == standardPlots.filter { !missing.contains($0) })
    }
  }

  @Test func theFolderHoldsEverything() throws {
    try withFolder { folder in
      let execution = Execution(
        startTime: Date(timeIntervalSince1970: 0), wallSeconds: 1, threads: 1, commandLine: [])
      let warnings = try ResultFolder.write(awkward, execution, to: folder)
      #expect(warnings.isEmpty == (Self.gnuplot != nil))
      let files = Set(try FileManager.default.contentsOfDirectory(atPath: folder))
      let plots = Self.gnuplot == nil ? [] : standardPlots
      #expect(files == Set(["report.csv", "manifest.json", "plots.gp"] + plots))
    }
  }

  @Test(.enabled(if: gnuplot != nil, "gnuplot is not installed"))
  func gnuplotDrawsMissingAndInfiniteValues() throws {
    try withFolder { folder in
      let warnings = try ResultPlots.write(awkward, toFolder: folder, gnuplot: Self.gnuplot)
      #expect(warnings.isEmpty)
      #expect(try plots(in: folder).count == 4)
      let perfect = result(
        axes: ["pilots.snr_db"], ["0", "10"].map { point([$0], nmse: -.infinity) })
      let rateOnly = try ResultPlots.write(perfect, toFolder: folder, gnuplot: Self.gnuplot)
      #expect(try plots(in: folder) == ["rate.png", "rate.svg"])
      #expect(rateOnly.count == 1)
    }
  }
}

private struct MalformedSVG: Error {}

/// All texts that a viewer of an SVG file sees.
private func svgTexts(_ data: Data) throws -> [String] {
  guard let document = String(data: data, encoding: .utf8), document.contains("</svg>")
  else { throw MalformedSVG() }
  return try document.components(separatedBy: "<text>").dropFirst().map { part in
    guard let end = part.range(of: "</text>") else { throw MalformedSVG() }
    var text = String(part[..<end.lowerBound])
    while let tag = text.range(of: "<[^>]*>", options: .regularExpression) {
      text.removeSubrange(tag)
    }
    for (entity, character) in [("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&")] {
      text = text.replacingOccurrences(of: entity, with: character)
    }
    return text
  }
}

/// The plots of a result without further columns.
private let standardPlots = ["nmse.svg", "nmse.png", "rate.svg", "rate.png"]

/// Plots of columns that a scenario asks for.
@Suite struct FurtherPlotTests {
  @Test func aColumnThatIsThereHasItsPlot() throws {
    let columns = Column.standard + [.rate5Percentile, .sumRate]
    let points = [(-5, 0.5), (0, 1.25), (5, 2.5)].map { snr, edge in
      point([String(snr)], further: [(.rate5Percentile, edge), (.sumRate, 8 * edge)])
    }
    let with = result(axes: ["pilots.snr_db"], columns: columns, points)
    let without = result(axes: ["pilots.snr_db"], points)
    for (result, isThere) in [(with, true), (without, false)] {
      try withFolder { folder in
        _ = try ResultPlots.write(result, toFolder: folder, gnuplot: nil)
        let script = try String(contentsOfFile: "\(folder)/plots.gp", encoding: .utf8)
        #expect(script.contains("set output 'rate_5_percentile.'.format") == isThere)
        #expect(script.contains("'sum_rate.'.format") == isThere)
        #expect(script.contains("\n-5 0.5 NaN NaN\n") == isThere)
        #expect(script.contains("\n-5 4 NaN NaN\n") == isThere)
      }
    }
  }
}
