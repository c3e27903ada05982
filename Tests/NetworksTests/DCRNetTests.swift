import DataFiles
import Foundation
import LinkMath
import Networks
import TestSupport
import Testing

/// Complex measurements, rank-one terms and what else DCRNet, DCRNetV2 and LRP are made of, against plain loops in Double.
@Suite struct DCRNetTests {
  /// Sizes that the kernels take as they lie, and sizes that they do not.
  static let images = [(32, 32), (5, 7), (13, 32), (64, 3)].map {
    Shape.image(angles: $0.0, taps: $0.1)
  }

  private static func drawn(_ network: Network) -> (weights: Weights, stream: RandomStream) {
    var stream = StreamKey(seed: 6, domain: .test, purpose: .initialisation).stream(drop: 0)
    return (Weights.initial(network, using: &stream), stream)
  }

  private static func run(_ network: Network, _ weights: Weights, _ input: [Float]) throws
    -> [Float]
  {
    try InferencePlan(network, weights: weights)
      .run([input], count: 1, pool: WorkerPool(threadCount: 1))[0]
  }

  /// `u_kᴴ H v_k` with the conjugate on u alone; 70 measurements are more than are taken at once.
  @Test(arguments: images, [true, false])
  func measurements(_ image: Shape, _ isComplex: Bool) throws {
    let count = 70
    let network = Network(
      "probe", BilinearMeasurement(image, count: count, isComplex: isComplex), input: image)
    var (weights, stream) = Self.drawn(network)
    let x = (0..<image.count).map { _ in Float(stream.uniform()) }
    let (rows, columns) = (image.height, image.width)
    func value(_ key: String, _ k: Int, _ i: Int, _ length: Int) -> Double {
      Double(weights[key]?[k * length + i] ?? 0)
    }
    let h = x.map { 2 * Double($0) - 1 }
    var expected = [Double](repeating: 0, count: 2 * count)
    for k in 0..<count {
      for i in 0..<rows {
        for j in 0..<columns {
          let (re, im) = (h[i * columns + j], h[image.plane + i * columns + j])
          let (uRe, uIm) =
            isComplex
            ? (value("u_re", k, i, rows), value("u_im", k, i, rows)) : (value("u", k, i, rows), 0)
          let (vRe, vIm) =
            isComplex
            ? (value("v_re", k, j, columns), value("v_im", k, j, columns))
            : (value("v", k, j, columns), 0)
          let (a, b) = (re * vRe - im * vIm, re * vIm + im * vRe)
          expected[k] += uRe * a + uIm * b
          expected[count + k] += uRe * b - uIm * a
        }
      }
    }
    let result = try Self.run(network, weights, x)
    #expect(result.count == expected.count)
    #expect(zip(result, expected).allSatisfy { abs(Double($0) - $1) < 2e-5 })
    #expect(
      network.graph.costs.products == (isComplex ? 4 : 2) * count * rows * (columns + 1))
  }

  @Test(arguments: images)
  func sumsOfOuterProducts(_ image: Shape) throws {
    let (rows, columns, ranks) = (image.height, image.width, 3)
    let pitch = 2 * (rows + columns)
    let network = Network(
      "probe", OuterProductSum(image), input: Shape(1, ranks, pitch))
    let x = KernelTests.random(ranks * pitch, 3)
    var expected = [Double](repeating: 0, count: image.count)
    for e in 0..<ranks {
      let rank = x[e * pitch..<(e + 1) * pitch].map { Double($0) }
      for i in 0..<rows {
        for j in 0..<columns {
          let (dRe, dIm) = (rank[i], rank[rows + i])
          let (aRe, aIm) = (rank[2 * rows + j], rank[2 * rows + columns + j])
          expected[i * columns + j] += dRe * aRe + dIm * aIm
          expected[image.plane + i * columns + j] += dIm * aRe - dRe * aIm
        }
      }
    }
    let result = try Self.run(network, Weights(), x)
    #expect(zip(result, expected).allSatisfy { abs(Double($0) - $1) < 2e-5 })
    #expect(network.graph.costs.products == 4 * ranks * image.plane)
  }

  /// Six channels in two groups: `[0, 1, 2 | 3, 4, 5]` becomes 0, 3, 1, 4, 2, 5.
  @Test func shuffle() throws {
    let network = Network("probe", ChannelShuffle(groups: 2), input: Shape(6, 1, 2))
    let x = (0..<12).map { Float($0) }
    #expect(try Self.run(network, Weights(), x) == [0, 1, 6, 7, 2, 3, 8, 9, 4, 5, 10, 11])
  }

  @Test func normalisationWithoutParameters() throws {
    let network = Network("probe", Standardization(epsilon: 0.5), input: Shape(1, 2, 5))
    let x = KernelTests.random(10, 4)
    let expected = [0, 5].flatMap { start -> [Double] in
      let token = x[start..<start + 5].map { Double($0) }
      let mean = token.reduce(0, +) / 5
      let variance = token.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 5
      return token.map { ($0 - mean) / (variance + 0.5).squareRoot() }
    }
    let result = try Self.run(network, Weights(), x)
    #expect(zip(result, expected).allSatisfy { abs(Double($0) - $1) < 1e-6 })
    #expect(network.parameterCount == 0)
  }

  /// Outside of [0, 1] the gradient is exactly zero, at the ends and inside it passes.
  @Test func clip() throws {
    let network = Network("probe", Clip(0...1), input: .vector(6))
    let plan = try TrainingPlan(
      network, weights: Weights(), capacity: 1, needsInputGradient: true,
      pool: WorkerPool(threadCount: 1))
    plan.write([-0.5, 0, 0.25, 1, 1.5, -2])
    plan.forward(count: 1, isTraining: true)
    #expect(plan.output() == [0, 0, 0.25, 1, 1, 0])
    plan.write(gradient: [1, 2, 3, 4, 5, 6])
    plan.backward()
    #expect(plan.inputGradient() == [0, 2, 3, 4, 0, 0])
    #expect(network.outputRange == 0...1)
  }

  /// Deviations within five of their own: those of n normal values have a relative error of 1 / sqrt(2 n).
  @Test func initialValues() throws {
    let network = try NetworkZoo.autoencoder("dcrnetv2-large-in4", compression: 8)
    let weights = drawnWeights(network)
    func deviation(_ key: String) throws -> (Double, Int) {
      let values = try #require(weights[key]).map { Double($0) }
      return ((values.reduce(0) { $0 + $1 * $1 } / Double(values.count)).squareRoot(), values.count)
    }
    let uniform = { (fanIn: Double) in 1 / (3 * fanIn).squareRoot() }
    for (key, expected) in [
      ("enc_neural.u_re", 1 / 32.0.squareRoot()), ("enc_neural.v_im", 1 / 32.0.squareRoot()),
      ("enc_neural.mix.weight", uniform(1024)), ("enc_neural.mix.bias", uniform(1024)),
      ("enc_dilate.proj.weight", 0.02), ("fuse_enc.fc1.weight", 0.02),
      ("decoder.direct.proj.weight", uniform(256)), ("decoder.extra.code_proj.weight", 0.02),
      ("decoder.extra.W_a_re", 0.25), ("enc_dilate.block.conv2.conv.weight", uniform(18)),
    ] {
      let (found, count) = try deviation(key)
      #expect(abs(found / expected - 1) < 5 / (2 * Double(count)).squareRoot(), "\(key)")
    }
    #expect(try deviation("fuse_enc.fc2.weight").0 == 0)
    #expect(weights["enc_dilate.proj.bias"]?.allSatisfy { $0 == 0 } == true)
    #expect(weights["decoder.extra.rank_gate.bias"] == [Float](repeating: -4, count: 32))
    #expect(weights["decoder.extra.rank_gate.weight"]?.allSatisfy { $0 == 0 } == true)
    #expect(weights["decoder.extra.alpha"] == [0.05])
    #expect(weights["enc_dilate.gate"] == [1e-3] && weights["refine.stages.0.gate"] == [1e-3])
    #expect(weights["refine.stages.0.prelu2.weight"] == [0.3, 0.3])
    let plain = try NetworkZoo.autoencoder("dcrnet {expansion: 10}", compression: 32)
    let grouped = drawnWeights(plain)
    for (key, variance) in [
      ("decoder_feature.DCRDecoderBlock1.path1.conv_1x5.conv.weight", 2 / (80 * 3.0)),
      ("encoder_fc.weight", 1e-6),
    ] {
      let values = try #require(grouped[key]).map { Double($0) }
      let found = values.reduce(0) { $0 + $1 * $1 } / Double(values.count)
      #expect(abs(found / variance - 1) < 5 * (2 / Double(values.count)).squareRoot(), "\(key)")
    }
    #expect(grouped["decoder_fc.bias"]?.allSatisfy { $0 == 0 } == true)
  }

  /// With positive slopes the last PReLU before the clip changes nothing: its gradient is zero and it stays as it is.
  @Test func lastSlopesStay() throws {
    let network = try NetworkZoo.autoencoder("dcrnetv2-mini", compression: 64)
    let pool = WorkerPool(threadCount: 2)
    let trainer = try AutoencoderTrainer(
      network, weights: drawnWeights(network), capacity: 8, pool: pool)
    let adam = Adam(trainer.groups, pool: pool)
    let input = DeterminismTests.random(8 * 2048)
    _ = trainer.differentiate(input, target: input)
    // The fusion's second layer is zero, so nothing reaches the first one yet.
    #expect(trainer.gradients["fuse_enc.fc1.weight"]?.allSatisfy { $0 == 0 } == true)
    for _ in 0..<3 {
      adam.update(rate: 2e-3)
      _ = trainer.differentiate(input, target: input)
    }
    #expect(trainer.gradients["refine.stages.0.prelu2.weight"] == [0, 0])
    #expect(trainer.gradients["fuse_enc.fc1.weight"]?.contains { $0 != 0 } == true)
    #expect(trainer.weights["refine.stages.0.prelu2.weight"] == [0.3, 0.3])
  }

  /// Checkpoints hold scalars without axes.
  @Test func scalarsWithoutAxes() throws {
    let choice = try NetworkChoice("dcrnetv2-mini", compression: 64)
    let decoder = choice.autoencoder.decoder
    let weights = drawnWeights(choice.autoencoder)
    try withTemporaryFolder { folder in
      let path = "\(folder)/weights.safetensors"
      try ArrayFile.write(
        decoder.parameters.map { key, parameter in
          NumericArray(
            name: key, shape: parameter.shape == [1] ? [] : parameter.shape, floats: weights[key]!)
        }, metadata: [:], to: path)
      let read = try WeightsFile(path, choice, .decoder)
      #expect(read.weights["decoder.extra.alpha"] == [0.01])
      #expect(read.weights.values == weights.values.filter { read.weights[$0.key] != nil })
    }
  }

  /// What the release prints: MAC+, four operations per normalised value, one per value of a PReLU, two per value of the
  /// layer normalisation.
  @Test(arguments: [
    ("mini", ["3.01", "2.05", "1.57", "1.33"]), ("small", ["4.07", "2.84", "2.23", "1.92"]),
    ("base", ["5.41", "4.05", "3.37", "3.03"]), ("unified", ["6.77", "4.81", "3.83", "3.35"]),
    ("large-out", ["7.00", "4.98", "3.97", "3.46"]),
    ("large-in4", ["7.00", "4.98", "3.97", "3.46"]),
  ])
  func publishedOperations(_ variant: String, _ printed: [String]) throws {
    for (compression, text) in zip([4, 8, 16, 32], printed) {
      let network = try NetworkZoo.autoencoder("dcrnetv2-\(variant)", compression: compression)
      let costs = network.costs
      // P has two per normalised value and one per value of a PReLU, of which there are as many.
      let normalised = (costs.profiler - costs.allProducts) / 3
      #expect(normalised == 34_816)
      let count = costs.allProducts + 5 * normalised + 2 * network.codewordLength
      #expect(CostTests.millions(count, like: text) == text)
    }
  }

  /// LRP's printed operations are MAC+, those of DCRNet multiply-accumulates and two per normalised value.
  @Test func otherPublishedOperations() throws {
    for (settings, printed) in [
      ("{ranks: 4, measurements: 128}", ["0.680", "0.483", "0.385", "0.336", "0.311"]),
      ("{ranks: 4, measurements: 512}", ["1.884", "1.491", "1.294", "1.196", "1.147"]),
      ("{ranks: 8, measurements: 512}", ["2.163", "1.638", "1.376", "1.245", "1.180"]),
      ("{ranks: 16, measurements: 512}", ["2.720", "1.933", "1.540", "1.343", "1.245"]),
    ] {
      for (compression, text) in zip([4, 8, 16, 32, 64], printed) {
        let costs = try NetworkZoo.autoencoder("lrp \(settings)", compression: compression).costs
        #expect(CostTests.millions(costs.allProducts, like: text) == text)
      }
    }
    for (expansion, printed) in [
      (1, ["4.010", "2.961", "2.437", "2.175"]), (10, ["17.576", "16.527", "16.003", "15.741"]),
    ] {
      for (compression, text) in zip([4, 8, 16, 32], printed) {
        let network = try NetworkZoo.autoencoder("dcrnet-\(expansion)x", compression: compression)
        let normalised = (network.encoder.layerLines + network.decoder.layerLines)
          .filter { $0.layer.hasPrefix("BatchNorm") }
          .reduce(0) { $0 + $1.shape.reduce(1, *) }
        let count = network.costs.multiplyAccumulates + 2 * normalised
        #expect(CostTests.millions(count, like: text) == text)
      }
    }
  }
}
