import ComplexModule
import Link
import LinkMath
import Parts
import TestSupport
import Testing

/// Directions of zero forcing: what each user gets, and that the others get nothing.
@Suite struct ZeroForcingTests {
  private func directions(
    _ users: [ComplexArray], _ given: [String: Setting] = [:]
  ) throws -> [ComplexArray] {
    var settings = given
    settings["users"] = .integer(users.count)
    let context = linkContext(tones: users[0][dimension: 1], ports: users[0][dimension: 2])
    return try ZeroForcingPrecoder(
      ZeroForcingPrecoder.schema.settings(settings), in: context, fitted: nil
    ).directions(users)
  }

  private func channels(_ users: Int, ports: Int, tones: Int = 7, drops: Int = 3) -> [ComplexArray]
  {
    (0..<users).map { complexNormal([drops, tones, ports], seed: UInt64(20 + $0)) }
  }

  /// `⟨h, g⟩` of a tone.
  private func product(_ h: ComplexArray, _ g: ComplexArray, _ drop: Int, _ tone: Int)
    -> Complex<Double>
  {
    (0..<h[dimension: 2]).reduce(Complex<Double>.zero) {
      $0 + h[drop, tone, $1].inDouble * g[drop, tone, $1].inDouble.conjugate
    }
  }

  private func power(_ h: ComplexArray, _ g: ComplexArray, _ drop: Int, _ tone: Int) -> Double {
    product(h, g, drop, tone).lengthSquared / product(g, g, drop, tone).real
  }

  /// No user receives what is meant for another.
  @Test(arguments: [2, 3, 5], [5, 8])
  func othersGetNothing(users: Int, ports: Int) throws {
    let channels = channels(users, ports: ports)
    let found = try directions(channels)
    for (k, h) in channels.enumerated() {
      for (j, g) in found.enumerated() {
        for (drop, tone) in (0..<3).flatMap({ drop in (0..<7).map { (drop, $0) } }) {
          #expect(abs(product(g, g, drop, tone).real - 1) < 1e-5)
          if j != k { #expect(power(h, g, drop, tone) < 1e-9) }
        }
      }
    }
  }

  /// The gain is what is left of a channel beside the other one, `‖h‖² - |⟨h, h'⟩|² / ‖h'‖²`: the most that any direction gives
  /// which is orthogonal to h'.
  @Test func twoUsersGetTheRestOfTheirChannels() throws {
    let channels = channels(2, ports: 4)
    let found = try directions(channels)
    for (drop, tone) in (0..<3).flatMap({ drop in (0..<7).map { (drop, $0) } }) {
      for (own, other) in [(0, 1), (1, 0)] {
        let rest =
          product(channels[own], channels[own], drop, tone).real
          - power(channels[own], channels[other], drop, tone)
        #expect(abs(power(channels[own], found[own], drop, tone) / rest - 1) < 1e-5)
      }
    }
  }

  /// One user alone is served with maximum ratio.
  @Test func aSingleUserHasAllOfItsChannel() throws {
    let channel = channels(1, ports: 4)
    let found = try directions(channel)[0]
    for tone in 0..<7 {
      let energy = product(channel[0], channel[0], 1, tone).real
      #expect(abs(power(channel[0], found, 1, tone) / energy - 1) < 1e-6)
    }
  }

  /// A user without CSI has no direction, and the others are served as if it were not there.
  @Test func usersWithoutCSIAreNotSpared() throws {
    var channels = channels(3, ports: 4)
    channels[1] = ComplexArray(repeating: .zero, shape: [3, 7, 4])
    let found = try directions(channels)
    #expect(found[1] == channels[1])
    let pair = try directions([channels[0], channels[2]])
    #expect(found[0] == pair[0] && found[2] == pair[1])
  }

  /// Two users with the same CSI share its direction; a third one does not disturb them, nor they it.
  @Test func usersWithTheSameCSICannotBeToldApart() throws {
    var channels = channels(3, ports: 4)
    channels[1] = channels[0]
    let found = try directions(channels)
    for tone in 0..<7 {
      let same = product(found[0], found[1], 0, tone).length
      #expect(abs(same - 1) < 1e-4, "\(same)")
      #expect(power(channels[2], found[0], 0, tone) < 1e-7)
      #expect(power(channels[0], found[2], 0, tone) < 1e-7)
      #expect(power(channels[0], found[0], 0, tone) > 0)
    }
  }

  /// With α = K / SNR directions lie between zero forcing and maximum ratio: next to the one at high SNR, to the other at low.
  @Test func regularisationTurnsTowardsMaximumRatio() throws {
    let channels = channels(4, ports: 4)
    func share(_ snr: Double) throws -> (own: Double, lost: Double) {
      let found = try directions(
        channels, ["regularised": .flag(true), "snr_db": .number(snr)])
      let energy = (0..<7).reduce(0) { $0 + product(channels[0], channels[0], 0, $1).real }
      return (
        (0..<7).reduce(0) { $0 + power(channels[0], found[0], 0, $1) } / energy,
        (0..<7).reduce(0) { $0 + power(channels[1], found[0], 0, $1) } / energy
      )
    }
    let shares = try [-60.0, 0, 20, 120].map(share)
    #expect(abs(shares[0].own - 1) < 1e-4 && shares[3].lost < 1e-9)
    for (low, high) in zip(shares, shares.dropFirst()) {
      #expect(low.own > high.own && low.lost > high.lost)
    }
    // (H Hᴴ + α I) G = H in closed form, α = 2 / SNR.
    let pair = [
      ComplexArray([ComplexFloat(1), .zero], shape: [1, 1, 2]),
      ComplexArray([ComplexFloat(1), ComplexFloat(1)], shape: [1, 1, 2]),
    ]
    let found = try directions(pair, ["regularised": .flag(true), "snr_db": .number(0)])
    // 3 a + b = h1 and a + 4 b = h2 give a = (4 h1 - h2) / 11.
    let ratio = found[0][0, 0, 1].real / found[0][0, 0, 0].real
    #expect(abs(ratio - (-1.0 / 3)) < 1e-6, "\(ratio)")
  }

  @Test func thereAreNoMoreUsersThanPorts() {
    let error = #expect(throws: SettingsError.self) { try directions(channels(5, ports: 4)) }
    #expect(error?.key == "users" && error?.reason.contains("4 ports") == true)
  }
}
