import ArgumentParser
import DataFiles
import Foundation
import LinkMath
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

extension StageDump: ExpressibleByArgument {}

/// The arguments of the commands that make a result.
struct OutputOptions: ParsableArguments {
  @Option(help: "What goes to standard output: table, csv (as report.csv) or json.")
  var format = ResultFormat.table

  @Option(
    help: ArgumentHelp("Also write the numbers of each drop to a .npz file.", valueName: "file"))
  var perDrop: String?

  @Option(
    parsing: .singleValue,
    help: ArgumentHelp(
      "Also write the data of a stage for each drop, to the folder dump of the result: estimate, codeword or reconstruction; may be repeated.",
      valueName: "stage"))
  var dump: [StageDump] = []

  func validate() throws {
    guard let perDrop, URL(fileURLWithPath: perDrop).pathExtension != "npz" else { return }
    throw ValidationError("--per-drop must name a .npz file, got '\(perDrop)'")
  }

  /// The first option that asks for more than a shard can tell; nil without one.
  var wantsMore: String? {
    !dump.isEmpty ? "--dump" : perDrop != nil ? "--per-drop" : format != .table ? "--format" : nil
  }

  /// Writes the reports, prints the result and where the files are: below the table, or on standard error if a program reads
  /// the result; then what else is asked for.
  func present(
    _ result: RunResult, of run: PreparedRun, _ execution: Execution, in folder: String,
    pool: WorkerPool, _ interrupt: InterruptFlag
  ) throws {
    try ResultFolder.present(result, execution, in: folder, as: format)
    if let perDrop {
      try AtomicFile.createFolder(
        URL(fileURLWithPath: perDrop).deletingLastPathComponent().path)
      try DropFile.write(RecordedResult(reading: folder), to: perDrop)
      printError("# drops: \(perDrop)")
    }
    for stage in dump {
      let path = "\(folder)/\(DumpFolder.name)"
      guard
        try DumpFolder.write(
          stage, of: run, result, to: path, pool: pool, shouldStop: { interrupt.isRaised })
      else {
        printError("# interrupted; the same command continues")
        throw ExitCode(130)
      }
      printError("# \(stage.rawValue): \(path)/\(stage.rawValue).csv names the files")
    }
  }
}

extension ResultFolder {
  /// Writes the reports, prints the result and where the files are.
  fileprivate static func present(
    _ result: RunResult, _ execution: Execution, in folder: String, as format: ResultFormat
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
