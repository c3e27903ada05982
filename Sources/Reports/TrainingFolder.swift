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

  /// In what a run's drops are other ones than those of the training that left a folder's weights: for the user, none if they are not.
  ///
  /// - Parameters:
  ///   - folder: what the training left.
  ///   - scenario: of the run.
  ///   - ownTraining: whether it is the scenario's own training, whose recorded drops should be divided alike.
  public static func differences(
    in folder: String, from scenario: Scenario, ownTraining: Bool
  ) -> [String] {
    let path = "\(folder)/\(scenarioName)"
    guard let text = FileManager.default.contents(atPath: path),
      let trained = try? ScenarioReader.standard.read(
        text: String(decoding: text, as: UTF8.self), path: path
      ).scenario
    else { return [] }
    func differing(_ value: (Scenario) -> Set<String>) -> (old: String, new: String)? {
      let (old, new) = (value(trained), value(scenario))
      return old == new
        ? nil : (old.sorted().joined(separator: "; "), new.sorted().joined(separator: "; "))
    }
    let division = (ownTraining ? differing(shares) : nil).map {
      "the weights in \(folder) were trained with other shares of the data, "
        + "split {train, validation, test} of \($0.old) drops and not "
        + "\($0.new): this run may be of drops that they have seen\n"
        + "  hint: give it the split of the training"
    }
    let cell = differing(cells).flatMap { seeds in
      seeds.old.isEmpty || seeds.new.isEmpty
        ? nil
        : "the weights in \(folder) were trained in the cell of seed \(seeds.old), and this run is in that of seed \(seeds.new)\n"
          + "  hint: 'channel.environment_seed: \(seeds.old)' is the cell of the training, whatever the seed of the run"
    }
    return [division, cell].compactMap { $0 }
  }

  /// Shares of recorded drops of all points.
  private static func shares(_ scenario: Scenario) -> Set<String> {
    Set(
      scenario.points.map { point in
        ["train", "validation", "test"].map { name in
          point.settings[.channel]?.values["split.\(name)"]?.canonical ?? "0"
        }.joined(separator: ", ")
      })
  }

  /// Seeds of the environments that all drops of a point share.
  private static func cells(_ scenario: Scenario) -> Set<String> {
    Set(
      scenario.points.compactMap { point in
        let values = point.settings[.channel]?.values
        guard case .text("cell")? = values?["environment"] else { return nil }
        return (values?["environment_seed"] ?? scenario.run?.values["seed"])?.canonical
      })
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
