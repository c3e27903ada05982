import DataFiles
import Foundation
import LinkMath
import Networks
import Parts

/// Trains one autoencoder stage by stage, epoch by epoch, with a checkpoint to go on from.
///
/// The same settings, seed and data give the same weights for any number of threads, interrupted or not: samples are
/// taken in an order that depends on seed and epoch alone, sums over a batch are formed by fixed blocks of samples.
public final class TrainingLoop {
  private let network: NetworkChoice
  /// What is trained of it.
  private let autoencoder: Autoencoder
  private let settings: TrainingSettings
  private let data: TrainingData
  private let seed: UInt64
  private let checkpointPath: String
  private let curvePath: String
  private let pool: WorkerPool
  private let trainer: AutoencoderTrainer
  private let stages: [TrainingStage]
  private let steps: [any CodewordStep]
  private let batch: SampleBatch
  private var state: Checkpoint
  /// Of the stage in work.
  private var optimizer: any Optimizer
  private var schedule: any Schedule
  private let clock = ContinuousClock()
  private var samplesDone = 0
  /// What the weights depend on.
  public let recipe: Recipe

  /// Time between two checkpoints; does not change results.
  private static let checkpointInterval = Duration.seconds(20)

  /// Makes the last codeword step, told the quantiser that the network is trained through, if it is.
  public typealias LinkMaker = (_ quantizer: (any CodewordStep)?) throws -> any CodewordStep

  /// Makes a training, or takes up one that was interrupted.
  ///
  /// - Parameters:
  ///   - network: what is trained.
  ///   - settings: loss, optimiser, schedule, method, when to stop.
  ///   - data: what it is trained, validated and tested on.
  ///   - seed: of first values, order of samples and noise.
  ///   - start: weights in place of initial values, with digests of their files.
  ///   - initial: what ``Initialization/weights(_:_:_:start:seed:pool:progress:shouldStop:)`` gives; computed if nil.
  ///   - teacher: what the method's settings name as one.
  ///   - link: what happens to codewords behind the steps of the settings, and a text that names it.
  ///   - stem: path of the files of this training without their endings.
  ///   - pool: divides a batch; the result does not depend on it.
  /// - Throws: `SettingsError` for a method that does not suit the network, `DataFileError` for a checkpoint that does not
  ///   belong to the training.
  public init(
    _ network: NetworkChoice, settings: TrainingSettings, data: TrainingData, seed: UInt64,
    start: (weights: Weights, digests: [String]) = (Weights(), []), initial: Weights? = nil,
    teacher: TrainedTeacher? = nil, link: (make: LinkMaker, key: String)? = nil, stem: String,
    pool: WorkerPool
  ) throws {
    self.network = network
    autoencoder = settings.autoencoder(network)
    self.settings = settings
    self.data = data
    self.seed = seed
    self.pool = pool
    checkpointPath = stem + "-checkpoint.safetensors"
    curvePath = stem + "-curve.csv"
    recipe = Recipe(
      network, settings, dataDigest: data.digest, seed: seed,
      startDigests: start.digests + [teacher?.digest].compactMap { $0 }, link: link?.key)
    stages = try settings.stages(network, teacher: teacher)
    let own = try settings.codewordSteps(network, seed: seed)
    steps = own + (try link.map { [try $0.make(own.first { $0 is any QuantizerStepPart })] } ?? [])
    let isResumed = FileManager.default.fileExists(atPath: checkpointPath)
    let first =
      isResumed
      ? Self.drawnWeights(network, settings, seed: seed)
      : try initial ?? Initialization.weights(
        network, settings, data, start: start.weights, seed: seed, pool: pool)!
    let initial = try first.merging(start.weights)
      .merging(settings.start(network, teacher: teacher)).of(autoencoder)
    let stored = isResumed ? try Checkpoint(path: checkpointPath, key: recipe.digest) : nil
    if let done = stored?.curve.epochs.count, done > settings.epochs {
      throw DataFileError(
        file: checkpointPath, expected: "at most the \(settings.epochs) epochs of this training",
        found: "\(done) finished epochs",
        hint: "raise training.epochs, start over (--fresh), or train in another folder (--output)")
    }
    trainer = try AutoencoderTrainer(
      autoencoder, weights: stored?.weights ?? initial,
      capacity: min(settings.batchSize, data.training.count), pool: pool)
    let stage = stages[min(stored?.stage ?? 0, stages.count - 1)]
    (optimizer, schedule) = try Self.begin(stage, trainer, steps, pool)
    if let stored {
      guard Self.fits(stored.optimiser, optimizer.state) else {
        throw DataFileError(
          file: checkpointPath, expected: "the optimiser's state of \(network.title)",
          found: "one of another size", hint: "start over (--fresh)")
      }
      optimizer.restore(stored.optimiser, step: stored.optimiserSteps)
      steps.restore(stored.codewordSteps)
    }
    state =
      stored
      ?? Checkpoint(key: recipe.digest, weights: initial, optimiser: optimizer.state)
    batch = SampleBatch(data.training, capacity: min(settings.batchSize, data.training.count))
    if !isResumed { try beginSteps() }
  }

  /// Groups of the optimiser: encoder, decoder, then those of the codeword steps that have parameters.
  private static func begin(
    _ stage: TrainingStage, _ trainer: AutoencoderTrainer, _ steps: [any CodewordStep],
    _ pool: WorkerPool
  )
    throws(SettingsError) -> (any Optimizer, any Schedule)
  {
    trainer.freeze(stage.isFrozen)
    trainer.teacher = stage.teacher
    return (
      stage.optimizer(trainer.groups + steps.groups, pool), try stage.schedule(stage.epochs)
    )
  }

  private static func fits(_ a: [String: [Float]], _ b: [String: [Float]]) -> Bool {
    a.mapValues(\.count) == b.mapValues(\.count)
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

  /// Weights that a training without given ones starts from.
  package var initialWeights: Weights { Self.drawnWeights(network, settings, seed: seed) }

  private static func drawnWeights(
    _ network: NetworkChoice, _ settings: TrainingSettings, seed: UInt64
  ) -> Weights {
    initialWeights(network.autoencoder, seed: seed, outputGain: settings.outputGain)
  }

  private var stage: TrainingStage { stages[state.stage] }

  /// Of the last stage, so that all epochs are compared by the same number.
  private var ignoresGains: Bool { type(of: stages[stages.count - 1].loss).ignoresGains }

  private var stageIsOver: Bool {
    state.curve.epochs.count - state.stageStart >= stage.epochs
      || stage.stop.isMet(state.curve, start: state.stageStart)
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
    while true {
      if stageIsOver {
        guard state.stage + 1 < stages.count else { break }
        try beginNextStage()
        continue
      }
      let epoch = state.curve.epochs.count
      let order = data.training.order(ofEpoch: epoch, seed: seed)
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

  private func beginNextStage() throws {
    state.earlierSteps += optimizer.step
    state.stageStart = state.curve.epochs.count
    state.stage += 1
    (optimizer, schedule) = try Self.begin(stage, trainer, steps, pool)
  }

  /// Samples of the training set that codeword steps look at: its first ones, in batches.
  private func codewords(
    _ wanted: Int, _ encode: (UnsafePointer<Float>, _ count: Int) throws -> [Float]
  ) throws -> RealArray {
    let count = min(wanted, data.training.count)
    var values: [Float] = []
    for first in stride(from: 0, to: count, by: settings.batchSize) {
      let samples = Array(first..<min(first + settings.batchSize, count))
      try batch.load(samples[...], pool)
      values += try encode(batch.inputs, samples.count)
    }
    return RealArray(values, shape: [count, autoencoder.codewordLength])
  }

  private func beginSteps() throws {
    guard steps.sampleCount > 0 else { return }
    try steps.begin(codewords(steps.sampleCount) { trainer.codewords($0, count: $1) })
  }

  /// Lets the codeword steps follow the encoder, once for each epoch.
  private func adaptSteps(_ weights: Weights) throws {
    if steps.sampleCount > 0, !state.isAdapted {
      let plan = try InferencePlan(autoencoder.encoder, weights: weights)
      let size = data.training.sampleSize
      let sample = try codewords(steps.sampleCount) { inputs, count in
        let values = Array(UnsafeBufferPointer(start: inputs, count: count * size))
        return plan.run([values], count: count, pool: pool)[0]
      }
      try steps.adapt(sample, optimizer, first: trainer.groups.count)
    }
    state.isAdapted = true
  }

  /// One optimiser step on the next samples of the order.
  private func step(_ order: [Int], _ epoch: Int) throws {
    let first = state.stepInEpoch * settings.batchSize
    let samples = order[first..<min(first + settings.batchSize, order.count)]
    try batch.load(samples, pool)
    let (steps, length) = (steps, autoencoder.codewordLength)
    func pass(_ power: Double?) -> CodewordPass {
      CodewordPass(
        domain: .train, epoch: epoch, first: first, samples: samples.count, length: length,
        power: power)
    }
    var added = 0.0
    var lost: [Int] = []
    let loss =
      trainer.differentiate(
        batch.inputs, count: samples.count, target: batch.targets, loss: stage.loss,
        link: { codewords in
          added = steps.forward(codewords, count: samples.count * length, pass)
          lost = CodewordPass.clearLost(codewords, samples: samples.count, length: length)
        },
        linkBack: { gradient in
          for step in steps.reversed() { step.backward(gradient, pass(nil)) }
        }, lost: { lost }) + added
    guard loss.isFinite else {
      throw TrainingError(
        description: """
          training of \(network.title) diverged: the loss is \(loss) in epoch \(epoch + 1), step \(state.stepInEpoch + 1)
            hint: lower training.learning_rate
          """)
    }
    optimizer.update(rate: schedule.rate(at: optimizer.step))
    for step in steps { try step.finishUpdate() }
    state.stepInEpoch += 1
    state.lossSum += loss * Double(samples.count)
    samplesDone += samples.count
  }

  /// Validates, keeps the weights if they are the best, extends the curve; false if stopped before that.
  private func finishEpoch(_ shouldStop: @escaping @Sendable () -> Bool) throws -> Bool {
    let weights = trainer.weights
    try adaptSteps(weights)
    guard
      let validation = try Evaluation.of(
        autoencoder, weights, on: data.validation, steps: steps,
        ignoresGains: ignoresGains, domain: .validation, pool: pool, shouldStop: shouldStop)
    else { return false }
    guard validation.nmse.isFinite else {
      throw TrainingError(
        description: """
          training of \(network.title) diverged: the validation NMSE is \(validation.nmse) after epoch \(state.curve.epochs.count + 1)
            hint: lower training.learning_rate
          """)
    }
    if validation.nmse < state.curve.best?.validationNMSE ?? .infinity {
      state.best = weights
      state.bestSteps = steps.states
    }
    state.curve.append(
      LearningCurve.Epoch(
        number: state.curve.epochs.count + 1, steps: state.earlierSteps + optimizer.step,
        learningRate: schedule.rate(at: optimizer.step - 1),
        trainingLoss: state.lossSum / Double(data.training.count),
        validationLoss: validation.meanSquare, validationNMSE: validation.nmse))
    state.stepInEpoch = 0
    state.lossSum = 0
    state.isAdapted = false
    try AtomicFile.write(state.curve.csv, to: curvePath)
    return true
  }

  private func writeCheckpoint() throws {
    state.weights = trainer.weights
    state.optimiser = optimizer.state
    state.optimiserSteps = optimizer.step
    state.codewordSteps = steps.states
    try state.write(to: checkpointPath)
  }

  private func conclude(_ shouldStop: @escaping @Sendable () -> Bool) throws -> TrainingResult? {
    guard let best = state.best else { preconditionFailure("a training has at least one epoch") }
    try AtomicFile.write(state.curve.csv, to: curvePath)
    steps.restore(state.bestSteps)
    guard
      let test = try Evaluation.of(
        autoencoder, best, on: data.test, steps: steps, ignoresGains: ignoresGains,
        domain: .test, pool: pool,
        shouldStop: shouldStop)
    else { return nil }
    return TrainingResult(
      curve: state.curve, weights: best,
      tables: steps.reduce(into: [:]) { $0.merge($1.tables) { $1 } }, test: test,
      stoppedEarly: state.curve.epochs.count < settings.epochs)
  }

  private func progress(since start: ContinuousClock.Instant) -> TrainingProgress {
    let done = min(state.stepInEpoch * settings.batchSize, data.training.count)
    let epoch = state.curve.epochs.count
    return TrainingProgress(
      network: network.title, epoch: epoch + 1, epochs: settings.epochs, samples: samplesDone,
      elapsed: clock.now - start,
      samplesLeft: (settings.epochs - epoch) * data.training.count - done,
      loss: state.lossSum / Double(max(done, 1)),
      lastNMSEDB: state.curve.epochs.last?.validationNMSEDB,
      bestNMSEDB: state.curve.best?.validationNMSEDB)
  }
}
