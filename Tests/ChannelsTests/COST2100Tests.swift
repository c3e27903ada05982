import Channels
import ComplexModule
import Foundation
import Link
import LinkMath
import Parts
import Testing

private let publicGrid = LinkContext.Grid(toneCount: 257, spacingHz: 78125, carrierHz: 5.3e9)
private let lowestHz = 5.3e9 - 128 * 78125.0

private func make(
  _ environment: String, _ more: [String: Setting] = [:], speed: Double = 0
) throws -> COST2100Channel {
  try makeChannel(
    COST2100Channel.self, ["environment": .text(environment)].merging(more) { $1 },
    grid: publicGrid, speed: speed)
}

/// Settings under which the direct ray is 100 dB above all others and free-space loss is kept.
private let directOnly: [String: Setting] = [
  "k_factor": .number(100), "k_factor_deviation": .number(0), "normalise": .text("none"),
]

private func turns(_ value: Double) -> Complex<Double> {
  Complex(cos(2 * .pi * value), sin(2 * .pi * value))
}

/// `cos φ` of a path, from the phase step `-π cos φ` between its ports.
private func cosine(_ amplitudes: ComplexArray, _ path: Int) -> Double {
  -(amplitudes[path, 1].inDouble / amplitudes[path, 0].inDouble).phase / .pi
}

@Suite struct COST2100Tests {
  /// Entry (n, q) of a path of delay τ = x / (N Δf) and step -π cos φ between ports, both DFTs unitary:
  /// `a √N √Nt K(n - x, N) exp(jπ (n - x)(N-1)/N) K(q - y, Nt) exp(-jπ (q - y)(Nt-1)/Nt)` with `K(u, N) = sin πu / (N sin(πu/N))`,
  /// y = -Nt cos φ / 2, column q shown at q + 16.
  @Test(arguments: ["indoor", "outdoor"])
  func aPathHasTheClosedFormOfItsAngularDelayMatrix(_ environment: String) throws {
    let model = try make(environment, ["normalise": .text("none")])
    let transform = AngularDelayTransform(grid: 257, ports: 32, taps: 32, shift: 16)
    let paths = model.paths(DropBlock(0..<1, seed: 3), 0, slots: [0])
    for path in stride(from: 0, to: paths.delays.count, by: paths.delays.count / 10) {
      let amplitude = paths.amplitudes[0].slice(path..<path + 1)
      let single = PathSet(delays: [paths.delays[path]], amplitudes: [amplitude])
      let response = model.synthesis.response(single)[0].reshaped([1, 257, 32])
      let csi = transform.forward(response)
      let x = 257 * 78125 * paths.delays[path]
      let y = -16 * cosine(paths.amplitudes[0], path)
      let scale = amplitude[0, 0].inDouble * Complex((257.0 * 32).squareRoot())
      var error = 0.0
      for n in 0..<32 {
        for q in 0..<32 {
          let expected =
            scale * Self.kernel(Double(n) - x, 257) * Self.kernel(Double(q) - y, 32).conjugate
          let difference = csi[0, n, (q + 16) % 32].inDouble - expected
          error += difference.lengthSquared
        }
      }
      #expect(error < 1e-10 * response.energy)
    }
  }

  /// `sin πu / (N sin(πu/N)) exp(jπ u (N-1)/N)`.
  private static func kernel(_ u: Double, _ count: Double) -> Complex<Double> {
    let sine = sin(.pi * u / count)
    let size =
      abs(sine) < 1e-12 ? cos(.pi * u) / cos(.pi * u / count) : sin(.pi * u) / (count * sine)
    return Complex(size) * turns(u * (count - 1) / (2 * count))
  }

  /// Delay, loss and phase of the direct ray tell one distance; it leaves towards the square.
  @Test func theDirectRayIsAFreeSpaceWave() throws {
    let model = try make(
      "outdoor",
      directOnly.merging(["bs_position": .text("corner"), "square_side": .number(200)]) { $1 })
    let block = DropBlock(0..<2000, domain: .test, seed: 1)
    var (x, y) = (RunningMean(), RunningMean())
    for drop in 0..<2000 {
      let paths = model.paths(block, drop, slots: [0])
      let direct = paths.delays.count - 1
      let distance = paths.delays[direct] * speedOfLight
      let cosine = cosine(paths.amplitudes[0], direct)
      #expect(distance < 283)
      #expect(cosine > -1e-5)
      let phasor = turns(paths.amplitudes[0][direct, 0].inDouble.phase / (2 * .pi))
      let wanted = turns(-lowestHz * paths.delays[direct])
      let miss = phasor - wanted
      #expect(miss.length < 1e-3)
      x.add(distance * cosine)
      y.add(distance * max(1 - cosine * cosine, 0).squareRoot())
    }
    // Uniform in the square.
    for found in [x, y] {
      let error = try #require(found.standardError)
      let variance = try #require(found.variance)
      #expect(abs(found.mean - 100) < 4 * error)
      #expect(abs(variance / (40_000 / 12) - 1) < 0.1)
    }
  }

  @Test func theKFactorIsThePowerOverAllOtherRays() throws {
    let model = try make(
      "outdoor", ["k_factor": .number(-7), "k_factor_deviation": .number(0)])
    for drop in 0..<20 {
      let paths = model.paths(DropBlock(0..<20, seed: 1), drop, slots: [0])
      let direct = paths.delays.count - 1
      let powers = paths.delays.indices.map { Double(paths.amplitudes[0][$0, 0].lengthSquared) }
      let others = powers[..<direct].reduce(0, +)
      #expect(abs(decibels(powers[direct] / others) + 7) < 1e-3)
    }
  }

  /// Two ways add up to more than one: no ray of a single-bounce cluster comes before the direct one.
  @Test func singleBouncesComeAfterTheDirectRay() throws {
    let model = try make("outdoor", ["single_bounce_share": .number(1)])
    let block = DropBlock(0..<50, seed: 2)
    for drop in 0..<50 {
      let paths = model.paths(block, drop, slots: [0])
      let direct = try #require(paths.delays.last)
      #expect(paths.delays.allSatisfy { $0 >= direct })
    }
  }

  @Test func twinsComeAfterTheSmallestLinkDelay() throws {
    let model = try make("outdoor_nlos", ["single_bounce_share": .number(0)])
    let paths = model.paths(DropBlock(0..<1, seed: 2), 0, slots: [0])
    // The first scatterers are those around the UE.
    #expect(paths.delays[48...].allSatisfy { $0 > 52.4e-9 })
    #expect(paths.delays[48...].contains { $0 > 300e-9 })
  }

  /// Indoors there is none, and beyond the cutoff neither: clusters of whole numbers of scatterers are left.
  @Test(
    arguments: [
      ("indoor", [:], 3), ("outdoor_nlos", [:], 48), ("outdoor", ["los_radius": .number(0)], 27),
    ] as [(String, [String: Setting], Int)])
  func withoutLineOfSight(_ environment: String, _ more: [String: Setting], _ scatterers: Int)
    throws
  {
    let model = try make(environment, more)
    for drop in 0..<20 {
      let paths = model.paths(DropBlock(0..<20, seed: 2), drop, slots: [0])
      #expect(paths.delays.count % scatterers == 0)
      let local = environment == "indoor" ? 2 : 1
      #expect(paths.delays.count > local * scatterers)
    }
  }

  /// f_D cos of the angle between velocity and the way back to the BS.
  @Test func theDirectRayHasItsDopplerShift() throws {
    let speed = 3.0
    let model = try make(
      "outdoor", directOnly.merging(["travel_azimuth": .number(0)]) { $1 }, speed: speed)
    for drop in 0..<20 {
      let paths = model.paths(DropBlock(0..<20, seed: 4), drop, slots: [0, 2])
      let direct = paths.delays.count - 1
      let shift = -speed * 5.3e9 / speedOfLight * cosine(paths.amplitudes[0], direct)
      let change =
        paths.amplitudes[1][direct, 5].inDouble / paths.amplitudes[0][direct, 5].inDouble
      let wanted = turns(shift * 2e-3)
      #expect((change - wanted).length < 1e-3)
    }
  }

  /// A UE that moves sees the same places: only phases change, by at most the largest Doppler shift.
  @Test func motionChangesPhasesOnly() throws {
    let still = try make("indoor").paths(DropBlock(0..<1, seed: 4), 0, slots: [0])
    let moving = try make("indoor", speed: 3).paths(DropBlock(0..<1, seed: 4), 0, slots: [0, 1])
    #expect(moving.delays == still.delays)
    #expect(moving.amplitudes[0] == still.amplitudes[0])
    let largest = 3 * 5.3e9 / speedOfLight * 1e-3
    var shifts = Set<Double>()
    for path in still.delays.indices {
      let change =
        moving.amplitudes[1][path, 0].inDouble / still.amplitudes[0][path, 0].inDouble
      #expect(abs(change.length - 1) < 1e-5)
      #expect(abs(change.phase) <= 2 * .pi * largest + 1e-5)
      shifts.insert(change.phase)
    }
    #expect(shifts.count > still.delays.count / 2)
  }

  /// At any carrier a drop has the same places; the loss follows the wavelength.
  @Test func theCarrierSetsTheLoss() throws {
    let settings: [String: Setting] = ["environment": .text("outdoor_nlos")]
    let block = DropBlock(0..<1, seed: 4)
    let powers = try [285e6, 570e6].map { carrier in
      let model = try makeChannel(
        COST2100Channel.self, settings,
        grid: .init(toneCount: 257, spacingHz: 78125, carrierHz: carrier))
      let paths = model.paths(block, 0, slots: [0])
      return paths.amplitudes[0].slice(0..<48).energy
    }
    #expect(abs(decibels(powers[0] / powers[1]) - 20 * log10(2)) < 1e-3)
  }

  /// Far from the measured band, and with the path loss left in.
  @Test func warnings() throws {
    func keys(_ settings: [String: Setting], _ carrierHz: Double) throws -> [String] {
      COST2100Channel.warnings(
        try COST2100Channel.schema.settings(settings),
        in: LinkContext(grid: .init(toneCount: 257, spacingHz: 78125, carrierHz: carrierHz))
      ).compactMap(\.key)
    }
    #expect(try keys(["environment": .text("indoor")], 5.3e9) == [])
    #expect(try keys(["environment": .text("indoor")], 285e6) == ["environment"])
    #expect(try keys(["environment": .text("outdoor")], 300e6) == [])
    let raw: [String: Setting] = [
      "environment": .text("outdoor_nlos"), "normalise": .text("none"),
    ]
    #expect(try keys(raw, 285e6) == ["normalise"])
    #expect(try keys(raw, 28e9) == ["normalise", "environment"])
  }
}
