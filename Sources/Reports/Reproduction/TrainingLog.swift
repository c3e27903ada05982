import DataFiles
import Foundation
import Simulation

/// `trainings.csv`: what was trained for tables, one row after another, with its time.
public enum TrainingLog {
  /// Name of the file in the folder of tables.
  public static let fileName = "trainings.csv"

  private static let heading =
    "weights,network,compression,samples,epochs,best_epoch,validation_nmse_db,test_nmse_db,seconds,samples_per_second"

  /// Adds a training; of one that was interrupted, the time is that of the last part, and the speed is left empty.
  ///
  /// - Throws: `DataFileError` if the file cannot be written.
  public static func add(
    _ trained: TrainedNetwork, of run: TrainingRun, seconds: Double, isWhole: Bool,
    folder: String,
    to path: String
  ) throws(DataFileError) {
    let curve = trained.result.curve
    let best = curve.best!
    let row = ReportCSV.line([
      folder.nameOfPath, trained.network.name,
      "\(trained.network.compression)",
      "\(run.sampleCount)", "\(curve.epochs.count)", "\(best.number)",
      numberText(best.validationNMSEDB), numberText(trained.result.test.nmseDB),
      String(format: "%.1f", seconds),
      isWhole ? String(format: "%.0f", Double(run.sampleCount * curve.epochs.count) / seconds) : "",
    ])
    let known = FileManager.default.contents(atPath: path).map {
      String(decoding: $0, as: UTF8.self)
    }
    try AtomicFile.write((known ?? heading + "\n") + row + "\n", to: path)
  }
}
