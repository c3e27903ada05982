import ComplexModule
import LinkMath

/// All rays of one link at one place: what the coefficients of TR 38.901 eq. 7.5-22 to 7.5-30 are made of.
///
/// Arrays by ray are [cluster, ray], twenty rays a cluster in the order of ``RayOrder``.
package struct RayBundle {
  /// The direct ray.
  package struct Specular {
    /// Direction cosines of departure along y and z.
    package var across, up: Double
    /// Phase at the array's centre, in turns.
    package var turns: Double
    /// Metres from the array's centre to the UE.
    package var distance: Double
    /// Amplitude of the element pattern towards the UE.
    package var elementGain = 1.0
    /// `(r_rx · v) / λ` of the direct ray, hertz.
    package var dopplerHz = 0.0

    /// A direct ray of an omnidirectional element to a UE at rest.
    package init(across: Double, up: Double, turns: Double, distance: Double) {
      (self.across, self.up) = (across, up)
      (self.turns, self.distance) = (turns, distance)
    }
  }

  /// Seconds after the direct path, by cluster.
  package var delays: [Double] = []
  /// Linear powers without K-factor, by cluster.
  package var powers: [Double] = []
  /// Share of the delay offsets of the sub-clusters, by cluster; zero: not split.
  package var splits: [Double] = []
  /// c_DS in seconds.
  package var clusterDelaySpread = 0.0
  /// Linear; nil without a line of sight.
  package var kFactor: Double?
  /// The direct ray; nil without a line of sight.
  package var specular: Specular?
  /// Direction cosines of departure along y, by ray.
  package var across: [Double] = []
  /// Direction cosines of departure along z, by ray.
  package var up: [Double] = []
  /// `e^{jΦ_θθ}` at the array's centre, by ray.
  package var copolar: [Complex<Double>] = []
  /// `κ^{-1/2} e^{jΦ_θφ}` by ray; empty for vertical elements.
  package var cross: [Complex<Double>] = []
  /// Amplitude of the element pattern; empty for omnidirectional elements.
  package var elementGains: [Double] = []
  /// `(r_rx · v) / λ`; empty if nothing moves.
  package var dopplerHz: [Double] = []
  /// Metres to the point that a ray's wave front is a sphere around; empty for plane waves.
  package var distances: [Double] = []
  /// Amplitude of everything: path loss and shadow fading.
  package var amplitude = 1.0

  /// A bundle without rays.
  package init() {}

  /// Rays of each path and its delay; the direct ray, if any, is ray 0 and goes with the first path.
  func rows() -> (ranges: [Range<Int>], delays: [Double]) {
    var ranges: [Range<Int>] = []
    var pathDelays: [Double] = []
    var start = specular == nil ? 0 : 1
    for (cluster, delay) in delays.enumerated() {
      let parts = splits[cluster] > 0 ? RayOrder.subclusters : [0..<RayOrder.count]
      for (part, rays) in parts.enumerated() {
        let offset = TR38901Table.subclusters[part].delay * splits[cluster] * clusterDelaySpread
        ranges.append(start + rays.lowerBound..<start + rays.upperBound)
        pathDelays.append(delay + offset)
      }
      start += RayOrder.count
    }
    guard specular != nil else { return (ranges, pathDelays) }
    if delays.first == 0 {
      ranges[0] = 0..<ranges[0].upperBound
    } else {
      ranges.insert(0..<1, at: 0)
      pathDelays.insert(0, at: 0)
    }
    return (ranges, pathDelays)
  }

  /// The rays for an array, the direct one first.
  func waves(_ array: AntennaArray, wavelength: Double) -> RaySet {
    var waves = RaySet()
    let total = across.count + 1
    waves.horizontal.reserveCapacity(total)
    waves.vertical.reserveCapacity(total)
    waves.gains = array.slants.map { _ in [] }
    for p in waves.gains.indices { waves.gains[p].reserveCapacity(total) }
    if let specular { append(specular, array, wavelength, to: &waves) }
    var ray = 0
    let weaker = 1 / (1 + (kFactor ?? 0))
    let (cosine, sine) = array.slants.count > 1 ? (0.5.squareRoot(), 0.5.squareRoot()) : (1.0, 0.0)
    for power in powers {
      let rayAmplitude = amplitude * (power * weaker / Double(RayOrder.count)).squareRoot()
      for _ in 0..<RayOrder.count {
        let (h, v) = (array.horizontalSpacing * across[ray], array.verticalSpacing * up[ray])
        waves.horizontal.append(h)
        waves.vertical.append(v)
        let gain = rayAmplitude * (elementGains.isEmpty ? 1 : elementGains[ray])
        let origin = Complex(turns: -array.centreTurns(horizontal: h, vertical: v)).scaled(gain)
        let straight = (copolar[ray] * origin).scaled(cosine)
        if cross.isEmpty {
          waves.gains[0].append(straight)
        } else {
          // Slants of +45 and -45 degrees.
          let crossed = (cross[ray] * origin).scaled(sine)
          waves.gains[0].append(straight + crossed)
          waves.gains[1].append(straight - crossed)
        }
        ray += 1
      }
    }
    if !dopplerHz.isEmpty { waves.doppler = (specular.map { [$0.dopplerHz] } ?? []) + dopplerHz }
    if !distances.isEmpty {
      waves.distances =
        ((specular.map { [$0.distance] } ?? []) + distances).map { $0 / wavelength }
    }
    return waves
  }

  /// `sqrt(K/(K+1)) F_tx exp(-j 2π d3D/λ)`; no cross-polarised part (eq. 7.5-29).
  private func append(
    _ specular: Specular, _ array: AntennaArray, _ wavelength: Double, to waves: inout RaySet
  ) {
    let k = kFactor ?? 0
    let (h, v) = (
      array.horizontalSpacing * specular.across, array.verticalSpacing * specular.up
    )
    waves.horizontal.append(h)
    waves.vertical.append(v)
    let turns = specular.turns - array.centreTurns(horizontal: h, vertical: v)
    let gain = amplitude * specular.elementGain * (k / (k + 1)).squareRoot()
    for (p, slant) in array.slants.enumerated() {
      let share = slant == 0 ? 1 : 0.5.squareRoot()
      waves.gains[p].append(Complex(turns: turns).scaled(gain * share))
    }
  }
}
