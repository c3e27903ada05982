import LinkMath
import Networks
import Parts

/// How the networks of a scenario are trained: data, loss, optimiser, schedule, when to stop.
public struct TrainingSettings: Sendable {
  /// What the encoder sees; the target is the true channel in both cases.
  public enum Source: String, Choice {
    case truth, estimate
  }
  enum LossName: String, Choice {
    case mse, log_mse
  }
  enum ScheduleName: String, Choice {
    case constant, step, exponential, warm_up_cosine
  }

  package static let samples = Parameter.integer(
    "samples", default: 20_000, in: 1...100_000_000,
    "Drops in the training set, from the channel's domain 'train'.")
  package static let validation = Parameter.integer(
    "validation_samples", default: 2_000, in: 1...10_000_000,
    "Drops that are reconstructed after each epoch to find the best one; never trained on.")
  package static let test = Parameter.integer(
    "test_samples", default: 2_000, in: 1...10_000_000,
    "Drops that the chosen weights are judged on, once, at the end.")
  static let source = Parameter<Source>.choice(
    "source", default: .truth,
    "Whether the encoder sees the true channel or the estimate of the scenario's pilots; the target is the true channel."
  )
  static let epochs = Parameter.integer(
    "epochs", default: 100, in: 1...1_000_000,
    "Largest number of passes over the training set; 'patience' may end the training earlier.")
  static let batch = Parameter.integer(
    "batch", default: 200, in: 1...65_536,
    "Samples of one optimiser step; the last one of an epoch takes what is left.")
  static let lossName = Parameter<LossName>.choice(
    "loss", default: .mse,
    "mse: mean squared error over all elements; log_mse: ln of the mean squared norm of the error.")
  static let rate = Parameter.number(
    "learning_rate", default: 1e-3, in: 0...100,
    "Learning rate of Adam: constant, the start of a decay, or the peak of warm_up_cosine.")
  static let scheduleName = Parameter<ScheduleName>.choice(
    "schedule.type", default: .constant,
    """
    Learning rate over the optimiser steps: constant; step: times 'factor' after each 'interval' epochs; exponential: the \
    same continuously; warm_up_cosine: linear from 0 over 'warm_up' epochs, then half a cosine down to 'minimum'.
    """)
  static let factor = Parameter.number(
    "schedule.factor", default: 0.1, in: 1e-9...1,
    "What the learning rate is multiplied by each 'interval' epochs (schedule: step, exponential).")
  static let interval = Parameter.integer(
    "schedule.interval", default: 100, in: 1...1_000_000,
    "Epochs in which the learning rate changes by 'factor' (schedule: step, exponential).")
  static let minimum = Parameter.number(
    "schedule.minimum", default: 5e-5, in: 0...100,
    """
    Learning rate that the cosine of warm_up_cosine comes down to after the last epoch, at most 'learning_rate'; the other \
    schedules and the warm-up may go below it.
    """)
  static let warmUp = Parameter.integer(
    "schedule.warm_up", default: 30, in: 0...1_000_000,
    "Epochs in which warm_up_cosine rises from 0 to 'learning_rate', fewer than 'epochs'.")
  static let beta1 = Parameter.number(
    "adam.beta1", default: 0.9, in: 0...0.999999999,
    "Decay β1 of Adam's running mean of the gradient, for each step.")
  static let beta2 = Parameter.number(
    "adam.beta2", default: 0.999, in: 0...0.999999999,
    "Decay β2 of Adam's running mean of the squared gradient, for each step.")
  static let epsilon = Parameter.number(
    "adam.epsilon", default: 1e-8, in: 1e-30...1,
    "Number ε that Adam adds to the root of the mean squared gradient before it divides by it.")
  static let patience = Parameter<Int?>.optional(
    "patience", .integer(1...1_000_000),
    "Stop after this many epochs without a better validation NMSE; never if left out.")
  static let codewordSNR = Parameter<Double?>.optional(
    "codeword_snr_db", .number(.level, -100...200),
    """
    White Gaussian noise on the codeword, power relative to the mean square of the batch's codewords (constant in \
    back-propagation); none if left out.
    """)

  static let outputGain = Parameter.number(
    "output_gain", default: 1, in: 1e-6...1e3,
    """
    Initial scale of the batch normalisations that reach the output's sigmoid without a convolution between (CRNet, ACRNet, \
    BCsiNet, CLLWCsiNet and others). CSI of many paths deviates from 0.5 by a few hundredths; a start ten times as strong \
    may never find it, 0.1 does.
    """)

  public static let schema = PartSchema(
    .training, "adam", "Training of the scenario's networks by Adam on drops of its channel.",
    reference: "Kingma and Ba, ICLR 2015",
    parameters: [
      samples.declaration, validation.declaration, test.declaration, source.declaration,
      epochs.declaration, batch.declaration, lossName.declaration, rate.declaration,
      scheduleName.declaration, factor.declaration, interval.declaration, minimum.declaration,
      warmUp.declaration, beta1.declaration, beta2.declaration, epsilon.declaration,
      patience.declaration, codewordSNR.declaration, outputGain.declaration,
    ])

  public private(set) var trainingCount: Int
  public let validationCount: Int
  public let testCount: Int
  public let source: Source
  public let epochs: Int
  public let batchSize: Int
  public let loss: Loss
  public private(set) var schedule: Schedule
  public let adam: Adam.Settings
  public let patience: Int?
  /// Linear; nil for a clean codeword.
  public let codewordSNR: Double?
  /// Initial scale of the batch normalisations that reach the output's sigmoid.
  public let outputGain: Double
  /// Everything that the numbers of the curve depend on besides network and data; without the number of epochs if a
  /// longer training starts with the same epochs.
  let signature: String
  private let given: Settings

  /// Optimiser steps of an epoch; the last batch may be smaller.
  public var stepsPerEpoch: Int { (trainingCount + batchSize - 1) / batchSize }

  /// - Throws: ``SettingsError`` for a warm-up that does not leave room for the cosine, or a cosine that would rise.
  public init(_ settings: Settings) throws(SettingsError) {
    given = settings
    trainingCount = settings[Self.samples]
    validationCount = settings[Self.validation]
    testCount = settings[Self.test]
    source = settings[Self.source]
    epochs = settings[Self.epochs]
    batchSize = settings[Self.batch]
    loss = settings[Self.lossName] == .mse ? .meanSquare : .logMeanSquare
    patience = settings[Self.patience]
    outputGain = settings[Self.outputGain]
    codewordSNR = settings[Self.codewordSNR].map { linear(decibels: $0) }
    var adam = Adam.Settings()
    adam.beta1 = settings[Self.beta1]
    adam.beta2 = settings[Self.beta2]
    adam.epsilon = settings[Self.epsilon]
    self.adam = adam
    let steps = (trainingCount + batchSize - 1) / batchSize
    schedule = try Self.schedule(settings, stepsPerEpoch: steps)
    let isFixed = settings[Self.scheduleName] == .warm_up_cosine
    signature = settings.canonical.split(separator: "\n").filter {
      isFixed || !$0.hasPrefix("training.epochs=")
    }.joined(separator: "\n")
  }

  /// The same for a training set of another size than asked for.
  public func with(trainingCount count: Int) throws(SettingsError) -> TrainingSettings {
    var copy = self
    copy.trainingCount = count
    copy.schedule = try Self.schedule(given, stepsPerEpoch: copy.stepsPerEpoch)
    return copy
  }

  private static func schedule(_ settings: Settings, stepsPerEpoch: Int) throws(SettingsError)
    -> Schedule
  {
    let rate = settings[Self.rate]
    let interval = settings[Self.interval] * stepsPerEpoch
    switch settings[Self.scheduleName] {
    case .constant: return .constant(rate)
    case .step: return .step(rate: rate, factor: settings[factor], interval: interval)
    case .exponential: return .exponential(rate: rate, factor: settings[factor], interval: interval)
    case .warm_up_cosine:
      let (warmUp, epochs) = (settings[Self.warmUp], settings[Self.epochs])
      guard warmUp < epochs else {
        throw SettingsError(
          part: settings.part, key: Self.warmUp.key,
          reason: "must be below the \(epochs) epochs of the training, got \(warmUp)",
          hint: "the papers use 30 of 2500 epochs")
      }
      guard settings[minimum] <= rate else {
        throw SettingsError(
          part: settings.part, key: minimum.key,
          reason: "must be at most learning_rate = \(rate), got \(settings[minimum])",
          hint: "the learning rate falls from 'learning_rate' to 'schedule.minimum'")
      }
      return .warmUpCosine(
        maximum: rate, minimum: settings[minimum], warmUp: warmUp * stepsPerEpoch,
        total: epochs * stepsPerEpoch)
    }
  }
}
