import Foundation
import LinkMath
import Networks
import Testing

@Suite struct TrainingTests {
  /// Loss falls by more than half when an autoencoder is fitted to a few samples.
  @Test(arguments: [
    "csinet", "crnet", "acrnet-1x", "cllwcsinet", "dcrnetv2-mini",
  ])
  func lossFalls(_ name: String) throws {
    let network = try NetworkZoo.autoencoder(name, compression: 4)
    let pool = WorkerPool(threadCount: 2)
    let trainer = try AutoencoderTrainer(
      network, weights: DeterminismTests.weights(network), capacity: 12, pool: pool)
    let adam = Adam(trainer.groups, pool: pool)
    let input = DeterminismTests.random(12 * 2048)
    let first = trainer.differentiate(input, target: input)
    for _ in 0..<60 {
      adam.update(rate: 2e-3)
      _ = trainer.differentiate(input, target: input)
    }
    let last = trainer.differentiate(input, target: input)
    #expect(last < first / 2)
  }

  /// Noise on the codeword reaches the output and is constant in the backward pass.
  @Test func noiseOnTheCodeword() throws {
    let network = try NetworkZoo.autoencoder("cllwcsinet-clean", compression: 16)
    let pool = WorkerPool(threadCount: 1)
    let trainer = try AutoencoderTrainer(
      network, weights: DeterminismTests.weights(network), capacity: 4, pool: pool)
    let input = DeterminismTests.random(4 * 2048)
    let quiet = trainer.differentiate(input, target: input)
    let noise = DeterminismTests.random(4 * 128, seed: 3)
    let noisy = trainer.differentiate(input, target: input, noise: noise)
    #expect(quiet != noisy)
    let zero = [Float](repeating: 0, count: 4 * 128)
    #expect(trainer.differentiate(input, target: input, noise: zero) == quiet)
  }

  /// Running moments move by the momentum towards the mean of a batch and its unbiased variance, here of few values.
  @Test func runningMomentsOfColumns() throws {
    let (columns, momentum) = (4, 0.25)
    let norm = BatchNorm(columns, .init(epsilon: 1e-3, momentum: momentum, axis: .width))
    let network = Network("probe", norm, input: Shape(2, 1, columns))
    var stream = StreamKey(seed: 7, domain: .initialisation, purpose: .initialisation)
      .stream(drop: 0)
    let plan = try TrainingPlan(
      network, weights: Weights.initial(network, using: &stream), capacity: 2,
      needsInputGradient: false, pool: WorkerPool(threadCount: 1))
    let before = plan.weights
    let x = DeterminismTests.random(2 * 2 * columns)
    plan.write(x)
    plan.forward(count: 2, isTraining: true)
    for column in 0..<columns {
      let values = stride(from: column, to: x.count, by: columns).map { Double(x[$0]) }
      let mean = values.reduce(0, +) / 4
      let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 3
      for (key, batch) in [("running_mean", mean), ("running_var", variance)] {
        let (old, new) = (try #require(before[key]), try #require(plan.weights[key]))
        let moved = (1 - momentum) * Double(old[column]) + momentum * batch
        #expect(abs(Double(new[column]) - moved) < 1e-6, "\(key) \(column)")
      }
    }
  }

  @Test func losses() {
    let output: [Float] = [1, 2, 3, 4, 5, 6]
    let target: [Float] = [0, 2, 1, 4, 5, 9]
    var gradient = [Float](repeating: 0, count: 6)
    func value(_ loss: any Loss) -> Double {
      gradient.withUnsafeMutableBufferPointer { gradient in
        output.withUnsafeBufferPointer { output in
          target.withUnsafeBufferPointer { target in
            loss.evaluate(
              LossBatch(output, target, samples: 2, count: 3),
              LossGradients(gradient.baseAddress!), pool: nil)
          }
        }
      }
    }
    let mean = value(MeanSquareLoss())
    #expect(abs(mean - 14.0 / 6) < 1e-12)
    let slopes: [Float] = [1, 0, 2, 0, 0, -3]
    for (value, slope) in zip(gradient, slopes) { #expect(abs(value - slope / 3) < 1e-6) }
    let logarithm = value(LogMeanSquareLoss())
    #expect(abs(logarithm - log(7.0)) < 1e-12)
    for (value, slope) in zip(gradient, slopes) { #expect(abs(value - slope / 7) < 1e-6) }
  }

  @Test func schedules() {
    #expect(ConstantSchedule(1e-3).rate(at: 99) == 1e-3)
    #expect(StepSchedule(rate: 1, factor: 0.5, interval: 10).rate(at: 29) == 0.25)
    let exponential = ExponentialSchedule(rate: 2, factor: 0.25, interval: 10)
    #expect(abs(exponential.rate(at: 5) - 1) < 1e-12)
    let cosine = WarmUpCosineSchedule(maximum: 2e-3, minimum: 5e-5, warmUp: 100, total: 1100)
    #expect(cosine.rate(at: 0) == 0)
    #expect(abs(cosine.rate(at: 50) - 1e-3) < 1e-15)
    #expect(abs(cosine.rate(at: 100) - 2e-3) < 1e-15)
    #expect(abs(cosine.rate(at: 600) - (2e-3 + 5e-5) / 2) < 1e-15)
    #expect(abs(cosine.rate(at: 1100) - 5e-5) < 1e-15)
  }

  /// Stored moments continue to the same bits.
  @Test func adamResumes() throws {
    let network = try NetworkZoo.autoencoder("cl-crnet", compression: 16)
    let pool = WorkerPool(threadCount: 1)
    let input = DeterminismTests.random(4 * 2048)
    func make(_ weights: Weights) throws -> (AutoencoderTrainer, Adam) {
      let trainer = try AutoencoderTrainer(network, weights: weights, capacity: 4, pool: pool)
      return (trainer, Adam(trainer.groups, pool: pool))
    }
    func step(_ trainer: AutoencoderTrainer, _ adam: Adam) {
      _ = trainer.differentiate(input, target: input)
      adam.update(rate: 1e-3)
    }
    let (trainer, adam) = try make(DeterminismTests.weights(network))
    step(trainer, adam)
    let (second, resumed) = try make(trainer.weights)
    resumed.restore(adam.state, step: adam.step)
    step(trainer, adam)
    step(second, resumed)
    #expect(trainer.weights == second.weights)
  }

  @Test func missingAndMisshapenWeights() throws {
    let network = try NetworkZoo.autoencoder("csinet", compression: 64)
    var weights = DeterminismTests.weights(network)
    weights["enc_fc.bias"] = [1, 2]
    #expect(
      throws: NetworkError.unexpectedShape("enc_fc.bias", expected: [32], found: [2])
    ) { try weights.check(network.encoder) }
    weights.values["enc_fc.bias"] = nil
    #expect(throws: NetworkError.missingTensor("enc_fc.bias")) {
      try InferencePlan(network.encoder, weights: weights)
    }
  }

  /// Initial values lie inside the declared ranges and fill them.
  @Test func initialValues() throws {
    let network = try NetworkZoo.autoencoder("crnet", compression: 64)
    let values = try #require(DeterminismTests.weights(network)["encoder_fc.weight"])
    let bound = Float((6.0 / (2048 + 32)).squareRoot())
    #expect(values.allSatisfy { abs($0) <= bound })
    let variance = values.reduce(0) { $0 + Double($1) * Double($1) } / Double(values.count)
    // Variance of a uniform: bound² / 3, its estimate from n values within 4 sqrt(0.8 / n) of that.
    let expected = Double(bound * bound) / 3
    #expect(abs(variance / expected - 1) < 4 * (0.8 / Double(values.count)).squareRoot())
    let plus = try NetworkZoo.autoencoder("csinetplus", compression: 64)
    let normal = try #require(DeterminismTests.weights(plus)["enc_fc.weight"])
    #expect(normal.allSatisfy { abs($0) <= 0.1 })
    #expect(normal.contains { abs($0) > 0.09 })
  }

  /// Keras-derived networks start with zero biases.
  @Test func zeroBiases() throws {
    let network = try NetworkZoo.autoencoder("csinet", compression: 64)
    let weights = DeterminismTests.weights(network)
    #expect(weights["refine1.conv1.bias"] == [Float](repeating: 0, count: 8))
    #expect(weights["dec_fc.bias"]!.allSatisfy { $0 == 0 })
  }
}
