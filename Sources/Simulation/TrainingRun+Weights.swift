import Codecs
import Coding
import Foundation
import Networks
import Scenarios
import Training

extension TrainingRun {
  /// Whether a scenario has a network without weights at some point, so that it can be trained but not run.
  public static func isUntrained(_ scenario: Scenario) -> Bool {
    scenario.points.contains { $0.settings[.codec].map(NeuralCodec.isUntrained) ?? false }
  }

  /// Whether a scenario has networks of ONNX files with their own weights, where a folder has those of their training.
  public static func isImported(_ scenario: Scenario, in folder: String) -> Bool {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    let codecs = scenario.points.compactMap { $0.settings[.codec] }
      .filter(ONNXCodec.hasOwnWeights)
    return !codecs.isEmpty
      && codecs.allSatisfy { codec in
        let stem = ONNXCodec.stem(codec) + "-"
        return names.contains { $0.hasPrefix(stem) && $0.hasSuffix("-encoder.safetensors") }
      }
  }

  /// Writes the weights that the trainings start from, for looking at the run behind them: shapes, bits and time are those of any weights.
  ///
  /// - Returns: whether the scenario can be run with them; not if it needs the quantiser of a training.
  /// - Throws: `DataFileError` if the folder cannot be written to.
  public func writeInitialWeights(to folder: String) throws -> Bool {
    let needsQuantizer = scenario.points.contains {
      $0.settings[.quantizer]?.part == TrainedQuantizer.schema.name
    }
    if needsQuantizer { return false }
    // Under the words that the run's codecs ask for, which need not be that of the training.
    let labels = Set(scenario.points.compactMap { $0.settings[.codec] }.map(NeuralCodec.label))
    for task in tasks {
      let weights = TrainingLoop.initialWeights(settings.autoencoder(task.network), seed: seed)
      for label in labels {
        _ = try WeightsFile.write(
          weights, task.network, label: label,
          metadata: ["normaliser": task.context.normaliser, "seed": "\(seed)"], in: folder)
      }
    }
    return true
  }
}
