import Foundation
import LinkMath
import Networks
import Testing

/// Shrinkage of each channel towards zero by a learned threshold, `sign(x) max(|x| - t, 0)`: an operation of one file.
private struct SoftThreshold: Layer, CustomOperation {
  let thresholds: NetworkParameter

  init(_ channels: Int) { thresholds = NetworkParameter([channels], .constant(0.2)) }

  var summary: String { "SoftThreshold" }
  var parameters: [(key: String, parameter: NetworkParameter)] { [("threshold", thresholds)] }
  var reads: [NetworkParameter] { [thresholds] }

  func callAsFunction(_ x: Signal) -> Signal { x.applying(self) }
  func outputShape(_ inputs: [Shape]) -> Shape { inputs[0] }

  func forward(_ sample: CustomSample, into output: UnsafeMutableBufferPointer<Float>) {
    let (x, plane) = (sample.inputs[0], sample.shapes[0].plane)
    for i in x.indices {
      let shrunk = abs(x[i]) - sample.parameters[0][i / plane]
      output[i] = shrunk > 0 ? (x[i] > 0 ? shrunk : -shrunk) : 0
    }
  }

  func backward(
    _ sample: CustomSample, gradient: UnsafeBufferPointer<Float>,
    inputs: [UnsafeMutableBufferPointer<Float>], parameters: [UnsafeMutableBufferPointer<Float>]
  ) {
    let (x, plane) = (sample.inputs[0], sample.shapes[0].plane)
    for i in x.indices {
      let passes = abs(x[i]) > sample.parameters[0][i / plane]
      inputs[0][i] = passes ? gradient[i] : 0
      if passes { parameters[0][i / plane] -= x[i] > 0 ? gradient[i] : -gradient[i] }
    }
  }

  func costs(_ inputs: [Shape]) -> Costs {
    var costs = Costs()
    costs.profiler = inputs[0].count
    return costs
  }
}

/// Product of two maps, a third of it: an operation of two inputs.
private struct ThirdOfProduct: Layer, CustomOperation {
  var summary: String { "third of the product" }
  func callAsFunction(_ x: Signal) -> Signal { x.applying(self, [x + x]) }
  func outputShape(_ inputs: [Shape]) -> Shape { inputs[0] }

  func forward(_ sample: CustomSample, into output: UnsafeMutableBufferPointer<Float>) {
    for i in output.indices { output[i] = sample.inputs[0][i] * sample.inputs[1][i] / 3 }
  }

  func backward(
    _ sample: CustomSample, gradient: UnsafeBufferPointer<Float>,
    inputs: [UnsafeMutableBufferPointer<Float>], parameters: [UnsafeMutableBufferPointer<Float>]
  ) {
    for i in gradient.indices {
      inputs[0][i] = gradient[i] * sample.inputs[1][i] / 3
      inputs[1][i] = gradient[i] * sample.inputs[0][i] / 3
    }
  }
}

@Suite struct CustomOperationTests {
  private static let samples = 6

  private static func network(_ layer: any Layer) -> Network {
    Network(
      "probe",
      Stack(layers: [
        Convolution(2, 3, KernelSize(3, 3)), layer, Convolution(3, 2, KernelSize(1, 3)),
      ]), input: Shape(2, 5, 7))
  }

  /// Layers one after another.
  private struct Stack: Layer {
    let layers: [any Layer]
    var children: [Child] { layers.enumerated().map { ("\($0.offset)", $0.element) } }
    func callAsFunction(_ x: Signal) -> Signal { layers.reduce(x) { $1($0) } }
  }

  private static func drawn(_ network: Network) -> (Weights, [Float]) {
    var stream = StreamKey(seed: 3, domain: .test, purpose: .initialisation).stream(drop: 0)
    let weights = Weights.initial(network, using: &stream)
    return (weights, stream.normal(count: samples * network.graph.inputShapes[0].count))
  }

  private static func layer(_ name: String) -> any Layer {
    switch name {
    case "GELU": GELU()
    case "SoftThreshold": SoftThreshold(3)
    default: ThirdOfProduct()
    }
  }

  private static func plan(_ network: Network, _ weights: Weights, threads: Int = 1) throws
    -> TrainingPlan
  {
    try TrainingPlan(
      network, weights: weights, capacity: samples, needsInputGradient: true,
      pool: WorkerPool(threadCount: threads))
  }

  /// All gradients against central differences, on any number of threads, and inference against training.
  @Test(arguments: ["GELU", "SoftThreshold", "ThirdOfProduct"])
  func bothDirections(_ name: String) throws {
    let network = Self.network(Self.layer(name))
    let (weights, input) = Self.drawn(network)
    let plan = try Self.plan(network, weights)
    plan.write(input)
    plan.forward(count: Self.samples, isTraining: true)
    let output = plan.output()
    let inference = try InferencePlan(network, weights: weights)
      .run([input], count: Self.samples, pool: WorkerPool(threadCount: 2))[0]
    #expect(zip(inference, output).allSatisfy { abs($0 - $1) < 1e-5 })
    let direction = DeterminismTests.random(output.count, seed: 9).map { $0 - 0.5 }
    plan.write(gradient: direction)
    plan.backward()
    let other = try Self.plan(network, weights, threads: 3)
    other.write(input)
    other.forward(count: Self.samples, isTraining: true)
    other.write(gradient: direction)
    other.backward()
    #expect(other.gradients == plan.gradients && other.inputGradient() == plan.inputGradient())

    func value(_ weights: Weights, _ input: [Float]) throws -> Double {
      let plan = try Self.plan(network, weights)
      plan.write(input)
      plan.forward(count: Self.samples, isTraining: true)
      return zip(plan.output(), direction).reduce(0) { $0 + Double($1.0) * Double($1.1) }
    }
    for (key, gradient) in plan.gradients {
      let slopes = try gradient.indices.map { i in
        try Self.slope(1e-3) { step in
          var moved = weights
          moved[key]![i] += step
          return try value(moved, input)
        }
      }
      #expect(Self.distance(gradient, slopes) < 0.05, "\(key)")
    }
    let places = Array(stride(from: 0, to: input.count, by: 17))
    let slopes = try places.map { i in
      try Self.slope(1e-3) { step in
        var moved = input
        moved[i] += step
        return try value(weights, moved)
      }
    }
    let inputGradient = plan.inputGradient()
    #expect(Self.distance(places.map { inputGradient[$0] }, slopes) < 0.05, "input")
  }

  private static func slope(_ step: Float, _ value: (Float) throws -> Double) rethrows -> Double {
    (try value(step) - value(-step)) / (2 * Double(step))
  }

  /// ‖a − b‖ / ‖b‖; single values miss where a step crosses a kink.
  private static func distance(_ a: [Float], _ b: [Double]) -> Double {
    let (error, size) = zip(a, b).reduce((0.0, 0.0)) {
      ($0.0 + ($1.1 - Double($1.0)) * ($1.1 - Double($1.0)), $0.1 + $1.1 * $1.1)
    }
    return (error / size).squareRoot()
  }

  /// x Φ(x) at a few points, by the series of erf.
  @Test func valuesOfGELU() throws {
    let network = Network("probe", GELU(), input: .vector(5))
    let values = try InferencePlan(network, weights: Weights())
      .run([[-2, -0.5, 0, 0.5, 2]], count: 1, pool: WorkerPool(threadCount: 1))[0]
    let expected: [Float] = [-0.0455003, -0.1542688, 0, 0.3457312, 1.9544997]
    for (value, wanted) in zip(values, expected) { #expect(abs(value - wanted) < 1e-6) }
  }

  @Test func printedAndCounted() {
    let network = Self.network(SoftThreshold(3))
    #expect(network.layerLines.map(\.layer)[1] == "SoftThreshold")
    #expect(network.parameters.map(\.key) == ["0.weight", "1.threshold", "2.weight"])
    #expect(network.graph.costs.profiler == network.graph.costs.multiplyAccumulates + 3 * 35)
    let plain = Self.network(GELU())
    #expect(plain.layerLines[0].followedBy == ["GELU"])
  }

  /// Activations replaced in a whole network: parameters get the keys of what they replace, those no longer used go.
  @Test func replacement() throws {
    let base = try NetworkZoo.autoencoder("crnet", compression: 64)
    let smooth = base.replacing { _, operation in
      if case .leakyReLU = operation { GELU() } else { nil }
    }
    #expect(smooth.parameterCount == base.parameterCount)
    #expect(
      !smooth.encoder.graph.description.contains("LeakyReLU")
        && smooth.encoder.graph.description.contains("GELU"))
    let weights = DeterminismTests.weights(base)
    let input = DeterminismTests.random(2048)
    let pool = WorkerPool(threadCount: 1)
    func run(_ network: Network) throws -> [Float] {
      try InferencePlan(network, weights: weights).run([input], count: 1, pool: pool)[0]
    }
    #expect(try run(smooth.encoder) != run(base.encoder))
    let same = base.encoder.replacing { _, _ in nil }
    #expect(try run(same) == run(base.encoder))

    let prelu = try NetworkZoo.autoencoder("acrnet-1x", compression: 64).encoder
    let shrinking = prelu.replacing { key, operation in
      if case .prelu = operation, key == "encoder_feature.prelu" { SoftThreshold(2) } else { nil }
    }
    let (old, new) = (Set(prelu.parameters.map(\.key)), Set(shrinking.parameters.map(\.key)))
    #expect(old.subtracting(new) == ["encoder_feature.prelu.weight"])
    #expect(new.subtracting(old) == ["encoder_feature.prelu.threshold"])
    var stream = StreamKey(seed: 3, domain: .test, purpose: .initialisation).stream(drop: 0)
    let drawn = Weights.initial(shrinking, using: &stream)
    #expect(
      try InferencePlan(shrinking, weights: drawn).run([input], count: 1, pool: pool)[0].count == 32
    )
  }
}
