import DataFiles
import Foundation
import LinkMath
import Networks
import Simulation
import Synchronization
import TestSupport
import Testing
import Training

/// `csilink train` goes on from the weights of ONNX files, and links run what it writes.
@Suite struct ONNXTrainingTests {
  private static let files = fixtures.appending(path: "onnx").path

  private static func yaml(
    _ codec: String = "", training: String = "epochs: 2", samples: Int = 24
  ) -> String {
    """
    link:
      grid: {tones: 32}
      channel: {type: rayleigh, ports: 8, taps: 3}
      transform: {taps: 8}
      codec: {type: onnx, encoder: \(files)/encoder.onnx, decoder: \(files)/decoder.onnx\(codec)}
    training: {samples: \(samples), validation_samples: 6, test_samples: 5, batch: 8, \(training)}
    run: {seed: 3, drops: 4}
    """
  }

  private static func trained(
    _ yaml: String, _ folder: String, threads: Int = 1, stepsAtATime: Int = .max
  ) throws -> TrainedNetwork {
    for _ in 0..<50 {
      let done = Mutex(0)
      let run = try TrainingRun(scenario(yaml), pool: WorkerPool(threadCount: threads))
      let found = try run.execute(
        in: folder,
        progress: { if case .training = $0 { done.withLock { $0 += 1 } } },
        shouldStop: { done.withLock { $0 } >= stepsAtATime })
      if let found { return found[0] }
    }
    throw CancellationError()
  }

  private static func file(_ yaml: String) throws -> (NetworkChoice, [WeightsFile]) {
    try withTemporaryFolder { folder in
      let network = try trained(yaml, folder).network
      return (network, try WeightsFile.Side.allCases.map { try WeightsFile(folder, network, $0) })
    }
  }

  /// Interrupted after every step or not, on one thread or two.
  @Test func resumesToTheBit() throws {
    try withTemporaryFolder { one in
      try withTemporaryFolder { two in
        let whole = try Self.trained(Self.yaml(), one)
        let parts = try Self.trained(Self.yaml(), two, threads: 2, stepsAtATime: 1)
        #expect(whole.files.count == 2)
        #expect(whole.stem == "onnx-encoder-decoder-32")
        #expect(
          whole.network.title == "onnx {encoder: encoder.onnx, decoder: decoder.onnx} 1/4 of 8x8")
        for (a, b) in zip(whole.files, parts.files) {
          #expect(try Data(contentsOf: URL(filePath: a)) == Data(contentsOf: URL(filePath: b)))
        }
      }
    }
  }

  /// A training that hardly moves leaves the weights of the files.
  @Test func startsFromTheFiles() throws {
    let (_, sides) = try Self.file(Self.yaml(training: "epochs: 1, learning_rate: 1e-12"))
    for (side, name) in zip(sides, ["encoder", "decoder"]) {
      let onnx = try ONNXNetwork(path: "\(Self.files)/\(name).onnx")
      for (key, parameter) in onnx.network.parameters where parameter.isTrainable {
        let (found, expected) = (side.weights["\(name).\(key)"]!, onnx.weights[key]!)
        #expect(zip(found, expected).allSatisfy { abs($0 - $1) < 1e-6 }, "\(key)")
      }
    }
  }

  /// The validation error falls, the link runs the trained weights, and they are written as ONNX again.
  @Test func trainsAndRuns() throws {
    try withTemporaryFolder { folder in
      let trained = try Self.trained(
        Self.yaml(training: "epochs: 10, learning_rate: 3e-3", samples: 200), folder)
      let errors = trained.result.curve.epochs.map(\.validationNMSEDB)
      #expect(errors.last! < errors[0] - 0.5, "\(errors)")
      func value(_ codec: String) throws -> Double {
        try execute(prepare(Self.yaml(codec))).points[0][.nmseDB]
      }
      let before = try value("")
      let after = try value(", weights: \(folder)")
      #expect(after < before - 0.5, "\(before) \(after)")
      // The same as what another file of both sides says.
      let network = trained.network
      let encoder = try WeightsFile(folder, network, .encoder)
      let bytes = try ONNXExport.bytes(.encoder, of: network.autoencoder, weights: encoder.weights)
      #expect(try ONNXNetwork(bytes, path: "encoder.onnx").outputShape == [32])
    }
  }
}
