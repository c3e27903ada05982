import LinkMath
import Networks
import Parts

extension MeanSquareLoss: LossPart {
  public static let word = "mse"
  public static let summary = "mean squared error over all elements"

  /// Reads nothing.
  public init(_ settings: Settings) throws(SettingsError) { self.init() }
}

extension LogMeanSquareLoss: LossPart {
  public static let word = "log_mse"
  public static let summary = "ln of the mean squared norm of the error"

  /// Reads nothing.
  public init(_ settings: Settings) throws(SettingsError) { self.init() }
}

extension SquaredNormLoss: LossPart {
  public static let word = "squared_norm"
  public static let summary = "mean squared norm of the error"

  /// Reads nothing.
  public init(_ settings: Settings) throws(SettingsError) { self.init() }
}

extension CosineLoss: LossPart {
  public static let word = "sgcs"
  public static let summary =
    "1 - squared cosine similarity, mean over delay rows or subbands; networks are then judged by it in place of the NMSE"

  /// Reads nothing.
  public init(_ settings: Settings) throws(SettingsError) { self.init() }
}

/// Mean over the samples of `||output - target||² / ||target - 0.5||²`, the NMSE that trainings are judged by.
///
/// Samples without energy do not count.
public struct RelativeErrorLoss: LossPart {
  public static let word = "nmse"
  public static let summary = "mean of each sample's squared error over its energy"

  /// Reads nothing.
  public init(_ settings: Settings) throws(SettingsError) {}

  /// - Complexity: O(samples · count), on the calling thread.
  public func evaluate(
    _ batch: LossBatch, _ gradients: LossGradients, pool: WorkerPool?
  ) -> Double {
    var total = 0.0
    for sample in 0..<batch.samples {
      let first = sample * batch.count
      var (error, energy) = (0.0, 0.0)
      for i in first..<first + batch.count {
        let difference = Double(batch.output[i]) - Double(batch.target[i])
        let centred = Double(batch.target[i]) - 0.5
        error += difference * difference
        energy += centred * centred
      }
      let factor = energy > 0 ? 1 / (energy * Double(batch.samples)) : 0
      total += error * factor
      for i in first..<first + batch.count {
        gradients.output[i] = Float(
          2 * factor * (Double(batch.output[i]) - Double(batch.target[i])))
      }
    }
    return total
  }
}
