import ComplexModule
import LinkMath
import Parts

/// Where UEs are dropped: uniformly in a ring or sector around the BS, or in small areas of the cell.
struct DropArea: Sendable {
  static let radius = Parameter<Double?>.optional(
    "radius", .number(.length, 1...1e5),
    "Largest horizontal distance of a UE; if left out 100 m (UMi), 250 m (UMa), 1 km (RMa), 20 m (InH)."
  )
  static let minimumDistance = Parameter<Double?>.optional(
    "min_distance", .number(.length, 0.1...1e5),
    "Smallest horizontal distance of a UE; if left out 10 m (UMi), 35 m (UMa, RMa), 1 m (InH).")
  static let sector = Parameter<Double?>.optional(
    "sector", .number(.angle, 0...360),
    "Width of the sector around azimuth 0 that UEs are dropped in; 360 degrees if left out.")
  static let centres = Parameter<[[Double]]?>.optional(
    "area_centres", .list(.list(.number(.length, -1e5...1e5), count: 2...2), count: 1...64),
    "Centres [x, y] of small areas that UEs are dropped in, each as often, instead of the ring.")
  static let areaRadius = Parameter<Double?>.optional(
    "area_radius", .number(.length, 0...1e5), "Radius of the small areas (area_centres).")
  static let bsHeight = Parameter<Double?>.optional(
    "bs_height", .number(.length, 1...500),
    "Height of the BS antenna; if left out 10 m (UMi), 25 m (UMa), 35 m (RMa), 3 m (InH).")
  static let ueHeight = Parameter<Double?>.optional(
    "ue_height", .number(.length, 0.5...100),
    "Height of the UE antenna; if left out 1.5 m, indoors 1 m.")

  static let parameters = [
    radius.declaration, minimumDistance.declaration, sector.declaration, centres.declaration,
    areaRadius.declaration, bsHeight.declaration, ueHeight.declaration,
  ]

  private let ring: ClosedRange<Double>
  private let sectorTurns: Double
  private let centres: [(x: Double, y: Double)]
  private let areaRadius: Double
  private let bsHeight, ueHeight: Double

  init(_ settings: Settings, _ scenario: TR38901Scenario) throws {
    bsHeight = settings[Self.bsHeight] ?? scenario.bsHeight
    ueHeight = settings[Self.ueHeight] ?? scenario.ueHeight
    let nearest = settings[Self.minimumDistance] ?? scenario.minimumDistance
    let farthest = settings[Self.radius] ?? max(scenario.radius, nearest)
    guard nearest <= farthest else {
      throw SettingsError(
        part: settings.part, key: Self.radius.key,
        reason: "must be at least min_distance, \(nearest) m, got \(farthest) m")
    }
    ring = nearest...farthest
    sectorTurns = (settings[Self.sector] ?? 360) / 360
    centres = (settings[Self.centres] ?? []).map { ($0[0], $0[1]) }
    let hasAreas = !centres.isEmpty
    for key in [Self.radius, Self.sector] {
      try settings.refuse(key, unless: !hasAreas, "no area_centres")
    }
    try settings.refuse(Self.areaRadius, unless: hasAreas, "area_centres")
    areaRadius =
      hasAreas ? try settings.require(Self.areaRadius, because: "UEs are in small areas") : 0
    for centre in centres
    where (centre.x * centre.x + centre.y * centre.y).squareRoot() < areaRadius + nearest {
      throw SettingsError(
        part: settings.part, key: Self.centres.key,
        reason: "must keep the areas at least min_distance, \(nearest) m, away from the BS, "
          + "got a centre at [\(centre.x) m, \(centre.y) m]",
        hint: "set min_distance, area_radius or the centre")
    }
  }

  /// A place, uniform over the area.
  func place(_ stream: inout RandomStream) -> LinkGeometry {
    guard !centres.isEmpty else {
      let (a, b) = (ring.lowerBound * ring.lowerBound, ring.upperBound * ring.upperBound)
      let distance = (a + stream.uniform() * (b - a)).squareRoot()
      let unit = Complex<Double>(turns: sectorTurns * (stream.uniform() - 0.5))
      return at(distance * unit.real, distance * unit.imaginary)
    }
    let centre = centres[stream.uniform(below: centres.count)]
    let distance = areaRadius * stream.uniform().squareRoot()
    let unit = Complex<Double>(turns: stream.uniform())
    return at(centre.x + distance * unit.real, centre.y + distance * unit.imaginary)
  }

  func at(_ x: Double, _ y: Double) -> LinkGeometry {
    LinkGeometry(x: x, y: y, bsHeight: bsHeight, ueHeight: ueHeight)
  }
}
