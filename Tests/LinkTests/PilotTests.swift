import ComplexModule
import Link
import LinkMath
import Parts
import TestSupport
import Testing

/// Least-squares error and the pilot matrices: c of X Xᴴ = c I for each power unit.
@Suite struct PilotTests {
  struct Case: Sendable, CustomTestStringConvertible {
    let pattern: String
    let power: String
    let symbols: Int
    var testDescription: String { "\(pattern), \(power), Tp \(symbols), Nt \(PilotTests.ports)" }

    /// c: 1; P Tp / Nt; p Tp. The identity pattern has one antenna in each symbol, so a cap for each antenna gives 1.
    var energy: Double {
      switch power {
      case "unitary": 1
      case "total": Double(symbols) / Double(PilotTests.ports)
      default: pattern == "identity" ? 1 : Double(symbols)
      }
    }
  }

  static let ports = 32
  static let powers = ["unitary", "total", "per_antenna"]
  static let cases = powers.flatMap { power in
    [("dft", 32), ("hadamard", 32), ("identity", 32), ("dft", 48), ("dft", 64), ("hadamard", 64)]
      .map { Case(pattern: $0.0, power: power, symbols: $0.1) }
  }

  private func scheme(_ test: Case, tones: Int, snrDB: Double) throws -> any PilotScheme {
    try makePilots(
      test.pattern,
      [
        "snr_db": .number(snrDB), "pilot_power": .text(test.power),
        "length": .integer(test.symbols),
      ], in: linkContext(tones: tones, ports: Self.ports))
  }

  /// Least-squares error: `NMSE = 1/(c SNR)` for E|H|² = 1, within 0.05 dB at 10^6 entries; the same error on every
  /// port and tone.
  @Test(arguments: cases)
  func leastSquaresErrorIsTheClosedForm(test: Case) throws {
    let tones = 512
    let pilots = try scheme(test, tones: tones, snrDB: 7)
    let channel = complexNormal([64, tones, Self.ports])
    let estimator = try makeEstimator(
      "ls", after: pilots, in: linkContext(tones: tones, ports: Self.ports))
    let observation = pilots.observe(channel, block(of: channel), slot: 0)
    let estimate = estimator.estimate(observation)
    let expected = -7 - decibels(test.energy)
    let error = difference(estimate.response, channel)
    let nmse = decibels(error.energy / Double(channel.count))
    #expect(abs(nmse - expected) < 0.05, "\(test.testDescription): \(nmse) dB, theory \(expected)")
    #expect(abs(decibels(pilots.summary.errorVariance) - expected) < 1e-9, "\(test)")
    #expect(abs(decibels(estimate.errorVariance) - expected) < 1e-9, "\(test)")
    // Unbiased and white: entries of 32 768 samples each, so the standard error of a mean power is 0.55 %.
    let variance = linear(decibels: expected)
    var perPort = [Double](repeating: 0, count: Self.ports)
    var neighbours = Complex<Double>.zero
    error.withUnsafeElements { error in
      for i in error.indices {
        perPort[i % Self.ports] += Double(error[i].lengthSquared)
        if i % Self.ports > 0 { neighbours += (error[i] * error[i - 1].conjugate).inDouble }
      }
    }
    let rows = Double(channel.count / Self.ports)
    for (port, sum) in perPort.enumerated() {
      #expect(abs(sum / rows / variance - 1) < 0.025, "\(test), port \(port)")
    }
    // Sums of independent products: mean zero, standard error variance / sqrt(samples).
    let pairs = Double(channel.count) * 31 / 32
    #expect(neighbours.length / pairs / variance < 4 / pairs.squareRoot(), "\(test)")
  }

  @Test(arguments: cases)
  func rowsAreOrthogonalWithThePowerOfTheirUnit(test: Case) throws {
    let observation = try scheme(test, tones: 1, snrDB: 0)
      .observe(complexNormal([1, 1, Self.ports]), DropBlock(0..<1, seed: 1), slot: 0)
    let pilots = observation.pilots
    #expect(abs(pilots.energy / test.energy - 1) < 1e-12)
    for i in 0..<Self.ports {
      for k in 0..<Self.ports {
        let product = (0..<test.symbols).reduce(Complex<Double>.zero) {
          $0 + (pilots[antenna: i, symbol: $1] * pilots[antenna: k, symbol: $1].conjugate).inDouble
        }
        let expected = Complex(i == k ? test.energy : 0, 0)
        #expect((product - expected).length < 1e-5 * test.energy, "\(test): rows \(i), \(k)")
      }
    }
    for symbol in 0..<test.symbols {
      let powers = (0..<Self.ports).map {
        Double(pilots[antenna: $0, symbol: symbol].lengthSquared)
      }
      switch test.power {
      case "total": #expect(abs(powers.reduce(0, +) - 1) < 1e-5, "\(test): symbol \(symbol)")
      case "per_antenna":
        let sending = powers.filter { $0 > 0 }
        #expect(sending.count == (test.pattern == "identity" ? 1 : Self.ports))
        #expect(sending.allSatisfy { abs($0 - 1) < 1e-5 }, "\(test): symbol \(symbol)")
      default: break
      }
    }
  }

  /// The fast transforms send `Y = H X`: compared with the product by entries, practically without noise.
  @Test(arguments: cases)
  func receivedPilotsAreTheMatrixProduct(test: Case) throws {
    let tones = 70  // more than one tile of tones, and not a multiple of it
    let channel = complexNormal([2, tones, Self.ports], seed: 3)
    let observation = try scheme(test, tones: tones, snrDB: 300)
      .observe(channel, block(of: channel), slot: 0)
    var expected = ComplexArray(repeating: .zero, shape: [2, tones, test.symbols])
    for drop in 0..<2 {
      for tone in 0..<tones {
        for symbol in 0..<test.symbols {
          let sum = (0..<Self.ports).reduce(Complex<Double>.zero) {
            $0 + channel[drop, tone, $1].inDouble
              * observation.pilots[antenna: $1, symbol: symbol].inDouble
          }
          expected[drop, tone, symbol] = ComplexFloat(Float(sum.real), Float(sum.imaginary))
        }
      }
    }
    #expect(relativeError(observation.received, expected) < 1e-10, "\(test)")
  }

  /// The estimate is `H + E` with E independent of H: permuted ports give a permuted estimate, a scaled channel a scaled
  /// one, in front of the same noise.
  @Test(arguments: ["dft", "hadamard", "identity"])
  func estimateFollowsPermutedAndScaledChannels(pattern: String) throws {
    let (tones, ports) = (64, 16)
    let context = linkContext(tones: tones, ports: ports)
    let pilots = try makePilots(pattern, ["snr_db": .number(10)], in: context)
    let estimator = try makeEstimator("ls", after: pilots, in: context)
    let channel = complexNormal([3, tones, ports], seed: 8)
    let order = (0..<ports).map { (7 * $0 + 3) % ports }
    let values = channel.elements
    let permuted = ComplexArray(
      values.indices.map { values[$0 / ports * ports + order[$0 % ports]] }, shape: channel.shape)
    let scaled = ComplexArray(
      values.map { ComplexFloat(4 * $0.real, 4 * $0.imaginary) }, shape: channel.shape)
    let noise = { (channel: ComplexArray) in
      difference(
        estimator.estimate(pilots.observe(channel, block(of: channel), slot: 2)).response, channel)
    }
    let reference = noise(channel)
    #expect(abs(power(reference) - 0.1) < 0.02)
    #expect(relativeError(noise(permuted), reference) < 1e-10)
    #expect(relativeError(noise(scaled), reference) < 1e-9)
  }

  /// Noise belongs to the drop, the slot and the seed.
  @Test func noiseDependsOnDropSlotAndSeedOnly() throws {
    let context = linkContext(tones: 32, ports: 8)
    let pilots = try makePilots("dft", ["snr_db": .number(0)], in: context)
    let quiet = ComplexArray(repeating: .zero, shape: [4, 32, 8])
    let received = { (drops: Range<Int>, slot: Int, seed: UInt64) in
      pilots.observe(
        quiet.slice(0..<drops.count), DropBlock(drops, domain: .test, seed: seed), slot: slot
      ).received
    }
    let whole = received(0..<4, 0, 1)
    #expect(received(2..<4, 0, 1) == whole.slice(2..<4))
    #expect(whole.slice(0..<1) != whole.slice(1..<2))
    #expect(received(0..<4, 1, 1) != whole)
    #expect(received(0..<4, 0, 2) != whole)
    #expect(abs(power(whole) - 1) < 0.13)  // 4 standard errors of 1024 entries
  }

  @Test(arguments: [
    ("dft", ["length": Setting.integer(7)], "length"),
    ("hadamard", ["length": Setting.integer(12)], "length"),
    ("identity", ["length": Setting.integer(9)], "length"),
    ("dft", ["tone_spacing": Setting.integer(5)], "tone_spacing"),
  ])
  func impossiblePilotsAreRefused(pattern: String, given: [String: Setting], key: String) {
    let error = #expect(throws: SettingsError.self) {
      try makePilots(pattern, given, in: linkContext(tones: 32, ports: 8))
    }
    #expect(error?.key == key)
  }
}
