import DataFiles
import LinkMath
import Simulation

/// The folder of the arrays that `run --dump` writes.
public enum DumpFolder {
  /// Its name in the folder of results.
  public static let name = "dump"

  /// Writes the arrays of a stage, then `STAGE.csv` with the swept values and the file of each row of `report.csv`.
  ///
  /// - Returns: false if stopped.
  /// - Throws: `ReplayError` if no point has the data; errors of stages and files.
  public static func write(
    _ stage: StageDump, of run: PreparedRun, _ result: RunResult, to folder: String,
    pool: WorkerPool, shouldStop: @escaping @Sendable () -> Bool
  ) throws -> Bool {
    let drops = result.points.map(\.drops).max() ?? 0
    guard
      let files = try stage.write(
        run, drops: drops, to: folder, pool: pool, shouldStop: shouldStop)
    else { return false }
    let rows = zip(result.points, files).map { point, file in
      point.coordinates.map { $0 ?? "" } + [file ?? ""]
    }
    let text = ([result.axes + ["file"]] + rows).map { ReportCSV.line($0) + "\n" }.joined()
    try AtomicFile.write(text, to: "\(folder)/\(stage.rawValue).csv")
    return true
  }
}
