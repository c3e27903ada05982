import DataFiles
import Foundation
import LinkMath
import Networks
import Parts

/// What is trained on what: the sets, and a text that names where they come from.
public struct TrainingData: Sendable {
  public let training: SampleSet
  public let validation: SampleSet
  public let test: SampleSet
  /// Digest of the three sets.
  public let digest: String

  public init(training: SampleSet, validation: SampleSet, test: SampleSet, digest: String) {
    self.training = training
    self.validation = validation
    self.test = test
    self.digest = digest
  }
}

/// A training that cannot go on.
public struct TrainingError: Error, Sendable, CustomStringConvertible {
  public let description: String
}

/// How far a training is.
public struct TrainingProgress: Sendable {
  public let network: String
  /// Epoch in work, from 1.
  public let epoch: Int
  public let epochs: Int
  /// Samples trained on by this process, and the time that took with validation.
  public let samples: Int
  public let elapsed: Duration
  /// Samples that are left if no early stop comes.
  public let samplesLeft: Int
  /// Mean loss of the epoch so far.
  public let loss: Double
  public let lastNMSEDB: Double?
  public let bestNMSEDB: Double?
}

/// The result of a training that ended.
public struct TrainingResult: Sendable {
  public let curve: LearningCurve
  /// Weights of the best epoch on the validation set.
  public let weights: Weights
  /// On the test set, read once.
  public let test: Evaluation
  public let stoppedEarly: Bool
}

/// Trains one autoencoder by Adam, epoch by epoch, with a checkpoint to go on from.
///
/// The same settings, seed and data give the same weights for any number of threads, interrupted or not: samples are
/// taken in an order that depends on seed and epoch alone, sums over a batch are formed by fixed blocks of samples.
public final class TrainingLoop {
  private let name: String
  private let autoencoder: Autoencoder
  private let settings: TrainingSettings
  private let data: TrainingData
  private let seed: UInt64
  private let checkpointPath: String
  private let curvePath: String
  private let pool: WorkerPool
  private let trainer: AutoencoderTrainer
  private let adam: Adam
  private let batch: SampleBatch
  private var state: Checkpoint
  private let clock = ContinuousClock()
  private var samplesDone = 0

  /// Time between two checkpoints; does not change results.
  private static let checkpointInterval = Duration.seconds(20)

  /// Makes a training, or takes up one that was interrupted.
  ///
  /// - Parameters:
  ///   - network: name in ``NetworkZoo``.
  ///   - stem: path of the files of this training without their endings.
  /// - Throws: ``NetworkError`` for unknown networks, `DataFileError` for a checkpoint that does not belong to it.
  public init(
    network: String, compression: Int, settings: TrainingSettings, data: TrainingData,
    seed: UInt64, stem: String, pool: WorkerPool
  ) throws {
    name = "\(network) 1/\(compression)"
    autoencoder = try NetworkZoo.autoencoder(network, compression: compression)
    self.settings = settings
    self.data = data
    self.seed = seed
    self.pool = pool
    checkpointPath = stem + "-checkpoint.safetensors"
    curvePath = stem + "-curve.csv"
    let key = Digest.sha256(
      [
        // Gradients are summed lane by lane: the same bytes on one level only.
        "csilink training 2", ProgramIdentity.text, KernelLevel.name, network, "\(compression)",
        "\(seed)",
        settings.signature, data.digest,
      ].joined(separator: "\n"))
    let isResumed = FileManager.default.fileExists(atPath: checkpointPath)
    let initial = Self.initialWeights(autoencoder, seed: seed, outputGain: settings.outputGain)
    let stored = isResumed ? try Checkpoint(path: checkpointPath, key: key) : nil
    if let done = stored?.curve.epochs.count, done > settings.epochs {
      throw DataFileError(
        file: checkpointPath, expected: "at most the \(settings.epochs) epochs of this training",
        found: "\(done) finished epochs",
        hint: "raise training.epochs, use --fresh, or --output for another folder")
    }
    trainer = try AutoencoderTrainer(
      autoencoder, weights: stored?.weights ?? initial,
      capacity: min(settings.batchSize, data.training.count), pool: pool)
    adam = Adam([trainer.encoder, trainer.decoder], settings: settings.adam, pool: pool)
    if let stored {
      guard Self.fits(stored.moments, adam.state) else {
        throw DataFileError(
          file: checkpointPath, expected: "the optimiser's state of \(name)",
          found: "one of another size", hint: "use --fresh to start over")
      }
      adam.restore(stored.moments, step: stored.optimiserSteps)
    }
    state = stored ?? Checkpoint(key: key, weights: initial, moments: adam.state)
    batch = SampleBatch(data.training, capacity: min(settings.batchSize, data.training.count))
  }

  private static func fits(
    _ a: [(first: [Float], second: [Float])], _ b: [(first: [Float], second: [Float])]
  ) -> Bool {
    a.map { [$0.first.count, $0.second.count] } == b.map { [$0.first.count, $0.second.count] }
  }

  /// Encoder and decoder are drawn from streams of their own.
  package static func initialWeights(
    _ autoencoder: Autoencoder, seed: UInt64, outputGain: Double = 1
  ) -> Weights {
    var weights = Weights()
    for (instance, network) in [autoencoder.encoder, autoencoder.decoder].enumerated() {
      var stream = StreamKey(
        seed: seed, domain: .initialisation, purpose: .initialisation, instance: instance
      ).stream(drop: 0)
      weights = weights.merging(Weights.initial(network, using: &stream))
    }
    for key in autoencoder.decoder.outputScaleKeys {
      weights[key] = weights[key]!.map { $0 * Float(outputGain) }
    }
    return weights
  }

  /// Weights that this training starts from.
  package var initialWeights: Weights {
    Self.initialWeights(autoencoder, seed: seed, outputGain: settings.outputGain)
  }

  private var isStoppedEarly: Bool {
    guard let patience = settings.patience, let best = state.curve.best else { return false }
    return state.curve.epochs.count - best.number >= patience
  }

  /// Trains to the end.
  ///
  /// - Parameters:
  ///   - progress: called after each step.
  ///   - shouldStop: looked at between steps; true leaves a checkpoint.
  /// - Returns: nil if stopped.
  /// - Throws: ``TrainingError`` if the loss is not finite any more, `DataFileError` for data or checkpoint; the last
  ///   checkpoint stays.
  public func run(
    progress: (TrainingProgress) -> Void, shouldStop: @escaping @Sendable () -> Bool
  ) throws -> TrainingResult? {
    let start = clock.now
    var lastCheckpoint = start
    while state.curve.epochs.count < settings.epochs, !isStoppedEarly {
      let epoch = state.curve.epochs.count
      var orderStream = StreamKey(seed: seed, domain: .train, purpose: .selection)
        .stream(drop: epoch)
      let order = orderStream.permutation(data.training.count)
      while state.stepInEpoch < settings.stepsPerEpoch {
        if shouldStop() {
          try writeCheckpoint()
          return nil
        }
        try step(order, epoch)
        progress(self.progress(since: start))
        if clock.now - lastCheckpoint > Self.checkpointInterval {
          try writeCheckpoint()
          lastCheckpoint = clock.now
        }
      }
      guard try finishEpoch(shouldStop) else {
        try writeCheckpoint()
        return nil
      }
    }
    try writeCheckpoint()
    return try conclude(shouldStop)
  }

  /// One optimiser step on the next samples of the order.
  private func step(_ order: [Int], _ epoch: Int) throws {
    let first = state.stepInEpoch * settings.batchSize
    let samples = order[first..<min(first + settings.batchSize, order.count)]
    try batch.load(samples, pool)
    let noise = noise(.train)
    let length = autoencoder.codewordLength
    let loss = trainer.differentiate(
      batch.inputs, count: samples.count, target: batch.targets, loss: settings.loss
    ) { codewords in
      noise?.add(
        to: codewords, samples: samples.count, length: length, first: first, slot: epoch,
        meanSquare: CodewordNoise.meanSquare(codewords, count: samples.count * length))
    }
    guard loss.isFinite else {
      throw TrainingError(
        description: """
          training of \(name) diverged: the loss is \(loss) in epoch \(epoch + 1), step \(state.stepInEpoch + 1)
            hint: lower training.learning_rate
          """)
    }
    adam.update(rate: settings.schedule.rate(at: adam.step))
    state.stepInEpoch += 1
    state.lossSum += loss * Double(samples.count)
    samplesDone += samples.count
  }

  private func noise(_ domain: StreamKey.Domain) -> CodewordNoise? {
    settings.codewordSNR.map {
      CodewordNoise(
        snr: $0, key: StreamKey(seed: seed, domain: domain, purpose: .feedbackNoise))
    }
  }

  /// Validates, keeps the weights if they are the best, extends the curve; false if stopped before that.
  private func finishEpoch(_ shouldStop: @escaping @Sendable () -> Bool) throws -> Bool {
    let weights = trainer.weights
    guard
      let validation = try Evaluation.of(
        autoencoder, weights, on: data.validation, noise: noise(.validation), pool: pool,
        shouldStop: shouldStop)
    else { return false }
    guard validation.nmse.isFinite else {
      throw TrainingError(
        description: """
          training of \(name) diverged: the validation NMSE is \(validation.nmse) after epoch \(state.curve.epochs.count + 1)
            hint: lower training.learning_rate
          """)
    }
    if validation.nmse < state.curve.best?.validationNMSE ?? .infinity { state.best = weights }
    state.curve.append(
      LearningCurve.Epoch(
        number: state.curve.epochs.count + 1, steps: adam.step,
        learningRate: settings.schedule.rate(at: adam.step - 1),
        trainingLoss: state.lossSum / Double(data.training.count),
        validationLoss: validation.meanSquare, validationNMSE: validation.nmse))
    state.stepInEpoch = 0
    state.lossSum = 0
    try AtomicFile.write(state.curve.csv, to: curvePath)
    return true
  }

  private func writeCheckpoint() throws {
    state.weights = trainer.weights
    state.moments = adam.state
    state.optimiserSteps = adam.step
    try state.write(to: checkpointPath)
  }

  private func conclude(_ shouldStop: @escaping @Sendable () -> Bool) throws -> TrainingResult? {
    guard let best = state.best else { preconditionFailure("a training has at least one epoch") }
    try AtomicFile.write(state.curve.csv, to: curvePath)
    guard
      let test = try Evaluation.of(
        autoencoder, best, on: data.test, noise: noise(.test), pool: pool, shouldStop: shouldStop)
    else { return nil }
    return TrainingResult(
      curve: state.curve, weights: best, test: test,
      stoppedEarly: state.curve.epochs.count < settings.epochs)
  }

  private func progress(since start: ContinuousClock.Instant) -> TrainingProgress {
    let done = min(state.stepInEpoch * settings.batchSize, data.training.count)
    let epoch = state.curve.epochs.count
    return TrainingProgress(
      network: name, epoch: epoch + 1, epochs: settings.epochs, samples: samplesDone,
      elapsed: clock.now - start,
      samplesLeft: (settings.epochs - epoch) * data.training.count - done,
      loss: state.lossSum / Double(max(done, 1)),
      lastNMSEDB: state.curve.epochs.last?.validationNMSEDB,
      bestNMSEDB: state.curve.best?.validationNMSEDB)
  }
}
