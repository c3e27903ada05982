import Channels
import Foundation
import Testing

/// A column of lsp_38901.json.
private struct Column: Decodable {
  struct Law: Decodable {
    let mu_const, mu_slope, sigma_const, sigma_slope: Double
    let arg: String
  }
  struct Normal: Decodable { let mu, sigma: Double }
  let fc_floor_GHz: Double
  let lgDS, lgASD, lgASA, lgZSA: Law
  let K_dB: Normal?
  let XPR_dB: Normal
  let r_tau, zeta_dB, c_ASD, c_ASA, c_ZSA: Double
  let clusters: Int
  let cross_correlation, corr_distance_m: [String: Double]

  static func all() throws -> [String: Column] {
    let data = try Data(contentsOf: fixtureFolder.appendingPathComponent("lsp_38901.json"))
    return try JSONDecoder().decode([String: Column].self, from: data)
  }
}

private let columns: [String: TR38901Table] = [
  "UMi_LOS": .umiLOS, "UMi_NLOS": .umiNLOS, "UMa_LOS": .umaLOS, "UMa_NLOS": .umaNLOS,
  "RMa_LOS": .rmaLOS, "RMa_NLOS": .rmaNLOS, "InH_LOS": .inhLOS, "InH_NLOS": .inhNLOS,
]

/// The value of `a*log10(1+fc)+b` and the like at a carrier in GHz.
private func value(_ text: String, _ carrier: Double) -> Double {
  let terms = text.replacingOccurrences(of: "log10(1+fc)", with: "L")
    .replacingOccurrences(of: "log10(fc)", with: "l").replacingOccurrences(of: "-", with: "+-")
    .split(separator: "+")
  return terms.reduce(0) { sum, term in
    sum
      + term.split(separator: "*").reduce(1) { product, factor in
        switch factor {
        case "L": product * log10(1 + carrier)
        case "l": product * log10(carrier)
        default: product * Double(factor)!
        }
      }
  }
}

@Suite struct TR38901TableTests {
  @Test(arguments: columns.keys.sorted())
  func tableEqualsTheStandards(_ name: String) throws {
    let table = try #require(columns[name])
    let printed = try #require(try Column.all()[name])
    #expect(table.floorGHz == printed.fc_floor_GHz)
    #expect(table.kDB?.mean == printed.K_dB?.mu)
    #expect(table.kDB?.deviation == printed.K_dB?.sigma)
    #expect(table.xprDB.mean == printed.XPR_dB.mu)
    #expect(table.xprDB.deviation == printed.XPR_dB.sigma)
    #expect(table.delayScaling == printed.r_tau)
    #expect(table.clusterShadowDB == printed.zeta_dB)
    #expect(table.clusterCount == printed.clusters)
    #expect(table.clusterSpreads.asd == printed.c_ASD)
    #expect(table.clusterSpreads.asa == printed.c_ASA)
    #expect(table.clusterSpreads.zsa == printed.c_ZSA)
    let laws = [
      (table.lgDS, printed.lgDS), (table.lgASD, printed.lgASD), (table.lgASA, printed.lgASA),
      (table.lgZSA, printed.lgZSA),
    ]
    for (law, printed) in laws {
      for carrier in [0.5, 2, 28.0] {
        let x = log10(printed.arg == "log10(1+fc)" ? 1 + carrier : carrier)
        #expect(law.mean(carrier) == printed.mu_const + printed.mu_slope * x)
        #expect(law.deviation(carrier) == printed.sigma_const + printed.sigma_slope * x)
      }
    }
    let order = ["SF", "K", "DS", "ASD", "ASA", "ZSD", "ZSA"]
    for i in 1..<7 {
      for j in 0..<i {
        let key = ["\(order[i])_\(order[j])", "\(order[j])_\(order[i])"]
        let expected = key.compactMap { printed.cross_correlation[$0] }.first
        #expect(table.correlations[i - 1][j] == expected ?? 0)
        #expect(expected != nil || (printed.K_dB == nil && (i == 1 || j == 1)))
      }
      if let distance = printed.corr_distance_m[order[i]] {
        #expect(table.distances[i] == distance)
      }
    }
    #expect(table.distances[0] == printed.corr_distance_m["SF"])
  }

  @Test func release19ChangesTheseRowsAndNoOther() throws {
    let pairs: [String: (old: TR38901Table, new: TR38901Table)] = [
      "UMi LOS": (.umiLOS, .umiLOS19), "UMi NLOS": (.umiNLOS, .umiNLOS19),
      "UMa LOS": (.umaLOS, .umaLOS19), "UMa NLOS": (.umaNLOS, .umaNLOS19),
    ]
    let changes = try fixtureRows("lsp_38901_rel19_changes.csv")
    for carrier in [2.0, 28.0] {
      func figures(_ table: TR38901Table) -> [String: Double] {
        [
          "mu_lgDS": table.lgDS.mean(carrier), "sigma_lgDS": table.lgDS.deviation(carrier),
          "mu_lgASD": table.lgASD.mean(carrier), "sigma_lgASD": table.lgASD.deviation(carrier),
          "mu_lgASA": table.lgASA.mean(carrier), "sigma_lgASA": table.lgASA.deviation(carrier),
          "mu_lgZSA": table.lgZSA.mean(carrier), "sigma_lgZSA": table.lgZSA.deviation(carrier),
          "c_ASD": table.clusterSpreads.asd,
        ]
      }
      for (name, pair) in pairs {
        let (old, new) = (figures(pair.old), figures(pair.new))
        for key in old.keys {
          let change = changes.first { $0["scenario"] == name && $0["parameter"] == key }
          let before = change.map { value($0["rel14_to_rel18"]!, carrier) } ?? old[key]!
          let after = change.map { value($0["rel19_v19.4"]!, carrier) } ?? old[key]!
          #expect(abs(old[key]! - before) < 1e-12, "\(name) \(key)")
          #expect(abs(new[key]! - after) < 1e-12, "\(name) \(key)")
        }
      }
    }
  }

  @Test func scalingTablesAndSubclusters() throws {
    for (table, file, column) in [
      (TR38901Table.azimuthScaling, "c_phi.csv", "C_phi_NLOS"),
      (TR38901Table.zenithScaling, "c_theta.csv", "C_theta_NLOS"),
    ] {
      let rows = try fixtureRows(file)
      #expect(table.count == rows.count)
      for row in rows { #expect(table[Int(row["clusters"]!)!] == Double(row[column]!)) }
    }
    for (row, part) in zip(try fixtureRows("subclusters.csv"), TR38901Table.subclusters) {
      #expect(row["rays_1based"]!.split(separator: " ").map { Int($0)! - 1 } == part.rays)
      #expect(Double(row["delay_offset_in_cDS"]!) == part.delay)
    }
  }

  /// Tables 7.5-7 to 7.5-10 at a place 200 m away, worked out by hand.
  @Test func zenithsOfDeparture() {
    let link = LinkGeometry(x: 200, y: 0, bsHeight: 25, ueHeight: 11.5)
    func mean(_ table: TR38901Table) -> Double { table.lgZSD.mean(link, carrierGHz: 9) }
    #expect(abs(mean(.umiLOS) - -0.21) < 1e-12)  // -2.96 + 0.135 + 0.83 is below the floor
    #expect(abs(mean(.umiNLOS) - -0.42) < 1e-12)
    #expect(abs(mean(.umaLOS) - 0.23) < 1e-12)
    #expect(abs(mean(.umaNLOS) - 0.38) < 1e-12)
    #expect(abs(mean(.rmaLOS) - 0.086) < 1e-12)
    #expect(abs(mean(.rmaNLOS) - 0.142) < 1e-12)
    #expect(abs(mean(.inhLOS) - 0.798) < 1e-12)
    #expect(mean(.inhNLOS) == 1.08)
    #expect(abs(TR38901Table.inhLOS.lgZSD.law.deviation(9) - 0.43) < 1e-12)
    func offset(_ table: TR38901Table) -> Double { table.zodOffset.degrees(link, carrierGHz: 10) }
    #expect(offset(.umiLOS) == 0)
    #expect(abs(offset(.umiNLOS) - -0.70541) < 1e-4)
    #expect(abs(offset(.umaNLOS) - (1.7 - pow(10, -0.574 * log10(200) + 1.2))) < 1e-9)
    #expect(abs(offset(.rmaNLOS) - -0.5577) < 1e-3)
  }

  /// Table 7.4.2-1.
  @Test func lineOfSightProbability() {
    func p(_ scenario: TR38901Scenario, _ d: Double, height: Double = 1.5, open: Bool = false)
      -> Double
    {
      scenario.lineOfSightProbability(d, ueHeight: height, isOpenOffice: open)
    }
    #expect(p(.umi, 18) == 1)
    #expect(abs(p(.umi, 36) - (0.5 + 0.5 * exp(-1))) < 1e-12)
    #expect(abs(p(.uma, 63) - (18.0 / 63 + exp(-1) * 45 / 63)) < 1e-12)
    #expect(abs(p(.uma, 100, height: 23) / p(.uma, 100) - (1 + 1.25 * exp(-2.0 / 3))) < 1e-12)
    #expect(abs(p(.rma, 1010) - exp(-1)) < 1e-12)
    #expect(p(.inh, 1.2) == 1)
    #expect(abs(p(.inh, 5.9) - exp(-1)) < 1e-12)
    #expect(abs(p(.inh, 39.1) - 0.32 * exp(-1)) < 1e-12)
    #expect(abs(p(.inh, 49, open: true) - exp(-44 / 70.8)) < 1e-12)
    #expect(abs(p(.inh, 260.7, open: true) - 0.54 * exp(-1)) < 1e-12)
  }

  /// Table 7.4.1-1 at round figures, and no jump at the break points.
  @Test func pathLoss() {
    func link(_ d: Double, _ bs: Double, _ ue: Double = 1.5) -> LinkGeometry {
      LinkGeometry(x: d, y: 0, bsHeight: bs, ueHeight: ue)
    }
    func loss(_ scenario: TR38901Scenario, _ link: LinkGeometry, _ los: Bool) -> Double {
      scenario.pathLoss(link, carrierGHz: 10, hasLineOfSight: los)
    }
    let flat = link(100, 1.5)
    #expect(abs(loss(.umi, link(99.63872, 10), true) - 94.4) < 1e-3)
    #expect(abs(loss(.umi, link(99.63872, 10), false) - 114.3) < 1e-3)
    #expect(abs(loss(.uma, link(97.197, 25), false) - 111.7) < 1e-3)
    #expect(abs(loss(.inh, flat, true) - 87.0) < 1e-9)
    #expect(abs(loss(.inh, flat, false) - 118.8) < 1e-9)
    for scenario in [TR38901Scenario.umi, .uma, .rma] {
      let height = scenario == .rma ? 35.0 : scenario == .uma ? 25 : 10
      let knee = scenario.breakPoint(link(1, height), carrierGHz: 10)
      let step =
        loss(scenario, link(knee * 1.0001, height), true)
        - loss(scenario, link(knee * 0.9999, height), true)
      #expect(abs(step) < 0.05, "\(scenario)")
    }
  }
}
