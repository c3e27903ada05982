import DataFiles
import Foundation
import Networks
import Scenarios
import Simulation

/// The folder that a training leaves behind: weights and curves, written while it works, and a report at the end.
public enum TrainingFolder {
  /// Name of the table of trained networks.
  public static let reportName = "training.csv"
  /// The scenario with everything that it extends and all defaults written out.
  public static let scenarioName = "scenario.yaml"

  /// That recorded drops are divided otherwise than in the training that left a folder's weights; nil if they are not.
  public static func otherDivision(in folder: String, than scenario: Scenario) -> String? {
    let path = "\(folder)/\(scenarioName)"
    guard let text = FileManager.default.contents(atPath: path),
      let trained = try? ScenarioReader.standard.read(
        text: String(decoding: text, as: UTF8.self), path: path
      ).scenario
    else { return nil }
    func shares(_ scenario: Scenario) -> Set<String> {
      Set(
        scenario.points.map { point in
          ["train", "validation", "test"].map { name in
            point.settings[.channel]?.values["split.\(name)"]?.canonical ?? "0"
          }.joined(separator: ", ")
        })
    }
    let (old, new) = (shares(trained), shares(scenario))
    guard old != new else { return nil }
    return "the weights in \(folder) were trained with other shares of the data, "
      + "split {train, validation, test} of \(old.sorted().joined(separator: "; ")) drops and not "
      + "\(new.sorted().joined(separator: "; ")): this run may be of drops that they have seen\n"
      + "  hint: give it the split of the training"
  }

  /// Writes `training.csv`, the resolved scenario and the plot of the learning curves.
  ///
  /// The table keeps the rows of other weights that lie in the folder as they were trained.
  ///
  /// - Returns: warnings for the user, such as a missing gnuplot.
  /// - Throws: `DataFileError` if the folder cannot be written to.
  public static func write(
    _ trained: [TrainedNetwork], of run: TrainingRun, to folder: String
  ) throws(DataFileError) -> [String] {
    let path = "\(folder)/\(reportName)"
    let known = FileManager.default.contents(atPath: path)
    var rows =
      known.map { TrainingRows(String(decoding: $0, as: UTF8.self), file: path) } ?? TrainingRows()
    rows.put(trained.map { row($0, run, folder) })
    rows.keepTrue(in: folder)
    try AtomicFile.write(rows.text, to: path)
    if let scenario = try? run.scenario.resolvedYAML() {
      try AtomicFile.write(scenario, to: "\(folder)/\(scenarioName)")
    }
    let warnings = rows.wasOther ? ["\(path) held another table, which was replaced"] : []
    return try warnings
      + CurvePlot.write(trained, title: run.scenario.name, toFolder: folder)
  }

  private static func row(
    _ network: TrainedNetwork, _ run: TrainingRun, _ folder: String
  ) -> [String] {
    let curve = network.result.curve
    let best = curve.best!
    return [
      network.network.name, "\(network.network.compression)", "\(network.parameterCount)",
      "\(run.sampleCount)", "\(curve.epochs.count)", "\(best.number)",
      network.result.stoppedEarly ? "patience" : "max", numberText(best.trainingLoss),
      numberText(best.validationNMSEDB), numberText(network.result.test.nmseDB),
      "\(run.seed)", network.dataDigest, network.stem,
      TrainingRows.digest(of: network.stem, in: folder) ?? "",
    ]
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

  /// What to try with networks whose reconstruction is worse than none.
  public static func warnings(_ trained: [TrainedNetwork]) -> [String] {
    trained.filter { !($0.result.test.nmseDB < 0) }.map { network in
      let hasComponents =
        (try? PrincipalStart(network.network.autoencoder)) != nil
        && !network.network.isImported
      return String(
        format: "%@ %@ ends at %+.2f dB, no better than a reconstruction of zeros",
        network.network.name, network.network.ratio, network.result.test.nmseDB)
        + "\n  hint: try another training.learning_rate or more training.epochs"
        + (hasComponents ? ", or 'training.initialization: principal_components'; " : "; ")
        + "'csilink list training' shows what each is"
    }
  }
}
