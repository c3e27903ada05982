import Foundation
import Link
import LinkMath
import Parts
import TestSupport
import Testing

/// The scale of the CSI in front of the codec, and how the gain reaches the BS.
@Suite struct NormaliserTests {
  private func normaliser(
    _ name: String, _ given: [String: Setting] = [:], fitted: Artefact? = nil
  ) throws -> any Normaliser {
    let type = try #require(NormaliserRegistry.normalisers.first { $0.schema.name == name })
    return try type.init(
      type.schema.settings(given), in: linkContext(tones: 8, ports: 4), fitted: fitted)
  }

  /// Drops of very different power; the last one is silent.
  private func csi() -> ComplexArray {
    var csi = complexNormal([6, 8, 4], seed: 3)
    csi.withUnsafeMutableElements { csi in
      for i in csi.indices {
        let factor: [Float] = [1, 1e-3, 1e3, 7, 1e-12, 0]
        csi[i] = ComplexFloat(csi[i].real * factor[i / 32], csi[i].imaginary * factor[i / 32])
      }
    }
    return csi
  }

  @Test(arguments: ["sample_max_modulus", "sample_unit_power"])
  func everyDropIsBroughtToItsScale(name: String) throws {
    let (normaliser, csi) = (try normaliser(name), csi())
    let gains = normaliser.gains(csi)
    let scaled = normaliser.scale(csi, by: gains.map { 1 / $0 })
    for drop in 0..<5 {
      let values = scaled.slice(drop..<drop + 1)
      let measure =
        name == "sample_max_modulus"
        ? Double(values.elements.map(\.lengthSquared).max()!) : values.energy / 32
      #expect(abs(measure - 1) < 1e-5, "drop \(drop)")
    }
    #expect(gains[5] == 1, "a silent drop keeps its zeros")
    #expect(relativeError(normaliser.scale(scaled, by: gains), csi) < 1e-12)
  }

  @Test func withoutRuleNothingChanges() throws {
    #expect(try normaliser("none").gains(csi()) == [1, 1, 1, 1, 1, 1])
  }

  @Test func oneGainIsLearnedForAllDrops() throws {
    let context = linkContext(tones: 8, ports: 4)
    let fitting = try #require(
      try DatasetNormaliser.fitting(DatasetNormaliser.schema.settings(), in: context))
    var fitter = fitting.makeFitter()
    let csi = complexNormal([40, 8, 4], seed: 4)
    fitter.add(.csi(csi.slice(0..<10)))
    fitter.add(.csi(csi.slice(10..<40)))
    let artefact = try fitter.finish()
    #expect(artefact.arrays.mapValues(\.shape) == fitting.shapes)
    let gains = try normaliser("dataset", fitted: artefact).gains(csi)
    let expected = (csi.energy / Double(csi.count)).squareRoot()
    #expect(gains.allSatisfy { abs(Double($0) / expected - 1) < 1e-6 })
    var silent = fitting.makeFitter()
    silent.add(.csi(ComplexArray(repeating: .zero, shape: [2, 8, 4])))
    #expect(throws: SettingsError.self) { try silent.finish() }
  }

  /// Log-uniform cells: inside the range the error is at most half a cell, outside the nearest cell is sent.
  @Test(arguments: [1, 4, 8, 16])
  func quantizedGainsAreHalfACellAway(bits: Int) throws {
    let delivery = try normaliser(
      "sample_unit_power",
      [
        "gain": .text("quantized"), "gain_bits": .integer(bits),
        "gain_range_db": .list([.number(-20), .number(30)]),
      ]
    ).delivery
    #expect(delivery.payloadBitCount == bits)
    let quantizer = try #require(delivery.quantizer)
    let cells = Double(1 << bits)
    for level in stride(from: -19.99, to: 30, by: 0.37) {
      let index = quantizer.index(of: Float(pow(10, level / 20)))
      #expect(Double(index) < cells)
      let back = 20 * log10(Double(quantizer.gain(index: index)))
      #expect(abs(back - level) <= 25 / cells + 1e-4, "\(bits) bits, \(level) dB: \(back)")
    }
    for (gain, index) in [(Float(1e-9), 0), (Float(1e9), Int(cells) - 1)] {
      #expect(quantizer.index(of: gain) == index)
    }
    for index in Set([0, 1, (1 << bits) / 2, (1 << bits) - 1]) {
      #expect(quantizer.index(of: quantizer.gain(index: UInt32(index))) == index)
    }
  }

  @Test func aDescendingRangeIsRefused() {
    let error = #expect(throws: SettingsError.self) {
      try normaliser(
        "sample_unit_power", ["gain_range_db": .list([.number(3), .number(3)])])
    }
    #expect(error?.key == "gain_range_db")
  }
}
