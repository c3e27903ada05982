import ComplexModule
import Foundation
import LinkMath
import Parts

/// The large-scale parameters and clusters of a UE at one place.
package struct TR38901Link: Sendable {
  /// Where the UE is.
  package let geometry: LinkGeometry
  /// Whether it sees the BS.
  package let hasLineOfSight: Bool
  /// Shadow fading, K-factor and spreads, with the standard's correlations.
  package let largeScale: LargeScaleParameters
  /// Delays, powers and centre angles.
  package let clusters: Clusters
}

/// Where a drop's UE starts, where it goes, and whether it sees the BS.
package struct TR38901Drop: Sendable {
  /// Where the UE is at time zero.
  package let start: LinkGeometry
  /// Of the drop's start; it stays along the way.
  package let hasLineOfSight: Bool
  /// Unit vector of travel.
  package let heading: (x: Double, y: Double)
}

extension TR38901Channel {
  /// Streams of one drop, so that no draw depends on which others are needed.
  private enum Instance {
    static let copolarPhase = 0
    static let crossPhase = 1
    static let coupling = 2
    static let normals = 3
    static let words = 4
    static let xpr = 5
    static let state = 6
  }

  /// Place, state and direction of travel of drop `index` of the block.
  package func drop(_ block: DropBlock, _ index: Int) -> TR38901Drop {
    var stream = block.stream(index, .geometry)
    let start = area.place(&stream)
    var travel = block.stream(index, .geometry, instance: 1)
    let heading = Complex<Double>(turns: travelAzimuth.map { $0 / 360 } ?? travel.uniform())
    return TR38901Drop(
      start: start, hasLineOfSight: hasLineOfSight(block, index, start),
      heading: (heading.real, heading.imaginary))
  }

  private func hasLineOfSight(_ block: DropBlock, _ index: Int, _ place: LinkGeometry) -> Bool {
    switch state {
    case .los: return true
    case .nlos: return false
    case .mixed:
      let probability = scenario.lineOfSightProbability(
        place.distance2D, ueHeight: place.ueHeight, isOpenOffice: isOpenOffice)
      if let environment { return environment.stateLevel(x: place.x, y: place.y) < probability }
      var stream = block.stream(index, .channel, instance: Instance.state)
      return stream.uniform() < probability
    }
  }

  /// The link of a drop at its start, in whichever environment.
  package func link(_ block: DropBlock, _ index: Int) -> TR38901Link {
    let drop = drop(block, index)
    let model = models[drop.hasLineOfSight ? 1 : 0]
    let variates =
      environment?.variates(drop.hasLineOfSight, x: drop.start.x, y: drop.start.y)
      ?? variates(model.table.clusterCount, block, index)
    return model.link(variates, drop.start)
  }

  // MARK: Independent drops

  private func variates(_ count: Int, _ block: DropBlock, _ index: Int) -> ClusterVariates {
    var stream = block.stream(index, .channel, instance: Instance.normals)
    let first = LargeScaleModel.parameterCount
    let normals = stream.normal(count: first + 5 * count).map(Double.init)
    stream = block.stream(index, .channel, instance: Instance.words)
    let words = [UInt32](unsafeUninitializedCapacity: 2 * count) { words, initialized in
      stream.fill(words: UnsafeMutableBufferPointer(rebasing: words[0..<2 * count]))
      initialized = 2 * count
    }
    var delays = words[..<count].map { -log((Double($0) + 0.5) * 0x1p-32) }
    delays.sort()
    let least = delays[0]
    return ClusterVariates(
      largeScale: Array(normals[..<first]), delays: delays.map { $0 - least },
      shadows: Array(normals[first..<first + count]), jitters: Array(normals[(first + count)...]),
      signs: (0..<ClusterVariates.angleCount).flatMap { angle in
        words[count...].map { $0 >> UInt32(angle) & 1 == 0 ? 1.0 : -1 }
      })
  }

  /// A link and its rays from the drop's own streams.
  package func independentLink(_ block: DropBlock, _ index: Int)
    -> (geometry: LinkGeometry, rays: RayBundle)
  {
    let drop = drop(block, index)
    let model = models[drop.hasLineOfSight ? 1 : 0]
    let link = model.link(variates(model.table.clusterCount, block, index), drop.start)
    let kept = link.clusters.isKept.indices.filter { link.clusters.isKept[$0] }
    let coupling = RayCoupling(
      isSplit: kept.map { link.clusters.splits[$0] > 0 }, withArrival: dopplerHz > 0,
      block.stream(index, .channel, instance: Instance.coupling))
    var rays = model.directions(link, coupling, kept, array)
    let count = rays.across.count
    rays.copolar = phases(count, block.stream(index, .channel, instance: Instance.copolarPhase))
    if array.slants.count > 1 {
      rays.cross = phases(count, block.stream(index, .channel, instance: Instance.crossPhase))
      var stream = block.stream(index, .channel, instance: Instance.xpr)
      let levels = stream.normal(count: count)
      for ray in 0..<count {
        rays.cross[ray] = rays.cross[ray].scaled(crossAmplitude(Double(levels[ray]), model.table))
      }
    }
    complete(&rays, link)
    if dopplerHz > 0 {
      let (fx, fy) = (dopplerHz * drop.heading.x, dopplerHz * drop.heading.y)
      rays.dopplerHz = model.arrivals(link, coupling, kept).map { $0.x * fx + $0.y * fy }
      // The direct ray arrives from where the BS is.
      let d = link.geometry.distance3D
      rays.specular?.dopplerHz = -(link.geometry.x * fx + link.geometry.y * fy) / d
    }
    return (link.geometry, rays)
  }

  private func phases(_ count: Int, _ stream: RandomStream) -> [Complex<Double>] {
    var stream = stream
    return withUnsafeTemporaryAllocation(of: UInt32.self, capacity: count) { words in
      stream.fill(words: words)
      return words.map { Complex<Double>(turns: Double($0) * 0x1p-32) }
    }
  }

  /// `κ^{-1/2}` from a standard normal value.
  private func crossAmplitude(_ level: Double, _ table: TR38901Table) -> Double {
    let xpr = table.xprDB.mean + table.xprDB.deviation * level
    return exp(-xpr * (log(10.0) / 20))
  }

  /// The direct ray, wave fronts and path loss.
  private func complete(_ rays: inout RayBundle, _ link: TR38901Link) {
    let d = link.geometry.distance3D
    if link.hasLineOfSight {
      let (azimuth, zenith) = (link.geometry.azimuth, link.geometry.zenith)
      var specular = RayBundle.Specular(
        across: sin(zenith) * sin(azimuth), up: cos(zenith), turns: -d / wavelength, distance: d)
      if array.element == .sector {
        specular.elementGain = array.elementGain(radians: azimuth, zenith: zenith)
      }
      rays.specular = specular
    }
    if hasSphericalWaves {
      rays.distances = rays.delays.flatMap {
        repeatElement(0.5 * (d + $0 * speedOfLight), count: RayOrder.count)
      }
    }
    if hasPathLoss {
      let loss = scenario.pathLoss(
        link.geometry, carrierGHz: carrierHz / 1e9, hasLineOfSight: link.hasLineOfSight)
      rays.amplitude = pow(10, (link.largeScale.shadowDB - loss) / 20)
    }
  }

  // MARK: A shared environment

  /// The link at a place of the shared environment; nil without one, or if the environment lacks the state.
  package func link(x: Double, y: Double, hasLineOfSight: Bool) -> TR38901Link? {
    guard let environment, state == .mixed || hasLineOfSight == (state == .los) else { return nil }
    return models[hasLineOfSight ? 1 : 0].link(
      environment.variates(hasLineOfSight, x: x, y: y), area.at(x, y))
  }

  /// Directions of arrival at the lattice corners along a drop's way, by corner number.
  typealias CornerArrivals = [Int: [(x: Double, y: Double)]]

  /// Link and rays of a drop that has been on its way for some seconds.
  func link(_ drop: TR38901Drop, time: Double, _ arrivals: inout CornerArrivals)
    -> (geometry: LinkGeometry, rays: RayBundle)
  {
    var place = drop.start
    place.x += drop.heading.x * speed * time
    place.y += drop.heading.y * speed * time
    return sharedLink(place, hasLineOfSight: drop.hasLineOfSight, &arrivals)
  }

  /// Link and rays at a place of the environment.
  private func sharedLink(
    _ place: LinkGeometry, hasLineOfSight: Bool, _ arrivals: inout CornerArrivals
  ) -> (geometry: LinkGeometry, rays: RayBundle) {
    let environment = environment!
    let shared = environment[hasLineOfSight]
    let model = models[hasLineOfSight ? 1 : 0]
    let link = model.link(
      environment.variates(hasLineOfSight, x: place.x, y: place.y), place)
    let all = Array(0..<model.table.clusterCount)
    var rays = model.directions(link, shared.coupling, all, array)
    let corners = shared.lattice.corners(x: place.x, y: place.y)
    for corner in corners where arrivals[corner.number] == nil {
      let there = model.link(
        environment.variates(hasLineOfSight, x: corner.x, y: corner.y), area.at(corner.x, corner.y))
      arrivals[corner.number] = model.arrivals(there, shared.coupling, all)
    }
    func waves(_ instance: Int) -> [Complex<Double>] {
      shared.lattice.waves(
        corners, arrivals, x: place.x, y: place.y, wavelength: wavelength,
        count: rays.across.count, instance: instance)
    }
    rays.copolar = waves(0)
    if array.slants.count > 1 {
      rays.cross = waves(1)
      let levels = shared.lattice.normals(corners, count: rays.across.count, instance: 2)
      for ray in levels.indices {
        rays.cross[ray] = rays.cross[ray].scaled(crossAmplitude(levels[ray], model.table))
      }
    }
    complete(&rays, link)
    return (place, rays)
  }
}

extension Lattice {
  /// Unit-power gains of rays: from every corner a plane wave with a random phase, in the direction that the ray has there.
  func waves(
    _ corners: [Corner], _ arrivals: TR38901Channel.CornerArrivals, x: Double, y: Double,
    wavelength: Double, count: Int, instance: Int
  ) -> [Complex<Double>] {
    var sums = [Complex<Double>](repeating: 0, count: count)
    withUnsafeTemporaryAllocation(of: UInt32.self, capacity: count) { words in
      for corner in corners {
        var stream = stream(corner.number, instance: instance)
        stream.fill(words: words)
        let (dx, dy) = ((x - corner.x) / wavelength, (y - corner.y) / wavelength)
        for (ray, arrival) in arrivals[corner.number]!.enumerated() {
          let turns = Double(words[ray]) * 0x1p-32 + arrival.x * dx + arrival.y * dy
          sums[ray] += Complex<Double>(turns: turns).scaled(corner.weight)
        }
      }
    }
    return sums
  }

  /// Standard normal values.
  func normals(_ corners: [Corner], count: Int, instance: Int) -> [Double] {
    var sums = [Double](repeating: 0, count: count)
    for corner in corners {
      var stream = stream(corner.number, instance: instance)
      for (i, value) in stream.normal(count: count).enumerated() {
        sums[i] += corner.weight * Double(value)
      }
    }
    return sums
  }
}
