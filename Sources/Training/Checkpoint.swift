import DataFiles
import Foundation
import Networks

/// Everything that a training needs to go on to the same bits: weights, optimiser, place, curve, best weights.
///
/// Random numbers need no place: order and noise are functions of seed, epoch and sample. The learning rate is a function
/// of the number of steps.
struct Checkpoint: Sendable {
  /// Names everything that the numbers depend on; a checkpoint of another key is refused.
  let key: String
  /// Finished epochs are in the curve; these steps of the next one are done.
  var stepInEpoch: Int
  /// Sum over the samples of these steps of the loss.
  var lossSum: Double
  var curve: LearningCurve
  var weights: Weights
  /// Weights of the best epoch so far with the state of the codeword steps then; nil before the first epoch has ended.
  var best: Weights?
  var bestSteps: [String: [Float]] = [:]
  /// Whether the codeword steps were adapted to the epoch whose steps are done.
  var isAdapted = false
  /// Stage in work, from 0, and the finished epochs and optimiser steps of the stages before.
  var stage = 0
  var stageStart = 0
  var earlierSteps = 0
  /// What the optimiser and the codeword steps carry from one step to the next, by name.
  var optimiser: [String: [Float]]
  var codewordSteps: [String: [Float]] = [:]
  var optimiserSteps: Int

  private static let format = "csilink checkpoint 4"

  func write(to path: String) throws(DataFileError) {
    var arrays = Self.arrays(weights, prefix: "weights.")
    if let best { arrays += Self.arrays(best, prefix: "best.") }
    arrays += Self.arrays(Weights(optimiser), prefix: "optimiser.")
    arrays += Self.arrays(Weights(codewordSteps), prefix: "codeword.")
    arrays += Self.arrays(Weights(bestSteps), prefix: "best_codeword.")
    let metadata = [
      "format": Self.format, "key": key, "step_in_epoch": "\(stepInEpoch)",
      "loss_sum": "\(lossSum)", "curve": curve.stored, "optimiser_steps": "\(optimiserSteps)",
      "is_adapted": "\(isAdapted)", "stage": "\(stage)", "stage_start": "\(stageStart)",
      "earlier_steps": "\(earlierSteps)",
    ]
    try SealedTensors.write(arrays, metadata: metadata, to: path)
  }

  private static func arrays(_ weights: Weights, prefix: String) -> [NumericArray] {
    weights.values.keys.sorted().map { key in
      let values = weights[key]!
      return NumericArray(name: prefix + key, shape: [values.count], floats: values)
    }
  }

  /// Reads a checkpoint.
  ///
  /// - Throws: `DataFileError` if the file is damaged or belongs to another training.
  init(path: String, key: String) throws {
    let file = try SealedTensors.read(path)
    func damaged(_ what: String) -> DataFileError {
      DataFileError(
        file: path, expected: "a checkpoint of csilink", found: what,
        hint: "delete the file to start the training over (--fresh)")
    }
    guard file.metadata["format"] == Self.format else { throw damaged("another file") }
    guard file.metadata["key"] == key else {
      throw DataFileError(
        file: path, expected: "the checkpoint of this training",
        found: "another one: data, network, seed, settings, processor or build have changed",
        hint: "start over (--fresh), or train in another folder (--output)")
    }
    guard let step = file.metadata["step_in_epoch"].flatMap({ Int($0) }), step >= 0,
      let lossSum = file.metadata["loss_sum"].flatMap({ Double($0) }),
      let curve = file.metadata["curve"].flatMap({ LearningCurve(stored: $0) }),
      let optimiserSteps = file.metadata["optimiser_steps"].flatMap({ Int($0) }),
      let stage = file.metadata["stage"].flatMap({ Int($0) }), stage >= 0,
      let stageStart = file.metadata["stage_start"].flatMap({ Int($0) }),
      let earlierSteps = file.metadata["earlier_steps"].flatMap({ Int($0) }),
      let isAdapted = file.metadata["is_adapted"].flatMap({ Bool($0) })
    else { throw damaged("metadata that do not fit") }
    self.key = key
    self.lossSum = lossSum
    self.curve = curve
    self.optimiserSteps = optimiserSteps
    (self.stage, self.stageStart, self.earlierSteps) = (stage, stageStart, earlierSteps)
    self.isAdapted = isAdapted
    stepInEpoch = step
    weights = Self.weights(file, prefix: "weights.")
    let best = Self.weights(file, prefix: "best.")
    self.best = best.values.isEmpty ? nil : best
    optimiser = Self.weights(file, prefix: "optimiser.").values
    codewordSteps = Self.weights(file, prefix: "codeword.").values
    bestSteps = Self.weights(file, prefix: "best_codeword.").values
    guard (self.best == nil) == curve.epochs.isEmpty else {
      throw damaged("too few tensors")
    }
  }

  private static func weights(_ file: TensorFile, prefix: String) -> Weights {
    var weights = Weights()
    for (name, array) in file.tensors where name.hasPrefix(prefix) {
      weights[String(name.dropFirst(prefix.count))] = array.floats()
    }
    return weights
  }

  init(key: String, weights: Weights, optimiser: [String: [Float]]) {
    self.key = key
    self.weights = weights
    self.optimiser = optimiser
    stepInEpoch = 0
    lossSum = 0
    curve = LearningCurve()
    best = nil
    optimiserSteps = 0
  }
}
