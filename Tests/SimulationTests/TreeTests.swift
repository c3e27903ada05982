import LinkMath
import Parts
import Simulation
import Testing

/// Every distinct prefix of the link is computed once for each block, and all points see the same drops and noise.
@Suite struct TreeTests {
  private static let small = """
    link:
      grid: {tones: 32}
      channel: {type: rayleigh, ports: 8, taps: 4}
      pilots: {type: dft, snr_db: 10}
      estimator: ls
      transform: {taps: 8}
      normaliser: sample_unit_power
      codec: {type: dft_selection, compression: 4}
      quantizer: {type: uniform, bits: 4, range: [-6, 6]}
      feedback: ideal
      precoder: mrt
    run: {seed: 3, drops: 20, block: 6}

    """

  struct Sweep: Sendable {
    let text: String
    /// Distinct prefixes of each stage.
    let nodes: [Section: Int]
  }

  static let sweeps = [
    Sweep(
      text: """
        sweep:
          pilots.snr_db: {from: 0, to: 40, step: 5}
          codec.compression: [2, 4, 8]
        """,
      nodes: [
        .channel: 1, .pilots: 9, .estimator: 9, .transform: 9, .normaliser: 9, .codec: 27,
        .quantizer: 27, .coder: 27, .feedback: 27, .prediction: 27,
        .precoder: 27,
      ]),
    Sweep(
      text: """
        sweep:
          quantizer.bits: [2, 4]
          estimator: [ls, perfect]
          precoder: [mrt, wideband]
        """,
      nodes: [
        .channel: 1, .pilots: 1, .estimator: 2, .transform: 2, .normaliser: 2, .codec: 2,
        .quantizer: 4, .coder: 4, .feedback: 4, .prediction: 4, .precoder: 8,
      ]),
    Sweep(
      text: """
        sweep:
          timing.feedback_delay: [0, 1]
          transform.taps: [4, 8]
          feedback: [ideal, {type: bsc, p: 0.1}]
        """,
      // A delay changes the slots that are simulated unless their number is given, so it splits the channel.
      nodes: [
        .channel: 2, .pilots: 2, .estimator: 2, .transform: 4, .normaliser: 4, .codec: 4,
        .quantizer: 4, .coder: 4, .feedback: 8, .prediction: 8, .precoder: 8,
      ]),
  ]

  @Test(arguments: sweeps)
  func everyPrefixRunsOnceForEachBlock(sweep: Sweep) throws {
    let run = try prepare(Self.small + sweep.text)
    #expect(run.blockCount == 4)
    _ = try execute(run)
    for (section, count, entry) in run.statistics.stages {
      #expect(count == sweep.nodes[section], "\(section)")
      #expect(entry.calls == 4 * count, "\(section)")
    }
    #expect(Set(run.statistics.stages.map(\.section)) == Set(sweep.nodes.keys))
    #expect(run.statistics.nodes.allSatisfy { $0.entry.calls == 4 })
  }

  /// A point's numbers do not depend on which other points are swept with it.
  @Test func aPointOfASweepIsThePointAlone() throws {
    let swept = try execute(
      prepare(Self.small + "sweep: {pilots.snr_db: [0, 10], quantizer.bits: [2, 5]}"))
    for point in swept.points {
      let alone = try execute(
        prepare(
          Self.small,
          set: [
            "pilots.snr_db=\(point.coordinates[0]!)", "quantizer.bits=\(point.coordinates[1]!)",
          ]))
      let single = alone.points[0]
      #expect(single[.nmseDB] == point[.nmseDB], "\(point.coordinates)")
      #expect(single[.rate] == point[.rate], "\(point.coordinates)")
      #expect(single[.estimateNMSEDB] == point[.estimateNMSEDB], "\(point.coordinates)")
    }
  }

  /// Common random numbers: points that differ behind the estimator see the same channels and the same estimate.
  @Test func pointsThatDifferInTheCodecSeeTheSameEstimate() throws {
    let result = try execute(
      prepare(
        Self.small + """
          sweep:
            codec: [none, {type: dft_selection, compression: 2}, {type: dft_selection, compression: 8}]
          """))
    #expect(result.points.count == 3)
    #expect(Set(result.points.map { $0[.estimateNMSEDB] }).count == 1)
    #expect(Set(result.points.map { $0[.perfectRate] }).count == 1)
    #expect(Set(result.points.map { $0[.nmseDB] }).count == 3)
  }

  /// The drops do not depend on the pilots: a higher SNR scales the same noise, so the error of least squares scales exactly.
  @Test func noiseIsTheSameAtEverySNR() throws {
    let result = try execute(
      prepare(Self.small + "sweep: {pilots.snr_db: [0, 10, 20, 30]}"))
    let reference = result.points[0][.estimateNMSEDB]
    for (index, point) in result.points.enumerated() {
      #expect(abs(point[.estimateNMSEDB] - (reference - 10 * Double(index))) < 1e-3)
    }
  }

  @Test func moreBitsNeverHurtOnAverage() throws {
    let result = try execute(
      prepare(
        Self.small + "sweep: {quantizer.bits: [1, 2, 3, 4, 6, 8, 12]}",
        set: ["run.drops=200", "estimator=perfect"]))
    for (coarse, fine) in zip(result.points, result.points.dropFirst()) {
      #expect(fine[.nmseDB] <= coarse[.nmseDB] + 1e-6, "\(coarse.coordinates) \(fine.coordinates)")
      #expect(fine[.squaredCosineSimilarity] >= coarse[.squaredCosineSimilarity] - 1e-9)
    }
    #expect(result.points.first![.nmseDB] - result.points.last![.nmseDB] > 3)
  }

  /// Payload: one side field of the codec, a gain index if it is sent, and the bits of each real.
  @Test func payloadsCountEveryField() throws {
    let run = try prepare(
      Self.small + """
        sweep:
          normaliser: [sample_unit_power, {type: sample_unit_power, gain: quantized, gain_bits: 5}]
          quantizer.bits: [2, 3]
        """)
    let bits = try execute(run).points.map { Int($0[.payloadBits]) }
    // 64 coefficients, K = 16, a bitmap of 64 bits is shorter than 16 positions of 6 bits.
    #expect(bits == [64 + 64, 64 + 96, 5 + 64 + 64, 5 + 64 + 96])
  }
}
