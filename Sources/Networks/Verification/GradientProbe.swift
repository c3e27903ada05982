import LinkMath

/// A small network around one layer whose gradients are compared with central differences.
package struct GradientProbe: Sendable {
  /// Name of the layer.
  package let name: String
  let network: Network

  /// How far the gradient of a tensor is from central differences.
  package struct Deviation: Sendable {
    /// Key of the tensor, or the input.
    package let tensor: String
    /// Root of the summed squared differences over the root of the summed squares.
    package let relative: Double
    /// Values that were compared.
    package let checked: Int
  }

  init(_ name: String, _ shape: Shape, _ layer: any Layer) {
    self.name = name
    network = Network(name, layer, input: shape)
  }

  /// One probe per layer kind; convolutions keep non-linear layers from seeing their input directly.
  package static let layers: [GradientProbe] = {
    let map = Shape(3, 5, 7)
    let tokens = Shape(1, 5, 8)
    func join(_ layers: any Layer...) -> Sequential { Sequential(layers) }
    let width = BatchNorm.Settings(epsilon: 1e-3, momentum: 0.1, axis: .width)
    return [
      GradientProbe("Convolution", map, Convolution(3, 4, KernelSize(3, 5), bias: true)),
      GradientProbe(
        "grouped Convolution", Shape(4, 6, 9), Convolution(4, 6, KernelSize(5, 3), groups: 2)),
      GradientProbe(
        "dilated Convolution", map, Convolution(3, 4, KernelSize(3, 3), dilation: 2)),
      GradientProbe(
        "dilated groups with a shuffle", Shape(4, 6, 9),
        join(
          ConvBN(4, 6, KernelSize(5, 3), groups: 2, dilation: 3), ChannelShuffle(groups: 2),
          PReLU(6))),
      GradientProbe("BatchNorm", map, ConvBN(3, 4, KernelSize(3, 3), bias: true)),
      GradientProbe(
        "BatchNorm over columns", map,
        join(Convolution(3, 2, KernelSize(1, 3)), BatchNorm(7, width), LeakyReLU())),
      GradientProbe("LeakyReLU", map, join(ConvBN(3, 4, KernelSize(3, 3)), LeakyReLU())),
      GradientProbe("PReLU", map, join(ConvBN(3, 4, KernelSize(3, 3)), PReLU(4))),
      GradientProbe(
        "two activations", map,
        join(ConvBN(3, 4, KernelSize(3, 3)), LeakyReLU(), LeakyReLU(), PReLU(4))),
      GradientProbe("Sigmoid", map, join(Convolution(3, 2, KernelSize(1, 1)), Pointwise.sigmoid)),
      GradientProbe(
        "HardSigmoid", map, join(Convolution(3, 2, KernelSize(1, 1)), Pointwise.hardSigmoid)),
      GradientProbe("Tanh", map, join(Convolution(3, 2, KernelSize(1, 1)), Pointwise.tanh)),
      GradientProbe("Dense", .vector(20), join(Dense(20, 9), LeakyReLU(), Dense(9, 6))),
      GradientProbe(
        "transposed Dense", .vector(12), Dense(12, 7, storage: .transposedPointConvolution)),
      GradientProbe("Dense on tokens", tokens, Dense(8, 6)),
      GradientProbe(
        "feed-forward block", Shape(1, 20, 32),
        join(Dense(32, 288), LeakyReLU(slope: 0.7), Dense(288, 64))),
      GradientProbe(
        "Residual", map, Residual(ConvBN(3, 3, KernelSize(3, 3)), activation: LeakyReLU())),
      GradientProbe(
        "ParallelConcat", map,
        join(
          ParallelConcat([
            ("a", ConvBN(3, 2, KernelSize(3, 3))), ("b", ConvBN(3, 5, KernelSize(1, 3))),
          ]), LeakyReLU(), Convolution(7, 2, KernelSize(1, 1)))),
      GradientProbe(
        "PReLU of branches", map,
        join(
          ParallelConcat([
            ("a", ConvBN(3, 2, KernelSize(3, 3))), ("b", ConvBN(3, 5, KernelSize(1, 3))),
          ]), PReLU(7), Convolution(7, 2, KernelSize(1, 1)))),
      GradientProbe("ReZero", map, ReZeroProbe()),
      GradientProbe(
        "SqueezeExcite", map, join(Convolution(3, 4, KernelSize(3, 3)), SqueezeExcite(4, hidden: 2))
      ),
      GradientProbe("SpatialGate", map, join(Convolution(3, 4, KernelSize(3, 3)), SpatialGate())),
      GradientProbe("LayerNorm", tokens, join(Dense(8, 8), LayerNorm(8))),
      GradientProbe("attention", tokens, AttentionProbe(acrossBatch: false)),
      GradientProbe("attention across the batch", tokens, AttentionProbe(acrossBatch: true)),
    ] + ranks
  }()

  /// Measurements and rank-one terms, on maps that the kernels take as they lie and on others.
  private static let ranks: [GradientProbe] = {
    let (map, small) = (Shape(2, 32, 32), Shape(2, 5, 7))
    func join(_ layers: any Layer...) -> Sequential { Sequential(layers) }
    return [
      GradientProbe("complex measurements", map, BilinearMeasurement(map, count: 70)),
      GradientProbe(
        "complex measurements of a small map", small, BilinearMeasurement(small, count: 6)),
      GradientProbe(
        "real measurements", small, BilinearMeasurement(small, count: 6, isComplex: false)),
      GradientProbe(
        "outer products", .vector(6),
        join(Dense(6, 3 * 128), Reshape(Shape(1, 3, 128)), OuterProductSum(map))),
      GradientProbe(
        "outer products of a small map", .vector(6),
        join(Dense(6, 3 * 24), Reshape(Shape(1, 3, 24)), OuterProductSum(small))),
      GradientProbe("gated ranks", .vector(6), GatedRankProbe(small)),
      GradientProbe(
        "TanhRange", small, join(Convolution(2, 2, KernelSize(1, 1)), TanhRange(2))),
      GradientProbe("Clip", small, join(Convolution(2, 2, KernelSize(1, 1)), Clip(-0.6...0.7))),
      GradientProbe("Standardization", Shape(1, 5, 8), join(Dense(8, 8), Standardization())),
      GradientProbe("GELU", small, join(Convolution(2, 2, KernelSize(1, 1)), GELU())),
    ]
  }()

  /// Ranks whose gates are a second input.
  private struct GatedRankProbe: Layer {
    let expansion: RankExpansion
    let codes = Dense(6, 12)
    let gates = Dense(6, 3)

    init(_ image: Shape) { expansion = RankExpansion(image, ranks: 3, size: 4) }

    var children: [Child] { [("codes", codes), ("gates", gates)] }
    var parameters: [(key: String, parameter: NetworkParameter)] { expansion.parameters }
    func callAsFunction(_ x: Signal) -> Signal {
      expansion(codes(x).reshaped(Shape(1, 3, 4)), gates: gates(x))
    }
  }

  /// A factor other than the initial zero, so that the branch has a gradient.
  private struct ReZeroProbe: Layer {
    let branch = Convolution(3, 3, KernelSize(3, 3))
    let factors = ReZeroList(1)
    var children: [Child] { [("branch", branch), ("rezero", factors)] }
    func callAsFunction(_ x: Signal) -> Signal { x + factors.items[0](branch(x)) }
  }

  /// Self-attention, then attention to the input.
  private struct AttentionProbe: Layer {
    let own, cross: MultiHeadAttention

    init(acrossBatch: Bool) {
      own = MultiHeadAttention(8, heads: 2, acrossBatch: acrossBatch)
      cross = MultiHeadAttention(8, heads: 2, acrossBatch: acrossBatch)
    }

    var children: [Child] { [("own", own), ("cross", cross)] }
    func callAsFunction(_ x: Signal) -> Signal { cross(x + own(x), memory: x) }
  }

  /// Random weights, input and output gradient; compares the derivative of their product with differences.
  package func deviations(samples: Int, pool: WorkerPool) throws -> [Deviation] {
    var stream = StreamKey(seed: 5, domain: .test, purpose: .initialisation).stream(drop: 0)
    var weights = Weights()
    for (key, parameter) in network.parameters {
      let isVariance = key.hasSuffix("running_var")
      weights[key] = stream.normal(count: parameter.count).map {
        isVariance ? 1 : key.hasSuffix("bn.weight") ? 1 + 0.3 * $0 : 0.6 * $0
      }
    }
    var input = stream.normal(count: samples * network.graph.inputShapes[0].count)
    let plan = try TrainingPlan(
      network, weights: weights, capacity: samples, needsInputGradient: true, pool: pool)
    let direction = stream.normal(count: samples * network.graph.outputShapes[0].count)

    func value() -> Double {
      plan.write(input)
      plan.forward(count: samples, isTraining: true)
      return zip(plan.output(), direction).reduce(0) { $0 + Double($1.0) * Double($1.1) }
    }
    _ = value()
    plan.write(gradient: direction)
    plan.backward()
    let gradients = plan.gradients
    let inputGradient = plan.inputGradient()
    let step: Float = 5e-4

    func compare(
      _ tensor: String, _ gradient: [Float], _ shift: (Int, Float) -> Void
    ) -> Deviation {
      var (difference, size) = (0.0, 0.0)
      let indices = Swift.stride(from: 0, to: gradient.count, by: max(1, gradient.count / 24))
      for i in indices {
        shift(i, step)
        let above = value()
        shift(i, -2 * step)
        let below = value()
        shift(i, step)
        let expected = (above - below) / (2 * Double(step))
        difference += (Double(gradient[i]) - expected) * (Double(gradient[i]) - expected)
        size += expected * expected
      }
      // A gradient that is exactly zero is compared with the rounding noise of the differences.
      let floor = 0.05 * Double(direction.count).squareRoot()
      return Deviation(
        tensor: tensor, relative: difference.squareRoot() / max(size.squareRoot(), floor),
        checked: Array(indices).count)
    }

    var all = [compare("input", inputGradient) { input[$0] += $1 }]
    for (key, parameter) in network.parameters where parameter.isTrainable {
      let values = plan.store.value(parameter)
      all.append(compare(key, gradients[key]!) { values[$0] += $1 })
    }
    return all
  }
}
