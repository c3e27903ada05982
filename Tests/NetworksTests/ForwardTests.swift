import DataFiles
import Foundation
import LinkMath
import Networks
import Testing

@Suite struct ForwardTests {
  private let folder: String
  private let pool = WorkerPool(threadCount: 2)

  init() throws {
    folder = NSTemporaryDirectory() + "/forward-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
  }

  private func write(_ name: String, _ shape: [Int], _ values: [Float]) throws -> ArrayReader {
    try ArrayFile.write([NumericArray(shape: shape, floats: values)], to: "\(folder)/\(name)")
    return try ArrayFile.open("\(folder)/\(name)")
  }

  private func run(
    _ input: ArrayReader, _ part: ForwardRun.Part, weights: [String]
  ) throws -> (ForwardRun.Summary, NumericArray) {
    let run = try ForwardRun(
      NetworkChoice("cl-crnet", compression: 16), part: part, weights: weights)
    let summary = try run.run(input, output: "\(folder)/out.npy", pool: pool)
    return (summary, try ArrayFile.read("\(folder)/out.npy"))
  }

  /// More samples than one block, against the plans run directly.
  @Test func equalsTheInferencePlans() throws {
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let network = try NetworkZoo.autoencoder("cl-crnet", compression: 16)
    let weights = DeterminismTests.weights(network)
    let paths = try WeightsFile.write(
      weights, NetworkChoice("cl-crnet", compression: 16),
      metadata: ["normaliser": "sample_max_modulus"], in: "\(folder)/weights")
    let count = 2051
    let input = DeterminismTests.random(count * 2048)
    let reader = try write("a.npy", [count, 2, 32, 32], input)
    let codewords = try InferencePlan(network.encoder, weights: weights)
      .run([input], count: count, pool: pool)[0]
    let outputs = try InferencePlan(network.decoder, weights: weights)
      .run([codewords], count: count, pool: pool)[0]

    let (summary, whole) = try run(reader, .autoencoder, weights: ["\(folder)/weights"])
    #expect(whole.shape == [count, 2, 32, 32])
    #expect(whole.floats() == outputs)
    #expect(summary.sampleCount == count)
    let (_, encoded) = try run(reader, .encoder, weights: paths)
    #expect(encoded.shape == [count, 4, 1, 32])
    #expect(encoded.floats() == codewords)
    let flat = try write("s.npy", [count, 128], codewords)
    // The decoder's file first or last: each side is taken from the file that has it.
    for order in [paths, paths.reversed()] {
      #expect(try run(flat, .decoder, weights: order).1.floats() == outputs)
    }

    var (ratios, errors, energies) = (0.0, 0.0, 0.0)
    for sample in 0..<count {
      var (error, energy) = (0.0, 0.0)
      for i in sample * 2048..<(sample + 1) * 2048 {
        error += pow(Double(outputs[i]) - Double(input[i]), 2)
        energy += pow(Double(input[i]) - 0.5, 2)
      }
      (ratios, errors, energies) = (ratios + error / energy, errors + error, energies + energy)
    }
    #expect(abs(summary.error!.nmse! / (ratios / Double(count)) - 1) < 1e-12)
    #expect(abs(summary.error!.ratioOfSums! / (errors / energies) - 1) < 1e-12)
  }

  /// One side's file does not do for the other, and the error says so.
  @Test func weightsOfTheOtherSide() throws {
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let network = try NetworkZoo.autoencoder("cl-crnet", compression: 16)
    let paths = try WeightsFile.write(
      DeterminismTests.weights(network), NetworkChoice("cl-crnet", compression: 16),
      metadata: ["normaliser": "sample_max_modulus"], in: folder)
    let described = try WeightsDescription(paths[1])
    #expect(described.sides.map(\.side) == ["decoder"])
    #expect(described.text.contains("# normaliser: sample_max_modulus"))
    for (weights, message) in [
      ([paths[0]], "weights with side = decoder, found side = encoder"),
      ([paths[0], "\(folder)/none.safetensors"], "none.safetensors"), ([], "no weights named"),
    ] {
      let error = #expect(throws: (any Error).self) {
        try ForwardRun(NetworkChoice("cl-crnet", compression: 16), part: .decoder, weights: weights)
      }
      #expect(error.map { "\($0)".contains(message) } == true, "\(String(describing: error))")
    }
  }

  /// PyTorch's wrappers put a word before all keys.
  @Test(arguments: ["module.", "_orig_mod.", "net.module."])
  func sharedPrefixesAreLeftOut(_ prefix: String) throws {
    defer { try? FileManager.default.removeItem(atPath: folder) }
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    let network = try NetworkZoo.autoencoder("cl-crnet", compression: 16)
    let weights = DeterminismTests.weights(network)
    let path = "\(folder)/all.safetensors"
    func write(_ prefixes: [String]) throws {
      let arrays = prefixes.flatMap { prefix in
        [network.encoder, network.decoder].flatMap { side in
          side.parameters.map { key, parameter in
            NumericArray(name: prefix + key, shape: parameter.shape, floats: weights[key]!)
          }
        }
      }
      try ArrayFile.write(arrays, to: path)
    }
    try write([prefix])
    for side in WeightsFile.Side.allCases {
      let read = try WeightsFile(path, NetworkChoice("cl-crnet", compression: 16), side)
      for (key, _) in side.network(of: network).parameters {
        #expect(read.weights[key] == weights[key])
      }
    }
    // Nobody knows which of two networks is meant.
    try write([prefix, "teacher." + prefix])
    let error = #expect(throws: ForeignWeightsError.self) {
      try WeightsFile(path, NetworkChoice("cl-crnet", compression: 16), .encoder)
    }
    #expect("\(try #require(error))".contains("one set of weights of cl-crnet 1/16's encoder"))
  }

  @Test func stopsBeforeABlock() throws {
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let reader = try write("a.npy", [3, 2048], DeterminismTests.random(3 * 2048))
    let run = try ForwardRun(
      NetworkChoice("cl-crnet", compression: 16), part: .encoder, weights: [VectorFileTests.source])
    #expect(throws: ForwardRun.Stopped.self) {
      try run.run(reader, output: "\(folder)/out.npy", pool: pool, shouldStop: { true })
    }
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["a.npy"])
  }
}
