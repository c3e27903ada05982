import Channels
import Codecs
import Coding
import DataFiles
import Foundation
import Link
import LinkMath
import Networks
import Parts
import Scenarios
import Synchronization
import TestSupport
import Simulation
import Testing
import Training

/// The scenario's link inside a training.
@Suite struct LinkStepTests {
  private static let yaml = """
    link:
      grid: {tones: 32}
      channel: {type: rayleigh, ports: 8, taps: 3}
      estimator: perfect
      transform: {taps: 8}
      codec: {network: csinet, compression: 4}
      quantizer: {type: uniform, bits: 3, range: [-1, 1]}
    training:
      samples: 40
      validation_samples: 8
      test_samples: 10
      epochs: 2
      batch: 10
      learning_rate: 0.01
      link: true
    run: {seed: 3, drops: 10}
    """

  static let links: [[String]] = [
    [],
    ["feedback={type: bsc, p: 0.03}"],
    ["feedback={type: bpsk, snr_db: 3}", "normaliser={type: sample_max_modulus, gain: quantized}"],
    ["feedback={type: erasure, loss: 0.3, snr_db: 8}"],
    ["feedback={type: polar, snr_db: -1, code_rate: 0.5}", "quantizer.bits=1"],
    ["feedback={type: analogue, snr_db: 5}", "quantizer=none"],
    ["quantizer.range=optimal", "coder=range"],
    [
      "quantizer=trained", "feedback={type: bsc, p: 0.03}",
      "training.quantizer={type: codebooks, bits: 2, max_bits: 3, samples: 40}",
    ],
  ]

  private func train(_ folder: String, _ set: [String]) throws -> TrainedNetwork {
    let run = try TrainingRun(
      scenario(Self.yaml, set: set),
      pool: WorkerPool(threadCount: 1))
    return try #require(
      try run.execute(in: folder, progress: { _ in }, shouldStop: { false }))[0]
  }

  /// The drops of another domain in those of a run.
  private struct Redirected: ChannelModel {
    let model: any ChannelModel
    var portCount: Int { model.portCount }

    func frequencyResponse(_ block: DropBlock, slots: [Int]) throws -> [ComplexArray] {
      let domain: StreamKey.Domain = block.domain == .run ? .test : block.domain
      return try model.frequencyResponse(
        DropBlock(block.drops, domain: domain, seed: block.seed), slots: slots)
    }
  }

  /// Where the link draws nothing, a run on the drops of the test set reports the error that the training printed.
  @Test(arguments: [[], ["quantizer.bits=2", "quantizer.range=[-0.5, 0.7]"]])
  func aRunOnTheSameDropsReportsTheSame(set: [String]) throws {
    try withTemporaryFolder { folder in
      let trained = try train(folder, set)
      let run = try PreparedRun(
        scenario(Self.yaml, set: set + ["codec.weights=\(folder)"]),
        pool: WorkerPool(threadCount: 1), artefactFolder: nil,
        channels: { Redirected(model: $0) })
      let result = try execute(run)
      #expect(abs(result.points[0][.nmseDB] - trained.result.test.nmseDB) < 1e-4)
    }
  }

  /// The test set through the parts of the link, with the streams of its drops, has the error that the training printed.
  @Test(arguments: links.indices.filter { ![6].contains($0) })
  func theTestSetThroughTheLink(index: Int) throws {
    let set = Self.links[index]
    try withTemporaryFolder { folder in
      let trained = try train(folder, set)
      let files = try FileManager.default.contentsOfDirectory(atPath: "\(folder)/data")
      let file = try #require(files.first { $0.hasPrefix("test-") })
      let images = try ArrayFile.read("\(folder)/data/\(file)").floats()
      let csi = CSIImages.csi(RealArray(images, shape: [10, 2, 8, 8]))
      let weights = set + ["codec.weights=\(folder)"]
      let point = try scenario(Self.yaml, set: weights).points[0].settings
      let registry = try scenario(Self.yaml, set: weights).registry
      var context = LinkContext(grid: .init(toneCount: 32, spacingHz: 20e6 / 1024, carrierHz: 2e9))
      (context.portCount, context.tapCount) = (8, 8)
      context.normaliser = "sample_max_modulus"
      let codec = try NeuralCodec(point[.codec]!, in: context)
      context.codewordLength = codec.codewordLength
      context.trainedQuantizer = codec.trainedQuantizer
      func part<P>(_ section: Section) throws -> P {
        try registry.type(of: point[section]!).init(point[section]!, in: context, fitted: nil) as! P
      }
      let quantizer: any Quantizer = try part(.quantizer)
      context.alphabets = quantizer.alphabets ?? []
      let gain =
        set.contains { $0.contains("gain") }
        ? GainQuantizer(bitCount: 6, lowestDB: -30, highestDB: 30) : nil
      let reporting = CodewordReporting(
        codec, quantizer, FixedWidthCoder(alphabets: context.alphabets), gain: gain)
      let link: any FeedbackLink = try part(.feedback)
      var user = reporting.makeUE(drops: 10)
      let reports = try user.report(
        Measurement(csi: csi, gains: [Float](repeating: 1, count: 10)), slot: 0, acknowledged: [])
      let arrived = link.transmit(reports, DropBlock(0..<10, domain: .test, seed: 3), slot: 0)
      var station = reporting.makeBS(drops: 10)
      let received = try station.receive(arrived, slot: 0)
      let found = (0..<10).reduce(0.0) { sum, drop in
        let pair = (received.csi.slice(drop..<drop + 1), csi.slice(drop..<drop + 1))
        return sum + relativeError(pair.0, pair.1) / 10
      }
      #expect(abs(found / trained.result.test.nmse - 1) < 1e-5)
      if set.contains(where: { $0.contains("erasure") || $0.contains("polar") }) {
        let lost = arrived.count { $0.isLost }
        #expect(lost > 0 && lost < 10, "\(lost)")
      }
    }
  }

  /// What the link draws moves the weights: another training than without it.
  @Test func theLinkIsInTheTraining() throws {
    func weights(_ set: [String]) throws -> Weights {
      try withTemporaryFolder { try train($0, set).result.weights }
    }
    let clean = try weights(["training.link=false"])
    let quantised = try weights([])
    #expect(try clean != quantised && quantised != weights(Self.links[1]))
  }

  /// The same weights for any number of threads, interrupted or not, with what the parts learned in the checkpoint.
  @Test(arguments: links.indices)
  func continuesToTheSameBytes(index: Int) throws {
    let set = Self.links[index]
    func files(_ threads: Int, stepsAtATime: Int) throws -> [Data] {
      try withTemporaryFolder { folder in
        let run = try TrainingRun(
          scenario(Self.yaml, set: set), pool: WorkerPool(threadCount: threads))
        for part in 0..<40 {
          let done = Atomic(0)
          let trained = try run.execute(
            in: folder,
            progress: { if case .training = $0 { done.wrappingAdd(1, ordering: .relaxed) } },
            shouldStop: { done.load(ordering: .relaxed) >= stepsAtATime })
          guard let trained else { continue }
          #expect(stepsAtATime > 100 || part >= 2)
          return try trained[0].files.map { try Data(contentsOf: URL(filePath: $0)) }
        }
        Issue.record("never ends")
        return []
      }
    }
    #expect(try files(2, stepsAtATime: 1000) == files(1, stepsAtATime: 3))
  }

  private func complaint(_ set: [String]) -> String {
    do {
      try withTemporaryFolder { folder in
        let run = try TrainingRun(
          scenario(Self.yaml, set: set), pool: WorkerPool(threadCount: 1))
        _ = try run.execute(in: folder, progress: { _ in }, shouldStop: { false })
      }
      return ""
    } catch {
      return "\(error)"
    }
  }

  @Test func complaints() {
    #expect(
      complaint(["quantizer=trained"]).contains("is the quantiser of a training that has none"))
    #expect(
      complaint(["training.quantizer={type: lloyd, bits: 2, samples: 40}"])
        .contains("quantises what 'training.quantizer' has quantised"))
    #expect(complaint(["training.codeword_snr_db=3"]).contains("training.link"))
    #expect(complaint(["quantizer=none", "feedback={type: bsc, p: 0}"]).contains("cannot carry"))
    #expect(
      complaint(["sweep.quantizer.bits=[2, 3]"]).contains("would be trained through two links"))
    #expect(complaint(["sweep.quantizer.bits=[2, 3]", "training.link=false"]) == "")
  }
}
