import Codecs
import LinkMath
import Parts
import Testing

@Suite struct LloydMaxQuantizerTests {
  private func fit(_ bits: Int, _ codewords: RealArray) throws -> (LloydMaxQuantizer, [Float]) {
    let made = try make(
      LloydMaxQuantizer.self, ["bits": .integer(bits)],
      in: context(taps: 1, angles: 1, codewordLength: codewords[dimension: 1]),
      fittedOn: [.codeword(codewords)])
    return (made.part, made.artefact!["levels"]!.elements)
  }

  /// Lloyd-Max levels: least error of 2^B levels on a unit Gaussian (J. Max 1960, table I), within 1 % on a fresh sample.
  @Test(arguments: [
    (1, 0.36338023), (2, 0.11748185), (3, 0.03454776), (4, 0.00950101), (5, 0.00250467),
    (6, 0.00064424),
  ])
  func reachesTheOptimumOfAGaussian(bits: Int, expected: Double) throws {
    let (quantizer, _) = try fit(bits, gaussianCodewords(drops: 200_000, length: 2))
    let fresh = gaussianCodewords(drops: 500_000, length: 2, instance: 1)
    let mse = meanSquaredError(fresh, roundTrip(quantizer, fresh).values)
    #expect(abs(mse / expected - 1) < 0.01, "\(mse)")
  }

  /// The default fit of 4000 drops: fine quantisers of a Gaussian stay within 1 dB of `√3 π / 2 · 4^-B` (Panter and
  /// Dite).
  @Test(arguments: [7, 8])
  func fineQuantisersReachTheirLimit(bits: Int) throws {
    let (quantizer, _) = try fit(bits, gaussianCodewords(drops: 4000, length: 4))
    let fresh = gaussianCodewords(drops: 500_000, length: 4, instance: 1)
    let found = decibels(meanSquaredError(fresh, roundTrip(quantizer, fresh).values))
    let limit = decibels(3.0.squareRoot() * .pi / 2 * Double.pow(4, -Double(bits)))
    #expect(found < limit + 1 && found > limit - 0.1, "\(found), \(limit)")
  }

  /// On the fitted sample each value takes its nearest level and each level is the mean of its values.
  @Test(arguments: 1...4)
  func meetsBothConditions(bits: Int) throws {
    let codewords = gaussianCodewords(drops: 3000, length: 1)
    let (quantizer, levels) = try fit(bits, codewords)
    let back = roundTrip(quantizer, codewords)
    #expect(back.outside == 0)
    #expect(levels == levels.sorted())
    var cells: [Float: RunningMean] = [:]
    for (value, level) in zip(codewords.elements, back.values.elements) {
      let nearest = levels.map { abs($0 - value) }.min()!
      #expect(abs(level - value) <= nearest + 1e-6)
      cells[level, default: RunningMean()].add(Double(value))
    }
    #expect(cells.count == levels.count)
    for (level, cell) in cells { #expect(abs(Double(level) - cell.mean) < 1e-5) }
  }

  /// Lloyd's sweeps end in a local optimum; the global one, by dynamic programming, is not much lower.
  @Test(arguments: 0..<6)
  func isCloseToTheBestPartition(seed: Int) throws {
    var random = stream(seed, instance: 3)
    // Two lumps and a tail: not the shape that the start assumes. So many samples that none are extrapolated.
    let sample = (0..<1100).map { i in
      let normal = random.normal(count: 1)[0]
      return i % 3 == 0 ? 4 + 0.3 * normal : normal * normal
    }
    let codewords = RealArray(sample, shape: [1100, 1])
    let (quantizer, _) = try fit(3, codewords)
    let error = meanSquaredError(codewords, roundTrip(quantizer, codewords).values)
    let best = leastError(sample.sorted().map(Double.init), cells: 8)
    #expect(error > best * 0.9999)
    #expect(error < best * 1.25, "\(error) \(best)")
  }

  private func leastError(_ samples: [Double], cells: Int) -> Double {
    let n = samples.count
    var best = [Double](repeating: .infinity, count: n + 1)
    best[0] = 0
    for _ in 0..<cells {
      var next = [Double](repeating: .infinity, count: n + 1)
      for end in 1...n {
        var moments = RunningMean()
        for start in stride(from: end - 1, through: 0, by: -1) {
          moments.add(samples[start])
          let spread = (moments.variance ?? 0) * Double(end - start - 1)
          next[end] = min(next[end], best[start] + spread)
        }
      }
      best = zip(best, next).map(min)
    }
    return best[n] / Double(n)
  }

  @Test func constantAndDiscreteComponents() throws {
    let codewords = RealArray(
      (0..<40).flatMap { [Float(0.7), Float($0 % 3)] }, shape: [40, 2])
    let (quantizer, _) = try fit(2, codewords)
    #expect(roundTrip(quantizer, codewords).values == codewords)
  }

  @Test func bitsDecodeToLevels() throws {
    let (quantizer, levels) = try fit(3, gaussianCodewords(drops: 100, length: 5))
    var random = stream(1)
    for _ in 0..<20 {
      var bits = BitString()
      var expected: [Float] = []
      for component in 0..<5 {
        let index = random.uniform(below: 8)
        bits.append(UInt32(index), width: 3)
        expected.append(levels[component * 8 + index])
      }
      var reader = BitReader(bits)
      var values = [Float](repeating: 0, count: 5)
      values.withUnsafeMutableBufferPointer { quantizer.dequantize(&reader, into: $0) }
      #expect(values == expected)
      var back = BitString()
      _ = values.withUnsafeBufferPointer { quantizer.quantize($0, into: &back) }
      #expect(back == bits)
    }
  }

  @Test func refuses() throws {
    let context = context(taps: 1, angles: 1, codewordLength: 1)
    #expect(throws: SettingsError.self) {
      try make(LloydMaxQuantizer.self, ["fit.drops": .integer(15)], in: context)
    }
    #expect(throws: FittingError.self) {
      try fit(4, gaussianCodewords(drops: 15, length: 1))
    }
    #expect(throws: FittingError.self) {
      try LloydMaxQuantizer(
        LloydMaxQuantizer.schema.settings(["bits": .integer(1)]), in: context,
        fitted: Artefact(["levels": RealArray([2, 1], shape: [1, 2])]))
    }
  }
}
