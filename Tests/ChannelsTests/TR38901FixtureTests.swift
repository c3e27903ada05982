import Channels
import ComplexModule
import Foundation
import LinkMath
import Parts
import Testing

private let raysFile = "rays_umi_los.npz"
private let usersFile = "cir_umi_los_full.npz"

/// Coefficients beside those of other programs.
@Suite struct TR38901FixtureTests {
  /// The rays of a drop of the fixture for our coefficient code.
  private func bundle(_ drop: Int, wavelength: Double) throws -> RayBundle {
    let angles = try ["aod", "zod", "phase_tt"].map { try FixtureArray(raysFile, $0) }
    let powers = try FixtureArray(raysFile, "powers")
    let delays = try FixtureArray(raysFile, "delays")
    let distance = try FixtureArray(raysFile, "distance_3d")[drop]
    let aod = try FixtureArray(raysFile, "los_aod_deg")[drop] * .pi / 180
    let zod = try FixtureArray(raysFile, "los_zod_deg")[drop] * .pi / 180
    var rays = RayBundle()
    rays.kFactor = try FixtureArray(raysFile, "k_factor")[drop]
    rays.clusterDelaySpread = try FixtureArray(raysFile, "cDS_ns")[drop] * 1e-9
    rays.specular = .init(
      across: sin(zod) * sin(aod), up: cos(zod), turns: -distance / wavelength, distance: distance)
    let all = (0..<12).map { powers[drop, $0] }
    let second = all.sorted()[10]
    for cluster in 0..<12 where all[cluster] > 0 {
      rays.powers.append(all[cluster])
      rays.delays.append(delays[drop, cluster])
      rays.splits.append(all[cluster] >= second ? 1 : 0)
      for ray in RayOrder.rays {
        let (phi, theta) = (angles[0][drop, cluster, ray], angles[1][drop, cluster, ray])
        rays.across.append(sin(theta) * sin(phi))
        rays.up.append(cos(theta))
        rays.copolar.append(Complex<Double>(length: 1, phase: angles[2][drop, cluster, ray]))
      }
    }
    return rays
  }

  @Test(arguments: 0..<4)
  func coefficientsOfGivenRays(_ drop: Int) throws {
    let model = try makeTR38901("umi", "los")
    let wavelength = 299_792_458 / 2.655e9
    let place = LinkGeometry(x: 50, y: 0, bsHeight: 10, ueHeight: 1.5)
    let paths = model.paths(try bundle(drop, wavelength: wavelength), times: [0], place)
    let a = try FixtureArray(raysFile, "a")
    let tau = try FixtureArray(raysFile, "tau")
    let expected = (0..<23).filter { path in
      (0..<32).contains { a.complex(drop, $0, path) != (0, 0) }
    }
    #expect(paths.delays.count == expected.count)
    // Paths of equal delay may stand in any order; the fixture is sorted by delay.
    let order = paths.delays.indices.sorted { paths.delays[$0] < paths.delays[$1] }
    let origin = place.distance3D / 299_792_458
    for (path, index) in zip(expected, order) {
      #expect(abs(paths.delays[index] - origin - tau[drop, path]) < 1e-15)
      for port in 0..<32 {
        let (re, im) = a.complex(drop, port, path)
        let difference = paths.amplitudes[0][index, port].inDouble - Complex(re, im)
        #expect(difference.length < 1e-6)
      }
    }
  }

  /// `Σ a exp(-j 2π f τ)` on the tones reproduces the other program's own response, delays by port included.
  @Test(arguments: 0..<4)
  func synthesisOfGivenCoefficients(_ user: Int) throws {
    let coefficients = try FixtureArray(usersFile, "coeff")
    let delays = try FixtureArray(usersFile, "delay_s")
    let response = try FixtureArray(usersFile, "H_freq")
    let synthesis = WidebandSynthesis(grid: narrowGrid)
    let paths = coefficients.shape[2]
    var (error, energy) = (0.0, 0.0)
    for port in 0..<32 {
      var amplitudes = ComplexArray(uninitialized: [paths, 1])
      for path in 0..<paths {
        let (re, im) = coefficients.complex(user, port, path)
        amplitudes[path, 0] = ComplexFloat(Float(re), Float(im))
      }
      let set = PathSet(
        delays: (0..<paths).map { delays[user, port, $0] }, amplitudes: [amplitudes])
      let ours = synthesis.response(set)[0]
      for tone in 0..<32 {
        let (re, im) = response.complex(user, tone, port)
        let expected = Complex(re, im)
        error += (ours[tone, 0].inDouble - expected).lengthSquared
        energy += expected.lengthSquared
      }
    }
    #expect(error / energy < 1e-12)
  }

  /// The first coefficients of the spherical-wave fixture are the direct ray, with exact distances from each element.
  @Test(arguments: 0..<4)
  func directRayIsASphericalWave(_ user: Int) throws {
    let position = try FixtureArray(usersFile, "ue_position_m")
    let coefficients = try FixtureArray(usersFile, "coeff")
    let (x, y, z) = (position[user, 0], position[user, 1], position[user, 2])
    let place = LinkGeometry(x: x, y: y, bsHeight: 10, ueHeight: z)
    let wavelength = 299_792_458 / 2.655e9
    var rays = RayBundle()
    rays.kFactor = 1e30
    rays.specular = .init(
      across: sin(place.zenith) * sin(place.azimuth), up: cos(place.zenith),
      turns: -place.distance3D / wavelength, distance: place.distance3D)
    func correlation(spherical: Bool) throws -> Complex<Double> {
      rays.distances = spherical ? [0] : []
      let model = try makeTR38901("umi", "los", ["spherical_waves": .flag(spherical)])
      let ours = model.paths(rays, times: [0], place).amplitudes[0]
      return (0..<32).reduce(Complex<Double>(0)) { sum, port in
        let (re, im) = coefficients.complex(user, port, 0)
        let other = Complex(re, im)
        return sum + ours[0, port].inDouble * (other.conjugate / Complex(32 * other.length))
      }
    }
    // Also the phase -2π d/λ agrees.
    #expect((try correlation(spherical: true) - 1).length < 1e-6)
    let plane = try correlation(spherical: false).length
    // Seen along the array the wave front looks plane at any distance.
    #expect(plane > 0.95 && (plane < 0.9999 || abs(y) > 50 * abs(x)))
  }

  /// A scattered wave is a sphere around a point half its way from the BS; the way is the delay times c.
  @Test(arguments: ["umi", "uma"])
  func scatteredWavesStartHalfWay(scenario: String) throws {
    let model = try makeTR38901(scenario, "nlos", ["spherical_waves": .flag(true)])
    let plane = try makeTR38901(scenario, "nlos", [:])
    let block = DropBlock(0..<20, domain: .test, seed: 3)
    for drop in 0..<20 {
      let (geometry, rays) = model.independentLink(block, drop)
      let delays = model.paths(block, drop, slots: [0])[0].delays
      #expect(rays.distances.count == rays.across.count && rays.across.count >= 20)
      #expect(plane.independentLink(block, drop).rays.distances.isEmpty)
      // Sub-clusters of the strongest clusters come later; all other rays of a path have its delay.
      for (cluster, delay) in rays.delays.enumerated() {
        let way = geometry.distance3D + 299_792_458 * delay
        #expect(delays.contains { abs($0 * 299_792_458 - way) < 1e-6 })
        for ray in 20 * cluster..<20 * (cluster + 1) {
          #expect(abs(rays.distances[ray] - way / 2) < 1e-9 * way)
        }
      }
    }
  }
}
