import Channels
import Foundation
import LinkMath
import Parts
import TestSupport
import Testing

/// Drops that share one environment.
@Suite struct TR38901EnvironmentTests {
  /// `exp(-d / 10 m)`, averaged over fields and places.
  @Test func fieldsHaveExponentialAutocorrelation() {
    let stream = StreamKey(seed: 4, domain: .run, purpose: .environment).stream(drop: 0)
    let fields = RandomFields(count: 400, distance: 10, stream)
    var place = testStream()
    for distance in [1.0, 3, 10, 20, 40] {
      var (product, square, fourth) = (RunningMean(), RunningMean(), RunningMean())
      for _ in 0..<60 {
        let (x, y) = (place.uniform(in: -500..<500), place.uniform(in: -500..<500))
        let turn = 2 * Double.pi * place.uniform()
        let a = fields.values(x: x, y: y)
        let b = fields.values(x: x + distance * cos(turn), y: y + distance * sin(turn))
        for (a, b) in zip(a, b) {
          product.add(a * b)
          square.add(a * a)
          fourth.add(a * a * a * a)
        }
      }
      // 24 000 products, of which those of one place are independent: a standard error of 0.007.
      #expect(abs(product.mean - exp(-distance / 10)) < 0.04, "\(distance)")
      #expect(abs(square.mean - 1) < 0.04)
      // Nearly Gaussian: 3 (1 - 1/(2N)).
      #expect(abs(fourth.mean - 3) < 0.25)
    }
  }

  /// Correlation of lgDS and K between two places over many environments, and the table's mean and deviation in each place.
  @Test func largeScaleParametersDecorrelateOverTheirDistances() throws {
    let table = TR38901Table.umiLOS
    var delay: [Double: RunningMean] = [:]
    var rice: [Double: RunningMean] = [:]
    var lgDS = RunningMean()
    for seed in 0..<500 {
      let model = try makeTR38901(
        "umi", "los", ["environment": .text("cell"), "environment_seed": .integer(seed)])
      func standard(_ x: Double) throws -> (ds: Double, k: Double) {
        let large = try #require(model.link(x: x, y: 20, hasLineOfSight: true)).largeScale
        return (
          (log10(large.delaySpread) - table.lgDS.mean(2.655)) / table.lgDS.deviation(2.655),
          (large.kDB! - 9) / 5
        )
      }
      let here = try standard(30)
      lgDS.add(here.ds)
      for distance in [2.0, 7, 15, 40] {
        let there = try standard(30 + distance)
        delay[distance, default: RunningMean()].add(here.ds * there.ds)
        rice[distance, default: RunningMean()].add(here.k * there.k)
      }
    }
    #expect(abs(lgDS.mean) < 4 / 500.0.squareRoot())
    // DS mixes the fields of SF, K and its own by the Cholesky factor; K those of SF (10 m) and its own (15 m).
    for (distance, mean) in rice {
      let expected = 0.25 * exp(-distance / 10) + 0.75 * exp(-distance / 15)
      #expect(
        abs(mean.mean - expected) < 4 * (try #require(mean.standardError)),
        "K \(distance): \(mean.mean), expected \(expected)")
    }
    for (distance, mean) in delay {
      // R = L Lᵀ: l(DS, SF) = -0.4, l(DS, K) = (-0.7 + 0.2)/sqrt(0.75).
      let (a, b) = (0.16, 0.25 / 0.75)
      let expected =
        a * exp(-distance / 10) + b * exp(-distance / 15) + (1 - a - b) * exp(-distance / 7)
      #expect(
        abs(mean.mean - expected) < 4 * (try #require(mean.standardError)),
        "DS \(distance): \(mean.mean), expected \(expected)")
    }
  }

  /// Steps of a fiftieth of a wavelength change the channel little, half the step half as much, everywhere along 5 m and in
  /// particular across lattice corners, changes of sign and of the strongest clusters.
  @Test(arguments: [("umi", "los"), ("umi", "nlos"), ("inh", "nlos")])
  func theChannelIsContinuousAlongATrack(_ scenario: String, _ state: String) throws {
    let wavelength = 299_792_458 / 2.655e9
    let step = wavelength / 50
    let model = try makeTR38901(
      scenario, state,
      ["environment": .text("cell"), "ports": .integer(8), "normalise": .text("none")],
      speed: 1, slotSeconds: step / 2)
    var largest = 0.0
    var (half, whole) = (0.0, 0.0)
    for drop in 0..<1 {
      let h = model.frequencyResponse(
        DropBlock(drop..<drop + 1, seed: 12), slots: Array(0..<4000))
      for slot in stride(from: 0, to: 3998, by: 2) {
        let next = relativeError(h[slot + 2], h[slot])
        largest = max(largest, next)
        whole += next
        half += relativeError(h[slot + 1], h[slot])
      }
    }
    // A ray turns by at most 2π/50 a step; in a fade others do so around little.
    #expect(largest < 0.2)
    #expect(whole / 2000 < pow(2 * .pi / 50, 2) * 1.5)
    #expect(abs(half / whole - 0.25) < 0.02)
  }

  /// A track passes through the channels of the places that other drops have.
  @Test func everyDropAndDataSetSeesTheSameEnvironment() throws {
    let spot: [String: Setting] = [
      "environment": .text("cell"), "area_centres": .list([.list([.number(40), .number(-25)])]),
      "area_radius": .number(0), "polarisation": .text("dual"), "environment_seed": .integer(5),
    ]
    let model = try makeTR38901("umi", "mixed", spot, seed: 1)
    let other = try makeTR38901("umi", "mixed", spot, seed: 2)
    let first = model.frequencyResponse(DropBlock(0..<2, domain: .train, seed: 1), slots: [0])[0]
    let second = other.frequencyResponse(DropBlock(7..<9, domain: .run, seed: 9), slots: [0])[0]
    #expect(first == second)
    #expect(first.slice(0..<1) == first.slice(1..<2))
    let elsewhere = try makeTR38901(
      "umi", "mixed", spot.merging(["environment_seed": .integer(6)]) { $1 })
    #expect(elsewhere.frequencyResponse(DropBlock(0..<2, seed: 1), slots: [0])[0] != first)
    // Ten metres in ten slots, along x.
    let moving = try makeTR38901(
      "umi", "los", spot.merging(["travel_azimuth": .number(0)]) { $1 }, speed: 1000)
    let target = try makeTR38901(
      "umi", "los",
      spot.merging(["area_centres": .list([.list([.number(50), .number(-25)])])]) { $1 })
    let reached = moving.frequencyResponse(DropBlock(0..<1, seed: 1), slots: [10])[0]
    let there = target.frequencyResponse(DropBlock(0..<1, seed: 1), slots: [0])[0]
    #expect(relativeError(reached, there) < 1e-6)
  }

  /// Places are uniform over the ring, the sector and the areas.
  @Test func placesOfDrops() throws {
    let block = DropBlock(0..<4000, domain: .test, seed: 3)
    let ring = try makeTR38901("umi", "los", ["sector": .number(120)])
    let places = (0..<4000).map { ring.drop(block, $0).start }
    let squares = places.map { ($0.x * $0.x + $0.y * $0.y - 100) / 9900 }.sorted()
    let angles = places.map { ($0.azimuth * 180 / .pi + 60) / 120 }.sorted()
    for sorted in [squares, angles] {
      let distance = sorted.enumerated().map { abs((Double($0) + 0.5) / 4000 - $1) }.max()!
      #expect(distance < 1.63 / 4000.0.squareRoot())  // Kolmogorov, 1 %
    }
    let areas = try makeTR38901(
      "umi", "los",
      [
        "area_centres": .list([
          .list([.number(50), .number(0)]), .list([.number(0), .number(-70)]),
        ]), "area_radius": .number(10),
      ])
    let near = (0..<4000).map { areas.drop(block, $0).start }
    let inFirst = near.filter { hypot($0.x - 50, $0.y) <= 10 }
    #expect(near.allSatisfy { hypot($0.x - 50, $0.y) <= 10 || hypot($0.x, $0.y + 70) <= 10 })
    #expect(abs(Double(inFirst.count) - 2000) < 4 * 1000.0.squareRoot())
  }

  /// Spreads of the drops of a cell are those of independent drops, but for the fields' own fluctuation over a cell.
  @Test func aCellHasTheSpreadsOfTheTable() throws {
    let model = try makeTR38901(
      "umi", "los", ["environment": .text("cell"), "radius": .number(1000)])
    let block = DropBlock(0..<6000, domain: .test, seed: 3)
    let links = (0..<6000).map { model.link(block, $0) }
    let spreads = links.map { RealisedSpreads($0, model) }
    #expect(abs(RunningMean(links.map { log10($0.largeScale.delaySpread) }).mean + 7.275) < 0.03)
    #expect(abs(RunningMean(links.map { $0.largeScale.kDB! }).mean - 9) < 0.4)
    #expect(abs(RunningMean(spreads.map { log10($0.delay) }).mean + 7.278) < 0.05)
    #expect(abs(RunningMean(spreads.map { log10($0.angles[0]) }).mean - 1.087) < 0.05)
  }
}
