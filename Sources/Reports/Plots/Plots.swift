import DataFiles
import Foundation
import Simulation

/// Plots of NMSE and rate over the first swept key, as SVG and PNG, with the gnuplot script and data behind them.
///
/// There is one curve for each combination of the other keys, with 95 % intervals, and the rate with perfect CSI. A
/// numeric key gives lines over a linear or logarithmic axis, any other key one place per value.
public enum Plots {
  /// More curves than this cannot be told apart.
  public static let curveLimit = 40

  /// Every file that ``write(_:toFolder:)`` may write.
  public static let fileNames =
    [PlotScript.fileName, PlotData.fileName] + PlotQuantity.allCases.flatMap(\.fileNames)

  public struct Outcome: Sendable, Hashable {
    /// Names of the drawn plots in the folder.
    public var files: [String] = []
    /// Why plots are missing, for the user; empty if all is well.
    public var warnings: [String] = []
  }

  /// Draws the plots; nothing if nothing is swept. Plots of an earlier result in the folder are removed.
  ///
  /// A missing or failing gnuplot is no error but a warning: script and data are there to draw the plots elsewhere.
  ///
  /// - Throws: `DataFileError` if the folder cannot be written to.
  public static func write(_ result: RunResult, toFolder folder: String) throws(DataFileError)
    -> Outcome
  {
    try write(result, toFolder: folder, gnuplot: installedGnuplot)
  }

  /// Path of the gnuplot program of this machine; nil if there is none.
  package static var installedGnuplot: String? { Gnuplot.find() }

  /// - Parameter gnuplot: path of the program; nil if there is none.
  package static func write(_ result: RunResult, toFolder folder: String, gnuplot: String?)
    throws(DataFileError) -> Outcome
  {
    try removePlots(in: folder)
    guard let curves = PlotCurves(result) else { return Outcome() }
    guard curves.curves.count <= curveLimit else {
      return Outcome(warnings: [
        "no plots: \(curves.curves.count) curves are too many for one plot (at most "
          + "\(curveLimit)); put the swept key with the most values first"
      ])
    }
    let data = PlotData(curves: curves)
    let script = PlotScript(result: result, data: data)
    var outcome = Outcome()
    for quantity in PlotQuantity.allCases where !script.quantities.contains(quantity) {
      outcome.warnings.append("no plot of \(quantity.rawValue): it has no finite value")
    }
    guard !script.quantities.isEmpty else { return outcome }
    try AtomicFile.write(data.text, to: "\(folder)/\(PlotData.fileName)")
    try AtomicFile.write(script.text, to: "\(folder)/\(PlotScript.fileName)")
    do throws(Gnuplot.Failure) {
      try Gnuplot.run(gnuplot, script: PlotScript.fileName, inFolder: folder)
    } catch {
      outcome.warnings.append(
        "\(error.reason); to draw the missing plots, run in the result folder: "
          + "gnuplot \(PlotScript.fileName)")
    }
    outcome.files = script.quantities.flatMap(\.fileNames).filter { size("\(folder)/\($0)") > 0 }
    return outcome
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
