import LinkMath
import Networks

/// What is trained on what: the sets, and a text that names where they come from.
public struct TrainingData: Sendable {
  /// Samples that are trained on.
  public let training: any SampleSource
  /// Samples that choose the best epoch.
  public let validation: SampleSet
  /// Samples that judge the chosen weights, once.
  public let test: SampleSet
  /// Digest of the three sets.
  public let digest: String

  /// Puts three sets together.
  public init(
    training: any SampleSource, validation: SampleSet, test: SampleSet, digest: String
  ) {
    self.training = training
    self.validation = validation
    self.test = test
    self.digest = digest
  }
}

/// A training that cannot go on.
public struct TrainingError: Error, Sendable, CustomStringConvertible {
  /// What happened, with a way out.
  public let description: String

  /// An error; the description ends with a way out.
  public init(description: String) { self.description = description }
}

/// How far a training is.
public struct TrainingProgress: Sendable {
  /// Name and ratio.
  public let network: String
  /// Epoch in work, from 1.
  public let epoch: Int
  /// Largest number of epochs.
  public let epochs: Int
  /// Samples trained on by this process, and the time that took with validation.
  public let samples: Int
  /// Time that took.
  public let elapsed: Duration
  /// Samples that are left if no early stop comes.
  public let samplesLeft: Int
  /// Mean loss of the epoch so far.
  public let loss: Double
  /// Of the last validation.
  public let lastNMSEDB: Double?
  /// The best so far.
  public let bestNMSEDB: Double?

  /// A state; the parameters are the properties.
  package init(
    network: String, epoch: Int, epochs: Int, samples: Int, elapsed: Duration, samplesLeft: Int,
    loss: Double, lastNMSEDB: Double?, bestNMSEDB: Double?
  ) {
    self.network = network
    (self.epoch, self.epochs, self.samples) = (epoch, epochs, samples)
    (self.elapsed, self.samplesLeft, self.loss) = (elapsed, samplesLeft, loss)
    (self.lastNMSEDB, self.bestNMSEDB) = (lastNMSEDB, bestNMSEDB)
  }
}

/// The result of a training that ended.
public struct TrainingResult: Sendable {
  /// All epochs.
  public let curve: LearningCurve
  /// Weights of the best epoch on the validation set.
  public let weights: Weights
  /// What its codeword steps left for the link, by name.
  public let tables: [String: RealArray]
  /// On the test set, read once.
  public let test: Evaluation
  /// Whether it ended before its last epoch.
  public let stoppedEarly: Bool
}
