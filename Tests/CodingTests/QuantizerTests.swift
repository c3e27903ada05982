import Coding
import Foundation
import LinkMath
import Parts
import Testing

@Suite struct QuantizerTests {
  private let exact = 1e-6  // values are single precision

  @Test(arguments: [1, 2, 3, 4, 8])
  func uniformMatchesItsVectors(bits: Int) throws {
    let x = try golden("uniform.x")
    for (name, place) in [("mid", "centre"), ("low", "lower_edge")] {
      let quantizer = try make(
        UniformQuantizer.self,
        [
          "bits": .integer(bits), "range": .list([.number(0), .number(1)]),
          "reconstruction": .text(place),
        ], in: context(x.count))
      let found = quantizer.roundTrip(x)
      #expect(found.symbols.map(Double.init) == (try golden("uniform.index_b\(bits)")))
      #expect(found.values == (try golden("uniform.\(name)_b\(bits)")))
    }
  }

  /// Uniform source on the range: 6.0206 B dB, within 0.05 dB.
  @Test(arguments: [2, 4, 6])
  func uniformSourceGainsSixDecibelsABit(bits: Int) throws {
    var random = stream(3)
    let values = RealArray((0..<200_000).map { _ in Float(random.uniform()) }, shape: [50_000, 4])
    let quantizer = try make(
      UniformQuantizer.self,
      ["bits": .integer(bits), "range": .list([.number(0), .number(1)])], in: context(4))
    let ratio = decibels(1.0 / 12 / meanSquaredError(values, quantizer.roundTrip(values)))
    #expect(abs(ratio - 6.0206 * Double(bits)) < 0.05)
  }

  @Test(arguments: [50, 200], [2, 4, 6])
  func muLawMatchesItsVectors(mu: Int, bits: Int) throws {
    let x = try golden("mulaw.x")
    let law = MuLaw(mu: Double(mu), bits: bits)
    let (index, value) = (
      try golden("mulaw.mu\(mu)_b\(bits)_index"), try golden("mulaw.mu\(mu)_b\(bits)_value")
    )
    #expect(x.map { Double(law.index($0)) } == index)
    #expect(zip(x, value).allSatisfy { abs(law.value(law.index($0)) - $1) < 1e-9 })
    let quantizer = try make(
      MuLawQuantizer.self,
      [
        "bits": .integer(bits), "mu": .number(Double(mu)),
        "range": .list([.number(-1), .number(1)]),
      ], in: context(x.count))
    let found = quantizer.roundTrip(x)
    #expect(found.symbols.map(Double.init) == index)
    #expect(zip(found.values, value).allSatisfy { abs($0 - $1) < exact })
  }

  @Test(arguments: [3, 5])
  func signAndMagnitudeMatchTheirVectors(bits: Int) throws {
    let x = try golden("mulaw.x")
    let law = MuLaw(mu: 50, bits: bits, levels: .signMagnitude)
    #expect(law.width == bits + 1)
    let (index, value) = (
      try golden("mulaw_signmag.mu50_n\(bits)_index"),
      try golden("mulaw_signmag.mu50_n\(bits)_value")
    )
    #expect(x.map { Double(law.index($0) & (1 << UInt32(bits) - 1)) } == index)
    #expect(x.allSatisfy { (law.index($0) >> UInt32(bits) == 1) == ($0 < 0) })
    #expect(zip(x, value).allSatisfy { abs(law.value(law.index($0)) - $1) < 1e-9 })
  }

  /// The fitted range is that of the codewords: nothing is clipped, and the extremes come back within a cell.
  @Test func muLawFitsItsRange() throws {
    let codewords = gaussian(500, 3)
    let quantizer = try make(
      MuLawQuantizer.self, ["bits": .integer(8), "mu": .number(5)], in: context(3),
      fittedOn: [.codeword(codewords)])
    #expect(meanSquaredError(codewords, quantizer.roundTrip(codewords)) < 1e-3)
  }

  @Test func roundMatchesItsVectors() throws {
    let x = try golden("uniform.x")
    let rounding = SigmoidRounding(bits: 4)
    #expect(x.map { Double(rounding.index($0)) } == (try golden("round.b4_index")))
    let slopes = try golden("round.b4_surrogate_a2")
    #expect(zip(x, slopes).allSatisfy { abs(rounding.slope($0) - $1) < 1e-9 * max(1, $1) })
    // Through the sigmoid and back: the same cell, and its centre.
    let inner = x.filter { $0 > 0.01 && $0 < 0.99 && abs(($0 * 16).rounded() - $0 * 16) > 1e-3 }
    let quantizer = try make(RoundQuantizer.self, ["bits": .integer(4)], in: context(inner.count))
    let found = quantizer.roundTrip(inner.map { log($0 / (1 - $0)) })
    for (i, a) in inner.enumerated() {
      let cell = (a * 16).rounded(.down)
      #expect(Double(found.symbols[i]) == cell)
      #expect(abs(SigmoidRounding.sigmoid(found.values[i]) - (cell + 0.5) / 16) < exact)
    }
  }

  /// The surrogate's area is one, so that gradients keep their scale.
  @Test func surrogateHasAreaOne() {
    let rounding = SigmoidRounding(bits: 3)
    let steps = 20_000
    let sum = (0..<steps).reduce(0.0) { sum, i in
      sum + rounding.slope((1 + (Double(i) + 0.5) / Double(steps) * 6) / 8)
    }
    #expect(abs(sum / Double(steps) - 1) < 1e-5)
  }

  /// Least errors of 2^B levels on a unit Gaussian (J. Max 1960, table I), within 1 % on a fresh sample.
  @Test(arguments: [
    (1, 0.36338023), (2, 0.11748185), (3, 0.03454776), (4, 0.00950101), (5, 0.00250467),
  ])
  func exactKMeansReachesTheOptimumOfAGaussian(bits: Int, expected: Double) throws {
    let fresh = gaussian(100_000, 2, instance: 1)
    let quantizers: [any Quantizer] = [
      try make(
        KMeansQuantizer.self, ["bits": .integer(bits), "allocation": .text("equal")],
        in: context(2), fittedOn: [.codeword(gaussian(200_000, 2))]),
      try make(
        LloydMaxQuantizer.self, ["bits": .integer(bits), "fit.rule": .text("exact")],
        in: context(2), fittedOn: [.codeword(gaussian(200_000, 2))]),
      try make(
        LloydMaxQuantizer.self, ["bits": .integer(bits), "codebook": .text("shared")],
        in: context(2), fittedOn: [.codeword(gaussian(200_000, 2))]),
    ]
    for quantizer in quantizers {
      let mse = meanSquaredError(fresh, quantizer.roundTrip(fresh))
      #expect(abs(mse / expected - 1) < 0.01, "\(mse)")
    }
  }

  /// A codebook of its own for each output follows its scale; a shared one is the best for all of them together.
  @Test func sharedCodebooksAreShared() throws {
    let scaled = RealArray(
      gaussian(4000, 2).elements.enumerated().map { $0 % 2 == 0 ? $1 : 10 * $1 }, shape: [4000, 2])
    func levels(_ codebook: String) throws -> Set<Float> {
      let quantizer = try make(
        LloydMaxQuantizer.self, ["bits": .integer(2), "codebook": .text(codebook)], in: context(2),
        fittedOn: [.codeword(scaled)])
      return Set(quantizer.roundTrip(scaled).elements)
    }
    #expect(try levels("shared").count == 4)
    #expect(try levels("each").count == 8)
  }

  /// Any prefix decodes: what is sent as it would be without a cut, the rest as its mean, and the error falls with every real.
  @Test func codewordsMayBeCut() throws {
    let scales: [Float] = [1, 8, 0.5, 4]
    let codewords = RealArray(
      gaussian(2000, 4).elements.enumerated().map { 3 + scales[$0 % 4] * $1 }, shape: [2000, 4])
    func cut(_ sent: Int) throws -> (PrefixQuantizer, RealArray) {
      let quantizer = try make(
        PrefixQuantizer.self, ["bits": .integer(3), "sent": .integer(sent)], in: context(4),
        fittedOn: [.codeword(codewords)])
      return (quantizer, quantizer.roundTrip(codewords))
    }
    let (full, whole) = try cut(4)
    #expect(full.alphabets == [8, 8, 8, 8])
    var last = Double.infinity
    for (sent, expected) in [(0, []), (1, [1]), (2, [1, 3]), (3, [0, 1, 3]), (4, [0, 1, 2, 3])] {
      let (quantizer, back) = try cut(sent)
      #expect(quantizer.alphabets!.count == sent)
      for i in 0..<4 where expected.contains(i) {
        #expect((0..<2000).allSatisfy { back.elements[4 * $0 + i] == whole.elements[4 * $0 + i] })
      }
      for i in 0..<4 where !expected.contains(i) {
        let mean = (0..<2000).reduce(0.0) { $0 + Double(codewords.elements[4 * $1 + i]) } / 2000
        #expect((0..<2000).allSatisfy { abs(Double(back.elements[4 * $0 + i]) - mean) < 1e-4 })
      }
      let error = meanSquaredError(codewords, back)
      #expect(error < last)
      last = error
    }
    #expect(throws: SettingsError.self) { try cut(5) }
  }

  /// One-dimensional vectors are scalars: near the optimum of Lloyd and Max. Vectors of two and four are at least as good, and keep
  /// within the rate-distortion bound 2^-2B.
  @Test(arguments: [1, 2, 4])
  func vectorsAreNoWorseThanScalars(length: Int) throws {
    let quantizer = try make(
      VectorQuantizer.self, ["bits": .integer(2), "length": .integer(length)], in: context(8),
      fittedOn: [.codeword(gaussian(8000, 8))])
    #expect(quantizer.alphabets == [Int](repeating: 1 << (2 * length), count: 8 / length))
    let fresh = gaussian(8000, 8, instance: 1)
    let mse = meanSquaredError(fresh, quantizer.roundTrip(fresh))
    #expect(mse < 0.11748 * 1.03 && mse > 0.0625, "\(mse)")
  }

  /// A vector takes the nearest one, by every distance.
  @Test func vectorsTakeTheNearest() {
    let book = VectorCodebook(gaussian(37, 3).elements, length: 3)
    for sample in 0..<200 {
      let x = gaussian(1, 3, instance: 10 + sample).elements
      let distances = (0..<37).map { k in
        zip(x, book[k]).reduce(0.0) { $0 + pow(Double($1.0) - Double($1.1), 2) }
      }
      let found = x.withUnsafeBufferPointer { book.nearest($0) }
      #expect(distances[found] <= distances.min()! + 1e-6)
    }
  }

  @Test func refuses() throws {
    #expect(throws: SettingsError.self) {
      try make(VectorQuantizer.self, ["length": .integer(3)], in: context(8))
    }
    #expect(throws: SettingsError.self) {
      try make(VectorQuantizer.self, ["bits": .integer(4), "length": .integer(4)], in: context(8))
    }
    #expect(throws: SettingsError.self) {
      try make(
        KMeansQuantizer.self, ["bits": .integer(5), "max_bits": .integer(4)], in: context(8))
    }
    #expect(throws: SettingsError.self) {
      try make(KMeansQuantizer.self, ["fit.drops": .integer(15)], in: context(8))
    }
    #expect(throws: FittingError.self) {
      try make(KMeansQuantizer.self, in: context(2), fittedOn: [.codeword(gaussian(10, 2))])
    }
  }
}
