import Codecs
import Foundation
import LinkMath
import Parts
import Testing

@Suite struct UniformQuantizerTests {
  private func unitRange(_ bits: Int, length: Int) throws -> UniformQuantizer {
    try make(
      UniformQuantizer.self,
      ["bits": .integer(bits), "range": .list([.number(0), .number(1)])],
      in: context(taps: 1, angles: 1, codewordLength: length)
    ).part
  }

  private func uniformCodewords(drops: Int, length: Int) -> RealArray {
    var random = stream(0, instance: 5)
    return RealArray(
      (0..<drops * length).map { _ in Float(random.uniform()) }, shape: [drops, length])
  }

  /// Uniform source: a source uniform on the range has the ratio `20 B log10 2` of variance to error, 6.0206 dB each bit.
  @Test(arguments: [(1, 6.020599913), (2, 12.0411998266), (4, 24.0823996531), (8, 48.1647993062)])
  func sixDecibelsForEachBit(bits: Int, expected: Double) throws {
    let source = uniformCodewords(drops: 400, length: 500)
    let back = roundTrip(try unitRange(bits, length: 500), source)
    let ratio = decibels((1.0 / 12) / meanSquaredError(source, back.values))
    #expect(abs(ratio - expected) < 0.05, "\(ratio)")
    #expect(back.outside == 0)
    #expect(back.payloads.allSatisfy { $0.count == 500 * bits })
  }

  /// Optimal uniform range: least error of a uniform quantiser on a unit Gaussian (J. Max 1960, table II), within 1 %.
  ///
  /// The range is fitted on one sample and the error measured on another one.
  @Test(arguments: [
    (1, 0.36338023), (2, 0.11884605), (3, 0.03743966), (4, 0.01154288), (5, 0.00349521),
    (6, 0.00104005),
  ])
  func reachesTheOptimalRange(bits: Int, expected: Double) throws {
    let made = try make(
      UniformQuantizer.self, ["bits": .integer(bits)],
      in: context(taps: 1, angles: 1, codewordLength: 2),
      fittedOn: [.codeword(gaussianCodewords(drops: 300_000, length: 2))])
    let quantizer = made.part
    // Values beyond the range are rare and weigh much: fewer drops leave an error of more than the tolerance.
    let fresh = gaussianCodewords(drops: 4_000_000, length: 2, instance: 1)
    let mse = meanSquaredError(fresh, roundTrip(quantizer, fresh).values)
    #expect(abs(mse / expected - 1) < 0.01, "\(mse)")
  }

  /// The default fit of 4000 drops puts no floor under fine quantisers of a Gaussian: the loss over the best range of the
  /// closed form `Δ²/12 + 2 ∫ (x - c + Δ/2)² φ(x) dx` over x > c stays small, and 4 bits give more than 20 dB.
  @Test(arguments: [(8, 1.4), (10, 2.0), (12, 2.8), (16, 3.8)])
  func fineQuantisersHaveNoFloor(bits: Int, loss: Double) throws {
    let quantizer = try make(
      UniformQuantizer.self, ["bits": .integer(bits)],
      in: context(taps: 1, angles: 1, codewordLength: 4),
      fittedOn: [.codeword(gaussianCodewords(drops: 4000, length: 4))]
    ).part
    let fresh = gaussianCodewords(drops: 1_000_000, length: 4, instance: 1)
    let found = decibels(meanSquaredError(fresh, roundTrip(quantizer, fresh).values))
    let best = stride(from: 2.0, to: 9, by: 0.01).map { limit -> Double in
      let step = 2 * limit / Double(1 << bits)
      let edge = limit - step / 2
      let density = exp(-limit * limit / 2) / (2 * Double.pi).squareRoot()
      let tail = erfc(limit / 2.0.squareRoot()) / 2
      let beyond = (1 + edge * edge) * tail + (limit - 2 * edge) * density
      return step * step / 12 + 2 * beyond
    }.min()!
    #expect(found < decibels(best) + loss, "\(found), \(decibels(best))")
    #expect(found > decibels(best) - 0.05, "\(found), \(decibels(best))")
  }

  /// A source with a longer tail than the samples show, Laplace: the share outside shrinks with the bits.
  @Test func rangesGrowWithTheBits() throws {
    var random = stream(11)
    let laplace = RealArray(
      (0..<4000).map { _ in
        Float((random.uniform() < 0.5 ? -1 : 1) * -log(1 - random.uniform()))
      }, shape: [4000, 1])
    var outside: [Double] = []
    for bits in [4, 8, 12, 16] {
      let artefact = try make(
        UniformQuantizer.self, ["bits": .integer(bits)],
        in: context(taps: 1, angles: 1, codewordLength: 1), fittedOn: [.codeword(laplace)]
      ).artefact
      let range = try #require(artefact?["range"])
      outside.append((exp(Double(range[0, 0])) + exp(-Double(range[0, 1]))) / 2)
    }
    for (coarse, fine) in zip(outside, outside.dropFirst()) { #expect(fine < coarse / 8) }
    #expect(outside[3] < 1e-6, "\(outside)")
  }

  /// Within the range the error is at most Δ/2 and averages Δ²/12; outside it the outer centre is nearest.
  @Test func reconstructsCellCentres() throws {
    let (quantizer, _) = try make(
      UniformQuantizer.self,
      ["bits": .integer(3), "range": .list([.number(-2), .integer(2)])],
      in: context(taps: 1, angles: 1, codewordLength: 9))
    let values = RealArray([-2, -1.51, -1.5, 0, 0.49, 1.99, 2, 2.01, -77], shape: [1, 9])
    let back = roundTrip(quantizer, values)
    #expect(
      back.values.elements == [-1.75, -1.75, -1.25, 0.25, 0.25, 1.75, 1.75, 1.75, -1.75])
    #expect(back.outside == 2)
    var reader = BitReader(back.payloads[0])
    #expect((0..<9).map { _ in reader.read(3) } == [0, 0, 1, 4, 4, 7, 7, 7, 0])
  }

  @Test func outlandishValuesTakeAnOuterCell() throws {
    let quantizer = try unitRange(4, length: 5)
    let values = RealArray(
      [.nan, .infinity, -.infinity, .greatestFiniteMagnitude, 1e-38], shape: [1, 5])
    let back = roundTrip(quantizer, values)
    #expect(back.outside == 4)
    #expect(back.values.elements.allSatisfy { $0 > 0 && $0 < 1 })
  }

  /// Bit flips on indices: flips of rate p on natural binary indices add `Δ² p (4^B - 1) / 3`, here `p (1 - 4^-B) /
  /// 3`; 1 %.
  @Test(arguments: [(4, 0.01, 0.0033203125), (8, 0.001, 0.00033332825)])
  func bitErrorsAddTheirShare(bits: Int, p: Double, expected: Double) throws {
    let (drops, length) = (p < 0.005 ? 20_000 : 4000, 500)
    let source = uniformCodewords(drops: drops, length: length)
    let quantizer = try unitRange(bits, length: length)
    let clean = roundTrip(quantizer, source)
    let harmed = roundTrip(quantizer, source) { drop, payload in
      var random = stream(drop, instance: 9)
      for bit in 0..<payload.count where random.uniform() < p { payload.flip(bit) }
    }
    let extra = meanSquaredError(clean.values, harmed.values)
    #expect(abs(extra / expected - 1) < 0.01, "\(extra)")
    // The two errors are uncorrelated, so the total is the sum.
    let total = meanSquaredError(source, harmed.values)
    #expect(abs(total / (expected + pow(4, -Double(bits)) / 12) - 1) < 0.01, "\(total)")
  }

  @Test func extremesOfTheFit() throws {
    let codewords = gaussianCodewords(drops: 500, length: 3)
    let (quantizer, artefact) = try make(
      UniformQuantizer.self, ["range": .text("minmax")],
      in: context(taps: 1, angles: 1, codewordLength: 3),
      fittedOn: [.codeword(codewords.slice(0..<123)), .codeword(codewords.slice(123..<500))])
    for component in 0..<3 {
      let values = (0..<500).map { codewords[$0, component] }
      #expect(artefact!["range"]![component, 0] == values.min())
      #expect(artefact!["range"]![component, 1] == values.max())
    }
    #expect(roundTrip(quantizer, codewords).outside == 0)
  }

  /// No range of a grid has a much smaller error on the very sample, for a skewed source; 2 % for the chance positions
  /// of 20 000 samples in their cells, which the fit does not follow.
  @Test(arguments: [1, 2, 4, 6])
  func noGridPointIsBetter(bits: Int) throws {
    var random = stream(3)
    let sample = (0..<20_000).map { _ in Float(-log(1 - random.uniform())) }
    let codewords = RealArray(sample, shape: [20_000, 1])
    let context = context(taps: 1, angles: 1, codewordLength: 1)
    let fitted = try make(
      UniformQuantizer.self, ["bits": .integer(bits)], in: context,
      fittedOn: [.codeword(codewords)]
    ).part
    let least = meanSquaredError(codewords, roundTrip(fitted, codewords).values)
    for low in stride(from: -2.0, through: 0.5, by: 0.25) {
      for high in stride(from: 1.0, through: 8, by: 0.25) {
        let range = Setting.list([.number(low), .number(high)])
        let other = try make(
          UniformQuantizer.self, ["bits": .integer(bits), "range": range], in: context
        ).part
        let error = meanSquaredError(codewords, roundTrip(other, codewords).values)
        #expect(error > least * 0.98, "[\(low), \(high)]")
      }
    }
  }

  /// Extremes serve every number of bits; the optimal range depends on it; a given one needs no drops.
  @Test func fitsAreSharedWhereTheyCanBe() throws {
    let context = context(taps: 1, angles: 1, codewordLength: 3)
    func signature(_ range: Setting, _ bits: Int) throws -> String? {
      try UniformQuantizer.fitting(
        UniformQuantizer.schema.settings(["range": range, "bits": .integer(bits)]), in: context)?
        .signature
    }
    #expect(try signature(.text("minmax"), 2) == signature(.text("minmax"), 5))
    #expect(try signature(.text("optimal"), 2) != signature(.text("optimal"), 5))
    #expect(try signature(.text("optimal"), 2) != signature(.text("minmax"), 2))
    #expect(try signature(.list([.number(0), .number(1)]), 2) == nil)
  }

  @Test(arguments: ["optimal", "minmax"])
  func constantComponentsStay(range: String) throws {
    let codewords = RealArray(repeating: -0.375, shape: [10, 2])
    let (quantizer, _) = try make(
      UniformQuantizer.self, ["range": .text(range)],
      in: context(taps: 1, angles: 1, codewordLength: 2), fittedOn: [.codeword(codewords)])
    let back = roundTrip(quantizer, codewords)
    #expect(back.values == codewords)
    #expect(back.outside == 0)
  }

  @Test func refuses() throws {
    let context = context(taps: 1, angles: 1, codewordLength: 2)
    for range in [Setting.list([.number(1), .number(1)]), .list([.number(1), .number(-1)])] {
      #expect(throws: SettingsError.self) {
        try make(UniformQuantizer.self, ["range": range], in: context)
      }
    }
    #expect(throws: SettingsError.self) {
      try make(UniformQuantizer.self, ["range": .list([.number(1)])], in: context)
    }
    #expect(throws: SettingsError.self) {
      try make(UniformQuantizer.self, ["bits": .integer(17)], in: context)
    }
    for broken in [
      RealArray([1, 2], shape: [1, 2]), RealArray([1, 2, .nan, 3, 4, 5], shape: [3, 2]),
    ] {
      #expect(throws: FittingError.self) {
        try make(UniformQuantizer.self, in: context, fittedOn: [.codeword(broken)])
      }
    }
    #expect(throws: FittingError.self) {
      try UniformQuantizer(
        UniformQuantizer.schema.settings(), in: context,
        fitted: Artefact(["range": RealArray(repeating: 0, shape: [3, 2])]))
    }
  }
}
