import DataFiles
import Foundation

/// The course of a training, one record for each finished epoch.
public struct LearningCurve: Sendable, Equatable {
  /// One finished epoch.
  public struct Epoch: Sendable, Equatable {
    /// From 1.
    public let number: Int
    /// Optimiser steps since the start.
    public let steps: Int
    /// Learning rate of the epoch's last step.
    public let learningRate: Double
    /// Mean of the losses of the epoch's batches, weighted by their samples.
    public let trainingLoss: Double
    /// Mean squared error over the validation set.
    public let validationLoss: Double
    /// Mean of ratios, linear.
    public let validationNMSE: Double

    /// ``validationNMSE`` in dB.
    public var validationNMSEDB: Double { 10 * log10(validationNMSE) }
  }

  /// In their order.
  public private(set) var epochs: [Epoch] = []

  /// No epochs yet.
  public init() {}

  mutating func append(_ epoch: Epoch) { epochs.append(epoch) }

  /// The epoch with the smallest validation NMSE, the first of equals.
  public var best: Epoch? { epochs.min { $0.validationNMSE < $1.validationNMSE } }

  static let header =
    "epoch,steps,learning_rate,training_loss,validation_loss,validation_nmse_db,is_best"

  /// The curve as CSV, `is_best` marking epochs that were the best so far.
  public var csv: String {
    var best = Double.infinity
    let rows = epochs.map { epoch -> String in
      let isBest = epoch.validationNMSE < best
      best = min(best, epoch.validationNMSE)
      return [
        "\(epoch.number)", "\(epoch.steps)", "\(epoch.learningRate)", "\(epoch.trainingLoss)",
        "\(epoch.validationLoss)", String(format: "%.4f", epoch.validationNMSEDB),
        isBest ? "1" : "0",
      ].joined(separator: ",")
    }
    return (["# csilink learning curve 1", Self.header] + rows).joined(separator: "\n") + "\n"
  }

  /// All digits, for checkpoints; read by ``init(stored:)``.
  var stored: String {
    epochs.map {
      "\($0.number) \($0.steps) \($0.learningRate) \($0.trainingLoss) \($0.validationLoss) \($0.validationNMSE)"
    }.joined(separator: "\n")
  }

  /// Nil if the text is not one of ``stored``.
  init?(stored: String) {
    for line in stored.split(separator: "\n") {
      let fields = line.split(separator: " ")
      let numbers = fields.compactMap { Double($0) }
      guard fields.count == 6, numbers.count == 6, let number = Int(fields[0]),
        let steps = Int(fields[1]), number == epochs.count + 1
      else { return nil }
      epochs.append(
        Epoch(
          number: number, steps: steps, learningRate: numbers[2], trainingLoss: numbers[3],
          validationLoss: numbers[4], validationNMSE: numbers[5]))
    }
  }
}
