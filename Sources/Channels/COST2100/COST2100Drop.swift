import ComplexModule
import Foundation
import LinkMath
import Parts

/// The rays of one drop at time 0.
struct COST2100Drop {
  private(set) var delays: [Double] = []
  /// Phase steps between ports, in turns.
  private(set) var steps: [Double] = []
  /// Amplitudes at the lowest tone.
  private var gains: [Complex<Double>] = []
  /// Doppler shifts in Hz; empty if nothing moves.
  private var doppler: [Double] = []

  private let model: COST2100Channel
  private var parameters: COST2100Parameters { model.parameters }
  private let ue: SIMD3<Double>
  /// Distance to the BS over the speed of light.
  private let directDelay: Double
  /// Velocity over the speed.
  private let travel: SIMD3<Double>
  /// Power of all rays so far.
  private var power = 0.0

  /// Streams of one drop, so that no draw depends on how many others are needed.
  private enum Instance {
    static let position = 0
    static let clusters = 1
  }

  /// A place of scatterers: its centre, direction of its first axis in the plane, half axes in metres.
  private struct Ellipsoid {
    var centre: SIMD3<Double>
    var axis = SIMD2(1.0, 0.0)
    var size: SIMD3<Double>

    /// The point at offset · size / 3 along the ellipsoid's axes.
    func point(_ offset: SIMD3<Double>) -> SIMD3<Double> {
      let local = offset * size / 3
      return centre
        + SIMD3(local.x * axis.x - local.y * axis.y, local.x * axis.y + local.y * axis.x, local.z)
    }
  }

  init(_ model: COST2100Channel, _ block: DropBlock, _ index: Int) {
    self.model = model
    let parameters = model.parameters
    var geometry = block.stream(index, .geometry, instance: Instance.position)
    var clusters: [VisibilityRegions.ActiveCluster]
    var place: SIMD2<Double>
    repeat {
      place = parameters.side * SIMD2(geometry.uniform(), geometry.uniform())
      if parameters.place == .centre { place -= parameters.side / 2 }
      clusters = model.regions.draw(around: place, using: &geometry)
    } while clusters.isEmpty
    ue = SIMD3(place, 0)
    directDelay = length(ue) / speedOfLight
    var doppler = block.stream(index, .doppler)
    let turns = model.travelAzimuth.map { $0 / 360 } ?? doppler.uniform()
    let direction = Complex<Double>(turns: turns)
    travel = SIMD3(direction.real, direction.imaginary, 0)

    let rays = (clusters.count + 2) * parameters.scattererCount + 1
    delays.reserveCapacity(rays)
    steps.reserveCapacity(rays)
    gains.reserveCapacity(rays)
    if model.dopplerHz > 0 { self.doppler.reserveCapacity(rays) }
    addAll(clusters, block.stream(index, .channel), block, index)
  }

  private mutating func addAll(
    _ clusters: [VisibilityRegions.ActiveCluster], _ normals: RandomStream, _ block: DropBlock,
    _ index: Int
  ) {
    let size = Self.drawCount(parameters)
    var normals = normals
    let values = normals.normal(count: (clusters.count + 3) * size)
    var uniforms = block.stream(index, .geometry, instance: Instance.clusters)
    let losOffset = SIMD2(uniforms.uniform(), uniforms.uniform())
    values.withUnsafeBufferPointer { values in
      func row(_ i: Int) -> UnsafeBufferPointer<Float> {
        UnsafeBufferPointer(rebasing: values[i * size..<(i + 1) * size])
      }
      addLocal(ue, row(1))
      if parameters.localClusters == .both { addLocal(.zero, row(2)) }
      for (i, cluster) in clusters.enumerated() { add(cluster, row(3 + i), &uniforms) }
      addLineOfSight(losOffset, kFactorDraw: Double(values[0]))
    }
  }

  /// Normal values of a cluster: spreads, two azimuth offsets, three coordinates and a complex weight of each scatterer.
  private static func drawCount(_ parameters: COST2100Parameters) -> Int {
    ClusterSpreads.drawCount + 2 + 5 * parameters.scattererCount
  }

  func gain(_ ray: Int, time: Double) -> ComplexFloat {
    var gain = gains[ray]
    if !doppler.isEmpty { gain *= Complex(turns: doppler[ray] * time) }
    return ComplexFloat(Float(gain.real), Float(gain.imaginary))
  }
}

extension COST2100Drop {
  /// Scatterers around one end, single bounce: no visibility gain, no decay.
  private mutating func addLocal(
    _ centre: SIMD3<Double>, _ normals: UnsafeBufferPointer<Float>
  ) {
    let spreads = model.spreads.draw(normals)
    let depth = speedOfLight * spreads.delaySeconds / 2
    let place = Ellipsoid(centre: centre, size: SIMD3(depth, depth, depth / 20))
    addScatterers(normals, departure: place, arrival: nil, linkDelay: 0, power: spreads.shadowing)
  }

  /// A cluster that the UE sees through a visibility region: a twin, or one place for both ends.
  private mutating func add(
    _ cluster: VisibilityRegions.ActiveCluster, _ normals: UnsafeBufferPointer<Float>,
    _ uniforms: inout RandomStream
  ) {
    let spreads = model.spreads.draw(normals)
    let isSingle = uniforms.uniform() < parameters.singleBounceShare
    let range = parameters.clusterRange * uniforms.uniform()
    let exponential = -log1p(-uniforms.uniform())
    let depth = speedOfLight * spreads.delaySeconds / 2

    // Directions of the cluster from the BS, and of its twin from the reference region.
    let outward = turned(cluster.reference, by: normals[ClusterSpreads.drawCount])
    let onward = turned(cluster.reference, by: normals[ClusterSpreads.drawCount + 1])
    let width = range * spreads.departureAzimuth
    let departure = Ellipsoid(
      centre: SIMD3(range * outward, 0), axis: -outward,
      size: SIMD3(depth, width, range * spreads.departureElevation))
    var arrival: Ellipsoid?
    var linkDelay = 0.0
    if !isSingle {
      let distance = width / spreads.arrivalAzimuth
      arrival = Ellipsoid(
        centre: SIMD3(cluster.reference + distance * onward, 0), axis: -onward,
        size: SIMD3(depth, width, distance * spreads.arrivalElevation))
      linkDelay = parameters.linkDelayMinimum + parameters.linkDelayMean * exponential
    }
    let last = (arrival ?? departure).centre
    let delay = (range + length(last - ue)) / speedOfLight + linkDelay
    let excess = min(delay, parameters.decayLimit) - directDelay
    let attenuation = exp(-parameters.decay * 1e6 * excess)
    addScatterers(
      normals, departure: departure, arrival: arrival, linkDelay: linkDelay,
      power: cluster.gain.squared * attenuation * spreads.shadowing)
  }

  /// The direction from the BS to a point, turned by the random azimuth offset.
  private func turned(_ point: SIMD2<Double>, by normal: Float) -> SIMD2<Double> {
    let degrees =
      parameters.azimuthOffset + parameters.azimuthOffsetDeviation * Double(normal)
    let offset = Complex<Double>(turns: degrees / 360)
    let distance = length(point)
    let unit = distance > 0 ? point / distance : SIMD2(1, 0)
    return SIMD2(
      unit.x * offset.real - unit.y * offset.imaginary,
      unit.x * offset.imaginary + unit.y * offset.real)
  }

  /// Scatterers with complex normal weights of sum `power`, at the same offsets within both places.
  private mutating func addScatterers(
    _ normals: UnsafeBufferPointer<Float>, departure: Ellipsoid, arrival: Ellipsoid?,
    linkDelay: Double, power: Double
  ) {
    let count = parameters.scattererCount
    let draws = UnsafeBufferPointer(rebasing: normals[(ClusterSpreads.drawCount + 2)...])
    let weights = UnsafeBufferPointer(rebasing: draws[(3 * count)...])
    var energy = 0.0
    for weight in weights { energy += Double(weight).squared }
    let scale = energy > 0 ? (power / energy).squareRoot() : 0
    for i in 0..<count {
      let offset = SIMD3(
        Double(draws[3 * i]), Double(draws[3 * i + 1]), Double(draws[3 * i + 2]))
      let first = departure.point(offset)
      let last = arrival?.point(offset) ?? first
      let weight = Complex(
        scale * Double(weights[2 * i]), scale * Double(weights[2 * i + 1]))
      addRay(
        leavingTo: first, arrivingFrom: last - ue,
        delay: (length(first) + length(last - ue)) / speedOfLight + linkDelay, weight)
    }
    self.power += power
  }

  /// - Parameters:
  ///   - first: where the ray goes from the BS.
  ///   - last: where it comes from, seen from the UE.
  ///   - amplitude: without free-space loss and the phase of the way.
  private mutating func addRay(
    leavingTo first: SIMD3<Double>, arrivingFrom last: SIMD3<Double>, delay: Double,
    _ amplitude: Complex<Double>
  ) {
    let plan = SIMD2(first.x, first.y)
    let (planLength, lastLength) = (length(plan), length(last))
    delays.append(delay)
    steps.append(planLength > 0 ? -model.spacing * plan.x / planLength : 0)
    gains.append(amplitude.scaled(loss) * Complex(turns: -model.lowestHz * delay))
    if model.dopplerHz > 0 {
      doppler.append(
        lastLength > 0 ? model.dopplerHz * (last * travel).sum() / lastLength : 0)
    }
  }

  /// Free-space amplitude `λ / (4π d)` at the distance of the UE, at most 1.
  private var loss: Double {
    let nearest = model.wavelength / (4 * .pi)
    return nearest / max(length(ue), nearest)
  }

  /// The direct ray if the UE is within its distance and its visibility region; K refers to all other rays.
  private mutating func addLineOfSight(_ offset: SIMD2<Double>, kFactorDraw: Double) {
    let region = (parameters.losCutoff - parameters.losRadius) * offset
    guard length(ue) <= parameters.losCutoff,
      length(SIMD2(ue.x, ue.y) - region) < parameters.losRadius
    else { return }
    let kFactor = linear(
      decibels: parameters.kFactorDB + parameters.kFactorDeviationDB * kFactorDraw)
    addRay(
      leavingTo: ue, arrivingFrom: -ue, delay: directDelay, Complex((kFactor * power).squareRoot()))
  }
}

extension RandomStream {
  /// A unit vector of random direction.
  mutating func direction() -> SIMD2<Double> {
    let unit = Complex<Double>(turns: uniform())
    return SIMD2(unit.real, unit.imaginary)
  }
}
