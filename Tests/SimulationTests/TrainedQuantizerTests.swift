import Codecs
import DataFiles
import Foundation
import LinkMath
import Networks
import Parts
import Scenarios
import Simulation
import Synchronization
import TestSupport
import Testing
import Training

/// A network that was trained through a quantiser, in the link with the quantiser that its training left.
@Suite struct TrainedQuantizerTests {
  private static func yaml(
    _ quantizer: String, loss: String = "log_mse", network: String = "csinet"
  )
    -> String
  {
    """
    link:
      grid: {tones: 32}
      channel: {type: rayleigh, ports: 8, taps: 3}
      transform: {taps: 8}
      codec: {network: '\(network)', compression: 4}
      quantizer: trained
    training:
      samples: 40
      validation_samples: 8
      test_samples: 10
      epochs: 3
      batch: 10
      learning_rate: 0.01
      loss: \(loss)
      quantizer: {\(quantizer), samples: 40}
    run: {seed: 3, drops: 12}
    """
  }

  struct Case: Sendable, CustomTestStringConvertible {
    let quantizer: String
    var network = "csinet"
    /// Bits of a codeword of 32 reals.
    let bits: Int
    var testDescription: String { quantizer }
  }

  static let cases = [
    Case(quantizer: "type: codebooks, bits: 2, max_bits: 4", bits: 64),
    Case(
      quantizer: "type: codebooks, bits: 3, max_bits: 4, adaptive: false, reallocate: false",
      bits: 96),
    Case(quantizer: "type: lloyd, bits: 3", bits: 96),
    Case(quantizer: "type: round, bits: 3", bits: 96),
    Case(quantizer: "type: uniform, bits: 3", network: "csinet {codeword: sigmoid}", bits: 96),
    Case(quantizer: "type: mu_law, bits: 4, mu: 50", network: "csinet {codeword: tanh}", bits: 128),
    Case(quantizer: "type: vector, bits: 2, length: 2, ordered_epochs: 1", bits: 64),
  ]

  /// The test set through codec, report and back has the error that the training printed, and the link's reports have the bits.
  @Test(arguments: cases)
  func theLinkDoesWhatTheTestDid(test: Case) throws {
    try withTemporaryFolder { folder in
      let text = Self.yaml(test.quantizer, network: test.network)
      let pool = WorkerPool(threadCount: 1)
      let trained = try #require(
        try TrainingRun(scenario(text), pool: pool).execute(
          in: folder, progress: { _ in }, shouldStop: { false }))
      let run = try prepare(text, set: ["codec.weights=\(folder)"])
      let result = try execute(run)
      #expect(result.points.map { $0[.payloadBits] } == [Double(test.bits)])

      let files = try FileManager.default.contentsOfDirectory(atPath: "\(folder)/data")
      let file = try #require(files.first { $0.hasPrefix("test-") })
      let images = try ArrayFile.read("\(folder)/data/\(file)").floats()
      let settings = try scenario(text, set: ["codec.weights=\(folder)"]).points[0].settings
      var context = LinkContext(grid: .init(toneCount: 32, spacingHz: 20e6 / 1024, carrierHz: 2e9))
      (context.portCount, context.tapCount) = (8, 8)
      context.normaliser = "sample_max_modulus"
      let codec = try NeuralCodec(settings[.codec]!, in: context)
      context.codewordLength = codec.codewordLength
      context.trainedQuantizer = codec.trainedQuantizer
      let quantizer = try TrainedQuantizer(settings[.quantizer]!, in: context, fitted: nil)
      let reporting = CodewordReporting(
        codec, quantizer, FixedWidthCoder(alphabets: quantizer.alphabets!), gain: nil)
      let csi = Self.csi(images)
      var user = reporting.makeUE(drops: 10)
      let reports = try user.report(
        Measurement(csi: csi, gains: [Float](repeating: 1, count: 10)), slot: 0, acknowledged: [])
      #expect(reports.allSatisfy { $0.bits.count == test.bits })
      var station = reporting.makeBS(drops: 10)
      let received = try station.receive(
        reports.map { .bits($0.bits, soft: nil) }, slot: 0)
      let found = Self.nmse(received, csi)
      #expect(abs(found / trained[0].result.test.nmse - 1) < 1e-5)
    }
  }

  /// CSI [drop, delay, angle] of images [drop, 2, angle, delay] around 0.5.
  private static func csi(_ images: [Float]) -> ComplexArray {
    let values = (0..<10 * 64).map { i -> ComplexFloat in
      let (drop, delay, angle) = (i / 64, i / 8 % 8, i % 8)
      let place = 128 * drop + 8 * angle + delay
      return ComplexFloat(2 * images[place] - 1, 2 * images[place + 64] - 1)
    }
    return ComplexArray(values, shape: [10, 8, 8])
  }

  private static func nmse(_ received: Reconstruction, _ csi: ComplexArray) -> Double {
    (0..<10).reduce(0.0) { sum, drop in
      let pair = (received.csi.slice(drop..<drop + 1), csi.slice(drop..<drop + 1))
      return sum + relativeError(pair.0, pair.1) / 10
    }
  }

  /// The same weights for any number of threads, interrupted or not, with codebooks, allocation and optimiser in the checkpoint.
  @Test(arguments: cases.indices)
  func continuesToTheSameBytes(index: Int) throws {
    let test = Self.cases[index]
    let text = Self.yaml(test.quantizer, network: test.network)
    func files(_ threads: Int, stepsAtATime: Int) throws -> [Data] {
      try withTemporaryFolder { folder in
        let run = try TrainingRun(scenario(text), pool: WorkerPool(threadCount: threads))
        var parts = 0
        while true {
          let done = Atomic(0)
          let trained = try run.execute(
            in: folder,
            progress: { if case .training = $0 { done.wrappingAdd(1, ordering: .relaxed) } },
            shouldStop: { done.load(ordering: .relaxed) >= stepsAtATime })
          if let trained {
            #expect(stepsAtATime > 100 || parts >= 12 / stepsAtATime)
            return try trained[0].files.map { try Data(contentsOf: URL(filePath: $0)) }
          }
          parts += 1
          try #require(parts < 40)
        }
      }
    }
    #expect(try files(2, stepsAtATime: 1000) == files(1, stepsAtATime: 3))
  }

  @Test func complaints() throws {
    try withTemporaryFolder { folder in
      let plain = Self.yaml("type: none")
      _ = try TrainingRun(scenario(plain), pool: WorkerPool(threadCount: 1)).execute(
        in: folder, progress: { _ in }, shouldStop: { false })
      let errors = SimulationTests.complaints(plain, set: ["codec.weights=\(folder)"])
      #expect(errors.count == 1)
      #expect(errors[0].contains("needs a network whose weights hold a quantiser"), "\(errors)")
      #expect(errors[0].contains("test.yaml:"), "\(errors)")
      let other = SimulationTests.complaints(
        plain, set: ["codec={type: pca, compression: 4}", "quantizer=trained"])
      #expect(other.contains { $0.contains("the codec has none") }, "\(other)")
    }
  }
}
