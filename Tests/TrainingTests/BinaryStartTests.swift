import LinkMath
import Networks
import TestSupport
import Testing

/// Initial values of networks whose encoder has binary weights.
@Suite struct BinaryStartTests {
  private static let image = Shape.image(angles: 8, taps: 8)
  private static let (size, count, reals) = (128, 600, 32)
  private static let pool = WorkerPool(threadCount: 1)

  /// Mixtures of all values with falling shares around 0.5, each with its mirror image, `[sample, value]`.
  private static let images: [Float] = {
    var stream = StreamKey(seed: 11, domain: .test, purpose: .channel).stream(drop: 0)
    let mixture = stream.normal(count: size * size).map { Float($0) }
    return (0..<count / 2).flatMap { _ -> [Float] in
      let shares = stream.normal(count: size).enumerated().map { k, share in
        0.004 * Float(share) / Float(1 + k)
      }
      let values = (0..<size).map { i in
        (0..<size).reduce(Float(0)) { $0 + shares[$1] * mixture[$1 * size + i] }
      }
      return values.map { 0.5 + $0 } + values.map { 0.5 - $0 }
    }
  }()

  private static func start(_ network: String, _ axes: CodewordAxes) throws
    -> (codewords: [Float], outputs: [Float], weights: Weights)
  {
    let autoencoder = try NetworkChoice(network, compression: 4, image: image).autoencoder
    var moment = SecondMoment(size: size)
    images.map { $0 - 0.5 }.withUnsafeBufferPointer { moment.add($0) }
    let weights = try PrincipalStart(autoencoder, axes: axes)
      .weights(
        drawnWeights(autoencoder, seed: 3), moment: moment.mean(),
        samples: Array(images[..<(64 * size)]), pool: pool)
    let codewords = try InferencePlan(autoencoder.encoder, weights: weights)
      .run([images], count: count, pool: pool)[0]
    let outputs = try InferencePlan(autoencoder.decoder, weights: weights)
      .run([codewords], count: count, pool: pool)[0]
    return (codewords, outputs, weights)
  }

  /// Share of the images' energy that an output loses.
  private static func loss(_ outputs: [Float]) -> Float {
    let error = zip(outputs, images).reduce(Float(0)) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
    return error / images.reduce(0) { $0 + ($1 - 0.5) * ($1 - 0.5) }
  }

  /// Of the best linear estimate from reals, the error has nothing in common with any of them.
  @Test(
    arguments: ["acrnet {binary: encoder}", "bcsinet {binary: encoder}"],
    [CodewordAxes.components, .rotated(seed: 5)])
  func errorsAreOrthogonalToTheCodeword(network: String, axes: CodewordAxes) throws {
    let (codewords, outputs, _) = try Self.start(network, axes)
    let (size, reals) = (Self.size, Self.reals)
    for real in 0..<reals {
      let s = (0..<Self.count).map { codewords[$0 * reals + real] }
      let power = s.reduce(0) { $0 + $1 * $1 }
      // Their mean is none, whatever that of the images; residual branches add a little.
      #expect(abs(s.reduce(0, +)) < 0.02 * (power * Float(s.count)).squareRoot())
      for value in stride(from: 0, to: size, by: 7) {
        let e = (0..<Self.count).map {
          outputs[$0 * size + value] - Self.images[$0 * size + value]
        }
        let common = zip(e, s).reduce(0) { $0 + $1.0 * $1.1 }
        let energy = e.reduce(0) { $0 + $1 * $1 } * power
        #expect(abs(common) < 0.06 * energy.squareRoot(), "real \(real), value \(value)")
      }
    }
    #expect(Self.loss(outputs) < 0.05, "\(Self.loss(outputs))")
  }

  /// Weights are as large as binary layers keep them, and a sigmoid of small values costs next to nothing.
  @Test func rotatedSignsBehindASigmoid() throws {
    let axes = CodewordAxes.rotated(seed: 5)
    let linear = try Self.start("acrnet {binary: encoder}", axes)
    let squashed = try Self.start("acrnet {binary: encoder, codeword: sigmoid}", axes)
    #expect(squashed.weights["encoder_fc.weight"]?.allSatisfy { abs($0) == 1 } == true)
    #expect(squashed.codewords.allSatisfy { (0...1).contains($0) })
    #expect(abs(Self.loss(squashed.outputs) - Self.loss(linear.outputs)) < 0.02)
    let signs = linear.weights["encoder_fc.weight"]?.map { $0 < 0 }
    #expect(squashed.weights["encoder_fc.weight"]?.map { $0 < 0 } == signs)
  }

  /// Images without energy have no best estimate.
  @Test func noEnergy() throws {
    let autoencoder = try NetworkChoice(
      "acrnet {binary: encoder}", compression: 4, image: Self.image
    ).autoencoder
    #expect(throws: DecompositionError.self) {
      try PrincipalStart(autoencoder).weights(
        drawnWeights(autoencoder, seed: 3),
        moment: [Double](repeating: 0, count: Self.size * Self.size),
        samples: [Float](repeating: 0.5, count: Self.size), pool: Self.pool)
    }
  }
}
