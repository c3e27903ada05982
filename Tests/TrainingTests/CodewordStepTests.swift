import DataFiles
import Foundation
import LinkMath
import Networks
import Parts
import Synchronization
import TestSupport
import Testing
import Training

/// One learned gain for each output, pulled towards 1, that also remembers the mean codewords of each epoch.
private final class LearnedGain: CodewordStepPart, @unchecked Sendable {
  static let pull = Parameter<Double?>.optional("gain_pull", .number(.plain, 0...100), "Of a test.")
  static let word = "learned_gain"
  static let summary = "a learned gain for each output"
  static let keys = [pull.declaration]

  let values: TrainableValues
  let pull: Double
  var means: [Float] = []
  var received: [Float] = []

  init(_ length: Int, pull: Double) {
    values = TrainableValues(length)
    values.values.update(repeating: 1)
    self.pull = pull
  }

  static func make(_ settings: Settings, for network: NetworkChoice, seed: UInt64) -> LearnedGain? {
    settings[pull].map { LearnedGain(network.autoencoder.codewordLength, pull: $0) }
  }

  var parameters: TrainableValues? { values }
  var sampleCount: Int { 11 }

  func begin(_ sample: RealArray) { note(sample) }

  func endEpoch(_ sample: RealArray) -> [Range<Int>] {
    note(sample)
    return [1..<3]
  }

  private func note(_ sample: RealArray) {
    let length = sample[dimension: 1]
    for i in 0..<length {
      let sum = (0..<sample[dimension: 0]).reduce(0) { $0 + Double(sample[$1, i]) }
      means.append(Float(sum / Double(sample[dimension: 0])))
    }
  }

  func forward(_ codewords: UnsafeMutablePointer<Float>, _ pass: CodewordPass) -> Double {
    let (gains, count) = (values.values, pass.samples * pass.length)
    if pass.isTraining { received = Array(UnsafeBufferPointer(start: codewords, count: count)) }
    for i in 0..<count { codewords[i] *= gains[i % pass.length] }
    return gains.reduce(0.0) { $0 + pull * Double(($1 - 1) * ($1 - 1)) }
  }

  func backward(_ gradient: UnsafeMutablePointer<Float>, _ pass: CodewordPass) {
    let gains = values.values
    for i in gains.indices { values.gradients[i] = 2 * Float(pull) * (gains[i] - 1) }
    for i in 0..<pass.samples * pass.length {
      values.gradients[i % pass.length] += gradient[i] * received[i]
      gradient[i] *= gains[i % pass.length]
    }
  }

  var state: [String: [Float]] {
    get { ["gains": Array(values.values), "means": means] }
    set {
      _ = values.values.update(fromContentsOf: newValue["gains"]!)
      means = newValue["means"]!
    }
  }

  var tables: [String: RealArray] {
    ["gains": RealArray(Array(values.values), shape: [values.values.count])]
  }
}

/// What a program's own codeword step can do, and what of it checkpoints keep.
@Suite struct CodewordStepTests {
  private static let network = "cl-acrnet-1x"
  private static let registry = TrainingRegistry.standard.adding(LearnedGain.self)

  private func settings(_ given: [String: Setting] = [:]) throws -> TrainingSettings {
    let base: [String: Setting] = [
      "samples": .integer(22), "validation_samples": .integer(9), "test_samples": .integer(7),
      "batch": .integer(8), "epochs": .integer(4), "gain_pull": .number(0.01),
    ]
    let schema = TrainingSettings.schema(of: Self.registry)
    return try TrainingSettings(
      schema.settings(base.merging(given) { $1 }), registry: Self.registry)
  }

  private func loop(
    _ folder: SampleFolder, _ given: [String: Setting] = [:], stem: String = "net",
    threads: Int = 1
  ) throws -> TrainingLoop {
    try TrainingLoop(
      NetworkChoice(Self.network, compression: 64), settings: settings(given), data: folder.data(),
      seed: 5, stem: "\(folder.path)/\(stem)", pool: WorkerPool(threadCount: threads))
  }

  private func advance(_ loop: TrainingLoop, steps: Int = .max) throws -> TrainingResult? {
    let done = Atomic(0)
    return try loop.run(
      progress: { _ in done.wrappingAdd(1, ordering: .relaxed) },
      shouldStop: { done.load(ordering: .relaxed) >= steps })
  }

  private func tensors(_ folder: SampleFolder, _ stem: String = "net") throws -> [String: [Float]] {
    try ArrayFile.readAll("\(folder.path)/\(stem)-checkpoint.safetensors").reduce(into: [:]) {
      $0[$1.name!] = $1.floats()
    }
  }

  @Test(arguments: ["adam", "sgd"], [1, 5])
  func continuesToTheSameBytes(optimizer: String, stepsAtATime: Int) throws {
    let folder = try SampleFolder()
    let given: [String: Setting] = [
      "optimizer": .text(optimizer), "method.type": .text("two_stage"),
      "method.frozen": .list([.text("decoder")]), "codeword_snr_db": .number(9),
      "learning_rate": .number(0.01),
    ]
    let whole = try #require(try advance(try loop(folder, given, stem: "whole", threads: 2)))
    var result: TrainingResult?
    var parts = 0
    while result == nil {
      result = try advance(try loop(folder, given, stem: "parts"), steps: stepsAtATime)
      parts += 1
      try #require(parts < 60)
    }
    #expect(parts >= 12 / stepsAtATime)
    #expect(result?.weights == whole.weights && result?.test == whole.test)
    #expect(result?.tables == whole.tables)
    #expect(
      try folder.bytes("parts-checkpoint.safetensors")
        == folder.bytes("whole-checkpoint.safetensors"))
    // Once before the first epoch, and once for each; it stands behind the noise.
    #expect(try tensors(folder, "whole")["codeword.1.means"]?.count == 5 * 32)
  }

  /// The gains move; the tables of the result are those of the best epoch, and it is judged with them.
  @Test func theBestStateGoesWithTheBestWeights() throws {
    let folder = try SampleFolder()
    let given: [String: Setting] = ["epochs": .integer(30), "learning_rate": .number(0.3)]
    let result = try #require(try advance(loop(folder, given)))
    try #require(result.curve.best!.number < 30)
    let kept = try tensors(folder)
    let best = try #require(kept["best_codeword.0.gains"])
    #expect(result.tables["gains"]?.elements == best)
    #expect(best != kept["codeword.0.gains"] && best.contains { abs($0 - 1) > 0.05 })
    let network = try NetworkZoo.autoencoder(Self.network, compression: 64)
    let pool = WorkerPool(threadCount: 1)
    let inputs = SampleFolder.values(7, seed: 3)
    let codewords = try InferencePlan(network.encoder, weights: result.weights)
      .run([inputs], count: 7, pool: pool)[0]
    let received = codewords.enumerated().map { $1 * best[$0 % 32] }
    let outputs = try InferencePlan(network.decoder, weights: result.weights)
      .run([received], count: 7, pool: pool)[0]
    let square = zip(outputs, inputs).reduce(0.0) { $0 + pow(Double($1.0) - Double($1.1), 2) }
    #expect(abs(result.test.meanSquare / (square / Double(inputs.count)) - 1) < 1e-6)
  }

  /// The sample of an epoch's end is the first samples of the set through the encoder as at test time; that of the start is
  /// normalised by its batches.
  @Test func theSamplesOfAStep() throws {
    let folder = try SampleFolder()
    let training = try loop(folder, ["epochs": .integer(1)])
    let start = training.initialWeights
    #expect(try advance(training) != nil)
    let kept = try tensors(folder)
    let means = try #require(kept["codeword.0.means"])
    let network = try NetworkZoo.autoencoder(Self.network, compression: 64)
    let pool = WorkerPool(threadCount: 1)
    let inputs = SampleFolder.values(22, seed: 1)
    func mean(_ codewords: [Float]) -> [Float] {
      (0..<32).map { i in
        Float((0..<11).reduce(0.0) { $0 + Double(codewords[32 * $1 + i]) } / 11)
      }
    }
    var weights = Weights()
    for (key, values) in kept where key.hasPrefix("weights.") {
      weights[String(key.dropFirst("weights.".count))] = values
    }
    let last = try InferencePlan(network.encoder, weights: weights)
      .run([Array(inputs[..<(11 * 2048)])], count: 11, pool: pool)[0]
    #expect(Array(means[32...]) == mean(last))
    let trainer = try AutoencoderTrainer(network, weights: start, capacity: 8, pool: pool)
    var first: [Float] = []
    for range in [0..<8, 8..<11] {
      let batch = Array(inputs[2048 * range.lowerBound..<2048 * range.upperBound])
      _ = trainer.differentiate(batch, target: batch)
      first += trainer.encoder.output()
    }
    #expect(Array(means[..<32]) == mean(first))
    #expect(trainer.weights != start, "a training step moves the statistics")
  }

  /// The loss of a batch has the step's own term, and the gradient of the gains is that of the whole, by differences.
  @Test func gradients() throws {
    let network = try NetworkZoo.autoencoder(Self.network, compression: 64)
    let trainer = try AutoencoderTrainer(
      network, weights: TrainingLoop.initialWeights(network, seed: 4), capacity: 6,
      pool: WorkerPool(threadCount: 1))
    let input = SampleFolder.values(6, seed: 4)
    let step = LearnedGain(32, pull: 0.5)
    for i in 0..<32 { step.values.values[i] = 1 + 0.02 * Float(i % 7) }
    let pass = CodewordPass(domain: .train, epoch: 0, first: 0, samples: 6, length: 32)
    func loss() -> Double {
      var added = 0.0
      return input.withUnsafeBufferPointer { input in
        trainer.differentiate(
          input.baseAddress!, count: 6, link: { added = step.forward($0, pass) },
          linkBack: { step.backward($0, pass) }) + added
      }
    }
    _ = loss()
    let gradient = Array(step.values.gradients)
    for i in [0, 5, 31] {
      let value = step.values.values[i]
      step.values.values[i] = value + 0.05
      let above = loss()
      step.values.values[i] = value - 0.05
      let slope = (above - loss()) / 0.1
      step.values.values[i] = value
      #expect(abs(slope - Double(gradient[i])) < 2e-3 * abs(slope) + 1e-6, "\(i)")
    }
  }

  /// The optimiser forgets what it carried of values that were set anew, and nothing else.
  @Test func forgetting() throws {
    func updated(_ optimizer: (ParameterGroup) -> any Optimizer) -> (
      forgot: [Float], plain: [Float]
    ) {
      let results = [true, false].map { forgets -> [Float] in
        let values = TrainableValues(5)
        let optimizer = optimizer(values.group)
        for round in 0..<3 {
          for i in 0..<5 { values.gradients[i] = Float(i + 1) * (round == 2 ? -1 : 1) }
          if round == 2, forgets { optimizer.forget(1..<3, ofGroup: 0) }
          optimizer.update(rate: 0.1)
        }
        return Array(values.values)
      }
      return (results[0], results[1])
    }
    let pool = WorkerPool(threadCount: 1)
    for (name, results) in [
      ("adam", updated { Adam([$0], pool: pool) }), ("sgd", updated { SGD([$0], momentum: 0.9) }),
      ("centred_adam", updated { CentredAdam([$0], settings: .init(), pool: pool) }),
    ] {
      for i in 0..<5 {
        #expect((results.forgot[i] != results.plain[i]) == (1..<3).contains(i), "\(name) \(i)")
      }
    }
  }
}
