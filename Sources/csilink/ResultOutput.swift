import DataFiles
import Foundation
import Reports
import Simulation

extension ResultFolder {
  /// Writes the reports, prints the table and where the files are.
  static func present(_ result: RunResult, _ execution: Execution, in folder: String) throws {
    try AtomicFile.createFolder(folder)
    let warnings = try write(result, execution, to: folder)
    print(ResultTable.text(of: result))
    print("# report: \(folder)/\(ReportCSV.fileName)")
    for file in ResultPlots.files(in: folder) {
      print("# plot: \(folder)/\(file)")
    }
    for warning in warnings { printError("warning: \(warning)") }
  }
}
