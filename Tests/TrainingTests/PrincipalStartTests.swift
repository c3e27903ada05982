import DataFiles
import Foundation
import LinkMath
import Networks
import Parts
import TestSupport
import Testing
import Training

/// Initial values that are principal components.
///
/// The samples are `0.5 ± a_k h_k`, h_k the rows of a Hadamard matrix and a_k falling with k: their second moment has the
/// eigenvectors h_k in this order, whatever computes it.
@Suite struct PrincipalStartTests {
  private static let image = Shape.image(angles: 8, taps: 8)
  private static let size = 128
  private static let pool = WorkerPool(threadCount: 1)

  /// Row k, entry i of the Hadamard matrix: the parity of common bits.
  private static func entry(_ k: Int, _ i: Int) -> Float {
    (k & i).nonzeroBitCount % 2 == 0 ? 1 : -1
  }

  private static func amplitude(_ k: Int) -> Float { 0.02 * pow(0.97, Float(k)) }

  /// `0.5 + sign a_k h_k`.
  private static func sample(_ k: Int, _ sign: Float) -> [Float] {
    (0..<size).map { 0.5 + sign * amplitude(k) * entry(k, $0) }
  }

  /// 256 samples in an order that is not that of their variances.
  private static let samples: [Float] = (0..<size).map { 37 * $0 % size }.flatMap {
    sample($0, 1) + sample($0, -1)
  }

  private static func moment() -> [Double] {
    var moment = SecondMoment(size: size)
    samples.map { $0 - 0.5 }.withUnsafeBufferPointer { moment.add($0) }
    return moment.mean()
  }

  private static func choice(_ network: String) throws -> NetworkChoice {
    try NetworkChoice(network, compression: 4, image: image)
  }

  private static func start(_ choice: NetworkChoice) throws -> Weights {
    try PrincipalStart(choice.autoencoder)
      .weights(
        drawnWeights(choice.autoencoder, seed: 3), moment: moment(), samples: samples, pool: pool)
  }

  private static func codewords(_ choice: NetworkChoice, _ weights: Weights) throws -> [Float] {
    try InferencePlan(choice.autoencoder.encoder, weights: weights)
      .run([samples], count: 2 * size, pool: pool)[0]
  }

  /// Error of each component's two samples, as a share of their energy.
  private static func errors(_ network: String) throws -> [Float] {
    try errors(try choice(network).autoencoder)
  }

  private static func errors(_ autoencoder: Autoencoder) throws -> [Float] {
    let weights = try PrincipalStart(autoencoder)
      .weights(drawnWeights(autoencoder, seed: 3), moment: moment(), samples: samples, pool: pool)
    let codewords = try InferencePlan(autoencoder.encoder, weights: weights)
      .run([samples], count: 2 * size, pool: pool)
    let outputs = try InferencePlan(autoencoder.decoder, weights: weights)
      .run([codewords[0]], count: 2 * size, pool: pool)[0]
    var errors = [Float](repeating: 0, count: size)
    for row in 0..<2 * size {
      let k = 37 * (row / 2) % size
      let part = row * size..<(row + 1) * size
      let error = zip(outputs[part], samples[part]).reduce(Float(0)) { $0 + pow($1.0 - $1.1, 2) }
      errors[k] += error / (2 * Float(size) * pow(amplitude(k), 2))
    }
    return errors
  }

  /// 32 of 128 components come through, the others not at all: residual branches add one per cent of the deviation of all.
  @Test(arguments: [
    "csinet", "csinet-7x7", "csinet-width", "acrnet-1x", "acrnet-2x", "bcsinet-b3", "dcrnet-1x",
    "crnet", "kd-crnet", "kd-crnet-se", "clnet",
  ])
  func largestComponentsComeThrough(network: String) throws {
    let errors = try Self.errors(network)
    #expect(errors[..<32].allSatisfy { $0 < 0.003 }, "\(errors[..<32].max()!)")
    #expect(errors[32...].allSatisfy { abs($0 - 1) < 0.1 }, "\(errors[32...].min()!)")
  }

  /// A dense autoencoder whose image passes a residual branch and a last layer.
  private static func autoencoder(_ branch: any Layer, _ last: (any Layer)? = nil) -> Autoencoder {
    Autoencoder(
      name: "own", compression: 4, image: image,
      encoder: Sequential([Reshape(.vector(size)), Dense(size, 32)]),
      decoder: Sequential(
        [Dense(32, size), Reshape(image), Residual(branch)] + (last.map { [$0] } ?? [])
          + [Pointwise.sigmoid]))
  }

  private static let convolution = Convolution(2, 2, KernelSize(3, 3), bias: true)

  /// A branch without normalisation is made small by its convolution; one that ends in a saturating function cannot be.
  @Test func branchesOfOnesOwn() throws {
    let errors = try Self.errors(
      Self.autoencoder(Sequential([Self.convolution, LeakyReLU()])))
    #expect(errors[..<32].allSatisfy { $0 < 0.003 }, "\(errors[..<32].max()!)")
    let error = try #require(throws: NetworkError.self) {
      try PrincipalStart(Self.autoencoder(Sequential([Self.convolution, Pointwise.tanh])))
    }
    #expect("\(error)".contains("at its decoder: a residual branch"))
  }

  /// Gates of any number and kind on the way are half open, and the convolution behind them makes up for it; without one they are in the way.
  @Test func gatesAreHalfOpen() throws {
    func gated(_ layers: [any Layer]) -> Autoencoder {
      Autoencoder(
        name: "own", compression: 4, image: Self.image,
        encoder: Sequential([Reshape(.vector(Self.size)), Dense(Self.size, 32)]),
        decoder: Sequential(
          [Dense(32, Self.size), Reshape(Self.image)] + layers + [Pointwise.sigmoid]))
    }
    let wide = Convolution(2, 6, KernelSize(1, 1), bias: true)
    let errors = try Self.errors(
      gated([
        wide, SqueezeExcite(6, hidden: 3), LeakyReLU(), SpatialGate(),
        Convolution(6, 2, KernelSize(3, 3), bias: true),
      ]))
    #expect(errors[..<32].allSatisfy { $0 < 0.003 }, "\(errors[..<32].max()!)")
    #expect(errors[32...].allSatisfy { abs($0 - 1) < 0.1 }, "\(errors[32...].min()!)")
    for layers in [[SpatialGate()], [SpatialGate(), BatchNorm(2)]] as [[any Layer]] {
      let error = try #require(throws: NetworkError.self) { try PrincipalStart(gated(layers)) }
      #expect("\(error)".contains("no convolution follows a gate"))
    }
    // What would shut such a gate would shut the way.
    let wave = Convolution(2, 2, KernelSize(3, 3), bias: true)
    let swish = try #require(throws: NetworkError.self) {
      try PrincipalStart(gated([wave, Swish(), Self.convolution]))
    }
    #expect("\(swish)".contains("a gate has no layer of its own"))
  }

  /// x S(x).
  private struct Swish: Layer {
    var children: [Child] { [] }
    func callAsFunction(_ x: Signal) -> Signal { x * Pointwise.sigmoid(x) }
  }

  // MARK: - Rotated

  /// The values of a codeword, one list for each real, and how much of the energy of the components that it has is lost; of samples
  /// with normal shares of all components.
  private static func rotated(_ network: String, seed: UInt64 = 5) throws
    -> (reals: [[Float]], lost: Float)
  {
    let autoencoder = try choice(network).autoencoder
    let weights = try PrincipalStart(autoencoder, axes: .rotated(seed: seed))
      .weights(drawnWeights(autoencoder, seed: 3), moment: moment(), samples: samples, pool: pool)
    let count = 400
    var stream = StreamKey(seed: 1, domain: .test, purpose: .channel).stream(drop: 0)
    let shares = (0..<count).map { _ in
      stream.normal(count: size).enumerated().map { $1 * amplitude($0) / sqrt(Float(size)) }
    }
    let images = shares.flatMap { shares in
      (0..<size).map { i in (0..<size).reduce(Float(0.5)) { $0 + shares[$1] * entry($1, i) } }
    }
    let codewords = try InferencePlan(autoencoder.encoder, weights: weights)
      .run([images], count: count, pool: pool)[0]
    let outputs = try InferencePlan(autoencoder.decoder, weights: weights)
      .run([codewords], count: count, pool: pool)[0]
    var (error, energy) = (Float(0), Float(0))
    for (row, shares) in shares.enumerated() {
      for k in 0..<32 {
        let found = (0..<size).reduce(Float(0)) {
          $0 + (outputs[row * size + $1] - 0.5) * entry(k, $1) / Float(size)
        }
        error += pow(found - shares[k], 2)
        energy += shares[k] * shares[k]
      }
    }
    let reals = (0..<32).map { real in (0..<count).map { codewords[32 * $0 + real] } }
    return (reals, error / energy)
  }

  /// All reals have nearly one variance, whose mean is 1, and the same components come through as without a rotation; a sigmoid or a tangent
  /// behind normal values costs 0.014 of them: `1 - Cov(z, S(z))² / Var S(z)` for a standard normal z.
  @Test(
    arguments: [
      ("csinet", 0, 0.003), ("acrnet-1x", 0, 0.003), ("csinet {codeword: tanh}", 0.0142, 0.003),
      ("acrnet {codeword: sigmoid}", 0.0142, 0.003),
    ] as [(String, Float, Float)])
  func rotatedComponentsHaveOneVariance(network: String, cost: Float, most: Float) throws {
    let (reals, lost) = try Self.rotated(network)
    #expect(abs(lost - cost) < most, "\(lost)")
    if network.contains("codeword") {
      let range: ClosedRange<Float> = network.contains("tanh") ? -1...1 : 0...1
      let middle = (range.lowerBound + range.upperBound) / 2
      for values in reals {
        #expect(values.allSatisfy(range.contains))
        #expect(abs(values.reduce(0, +) / Float(values.count) - middle) < 0.1)
      }
      return
    }
    let variances = reals.map { $0.reduce(0) { $0 + $1 * $1 } / Float($0.count) }
    #expect(abs(variances.reduce(0, +) / 32 - 1) < 0.05, "\(variances)")
    // Unrotated, the first has 7 times the variance of the last.
    #expect(variances.max()! / variances.min()! < 4, "\(variances)")
  }

  @Test func rotationsAreDrawn() throws {
    #expect(try Self.rotated("csinet").reals == Self.rotated("csinet").reals)
    #expect(try Self.rotated("csinet").reals != Self.rotated("csinet", seed: 6).reals)
  }

  /// Codewords that saturate cannot be components of very different variance, but rotated ones.
  @Test func boundedCodewordsNeedARotation() throws {
    let bounded = try Self.choice("csinet {codeword: sigmoid}")
    let error = try #require(throws: SettingsError.self) {
      try settings(Self.principal).check(bounded, teacher: nil)
    }
    #expect(error.hint == "write 'initialization: rotated_components'")
    let rotated = Self.principal.merging(["initialization": .text("rotated_components")]) { $1 }
    try settings(rotated).check(bounded, teacher: nil)
    let other = try #require(throws: SettingsError.self) {
      try settings(rotated).check(try NetworkChoice("transnet", compression: 16), teacher: nil)
    }
    #expect(other.hint == "write 'initialization: drawn'")
  }

  /// A slope at the end is undone by the branch before it, whatever the slopes, the depth of the branch and its paths.
  @Test(arguments: [(0.3, 0.3), (0.5, 0.1), (0.1, 0), (0.2, 0.9)] as [(Float, Float)])
  func slopesAtTheEndAreUndone(last: Float, inside: Float) throws {
    let bend = LeakyReLU(slope: inside)
    let long = Sequential([
      ConvBN(2, 5, KernelSize(1, 3)), bend, ConvBN(5, 4, KernelSize(3, 1)), bend,
      ConvBN(4, 6, KernelSize(1, 1)),
    ])
    for branch in [
      Sequential([ConvBN(2, 4, KernelSize(3, 3)), bend, ConvBN(4, 2, KernelSize(1, 1))]),
      Sequential([
        ParallelConcat([("narrow", ConvBN(2, 3, KernelSize(3, 3))), ("wide", long)]), bend,
        ConvBN(9, 2, KernelSize(3, 3), bias: true),
      ]),
    ] {
      let errors = try Self.errors(Self.autoencoder(branch, LeakyReLU(slope: last)))
      #expect(errors[..<32].allSatisfy { $0 < 0.003 }, "\(errors[..<32].max()!)")
      // Drawn channels whisper: as loud as the weakest component, 0.02 of the strongest.
      #expect(errors[32...].allSatisfy { $0 > 0.9 && $0 < 2 }, "\(errors.max()!)")
    }
  }

  /// Slopes that nothing can undo shrink what is negative to 0.3 of it: half of the energy loses 0.49.
  @Test func slopesAtTheEndAreKnownByTheirError() throws {
    let narrow = Sequential([
      ConvBN(2, 3, KernelSize(3, 3)), LeakyReLU(), ConvBN(3, 2, KernelSize(1, 1)),
    ])
    for branch in [narrow, ConvBN(2, 2, KernelSize(3, 3))] as [any Layer] {
      let errors = try Self.errors(Self.autoencoder(branch, LeakyReLU()))
      #expect(errors[1..<32].allSatisfy { abs($0 - 0.245) < 0.03 }, "\(errors[1..<32])")
    }
  }

  /// Behind any head, the codeword of a component's sample has one value.
  @Test(arguments: [
    "csinet", "acrnet-1x", "crnet", "kd-crnet", "kd-crnet-se", "dcrnet-1x", "clnet",
  ])
  func codewordsAreProjections(network: String) throws {
    let choice = try Self.choice(network)
    let codewords = try Self.codewords(choice, try Self.start(choice))
    for row in 0..<2 * Self.size {
      let k = 37 * (row / 2) % Self.size
      let word = codewords[32 * row..<32 * (row + 1)]
      let energy = word.reduce(Float(0)) { $0 + $1 * $1 }
      // The inverse slope of the function at the output.
      let gain: Float = network == "clnet" ? 6 : 4
      let full = gain * Float(Self.size) * pow(Self.amplitude(k), 2)
      if k < 32 {
        let largest = word.map { $0 * $0 }.max()!
        #expect(abs(largest / full - 1) < 0.05 && abs(energy / full - 1) < 0.05, "\(k)")
      } else {
        #expect(energy < 0.05 * full, "\(k)")
      }
    }
  }

  /// Dense layers of both sides have weights of one size, so that one learning rate suits both.
  @Test func weightsOfBothSidesAreOfOneSize() throws {
    let weights = try Self.start(try Self.choice("acrnet-1x"))
    let sizes = ["encoder_fc.weight", "decoder_fc.weight"].map { key in
      weights[key]!.reduce(Float(0)) { $0 + $1 * $1 }
    }
    #expect(abs(sizes[0] / sizes[1] - 1) < 1e-4)
    // 32 unit vectors times the root of the sigmoid's inverse slope.
    #expect(abs(sizes[0] / (32 * 4) - 1) < 1e-4)
  }

  @Test(arguments: [
    ("cllwcsinet", "encoder"), ("cl-csinet", "encoder"), ("transnet", "encoder"),
    ("lrp", "encoder"), ("csinetplus", "decoder"),
  ])
  func othersAreRefused(network: String, side: String) throws {
    let autoencoder = try NetworkChoice(network, compression: 16).autoencoder
    let error = try #require(throws: NetworkError.self) { try PrincipalStart(autoencoder) }
    #expect("\(error)".contains("at its \(side): "))
  }

  // MARK: - In a training

  private func data(_ folder: SampleFolder, training count: Int = 2 * Self.size) throws
    -> TrainingData
  {
    func set(_ name: String, _ count: Int) throws -> SampleSet {
      let path = folder.file(name)
      try ArrayFile.write(
        [
          NumericArray(
            name: nil, shape: [count, 2, 8, 8], floats: Array(Self.samples[..<(count * Self.size)]))
        ], to: path)
      return try SampleSet(inputs: path, targets: nil, shape: [2, 8, 8])
    }
    return try TrainingData(
      training: set("train", count), validation: set("validation", 64), test: set("test", 64),
      digest: "hadamard")
  }

  private static let principal: [String: Setting] = [
    "initialization": .text("principal_components"), "learning_rate": .number(1e-5),
  ]

  @Test func trainingsStartThere() throws {
    let folder = try SampleFolder()
    let (choice, data) = (try Self.choice("csinet"), try data(folder))
    var weights: [Weights] = []
    for threads in [1, 2] {
      let pool = WorkerPool(threadCount: threads)
      var done = 0
      let first = try #require(
        try Initialization.weights(
          choice, settings(Self.principal), data, seed: 3, pool: pool,
          progress: {
            done = $0; _ = $1
          }))
      #expect(done == 256)
      weights.append(first)
    }
    #expect(weights[0] == weights[1])
    let drawn = try #require(
      try Initialization.weights(choice, settings([:]), data, seed: 3, pool: Self.pool))
    #expect(drawn == TrainingLoop.initialWeights(choice.autoencoder, seed: 3))
    // What the dense layer does not take part in is drawn as ever.
    #expect(weights[0]["refine1.conv2.weight"] == drawn["refine1.conv2.weight"])
    #expect(weights[0]["enc_fc.weight"] != drawn["enc_fc.weight"])
    let results = try [Self.principal, ["learning_rate": .number(1e-5)]].enumerated().map {
      let loop = try TrainingLoop(
        choice, settings: settings($0.element), data: data, seed: 3,
        stem: "\(folder.path)/net\($0.offset)", pool: Self.pool)
      return try #require(try loop.run(progress: { _ in }, shouldStop: { false }))
    }
    // The 64 validation samples are of components from all over the spectrum, a quarter of which comes through.
    #expect(results[0].curve.epochs[0].validationNMSEDB < -1)
    #expect(results[1].curve.epochs[0].validationNMSEDB > 10)
  }

  /// Nothing is taken from samples for weights that are all given.
  @Test func givenWeightsNeedNoComponents() throws {
    let folder = try SampleFolder()
    let choice = try Self.choice("csinet")
    let given = drawnWeights(choice.autoencoder, seed: 9)
    let few = try data(folder, training: 10)
    let weights = try Initialization.weights(
      choice, settings(Self.principal), few, start: given, seed: 3, pool: Self.pool)
    #expect(weights == TrainingLoop.initialWeights(choice.autoencoder, seed: 3))
    var most = given
    most.values["dec_fc.bias"] = nil
    #expect(throws: SettingsError.self) {
      try Initialization.weights(
        choice, settings(Self.principal), few, start: most, seed: 3, pool: Self.pool)
    }
  }

  /// Sequential training has a decoder, whose components are others.
  @Test func noComponentsForADecoderThatIsThere() throws {
    let folder = try SampleFolder()
    let sequential = try settings(
      Self.principal.merging(
        ["method.type": .text("sequential"), "method.teacher.weights": .text("teacher")]) { $1 })
    let error = try #require(throws: SettingsError.self) {
      try Initialization.weights(
        try Self.choice("csinet"), sequential, try data(folder), seed: 3, pool: Self.pool)
    }
    #expect("\(error)".contains("does not suit the decoder that is there"))
    #expect(error.hint == "write 'initialization: drawn'")
  }

  @Test func stoppedOnTheWayGivesNothing() throws {
    let folder = try SampleFolder()
    let weights = try Initialization.weights(
      try Self.choice("csinet"), settings(Self.principal), try data(folder), seed: 3,
      pool: Self.pool,
      shouldStop: { true })
    #expect(weights == nil)
  }

  @Test func fewerSamplesThanComponentsAreTold() throws {
    let folder = try SampleFolder()
    let error = try #require(throws: SettingsError.self) {
      try Initialization.weights(
        try Self.choice("csinet"), settings(Self.principal), try data(folder, training: 31),
        seed: 3,
        pool: Self.pool)
    }
    #expect("\(error)".contains("at least 32 samples"))
    #expect("\(error)".contains("an epoch has 31"))
  }
}
