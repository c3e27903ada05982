import DataFiles
import Foundation
import LinkMath
import Networks

/// What a training is told, as far as its numbers depend on it.
struct ReferenceSettings: Sendable {
  var batch = 8
  var loss: any Loss = MeanSquareLoss()
  var beta1 = 0.9
  var beta2 = 0.999
  var epsilon = 1e-8
  /// Linear; nil for a clean codeword.
  var codewordSNR: Double?
  var outputGain = 1.0
  /// Learning rate of update number t, from 0.
  var rate: @Sendable (Int) -> Double = { _ in 1e-3 }
}

/// The training loop written down once more, in the plainest form: it has only the gradients of a batch in common with the
/// program. Order, noise, Adam and initial weights are formed here, from the random streams that their documentation names.
struct ReferenceTraining {
  let network: Autoencoder
  let seed: UInt64
  let settings: ReferenceSettings
  private(set) var weights: Weights
  /// Mean loss of each finished epoch.
  private(set) var losses: [Double] = []
  private(set) var steps = 0
  private var first: [String: [Double]] = [:]
  private var second: [String: [Double]] = [:]
  private let pool = WorkerPool(threadCount: 1)

  init(_ network: Autoencoder, seed: UInt64, _ settings: ReferenceSettings) {
    self.network = network
    self.seed = seed
    self.settings = settings
    weights = Weights()
    for (instance, side) in [network.encoder, network.decoder].enumerated() {
      var stream = StreamKey(
        seed: seed, domain: .initialisation, purpose: .initialisation, instance: instance
      ).stream(drop: 0)
      weights = weights.merging(Weights.initial(side, using: &stream))
    }
    for key in network.decoder.outputScaleKeys {
      weights[key] = weights[key]!.map { Float(Double($0) * settings.outputGain) }
    }
  }

  /// One pass over samples of 2048 values.
  mutating func epoch(_ inputs: [Float], _ targets: [Float]) throws {
    let (count, epoch) = (inputs.count / 2048, losses.count)
    var stream = StreamKey(seed: seed, domain: .train, purpose: .selection).stream(drop: epoch)
    let order = stream.permutation(count)
    var sum = 0.0
    for start in stride(from: 0, to: count, by: settings.batch) {
      let members = order[start..<min(start + settings.batch, count)]
      let pick = { (values: [Float]) in
        members.flatMap { values[2048 * $0..<2048 * ($0 + 1)] }
      }
      let (input, target) = (pick(inputs), pick(targets))
      let noise = try noise(on: input, count: members.count, start: start, epoch: epoch)
      let trainer = try AutoencoderTrainer(
        network, weights: weights, capacity: members.count, pool: pool)
      let loss = trainer.differentiate(
        input, target: target, noise: noise, loss: settings.loss)
      sum += loss * Double(members.count)
      weights = trainer.weights
      descend(trainer.gradients)
    }
    losses.append(sum / Double(count))
  }

  /// Noise of power P / SNR, P the mean square of the batch's codewords; the i-th sample of an epoch has the stream of drop i in
  /// slot `epoch`.
  private func noise(on input: [Float], count: Int, start: Int, epoch: Int) throws -> [Float]? {
    guard let snr = settings.codewordSNR else { return nil }
    let length = network.codewordLength
    let trainer = try AutoencoderTrainer(network, weights: weights, capacity: count, pool: pool)
    var power = 0.0
    input.withUnsafeBufferPointer { input in
      _ = trainer.differentiate(input.baseAddress!, count: count) { codewords in
        for i in 0..<count * length { power += pow(Double(codewords[i]), 2) }
      }
    }
    power /= Double(count * length)
    return referenceNoise(
      power: power / snr, samples: start..<start + count, length: length,
      StreamKey(seed: seed, domain: .train, purpose: .feedbackNoise), slot: epoch)
  }

  /// Kingma and Ba, algorithm 1, in double precision.
  private mutating func descend(_ gradients: [String: [Float]]) {
    let (beta1, beta2) = (settings.beta1, settings.beta2)
    let rate = settings.rate(steps)
    steps += 1
    for (key, gradient) in gradients {
      var (m, v) = (
        first[key] ?? gradient.map { _ in 0 }, second[key] ?? gradient.map { _ in 0 }
      )
      for i in gradient.indices {
        let g = Double(gradient[i])
        m[i] = beta1 * m[i] + (1 - beta1) * g
        v[i] = beta2 * v[i] + (1 - beta2) * g * g
        let mean = m[i] / (1 - pow(beta1, Double(steps)))
        let square = v[i] / (1 - pow(beta2, Double(steps)))
        weights.values[key]![i] -= Float(rate * mean / (square.squareRoot() + settings.epsilon))
      }
      (first[key], second[key]) = (m, v)
    }
  }
}

/// Independent N(0, power) values [sample, length], one stream for each sample.
func referenceNoise(
  power: Double, samples: Range<Int>, length: Int, _ key: StreamKey, slot: Int = 0
) -> [Float] {
  samples.flatMap { sample -> [Float] in
    var stream = key.stream(drop: sample, slot: slot)
    return stream.normal(count: length).map { $0 * Float(power.squareRoot()) }
  }
}

/// Mean of ratios and mean squared error of an autoencoder in inference mode, its codewords disturbed by noise of the mean power of all of
/// them over `snr`.
func referenceEvaluation(
  _ network: Autoencoder, _ weights: Weights, inputs: [Float], targets: [Float], snr: Double?,
  _ key: StreamKey
) throws -> (nmse: Double, meanSquare: Double) {
  let (count, length) = (inputs.count / 2048, network.codewordLength)
  let pool = WorkerPool(threadCount: 1)
  var codewords = try InferencePlan(network.encoder, weights: weights).run(
    [inputs], count: count, pool: pool)[0]
  if let snr {
    let power = codewords.reduce(0.0) { $0 + Double($1) * Double($1) } / Double(codewords.count)
    let noise = referenceNoise(
      power: power / snr, samples: 0..<count, length: length, key)
    codewords = zip(codewords, noise).map { $0 + $1 }
  }
  let outputs = try InferencePlan(network.decoder, weights: weights).run(
    [codewords], count: count, pool: pool)[0]
  var (ratios, sum) = (0.0, 0.0)
  for sample in 0..<count {
    var (error, energy) = (0.0, 0.0)
    for i in 2048 * sample..<2048 * (sample + 1) {
      error += pow(Double(outputs[i]) - Double(targets[i]), 2)
      energy += pow(Double(targets[i]) - 0.5, 2)
    }
    ratios += error / energy
    sum += error
  }
  return (ratios / Double(count), sum / Double(count * 2048))
}
