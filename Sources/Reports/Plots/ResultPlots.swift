import DataFiles
import Foundation
import Simulation

/// The plots that a run writes, as SVG and PNG, with the gnuplot program behind them: those of `report.plots`, or NMSE, rate and
/// the further columns that have a plot of their own, over the first swept key.
///
/// There is one curve for each combination of the other keys, with 95 % intervals, and the rate with perfect CSI. A
/// numeric key gives lines over a linear or logarithmic axis, any other key one place per value.
public enum ResultPlots {
  /// The gnuplot program.
  static let scriptName = "plots.gp"

  /// What is drawn unless a scenario says what: name of the files and column.
  private static let usual = [
    ("nmse", Column.nmseDB), ("rate", .rate), ("rate_5_percentile", .rate5Percentile),
    ("sum_rate", .sumRate),
  ]

  /// Draws the plots; nothing if nothing is swept. Plots of an earlier result in the folder are removed.
  ///
  /// A missing or failing gnuplot is no error but a warning: the program is there to draw the plots elsewhere.
  ///
  /// - Returns: why plots are missing, for the user; empty if all is well.
  /// - Throws: `DataFileError` if the folder cannot be written to.
  public static func write(_ result: RunResult, toFolder folder: String) throws(DataFileError)
    -> [String]
  {
    try write(result, toFolder: folder, gnuplot: installedGnuplot)
  }

  /// Path of the gnuplot program of this machine; nil if there is none.
  package static var installedGnuplot: String? { Gnuplot.find() }

  /// - Parameter gnuplot: path of the program; nil if there is none.
  package static func write(_ result: RunResult, toFolder folder: String, gnuplot: String?)
    throws(DataFileError) -> [String]
  {
    try removePlots(in: folder)
    let (figures, problems) = figures(of: result)
    var warnings = problems
    guard !figures.isEmpty else { return warnings }
    let formats: [GnuplotFigure.Format] = [.svg, .png]
    let program = GnuplotFigure.program(
      figures, formats, version: result.provenance.version, file: scriptName)
    try AtomicFile.write(program, to: "\(folder)/\(scriptName)")
    do throws(Gnuplot.Failure) {
      try Gnuplot.run(
        gnuplot, script: scriptName, inFolder: folder,
        outputs: figures.flatMap { figure in formats.map { "\(figure.name).\($0.rawValue)" } })
    } catch {
      warnings.append(
        "\(error.reason); to draw the missing plots, run in the result folder: "
          + "gnuplot \(scriptName)")
    }
    return warnings
  }

  /// The figures of a run, and why others are missing.
  package static func figures(of result: RunResult) -> ([Figure], problems: [String]) {
    let recorded = RecordedResult(result)
    var figures: [Figure] = []
    var problems: [String] = []
    for request in requests(result) {
      do {
        var figure = try Figure(request, of: [recorded])
        figure.title = result.scenarioName
        figure.footer =
          "csilink \(result.provenance.version)   scenario \(result.provenance.scenarioDigest)"
          + "   seed \(result.seed)   bars: 95 % intervals"
        figures.append(figure)
      } catch {
        let hint = error.hint.map { " (\(inScenario($0)))" } ?? ""
        problems.append("no plot '\(request.fileName)': \(error.message)\(hint)")
      }
    }
    return (figures, problems)
  }

  private static func requests(_ result: RunResult) -> [FigureRequest] {
    if let plots = result.plots { return plots }
    let isApplied = result.points.contains { $0.coordinates.first??.isEmpty == false }
    guard let first = result.axes.first, isApplied else { return [] }
    return usual(over: first, of: Set(result.columns.map(\.name)))
  }

  /// What is drawn of the columns of a report unless a scenario says what.
  static func usual(over first: String, of columns: Set<String>) -> [FigureRequest] {
    usual.filter { columns.contains($0.1.name) }.map { name, column in
      var request = FigureRequest(y: column.name)
      request.x = first
      request.name = name
      return request
    }
  }

  /// A plot must not outlive the result that it shows.
  private static func removePlots(in folder: String) throws(DataFileError) {
    let old = files(in: folder)
    // The data file of versions before the numbers stood in the program.
    for name in [scriptName, "plots.dat"] + old {
      let path = "\(folder)/\(name)"
      guard unlink(path) != 0, errno != ENOENT else { continue }
      throw DataFileError(
        file: path, expected: "a plot that can be replaced",
        found: String(cString: strerror(errno)))
    }
  }

  /// The pictures in a folder that the program beside them draws, or that are called as usual.
  public static func files(in folder: String) -> [String] {
    let program = (try? String(contentsOfFile: "\(folder)/\(scriptName)", encoding: .utf8)) ?? ""
    let drawn = program.matches(of: /(?m)^  set output '([A-Za-z0-9_.-]+)\.'/).map { String($0.1) }
    return (drawn + usual.map(\.0)).uniqued.flatMap { ["\($0).svg", "\($0).png"] }
      .filter { FileManager.default.fileExists(atPath: "\(folder)/\($0)") }
  }
}
