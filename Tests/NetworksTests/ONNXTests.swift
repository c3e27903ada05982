import DataFiles
import Foundation
import LinkMath
import Networks
import TestSupport
import Testing

private let folder = fixtures.appending(path: "onnx")

/// Networks that PyTorch exported, with the outputs of onnxruntime (`Tests/Fixtures/onnx/make.py`).
@Suite struct ONNXTests {
  static let names = ((try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? [])
    .filter { $0.hasSuffix(".safetensors") }.map { String($0.dropLast(12)) }.sorted()

  private static func path(_ name: String) -> String {
    folder.appending(path: "\(name).onnx").path
  }

  private static func read(_ name: String) throws -> (
    onnx: ONNXNetwork, input: NumericArray, output: [Float]
  ) {
    let file = try TensorFile(path: folder.appending(path: "\(name).safetensors").path)
    return (
      try ONNXNetwork(path: path(name)), file.tensors["input"]!, try file.values("output")
    )
  }

  /// Largest difference over the largest value.
  private static func deviation(_ a: [Float], _ b: [Float]) -> Float {
    let largest = b.reduce(0) { max($0, $1.magnitude) }
    return zip(a, b).reduce(0) { max($0, ($1.0 - $1.1).magnitude) } / largest
  }

  private static func run(_ onnx: ONNXNetwork, _ input: [Float], _ count: Int) throws -> [Float] {
    let plan = try InferencePlan(onnx.network, weights: onnx.weights)
    var output = [Float](repeating: 0, count: count * onnx.outputShape.reduce(1, *))
    input.withUnsafeBufferPointer { input in
      output.withUnsafeMutableBufferPointer {
        plan.run([input.baseAddress!], count: count, into: [$0.baseAddress!])
      }
    }
    return output
  }

  @Test(arguments: names) func outputsAreThoseOfOnnxruntime(_ name: String) throws {
    let (onnx, input, expected) = try Self.read(name)
    #expect(Array(input.shape.dropFirst()) == onnx.inputShape)
    let count = input.shape[0]
    let output = try Self.run(onnx, input.floats(), count)
    try #require(output.count == expected.count)
    #expect(Self.deviation(output, expected) < 1e-5, "\(name)")
    // A sample alone gives the same bits.
    let alone = try Self.run(onnx, Array(input.floats().suffix(onnx.inputShape.reduce(1, *))), 1)
    #expect(alone == Array(output.suffix(alone.count)))
  }

  /// A token that every sample shares is trained, wherever its batch was.
  @Test(arguments: ["tokens", "tokens_dynamo"]) func tokensAreParameters(_ name: String) throws {
    let (onnx, _, _) = try Self.read(name)
    let tokens = onnx.network.parameters.map(\.parameter).filter { $0.shape.suffix(2) == [1, 64] }
    #expect(tokens.count == 2)
    #expect(tokens.allSatisfy { $0.isTrainable })
  }

  /// The training path computes the same where normalisations keep their statistics, and its gradients of the input are those of
  /// central differences along a random direction.
  @Test(arguments: names.filter { $0 != "quantized" && $0 != "steps" })
  func trainingPath(_ name: String) throws {
    let (onnx, input, expected) = try Self.read(name)
    let count = input.shape[0]
    let plan = try TrainingPlan(
      onnx.network, weights: onnx.weights, capacity: count, needsInputGradient: true,
      pool: WorkerPool(threadCount: 1))
    var values = input.floats()
    func forward() -> [Float] {
      plan.write(values)
      plan.forward(count: count, isTraining: false)
      return plan.output()
    }
    #expect(Self.deviation(forward(), expected) < 1e-5, "\(name)")
    // Kinks are crossed by few of many values, roots and quotients are steep.
    let hasKinks = name.hasPrefix("functions") || ["logic", "pooling"].contains(name)
    var random = testStream(3)
    let weights = random.normal(count: expected.count)
    let direction = random.normal(count: values.count)
    func loss() -> Double {
      plan.write(values)
      plan.forward(count: count, isTraining: true)
      return zip(plan.output(), weights).reduce(0) { $0 + Double($1.0) * Double($1.1) }
    }
    _ = loss()
    plan.write(gradient: weights)
    plan.backward()
    let slope = zip(plan.inputGradient(), direction).reduce(0) {
      $0 + Double($1.0) * Double($1.1)
    }
    let (start, step) = (values, Float(1e-3))
    func shifted(_ factor: Float) -> Double {
      values = zip(start, direction).map { $0 + factor * step * $1 }
      return loss()
    }
    let difference = (shifted(1) - shifted(-1)) / (2 * Double(step))
    let size = max(abs(difference), Double(expected.count).squareRoot())
    #expect(abs(slope - difference) < (hasKinks ? 0.05 : 0.02) * size, "\(slope) \(difference)")
  }

  /// Through a quantiser the gradient goes straight where nothing is clamped, as PyTorch's does.
  @Test func gradientsOfQuantisers() throws {
    let (onnx, input, expected) = try Self.read("quantized")
    let file = try TensorFile(path: folder.appending(path: "quantized.safetensors").path)
    let gradient = try file.values("input_gradient")
    let plan = try TrainingPlan(
      onnx.network, weights: onnx.weights, capacity: input.shape[0], needsInputGradient: true,
      pool: WorkerPool(threadCount: 1))
    plan.write(input.floats())
    plan.forward(count: input.shape[0], isTraining: true)
    let output = plan.output()
    #expect(Self.deviation(output, expected) < 1e-5)
    plan.write(gradient: output.map { 2 * $0 / Float(output.count) })
    plan.backward()
    #expect(Self.deviation(plan.inputGradient(), gradient) < 1e-5)
    // Some values are clamped, and have none.
    #expect(gradient.contains(0) && gradient.contains { $0 != 0 })
  }

  /// Steps have slope 0, and so has a network that ends in them.
  @Test func gradientsOfSteps() throws {
    let (onnx, input, expected) = try Self.read("steps")
    let plan = try TrainingPlan(
      onnx.network, weights: onnx.weights, capacity: input.shape[0], needsInputGradient: true,
      pool: WorkerPool(threadCount: 1))
    plan.write(input.floats())
    plan.forward(count: input.shape[0], isTraining: true)
    #expect(plan.output() == expected)
    plan.write(gradient: [Float](repeating: 1, count: expected.count))
    plan.backward()
    #expect(plan.inputGradient().allSatisfy { $0 == 0 })
  }

  /// Keys are the file's where it names its tensors, and one node's parameters are counted as PyTorch counts them.
  @Test func namesAndCounts() throws {
    let encoder = try ONNXNetwork(path: Self.path("encoder"))
    #expect(
      encoder.network.parameters.map(\.key).filter { !$0.hasSuffix(".value") } == [
        "0.weight", "0.bias", "1.weight", "1.bias", "1.running_mean", "1.running_var", "2.weight",
        "3.weight", "3.bias", "6.weight", "6.bias",
      ])
    #expect(encoder.network.parameterCount == 124 + 8 + 4 + 74 + 128 * 32 + 32)
    #expect(
      encoder.network.graph.costs.multiplyAccumulates
        == 64 * (4 * 2 * 15 + 2 * 4 * 9) + 128 * 32)
    #expect(encoder.inputShape == [2, 8, 8] && encoder.outputShape == [32])
    let text = encoder.network.tree
    #expect(text.contains("BatchNorm(4, channel)") && text.contains("Dense(128 → 32)"), "\(text)")
  }

  /// An imported network can be trained: the loss falls.
  @Test func trains() throws {
    let (onnx, input, _) = try Self.read("attention")
    let network = onnx.network
    let count = input.shape[0]
    let target = [Float](repeating: 0.25, count: count * 8)
    var losses: [Double] = []
    var weights = onnx.weights
    for _ in 0..<5 {
      let step = try TrainingPlan(
        network, weights: weights, capacity: count, needsInputGradient: false,
        pool: WorkerPool(threadCount: 1))
      step.write(input.floats())
      step.forward(count: count, isTraining: true)
      let error = zip(step.output(), target).map { $0 - $1 }
      losses.append(error.reduce(0) { $0 + Double($1 * $1) })
      step.write(gradient: error.map { 2 * $0 })
      step.backward()
      for (key, gradient) in step.gradients {
        weights.values[key] = zip(weights.values[key]!, gradient).map { $0 - 0.002 * $1 }
      }
    }
    #expect(zip(losses, losses.dropFirst()).allSatisfy { $0 > $1 }, "\(losses)")
  }

  // MARK: what is not understood

  /// A fixture with some bytes replaced by as many others wherever they stand.
  private static func edited(_ name: String, _ old: String, _ new: String) throws -> [UInt8] {
    let bytes = [UInt8](try Data(contentsOf: URL(filePath: path(name))))
    let (old, new) = (Array(old.utf8), Array(new.utf8))
    try #require(old.count == new.count && bytes.firstRange(of: old) != nil)
    return bytes.replacing(old, with: new)
  }

  @Test func errorsNameTheNode() throws {
    func message(_ name: String, _ old: String, _ new: String) throws -> String {
      let bytes = try Self.edited(name, old, new)
      let error = #expect(throws: DataFileError.self) {
        try ONNXNetwork(bytes, path: "net.onnx")
      }
      return "\(error.map { "\($0)" } ?? "")"
    }
    let unknown = try message("decoder", "Sigmoid", "Sigmord")
    #expect(unknown.contains("'Sigmord' in node '"), "\(unknown)")
    #expect(unknown.contains("Conv, ConvTranspose") && unknown.contains("codec 'process'"))
  }

  /// Gradients of the parameters are central differences of the loss along a random direction.
  @Test(arguments: names.filter { $0 != "quantized" && $0 != "steps" })
  func parameterGradients(_ name: String) throws {
    let (onnx, input, expected) = try Self.read(name)
    let keys = onnx.network.parameters.filter(\.parameter.isTrainable).map { $0.key }
    guard !keys.isEmpty else { return }
    var random = testStream(4)
    let factors = random.normal(count: expected.count)
    let directions = Dictionary(
      uniqueKeysWithValues: keys.map { ($0, random.normal(count: onnx.weights[$0]!.count)) })
    let pool = WorkerPool(threadCount: 1)
    func plan(_ step: Float) throws -> (TrainingPlan, Double) {
      var weights = onnx.weights
      for key in keys {
        weights[key] = zip(weights[key]!, directions[key]!).map { $0 + step * $1 }
      }
      let plan = try TrainingPlan(
        onnx.network, weights: weights, capacity: input.shape[0], needsInputGradient: false,
        pool: pool)
      plan.write(input.floats())
      plan.forward(count: input.shape[0], isTraining: true)
      return (plan, zip(plan.output(), factors).reduce(0) { $0 + Double($1.0) * Double($1.1) })
    }
    let (middle, _) = try plan(0)
    middle.write(gradient: factors)
    middle.backward()
    let gradients = middle.gradients
    let slope = keys.reduce(0.0) { sum, key in
      zip(gradients[key]!, directions[key]!).reduce(sum) { $0 + Double($1.0) * Double($1.1) }
    }
    // A wide step moves the places of maxima.
    let step: Float = name == "pooling" ? 2e-4 : 1e-3
    let difference = (try plan(step).1 - plan(-step).1) / Double(2 * step)
    let size = max(abs(difference), Double(expected.count).squareRoot())
    #expect(abs(slope - difference) < 0.05 * size, "\(slope) \(difference)")
  }

  /// PyTorch's multi-head attention moves the batch behind the tokens and joins it with the heads; the samples stay apart.
  @Test(arguments: [
    "encoder_layer", "attention_module", "encoder_layer_single", "attention_module_single",
  ])
  func movedBatchesDoNotMix(_ name: String) throws {
    let (onnx, input, expected) = try Self.read(name)
    let size = onnx.inputShape.reduce(1, *)
    let turned = Array(input.floats().suffix(size) + input.floats().dropLast(size))
    let output = try Self.run(onnx, turned, input.shape[0])
    let last = expected.count / input.shape[0]
    #expect(Self.deviation(Array(output.prefix(last)), Array(expected.suffix(last))) < 1e-5)
  }

  @Test func noModels() throws {
    for bytes: [UInt8] in [[], [0], Array("PK\u{3}\u{4} no model".utf8), [0x3A, 0]] {
      #expect(throws: DataFileError.self) { try ONNXNetwork(bytes, path: "net.onnx") }
    }
    #expect(throws: DataFileError.self) { try ONNXNetwork(path: "/no/such/file.onnx") }
  }

  /// Values of other files are read from beside the model only.
  @Test func weightsBesideTheModel() throws {
    let bytes = try Self.edited("external", "external.onnx.data", "../rnal.onnx.data1")
    let error = #expect(throws: DataFileError.self) {
      try ONNXNetwork(bytes, path: Self.path("external"))
    }
    #expect(error?.expected == "values in a file beside the model")
    let lost = try Self.edited("external", "external.onnx.data", "external.onnx.datb")
    #expect(throws: DataFileError.self) { try ONNXNetwork(lost, path: Self.path("external")) }
  }

  /// Numbers that would overflow: pads are refused, whole numbers are whole already.
  @Test func absurdNumbers() throws {
    let pads = #expect(throws: DataFileError.self) {
      try ONNXNetwork(path: Self.path("absurd_pads"))
    }
    #expect("\(pads!)".contains("pads of less than 2^24"), "\(pads!)")
    // Points of a number without axes.
    #expect(throws: DataFileError.self) {
      try ONNXNetwork(path: Self.path("absurd_points"))
    }
    let floor = try ONNXNetwork(path: Self.path("absurd_floor"))
    let output = try Self.run(floor, [Float](repeating: 0.5, count: 128), 1)
    #expect(output == [Float](repeating: 0.5 * 0x1p63, count: 128))
  }

  /// 200 damaged files: each is refused, or is a network that runs.
  @Test func damagedFiles() throws {
    var random = Generator(state: 13)
    var refused = 0
    let small = Self.names.filter { $0 != "external" }
    for number in 0..<200 {
      let name = small[number % small.count]
      let bytes = [UInt8](try Data(contentsOf: URL(filePath: Self.path(name))))
      do {
        let onnx = try ONNXNetwork(mutated(bytes, &random), path: "damaged.onnx")
        let count = onnx.inputShape.reduce(1, *)
        if count < 1 << 16 {
          _ = try Self.run(onnx, [Float](repeating: 0.5, count: count), 1)
        }
      } catch is DataFileError {
        refused += 1
      }
    }
    #expect(refused > 50 && refused < 200)
  }
}
