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

  /// The plots that ``write(_:toFolder:)`` draws.
  public static let fileNames = PlotQuantity.all.flatMap(\.fileNames)

  /// Draws the plots; nothing if nothing is swept. Plots of an earlier result in the folder are removed.
  ///
  /// A missing or failing gnuplot is no error but a warning: script and data are there to draw the plots elsewhere.
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
    guard let curves = PlotCurves(result) else { return [] }
    guard curves.curves.count <= curveLimit else {
      return [
        "no plots: \(curves.curves.count) curves are too many for one plot (at most "
          + "\(curveLimit)); put the swept key with the most values first"
      ]
    }
    let data = PlotData(curves: curves, quantities: PlotQuantity.shown(in: result))
    let script = PlotScript(result: result, data: data)
    var warnings: [String] = []
    let drawn = script.quantities.map(\.name)
    for quantity in data.quantities where !drawn.contains(quantity.name) {
      warnings.append("no plot of \(quantity.name): it has no finite value")
    }
    guard !script.quantities.isEmpty else { return warnings }
    try AtomicFile.write(data.text, to: "\(folder)/\(PlotData.fileName)")
    try AtomicFile.write(script.text, to: "\(folder)/\(PlotScript.fileName)")
    do throws(Gnuplot.Failure) {
      try Gnuplot.run(
        gnuplot, script: PlotScript.fileName, inFolder: folder,
        outputs: script.quantities.flatMap(\.fileNames))
    } catch {
      warnings.append(
        "\(error.reason); to draw the missing plots, run in the result folder: "
          + "gnuplot \(PlotScript.fileName)")
    }
    return warnings
  }

  /// A plot must not outlive the result that it shows.
  private static func removePlots(in folder: String) throws(DataFileError) {
    for name in [PlotScript.fileName, PlotData.fileName] + fileNames {
      let path = "\(folder)/\(name)"
      guard unlink(path) != 0, errno != ENOENT else { continue }
      throw DataFileError(
        file: path, expected: "a plot that can be replaced",
        found: String(cString: strerror(errno)))
    }
  }
}

extension PlotQuantity {
  var fileNames: [String] { ["\(name).svg", "\(name).png"] }
}
