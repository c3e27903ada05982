import LinkMath
import Networks
import Testing

@Suite struct DeterminismTests {
  static let networks = [
    "csinet", "csinet-width", "crnet", "acrnet-2x", "cllwcsinet", "cl-crnet",
    "clnet", "kd-crnet-se", "transnet", "dcrnetv2-mini", "dcrnet-2x",
  ]

  static func random(_ count: Int, seed: UInt64 = 1) -> [Float] {
    var stream = StreamKey(seed: seed, domain: .test, purpose: .channel).stream(drop: 0)
    return (0..<count).map { _ in Float(stream.uniform()) }
  }

  static func weights(_ network: Autoencoder) -> Weights {
    var stream = StreamKey(seed: 7, domain: .initialisation, purpose: .initialisation)
      .stream(drop: 0)
    return Weights.initial(network.encoder, using: &stream)
      .merging(Weights.initial(network.decoder, using: &stream))
  }

  /// Two steps of training give the same bits on one, two and three threads.
  @Test(arguments: networks)
  func trainingDoesNotDependOnThreads(_ name: String) throws {
    let network = try NetworkZoo.autoencoder(name, compression: 16)
    let input = Self.random(11 * 2048)
    let results = try [1, 2, 3].map { threads -> (Weights, [String: [Float]], Double) in
      let pool = WorkerPool(threadCount: threads)
      let trainer = try AutoencoderTrainer(
        network, weights: Self.weights(network), capacity: 13, pool: pool)
      let adam = Adam(trainer.groups, pool: pool)
      _ = trainer.differentiate(input, target: input)
      adam.update(rate: 1e-3)
      let loss = trainer.differentiate(input, target: input)
      return (trainer.weights, trainer.gradients, loss)
    }
    for other in results.dropFirst() {
      #expect(other.0 == results[0].0)
      #expect(other.1 == results[0].1)
      #expect(other.2 == results[0].2)
    }
  }

  /// A sample encoded and decoded alone has the bits it has in a batch, on any number of threads.
  @Test(arguments: networks)
  func inferenceDoesNotDependOnTheBatch(_ name: String) throws {
    let network = try NetworkZoo.autoencoder(name, compression: 16)
    let weights = Self.weights(network)
    let encoder = try InferencePlan(network.encoder, weights: weights)
    let decoder = try InferencePlan(network.decoder, weights: weights)
    let count = 41
    let input = Self.random(count * 2048)
    let length = network.codewordLength
    let together = [1, 3].map { threads -> ([Float], [Float]) in
      let pool = WorkerPool(threadCount: threads)
      let codewords = encoder.run([input], count: count, pool: pool)[0]
      return (codewords, decoder.run([codewords], count: count, pool: pool)[0])
    }
    #expect(together[0].0 == together[1].0)
    #expect(together[0].1 == together[1].1)
    let pool = WorkerPool(threadCount: 1)
    for sample in [0, 1, 20, 36, 40] {
      let alone = encoder.run(
        [Array(input[sample * 2048..<(sample + 1) * 2048])], count: 1, pool: pool)[0]
      #expect(alone == Array(together[0].0[sample * length..<(sample + 1) * length]))
      let output = decoder.run([alone], count: 1, pool: pool)[0]
      #expect(output == Array(together[0].1[sample * 2048..<(sample + 1) * 2048]))
    }
  }

  /// The two ways to evaluate one definition agree for every network, whatever the batch.
  @Test(arguments: NetworkZoo.standard.variants.filter { !$0.name.contains("cross") }.map(\.name))
  func inferenceMatchesTrainingPlan(_ name: String) throws {
    let ratios = try NetworkZoo.standard.variant(name).compressions()
    let network = try NetworkZoo.autoencoder(name, compression: ratios.last!)
    var stream = StreamKey(seed: 9, domain: .initialisation, purpose: .initialisation)
      .stream(drop: 0)
    let pool = WorkerPool(threadCount: 1)
    for side in [network.encoder, network.decoder] {
      var weights = Weights.initial(side, using: &stream)
      for (key, parameter) in side.parameters {
        if key.hasSuffix("running_mean") { weights[key] = stream.normal(count: parameter.count) }
        if key.hasSuffix("running_var") {
          weights[key] = stream.normal(count: parameter.count).map { 0.5 + $0 * $0 }
        }
        if key.hasPrefix("rezero") { weights[key] = [0.7] }
      }
      let count = 3
      let inputs = side.graph.inputShapes.map { stream.normal(count: count * $0.count) }
      let plan = try TrainingPlan(
        side, weights: weights, capacity: count, needsInputGradient: false, pool: pool)
      for (index, values) in inputs.enumerated() { plan.write(values, toInput: index) }
      plan.forward(count: count, isTraining: false)
      let expected = plan.output()
      let result = try InferencePlan(side, weights: weights).run(inputs, count: count, pool: pool)[
        0]
      let scale = expected.reduce(1) { max($0, abs($1)) }
      let worst = zip(result, expected).map { abs($0 - $1) }.max()!
      #expect(worst <= 2e-5 * scale)
    }
  }

  @Test func crossBatchAttentionNeedsTheBatch() throws {
    let network = try NetworkZoo.autoencoder("transnet-cross-batch", compression: 16)
    #expect(throws: NetworkError.needsWholeBatch("TransNet encoder")) {
      try InferencePlan(network.encoder, weights: Self.weights(network))
    }
  }
}
