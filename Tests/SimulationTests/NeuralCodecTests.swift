import Foundation
import LinkMath
import Networks
import Reports
import Simulation
import TestSupport
import Testing

/// The learned codecs in the link: every quantiser and feedback link behind them, and what the results depend on.
@Suite struct NeuralCodecTests {
  /// A small link with CSI of 32 taps and 32 ports; the last keys come from the test.
  private static func yaml(_ more: String) -> String {
    """
    name: learned
    link:
      grid: {tones: 64}
      channel: {type: rayleigh, ports: 32, taps: 8}
      pilots.snr_db: 20
      transform: {taps: 32}
      precoder: {type: mrt, snr_db: 10}
    \(more)
    run: {seed: 3, drops: 6, block: 2}
    """
  }

  private static func report(_ yaml: String, threads: Int = 1, artefacts: String? = nil) throws
    -> String
  {
    ReportCSV.text(
      of: try execute(prepare(yaml, threads: threads, artefacts: artefacts), threads: threads))
  }

  /// CLLWCsiNet has an unbounded codeword, CsiNet a linear one.
  @Test(arguments: ["csinet", "cllwcsinet"], [1, 2])
  func everyQuantizerAndFeedbackLink(network: String, threads: Int) throws {
    try withTemporaryFolder { folder in
      try writeDrawnWeights(network, compression: 16, in: folder)
      let codec = "  codec: {network: \(network), compression: 16, weights: \(folder)}"
      let real = Self.yaml(codec + "\nsweep: {feedback: [ideal, {type: analogue, snr_db: 10}]}")
      let bits = Self.yaml(
        codec + """

          sweep:
            quantizer:
              - {type: uniform, bits: 3, fit.drops: 20}
              - {type: uniform, bits: 3, range: [-4, 4], label: fixed}
              - {type: lloyd_max, bits: 2, fit.drops: 20}
            feedback: [ideal, {type: bsc, p: 0.01}, {type: bpsk, snr_db: 6}, {type: qpsk, snr_db: 6}]
          """)
      for (yaml, count) in [(real, 2), (bits, 12)] {
        let points = try execute(prepare(yaml), threads: threads).points
        #expect(points.count == count)
        #expect(points.allSatisfy { $0[.nmseDB].isFinite })
        #expect(points.allSatisfy { $0.drops == 6 })
        #expect(points[0].number(.payloadBits) == (count == 2 ? nil : Double(128 * 3)))
        #expect(try Self.report(yaml, threads: threads) == Self.report(yaml))
      }
    }
  }

  @Test func theSweepGoesOverCodecsAndRatios() throws {
    try withTemporaryFolder { folder in
      for ratio in [4, 16] { try writeDrawnWeights("cllwcsinet", compression: ratio, in: folder) }
      let run = try prepare(
        Self.yaml(
          """
          sweep:
            codec: [dft_selection, {network: cllwcsinet, weights: \(folder)}, none]
            codec.compression: [4, 16]
          """))
      let result = try execute(run)
      #expect(
        result.points.map(\.coordinates) == [
          ["dft_selection", "4"], ["dft_selection", "16"], ["cllwcsinet", "4"],
          ["cllwcsinet", "16"], ["none", nil],
        ])
      #expect(result.points.allSatisfy { $0[.nmseDB].isFinite })
      #expect(Set(result.points.map { $0[.nmseDB] }).count == 5)
    }
  }

  @Test func theDigestFollowsTheContentOfTheFiles() throws {
    try withTemporaryFolder { folder in
      func digests() throws -> (weights: String, data: String) {
        let run = try prepare(
          Self.yaml("  codec: {network: crnet, compression: 64, weights: \(folder)}"))
        let provenance = try execute(run).provenance
        return (provenance.weightsDigest, provenance.dataDigest)
      }
      try writeDrawnWeights("crnet", compression: 64, in: folder)
      let first = try digests()
      #expect(first.weights.count == 16)
      #expect(first.data == "")
      // Files that this codec does not read do not count.
      try writeDrawnWeights("crnet", compression: 32, in: folder)
      #expect(try digests().weights == first.weights)
      try writeDrawnWeights("crnet", compression: 64, seed: 2, in: folder)
      #expect(try digests().weights != first.weights)
      try writeDrawnWeights("crnet", compression: 64, in: folder)
      #expect(try digests().weights == first.weights)
    }
    #expect(try execute(prepare(Self.yaml("  codec: none"))).provenance.weightsDigest == "")
  }

  /// Ranges that were fitted behind other weights are not used again: the key of the artefact has the content in it.
  @Test func fittedRangesBelongToTheWeights() throws {
    try withTemporaryFolder { folder in
      let yaml = Self.yaml(
        """
          codec: {network: crnet, compression: 64, weights: \(folder)/weights}
          quantizer: {type: uniform, bits: 4, fit.drops: 20}
        """)
      func kept() throws -> Set<String> {
        Set(try FileManager.default.contentsOfDirectory(atPath: "\(folder)/fitted"))
      }
      try writeDrawnWeights("crnet", compression: 64, in: "\(folder)/weights")
      let first = try Self.report(yaml, artefacts: "\(folder)/fitted")
      let one = try kept()
      #expect(one.count == 1)
      try writeDrawnWeights("crnet", compression: 64, seed: 2, in: "\(folder)/weights")
      let second = try Self.report(yaml, artefacts: "\(folder)/fitted")
      #expect(try kept().count == 2 && kept().isSuperset(of: one))
      #expect(first != second)
      #expect(try Self.report(yaml) == second, "without kept parts")
    }
  }

  /// Interrupted in the middle, a run continues with its weights and refuses others.
  @Test func aRunContinuesWithItsWeightsOnly() throws {
    try withTemporaryFolder { folder in
      let yaml = Self.yaml("  codec: {network: crnet, compression: 64, weights: \(folder)}")
      try writeDrawnWeights("crnet", compression: 64, in: folder)
      let whole = try Self.report(yaml)
      let runner = Runner(
        try prepare(yaml), pool: WorkerPool(threadCount: 1), folder: "\(folder)/out")
      let looks = Counter()
      guard case .interrupted = try runner.execute(shouldStop: { looks.next() > 2 }) else {
        Issue.record("it was not interrupted")
        return
      }
      try writeDrawnWeights("crnet", compression: 64, seed: 2, in: folder)
      let error = #expect(throws: JournalError.self) {
        try execute(prepare(yaml), folder: "\(folder)/out")
      }
      #expect(error?.problem == "holds results of other data or weights")
      try writeDrawnWeights("crnet", compression: 64, in: folder)
      #expect(ReportCSV.text(of: try execute(prepare(yaml), folder: "\(folder)/out")) == whole)
    }
  }

  @Test func checkSaysWhatTheCodecIs() throws {
    try withTemporaryFolder { folder in
      for name in ["crnet", "csinet"] { try writeDrawnWeights(name, in: folder) }
      let yaml = Self.yaml(
        """
        sweep:
          pilots.snr_db: [0, 10]
          codec: [{network: crnet}, {network: csinet}, dft_selection]
          codec.weights: [\(folder)]
        """)
      let lines = try ScenarioCheck.text(scenario(yaml), threads: 2).split(separator: "\n")
      let codecs = lines.filter { $0.hasPrefix("# codec  ") }
      #expect(codecs.count == 3)
      #expect(codecs[0].contains("[2, 512]  crnet 1/4: encoder 1.05 M parameters, "))
      #expect(codecs[0].hasSuffix("weights \(folder)"))
      #expect(codecs[1].contains("[2, 512]  csinet 1/4: encoder 1.05 M parameters, "))
      #expect(codecs[2].hasSuffix("[2, 512]  dft_selection"))
    }
  }

  /// The estimate of memory counts the weights once, however many points use them.
  @Test func memoryOfTheWeights() throws {
    try withTemporaryFolder { folder in
      try writeDrawnWeights("crnet", in: folder)
      func mebibytes(_ codec: String, _ levels: String) throws -> Int {
        let text = try ScenarioCheck.text(
          scenario(Self.yaml("  codec: \(codec)\nsweep: {pilots.snr_db: \(levels)}")), threads: 1)
        return Int(try #require(text.firstMatch(of: /memory: about (\d+) MiB/)).1)!
      }
      let network = "{network: crnet, weights: \(folder)}"
      let weights = 4 * (try NetworkZoo.autoencoder("crnet", compression: 4)).parameterCount >> 20
      let one = try mebibytes(network, "[0]")
      #expect(one - (try mebibytes("none", "[0]")) >= weights)
      #expect(try mebibytes(network, "[0, 1, 2, 3, 4, 5]") - one < weights / 2)
    }
  }
}

/// Counts calls; one caller at a time.
private final class Counter: @unchecked Sendable {
  // Sendable: the run has one thread.
  private var count = 0
  func next() -> Int {
    count += 1
    return count
  }
}
