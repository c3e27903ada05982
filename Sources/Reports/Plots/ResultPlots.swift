import DataFiles
import Foundation
import Simulation

/// Plots of NMSE and rate over the first swept key, as SVG and PNG, with the gnuplot script and data behind them.
///
/// There is one curve for each combination of the other keys, with 95 % intervals, and the rate with perfect CSI. A
/// numeric key gives lines over a linear or logarithmic axis, any other key one place per value.
public enum ResultPlots {
  /// More curves than this cannot be told apart.
  public static let curveLimit = 40

  /// Every file that ``draw(_:inFolder:)`` may write.
  public static let fileNames =
    [PlotScript.fileName, PlotData.fileName] + PlotQuantity.allCases.flatMap(\.fileNames)

  /// Draws the plots; nothing if nothing is swept. Plots of an earlier result in the folder are removed.
  ///
  /// - Returns: why plots are missing, in sentences for the user; empty if all is well. A missing gnuplot is no error:
  ///   script and data are there to draw them elsewhere.
  /// - Throws: `DataFileError` if the folder cannot be written to.
  public static func draw(_ result: RunResult, inFolder folder: String) throws(DataFileError)
    -> [String]
  {
    try draw(result, inFolder: folder, gnuplot: Gnuplot.find())
  }

  /// - Parameter gnuplot: path of the program; nil if there is none.
  package static func draw(_ result: RunResult, inFolder folder: String, gnuplot: String?)
    throws(DataFileError) -> [String]
  {
    try removePlots(in: folder)
    guard let curves = PlotCurves(result) else { return [] }
    guard curves.curves.count <= curveLimit else {
      return [
        "no plots: \(curves.curves.count) curves are too many for one plot (at most "
          + "\(curveLimit)); sweep the key with the most values first"
      ]
    }
    let data = PlotData(curves: curves)
    let script = PlotScript(result: result, data: data)
    guard !script.quantities.isEmpty else { return ["no plots: the result has no finite values"] }
    try AtomicFile.write(data.text, to: "\(folder)/\(PlotData.fileName)")
    try AtomicFile.write(script.text, to: "\(folder)/\(PlotScript.fileName)")
    let redraw = "to draw them from the result folder: gnuplot \(PlotScript.fileName)"
    guard let gnuplot else {
      return ["no plots: gnuplot is not on the search path; \(redraw)"]
    }
    do throws(Gnuplot.Failure) {
      try Gnuplot.run(gnuplot, script: PlotScript.fileName, inFolder: folder)
    } catch {
      return ["plots are missing: \(error.reason); \(redraw)"]
    }
    return missing(script.quantities, in: folder)
  }

  private static func missing(_ drawn: [PlotQuantity], in folder: String) -> [String] {
    let undrawn = PlotQuantity.allCases.filter { !drawn.contains($0) }.map {
      "no plot \($0.rawValue): the result has no finite values of it"
    }
    let files = drawn.flatMap(\.fileNames).filter { size("\(folder)/\($0)") == 0 }
    return undrawn + files.map { "no plot \($0): gnuplot wrote nothing" }
  }

  private static func size(_ path: String) -> UInt64 {
    let attributes = try? FileManager.default.attributesOfItem(atPath: path)
    return (attributes?[.size] as? NSNumber)?.uint64Value ?? 0
  }

  /// A plot must not outlive the result that it shows.
  private static func removePlots(in folder: String) throws(DataFileError) {
    for name in fileNames {
      let path = "\(folder)/\(name)"
      guard unlink(path) != 0, errno != ENOENT else { continue }
      throw DataFileError(
        file: path, expected: "a plot that can be replaced",
        found: String(cString: strerror(errno)))
    }
  }
}

extension PlotQuantity {
  var fileNames: [String] { ["\(rawValue).svg", "\(rawValue).png"] }
}
