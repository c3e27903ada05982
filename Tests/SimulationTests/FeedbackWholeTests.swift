import Foundation
import LinkMath
import Simulation
import TestSupport
import Testing

/// From the payload to the metrics: the gain that was sent, clipped values, bits that arrived wrong.
@Suite struct FeedbackWholeTests {
  /// The UE knows the channel; 16 bits for each real leave the gain as the only error.
  private static let gains = """
    link:
      grid: {tones: 16}
      channel: {type: rayleigh, ports: 4, taps: 3}
      estimator: perfect
      transform: {taps: 16}
      normaliser: {type: sample_unit_power, gain: quantized, gain_bits: 3, gain_range_db: [-2, 4]}
      quantizer: {type: uniform, bits: 16, range: [-8, 8]}
      feedback: {type: bsc, p: 0}
    run: {seed: 9, drops: 60}
    """

  /// The gain of a cell of 0.75 dB as the BS reads it.
  private func gain(cell: Int) -> Double { pow(10, (-2 + 0.75 * (Double(cell) + 0.5)) / 20) }

  /// `‖Â - A‖² / ‖A‖² = (ĝ/g ∓ 1)²`: with all bits flipped the values change sign and the gain's index is the complement.
  @Test(arguments: [0.0, 1.0])
  func theBSScalesByTheGainThatArrives(flips: Double) throws {
    let channels = try DirectLink.rayleigh(tones: 16, ports: 4, taps: 3, drops: 0..<60, seed: 9)[0]
    let run = try prepare(Self.gains, set: ["feedback.p=\(flips)"])
    var cells: Set<Int> = []
    var drop = 0
    try forEachDrop(run) { _, value in
      let sent = (DirectLink.energy(channels[drop]) / 64).squareRoot()
      let cell = min(max(Int(((20 * log10(sent) + 2) / 0.75).rounded(.down)), 0), 7)
      cells.insert(cell)
      let ratio = gain(cell: flips > 0 ? 7 - cell : cell) / sent
      let expected = flips > 0 ? (ratio + 1) * (ratio + 1) : (ratio - 1) * (ratio - 1)
      #expect(abs(value(.errorRatio) - expected) < 2e-5 * (1 + expected), "drop \(drop)")
      drop += 1
    }
    #expect(cells.count > 4, "gains of many cells, the outer ones among them")
    let point = try execute(run).points[0]
    #expect(Int(point[.payloadBits]) == 3 + 128 * 16)
    #expect(point.number(.feedbackBitErrorRate) == flips)
    #expect(point[.quantizerClipFraction] == 0)
  }

  /// One tone, one port, one tap: the codeword is the channel, whose reals are N(0, 1/2). Every value outside the range counts.
  @Test func clippedValuesAreCounted() throws {
    let yaml = """
      link:
        grid: {tones: 1}
        channel: {type: rayleigh, ports: 1, taps: 1}
        estimator: perfect
        transform: {taps: 1}
        normaliser: none
        quantizer: {type: uniform, bits: 4, range: [-0.5, 0.9]}
      run: {seed: 10, drops: 500}
      """
    let point = try execute(prepare(yaml)).points[0]
    let channels = try DirectLink.rayleigh(tones: 1, ports: 1, taps: 1, drops: 0..<500, seed: 10)[0]
    let outside = channels.flatMap { [$0[0][0].real, $0[0][0].imaginary] }.filter {
      !(-0.5...0.9).contains($0)
    }.count
    let fraction = try #require(point.number(.quantizerClipFraction))
    #expect(abs(fraction - Double(outside) / 1000) < 1e-12)
    // The tails of a normal distribution: (erfc(0.5) + erfc(0.9)) / 2, within 4 standard errors.
    let tail = (erfc(0.5) + erfc(0.9)) / 2
    #expect(abs(fraction - tail) < 4 * (tail * (1 - tail) / 1000).squareRoot())
  }

  /// Bits that arrive wrong, drop by drop: those whose random word lies below p 2^32.
  @Test func bitErrorsAreCounted() throws {
    let run = try prepare(Self.gains, set: ["feedback.p=0.07", "run.drops=20"])
    var drop = 0
    try forEachDrop(run) { _, value in
      var stream = StreamKey(seed: 9, domain: .run, purpose: .feedbackNoise).stream(drop: drop)
      let wrong = (0..<3 + 128 * 16).filter { _ in Double(stream.nextWord()) < 0.07 * 0x1p32 }.count
      #expect(value(.bitErrors) == Double(wrong), "drop \(drop)")
      drop += 1
    }
    #expect(drop == 20)
  }

  /// Analogue noise relative to each codeword, or to the mean over the fitted drops, which does not know the drop's own power.
  @Test(arguments: ["sample", "dataset"])
  func analogueNoiseHasThePowerOfItsReference(reference: String) throws {
    let yaml = """
      link:
        grid: {tones: 16}
        channel: {type: rayleigh, ports: 4, taps: 1}
        estimator: perfect
        transform: {taps: 16}
        normaliser: none
        feedback: {type: analogue, snr_db: 6, snr_reference: \(reference)}
      run: {seed: 12, drops: 25}
      """
    let fit: [String] = reference == "dataset" ? ["feedback.fit.drops=50"] : []
    let fitted = try DirectLink.rayleigh(
      tones: 16, ports: 4, taps: 1, drops: 0..<50, .fit, seed: 12)[0]
    let mean = fitted.reduce(0) { $0 + DirectLink.energy($1) } / 50 / 128
    let channels = try DirectLink.rayleigh(tones: 16, ports: 4, taps: 1, drops: 0..<25, seed: 12)[0]
    var drop = 0
    try forEachDrop(prepare(yaml, set: fit)) { _, value in
      var stream = StreamKey(seed: 12, domain: .run, purpose: .feedbackNoise).stream(drop: drop)
      let noise = stream.normal(count: 128).reduce(0) { $0 + Double($1) * Double($1) }
      let power = reference == "sample" ? DirectLink.energy(channels[drop]) / 128 : mean
      let expected = noise * power * pow(10, -0.6)
      #expect(abs(value(.errorEnergy) / expected - 1) < 1e-4, "drop \(drop)")
      drop += 1
    }
    #expect(drop == 25)
  }
}
