import Channels
import ComplexModule
import Foundation
import LinkMath
import Parts
import Testing

/// A set of drops with what another implementation of the standard measured on it: Sionna 2.2, tables of v16.1.
private struct Reference: Sendable, CustomTestStringConvertible {
  let scenario, state: String
  let grid: LinkContext.Grid
  var radius = 100.0
  /// Mean lgDS and lgASD computed back from the paths.
  let lgDS, lgASD: Double
  let row0, cap32: Double
  /// Drops of the reference for the two last figures, and of the test.
  let drops, ours: Int
  var testDescription: String { "\(scenario) \(state)" }
}

private let references = [
  Reference(
    scenario: "umi", state: "los", grid: narrowGrid, lgDS: -7.278, lgASD: 1.087, row0: 0.8703,
    cap32: 1, drops: 4000, ours: 4000),
  Reference(
    scenario: "umi", state: "nlos", grid: narrowGrid, lgDS: -6.984, lgASD: 1.486, row0: 0.1340,
    cap32: 1, drops: 4000, ours: 4000),
  Reference(
    scenario: "uma", state: "nlos",
    grid: .init(toneCount: 1024, spacingHz: 20e6 / 1024, carrierHz: 28e9), radius: 500,
    lgDS: -6.572, lgASD: 1.364, row0: 0.2126, cap32: 0.9316, drops: 1000, ours: 2000),
  Reference(
    scenario: "inh", state: "los",
    grid: .init(toneCount: 32, spacingHz: 40e6 / 32, carrierHz: 2.655e9), radius: 20,
    lgDS: -7.692, lgASD: 1.448, row0: 0.8599, cap32: 1, drops: 2000, ours: 2000),
]

@Suite struct TR38901StatisticsTests {
  /// Means, deviations and correlations of drawn parameters against the tables.
  @Test(arguments: [
    ("umi", "los"), ("umi", "nlos"), ("uma", "los"), ("uma", "nlos"), ("rma", "los"),
    ("rma", "nlos"), ("inh", "los"), ("inh", "nlos"),
  ])
  func drawnParametersFollowTheTable(_ scenario: String, _ state: String) throws {
    let carrier = 6.0
    let model = try makeTR38901(
      scenario, state,
      grid: .init(toneCount: 2, spacingHz: 1e6, carrierHz: carrier * 1e9))
    let table = model.scenario.table(hasLineOfSight: state == "los", release19: false)
    let n = 6000
    let block = DropBlock(0..<n, domain: .test, seed: 11)
    // Standardised: what was drawn must be N(0, 1) with the table's correlations. Spreads at their caps count as infinite.
    var columns: [[Double]] = Array(repeating: [], count: 7)
    for drop in 0..<n {
      let link = model.link(block, drop)
      let large = link.largeScale
      func standard(_ law: TR38901Table.FrequencyLaw, _ value: Double) -> Double {
        (log10(value) - law.mean(carrier)) / law.deviation(carrier)
      }
      let isFar =
        link.geometry.distance2D > model.scenario.breakPoint(link.geometry, carrierGHz: carrier)
      let shadow = isFar ? table.shadowBeyondDB ?? table.shadowDB : table.shadowDB
      columns[0].append(large.shadowDB / shadow)
      columns[1].append(
        large.kDB.map { ($0 - table.kDB!.mean) / table.kDB!.deviation } ?? .nan)
      columns[2].append(standard(table.lgDS, large.delaySpread))
      columns[3].append(large.asd < 104 ? standard(table.lgASD, large.asd) : .infinity)
      columns[4].append(large.asa < 104 ? standard(table.lgASA, large.asa) : .infinity)
      columns[5].append(
        large.zsd < 52
          ? log10(large.zsd / large.medianZSD) / table.lgZSD.law.deviation(carrier) : .infinity)
      columns[6].append(large.zsa < 52 ? standard(table.lgZSA, large.zsa) : .infinity)
    }
    let drawn = (0..<7).filter { $0 != 1 || table.kDB != nil }
    for i in drawn {
      if columns[i].allSatisfy(\.isFinite) {
        let mean = RunningMean(columns[i])
        #expect(abs(mean.mean) < 4 / Double(n).squareRoot(), "mean of \(i)")
        #expect(abs(try #require(mean.variance) - 1) < 4 * (2 / Double(n)).squareRoot())
      }
      // Caps lie above the medians and leave these alone: P(x < 0), P(x < -1), and the share of equal signs of two normal
      // values with correlation r, 1/2 + asin(r) / π.
      #expect(agrees(columns[i].map { $0 < 0 }, 0.5), "median of \(i)")
      #expect(agrees(columns[i].map { $0 < -1 }, 0.158655), "lower quantile of \(i)")
      for j in drawn where j < i {
        let expected = 0.5 + asin(table.correlations[i - 1][j]) / .pi
        let equal = zip(columns[i], columns[j]).map { ($0 < 0) == ($1 < 0) }
        #expect(agrees(equal, expected), "correlation of \(i) and \(j)")
      }
    }
  }

  /// Whether the share of true values is within 4.5 standard errors of a probability.
  private func agrees(_ values: [Bool], _ probability: Double) -> Bool {
    let n = Double(values.count)
    let share = Double(values.count { $0 }) / n
    return abs(share - probability) < 4.5 * (probability * (1 - probability) / n).squareRoot()
  }

  /// Spreads computed back from the rays, energy of delay row 0 and of the first 32 rows, beside another implementation.
  @Test(arguments: references)
  fileprivate func agreesWithAnotherImplementation(_ reference: Reference) throws {
    let model = try makeTR38901(
      reference.scenario, reference.state, ["radius": .number(reference.radius)],
      grid: reference.grid)
    let n = reference.ours
    let block = DropBlock(0..<n, domain: .test, seed: 3)
    let links = DropBlock(0..<8000, domain: .test, seed: 4)
    let spreads = (0..<8000).map { RealisedSpreads(model.link(links, $0), model) }
    let lgDS = RunningMean(spreads.map { log10($0.delay) })
    let lgASD = RunningMean(spreads.map { log10($0.angles[0]) })
    #expect(abs(lgDS.mean - reference.lgDS) < 0.03)
    #expect(abs(lgASD.mean - reference.lgASD) < 0.03)
    var (row0, cap32) = (RunningMean(), RunningMean())
    let transform = delayTransform(reference.grid.toneCount)
    for part in block.parts(of: 100) {
      let response = model.frequencyResponse(part, slots: [0])[0]
      for drop in 0..<part.drops.count {
        let rows = delayRows(response.slice(drop..<drop + 1), transform)
        row0.add(rows[0])
        cap32.add(rows.reduce(0, +))
      }
    }
    // The reference has an error of its own: that of a mean over its drops.
    func limit(_ mean: RunningMean) throws -> Double {
      let variance = try #require(mean.variance)
      return 0.01 + 2 * (variance * (1 / Double(n) + 1 / Double(reference.drops))).squareRoot()
    }
    #expect(abs(row0.mean - reference.row0) < (try limit(row0)))
    #expect(abs(cap32.mean - reference.cap32) < (try limit(cap32)))
  }

  /// The first 32 rows of the inverse-sign DFT, [row, tone].
  private func delayTransform(_ tones: Int) -> ComplexArray {
    var transform = ComplexArray(uninitialized: [32, tones])
    for row in 0..<32 {
      for tone in 0..<tones {
        let unit = Complex<Double>(turns: Double(row * tone % tones) / Double(tones))
        transform[row, tone] = ComplexFloat(Float(unit.real), Float(unit.imaginary))
      }
    }
    return transform
  }

  /// Share of a drop's energy in each of the first 32 delay rows.
  private func delayRows(_ response: ComplexArray, _ transform: ComplexArray) -> [Double] {
    let tones = transform[dimension: 1]
    var rows = ComplexArray(uninitialized: [32, 32])
    transform.withUnsafeElements { transform in
      response.withUnsafeElements { response in
        rows.withUnsafeMutableElements { rows in
          MatrixProduct.multiply(
            m: 32, n: 32, k: tones, transform.baseAddress!, lda: tones, .none,
            response.baseAddress!, ldb: 32, into: rows.baseAddress!, ldc: 32)
        }
      }
    }
    let total = response.energy * Double(tones)
    return (0..<32).map { rows.slice($0..<$0 + 1).energy / total }
  }

  /// Medians of drawn and realised spreads beside a prototype of 1500 drops at one distance.
  @Test(
    arguments: [
      ("umi", "los", 60, 6, [46.0, 14.3, 47, 0.99, 4.6], [35, 11.2, 24, 0.87, 4.8]),
      ("umi", "nlos", 100, 6, [90, 21.6, 56, 0.78, 7.8], [86, 24.4, 64, 0.82, 10.4]),
      ("uma", "los", 150, 6, [89, 14.3, 64, 2.81, 9.0], [67, 12.8, 28, 2.65, 8.6]),
      ("uma", "nlos", 200, 6, [393, 25.9, 75, 3.09, 18.4], [377, 26.7, 82, 3.25, 19.4]),
      ("rma", "los", 500, 0.7, [34, 8.2, 34, 1.43, 2.9], [27, 7.2, 25, 1.33, 3.0]),
      ("rma", "nlos", 1000, 0.7, [37, 8.9, 33, 1.22, 3.7], [35, 9.2, 35, 1.27, 4.7]),
      ("inh", "los", 15, 6, [21, 40, 43, 10.8, 16.6], [18, 28, 28, 8.5, 13.6]),
      ("inh", "nlos", 25, 6, [39, 41, 60, 12.4, 18.6], [37, 42, 62, 13.2, 20.0]),
    ] as [(String, String, Double, Double, [Double], [Double])])
  func mediansOfSpreads(
    _ scenario: String, _ state: String, _ distance: Double, _ carrierGHz: Double,
    _ drawn: [Double], _ realised: [Double]
  ) throws {
    let model = try makeTR38901(
      scenario, state, ["radius": .number(distance), "min_distance": .number(distance)],
      grid: .init(toneCount: 2, spacingHz: 1e6, carrierHz: carrierGHz * 1e9))
    let block = DropBlock(0..<4000, domain: .test, seed: 5)
    let links = (0..<4000).map { model.link(block, $0) }
    let spreads = links.map { RealisedSpreads($0, model) }
    let large = links.map(\.largeScale)
    let ours = [
      median(large.map { $0.delaySpread * 1e9 }), median(large.map(\.asd)),
      median(large.map(\.asa)), median(large.map(\.zsd)), median(large.map(\.zsa)),
    ]
    // The prototype's medians are good to some 4 %, and are printed with two digits.
    for (a, b) in zip(ours, drawn) { #expect(abs(a / b - 1) < 0.12, "\(ours) \(drawn)") }
    let back =
      [median(spreads.map { $0.delay * 1e9 })]
      + (0..<4).map { kind in
        median(spreads.map { $0.angles[kind] })
      }
    // With a line of sight the prototype's delays are shorter than the standard's stretch makes them and are left out. Its UMi
    // LOS angles are narrower by 6 to 20 %, too; those of the other implementation above are not.
    let first = state == "los" ? 1 : 0
    for (a, b) in zip(back.dropFirst(first), realised.dropFirst(first)) {
      let limit = scenario == "umi" && state == "los" ? 0.25 : 0.15
      #expect(abs(a / b - 1) < limit, "\(back) \(realised)")
    }
  }

  @Test func meanPowerIsOne() throws {
    for (state, keys) in [
      ("los", [:]), ("nlos", ["polarisation": .text("dual")]),
      ("nlos", ["spherical_waves": .flag(true)]),
    ] as [(String, [String: Setting])] {
      let model = try makeTR38901(
        "umi", state, ["ports": .integer(4), "normalise": .text("none")].merging(keys) { $1 })
      var power = RunningMean()
      let response = model.frequencyResponse(DropBlock(0..<3000, seed: 2), slots: [0])[0]
      for drop in 0..<3000 { power.add(response.slice(drop..<drop + 1).energy / 128) }
      let table = model.scenario.table(hasLineOfSight: state == "los", release19: false)
      // E 10^(-X/10) of the XPR; clusters below -25 dB are left out.
      let spread = table.xprDB.deviation * log(10) / 10
      let cross = pow(10, -table.xprDB.mean / 10) * exp(spread * spread / 2)
      let expected = keys["polarisation"] == nil ? 1 : 0.5 * (1 + cross)
      #expect(abs(power.mean - expected) < 4 * (try #require(power.standardError)) + 0.004)
    }
  }

  @Test func lineOfSightInMixedDrops() throws {
    let surplus = try lineOfSightSurplus([:], 4000)
    #expect(abs(surplus.mean) < 4 * (try #require(surplus.standardError)))
    // The drops of a cell share their states over 50 m, so only whole cells are independent.
    var cells = RunningMean()
    for seed in 0..<40 {
      let cell: [String: Setting] = [
        "environment": .text("cell"), "environment_seed": .integer(seed),
      ]
      cells.add(try lineOfSightSurplus(cell, 200).mean)
    }
    let error = try #require(cells.standardError)
    #expect(error < 0.05)
    #expect(abs(cells.mean) < 4 * error)
  }

  /// Drops with a line of sight over those expected, by drop.
  private func lineOfSightSurplus(_ settings: [String: Setting], _ n: Int) throws -> RunningMean {
    let model = try makeTR38901("umi", "mixed", settings)
    let block = DropBlock(0..<n, domain: .test, seed: 6)
    return RunningMean(
      (0..<n).map { drop in
        let link = model.link(block, drop)
        let p = model.scenario.lineOfSightProbability(
          link.geometry.distance2D, ueHeight: 1.5, isOpenOffice: false)
        return (link.hasLineOfSight ? 1 : 0) - p
      })
  }

  @Test func pathLossAndShadowing() throws {
    let model = try makeTR38901(
      "umi", "los",
      ["path_loss": .flag(true), "normalise": .text("none"), "ports": .integer(2)])
    let plain = try makeTR38901("umi", "los", ["normalise": .text("none"), "ports": .integer(2)])
    let block = DropBlock(0..<20, seed: 8)
    let (a, b) = (
      model.frequencyResponse(block, slots: [0])[0], plain.frequencyResponse(block, slots: [0])[0]
    )
    for drop in 0..<20 {
      let link = model.link(block, drop)
      let loss = model.scenario.pathLoss(
        link.geometry, carrierGHz: 2.655, hasLineOfSight: true)
      let gain = decibels(a.slice(drop..<drop + 1).energy / b.slice(drop..<drop + 1).energy)
      #expect(abs(gain - (link.largeScale.shadowDB - loss)) < 1e-4)
    }
  }

  /// `Σ_n P_n <exp(j 2π τ (r_rx·v)/λ)>` over all couplings of arrival rays, drop by drop.
  @Test func temporalAutocorrelationFollowsTheArrivalAngles() throws {
    let (travel, lag, speed) = (40.0, 2, 15.0)
    let model = try makeTR38901(
      "umi", "nlos",
      ["ports": .integer(1), "travel_azimuth": .number(travel), "normalise": .text("none")],
      speed: speed)
    let turnsPerUnit = speed * 2.655e9 / 299_792_458 * 1e-3 * Double(lag)
    let block = DropBlock(0..<3000, domain: .test, seed: 9)
    let table = TR38901Table.umiNLOS
    var (re, im) = (RunningMean(), RunningMean())
    for drop in 0..<3000 {
      let clusters = model.link(block, drop).clusters
      var expected = Complex<Double>(0)
      for n in clusters.powers.indices where clusters.isKept[n] {
        for a in CDLTable.rayOffsets {
          for z in CDLTable.rayOffsets {
            let phi = clusters.aoa[n] + (table.clusterSpreads.asa * a - travel) * .pi / 180
            let theta = clusters.zoa[n] + table.clusterSpreads.zsa * z * .pi / 180
            let unit = Complex<Double>(turns: turnsPerUnit * abs(sin(theta)) * cos(phi))
            let weight = clusters.powers[n] / 400
            expected += Complex(unit.real * weight, unit.imaginary * weight)
          }
        }
      }
      let taps = model.paths(block, drop, slots: [0, lag])[0].amplitudes
      var sum = Complex<Double>(0)
      for row in 0..<taps[0][dimension: 0] {
        sum += taps[1][row, 0].inDouble * taps[0][row, 0].inDouble.conjugate
      }
      re.add(sum.real - expected.real)
      im.add(sum.imaginary - expected.imaginary)
    }
    #expect(abs(re.mean) < 4 * (try #require(re.standardError)))
    #expect(abs(im.mean) < 4 * (try #require(im.standardError)))
  }

  /// Where the direct ray dominates, the channel turns with the distance to the BS: `-2π Δd / λ`.
  @Test(arguments: ["independent", "cell"])
  func theDirectRayHasItsDopplerShift(_ environment: String) throws {
    let speed = 3.0
    let model = try makeTR38901(
      "umi", "los",
      ["environment": .text(environment), "travel_azimuth": .number(0), "ports": .integer(1)],
      speed: speed)
    let block = DropBlock(0..<600, domain: .test, seed: 9)
    var count = 0
    for drop in 0..<600 {
      let link = model.link(block, drop)
      guard link.largeScale.kDB! > 18 else { continue }
      let one = DropBlock(drop..<drop + 1, domain: .test, seed: 9)
      let h = model.frequencyResponse(one, slots: [0, 10])
      let turned = (h[1][0, 0, 0].inDouble / h[0][0, 0, 0].inDouble).phase
      let cosine = link.geometry.x / link.geometry.distance3D
      let expected = -2 * .pi * speed * 0.01 * cosine * model.carrierHz / speedOfLight
      #expect(abs((turned - expected).remainder(dividingBy: 2 * .pi)) < 0.5)
      count += 1
    }
    #expect(count > 4)
  }

  @Test func carriersOutsideTheModelAreWarnedAbout() throws {
    func warnings(_ scenario: String, _ carrierHz: Double) throws -> [SettingsError] {
      TR38901Channel.warnings(
        try TR38901Channel.schema.settings(["scenario": .text(scenario)]),
        in: LinkContext(grid: .init(toneCount: 4, spacingHz: 1e6, carrierHz: carrierHz)))
    }
    #expect(try warnings("uma", 300e6).first?.hint?.contains("6 GHz") == true)
    #expect(try warnings("rma", 35e9).count == 1)
    for (scenario, carrier) in [("uma", 2e9), ("umi", 100e9), ("rma", 0.5e9)] {
      #expect(try warnings(scenario, carrier).isEmpty)
    }
    // Below the floor the tables are those of the floor.
    let low = try makeTR38901(
      "uma", "nlos", grid: .init(toneCount: 2, spacingHz: 1e6, carrierHz: 3e8))
    let floor = try makeTR38901(
      "uma", "nlos", grid: .init(toneCount: 2, spacingHz: 1e6, carrierHz: 6e9))
    let block = DropBlock(0..<1, seed: 1)
    #expect(low.link(block, 0).largeScale == floor.link(block, 0).largeScale)
  }
}
