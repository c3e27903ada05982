import Channels
import ComplexModule
import Foundation
import LinkMath
import Parts
import Testing

private func settings(_ profile: String, _ more: [String: Setting] = [:]) -> [String: Setting] {
  ["profile": .text(profile), "delay_spread": .number(100e-9)].merging(more) { $1 }
}

private func turns(_ value: Double) -> Complex<Double> {
  Complex(cos(2 * .pi * value), sin(2 * .pi * value))
}

@Suite struct CDLTests {
  @Test(arguments: ["A", "B", "C", "D", "E"])
  func meanPowerIsOne(_ profile: String) throws {
    let model = try makeChannel(
      CDLChannel.self, settings(profile, ["ports": .integer(2)]), grid: smallGrid)
    let block = DropBlock(0..<10_000, domain: .test, seed: 1)
    var powers = RunningMean()
    for drop in 0..<10_000 {
      let amplitudes = model.paths(block, drop, slots: [0]).amplitudes[0]
      powers.add(amplitudes.energy / 2)
    }
    #expect(abs(powers.mean - 1) < 0.02)
    #expect(abs(powers.mean - 1) < 4 * (try #require(powers.standardError)))
  }

  /// Each cluster has its table power on every port.
  @Test func clusterPowersAreTheTables() throws {
    let model = try makeChannel(
      CDLChannel.self, settings("B", ["ports": .integer(8)]), grid: smallGrid)
    let block = DropBlock(0..<4000, domain: .test, seed: 2)
    let rows = model.profile.profile.powers.count
    var powers = [RunningMean](repeating: RunningMean(), count: rows)
    for drop in 0..<4000 {
      let amplitudes = model.paths(block, drop, slots: [0]).amplitudes[0]
      for row in 0..<rows { powers[row].add(amplitudes.slice(row..<row + 1).energy / 8) }
    }
    for (power, expected) in zip(powers, model.profile.profile.powers) {
      #expect(abs(power.mean - expected) < 4.5 * (try #require(power.standardError)))
    }
  }

  /// Expected energy of delay row d: `Σ_n P_n |D(d - τ_n B)|²`, D the kernel of the DFT, also where delays wrap.
  @Test(arguments: [("A", 1024, 20e6), ("C", 1024, 20e6), ("D", 1024, 20e6), ("A", 32, 70e6)])
  func rowEnergiesAreTheClosedForm(_ profile: String, _ tones: Int, _ bandwidth: Double) throws {
    let grid = LinkContext.Grid(
      toneCount: tones, spacingHz: bandwidth / Double(tones), carrierHz: 2.655e9)
    let model = try makeChannel(CDLChannel.self, settings(profile), grid: grid)
    var rows = [RunningMean](repeating: RunningMean(), count: 32)
    for drop in 0..<500 {
      let block = DropBlock(drop..<drop + 1, domain: .test, seed: 5)
      let response = try model.frequencyResponse(block, slots: [0])[0].slice(0..<1)
      let delays = delayTransform(response.reshaped([tones, model.portCount]))
      for row in rows.indices {
        rows[row].add(delays.slice(row..<row + 1).energy / Double(tones * model.portCount))
      }
    }
    for (row, energy) in rows.enumerated() {
      let table = model.profile.profile
      let expected = zip(table.delays, table.powers).reduce(0) {
        $0 + $1.1 * delayLeakage(row: row, samples: $1.0 * bandwidth, tones: tones)
      }
      let error = try #require(energy.standardError)
      #expect(
        abs(energy.mean - expected) < 4.5 * error + 1e-7, "row \(row): \(energy.mean), \(expected)")
    }
  }

  /// With K = 100 dB only the specular ray is left: its port phases are those of a plane wave, and the forward angle
  /// transform peaks at column `-Nt d sin φ sin θ`.
  @Test(arguments: [-50.0, -10.0, 0.0, 33.0])
  func specularRayIsAPlaneWave(_ azimuth: Double) throws {
    let model = try makeChannel(
      CDLChannel.self,
      settings("D", ["k_factor": .number(100), "aod_mean": .number(azimuth)]), grid: smallGrid)
    let response = try model.frequencyResponse(DropBlock(0..<1, seed: 1), slots: [0])[0]
    // All power of CDL-D then leaves at the specular ray's own angles, shifted by the mean.
    let aod = model.profile.aod.rows[0] * .pi / 180
    let zod = model.profile.zod.rows[0] * .pi / 180
    #expect(abs(model.profile.aod.rows[0] - azimuth) < 1e-3)
    let step = turns(0.5 * sin(zod) * sin(aod))
    for port in 1..<32 {
      let ratio = response[0, 3, port].inDouble / response[0, 3, port - 1].inDouble
      #expect((ratio - step).length < 1e-4)
    }
    let spectrum = (0..<32).map { q in
      (0..<32).reduce(Complex<Double>(0)) { sum, i in
        sum + response[0, 3, i].inDouble * turns(-Double(q * i) / 32)
      }.length
    }
    // Port phases grow with exp(+j…), so the standard forward transform peaks at +Nt d sin φ; the angle axis of H Fᴴ mirrors it.
    let column = (32 * 0.5 * sin(zod) * sin(aod)).rounded()
    let peak = spectrum.indices.max { spectrum[$0] < spectrum[$1] }!
    #expect(peak == (Int(column) + 32) % 32)
  }

  /// Port = p N1 N2 + i1 N2 + i2 with horizontal index i1 and vertical index i2.
  @Test func planarPortsAreOrderedColumnByColumn() throws {
    let model = try makeChannel(
      CDLChannel.self,
      settings(
        "E",
        [
          "array": .text("upa"), "columns": .integer(4), "rows": .integer(3),
          "polarisation": .text("dual"), "spacing": .number(0.6),
          "vertical_spacing": .number(0.8), "k_factor": .number(100), "aod_mean": .number(25),
          "zod_mean": .number(70),
        ]), grid: smallGrid)
    #expect(model.portCount == 24)
    let response = try model.frequencyResponse(DropBlock(0..<1, seed: 1), slots: [0])[0]
    let aod = model.profile.aod.rows[0] * .pi / 180
    let zod = model.profile.zod.rows[0] * .pi / 180
    for p in 0..<2 {
      for i1 in 0..<4 {
        for i2 in 0..<3 {
          let ratio = response[0, 0, p * 12 + i1 * 3 + i2].inDouble / response[0, 0, 0].inDouble
          let phase = 0.6 * Double(i1) * sin(zod) * sin(aod) + 0.8 * Double(i2) * cos(zod)
          #expect((ratio - turns(phase)).length < 1e-4)
        }
      }
    }
  }

  @Test func dualPolarisedPower() throws {
    let model = try makeChannel(
      CDLChannel.self,
      settings("C", ["ports": .integer(4), "polarisation": .text("dual")]), grid: smallGrid)
    let block = DropBlock(0..<5000, domain: .test, seed: 4)
    var (first, second) = (RunningMean(), RunningMean())
    for drop in 0..<5000 {
      let a = model.paths(block, drop, slots: [0]).amplitudes[0]
      let rows = 0..<a[dimension: 0]
      first.add(rows.reduce(0) { $0 + Double(a[$1, 0].lengthSquared) })
      second.add(rows.reduce(0) { $0 + Double(a[$1, 2].lengthSquared) })
    }
    let expected = (1 + pow(10, -0.7)) / 2
    for power in [first, second] {
      #expect(abs(power.mean - expected) < 4 * (try #require(power.standardError)))
    }
  }

  /// `Σ_n P_n <exp(j 2π τ (r_rx·v)/λ)>` over all couplings of arrival azimuth and zenith rays, not J0.
  @Test(arguments: ["A", "C"])
  func temporalAutocorrelationFollowsTheArrivalAngles(_ profile: String) throws {
    let travel = 40.0
    let speed = 15.0
    let model = try makeChannel(
      CDLChannel.self,
      settings(profile, ["ports": .integer(1), "travel_azimuth": .number(travel)]),
      grid: smallGrid, speed: speed)
    let table: CDLTable = profile == "A" ? .cdlA : .cdlC
    let lag = 2
    let turnsPerUnit = speed * smallGrid.carrierHz / 299_792_458 * 1e-3 * Double(lag)
    var expected = Complex<Double>(0)
    for (row, power) in zip(table.rows, model.profile.profile.powers) {
      for a in CDLTable.rayOffsets {
        for z in CDLTable.rayOffsets {
          let phi = (row.aoa + table.arrivalAzimuthSpread * a - travel) * .pi / 180
          let theta = (row.zoa + table.arrivalZenithSpread * z) * .pi / 180
          let unit = turns(turnsPerUnit * sin(theta) * cos(phi))
          expected += Complex(unit.real * power / 400, unit.imaginary * power / 400)
        }
      }
    }
    let block = DropBlock(0..<20_000, domain: .test, seed: 9)
    var (re, im) = (RunningMean(), RunningMean())
    for drop in 0..<20_000 {
      let taps = model.paths(block, drop, slots: [0, lag]).amplitudes
      var sum = Complex<Double>(0)
      for row in table.rows.indices {
        sum += taps[1][row, 0].inDouble * taps[0][row, 0].inDouble.conjugate
      }
      re.add(sum.real)
      im.add(sum.imaginary)
    }
    #expect(abs(re.mean - expected.real) < 4 * (try #require(re.standardError)))
    #expect(abs(im.mean - expected.imaginary) < 4 * (try #require(im.standardError)))
    #expect(abs(expected.real - j0(2 * .pi * turnsPerUnit)) > 0.05)
  }

  @Test(arguments: [-3.0, 9.0, 20.0])
  func kFactorScalingKeepsTheDelaySpread(_ wanted: Double) throws {
    let model = try makeChannel(
      CDLChannel.self, settings("D", ["k_factor": .number(wanted)]), grid: smallGrid)
    #expect(abs(decibels(try #require(model.profile.kFactor)) - wanted) < 1e-9)
    #expect(abs(model.profile.profile.rmsDelaySpread / 100e-9 - 1) < 1e-9)
    #expect(abs(model.profile.profile.powers.reduce(0, +) - 1) < 1e-12)
  }

  @Test func angleScalingReachesMeanAndSpread() throws {
    // Small spreads, where scaling linearly is scaling on the circle.
    let model = try makeChannel(
      CDLChannel.self,
      settings(
        "C",
        [
          "aod_mean": .number(-30), "aod_spread": .number(5), "zod_spread": .number(1),
          "scale_ray_offsets": .flag(true),
        ]), grid: smallGrid)
    let powers = model.profile.profile.powers
    let aod = circularStatistics(model.profile.aod.rows, powers: powers)
    // The circular mean of the table is not the mean of its angles, so it moves a little under scaling.
    #expect(abs(aod.mean + 30) < 0.5)
    #expect(abs(aod.spread - 5) < 0.3)
    for (scaled, row) in zip(model.profile.aod.rows, CDLTable.cdlC.rows) {
      let offset = (row.aod + 19.6808).remainder(dividingBy: 360)
      #expect(abs(scaled - (offset * 5 / 37.35 - 30)) < 1e-3)
    }
    let zod = circularStatistics(model.profile.zod.rows, powers: powers)
    #expect(abs(zod.mean - 99.331) < 1e-3)
    #expect(abs(zod.spread - 1) < 1e-2)
    #expect(abs(model.profile.aod.raySpread - 2 * 5 / 37.35) < 1e-4)
    #expect(model.profile.aoa.raySpread == 15)
  }

  /// The random rotation moves the specular ray within its range and no further.
  @Test func rotationIsUniform() throws {
    let model = try makeChannel(
      CDLChannel.self,
      settings("D", ["k_factor": .number(100), "aod_rotation": .number(40)]), grid: smallGrid)
    let zod = model.profile.zod.rows[0] * .pi / 180
    let block = DropBlock(0..<500, seed: 1)
    let angles = (0..<500).map { drop in
      let a = model.paths(block, drop, slots: [0]).amplitudes[0]
      let phase = (a[0, 1].inDouble / a[0, 0].inDouble).phase
      return asin(phase / .pi / sin(zod)) * 180 / .pi - model.profile.aod.rows[0]
    }
    #expect(angles.allSatisfy { abs($0) < 40.001 })
    let sorted = angles.sorted()
    let distance = sorted.enumerated().map { abs((Double($0) + 0.5) / 500 - ($1 + 40) / 80) }.max()!
    #expect(distance < 1.63 / 500.0.squareRoot())  // Kolmogorov, 1 %
  }

  /// 8 dBi at boresight, 12 dB less at 65 degrees, 30 dB at the back.
  @Test(arguments: [(0.0, 90.0, 8.0), (65, 90, -4), (32.5, 90, 5), (0, 25, -4), (180, 90, -22)])
  func sectorPattern(_ azimuth: Double, _ zenith: Double, _ gainDB: Double) throws {
    let keys: [String: Setting] = [
      "k_factor": .number(100), "aod_mean": .number(azimuth), "zod_mean": .number(zenith),
      "ports": .integer(1),
    ]
    let model = try makeChannel(
      CDLChannel.self, settings("D", keys.merging(["element": .text("3gpp")]) { $1 }),
      grid: smallGrid)
    let power = model.paths(DropBlock(0..<1, seed: 1), 0, slots: [0]).amplitudes[0].energy
    #expect(abs(decibels(power) - gainDB) < 0.01)
  }
}
