import Channels
import ComplexModule
import Foundation
import LinkMath
import Parts
import Testing

/// Mean over drops of the correlation `H[n+lag, i] H[n, j]*`, entry by entry of re and im, with its standard error.
private func expectCorrelation(
  _ response: ComplexArray, lag: Int = 0, ports: (Int, Int) = (0, 0), is expected: Complex<Double>
) throws {
  let (drops, tones) = (response[dimension: 0], response[dimension: 1])
  var (re, im) = (RunningMean(), RunningMean())
  for drop in 0..<drops {
    var sum = Complex<Double>(0)
    for n in 0..<tones - lag {
      sum +=
        response[drop, n + lag, ports.0].inDouble
        * response[drop, n, ports.1].inDouble.conjugate
    }
    re.add(sum.real / Double(tones - lag))
    im.add(sum.imaginary / Double(tones - lag))
  }
  #expect(abs(re.mean - expected.real) < 4 * (try #require(re.standardError)))
  #expect(abs(im.mean - expected.imaginary) < 4 * (try #require(im.standardError)) + 1e-6)
}

@Suite struct RayleighTests {
  static let profiles: [(settings: [String: Setting], delays: [Double], powers: [Double])] = [
    (["taps": .integer(4)], [0, 1, 2, 3], [1, 1, 1, 1]),
    (
      ["delays": .list([.number(0), .number(2.5), .number(7)])], [0, 2.5, 7], [1, 1, 1]
    ),
    (
      [
        "taps": .integer(5), "tap_spacing": .number(1.5), "profile": .text("exponential"),
        "tau_rms": .number(2),
      ], [0, 1.5, 3, 4.5, 6], [0, 1.5, 3, 4.5, 6].map { exp(-$0 / 2) }
    ),
  ]

  /// `R(Δn) = Σ σ_l² exp(-j 2π Δn τ_l / Nc)`, `R(0) = 1`.
  @Test(arguments: profiles.indices, [0, 1, 5, 20])
  func frequencyCorrelationIsTheTransformOfTheProfile(_ index: Int, _ lag: Int) throws {
    let (settings, delays, powers) = Self.profiles[index]
    let model = try makeChannel(
      RayleighChannel.self, settings.merging(["ports": .integer(2)]) { $1 }, grid: smallGrid)
    let response = try model.frequencyResponse(
      DropBlock(0..<4000, domain: .test, seed: 3), slots: [0])[0]
    let total = powers.reduce(0, +)
    let expected = zip(delays, powers).reduce(Complex<Double>(0)) { sum, tap in
      let phase = -2 * .pi * Double(lag) * tap.0 / Double(smallGrid.toneCount)
      return sum + Complex(tap.1 / total * cos(phase), tap.1 / total * sin(phase))
    }
    try expectCorrelation(response, lag: lag, is: expected)
    try expectCorrelation(response, ports: (0, 1), is: 0)
  }

  @Test func exponentialCorrelationOverPorts() throws {
    let model = try makeChannel(
      RayleighChannel.self,
      [
        "ports": .integer(4), "correlation": .text("exponential"),
        "correlation_coefficient": .number(0.8),
      ], grid: smallGrid)
    let response = try model.frequencyResponse(
      DropBlock(0..<4000, domain: .test, seed: 3), slots: [0])[0]
    for (i, j) in [(0, 0), (3, 3), (0, 1), (1, 3), (3, 0)] {
      try expectCorrelation(response, ports: (i, j), is: Complex(pow(0.8, Double(abs(i - j)))))
    }
  }

  @Test func oneRingCorrelationOverPorts() throws {
    let model = try makeChannel(
      RayleighChannel.self,
      [
        "ports": .integer(4), "correlation": .text("one_ring"), "mean_angle": .number(25),
        "angle_spread": .number(10), "spacing": .number(0.7),
      ], grid: smallGrid)
    let response = try model.frequencyResponse(
      DropBlock(0..<4000, domain: .test, seed: 3), slots: [0])[0]
    let (mean, spread) = (25 * Double.pi / 180, 10 * Double.pi / 180)
    for (i, j) in [(0, 0), (1, 0), (0, 2), (3, 0)] {
      let x = 2 * Double.pi * 0.7 * Double(i - j)
      let envelope = exp(-pow(spread * x * cos(mean), 2) / 2)
      try expectCorrelation(
        response, ports: (i, j),
        is: Complex(envelope * cos(x * sin(mean)), envelope * sin(x * sin(mean))))
    }
  }

  /// A narrow ring and a CDL ray from the same azimuth have the same port phases.
  @Test func narrowRingIsAPlaneWaveFromItsMeanAngle() throws {
    let model = try makeChannel(
      RayleighChannel.self,
      [
        "ports": .integer(8), "correlation": .text("one_ring"), "mean_angle": .number(30),
        "angle_spread": .number(0), "taps": .integer(1),
      ], grid: smallGrid)
    let response = try model.frequencyResponse(
      DropBlock(0..<1, domain: .test, seed: 3), slots: [0])[0]
    for port in 1..<8 {
      let step = response[0, 0, port].inDouble / response[0, 0, port - 1].inDouble
      // 2π · 0.5 · sin 30° = π/2
      #expect((step - Complex(0, 1)).length < 1e-4)
    }
  }

  @Test(arguments: [("jakes", 1), ("jakes", 4), ("ar1", 1), ("ar1", 4)])
  func slotsAreCorrelatedAsDeclared(_ fading: String, _ lag: Int) throws {
    let speed = 20.0
    let model = try makeChannel(
      RayleighChannel.self,
      ["ports": .integer(16), "taps": .integer(8), "fading": .text(fading)], grid: smallGrid,
      speed: speed)
    let fd = speed * smallGrid.carrierHz / 299_792_458
    let rho = j0(2 * .pi * fd * 1e-3)
    let expected = fading == "ar1" ? pow(rho, Double(lag)) : j0(2 * .pi * fd * 1e-3 * Double(lag))
    let block = DropBlock(0..<1500, domain: .test, seed: 6)
    var means = RunningMean()
    for drop in 0..<1500 {
      let paths = model.paths(block, drop, slots: [2, 2 + lag])
      let (a, b) = (paths.amplitudes[0].elements, paths.amplitudes[1].elements)
      means.add(
        zip(a, b).reduce(0) { $0 + ($1.0.inDouble * $1.1.inDouble.conjugate).real } / 16)
    }
    #expect(abs(means.mean - expected) < 4 * (try #require(means.standardError)))
  }
}
