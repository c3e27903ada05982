import LinkMath
import Networks
import Testing

/// Steps of dense layers whose inputs are centred.
@Suite struct CentredAdamTests {
  private static let (inputs, outputs) = (5, 3)

  private static func random(_ count: Int, around mean: Float = 0, seed: UInt64) -> [Float] {
    var stream = StreamKey(seed: seed, domain: .test, purpose: .channel).stream(drop: 0)
    return stream.normal(count: count).map { mean + Float($0) }
  }

  private static func network(
    _ inputs: Int, _ outputs: Int, _ storage: Dense.Storage = .plain
  ) -> Network {
    Network("probe", Dense(inputs, outputs, storage: storage), input: .vector(inputs))
  }

  private static func plan(_ network: Network, threads: Int = 1, seed: UInt64 = 4) throws
    -> TrainingPlan
  {
    var stream = StreamKey(seed: seed, domain: .initialisation, purpose: .initialisation)
      .stream(drop: 0)
    return try TrainingPlan(
      network, weights: Weights.initial(network, using: &stream), capacity: 7,
      needsInputGradient: false, pool: WorkerPool(threadCount: threads))
  }

  private static func optimizer(_ plan: TrainingPlan, threads: Int = 1) -> CentredAdam {
    CentredAdam([plan.group], settings: Adam.Settings(), pool: WorkerPool(threadCount: threads))
  }

  /// A pass of `x` in which the loss has the gradient `g` at the outputs.
  private static func differentiate(_ plan: TrainingPlan, _ x: [Float], _ g: [Float], count: Int) {
    plan.write(x)
    plan.forward(count: count, isTraining: true)
    plan.write(gradient: g, ofOutput: 0)
    plan.backward()
  }

  /// Adam in double precision on the layer `W (x - μ) + b'`.
  private struct Reference {
    var weights: [[Double]]
    var bias: [Double]
    private var moments = [Int: (first: Double, second: Double)]()
    private var step = 0

    init(weights: [[Double]], bias: [Double]) { (self.weights, self.bias) = (weights, bias) }

    private mutating func move(_ place: Int, _ gradient: Double, _ rate: Double) -> Double {
      var (m, v) = moments[place] ?? (0, 0)
      m = 0.9 * m + 0.1 * gradient
      v = 0.999 * v + 0.001 * gradient * gradient
      moments[place] = (m, v)
      let (first, second) = (1 - pow(0.9, step), 1 - pow(0.999, step))
      return rate * (m / first) / ((v / second).squareRoot() + 1e-8)
    }

    private func pow(_ base: Double, _ exponent: Int) -> Double {
      (0..<exponent).reduce(1.0) { product, _ in product * base }
    }

    mutating func update(_ x: [[Double]], _ g: [[Double]], rate: Double) {
      step += 1
      let inputs = x[0].count
      let mean = (0..<inputs).map { i in x.reduce(0) { $0 + $1[i] } / Double(x.count) }
      for output in bias.indices {
        var centred = bias[output] + zip(weights[output], mean).reduce(0) { $0 + $1.0 * $1.1 }
        for input in 0..<inputs {
          let gradient = zip(x, g).reduce(0) { $0 + $1.1[output] * ($1.0[input] - mean[input]) }
          weights[output][input] -= move(
            output * inputs + input, gradient, rate / Double(inputs).squareRoot())
        }
        centred -= move(1000 + output, g.reduce(0) { $0 + $1[output] }, rate)
        bias[output] = centred - zip(weights[output], mean).reduce(0) { $0 + $1.0 * $1.1 }
      }
    }
  }

  private static func rows(_ values: [Float], _ width: Int) -> [[Double]] {
    stride(from: 0, to: values.count, by: width).map { start in
      values[start..<start + width].map(Double.init)
    }
  }

  /// Three batches of unequal size and mean, in both orders of the weights: what Adam does to the centred layer.
  @Test(arguments: [Dense.Storage.plain, .transposedPointConvolution])
  func isAdamOnTheCentredLayer(storage: Dense.Storage) throws {
    let (inputs, outputs) = (Self.inputs, Self.outputs)
    let plan = try Self.plan(Self.network(inputs, outputs, storage))
    func weights() throws -> [[Double]] {
      let rows = Self.rows(
        try #require(plan.weights["weight"]), storage == .plain ? inputs : outputs)
      guard storage != .plain else { return rows }
      return (0..<outputs).map { output in rows.map { $0[output] } }
    }
    var reference = Reference(
      weights: try weights(), bias: try #require(plan.weights["bias"]).map(Double.init))
    let optimizer = Self.optimizer(plan)
    for (batch, count) in [7, 4, 6].enumerated() {
      let seed = UInt64(2 * batch)
      let x = Self.random(count * inputs, around: 2 - Float(batch), seed: seed)
      let g = Self.random(count * outputs, around: 0.3, seed: seed + 1)
      Self.differentiate(plan, x, g, count: count)
      optimizer.update(rate: 0.02)
      reference.update(Self.rows(x, inputs), Self.rows(g, outputs), rate: 0.02)
    }
    #expect(optimizer.step == 3)
    for (found, expected) in zip(try weights().joined(), reference.weights.joined()) {
      #expect(abs(found - expected) < 1e-5)
    }
    for (found, expected) in zip(try #require(plan.weights["bias"]), reference.bias) {
      #expect(abs(Double(found) - expected) < 1e-5)
    }
  }

  /// In the mean over the batch an output moves by the bias' own step, the rate in the first one, wherever its inputs lie.
  @Test(arguments: [0, 0.5, 20] as [Float])
  func theMeanMovesByTheRate(mean: Float) throws {
    let (inputs, outputs, count) = (40, 6, 7)
    let plan = try Self.plan(Self.network(inputs, outputs))
    let x = Self.random(count * inputs, around: mean, seed: 9)
    let g = Self.random(count * outputs, seed: 10)
    func means() -> [Float] {
      plan.write(x)
      plan.forward(count: count, isTraining: true)
      let y = plan.output()
      return (0..<outputs).map { output in
        (0..<count).reduce(0) { $0 + y[$1 * outputs + output] } / Float(count)
      }
    }
    let before = means()
    Self.differentiate(plan, x, g, count: count)
    Self.optimizer(plan).update(rate: 0.01)
    for (output, (new, old)) in zip(means(), before).enumerated() {
      let sum = (0..<count).reduce(Float(0)) { $0 + g[$1 * outputs + output] }
      #expect(abs(new - old + (sum > 0 ? 0.01 : -0.01)) < 1e-4 * max(mean, 1))
    }
  }

  /// Layers of several tasks give the same bits on any number of threads.
  @Test(arguments: [Dense.Storage.plain, .transposedPointConvolution])
  func doesNotDependOnThreads(storage: Dense.Storage) throws {
    let (inputs, outputs, count) = (70, 150, 7)
    let results = try [1, 3].map { threads in
      let plan = try Self.plan(Self.network(inputs, outputs, storage), threads: threads)
      let optimizer = Self.optimizer(plan, threads: threads)
      for seed in [1, 2] as [UInt64] {
        Self.differentiate(
          plan, Self.random(count * inputs, around: 1, seed: seed),
          Self.random(count * outputs, seed: 8), count: count)
        optimizer.update(rate: 1e-3)
      }
      return plan.weights
    }
    #expect(results[0] == results[1])
  }

  /// Layers that share weights, have no real ones, or keep a part are moved as everything else.
  @Test func whichLayersAreCentred() throws {
    func count(_ name: String, frozen: String? = nil) throws -> [Int] {
      let network = try NetworkZoo.autoencoder(name, compression: 16)
      let trainer = try AutoencoderTrainer(
        network, weights: DeterminismTests.weights(network), capacity: 2,
        pool: WorkerPool(threadCount: 1))
      if let frozen { trainer.freeze { $1 == frozen } }
      return trainer.groups.map(\.denseLayers.count)
    }
    #expect(try count("csinet") == [1, 1])
    #expect(try count("clnet") == [1, 1])
    #expect(try count("cl-crnet") == [0, 0])
    #expect(try count("bcsinet {binary: encoder}") == [0, 1])
    #expect(try count("csinet", frozen: "enc_fc.bias") == [0, 1])
    #expect(try count("csinet", frozen: "dec_fc.weight") == [1, 0])
    #expect(try count("csinet", frozen: "dec_conv.weight") == [1, 1])
    // Those at the codeword alone: the others share their weights in two passes, or are inside blocks.
    #expect(try count("transnet") == [1, 1])
  }
}
