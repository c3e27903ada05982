import ArgumentParser
import DataFiles
import Foundation
import Reports
import Simulation

/// How a result is printed.
enum ResultFormat: String, ExpressibleByArgument, CaseIterable {
  case table, csv, json

  /// Without a line break at the end.
  func text(of result: RunResult) -> String {
    switch self {
    case .table: ResultTable.text(of: result)
    case .csv: String(ReportCSV.text(of: result).dropLast())
    case .json: ReportJSON.text(of: result)
    }
  }
}

extension ResultFolder {
  /// Writes the reports, prints the result and where the files are: below the table, or on standard error if a program reads
  /// the result.
  static func present(
    _ result: RunResult, _ execution: Execution, in folder: String, as format: ResultFormat = .table
  ) throws {
    try AtomicFile.createFolder(folder)
    let warnings = try write(result, execution, to: folder)
    print(format.text(of: result))
    let files =
      ["# report: \(folder)/\(ReportCSV.fileName)"]
      + ResultPlots.files(in: folder).map { "# plot: \(folder)/\($0)" }
    for line in files {
      if format == .table { print(line) } else { printError(line) }
    }
    for warning in warnings { printError("warning: \(warning)") }
  }
}
