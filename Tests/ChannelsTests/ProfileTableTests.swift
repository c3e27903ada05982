import Channels
import Foundation
import LinkMath
import Testing

private let cdlTables: [String: CDLTable] = [
  "A": .cdlA, "B": .cdlB, "C": .cdlC, "D": .cdlD, "E": .cdlE,
]
private let tdlTables: [String: TDLTable] = [
  "A": .tdlA, "B": .tdlB, "C": .tdlC, "D": .tdlD, "E": .tdlE, "A30": .tdlA30, "B100": .tdlB100,
  "C300": .tdlC300,
]

/// Derived figures of one model in cdl_tdl_meta.json.
private struct Meta: Decodable {
  struct Angle: Decodable {
    let mean_deg, as_deg_clusters_only: Double
  }
  let c_ASD, c_ASA, c_ZSD, c_ZSA, xpr_dB: Double?
  let rms_delay_spread_normalised, rms_delay_spread_ns, mean_delay_normalised: Double?
  let angles: [String: Angle]?
  let K_total_dB: Double?

  static func of(_ model: String) throws -> Meta {
    let data = try Data(contentsOf: fixtureFolder.appendingPathComponent("cdl_tdl_meta.json"))
    return try #require(JSONDecoder().decode([String: Meta].self, from: data)[model])
  }
}

@Suite struct ProfileTableTests {
  @Test(arguments: cdlTables.keys.sorted())
  func cdlTableEqualsTheStandards(_ name: String) throws {
    let table = try #require(cdlTables[name])
    let rows = try fixtureRows("cdl_\(name).csv")
    let meta = try Meta.of("CDL-\(name)")
    #expect(table.rows.count == rows.count)
    #expect(table.startsWithSpecularRay == (rows[0]["specular"] == "1"))
    for (row, printed) in zip(table.rows, rows) {
      let figures = [row.delay, row.powerDB, row.aod, row.aoa, row.zod, row.zoa]
      let columns = ["norm_delay", "power_dB", "aod_deg", "aoa_deg", "zod_deg", "zoa_deg"]
      #expect(figures == columns.map { Double(printed[$0]!)! })
    }
    #expect(table.departureAzimuthSpread == meta.c_ASD)
    #expect(table.arrivalAzimuthSpread == meta.c_ASA)
    #expect(table.departureZenithSpread == meta.c_ZSD)
    #expect(table.arrivalZenithSpread == meta.c_ZSA)
    #expect(table.xprDB == meta.xpr_dB)
  }

  @Test(arguments: tdlTables.keys.sorted())
  func tdlTableEqualsTheStandards(_ name: String) throws {
    let table = try #require(tdlTables[name])
    let rows = try fixtureRows("tdl_\(name).csv")
    let column = table.delaysAreAbsolute ? "delay_ns" : "norm_delay"
    #expect(table.delays == rows.map { Double($0[column]!)! })
    #expect(table.powersDB == rows.map { Double($0["power_dB"]!)! })
    #expect(table.startsWithSpecularTap == (rows[0]["specular"] == "1"))
  }

  @Test func rayOffsetsHaveUnitSpread() throws {
    let offsets = CDLTable.rayOffsets
    #expect(offsets == (try fixtureRows("ray_offsets.csv").map { Double($0["alpha_m"]!)! }))
    let rms = (offsets.reduce(0) { $0 + $1 * $1 } / Double(offsets.count)).squareRoot()
    #expect(abs(rms - 1) < 1e-4)
  }

  @Test(arguments: cdlTables.keys.sorted())
  func cdlProfileHasThePublishedMoments(_ name: String) throws {
    let spread = 100e-9
    let scaled = CDLProfile(try #require(cdlTables[name]), delaySpread: spread)
    let meta = try Meta.of("CDL-\(name)")
    let profile = scaled.profile
    #expect(abs(profile.powers.reduce(0, +) - 1) < 1e-12)
    let rms = try #require(meta.rms_delay_spread_normalised)
    #expect(abs(profile.rmsDelaySpread / spread - rms) < 1e-6)
    let mean = try #require(meta.mean_delay_normalised)
    #expect(abs(profile.meanDelay / spread - mean) < 1e-6)
    #expect((scaled.kFactor == nil) == (meta.K_total_dB == nil))
    if let k = scaled.kFactor, let expected = meta.K_total_dB {
      #expect(abs(decibels(k) - expected) < 1e-3)
    }
    let angles = ["aod": scaled.aod, "aoa": scaled.aoa, "zod": scaled.zod, "zoa": scaled.zoa]
    for (kind, expected) in try #require(meta.angles) {
      let found = circularStatistics(try #require(angles[kind]).rows, powers: profile.powers)
      #expect(abs((found.mean - expected.mean_deg).remainder(dividingBy: 360)) < 1e-4)
      #expect(abs(found.spread - expected.as_deg_clusters_only) < 1e-4)
    }
  }

  @Test(arguments: tdlTables.keys.sorted())
  func tdlProfileHasThePublishedDelaySpread(_ name: String) throws {
    let table = try #require(tdlTables[name])
    let profile = PowerDelayProfile(
      delays: table.delays, powers: table.powersDB.map { linear(decibels: $0) })
    let meta = try Meta.of("TDL-\(name)")
    let expected = try #require(meta.rms_delay_spread_normalised ?? meta.rms_delay_spread_ns)
    #expect(abs(profile.rmsDelaySpread - expected) < (table.delaysAreAbsolute ? 1e-4 : 1e-6))
  }
}
