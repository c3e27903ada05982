import DataFiles
import Foundation
import Simulation

/// The folder that a training leaves behind: weights and curves, written while it works, and a report at the end.
public enum TrainingFolder {
  /// Name of the table of trained networks.
  public static let reportName = "training.csv"
  /// The scenario with everything that it extends and all defaults written out.
  public static let scenarioName = "scenario.yaml"

  /// Writes `training.csv`, the resolved scenario and the plot of the learning curves.
  ///
  /// - Returns: warnings for the user, such as a missing gnuplot.
  /// - Throws: `DataFileError` if the folder cannot be written to.
  public static func write(
    _ trained: [TrainedNetwork], of run: TrainingRun, to folder: String
  ) throws(DataFileError) -> [String] {
    try AtomicFile.write(report(trained, run), to: "\(folder)/\(reportName)")
    if let scenario = try? run.scenario.resolvedYAML() {
      try AtomicFile.write(scenario, to: "\(folder)/\(scenarioName)")
    }
    return try CurvePlot.write(trained, title: run.scenario.name, toFolder: folder)
  }

  private static let columns = [
    "network", "compression", "parameters", "samples", "epochs", "best_epoch", "stop_reason",
    "training_loss", "validation_nmse_db", "test_nmse_db", "seed", "data_digest",
  ]

  private static func report(_ trained: [TrainedNetwork], _ run: TrainingRun) -> String {
    let rows = trained.map { network -> String in
      let curve = network.result.curve
      let best = curve.best!
      return ReportCSV.line([
        network.network.name, "\(network.network.compression)", "\(network.parameterCount)",
        "\(run.sampleCount)", "\(curve.epochs.count)", "\(best.number)",
        network.result.stoppedEarly ? "patience" : "max", numberText(best.trainingLoss),
        numberText(best.validationNMSEDB), numberText(network.result.test.nmseDB),
        "\(run.seed)", network.dataDigest,
      ])
    }
    return (["# csilink training 1", columns.joined(separator: ",")] + rows)
      .joined(separator: "\n") + "\n"
  }

  /// Whether a folder has weights that a training left.
  public static func hasWeights(_ folder: String) -> Bool {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    return names.contains(reportName) && names.contains { $0.hasSuffix("-encoder.safetensors") }
  }

  /// Removes checkpoints and drawn samples, nothing else, so that trainings start over.
  public static func discard(_ folder: String) throws {
    let manager = FileManager.default
    guard manager.fileExists(atPath: folder) else { return }
    for name in try manager.contentsOfDirectory(atPath: folder)
    where name.hasSuffix("-checkpoint.safetensors") || name == "data" {
      try manager.removeItem(atPath: "\(folder)/\(name)")
    }
  }
}

/// What was trained, as a table for the terminal.
public enum TrainingTable {
  /// One row per network: name, ratio, parameters, epochs run, the best epoch, NMSE in dB on validation and test
  /// data.
  public static func text(_ trained: [TrainedNetwork]) -> String {
    let heading = ["network", "ratio", "parameters", "epochs", "best", "validation dB", "test dB"]
    let rows = trained.map { network -> [String] in
      let curve = network.result.curve
      return [
        network.network.name, network.network.ratio, "\(network.parameterCount)",
        "\(curve.epochs.count)", "\(curve.best!.number)",
        String(format: "%.2f", curve.best!.validationNMSEDB),
        String(format: "%.2f", network.result.test.nmseDB),
      ]
    }
    let widths = heading.indices.map { i in ([heading] + rows).map { $0[i].count }.max()! }
    let line = { (cells: [String]) in
      zip(cells, widths).map { String(repeating: " ", count: $1 - $0.count) + $0 }
        .joined(separator: "  ")
    }
    return (["# " + line(heading)] + rows.map { "  " + line($0) }).joined(separator: "\n")
  }
}
