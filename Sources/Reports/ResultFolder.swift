import DataFiles
import Foundation
import Simulation

/// The folder that a run leaves behind: `report.csv`, `manifest.json` and the plots.
public enum ResultFolder {
  /// Writes all reports of a result into an existing folder.
  ///
  /// - Returns: warnings for the user, such as a missing gnuplot; they do not fail the run.
  /// - Throws: `DataFileError` if the folder cannot be written to.
  public static func write(_ result: RunResult, _ execution: Execution, to folder: String)
    throws(DataFileError) -> [String]
  {
    try ReportCSV.write(result, toFolder: folder)
    try Manifest.write(result, execution, toFolder: folder)
    try WorstCSV.write(result, toFolder: folder)
    return try warnings(result) + ResultPlots.write(result, toFolder: folder)
  }

  /// Networks that do harm: weights of another channel, rule or wiring run as well as the right ones.
  private static func warnings(_ result: RunResult) -> [String] {
    guard !result.provenance.weightsDigest.isEmpty else { return [] }
    let harmful = result.points.filter { $0[.nmseDB] > 0 }.count
    return harmful == 0
      ? []
      : [
        "\(harmful) of \(result.points.count) points have an NMSE above 0 dB, worse than no report; if they are of a network, was it trained on "
          + "such a channel, with this normaliser and these settings ('csilink list network')?"
      ]
  }

  /// Removes journals and fitted parts of a folder, nothing else, so that a run starts over.
  public static func discard(_ folder: String) throws {
    let manager = FileManager.default
    guard manager.fileExists(atPath: folder) else { return }
    for name in try manager.contentsOfDirectory(atPath: folder)
    where (name.hasPrefix("journal") && name.hasSuffix(".log")) || name == "fitted" {
      try manager.removeItem(atPath: "\(folder)/\(name)")
    }
  }
}
