import DataFiles
import Foundation
import Simulation

/// `worst.csv`: the drops with the largest errors of each operating point, as `run.worst` asks for.
///
/// The swept values, then the row of the point in `report.csv` (from 0), the rank (from 1), the number of the drop (from 0), its
/// `error_ratio` with all digits, and the same in decibels.
public enum WorstCSV {
  /// Name of the file in the folder of results.
  public static let fileName = "worst.csv"

  /// The content of the file; nil if no drops are kept.
  public static func text(of result: RunResult) -> String? {
    guard !result.worst.isEmpty else { return nil }
    let header = result.axes + ["point", "rank", "drop", "error_ratio", "nmse_db"]
    let rows = zip(result.points, result.worst).enumerated().flatMap { point, entry in
      entry.1.enumerated().map { rank, drop in
        entry.0.coordinates.map { $0 ?? "" } + [
          "\(point)", "\(rank + 1)", "\(drop.drop)", "\(drop.errorRatio)",
          numberText(10 * log10(drop.errorRatio)),
        ]
      }
    }
    return ([header] + rows).map { ReportCSV.line($0) + "\n" }.joined()
  }

  /// Writes the file into a folder, or removes that of an earlier run.
  ///
  /// - Throws: `DataFileError` if the folder cannot be written to.
  static func write(_ result: RunResult, toFolder folder: String) throws(DataFileError) {
    let path = "\(folder)/\(fileName)"
    guard let text = text(of: result) else {
      unlink(path)
      return
    }
    try AtomicFile.write(text, to: path)
  }
}
