import Channels
import ComplexModule
import Foundation
import LinkMath
import Parts
import Testing

/// A line of sight behind a port correlation: R shapes the scattered part only.
@Suite struct SpecularCorrelationTests {
  struct Case: Sendable, CustomTestStringConvertible {
    let profile: String
    let settings: [String: Setting]
    /// Correlation of the scattered part, R[l, m] = E[h_l h_m*].
    let scattered: @Sendable (Int, Int) -> Complex<Double>
    /// Turns of the specular part from port to port.
    let step: Double
    var testDescription: String { "\(profile) \(settings)" }
  }

  private static func exponential(_ profile: String, _ a: Double) -> Case {
    Case(
      profile: profile,
      settings: ["correlation": .text("exponential"), "correlation_coefficient": .number(a)],
      scattered: { Complex(pow(a, Double(abs($0 - $1)))) }, step: 0)
  }

  private static func oneRing(_ profile: String, mean: Double, spread: Double, spacing: Double)
    -> Case
  {
    let (phi, sigma) = (mean * .pi / 180, spread * .pi / 180)
    return Case(
      profile: profile,
      settings: [
        "correlation": .text("one_ring"), "mean_angle": .number(mean),
        "angle_spread": .number(spread), "spacing": .number(spacing),
      ],
      scattered: { l, m in
        let distance = 2 * .pi * spacing * Double(l - m)
        let width = sigma * distance * cos(phi)
        let size = exp(-width * width / 2)
        return Complex(size * cos(distance * sin(phi)), size * sin(distance * sin(phi)))
      }, step: spacing * sin(phi))
  }

  static let cases = [
    exponential("D", 0.95), exponential("E", 0.6),
    oneRing("D", mean: 35, spread: 12, spacing: 0.5),
    oneRing("E", mean: -20, spread: 0, spacing: 0.7),
  ]

  /// `E[h_l h_m*] = P_LOS e^{j2π(l-m)δ} + P_scattered R[l, m]` with the same Rice factor on every port: the fourth moment of
  /// a Rice distribution is `2 - (K / (K + 1))²`.
  @Test(arguments: cases)
  func scatteredPartAloneIsShaped(test: Case) throws {
    let (ports, drops) = (5, 8000)
    var settings = test.settings
    settings["profile"] = .text(test.profile)
    settings["delay_spread"] = .number(0)
    settings["ports"] = .integer(ports)
    let model = try makeChannel(
      TDLChannel.self, settings, grid: .init(toneCount: 1, spacingHz: 1e3, carrierHz: 1e9))
    let response = try model.frequencyResponse(
      DropBlock(0..<drops, domain: .test, seed: 3), slots: [0])[0]
    let share = model.profile.powers[0]
    for l in 0..<ports {
      var fourth = 0.0
      for m in 0..<ports {
        var product = Complex<Double>.zero
        for drop in 0..<drops {
          product += response[drop, 0, l].inDouble * response[drop, 0, m].inDouble.conjugate
        }
        let turns = 2 * .pi * test.step * Double(l - m)
        let expected =
          Complex(share * cos(turns), share * sin(turns))
          + test.scattered(l, m).multiplied(by: 1 - share)
        // The cross products of both parts spread by sqrt(2 · 0.9 · 0.1 / 8000) = 0.005.
        #expect(
          (product.multiplied(by: 1 / Double(drops)) - expected).length < 0.02, "R[\(l), \(m)]")
      }
      for drop in 0..<drops {
        let power = response[drop, 0, l].inDouble.lengthSquared
        fourth += power * power / Double(drops)
      }
      #expect(abs(fourth - (2 - share * share)) < 0.06, "port \(l)")
    }
  }

  /// One drop: the specular row has one modulus, and turns evenly from port to port.
  @Test(arguments: cases)
  func specularRowIsAPlaneWave(test: Case) throws {
    var settings = test.settings
    settings["profile"] = .text(test.profile)
    settings["delay_spread"] = .number(1e-7)
    settings["ports"] = .integer(6)
    let model = try makeChannel(TDLChannel.self, settings, speed: 3)
    let block = DropBlock(0..<2, seed: 4)
    let rows = model.paths(block, 0, slots: [0, 9]).amplitudes
    for taps in rows {
      for port in 0..<6 {
        #expect(abs(Double(taps[0, port].lengthSquared) - model.profile.powers[0]) < 1e-6)
        let turn = taps[0, port].inDouble / taps[0, 0].inDouble
        let angle = 2 * .pi * test.step * Double(port)
        #expect((turn - Complex(cos(angle), sin(angle))).length < 1e-5)
      }
    }
    #expect(rows[0][0, 0] != model.paths(block, 1, slots: [0]).amplitudes[0][0, 0])
  }
}
