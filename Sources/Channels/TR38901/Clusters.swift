import Foundation
import LinkMath

/// The random numbers behind the clusters of one link, before any table or position is applied.
struct ClusterVariates {
  /// Angles in the order AOD, AOA, ZOD, ZOA.
  static let angleCount = 4

  /// Standard normal, one for each large-scale parameter.
  var largeScale: [Double]
  /// Exponential with mean 1, the least of them zero, [cluster].
  var delays: [Double]
  /// Standard normal, [cluster].
  var shadows: [Double]
  /// Standard normal, and signs in -1...1, [angle, cluster].
  var jitters, signs: [Double]
}

/// Clusters of one link: delays in seconds, linear powers, centre angles in radians (TR 38.901 clause 7.5, steps 5 to 7).
package struct Clusters: Sendable {
  /// Seconds after the direct path.
  package fileprivate(set) var delays: [Double]
  /// Of eq. 7.5-6, sum 1 before weak clusters are left out; the K-factor is not in them.
  package fileprivate(set) var powers: [Double]
  /// Centre angles in radians: azimuths of departure and arrival, zeniths of departure and arrival.
  package fileprivate(set) var aod, aoa, zod, zoa: [Double]
  /// Share of the full delay offsets of its sub-clusters, by cluster; zero for all but the two strongest.
  package fileprivate(set) var splits: [Double]
  /// Whether a cluster is within 25 dB of the strongest.
  package fileprivate(set) var isKept: [Bool]
}

/// Steps 5 to 7 for one state.
struct ClusterModel: Sendable {
  let table: TR38901Table
  /// Nothing jumps as the parameters move: weak clusters stay, and a cluster is split the less the closer it is to losing its place
  /// among the two strongest.
  let isContinuous: Bool

  private var hasLineOfSight: Bool { table.kDB != nil }

  func clusters(
    _ large: LargeScaleParameters, _ variates: ClusterVariates, _ link: LinkGeometry,
    zodOffset: Double
  ) -> Clusters {
    let count = table.clusterCount
    let r = table.delayScaling
    let stretch = hasLineOfSight ? Self.delayScaling(kDB: large.kDB!) : 1
    let perDB = log(10.0) / 10
    var powers = (0..<count).map { n in
      exp(
        -variates.delays[n] * (r - 1) - perDB * table.clusterShadowDB * variates.shadows[n])
    }
    let total = powers.reduce(0, +)
    for n in 0..<count { powers[n] /= total }
    let logarithms = angleLogarithms(powers, large)
    let (azimuthScale, zenithScale) = scales(large)
    let degree = Double.pi / 180
    func azimuths(_ angle: Int, _ spread: Double, centre: Double) -> [Double] {
      place(angle, variates, spread: spread * degree, centre: centre) {
        2 * spread * degree / 1.4 * logarithms[$0].squareRoot() / azimuthScale
      }
    }
    func zeniths(_ angle: Int, _ spread: Double, centre: Double) -> [Double] {
      place(angle, variates, spread: spread * degree, centre: centre) {
        spread * degree * logarithms[$0] / zenithScale
      }
    }
    let scale = r * large.delaySpread / stretch
    let strongest = powers.max()!
    return Clusters(
      delays: variates.delays.map { $0 * scale }, powers: powers,
      aod: azimuths(0, large.asd, centre: link.azimuth),
      aoa: azimuths(1, large.asa, centre: link.azimuth + .pi),
      zod: zeniths(2, large.zsd, centre: link.zenith + zodOffset * degree),
      zoa: zeniths(3, large.zsa, centre: .pi - link.zenith), splits: splits(powers),
      isKept: powers.map { isContinuous || $0 >= strongest * 0.0031622776601683795 })
  }

  /// `-ln(P_n / max P)` of the powers that angles follow, eq. 7.5-8 with a line of sight.
  private func angleLogarithms(_ powers: [Double], _ large: LargeScaleParameters) -> [Double] {
    var powers = powers
    if let kDB = large.kDB {
      let k = linear(decibels: kDB)
      for n in powers.indices { powers[n] /= k + 1 }
      powers[0] += k / (k + 1)
    }
    let strongest = powers.max()!
    return powers.map { power in
      let value = -log(power / strongest)
      // Azimuths follow the square root, which is infinitely steep at zero.
      return isContinuous ? value * value / (value + 0.02) : value
    }
  }

  /// `X φ' + Y` around the centre; with a line of sight the first cluster is at the centre (eq. 7.5-11 to 7.5-19).
  private func place(
    _ angle: Int, _ variates: ClusterVariates, spread: Double, centre: Double,
    _ offset: (Int) -> Double
  ) -> [Double] {
    let count = table.clusterCount
    let start = angle * count
    let offsets = (0..<count).map { n in
      variates.signs[start + n] * offset(n) + variates.jitters[start + n] * spread / 7
    }
    let origin = hasLineOfSight ? offsets[0] : 0
    return offsets.map { $0 - origin + centre }
  }

  /// C_τ of eq. 7.5-3; at least 0.078 for K above -60 dB.
  static func delayScaling(kDB k: Double) -> Double {
    0.7705 - 0.0433 * k + 0.0002 * k * k + 0.000017 * k * k * k
  }

  /// C_φ and C_θ (eq. 7.5-10 and 7.5-15). Below K of about -10 dB the polynomials fall through zero; they stop at 0.1.
  private func scales(_ large: LargeScaleParameters) -> (azimuth: Double, zenith: Double) {
    let azimuth = TR38901Table.azimuthScaling[table.clusterCount]!
    let zenith = TR38901Table.zenithScaling[table.clusterCount]!
    guard let k = large.kDB else { return (azimuth, zenith) }
    return (
      azimuth * max(1.1035 - 0.028 * k - 0.002 * k * k + 0.0001 * k * k * k, 0.1),
      zenith * max(1.3086 + 0.0339 * k - 0.0077 * k * k + 0.0002 * k * k * k, 0.1)
    )
  }

  /// One for the two strongest clusters; where nothing may jump, less if they are within 1 dB of the third.
  private func splits(_ powers: [Double]) -> [Double] {
    var (first, second, third) = (0.0, 0.0, 0.0)
    for power in powers {
      if power > first {
        (first, second, third) = (power, first, second)
      } else if power > second {
        (second, third) = (power, second)
      } else if power > third {
        third = power
      }
    }
    return powers.map { power in
      guard power >= second else { return 0 }
      return isContinuous ? min(decibels(power / third), 1) : 1
    }
  }
}
