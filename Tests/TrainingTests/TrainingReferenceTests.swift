import DataFiles
import Foundation
import LinkMath
import Networks
import Parts
import Testing
import Training

/// A training from its files: losses, rates and weights are those of ``ReferenceTraining``, the judgement is recomputed.
@Suite struct TrainingReferenceTests {
  private static let name = "cl-acrnet-1x"
  private static let ratio = 64

  struct Case: Sendable, CustomTestStringConvertible {
    let testDescription: String
    /// Keys of the scenario, and what they mean to the reference.
    var keys: [String: Setting] = [:]
    var reference = ReferenceSettings()
    var epochs = 4
    var seed: UInt64 = 5
    var hasTargets = false
  }

  /// 22 samples in batches of 8 are 3 steps an epoch. Each key of `training` that decides about numbers is in one of them.
  static let cases = [
    Case(testDescription: "defaults"),
    Case(
      testDescription: "keys of adam, log_mse",
      keys: [
        "adam.beta1": .number(0.6), "adam.beta2": .number(0.8), "adam.epsilon": .number(1e-2),
        "loss": .text("log_mse"), "learning_rate": .number(2e-3),
      ],
      reference: ReferenceSettings(
        loss: LogMeanSquareLoss(), beta1: 0.6, beta2: 0.8, epsilon: 1e-2, rate: { _ in 2e-3 })),
    Case(
      testDescription: "noise, targets, warm-up and cosine",
      keys: [
        "codeword_snr_db": .number(-7), "schedule.type": .text("warm_up_cosine"),
        "schedule.warm_up": .integer(1), "schedule.minimum": .number(3e-4),
        "learning_rate": .number(4e-3),
      ],
      reference: ReferenceSettings(
        codewordSNR: pow(10, -0.7),
        rate: cosine), hasTargets: true),
    Case(
      testDescription: "steps, output gain, another seed",
      keys: [
        "schedule.type": .text("step"), "schedule.factor": .number(0.3),
        "schedule.interval": .integer(2), "output_gain": .number(0.25),
      ],
      reference: ReferenceSettings(
        outputGain: 0.25, rate: { 1e-3 * pow(0.3, Double($0 / 6)) }), seed: 91),
    Case(
      testDescription: "exponential decay, another batch",
      keys: [
        "schedule.type": .text("exponential"), "schedule.factor": .number(0.2),
        "schedule.interval": .integer(3), "batch": .integer(5),
      ],
      reference: ReferenceSettings(batch: 5, rate: { 1e-3 * pow(0.2, Double($0) / 15) }), epochs: 2),
  ]

  /// Three steps of rising rate up to 4e-3, then nine along half a cosine down to 3e-4.
  @Sendable private static func cosine(_ t: Int) -> Double {
    if t < 3 { return 4e-3 * Double(t) / 3 }
    return 3e-4 + 3.7e-3 * (1 + cos(Double.pi * Double(t - 3) / 9)) / 2
  }

  /// The columns of a curve file.
  private func curve(_ text: String) -> [[Double]] {
    text.split(separator: "\n").dropFirst(2).map { $0.split(separator: ",").map { Double($0)! } }
  }

  private func checkpointWeights(_ path: String) throws -> Weights {
    var weights = Weights()
    for array in try ArrayFile.readAll(path) {
      guard let name = array.name, name.hasPrefix("weights.") else { continue }
      weights[String(name.dropFirst("weights.".count))] = array.floats()
    }
    return weights
  }

  /// ‖a − b‖ over all parameters.
  private func distance(_ a: Weights, _ b: Weights) -> Double {
    a.values.reduce(0.0) { sum, entry in
      zip(entry.value, b[entry.key]!).reduce(sum) { $0 + pow(Double($1.0) - Double($1.1), 2) }
    }.squareRoot()
  }

  @Test(arguments: cases)
  func theLoopIsTheReference(test: Case) throws {
    let folder = try SampleFolder()
    // More than the 72 samples that are judged together.
    let data = TrainingData(
      training: try folder.set("train", 22, seed: 11, targetSeed: test.hasTargets ? 12 : nil),
      validation: try folder.set("validation", 80, seed: 13),
      test: try folder.set("test", 75, seed: 14), digest: "data")
    let loop = try TrainingLoop(
      NetworkChoice(Self.name, compression: Self.ratio),
      settings: settings(test.keys.merging(["epochs": .integer(test.epochs)]) { $1 }), data: data,
      seed: test.seed, stem: "\(folder.path)/net", pool: WorkerPool(threadCount: 2))
    let result = try #require(try loop.run(progress: { _ in }, shouldStop: { false }))

    let network = try NetworkZoo.autoencoder(Self.name, compression: Self.ratio)
    var reference = ReferenceTraining(network, seed: test.seed, test.reference)
    let start = reference.weights
    #expect(loop.initialWeights == start)
    let inputs = SampleFolder.values(22, seed: 11)
    let targets = test.hasTargets ? SampleFolder.values(22, seed: 12) : inputs
    let rows = curve(try folder.text("net-curve.csv"))
    try #require(rows.count == test.epochs)
    for (epoch, row) in rows.enumerated() {
      try reference.epoch(inputs, targets)
      #expect(row[0] == Double(epoch + 1) && row[1] == Double(reference.steps))
      let rate = test.reference.rate(reference.steps - 1)
      #expect(abs(row[2] - rate) <= 1e-12 * rate, "epoch \(epoch + 1): rate \(row[2]), \(rate)")
      let gap = abs(row[3] - reference.losses[epoch])
      #expect(
        gap < 1e-4 * max(abs(row[3]), 1e-3),
        "epoch \(epoch + 1): loss \(row[3]), \(reference.losses[epoch])")
    }
    // Gradients near zero may turn their sign by rounding, and Adam makes steps of full length of them.
    let last = try checkpointWeights("\(folder.path)/net-checkpoint.safetensors")
    let apart = distance(last, reference.weights) / distance(reference.weights, start)
    #expect(apart < 0.01, "weights are apart by \(apart) of their way")
    try judgement(test, result, last, network)
  }

  /// Validation of the last epoch and the test, from the weights.
  private func judgement(
    _ test: Case, _ result: TrainingResult, _ last: Weights, _ network: Autoencoder
  ) throws {
    let snr = test.reference.codewordSNR
    let key = { (domain: StreamKey.Domain) in
      StreamKey(seed: test.seed, domain: domain, purpose: .feedbackNoise)
    }
    let values = (SampleFolder.values(80, seed: 13), SampleFolder.values(75, seed: 14))
    let validation = try referenceEvaluation(
      network, last, inputs: values.0, targets: values.0, snr: snr, key(.validation))
    let epoch = result.curve.epochs.last!
    #expect(abs(epoch.validationNMSE / validation.nmse - 1) < 1e-7)
    #expect(abs(epoch.validationLoss / validation.meanSquare - 1) < 1e-7)
    let tested = try referenceEvaluation(
      network, result.weights, inputs: values.1, targets: values.1, snr: snr, key(.test))
    #expect(abs(result.test.nmse / tested.nmse - 1) < 1e-7)
    #expect(abs(result.test.meanSquare / tested.meanSquare - 1) < 1e-7)
    guard snr != nil else { return }
    let clean = try referenceEvaluation(
      network, last, inputs: values.0, targets: values.0, snr: nil, key(.validation))
    #expect(
      abs(clean.nmse / validation.nmse - 1) > 1e-5, "noise that changes nothing shows nothing")
  }

  /// The test judges the weights of the best epoch, which is not the last: the rate is so high that the loss goes up and down.
  @Test func theTestJudgesTheBestWeights() throws {
    let folder = try SampleFolder()
    let loop = try TrainingLoop(
      NetworkChoice(Self.name, compression: Self.ratio),
      settings: settings(["epochs": .integer(40), "learning_rate": .number(0.3)]),
      data: folder.data(), seed: 5, stem: "\(folder.path)/net", pool: WorkerPool(threadCount: 1))
    let result = try #require(try loop.run(progress: { _ in }, shouldStop: { false }))
    try #require(
      result.curve.best!.number < 40, "the last epoch was the best: the test shows nothing")
    let network = try NetworkZoo.autoencoder(Self.name, compression: Self.ratio)
    let samples = SampleFolder.values(7, seed: 3)
    let key = StreamKey(seed: 5, domain: .test, purpose: .feedbackNoise)
    let tested = try referenceEvaluation(
      network, result.weights, inputs: samples, targets: samples, snr: nil, key)
    #expect(abs(result.test.nmse / tested.nmse - 1) < 1e-7)
    let last = try checkpointWeights("\(folder.path)/net-checkpoint.safetensors")
    let other = try referenceEvaluation(
      network, last, inputs: samples, targets: samples, snr: nil, key)
    #expect(abs(other.nmse / tested.nmse - 1) > 1e-5)
  }
}
