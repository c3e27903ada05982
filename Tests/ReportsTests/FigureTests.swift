import DataFiles
import Foundation
import Reports
import Simulation
import Testing

/// Figures of results as they lie in folders.
@Suite struct FigureTests {
  /// Two results with different codecs: NMSE is minus the SNR over ten less the bits over a hundred.
  private func withResults(_ body: (RecordedResult, RecordedResult) throws -> Void) throws {
    try withFolder { folder in
      let execution = Execution(
        startTime: Date(timeIntervalSince1970: 0), wallSeconds: 1, threads: 1, commandLine: [])
      for (name, codec, scale) in [("one", "pca", 1), ("two", "csinet", 2)] {
        var points: [PointSummary] = []
        for snr in [0, 10] {
          for bits in [100, 400, 200] {
            let nmse = -Double(snr) / 10 - Double(bits) / 100
            points.append(point(["\(snr)", "\(bits)"], bits: bits * scale, nmseFull: nmse))
          }
        }
        let run = result(
          axes: ["pilots.snr_db", "quantizer.bits"], points, name: name,
          scenario: "name: \(name)\nlink: {codec: {type: \(codec), gain: genie}}\n")
        try AtomicFile.createFolder("\(folder)/\(name)")
        _ = try ReportCSV.write(run, toFolder: "\(folder)/\(name)")
        try Manifest.write(run, execution, toFolder: "\(folder)/\(name)")
      }
      try body(
        RecordedResult(reading: "\(folder)/one"),
        RecordedResult(reading: "second=\(folder)/two/report.csv"))
    }
  }

  private func figure(_ text: String, _ results: [RecordedResult]) throws -> String {
    try Figure(FigureRequest(parsing: text), of: results).description
  }

  @Test func overAColumnWithPanels() throws {
    try withResults { one, two in
      let text = try figure(
        "nmse_full_db over payload_bits by codec per pilots.snr_db", [one, two])
      #expect(text == (try fixture("bits.txt")))
    }
  }

  /// Points are chosen by numbers, not by their spelling, and what differs between results makes curves.
  @Test func conditionsAndSettingsThatAreNotSwept() throws {
    try withResults { one, two in
      #expect(one.label == "one" && two.label == "second")
      let text = try figure(
        "nmse_full_db over quantizer.bits where pilots.snr_db=10.0 dB and codec=csinet", [one, two])
      #expect(text.contains("\n    100 -2\n    200 -3\n    400 -5\n"))
      #expect(!text.contains("legend"))
      // Nothing but the result itself tells the curves apart.
      let both = try figure("nmse_full_db over quantizer.bits where pilots.snr_db=0", [one, two])
      #expect(both.contains("legend line 0/0/0: one\nlegend line 1/1/6: second\n"))
      let named = try figure(
        "nmse_full_db over quantizer.bits by codec where pilots.snr_db=0", [one, two])
      #expect(named.contains("legend line 0/0/0: pca\nlegend line 1/1/6: csinet\n"))
    }
  }

  @Test(arguments: [
    ("nmse_full_db over payload_bit", "did you mean 'payload_bits'?"),
    ("rate over payload_bits", "did you mean 'rate_bits_per_s_hz'?"),
    ("codec over payload_bits", "is no column"),
    ("stop_reason over payload_bits where pilots.snr_db=0", "no finite value"),
    ("nmse_full_db over quantizer.bits by codec", "add '--series pilots.snr_db'"),
    ("nmse_full_db where pilots.snr_db=3", "its values: 0, 10"),
    ("nmse_full_db over quantizer.bits where pilots.snr_db=0,3", "its values: 0, 10"),
    ("nmse_full_db over stop_reason", "not a column of numbers"),
  ]) func mistakesHaveHints(text: String, hint: String) throws {
    try withResults { one, two in
      do {
        _ = try figure(text, [one, two])
        Issue.record("\(text) is accepted")
      } catch {
        #expect("\(error)".contains(hint), "\(error)")
      }
    }
  }

  @Test(arguments: [
    "", "a b", "a over", "a over x over y", "a where b", "a as ../b", "a where =3",
    "a where b=1 and b=2", "a where b=1 where b=2",
  ])
  func textsThatAreNoPlots(text: String) {
    #expect(throws: FigureRequest.Problem.self) { try FigureRequest(parsing: text) }
  }

  @Test func textsOfPlots() throws {
    let plot = try FigureRequest(
      parsing: "sgcs over payload_bits by codec, quantizer.bits per channel.profile "
        + "where pilots.snr_db=10 dB,20 and codec=pca as fig-3")
    #expect(plot.y == "sgcs" && plot.x == "payload_bits" && plot.facet == "channel.profile")
    #expect(plot.series == ["codec", "quantizer.bits"])
    #expect(plot.conditions.map(\.key) == ["pilots.snr_db", "codec"])
    #expect(plot.conditions[0].values == ["10 dB,20", "10 dB", "20"])
    #expect(plot.fileName == "fig-3")
    let other = try FigureRequest(parsing: "sgcs over payload_bits per channel.profile")
    #expect(other.fileName == "sgcs-over-payload_bits-per-channel.profile")
  }

  /// Many curves become panels of their own, with colours by the first key.
  @Test func manyCurvesBecomePanels() throws {
    let codecs: [[String?]] = (1...5).flatMap { codec in
      ["2", "4", "8"].map { ["codec\(codec)", $0] }
    }
    let sweep = snrSweep(axes: ["pilots.snr_db", "codec", "quantizer.bits"], codecs: codecs)
    let text = try #require(ResultPlots.figures(of: sweep).0.first).description
    #expect(text.matches(of: /(?m)^panel: quantizer bits [248]$/).count == 3)
    #expect(text.matches(of: /(?m)^  line 4\/0\/4: codec5$/).count == 3)
  }

  /// With two keys the first tells the colour and the second dash and marker; a long legend tells them apart.
  @Test func twoKeys() throws {
    let codecs: [[String?]] = (1...4).flatMap { codec in
      ["2", "4", "8"].map { ["codec\(codec)", $0] }
    }
    let sweep = snrSweep(axes: ["pilots.snr_db", "codec", "quantizer.bits"], codecs: codecs)
    let text = try #require(ResultPlots.figures(of: sweep).0.first).description
    #expect(text.contains("\n  line 3/2/2: codec4, quantizer bits 8\n"))
    let legend = text.split(separator: "\n").filter { $0.hasPrefix("legend") }
    #expect(
      legend == [
        "legend heading: codec", "legend line 0/0/0: codec1", "legend line 1/0/0: codec2",
        "legend line 2/0/0: codec3", "legend line 3/0/0: codec4", "legend heading: quantizer bits",
        "legend line -1/0/0: quantizer bits 2", "legend line -1/1/1: quantizer bits 4",
        "legend line -1/2/2: quantizer bits 8",
      ])
  }

  @Test func filesByTheirEnding() throws {
    try withResults { one, _ in
      let figure = try Figure(
        FigureRequest(parsing: "nmse_db over payload_bits per pilots.snr_db"), of: [one])
      try withFolder { folder in
        try FigureFile.write(figure, to: "\(folder)/a.tex", version: "1")
        let tex = try String(contentsOfFile: "\(folder)/a.tex", encoding: .utf8)
        #expect(tex.contains("group size=2 by 1"))
        #expect(tex.contains("xlabel={payload (bit)}, ylabel={NMSE (dB)}"))
        #expect(tex.matches(of: /\\addplot/).count == 2)
        #expect(tex.contains("100 -14.625\n200 -14.625\n400 -14.625\n"))
        #expect(tex.count { $0 == "{" } == tex.count { $0 == "}" })
        #expect(throws: FigureError.self) {
          try FigureFile.write(figure, to: "\(folder)/a.jpg", version: "1")
        }
        guard ResultPlots.installedGnuplot != nil else { return }
        for (ending, start) in [("svg", "<?xml"), ("pdf", "%PDF"), ("png", "\u{89}PNG")] {
          try FigureFile.write(figure, to: "\(folder)/a.\(ending)", version: "1")
          let data = try Data(contentsOf: URL(filePath: "\(folder)/a.\(ending)"))
          #expect(data.starts(with: start.unicodeScalars.map { UInt8($0.value) }), "\(ending)")
        }
      }
    }
  }

  /// Keys behind `error bars/.cd` are those of error bars; what else a curve says stands before. Where pgfplots is installed, LaTeX
  /// takes the picture.
  @Test func picturesForLaTeX() throws {
    let codecs: [[String?]] = (1...2).flatMap { codec in
      ["2", "4"].map { ["c_\(codec) 50 %", $0] }
    }
    let sweep = snrSweep(axes: ["pilots.snr_db", "codec", "quantizer.bits"], codecs: codecs)
    let figure = try #require(ResultPlots.figures(of: sweep).0.first)
    try withFolder { folder in
      try FigureFile.write(figure, to: "\(folder)/curves.tex", version: "1")
      let tex = try String(contentsOfFile: "\(folder)/curves.tex", encoding: .utf8)
      let bars = tex.matches(of: /error bars\/\.cd, ([^\]]*)\]/).map(\.output.1)
      #expect(!bars.isEmpty)
      for options in bars {
        #expect(options == "y dir=both, y explicit, error bar style={solid, thin}")
      }
      #expect(!tex.contains("\n  mark options"))
      try """
      \\documentclass{article}\\usepackage{pgfplots}\\usepgfplotslibrary{groupplots}\\pgfplotsset{compat=1.16}
      \\begin{document}\\input{curves.tex}\\end{document}
      """.write(toFile: "\(folder)/document.tex", atomically: true, encoding: .utf8)
      guard Self.run(["kpsewhich", "pgfplots.sty"], in: folder) == 0 else { return }
      #expect(
        Self.run(
          ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "document.tex"], in: folder)
          == 0)
    }
  }

  /// The legend of several rows of panels stands below the lowest, and the footer below all.
  @Test(arguments: [(3, 3), (4, 3), (6, 4)]) func legendsCoverNoPanel(
    panels: Int, holder: Int
  ) throws {
    let codecs: [[String?]] = (1...panels).flatMap { panel in
      ["a", "b"].map { ["\(panel)", $0] }
    }
    let sweep = snrSweep(axes: ["pilots.snr_db", "quantizer.bits", "codec"], codecs: codecs)
    var figure = try Figure(
      FigureRequest(parsing: "nmse_db over pilots.snr_db by codec per quantizer.bits"),
      of: [RecordedResult(sweep)])
    figure.footer = "seed 1"
    try withFolder { folder in
      try FigureFile.write(figure, to: "\(folder)/f.tex", version: "1")
      let tex = try String(contentsOfFile: "\(folder)/f.tex", encoding: .utf8)
      let parts = tex.components(separatedBy: "\\nextgroupplot").dropFirst()
      #expect(parts.count == panels)
      #expect(parts.map { $0.contains("\\addlegendentry") }.firstIndex(of: true) == holder - 1)
      #expect(parts.count { $0.contains("\\addlegendentry") } == 1)
      let end = try #require(tex.range(of: "\\end{groupplot}"))
      #expect(tex[end.upperBound...].contains("{seed 1};"))
    }
  }

  /// A low panel has as many marks as it has room for.
  @Test func lowPanelsHaveFewMarks() throws {
    let sweep = snrSweep(axes: ["pilots.snr_db", "codec"], codecs: [["a"], ["b"]])
    var figure = try #require(ResultPlots.figures(of: sweep).0.first)
    try withFolder { folder in
      func text() throws -> String {
        try FigureFile.write(figure, to: "\(folder)/f.gp", version: "1")
        return try String(contentsOfFile: "\(folder)/f.gp", encoding: .utf8)
      }
      #expect(try text().contains("set ytics autofreq"))
      figure.millimetres = (88, 44)
      let step = try #require(try text().firstMatch(of: /set ytics ([0-9.]+) norotate/))
      // 13 dB in a panel of two letters' height.
      #expect(try #require(Double(step.1)) >= 3)
    }
  }

  /// Long names that begin alike are told apart below the axis and in the legend.
  @Test func longNamesStayApart() throws {
    let codecs: [[String?]] = [
      "a wide network with an expansion of 4", "a wide network with an expansion of 16",
    ]
    .map { [$0] }
    let sweep = snrSweep(axes: ["pilots.snr_db", "codec"], codecs: codecs)
    let figure = try Figure(
      FigureRequest(parsing: "nmse_db over codec by pilots.snr_db"), of: [RecordedResult(sweep)])
    try withFolder { folder in
      for ending in ["tex", "gp"] {
        try FigureFile.write(figure, to: "\(folder)/f.\(ending)", version: "1")
        let text = try String(contentsOfFile: "\(folder)/f.\(ending)", encoding: .utf8)
        #expect(text.contains("xpansion of 4") && text.contains("xpansion of 16"), "\(text)")
        #expect(!text.contains("{a wide network with an expansion"))
      }
    }
  }

  /// Of lists that advance together one makes curves; the axis tells what advances with it.
  @Test func listsThatAdvanceTogether() throws {
    let pairs: [[String?]] = [["4", "2"], ["8", "4"], ["16", "8"]]
    let sweep = snrSweep(
      axes: ["pilots.snr_db", "codec.compression", "quantizer.bits"], codecs: pairs)
    let curves = try figure("nmse_db", [RecordedResult(sweep)])
    #expect(curves.contains("compression 8") && !curves.contains("bits"), "\(curves)")
    let along = try figure("nmse_db over quantizer.bits", [RecordedResult(sweep)])
    #expect(along.contains("0 dB") && !along.contains("compression"), "\(along)")
    let asked = try figure("nmse_db by codec.compression, quantizer.bits", [RecordedResult(sweep)])
    #expect(asked.contains("bits 4"), "\(asked)")
  }

  /// Curves that lie on each other get dashes and markers of their own, the same in all panels, where one key makes them.
  @Test func curvesThatCoincide() throws {
    let points = ["0", "10"].flatMap { snr in
      [("a", 1.0), ("b", 1), ("c", 2), ("d", 1)].flatMap { codec, factor in
        ["2", "4"].map { bits in
          // With 4 bits b and d part from a.
          let own = bits == "4" && codec > "a" ? 0.5 : 0
          return point([snr, codec, bits], nmse: -factor - own - Double(snr)! / 10)
        }
      }
    }
    let sweep = RecordedResult(
      result(axes: ["pilots.snr_db", "codec", "quantizer.bits"], points))
    let panels = try Figure(
      FigureRequest(parsing: "nmse_db over pilots.snr_db by codec per quantizer.bits"), of: [sweep])
    let text = panels.description
    for look in ["0/0/0: a", "1/1/6: b", "2/0/2: c", "3/2/8: d"] {
      #expect(text.matches(of: try Regex("(?m)^  line \(look)$")).count == 2, "\(look) \(text)")
      #expect(text.contains("\nlegend line \(look)\n"), "\(look) \(text)")
    }
    #expect(panels.notes.contains { $0.hasPrefix("a and b and d have the same values") })
    // Dashes of a second key have a meaning: what its first key does not tell is only noted.
    let keys = try Figure(
      FigureRequest(parsing: "nmse_db over pilots.snr_db by codec, quantizer.bits"), of: [sweep])
    #expect(keys.description.contains("\n  line 1/0/0: b, quantizer bits 2\n"))
    #expect(
      keys.notes.contains {
        $0.hasPrefix("a, quantizer bits 2 and a, quantizer bits 4 and b, quantizer bits 2 ")
      })
    let apart = try Figure(
      FigureRequest(
        parsing: "nmse_db over pilots.snr_db by codec where codec=a,c "
          + "and quantizer.bits=2"), of: [sweep])
    #expect(apart.notes.isEmpty && apart.description.contains("\n  line 1/0/1: c\n"))
  }

  /// A picture for LaTeX is as wide as it is asked to be, 160 mm if nothing is said of several panels, or refused.
  @Test func widthsForLaTeX() throws {
    let codecs: [[String?]] = (1...6).map { ["codec \($0)"] }
    let sweep = snrSweep(axes: ["pilots.snr_db", "codec"], codecs: codecs)
    var figure = try Figure(
      FigureRequest(parsing: "nmse_db per codec"), of: [RecordedResult(sweep)])
    try withFolder { folder in
      func text() throws -> String {
        try FigureFile.write(figure, to: "\(folder)/f.tex", version: "1")
        return try String(contentsOfFile: "\(folder)/f.tex", encoding: .utf8)
      }
      // Three panels side by side, and 18 mm around each.
      #expect(try text().contains("width=35.3333333mm, height=42mm"))
      figure.millimetres = (120, 80)
      #expect(try text().contains("width=22mm, height=22mm"))
      figure.millimetres = (88, 80)
      let refused = #expect(throws: FigureError.self) { try text() }
      #expect(refused?.hint?.contains("--size 114x80 or more") == true, "\(refused!)")
      // No line of the picture puts a space in front of it.
      figure.millimetres = nil
      let lines = try text().split(separator: "\n").prefix { !$0.hasPrefix("\\begin") }
      #expect(lines.count > 8 && lines.allSatisfy { $0.hasPrefix("%") || $0.hasSuffix("%") })
    }
  }

  /// Settings of the parts that a sweep lists are keys, also where a part lacks them.
  @Test func settingsOfListedParts() throws {
    let labels = ["uniform bits=4", "uniform bits=8", "none"]
    let points = ["0", "10"].flatMap { snr in
      labels.enumerated().map { point([$1, snr], nmse: -Double($0) - Double(snr)! / 10) }
    }
    let sweep = result(
      axes: ["quantizer", "pilots.snr_db"], points,
      scenario: """
        name: q
        link: {codec: {type: pca}}
        sweep:
          quantizer:
          - {type: uniform, label: "uniform bits=4", bits: 4}
          - {type: uniform, label: "uniform bits=8", bits: 8}
          - {type: none, label: none}
          pilots.snr_db: [0, 10]

        """)
    let over = try figure("nmse_db over quantizer.bits by pilots.snr_db", [RecordedResult(sweep)])
    #expect(over.contains("  line 0/0/0: SNR 0 dB\n    4 0\n    8 -1\n"), "\(over)")
    #expect(over.contains("  across 0/0/0: SNR 0 dB\n    4 -2\n    8 -2\n"), "\(over)")
    let chosen = try figure(
      "nmse_db over pilots.snr_db by quantizer.type where quantizer.bits=8",
      [RecordedResult(sweep)])
    #expect(chosen.contains("    0 -1\n    10 -2\n") && !chosen.contains("legend"), "\(chosen)")
    let wrong = #expect(throws: FigureError.self) {
      try figure("nmse_db over quantizer.bit", [RecordedResult(sweep)])
    }
    #expect(wrong?.hint == "did you mean 'quantizer.bits'?")
  }

  /// A label that is longer than its axis has its unit below; panels without room are refused with the size that they need.
  @Test func roomOfSmallFigures() throws {
    let codecs: [[String?]] = (1...9).map { ["codec \($0)"] }
    let sweep = snrSweep(axes: ["pilots.snr_db", "codec"], codecs: codecs)
    func write(_ request: String, _ size: (width: Double, height: Double)) throws -> String {
      var figure = try Figure(FigureRequest(parsing: request), of: [RecordedResult(sweep)])
      figure.millimetres = size
      return try withFolder { folder in
        try FigureFile.write(figure, to: "\(folder)/f.gp", version: "1")
        return try String(contentsOfFile: "\(folder)/f.gp", encoding: .utf8)
      }
    }
    let refused = #expect(throws: FigureError.self) {
      try write("nmse_full_db per codec", (88, 50))
    }
    let size = try #require(
      (refused?.hint ?? "").firstMatch(of: /--size ([0-9]+)x([0-9]+)/)?.output)
    let (width, height) = (Double(size.1)!, Double(size.2)!)
    _ = try write("nmse_full_db per codec", (width, height))
    #expect(throws: FigureError.self) { try write("nmse_full_db per codec", (width, height - 2)) }
    let low = try write("nmse_full_db where codec=codec 1", (88, 40))
    #expect(low.contains("'NMSE over all tones'.\"\\n\".'(dB)'"), "\(low)")
    let high = try write("nmse_full_db where codec=codec 1", (88, 120))
    #expect(high.contains("'NMSE over all tones (dB)'"))
  }

  /// A small figure tells colours and dashes by themselves, and leaves out numbers that have no room.
  @Test func smallFigures() throws {
    let codecs: [[String?]] = (1...4).flatMap { codec in
      ["2", "4"].map { ["a codec of a long name \(codec)", $0] }
    }
    let sweep = snrSweep(
      axes: ["pilots.snr_db", "codec", "quantizer.bits"], codecs: codecs,
      snrs: Array(stride(from: -60.0, through: 60, by: 10)))
    var figure = try #require(ResultPlots.figures(of: sweep).0.first)
    try withFolder { folder in
      func text() throws -> String {
        try FigureFile.write(figure, to: "\(folder)/small.tex", version: "1")
        return try String(contentsOfFile: "\(folder)/small.tex", encoding: .utf8)
      }
      #expect(try text().matches(of: /\\addlegendentry/).count == 8)
      figure.millimetres = (88, 66)
      let small = try text()
      // Two headings, four colours, two dashes.
      #expect(small.matches(of: /\\addlegendentry/).count == 2 + 4 + 2)
      #expect(small.matches(of: /empty legend/).count == 2)
      #expect(small.contains("transpose legend") || small.contains("legend columns=1"))
    }
  }

  /// Exit status of a program on the search path; 127 if there is none of that name.
  private static func run(_ command: [String], in folder: String) -> Int32 {
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments = command
    process.currentDirectoryURL = URL(filePath: folder)
    (process.standardOutput, process.standardError) = (FileHandle.nullDevice, FileHandle.nullDevice)
    process.standardInput = FileHandle.nullDevice
    guard (try? process.run()) != nil else { return 127 }
    process.waitUntilExit()
    return process.terminationStatus
  }

  /// A report with the comment line that older builds wrote is read as well.
  @Test func reportsOfOlderBuilds() throws {
    try withFolder { folder in
      let text = ReportCSV.text(of: awkward)
      try AtomicFile.write("# csilink report 1\n" + text, to: "\(folder)/report.csv")
      let old = try RecordedResult(reading: folder)
      #expect(old.axes == awkward.axes && old.rows.count == 3)
      #expect(old.rows.map { $0[0] } == awkward.points.map { $0.coordinates[0]! })
    }
  }

  @Test(arguments: [
    ("", "a column 'drops'"), ("a,b\n1,2\n", "a column 'drops'"), ("drops,b\n1\n", "2 fields"),
    ("drops\n\"1\n", "not closed"), ("drops\n1\"\n", "a quote inside a field"),
  ]) func brokenReports(text: String, complaint: String) throws {
    try withFolder { folder in
      try AtomicFile.write(text, to: "\(folder)/report.csv")
      do {
        _ = try RecordedResult(reading: folder)
        Issue.record("accepted")
      } catch {
        #expect("\(error)".contains(complaint), "\(error)")
      }
    }
  }
}
