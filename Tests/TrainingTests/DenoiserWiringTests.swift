import DataFiles
import Foundation
import LinkMath
import Networks
import Parts
import TestSupport
import Testing
import Training

/// CLLWCsiNet on noisy codewords: both branches of its decoder behind the noise, or the denoiser only.
@Suite struct DenoiserWiringTests {
  private static let size = 2 * 8 * 8

  private func network(_ wiring: String, _ activations: String, _ ratio: Int) throws
    -> NetworkChoice
  {
    try NetworkChoice(
      "cllwcsinet {noise_wiring: \(wiring), denoiser_activations: \(activations)}",
      compression: ratio, image: .image(angles: 8, taps: 8))
  }

  private func images(_ count: Int, seed: UInt64) -> [Float] {
    var stream = testStream(seed)
    return stream.normal(count: count * Self.size).map { 0.5 + 0.1 * $0 }
  }

  static let ratios = [4, 8, 16]
  static let kinds = ["both released", "both full", "denoiser_only released", "denoiser_only full"]

  /// The gradients of encoder weights and of weights of each branch, by central differences at fixed noise.
  @Test(arguments: kinds, ratios)
  func gradients(kind: String, ratio: Int) throws {
    let words = kind.split(separator: " ").map(String.init)
    let network = try network(words[0], words[1], ratio)
    let autoencoder = network.autoencoder
    #expect(autoencoder.codewordLength == Self.size / ratio)
    #expect(autoencoder.decoder.graph.inputShapes.count == (words[0] == "both" ? 1 : 2))
    let pool = WorkerPool(threadCount: 1)
    let start = TrainingLoop.initialWeights(autoencoder, seed: 2)
    let inputs = images(3, seed: 4)
    var stream = testStream(5)
    let noise = stream.normal(count: 3 * autoencoder.codewordLength).map { 0.3 * $0 }
    func run(_ weights: Weights) throws -> (loss: Double, gradients: [String: [Float]]) {
      let trainer = try AutoencoderTrainer(
        autoencoder, weights: weights, capacity: 3, pool: pool)
      let loss = trainer.differentiate(inputs, target: inputs, noise: noise)
      return (loss, trainer.gradients)
    }
    let found = try run(start).gradients
    for part in ["lat.", "dec.u1", "den.d1"] {
      let key = try #require(
        found.keys.filter { $0.hasPrefix(part) && $0.hasSuffix("weight") && start[$0] != nil }
          .sorted().first)
      let gradient = try #require(found[key])
      // Activations have kinks, so a tenth may lie between.
      // Along the gradient, whose slope is its norm: single weights move the loss by less than single precision tells.
      let norm = gradient.reduce(0.0) { $0 + Double($1) * Double($1) }.squareRoot()
      let h = 5e-4
      let losses = try [h, -h].map { step in
        var moved = start
        for i in gradient.indices { moved[key]![i] += Float(step * Double(gradient[i]) / norm) }
        return try run(moved).loss
      }
      let slope = (losses[0] - losses[1]) / (2 * h)
      #expect(abs(slope - norm) < 0.1 * norm + 1e-5, "\(key) \(slope) \(norm)")
    }
  }

  /// Judging a network whose reconstruction branch sees the codeword before the noise: both inputs of its decoder, by hand.
  @Test(arguments: ["both", "denoiser_only"]) func judged(wiring: String) throws {
    let network = try network(wiring, "released", 8)
    let weights = TrainingLoop.initialWeights(network.autoencoder, seed: 2)
    let pool = WorkerPool(threadCount: 2)
    let folder = try SampleFolder()
    let values = images(9, seed: 6)
    try ArrayFile.write(
      [NumericArray(name: nil, shape: [9, 2, 8, 8], floats: values)], to: folder.file("small"))
    let set = try SampleSet(inputs: folder.file("small"), shape: [2, 8, 8])
    let noise = CodewordNoise(.list([3]), power: .sample, seed: 7)
    let judged = try #require(
      try Evaluation.of(
        network.autoencoder, weights, on: set, steps: [noise], domain: .test, pool: pool,
        shouldStop: { false }))
    let length = network.autoencoder.codewordLength
    let clean = try InferencePlan(network.autoencoder.encoder, weights: weights)
      .run([values], count: 9, pool: pool)[0]
    var received = clean
    received.withUnsafeMutableBufferPointer {
      _ = noise.forward(
        $0.baseAddress!,
        CodewordPass(domain: .test, epoch: 0, first: 0, samples: 9, length: length))
    }
    let outputs = try InferencePlan(network.autoencoder.decoder, weights: weights)
      .run(wiring == "both" ? [received] : [received, clean], count: 9, pool: pool)[0]
    var ratio = 0.0
    for sample in 0..<9 {
      var (error, energy) = (0.0, 0.0)
      for i in sample * Self.size..<(sample + 1) * Self.size {
        error += pow(Double(outputs[i]) - Double(values[i]), 2)
        energy += pow(Double(values[i]) - 0.5, 2)
      }
      ratio += error / energy / 9
    }
    #expect(abs(judged.nmse / ratio - 1) < 1e-6)
  }
}
