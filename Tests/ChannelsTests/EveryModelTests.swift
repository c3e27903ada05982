import Channels
import ComplexModule
import Foundation
import LinkMath
import Parts
import Testing

/// A statistical model with settings that exercise all its random draws.
struct ModelCase: Sendable, CustomTestStringConvertible {
  let type: any (ChannelModel & Part).Type
  let settings: [String: Setting]
  var speed = 10.0

  var testDescription: String {
    "\(type.schema.name) \(settings.keys.sorted().map { "\($0)=\(settings[$0]!.canonical)" })"
  }

  func make(_ more: [String: Setting] = [:], grid: LinkContext.Grid = smallGrid) throws
    -> any ChannelModel
  {
    let context = LinkContext(grid: grid, speed: speed)
    let given = settings.merging(more) { $1 }
    return try type.init(type.schema.settings(given), in: context, fitted: nil)
  }
}

let smallGrid = LinkContext.Grid(toneCount: 50, spacingHz: 60e3, carrierHz: 3.5e9)

private let cases: [ModelCase] = [
  ModelCase(type: RayleighChannel.self, settings: ["ports": .integer(6)]),
  ModelCase(type: RayleighChannel.self, settings: ["ports": .integer(6)], speed: 0),
  ModelCase(
    type: RayleighChannel.self,
    settings: [
      "ports": .integer(6), "fading": .text("ar1"), "profile": .text("exponential"),
      "tau_rms": .number(2.5), "correlation": .text("exponential"),
      "correlation_coefficient": .number(0.7),
    ]),
  ModelCase(
    type: TDLChannel.self,
    settings: [
      "ports": .integer(6), "profile": .text("D"), "delay_spread": .number(1e-7),
      "correlation": .text("one_ring"), "angle_spread": .number(8), "mean_angle": .number(20),
    ]),
  ModelCase(type: TDLChannel.self, settings: ["ports": .integer(6), "profile": .text("A30")]),
  ModelCase(
    type: CDLChannel.self,
    settings: [
      "ports": .integer(6), "profile": .text("C"), "delay_spread": .number(1e-7),
      "aod_rotation": .number(60),
    ]),
  ModelCase(
    type: CDLChannel.self,
    settings: [
      "array": .text("upa"), "rows": .integer(2), "columns": .integer(3),
      "polarisation": .text("dual"), "element": .text("3gpp"), "profile": .text("E"),
      "delay_spread": .number(1e-7),
    ]),
  ModelCase(
    type: COST2100Channel.self,
    settings: ["environment": .text("indoor"), "ports": .integer(6)]),
  ModelCase(
    type: COST2100Channel.self,
    settings: ["environment": .text("outdoor"), "ports": .integer(6)]),
  ModelCase(
    type: TR38901Channel.self,
    settings: [
      "ports": .integer(6), "scenario": .text("umi"), "delay_reference": .text("absolute"),
    ]
  ),
  ModelCase(
    type: TR38901Channel.self,
    settings: [
      "array": .text("upa"), "rows": .integer(2), "columns": .integer(3),
      "polarisation": .text("dual"), "element": .text("3gpp"), "scenario": .text("inh"),
      "office": .text("open"), "spherical_waves": .flag(true),
    ]),
  ModelCase(
    type: TR38901Channel.self,
    settings: [
      "ports": .integer(6), "polarisation": .text("dual"), "scenario": .text("uma"),
      "environment": .text("cell"), "table": .text("rel19"),
    ]),
  ModelCase(
    type: TR38901Channel.self,
    settings: [
      "ports": .integer(6), "scenario": .text("umi"), "delay_reference": .text("strongest"),
    ]),
  ModelCase(
    type: TR38901Channel.self,
    settings: [
      "ports": .integer(6), "scenario": .text("umi"), "environment": .text("cell"),
      "delay_reference": .text("strongest"),
    ]),
  ModelCase(
    type: TDLChannel.self,
    settings: [
      "ports": .integer(3), "profile": .text("A"), "delay_spread": .number(1e-7),
      "delay_reference": .text("strongest"),
    ]),
  ModelCase(
    type: TR38901Channel.self,
    settings: [
      "ports": .integer(6), "scenario": .text("rma"), "environment": .text("cell"),
      "sector": .number(120),
    ], speed: 0),
]

@Suite struct EveryModelTests {
  @Test(arguments: cases)
  func blocksMayBeSplitAnywhere(_ one: ModelCase) throws {
    let model = try one.make()
    let slots = [0, 3, 4]
    let whole = try model.frequencyResponse(DropBlock(0..<8, seed: 5), slots: slots)
    let head = try model.frequencyResponse(DropBlock(0..<3, seed: 5), slots: slots)
    let tail = try model.frequencyResponse(DropBlock(3..<8, seed: 5), slots: slots)
    for slot in slots.indices {
      #expect(whole[slot].shape == [8, 50, model.portCount])
      #expect(whole[slot].slice(0..<3) == head[slot])
      #expect(whole[slot].slice(3..<8) == tail[slot])
    }
  }

  @Test(arguments: cases)
  func aSlotDoesNotDependOnTheOthersAskedFor(_ one: ModelCase) throws {
    let model = try one.make()
    let block = DropBlock(2..<5, seed: 5)
    let all = try model.frequencyResponse(block, slots: Array(0...6))
    for slot in [0, 1, 6] {
      #expect(try model.frequencyResponse(block, slots: [slot])[0] == all[slot])
    }
    #expect((all[0] == all[6]) == (one.speed == 0))
  }

  @Test(arguments: cases)
  func dropsDomainsAndSeedsDiffer(_ one: ModelCase) throws {
    let model = try one.make()
    let a = try model.frequencyResponse(DropBlock(0..<2, domain: .run, seed: 5), slots: [0])[0]
    #expect(a.slice(0..<1) != a.slice(1..<2))
    for other in [
      DropBlock(0..<2, domain: .fit, seed: 5), DropBlock(0..<2, domain: .run, seed: 6),
    ] {
      let b = try model.frequencyResponse(other, slots: [0])[0]
      #expect(a.slice(0..<1) != b.slice(0..<1))
    }
  }

  @Test(arguments: cases)
  func normaliseSampleGivesUnitMeanPower(_ one: ModelCase) throws {
    let raw = try one.make(["normalise": .text("none")])
      .frequencyResponse(DropBlock(0..<4, seed: 5), slots: [1])[0]
    let scaled = try one.make(["normalise": .text("sample")])
      .frequencyResponse(DropBlock(0..<4, seed: 5), slots: [1])[0]
    for drop in 0..<4 {
      let (before, after) = (raw.slice(drop..<drop + 1), scaled.slice(drop..<drop + 1))
      let entries = Double(before.count)
      #expect(abs(after.energy / entries - 1) < 1e-5)
      let gain = Float((entries / before.energy).squareRoot())
      var expected = before
      expected.scale(by: gain)
      let difference = zip(expected.elements, after.elements).map { ($0 - $1).length }.max()!
      #expect(difference < 1e-5)
    }
  }

  @Test func registryNamesAreUnique() {
    let names = ChannelRegistry.models.map { $0.schema.name }
    #expect(Set(names).count == names.count)
    #expect(ChannelRegistry.models.allSatisfy { $0.schema.section == .channel })
    for model in ChannelRegistry.models {
      let keys = model.schema.parameters.map(\.key)
      #expect(Set(keys).count == keys.count, "\(model.schema.name) declares a key twice")
    }
  }
}
