import DataFiles
import Foundation
import LinkMath
import Networks
import Parts
import Synchronization
import Testing
import Training

/// The loop on the smallest network of the zoo.
@Suite struct TrainingLoopTests {
  private static let network = "cl-acrnet-1x"
  private static let ratio = 64

  private func loop(
    _ folder: SampleFolder, _ settings: TrainingSettings, stem: String = "net", threads: Int = 1,
    seed: UInt64 = 5, network: String = Self.network
  ) throws -> TrainingLoop {
    try TrainingLoop(
      NetworkChoice(network, compression: Self.ratio), settings: settings, data: folder.data(),
      seed: seed, stem: "\(folder.path)/\(stem)", pool: WorkerPool(threadCount: threads))
  }

  private func finish(_ loop: TrainingLoop) throws -> TrainingResult {
    try #require(try loop.run(progress: { _ in }, shouldStop: { false }))
  }

  /// Runs at most `steps` steps; true if the training ended.
  private func advance(_ loop: TrainingLoop, steps: Int) throws -> Bool {
    let done = Atomic(0)
    let result = try loop.run(
      progress: { _ in done.wrappingAdd(1, ordering: .relaxed) },
      shouldStop: { done.load(ordering: .relaxed) >= steps })
    return result != nil
  }

  @Test func lossFalls() throws {
    let folder = try SampleFolder()
    let curve = try finish(try loop(folder, settings(["epochs": .integer(12)]))).curve
    #expect(curve.epochs.count == 12)
    #expect(curve.epochs.last!.trainingLoss < 0.5 * curve.epochs[0].trainingLoss)
    #expect(curve.epochs.map(\.steps) == (1...12).map { 3 * $0 })
  }

  @Test(arguments: [[:], ["codeword_snr_db": Setting.number(10)]] as [[String: Setting]])
  func sameBytesForAnyThreadCount(_ given: [String: Setting]) throws {
    let folder = try SampleFolder()
    let one = try finish(try loop(folder, settings(given), stem: "one"))
    let two = try finish(try loop(folder, settings(given), stem: "two", threads: 2))
    #expect(one.weights == two.weights)
    #expect(one.test == two.test)
    #expect(try folder.text("one-curve.csv") == folder.text("two-curve.csv"))
    #expect(
      try folder.bytes("one-checkpoint.safetensors") == folder.bytes("two-checkpoint.safetensors"))
  }

  /// Stopped after every step, in the middle of epochs, between them and in validation.
  @Test(arguments: [1, 2, 5])
  func continuesToTheSameBytes(stepsAtATime: Int) throws {
    let folder = try SampleFolder()
    let given: [String: Setting] = [
      "codeword_snr_db": .number(5), "schedule.type": .text("warm_up_cosine"),
      "schedule.warm_up": .integer(1), "loss": .text("log_mse"),
    ]
    let whole = try finish(try loop(folder, settings(given), stem: "whole"))
    var parts = 0
    while try !advance(try loop(folder, settings(given), stem: "parts"), steps: stepsAtATime) {
      parts += 1
      try #require(parts < 100)
    }
    #expect(parts >= 12 / stepsAtATime - 1)
    let again = try finish(try loop(folder, settings(given), stem: "parts"))
    #expect(again.weights == whole.weights)
    #expect(again.test == whole.test)
    #expect(try folder.text("parts-curve.csv") == folder.text("whole-curve.csv"))
    #expect(
      try folder.bytes("parts-checkpoint.safetensors")
        == folder.bytes("whole-checkpoint.safetensors"))
  }

  /// A binary network goes on from its real shadow weights; its finished file has bits, which give the same outputs.
  @Test func binaryNetworksContinueToTheSameBytes() throws {
    let folder = try SampleFolder()
    let name = "bcsinet {binary: both}"
    let given: [String: Setting] = ["learning_rate": .number(0.01)]
    let whole = try finish(
      try loop(folder, settings(given), stem: "whole", threads: 2, network: name))
    var parts = 0
    while try !advance(
      try loop(folder, settings(given), stem: "parts", network: name), steps: 2)
    {
      parts += 1
      try #require(parts < 100)
    }
    let again = try finish(try loop(folder, settings(given), stem: "parts", network: name))
    #expect(again.weights == whole.weights)
    #expect(again.test == whole.test)
    #expect(
      try folder.bytes("parts-checkpoint.safetensors")
        == folder.bytes("whole-checkpoint.safetensors"))
    let choice = try NetworkChoice(name, compression: Self.ratio)
    try WeightsFile.write(
      whole.weights, choice, metadata: ["normaliser": "none"], in: folder.path)
    let file = try WeightsFile(folder.path, choice, .encoder)
    #expect(file.weights.packed.keys.sorted() == ["encoder_binary_fc.weight"])
    let pool = WorkerPool(threadCount: 1)
    let input = [Float](repeating: 0.4, count: 2048)
    let plans = try [file.weights, whole.weights].map {
      try InferencePlan(choice.autoencoder.encoder, weights: $0).run([input], count: 1, pool: pool)
    }
    #expect(plans[0] == plans[1])
  }

  /// With a rate that does not depend on the number of epochs, a longer training continues a shorter one.
  @Test func moreEpochsContinue() throws {
    let folder = try SampleFolder()
    _ = try finish(try loop(folder, settings(["epochs": .integer(2)]), stem: "short"))
    let longer = try finish(try loop(folder, settings(["epochs": .integer(5)]), stem: "short"))
    let whole = try finish(try loop(folder, settings(["epochs": .integer(5)]), stem: "whole"))
    #expect(longer.weights == whole.weights)
    #expect(longer.curve == whole.curve)
    let cosine: [String: Setting] = [
      "schedule.type": .text("warm_up_cosine"), "schedule.warm_up": .integer(0),
    ]
    let ordered: [String: Setting] = [
      "quantizer.type": .text("vector"), "quantizer.ordered_epochs": .integer(1),
    ]
    for (stem, given) in [("cosine", cosine), ("ordered", ordered)] {
      _ = try finish(try loop(folder, settings(given), stem: stem))
      #expect(throws: DataFileError.self) {
        try loop(folder, settings(given.merging(["epochs": .integer(5)]) { $1 }), stem: stem)
      }
    }
  }

  @Test func otherTrainingsAreRefused() throws {
    let folder = try SampleFolder()
    _ = try advance(try loop(folder, settings()), steps: 2)
    #expect(throws: DataFileError.self) {
      try loop(folder, settings(["learning_rate": .number(0.01)]))
    }
    #expect(throws: DataFileError.self) { try loop(folder, settings(), seed: 6) }
    #expect(throws: DataFileError.self) { try loop(folder, settings(), network: "cl-crnet") }
    #expect(throws: DataFileError.self) {
      try loop(folder, settings(["patience": .integer(3)]))
    }
    // Fewer epochs than are done already would give other weights than a training of their own.
    _ = try finish(try loop(folder, settings()))
    #expect(throws: DataFileError.self) { try loop(folder, settings(["epochs": .integer(3)])) }
  }

  @Test func damagedCheckpoints() throws {
    let folder = try SampleFolder()
    _ = try advance(try loop(folder, settings()), steps: 4)
    let path = "\(folder.path)/net-checkpoint.safetensors"
    let good = try folder.bytes("net-checkpoint.safetensors")
    for cut in [0, 7, 100, 3000, good.count / 2, good.count - 1] {
      try good.prefix(cut).write(to: URL(filePath: path))
      #expect(throws: (any Error).self, "cut at \(cut)") { try loop(folder, settings()) }
    }
    try good.write(to: URL(filePath: path))
    _ = try loop(folder, settings())
  }

  /// The kept weights are those of the best epoch, by a second evaluation of another kind.
  @Test func bestEpochIsKept() throws {
    let folder = try SampleFolder()
    // A rate so high that the loss goes up and down.
    let result = try finish(
      try loop(folder, settings(["epochs": .integer(40), "learning_rate": .number(0.3)])))
    let best = try #require(result.curve.best)
    let autoencoder = try NetworkZoo.autoencoder(Self.network, compression: Self.ratio)
    let encoder = try InferencePlan(autoencoder.encoder, weights: result.weights)
    let decoder = try InferencePlan(autoencoder.decoder, weights: result.weights)
    let pool = WorkerPool(threadCount: 1)
    let values = SampleFolder.values(9, seed: 2)
    let codewords = encoder.run([values], count: 9, pool: pool)
    let outputs = decoder.run(codewords, count: 9, pool: pool)[0]
    let ratios = (0..<9).map { sample -> Double in
      var (error, energy) = (0.0, 0.0)
      for i in sample * 2048..<(sample + 1) * 2048 {
        error += pow(Double(outputs[i]) - Double(values[i]), 2)
        energy += pow(Double(values[i]) - 0.5, 2)
      }
      return error / energy
    }
    let nmse = ratios.reduce(0, +) / 9
    #expect(abs(nmse / best.validationNMSE - 1) < 1e-5)
    #expect(result.curve.epochs.allSatisfy { $0.validationNMSE >= best.validationNMSE })
    #expect(best.number < 40, "the last epoch was the best: the test shows nothing")
  }

  @Test func patience() throws {
    let folder = try SampleFolder()
    let given: [String: Setting] = [
      "epochs": .integer(60), "learning_rate": .number(0.05), "patience": .integer(2),
    ]
    let result = try finish(try loop(folder, settings(given)))
    #expect(result.stoppedEarly)
    #expect(result.curve.epochs.count == result.curve.best!.number + 2)
  }

  @Test func divergenceIsAnError() throws {
    let folder = try SampleFolder()
    try folder.write("train", SampleFolder.values(22, seed: 1).map { $0 * 1e30 })
    let set = try SampleSet(inputs: folder.file("train"), shape: [2, 32, 32])
    let data = TrainingData(training: set, validation: set, test: set, digest: "large")
    let loop = try TrainingLoop(
      NetworkChoice(Self.network, compression: Self.ratio), settings: settings(), data: data,
      seed: 1,
      stem: "\(folder.path)/net", pool: WorkerPool(threadCount: 1))
    #expect(throws: TrainingError.self) {
      _ = try loop.run(progress: { _ in }, shouldStop: { false }) != nil
    }
    #expect(!FileManager.default.fileExists(atPath: "\(folder.path)/net-curve.csv"))
  }

  /// The learning rates of the curve are those of the schedule at the last step of each epoch.
  @Test func schedules() throws {
    let folder = try SampleFolder()
    let step = try finish(
      try loop(
        folder,
        settings([
          "schedule.type": .text("step"), "schedule.factor": .number(0.5),
          "schedule.interval": .integer(2),
        ]), stem: "step"))
    #expect(step.curve.epochs.map(\.learningRate) == [1e-3, 1e-3, 5e-4, 5e-4])
    #expect(throws: SettingsError.self) {
      try settings(["schedule.type": .text("warm_up_cosine"), "schedule.warm_up": .integer(4)])
    }
  }

  /// Targets of their own: an autoencoder that sees pure noise cannot follow them, and its loss tells.
  @Test func targetsApartFromInputs() throws {
    let folder = try SampleFolder()
    let data = try folder.data()
    let apart = TrainingData(
      training: try folder.set("pair", 22, seed: 11, targetSeed: 12), validation: data.validation,
      test: data.test, digest: "pair")
    let loop = try TrainingLoop(
      NetworkChoice(Self.network, compression: Self.ratio),
      settings: settings(["epochs": .integer(1)]),
      data: apart, seed: 5, stem: "\(folder.path)/pair", pool: WorkerPool(threadCount: 1))
    let trainer = try AutoencoderTrainer(
      NetworkZoo.autoencoder(Self.network, compression: Self.ratio),
      weights: loop.initialWeights, capacity: 22, pool: WorkerPool(threadCount: 1))
    let first = try #require(firstOrder(seed: 5))
    let inputs = SampleFolder.values(22, seed: 11)
    let targets = SampleFolder.values(22, seed: 12)
    let pick = { (values: [Float]) in first.flatMap { values[$0 * 2048..<($0 + 1) * 2048] } }
    let expected = trainer.differentiate(pick(inputs), target: pick(targets))
    let seen = Mutex<Double?>(nil)
    _ = try loop.run(
      progress: { progress in seen.withLock { $0 = $0 ?? progress.loss } }, shouldStop: { false })
    #expect(abs(seen.withLock { $0! } / expected - 1) < 1e-9)
  }

  /// The first batch of the first epoch.
  private func firstOrder(seed: UInt64) -> ArraySlice<Int>? {
    var stream = StreamKey(seed: seed, domain: .train, purpose: .selection).stream(drop: 0)
    return stream.permutation(22).prefix(8)
  }

  @Test func samplesThatCannotBeUsed() throws {
    let folder = try SampleFolder()
    var values = SampleFolder.values(22, seed: 1)
    values[5 * 2048 + 17] = .nan
    try folder.write("train", values)
    let set = try SampleSet(inputs: folder.file("train"), shape: [2, 32, 32])
    let data = TrainingData(training: set, validation: set, test: set, digest: "nan")
    let loop = try TrainingLoop(
      NetworkChoice(Self.network, compression: Self.ratio), settings: settings(), data: data,
      seed: 1,
      stem: "\(folder.path)/net", pool: WorkerPool(threadCount: 2))
    #expect(throws: DataFileError.self) {
      try loop.run(progress: { _ in }, shouldStop: { false })
    }
    #expect(throws: DataFileError.self) {
      try SampleSet(inputs: folder.file("train"), shape: [2, 32, 16])
    }
  }

  /// Only the batch normalisations that reach the output's sigmoid start at the gain.
  @Test(arguments: [
    ("cllwcsinet", ["out.bn.weight"]), ("csinet", []), ("transnet", []),
    (
      "acrnet-1x",
      ["conv5x5_bn", "ACRDecoderBlock1.conv3_bn", "ACRDecoderBlock2.conv3_bn"].map {
        "decoder_feature.\($0).bn.weight"
      }
    ),
  ])
  func outputGain(network: String, keys: [String]) throws {
    let autoencoder = try NetworkZoo.autoencoder(network, compression: 16)
    #expect(Set(autoencoder.decoder.outputScaleKeys) == Set(keys))
    let plain = TrainingLoop.initialWeights(autoencoder, seed: 1)
    let small = TrainingLoop.initialWeights(autoencoder, seed: 1, outputGain: 0.1)
    for (key, values) in plain.values {
      #expect(small[key] == (keys.contains(key) ? values.map { $0 * 0.1 } : values), "\(key)")
    }
  }
}
