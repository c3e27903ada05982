import ComplexModule
import Foundation
import LinkMath
import Parts

/// What is random in one drop of a CDL: how ray angles are coupled, ray phases, rotation, direction of travel.
struct CDLDrop {
  private(set) var waves = RaySet()

  /// Streams of one drop, so that no draw depends on which others are needed.
  private enum Instance {
    static let copolarPhase = 0
    static let crossPhase = 1
    static let departureCoupling = 2
    static let arrivalCoupling = 3
  }

  init(_ model: CDLChannel, _ block: DropBlock, _ index: Int) {
    let rays = model.rays
    var coupling = block.stream(index, .channel, instance: Instance.departureCoupling)
    let zod = Self.coupled(rays.rows, &coupling)
    let turn = Self.rotation(model.rotationDegrees, block, index)
    let array = model.array
    waves.horizontal.reserveCapacity(rays.count)
    waves.vertical.reserveCapacity(rays.count)
    for ray in 0..<rays.count {
      let (aod, zod) = (rays.aod[ray], rays.zod[zod[ray]])
      let sine = aod.sine * turn.cosine + aod.cosine * turn.sine
      waves.horizontal.append(array.horizontalSpacing * zod.sine * sine)
      waves.vertical.append(array.verticalSpacing * zod.cosine)
    }
    waves.gains = Self.polarisedGains(model, block, index)
    if array.element == .sector { applyPattern(model, zod, turn.degrees) }
    if model.dopplerHz > 0 { waves.doppler = Self.shifts(model, block, index) }
  }

  private static func rotation(_ range: Double, _ block: DropBlock, _ index: Int)
    -> CDLRays.Angle
  {
    guard range > 0 else { return CDLRays.Angle(0) }
    var stream = block.stream(index, .rotation)
    return CDLRays.Angle(stream.uniform(in: -range..<range))
  }

  /// A random order of the rays within each row; coupling one angle kind to another is choosing such an order.
  private static func coupled(_ rows: [Range<Int>], _ stream: inout RandomStream) -> [Int] {
    rows.flatMap { row in stream.permutation(row.count).map { row.lowerBound + $0 } }
  }

  /// `cos ζ e^{jΦ_θθ} + κ^{-1/2} sin ζ e^{jΦ_θφ}` for slant ζ, times the amplitude of a ray.
  ///
  /// The specular ray has no cross-polarised part.
  private static func polarisedGains(_ model: CDLChannel, _ block: DropBlock, _ index: Int)
    -> [[Complex<Double>]]
  {
    let rays = model.rays
    let copolar = phases(rays.count, block.stream(index, .channel, instance: Instance.copolarPhase))
    guard model.array.slants.count > 1 else {
      return [
        zip(rays.rows, rays.amplitudes).flatMap { row, amplitude in
          row.map { copolar[$0].scaled(amplitude) }
        }
      ]
    }
    let cross = phases(rays.count, block.stream(index, .channel, instance: Instance.crossPhase))
    return model.array.slants.map { slant in
      zip(rays.rows, rays.amplitudes).flatMap { row, amplitude in
        let crossAmplitude = row.count == 1 ? 0 : model.profile.crossAmplitude * sin(slant)
        return row.map { ray in
          copolar[ray].scaled(amplitude * cos(slant))
            + cross[ray].scaled(amplitude * crossAmplitude)
        }
      }
    }
  }

  private static func phases(_ count: Int, _ stream: RandomStream) -> [Complex<Double>] {
    var stream = stream
    let words = [UInt32](unsafeUninitializedCapacity: count) { words, initialized in
      stream.fill(words: UnsafeMutableBufferPointer(rebasing: words[0..<count]))
      initialized = count
    }
    return words.map { Complex<Double>(turns: Double($0) * 0x1p-32) }
  }

  private mutating func applyPattern(_ model: CDLChannel, _ zod: [Int], _ rotation: Double) {
    for ray in 0..<model.rays.count {
      let gain = model.array.elementGain(
        azimuth: model.rays.aod[ray].degrees + rotation, zenith: model.rays.zod[zod[ray]].degrees)
      for p in waves.gains.indices {
        waves.gains[p][ray] = waves.gains[p][ray].scaled(gain)
      }
    }
  }

  /// `(r_rx · v) / λ` with r_rx the unit vector towards the ray's arrival.
  private static func shifts(_ model: CDLChannel, _ block: DropBlock, _ index: Int) -> [Double] {
    let rays = model.rays
    var geometry = block.stream(index, .geometry)
    let azimuth = CDLRays.Angle(model.travelAzimuth ?? geometry.uniform(in: -180..<180))
    let zenith = CDLRays.Angle(model.travelZenith)
    var coupling = block.stream(index, .channel, instance: Instance.arrivalCoupling)
    let aoa = coupled(rays.rows, &coupling)
    let zoa = coupled(rays.rows, &coupling)
    return (0..<rays.count).map { ray in
      let (phi, theta) = (rays.aoa[aoa[ray]], rays.zoa[zoa[ray]])
      let inPlane = phi.cosine * azimuth.cosine + phi.sine * azimuth.sine
      return model.dopplerHz
        * (theta.sine * zenith.sine * inPlane + theta.cosine * zenith.cosine)
    }
  }
}

extension Complex<Double> {
  func scaled(_ factor: Double) -> Complex { Complex(real * factor, imaginary * factor) }
}
