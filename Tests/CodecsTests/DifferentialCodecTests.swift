import Codecs
import ComplexModule
import LinkMath
import Parts
import Testing

/// Reports with memory on both sides and payloads of two lengths.
@Suite struct DifferentialCodecTests {
  private let codec: DifferentialCodec

  init() throws {
    codec = try DifferentialCodec(
      DifferentialCodec.schema.settings([
        "bits": .integer(8), "difference_bits": .integer(3), "range": .number(4),
        "difference_range": .number(0.25), "refresh": .integer(5),
      ]), in: context(taps: 2, angles: 3), fitted: nil)
  }

  private func measurement(_ csi: ComplexArray) -> Measurement {
    Measurement(csi: csi, gains: Array(repeating: 1, count: csi[dimension: 0]))
  }

  /// A slowly turning channel.
  private func csi(_ slot: Int, drops: Int) -> ComplexArray {
    let turn = ComplexFloat(length: 1, phase: 0.03 * Float(slot))
    let still = gaussianCSI(drops: drops, taps: 2, angles: 3)
    return ComplexArray(still.elements.map { turn * $0 }, shape: still.shape)
  }

  /// Largest difference of two real or imaginary parts.
  private func gap(_ a: ComplexArray, _ b: ComplexArray, drop: Int) -> Float {
    zip(a.slice(drop..<drop + 1).elements, b.slice(drop..<drop + 1).elements).map {
      max(abs($0.real - $1.real), abs($0.imaginary - $1.imaginary))
    }.max()!
  }

  /// Numbers that are none, or beyond the range, are cells like others, counted as clipped.
  @Test(arguments: [Float.nan, .infinity, -.infinity, 3e38])
  func anyNumberIsReported(value: Float) throws {
    var (ue, bs) = (codec.makeUE(drops: 1), codec.makeBS(drops: 1))
    let csi = ComplexArray(repeating: ComplexFloat(value, 0), shape: [1, 2, 3])
    for slot in 0..<2 {
      let reports = try ue.report(measurement(csi), slot: slot, acknowledged: [slot > 0])
      #expect(reports[0].bits.count == (slot == 0 ? 96 : 36))
      #expect(reports[0].clippedCount >= 6)
      let told = try bs.receive(reports.map { .bits($0.bits) }, slot: slot)
      #expect(told.csi.elements.allSatisfy { $0.real.isFinite && $0.imaginary.isFinite })
    }
  }

  /// Without losses: a whole report in every fifth slot, the others short; errors are at most half a cell and do not add up.
  @Test func errorsDoNotAddUp() throws {
    #expect(codec.size == .atMostBits(96) && codec.listens)
    var (ue, bs) = (codec.makeUE(drops: 4), codec.makeBS(drops: 4))
    for slot in 0..<40 {
      let csi = csi(slot, drops: 4)
      let reports = try ue.report(
        measurement(csi), slot: slot, acknowledged: Array(repeating: slot > 0, count: 4))
      let isWhole = slot % 5 == 0
      #expect(reports.allSatisfy { $0.bits.count == (isWhole ? 96 : 36) }, "slot \(slot)")
      #expect(reports.allSatisfy { $0.clippedCount == 0 })
      let told = try bs.receive(reports.map { .bits($0.bits) }, slot: slot)
      let half: Float = isWhole ? 4.0 / 256 : 0.25 / 8
      for drop in 0..<4 {
        #expect(gap(told.csi, csi, drop: drop) <= half * 1.001, "slot \(slot)")
      }
    }
  }

  /// Reports are lost: nothing is told then, and what arrives next is right again, as the UE knows what the BS holds.
  @Test func lossesDoNotPartTheSides() throws {
    var (ue, bs) = (codec.makeUE(drops: 3), codec.makeBS(drops: 3))
    var acknowledged = [false, false, false]
    var short = 0
    for slot in 0..<60 {
      let csi = csi(slot, drops: 3)
      let reports = try ue.report(measurement(csi), slot: slot, acknowledged: acknowledged)
      // Drop 0 loses none, drop 1 every third, drop 2 the first ten.
      acknowledged = [true, slot % 3 != 1, slot >= 10]
      let told = try bs.receive(
        zip(reports, acknowledged).map { $1 ? .bits($0.bits) : .lost }, slot: slot)
      for drop in 0..<3 {
        guard acknowledged[drop] else {
          #expect(told.csi.slice(drop..<drop + 1).energy == 0)
          continue
        }
        let isWhole = reports[drop].bits.count == 96
        short += isWhole ? 0 : 1
        #expect(
          gap(told.csi, csi, drop: drop) <= (isWhole ? 4.0 / 256 : 0.25 / 8) * 1.001,
          "slot \(slot), drop \(drop)")
      }
      if slot <= 10 { #expect(reports[2].bits.count == 96, "nothing has arrived in slot \(slot)") }
    }
    #expect(short > 60)
  }

  @Test func shortReportsMustBeShorter() {
    #expect(throws: SettingsError.self) {
      try DifferentialCodec(
        DifferentialCodec.schema.settings(["bits": .integer(3), "difference_bits": .integer(3)]),
        in: context(taps: 2, angles: 3), fitted: nil)
    }
  }
}
