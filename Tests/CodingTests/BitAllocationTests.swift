import Coding
import LinkMath
import Parts
import Testing

@Suite struct BitAllocationTests {
  private func table() throws -> (CodebookTable, samples: [[Double]]) {
    let values = try golden("alloc.samples")
    let samples = (0..<6).map { output in (0..<400).map { values[$0 * 6 + output] } }
    return (CodebookTable(samples.map { SortedPoints($0) }), samples)
  }

  /// Losses and codebooks of exact k-means as an independent program found them.
  @Test func lossesAndCodebooksMatchTheVectors() throws {
    let (table, _) = try table()
    let losses = try golden("alloc.loss_table")
    for output in 0..<6 {
      for bits in 0...6 {
        let expected = losses[7 * output + bits]
        #expect(abs(table.loss(output, bits: bits) - expected) < 1e-9 * max(1, expected))
      }
      for bits in 0...3 {
        let expected = try golden("alloc.codebook_m\(output)_b\(bits)")
        let found = table.levels(output, bits: bits)
        #expect(found.count == expected.count)
        #expect(zip(found, expected).allSatisfy { abs($0 - $1) < 1e-9 })
      }
    }
  }

  @Test(arguments: [2, 3])
  func swapsMatchTheVectors(mean: Int) throws {
    let (table, _) = try table()
    let bits = BitAllocation.swapped(from: [Int](repeating: mean, count: 6), limit: 6) {
      table.loss($0, bits: $1)
    }
    #expect(bits.map(Double.init) == (try golden("alloc.swap_bits_avg\(mean)")))
    // Descending variances: growing in that order gives the same.
    let grown = BitAllocation.grown(total: 6 * mean, outputCount: 6, limit: 6) {
      table.loss($0, bits: $1)
    }
    #expect(grown.map(Double.init) == (try golden("alloc.greedy_bits_avg\(mean)")))
  }

  /// For convex losses the swaps end at the optimum, which trying all allocations finds.
  @Test(arguments: 0..<5)
  func swapsEndAtTheOptimum(seed: Int) {
    var random = stream(seed, instance: 20)
    let scales = (0..<4).map { _ in random.uniform() * 10 }
    let rates = (0..<4).map { _ in 1 + 3 * random.uniform() }
    func loss(_ output: Int, _ bits: Int) -> Double {
      (0..<bits).reduce(scales[output]) { loss, _ in loss / rates[output] }
    }
    let bits = BitAllocation.swapped(from: [2, 2, 2, 2], limit: 5, loss: loss)
    #expect(bits.reduce(0, +) == 8)
    var best = Double.infinity
    for code in 0..<6 * 6 * 6 {
      let first = [code % 6, code / 6 % 6, code / 36]
      let last = 8 - first.reduce(0, +)
      guard (0...5).contains(last) else { continue }
      best = min(best, (first + [last]).enumerated().reduce(0) { $0 + loss($1.offset, $1.element) })
    }
    let found = bits.enumerated().reduce(0) { $0 + loss($1.offset, $1.element) }
    #expect(abs(found - best) < 1e-12)
  }

  /// Growth never gives an output more than the one before it, up to the limit everywhere.
  @Test func growthDescends() {
    for total in 0...20 {
      let bits = BitAllocation.grown(total: total, outputCount: 5, limit: 4) { output, bits in
        (0..<bits).reduce(output == 3 ? 100 : 1) { loss, _ in loss / 4 }
      }
      #expect(bits.reduce(0, +) == total)
      #expect(zip(bits, bits.dropFirst()).allSatisfy { $0 >= $1 })
    }
  }

  @Test func threadsDoNotMatter() {
    let values = gaussian(500, 7)
    let (one, two) = (
      CodebookTable(values), CodebookTable(values, pool: WorkerPool(threadCount: 2))
    )
    two.prepare(bits: 0...4, pool: WorkerPool(threadCount: 2))
    for output in 0..<7 {
      for bits in 0...4 {
        #expect(one.levels(output, bits: bits) == two.levels(output, bits: bits))
        #expect(one.loss(output, bits: bits) == two.loss(output, bits: bits))
      }
    }
  }

  /// Nearest codewords as an independent program found them.
  @Test func nearestMatchesTheVectors() throws {
    let bits = try golden("adabeta.bits")
    let books = ScalarCodebooks(
      try bits.indices.map { try golden("adabeta.codebook\($0)").map { Float($0) } })
    #expect(books.bits == bits.map { Int($0) })
    let (z, index, value) = (
      try golden("adabeta.z"), try golden("adabeta.index"), try golden("adabeta.zq")
    )
    for i in z.indices {
      let found = books.nearest(Float(z[i]), output: i % 5)
      #expect(Double(found) == index[i])
      #expect(abs(Double(Array(books[i % 5])[found]) - value[i]) < 1e-6)
    }
  }

  /// Outputs of unequal variance: allocated bits beat equal ones at the same sum, and growth needs descending outputs only.
  @Test func allocationBeatsEqualBits() throws {
    let values = RealArray(
      gaussian(4000, 8).elements.enumerated().map { $1 * Float(8 >> ($0 % 8)) }, shape: [4000, 8])
    func error(_ rule: String) throws -> Double {
      let quantizer = try make(
        KMeansQuantizer.self, ["bits": .integer(2), "allocation": .text(rule)], in: context(8),
        fittedOn: [.codeword(values)])
      let widths = quantizer.alphabets!.map(\.trailingZeroBitCount)
      #expect(widths.reduce(0, +) == 16)
      return meanSquaredError(values, quantizer.roundTrip(values))
    }
    let (equal, swap, growth) = (try error("equal"), try error("swap"), try error("pca_growth"))
    #expect(swap < equal / 2)
    #expect(abs(growth / swap - 1) < 0.05)
  }
}
