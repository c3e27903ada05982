import Foundation

/// Directions of all rays of a profile, before they are coupled at random; constant over drops.
struct CDLRays: Sendable {
  /// A ray angle in degrees with its sine and cosine.
  struct Angle: Sendable {
    let degrees, sine, cosine: Double
    init(_ degrees: Double) {
      self.degrees = degrees
      sine = sin(degrees * .pi / 180)
      cosine = cos(degrees * .pi / 180)
    }
  }

  /// Rays of each row of the profile; a specular row has one.
  let rows: [Range<Int>]
  let aod, aoa, zod, zoa: [Angle]
  /// Square root of the power of one ray, by row.
  let amplitudes: [Double]

  var count: Int { aod.count }

  init(_ profile: CDLProfile) {
    let rowCount = profile.profile.powers.count
    let rayCounts = (0..<rowCount).map { row in
      row == 0 && profile.startsWithSpecularRay ? 1 : CDLTable.rayOffsets.count
    }
    var rows: [Range<Int>] = []
    for count in rayCounts {
      let start = rows.last?.upperBound ?? 0
      rows.append(start..<start + count)
    }
    self.rows = rows
    amplitudes = zip(profile.profile.powers, rayCounts).map { ($0 / Double($1)).squareRoot() }

    func spread(_ angles: CDLProfile.Angles, isZenith: Bool) -> [Angle] {
      zip(angles.rows, rayCounts).flatMap { center, count -> [Angle] in
        let offsets = count == 1 ? [0] : CDLTable.rayOffsets
        return offsets.map { offset in
          let angle = center + angles.raySpread * offset
          return Angle(isZenith ? min(max(angle, 0), 180) : angle)
        }
      }
    }
    aod = spread(profile.aod, isZenith: false)
    aoa = spread(profile.aoa, isZenith: false)
    zod = spread(profile.zod, isZenith: true)
    zoa = spread(profile.zoa, isZenith: true)
  }
}
