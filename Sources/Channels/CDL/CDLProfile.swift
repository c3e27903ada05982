import Foundation

/// Power-weighted mean and spread of angles on the circle (TR 38.901 annex A).
///
/// `μ = arg Σ P e^{jφ}`, `AS = sqrt(-2 ln |Σ P e^{jφ}|)`, `Σ P = 1`; everything in degrees.
package func circularStatistics(_ degrees: [Double], powers: [Double]) -> (
  mean: Double, spread: Double
) {
  var (x, y) = (0.0, 0.0)
  for (angle, power) in zip(degrees, powers) {
    x += power * cos(angle * .pi / 180)
    y += power * sin(angle * .pi / 180)
  }
  let length = hypot(x, y) / powers.reduce(0, +)
  return (atan2(y, x) * 180 / .pi, (-2 * log(length)).squareRoot() * 180 / .pi)
}

/// A CDL table scaled to what a scenario wants: delays in seconds, linear powers of sum 1, cluster angles in degrees.
package struct CDLProfile: Sendable {
  /// One kind of angle: of each row, and the rms spread of the rays within a cluster.
  package struct Angles: Sendable {
    /// One angle for each row of the table, degrees.
    package var rows: [Double]
    /// Rms spread of the rays within a cluster, degrees: c_ASD, c_ASA, c_ZSD or c_ZSA.
    package var raySpread: Double

    /// Linear scaling around the mean (TR 38.901 clause 7.7.5.1), `AS_wanted/AS (φ - μ) + μ_wanted`.
    ///
    /// Mean and spread of the table are those of the rows, without the rays; the bracket is wrapped to ±180°.
    mutating func scale(mean: Double?, spread: Double?, powers: [Double], includingRays: Bool) {
      guard mean != nil || spread != nil else { return }
      let model = circularStatistics(rows, powers: powers)
      let factor = spread.map { $0 / model.spread } ?? 1
      rows = rows.map { angle in
        (angle - model.mean).remainder(dividingBy: 360) * factor + (mean ?? model.mean)
      }
      if includingRays { raySpread *= factor }
    }
  }

  /// The first row is one specular ray; all others are clusters of rays.
  package let startsWithSpecularRay: Bool
  /// Delays in seconds and linear powers of the rows.
  package private(set) var profile: PowerDelayProfile
  /// Azimuths of departure and arrival, zeniths of departure and arrival.
  package var aod, aoa, zod, zoa: Angles
  /// `κ^{-1/2}`, amplitude of the cross-polarised part of a ray relative to the other.
  package let crossAmplitude: Double

  /// - Parameter delaySpread: what the normalised delays are multiplied by, seconds (clause 7.7.3).
  package init(_ table: CDLTable, delaySpread: Double) {
    startsWithSpecularRay = table.startsWithSpecularRay
    profile = PowerDelayProfile(
      delays: table.rows.map { $0.delay * delaySpread },
      powers: table.rows.map { pow(10, $0.powerDB / 10) })
    aod = Angles(rows: table.rows.map(\.aod), raySpread: table.departureAzimuthSpread)
    aoa = Angles(rows: table.rows.map(\.aoa), raySpread: table.arrivalAzimuthSpread)
    zod = Angles(rows: table.rows.map(\.zod), raySpread: table.departureZenithSpread)
    zoa = Angles(rows: table.rows.map(\.zoa), raySpread: table.arrivalZenithSpread)
    crossAmplitude = pow(10, -table.xprDB / 20)
  }

  /// Specular power over the power of all clusters, linear; nil without a specular ray.
  package var kFactor: Double? {
    startsWithSpecularRay ? profile.powers[0] / (1 - profile.powers[0]) : nil
  }

  /// Weakens or strengthens all clusters to a wanted K-factor, then stretches the delays so that their rms spread is
  /// the wanted one again (TR 38.901 clause 7.7.6).
  ///
  /// - Precondition: the profile starts with a specular ray.
  package mutating func scale(kFactor wanted: Double, delaySpread: Double) {
    guard let kFactor else { preconditionFailure("no specular ray") }
    var powers = profile.powers
    for row in 1..<powers.count { powers[row] *= kFactor / wanted }
    profile = PowerDelayProfile(delays: profile.delays, powers: powers)
    let stretch = delaySpread / profile.rmsDelaySpread
    profile.delays = profile.delays.map { $0 * stretch }
  }
}
