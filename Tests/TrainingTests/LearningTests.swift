import DataFiles
import Foundation
import LinkMath
import Networks
import Parts
import Synchronization
import Testing
import Training

/// Losses, optimisers and methods that a scenario can choose, and parameters that are frozen.
@Suite struct LearningTests {
  private static let network = "cl-acrnet-1x"

  private func loop(
    _ folder: SampleFolder, _ given: [String: Setting], stem: String = "net",
    network: String = Self.network, start: Weights = Weights()
  ) throws -> TrainingLoop {
    try TrainingLoop(
      NetworkChoice(network, compression: 64), settings: settings(given), data: folder.data(),
      seed: 5, start: (start, []), stem: "\(folder.path)/\(stem)",
      pool: WorkerPool(threadCount: 1))
  }

  /// Runs at most `steps` steps; the result if the training ended.
  private func advance(_ loop: TrainingLoop, steps: Int = .max) throws -> TrainingResult? {
    let done = Atomic(0)
    return try loop.run(
      progress: { _ in done.wrappingAdd(1, ordering: .relaxed) },
      shouldStop: { done.load(ordering: .relaxed) >= steps })
  }

  private func checkpoint(_ folder: SampleFolder, _ stem: String = "net") throws -> [String:
    [Float]]
  {
    var weights: [String: [Float]] = [:]
    for array in try ArrayFile.readAll("\(folder.path)/\(stem)-checkpoint.safetensors") {
      guard let name = array.name, name.hasPrefix("weights.") else { continue }
      weights[String(name.dropFirst("weights.".count))] = array.floats()
    }
    return weights
  }

  /// v <- μ v + g, w <- w - rate v, by the gradients of the batch.
  @Test func gradientDescentWithMomentum() throws {
    let autoencoder = try NetworkZoo.autoencoder(Self.network, compression: 64)
    let input = SampleFolder.values(6, seed: 4)
    let trainer = try AutoencoderTrainer(
      autoencoder, weights: TrainingLoop.initialWeights(autoencoder, seed: 2), capacity: 6,
      pool: WorkerPool(threadCount: 1))
    let sgd = SGD(trainer.groups, momentum: 0.75)
    var expected = trainer.weights.values
    var velocity = expected.mapValues { $0.map { _ in 0.0 } }
    for rate in [0.3, 0.1, 0.2] {
      _ = trainer.differentiate(input, target: input)
      for (key, gradient) in trainer.gradients {
        for i in gradient.indices {
          velocity[key]![i] = 0.75 * velocity[key]![i] + Double(gradient[i])
          expected[key]![i] = Float(Double(expected[key]![i]) - rate * velocity[key]![i])
        }
      }
      sgd.update(rate: rate)
    }
    #expect(sgd.step == 3)
    for (key, values) in trainer.weights.values where trainer.gradients[key] != nil {
      let close = zip(values, expected[key]!).allSatisfy { abs($0 - $1) <= 1e-6 * (1 + abs($1)) }
      #expect(close, "\(key)")
    }
  }

  private static let errors: [(any LossPart.Type, Double)] = [
    (RelativeErrorLoss.self, 0.3125 / 0.5 / 2), (SquaredNormLoss.self, 0.8125 / 2),
  ]

  /// Two samples, by hand: the ratios of their errors, of which a sample without energy counts nothing, and the mean of their
  /// squared errors; gradients by differences.
  @Test(arguments: errors)
  func errorsOfSamples(type: any LossPart.Type, expected: Double) throws {
    let loss = try type.init(TrainingSettings.schema.settings())
    let target: [Float] = [1, 0.5, 0, 0.5, 0.5, 0.5]
    let output: [Float] = [0.5, 0.5, 0.25, 1, 0, 0.5]
    func value(_ output: [Float]) -> (Double, [Float]) {
      var gradient = [Float](repeating: 9, count: 6)
      let value = gradient.withUnsafeMutableBufferPointer { gradient in
        output.withUnsafeBufferPointer { output in
          target.withUnsafeBufferPointer { target in
            loss.evaluate(
              LossBatch(output, target, samples: 2, count: 3),
              LossGradients(gradient.baseAddress!), pool: nil)
          }
        }
      }
      return (value, gradient)
    }
    let (mean, gradient) = value(output)
    #expect(abs(mean - expected) < 1e-7)
    for i in 0..<6 {
      var (above, below) = (output, output)
      above[i] += 1e-2
      below[i] -= 1e-2
      let slope = (value(above).0 - value(below).0) / 2e-2
      #expect(abs(slope - Double(gradient[i])) < 1e-4, "\(i)")
    }
  }

  /// Interrupted after every few steps, across stages, with every optimiser: the same bytes as without.
  @Test(arguments: ["adam", "centred_adam", "sgd"], [1, 4])
  func continuesToTheSameBytes(optimizer: String, stepsAtATime: Int) throws {
    let folder = try SampleFolder()
    // One with dense layers.
    let network = optimizer == "centred_adam" ? "csinet" : Self.network
    let given: [String: Setting] = [
      "optimizer": .text(optimizer), "method.type": .text("two_stage"),
      "method.frozen_epochs": .integer(2), "loss": .text("nmse"), "codeword_snr_db": .number(8),
    ]
    let whole = try #require(
      try advance(try loop(folder, given, stem: "whole", network: network)))
    var result: TrainingResult?
    var parts = 0
    while result == nil {
      result = try advance(
        try loop(folder, given, stem: "parts", network: network), steps: stepsAtATime)
      parts += 1
      try #require(parts < 60)
    }
    #expect(parts >= 12 / stepsAtATime)
    #expect(result?.weights == whole.weights && result?.test == whole.test)
    #expect(whole.curve.epochs.map(\.steps) == [3, 6, 9, 12])
    #expect(
      try folder.bytes("parts-checkpoint.safetensors")
        == folder.bytes("whole-checkpoint.safetensors"))
  }

  /// In the first stage the encoder keeps its parameters and statistics, and the decoder moves; then both do.
  @Test func theEncoderIsFrozenFirst() throws {
    let folder = try SampleFolder()
    let given: [String: Setting] = [
      "method.type": .text("two_stage"), "method.frozen_epochs": .integer(2),
    ]
    let training = try loop(folder, given)
    let start = training.initialWeights
    let encoder = try NetworkZoo.autoencoder(Self.network, compression: 64).encoder
    let keys = Set(encoder.parameters.map(\.key))
    #expect(try advance(training, steps: 6) == nil)
    let middle = try checkpoint(folder)
    for (key, values) in middle { #expect((values == start[key]) == keys.contains(key), "\(key)") }
    #expect(try advance(try loop(folder, given)) != nil)
    for (key, values) in try checkpoint(folder) { #expect(values != middle[key], "\(key)") }
  }

  /// A first stage of all epochs has no other behind it, whose schedule would have no epochs: what it keeps stays.
  @Test func theEncoderStaysFrozen() throws {
    let folder = try SampleFolder()
    let training = try loop(
      folder,
      [
        "method.type": .text("two_stage"), "method.frozen_epochs": .integer(4),
        "schedule.type": .text("warm_up_cosine"), "schedule.warm_up": .integer(1),
      ])
    let start = training.initialWeights
    let result = try #require(try advance(training))
    #expect(result.curve.epochs.count == 4)
    let encoder = try NetworkZoo.autoencoder(Self.network, compression: 64).encoder
    let keys = Set(encoder.parameters.map(\.key))
    for (key, values) in result.weights.values {
      #expect((values == start[key]) == keys.contains(key), "\(key)")
    }
  }

  /// A denoiser is trained before a decoder that is frozen, as is the encoder; weights to start from are taken.
  @Test func aDenoiserBeforeAFrozenDecoder() throws {
    let folder = try SampleFolder()
    let name = "dnnet {base: \(Self.network), hidden: [16]}"
    let base = try NetworkZoo.autoencoder(Self.network, compression: 64)
    let start = TrainingLoop.initialWeights(base, seed: 77)
    let given: [String: Setting] = [
      "method.type": .text("two_stage"), "method.frozen": .list([.text("!denoiser")]),
      "method.frozen_epochs": .integer(3), "codeword_snr_db": .number(3),
    ]
    let training = try loop(folder, given, network: name, start: start)
    let drawn = training.initialWeights
    #expect(try advance(training, steps: 9) == nil)
    for (key, values) in try checkpoint(folder) {
      if key.hasPrefix("denoiser.") {
        #expect(values != drawn[key], "\(key)")
      } else {
        #expect(values == start[key], "\(key)")
      }
    }
  }

  /// With its scale frozen, a normalisation is a constant map: forward as in inference, backward by central differences.
  @Test(arguments: ["crnet", "csinet-width"])
  func frozenNormalisations(_ name: String) throws {
    let network = try NetworkZoo.autoencoder(name, compression: 64).decoder
    var stream = StreamKey(seed: 4, domain: .test, purpose: .initialisation).stream(drop: 0)
    var weights = Weights.initial(network, using: &stream)
    for (key, parameter) in network.parameters where key.hasSuffix("running_var") {
      weights[key] = stream.normal(count: parameter.count).map { 0.5 + $0 * $0 }
    }
    let pool = WorkerPool(threadCount: 1)
    let plan = try TrainingPlan(
      network, weights: weights, capacity: 5, needsInputGradient: true, pool: pool)
    plan.freeze { !$0.hasPrefix("dec") || $0.hasPrefix("decoder_feature") }
    let input = stream.normal(count: 5 * 32)
    func output(_ input: [Float], isTraining: Bool) -> [Float] {
      plan.write(input)
      plan.forward(count: 5, isTraining: isTraining)
      return plan.output()
    }
    let values = output(input, isTraining: true)
    #expect(values == output(input, isTraining: false))
    #expect(plan.weights == weights)
    let direction = stream.normal(count: values.count)
    _ = output(input, isTraining: true)
    plan.write(gradient: direction)
    plan.backward()
    let gradient = plan.inputGradient()
    for i in stride(from: 0, to: input.count, by: 13) {
      let difference = [Float(2e-2), -2e-2].map { step in
        var moved = input
        moved[i] += step
        return zip(output(moved, isTraining: true), direction).reduce(0.0) {
          $0 + Double($1.0) * Double($1.1)
        }
      }
      let slope = (difference[0] - difference[1]) / 4e-2
      #expect(abs(slope - Double(gradient[i])) < 0.05 + 0.05 * abs(slope), "\(i)")
    }
    #expect(plan.group.count < network.parameterCount && plan.group.count > 0)
  }

  @Test(arguments: [
    (["label": Setting.text("a/b")], "label must be a word"),
    (["loss": .text("mae")], "must be one of mse, log_mse, squared_norm, nmse, sgcs"),
    (["optimizer": .text("adamw")], "must be one of adam, centred_adam, sgd"),
  ])
  func unfitKeys(_ given: [String: Setting], _ complaint: String) {
    let error = #expect(throws: SettingsError.self) { try settings(given) }
    #expect(error.map { "\($0)".contains(complaint) } == true, "\(String(describing: error))")
  }

  @Test func weightsToStartFrom() throws {
    let folder = try SampleFolder()
    let choice = try NetworkChoice(Self.network, compression: 64)
    let weights = TrainingLoop.initialWeights(choice.autoencoder, seed: 9)
    let files = try WeightsFile.write(
      weights, choice, metadata: ["normaliser": "none"], in: folder.path)
    let read = try StartWeights.read(files, for: choice)
    #expect(read.weights == weights && read.digests.count == 2)
    let half = try StartWeights.read([files[1]], for: choice)
    #expect(Set(half.weights.values.keys) == Set(choice.autoencoder.decoder.parameters.map(\.key)))
    #expect(throws: DataFileError.self, "another ratio") {
      try StartWeights.read(files, for: NetworkChoice(Self.network, compression: 16))
    }
    #expect(throws: DataFileError.self, "another network") {
      try StartWeights.read(files, for: NetworkChoice("cllwcsinet", compression: 16))
    }
  }

  /// 8-bit layers start from a folder of real ones, until it has their own.
  @Test func roundedLayersStartFromRealOnes() throws {
    let folder = try SampleFolder()
    func write(_ choice: NetworkChoice, seed: UInt64) throws -> Weights {
      let weights = TrainingLoop.initialWeights(choice.autoencoder, seed: seed)
      _ = try WeightsFile.write(weights, choice, metadata: ["normaliser": "none"], in: folder.path)
      return weights
    }
    let real = try write(NetworkChoice("acrnet-1x", compression: 64), seed: 9)
    let rounded = try NetworkChoice("acrnet {int8: both}", compression: 64)
    #expect(try StartWeights.read([folder.path], for: rounded).weights == real)
    _ = try write(rounded, seed: 10)
    #expect(try StartWeights.read([folder.path], for: rounded).weights != real)
  }
}
