import Codecs
import ComplexModule
import Foundation
import LinkMath
import Parts
import Testing

/// The Type I single-panel codebook.
@Suite struct CodebookTests {
  private func codebook(
    ports: Int, bands: Int, _ given: [String: Setting] = [:],
    form: LinkContext.CSIForm = .subbandDirections
  ) throws -> TypeISinglePanel {
    var context = context(taps: bands, angles: ports)
    context.csiForm = form
    return try TypeISinglePanel(
      TypeISinglePanel.schema.settings(given), in: context, fitted: nil)
  }

  /// 6 + 0 + 26, 5 + 3 + 26 and 4 + 4 + 26 bits of 32 ports with 13 subbands; 8, 10 and 10 with one co-phase.
  @Test(arguments: [(16, 1, 13, 32), (8, 2, 13, 34), (4, 4, 13, 34), (16, 1, 1, 8), (8, 2, 1, 10)])
  func payloadsAreThoseOfTheStandard(n1: Int, n2: Int, bands: Int, bits: Int) throws {
    let codebook = try codebook(
      ports: 32, bands: bands, ["n1": .integer(n1), "n2": .integer(n2)])
    #expect(codebook.size == .bits(bits))
    var ue = codebook.makeUE(drops: 2)
    let reports = try ue.report(
      Measurement(csi: gaussianCSI(drops: 2, taps: bands, angles: 32), gains: [1, 1]), slot: 0,
      acknowledged: [])
    #expect(reports.allSatisfy { $0.bits.count == bits })
    #expect(reports[0].fields.last?.bits.upperBound == bits)
  }

  /// CSI that no beam fits is reported too, with as many bits.
  @Test(arguments: [Float.nan, .infinity]) func anyNumberIsReported(value: Float) throws {
    let codebook = try codebook(ports: 8, bands: 3)
    var ue = codebook.makeUE(drops: 1)
    let csi = ComplexArray(repeating: ComplexFloat(value, value), shape: [1, 3, 8])
    let reports = try ue.report(Measurement(csi: csi, gains: [1]), slot: 0, acknowledged: [])
    #expect(codebook.size == .bits(reports[0].bits.count))
  }

  /// Every beam with every co-phase, written down from the standard and tried on every drop: none collects more power.
  @Test(arguments: [(4, 1), (2, 2)]) func theSearchFindsTheBest(n1: Int, n2: Int) throws {
    let (ports, bands, drops) = (2 * n1 * n2, 3, 25)
    let codebook = try codebook(
      ports: ports, bands: bands, ["n1": .integer(n1), "n2": .integer(n2)])
    let csi = gaussianCSI(drops: drops, taps: bands, angles: ports)
    var ue = codebook.makeUE(drops: drops)
    var bs = codebook.makeBS(drops: drops)
    let reports = try ue.report(
      Measurement(csi: csi, gains: Array(repeating: 1, count: drops)), slot: 0, acknowledged: [])
    let told = try bs.receive(reports.map { .bits($0.bits) }, slot: 0)
    #expect(told.gains == nil)
    let o2 = n2 > 1 ? 4 : 1
    for drop in 0..<drops {
      func power(_ band: Int, _ weights: [Complex<Double>]) -> Double {
        (0..<ports).reduce(Complex<Double>.zero) {
          $0 + csi[drop, band, $1].inDouble * weights[$1]
        }.lengthSquared
      }
      var best = 0.0
      for l in 0..<4 * n1 {
        for m in 0..<o2 * n2 {
          let beam = (0..<n1 * n2).map { e in
            Complex<Double>(
              length: 1,
              phase: 2 * .pi
                * (Double(l * (e / n2)) / Double(4 * n1) + Double(m * (e % n2)) / Double(o2 * n2)))
          }
          best = max(
            best,
            (0..<bands).reduce(0) { sum, band in
              sum
                + (0..<4).map { n in
                  let phase = Complex<Double>(length: 1, phase: .pi / 2 * Double(n))
                  return power(band, beam + beam.map { phase * $0 }) / Double(ports)
                }.max()!
            })
        }
      }
      let found = (0..<bands).reduce(0.0) { sum, band in
        sum + power(band, (0..<ports).map { told.csi[drop, band, $0].inDouble.conjugate })
      }
      #expect(abs(found / best - 1) < 1e-5, "drop \(drop): \(found) \(best)")
    }
  }

  @Test func lostReportsTellNothingAndAnyBitsDecode() throws {
    let codebook = try codebook(ports: 12, bands: 2)
    var bs = codebook.makeBS(drops: 2)
    var bits = BitString()
    bits.append(UInt32(1 << 9 - 1), width: 9)
    let told = try bs.receive([.lost, .bits(bits)], slot: 0)
    #expect(told.csi.slice(0..<1).energy == 0)
    #expect(abs(told.csi.slice(1..<2).energy - 2) < 1e-5)
  }

  @Test func whatDoesNotFitIsRefused() {
    #expect(throws: SettingsError.self) {
      try codebook(ports: 32, bands: 13, form: .angularDelay)
    }
    #expect(throws: SettingsError.self) {
      try codebook(ports: 32, bands: 13, ["n1": .integer(8)])
    }
  }
}

extension Complex<Float> {
  fileprivate var inDouble: Complex<Double> { Complex<Double>(Double(real), Double(imaginary)) }
}
