import Channels
import ComplexModule
import Foundation
import LinkMath
import Parts
import Testing

private let carrier = LinkContext.Grid(toneCount: 16, spacingHz: 60e3, carrierHz: 3e9)
/// 10 m/s at 3 GHz.
private let dopplerHz = 10 * 3e9 / 299_792_458

@Suite struct TDLTests {
  @Test(arguments: ["A", "B", "C", "D", "E", "A30", "B100", "C300"])
  func meanPowerIsOne(_ profile: String) throws {
    var settings: [String: Setting] = ["profile": .text(profile), "ports": .integer(4)]
    if profile.count == 1 { settings["delay_spread"] = .number(300e-9) }
    let model = try makeChannel(TDLChannel.self, settings, grid: carrier, speed: 10)
    let response = try model.frequencyResponse(
      DropBlock(0..<4000, domain: .test, seed: 1), slots: [7])[0]
    let powers = RunningMean(
      (0..<4000).map { response.slice($0..<$0 + 1).energy / Double(16 * 4) })
    #expect(abs(powers.mean - 1) < 4 * (try #require(powers.standardError)))
    #expect(abs(powers.mean - 1) < 0.02)
  }

  /// Real part of the mean of `g(t) g(0)*` of the first Rayleigh tap against J0, and its imaginary part against 0.
  @Test func tapsHaveTheJakesAutocorrelation() throws {
    let ports = 32
    let model = try makeChannel(
      TDLChannel.self,
      ["profile": .text("A"), "delay_spread": .number(1e-7), "ports": .integer(ports)],
      grid: carrier, speed: 10)
    let slots = Array(0...20)
    var sums = [Complex<Double>](repeating: 0, count: slots.count)
    let block = DropBlock(0..<300, domain: .test, seed: 2)
    for drop in 0..<300 {
      let taps = model.paths(block, drop, slots: slots).amplitudes
      for (slot, tap) in taps.enumerated() {
        for row in 0..<23 {
          let power = model.profile.powers[row] * Double(ports * 300 * 23)
          for port in 0..<ports {
            let product = tap[row, port].inDouble * taps[0][row, port].inDouble.conjugate
            sums[slot] += Complex(product.real / power, product.imaginary / power)
          }
        }
      }
    }
    for (slot, sum) in zip(slots, sums) {
      let expected = j0(2 * .pi * dopplerHz * Double(slot) * 1e-3)
      #expect((sum - Complex(expected)).length < 0.02, "slot \(slot)")
    }
  }

  /// `P(|g|² < x) = 1 - exp(-x)` and level crossing rate `sqrt(2π) fD ρ exp(-ρ²)` at a slot of 1/50 Doppler period.
  @Test func envelopeIsRayleigh() throws {
    let ports = 64
    let model = try makeChannel(
      TDLChannel.self,
      ["profile": .text("A"), "delay_spread": .number(1e-7), "ports": .integer(ports)],
      grid: carrier, speed: 10, slotSeconds: 1 / (50 * dopplerHz))
    let slots = Array(0...100)
    let levels = [0.1, 0.5, 1.0, 1.5]
    var below = [Int](repeating: 0, count: levels.count)
    var crossings = below
    let drops = 60
    let block = DropBlock(0..<drops, domain: .test, seed: 2)
    for drop in 0..<drops {
      let taps = model.paths(block, drop, slots: slots).amplitudes
      for row in [1, 5, 12, 20] {
        for port in 0..<ports {
          let envelope = taps.map {
            ($0[row, port].inDouble.lengthSquared / model.profile.powers[row]).squareRoot()
          }
          for (i, level) in levels.enumerated() {
            below[i] += envelope.count { $0 < level }
            crossings[i] += zip(envelope, envelope.dropFirst()).count { $0 < level && $1 >= level }
          }
        }
      }
    }
    let envelopes = Double(drops * ports * 4)
    for (i, level) in levels.enumerated() {
      let probability = Double(below[i]) / (envelopes * Double(slots.count))
      #expect(abs(probability - (1 - exp(-level * level))) < 0.02)
      let rate = Double(crossings[i]) / envelopes / 2  // 100 slots are two Doppler periods
      #expect(abs(rate - (2 * .pi).squareRoot() * level * exp(-level * level)) < 0.02)
    }
  }

  /// The specular tap turns at 0.7 fD and carries its share of the power.
  @Test(arguments: ["D", "E"])
  func specularTapRotates(_ profile: String) throws {
    let model = try makeChannel(
      TDLChannel.self,
      ["profile": .text(profile), "delay_spread": .number(1e-7), "ports": .integer(4)],
      grid: carrier, speed: 10)
    let taps = model.paths(DropBlock(0..<1, seed: 1), 0, slots: [0, 1]).amplitudes
    let step = 2 * .pi * dopplerHz * 1e-3 / 2.0.squareRoot()
    for port in 0..<4 {
      #expect(abs(Double(taps[0][0, port].lengthSquared) - model.profile.powers[0]) < 1e-6)
      let turn = taps[1][0, port].inDouble / taps[0][0, port].inDouble
      #expect((turn - Complex(cos(step), sin(step))).length < 1e-5)
    }
    #expect(taps[0][0, 0] != taps[0][0, 1])
  }
}
