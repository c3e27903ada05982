import DataFiles
import Foundation
import LinkMath
import Networks
import TestSupport
import Testing

/// Networks of the zoo written as ONNX and read again.
@Suite struct ONNXExportTests {
  private static let image = Shape.image(angles: 8, taps: 8)

  /// Every variant that the image suits, at its first ratio.
  static let names = NetworkZoo.standard.variants.map { $0.name }.filter {
    (try? choice($0)) != nil
  }

  private static func choice(_ name: String) throws -> NetworkChoice {
    let first = try NetworkZoo.standard.variant(name).compressions(image: image)[0]
    return try NetworkChoice(name, compression: first, image: image)
  }

  /// Initial weights moved at random, so that no scale is 1 and no shift 0.
  private static func weights(_ network: Network) -> Weights {
    var random = testStream(17)
    var weights = Weights.initial(network, using: &random)
    for (key, parameter) in network.parameters {
      let noise = random.normal(count: parameter.count)
      weights[key] = zip(weights[key]!, noise).map { $0 + 0.05 * abs($1) }
    }
    return weights
  }

  private static func run(
    _ network: Network, _ weights: Weights, _ input: [Float], count: Int
  ) throws -> [Float] {
    let plan = try InferencePlan(network, weights: weights)
    var output = [Float](repeating: 0, count: count * network.graph.outputShapes[0].count)
    input.withUnsafeBufferPointer { input in
      output.withUnsafeMutableBufferPointer {
        plan.run([input.baseAddress!], count: count, into: [$0.baseAddress!])
      }
    }
    return output
  }

  private static func deviation(_ a: [Float], _ b: [Float]) -> Float {
    let largest = b.reduce(0) { max($0, $1.magnitude) }
    return zip(a, b).reduce(0) { max($0, ($1.0 - $1.1).magnitude) } / largest
  }

  @Test(arguments: names) func whatIsWrittenIsRead(_ name: String) throws {
    let autoencoder = try Self.choice(name).autoencoder
    var random = testStream(5)
    for side in WeightsFile.Side.allCases {
      let network = side.network(of: autoencoder)
      let weights = Self.weights(network)
      func bytes() throws -> [UInt8] {
        try ONNXExport.bytes(side, of: autoencoder, weights: weights)
      }
      guard network.graph.inputShapes.count == 1 else {
        #expect(throws: NetworkError.self) { try bytes() }
        continue
      }
      let file = try bytes()
      #expect(file == (try bytes()), "the same bytes each time")
      if network.attendsAcrossBatch {
        // The reader's samples stay apart.
        #expect(throws: DataFileError.self) { try ONNXNetwork(file, path: "net.onnx") }
        continue
      }
      let onnx = try ONNXNetwork(file, path: "net.onnx")
      #expect(onnx.inputShape == (side == .encoder ? [2, 8, 8] : [autoencoder.codewordLength]))
      let count = network.graph.inputShapes[0].count
      let input = random.normal(count: 3 * count).map { 0.5 + 0.2 * $0 }
      let expected = try Self.run(network, weights, input, count: 3)
      let found = try Self.run(onnx.network, onnx.weights, input, count: 3)
      #expect(Self.deviation(found, expected) < 2e-5, "\(name) \(side)")
    }
  }

  /// What PyTorch exported is written again by this library, operators of all kinds among it; quantisers are read only.
  @Test(arguments: ONNXTests.names.filter { $0 != "quantized" })
  func importedNetworks(_ name: String) throws {
    let onnx = try ONNXNetwork(path: fixtures.appending(path: "onnx/\(name).onnx").path)
    let (network, inputs) = (onnx.network, onnx.inputShape)
    let file = try ONNXExport.bytes(
      network, weights: onnx.weights, input: ("input", inputs), output: ("output", onnx.outputShape)
    )
    let again = try ONNXNetwork(file, path: "net.onnx")
    #expect(again.inputShape == inputs && again.outputShape == onnx.outputShape)
    var random = testStream(6)
    let input = random.normal(count: 2 * inputs.reduce(1, *)).map { 0.5 + 0.1 * $0 }
    let expected = try Self.run(network, onnx.weights, input, count: 2)
    let found = try Self.run(again.network, again.weights, input, count: 2)
    #expect(Self.deviation(found, expected) < 1e-5)
  }

  @Test func operationsWithoutEquivalentAreNamed() throws {
    let choice = try NetworkChoice(
      "csinet {int8: both, int8_ranges: dynamic}", compression: 4, image: Self.image)
    let network = choice.autoencoder.encoder
    let error = #expect(throws: NetworkError.self) {
      try ONNXExport.bytes(
        .encoder, of: choice.autoencoder, weights: Self.weights(network))
    }
    #expect(
      "\(error!)" == "'DynamicInt8Dense(128 → 32)' cannot be said with operators of ONNX")
    #expect(throws: NetworkError.self) {
      try ONNXExport.bytes(.encoder, of: choice.autoencoder, weights: Weights())
    }
  }
}
