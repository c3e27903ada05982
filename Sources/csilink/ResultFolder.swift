import Foundation
import Reports
import Simulation

/// The files of a finished run.
enum ResultFolder {
  /// Writes report, manifest and plots, prints the table and where the files are.
  static func write(_ result: RunResult, to folder: String, _ execution: Execution) throws {
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    try ReportCSV.write(result, toFolder: folder)
    try Manifest.write(result, execution, toFolder: folder)
    let plots = try Plots.write(result, toFolder: folder)
    print(ResultTable.text(of: result))
    print("# report: \(folder)/\(ReportCSV.fileName)")
    for file in plots.files { print("# plot: \(folder)/\(file)") }
    for warning in plots.warnings { printError("warning: \(warning)") }
  }

  /// Removes journals and fitted parts, nothing else.
  static func discard(_ folder: String) throws {
    let manager = FileManager.default
    guard manager.fileExists(atPath: folder) else { return }
    for name in try manager.contentsOfDirectory(atPath: folder)
    where (name.hasPrefix("journal") && name.hasSuffix(".log")) || name == "fitted" {
      try manager.removeItem(atPath: "\(folder)/\(name)")
    }
  }
}
