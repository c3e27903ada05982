import ComplexModule
import Foundation
import LinkMath

/// The tables of one state (with or without a line of sight) at a carrier, ready to make links from.
struct StateModel: Sendable {
  let table: TR38901Table
  let largeScale: LargeScaleModel
  let clusters: ClusterModel
  /// Seconds.
  let clusterDelaySpread: Double
  private let aod, aoa, zoa: RayOffsets

  var hasLineOfSight: Bool { table.kDB != nil }

  init(
    _ table: TR38901Table, _ scenario: TR38901Scenario, carrierGHz: Double, isContinuous: Bool
  ) {
    self.table = table
    largeScale = LargeScaleModel(table, scenario, carrierGHz: carrierGHz)
    clusters = ClusterModel(table: table, isContinuous: isContinuous)
    let spreads = table.clusterSpreads
    clusterDelaySpread = spreads.delay.nanoseconds(largeScale.tableGHz) * 1e-9
    aod = RayOffsets(spread: spreads.asd)
    aoa = RayOffsets(spread: spreads.asa)
    zoa = RayOffsets(spread: spreads.zsa)
  }

  /// Large-scale parameters and clusters at a place.
  func link(_ variates: ClusterVariates, _ geometry: LinkGeometry) -> TR38901Link {
    let large = largeScale.parameters(variates.largeScale, geometry)
    let offset = table.zodOffset.degrees(geometry, carrierGHz: largeScale.tableGHz)
    return TR38901Link(
      geometry: geometry, hasLineOfSight: hasLineOfSight, largeScale: large,
      clusters: clusters.clusters(large, variates, geometry, zodOffset: offset))
  }

  /// Directions of the rays of a link's kept clusters, delays and powers; phases are not yet set.
  func directions(
    _ link: TR38901Link, _ coupling: RayCoupling, _ kept: [Int], _ array: AntennaArray
  )
    -> RayBundle
  {
    let clusters = link.clusters
    var rays = RayBundle()
    rays.delays = kept.map { clusters.delays[$0] }
    rays.powers = kept.map { clusters.powers[$0] }
    rays.splits = kept.map { clusters.splits[$0] }
    rays.clusterDelaySpread = clusterDelaySpread
    rays.kFactor = link.largeScale.kDB.map { LinkMath.linear(decibels: $0) }
    let count = kept.count * RayOrder.count
    rays.across.reserveCapacity(count)
    rays.up.reserveCapacity(count)
    let zod = RayOffsets(spread: 0.375 * link.largeScale.medianZSD)
    var place = 0
    for cluster in kept {
      let azimuth = RayOffsets.Centre(clusters.aod[cluster])
      let zenith = RayOffsets.Centre(clusters.zod[cluster])
      for ray in 0..<RayOrder.count {
        let elevation = zod.direction(zenith, Int(coupling.zod[place]))
        let heading = aod.direction(azimuth, ray)
        // A zenith angle beyond 180 degrees is mirrored to 360 minus itself.
        rays.across.append(abs(elevation.sine) * heading.sine)
        rays.up.append(elevation.cosine)
        place += 1
      }
    }
    if array.element == .sector {
      rays.elementGains = elementGains(link, coupling, kept, zod, array)
    }
    return rays
  }

  /// Horizontal direction cosines of arrival of the rays, [cluster, ray].
  func arrivals(_ link: TR38901Link, _ coupling: RayCoupling, _ kept: [Int]) -> [(
    x: Double, y: Double
  )] {
    var arrivals: [(x: Double, y: Double)] = []
    arrivals.reserveCapacity(kept.count * RayOrder.count)
    for cluster in kept {
      let azimuth = RayOffsets.Centre(link.clusters.aoa[cluster])
      let zenith = RayOffsets.Centre(link.clusters.zoa[cluster])
      for _ in 0..<RayOrder.count {
        let place = arrivals.count
        let level = abs(zoa.direction(zenith, Int(coupling.zoa[place])).sine)
        let heading = aoa.direction(azimuth, Int(coupling.aoa[place]))
        arrivals.append((level * heading.cosine, level * heading.sine))
      }
    }
    return arrivals
  }

  private func elementGains(
    _ link: TR38901Link, _ coupling: RayCoupling, _ kept: [Int], _ zod: RayOffsets,
    _ array: AntennaArray
  ) -> [Double] {
    var gains: [Double] = []
    for cluster in kept {
      for ray in 0..<RayOrder.count {
        let elevation = link.clusters.zod[cluster] + zod.radians[Int(coupling.zod[gains.count])]
        gains.append(
          array.elementGain(
            radians: link.clusters.aod[cluster] + aod.radians[ray], zenith: elevation))
      }
    }
    return gains
  }
}

extension AntennaArray {
  /// Amplitude gain towards any azimuth and zenith in radians; zeniths are folded into 0...π.
  func elementGain(radians azimuth: Double, zenith: Double) -> Double {
    let degrees = 180 / Double.pi
    return elementGain(
      azimuth: azimuth * degrees, zenith: abs((zenith * degrees).remainder(dividingBy: 360)))
  }
}

/// The twenty ray offsets of an angle kind, in the order of ``RayOrder``.
struct RayOffsets: Sendable {
  /// A cluster's angle.
  struct Centre {
    let sine, cosine: Double
    init(_ radians: Double) {
      let unit = Complex<Double>(turns: radians * (0.5 / .pi))
      (sine, cosine) = (unit.imaginary, unit.real)
    }
  }

  let radians: [Double]
  private let units: [Centre]

  /// - Parameter spread: rms of the offsets in degrees.
  init(spread: Double) {
    radians = RayOrder.offsets.map { $0 * spread * .pi / 180 }
    units = radians.map(Centre.init)
  }

  /// Sine and cosine of the centre plus the offset of a ray.
  @inline(__always)
  func direction(_ centre: Centre, _ ray: Int) -> (sine: Double, cosine: Double) {
    let unit = units[ray]
    return (
      centre.sine * unit.cosine + centre.cosine * unit.sine,
      centre.cosine * unit.cosine - centre.sine * unit.sine
    )
  }
}
