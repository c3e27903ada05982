import LinkMath
import Testing

/// Quantiles against the sorted values.
@Suite struct QuantileSketchTests {
  private func values(_ count: Int, seed: UInt64) -> [Double] {
    var stream = StreamKey(seed: seed, domain: .test, purpose: .channel).stream(drop: 0)
    return (0..<count).map { _ in stream.uniform() * stream.uniform() }
  }

  /// The smallest value with at least a share p at or below it.
  private func exact(_ values: [Double], _ p: Double) -> Double {
    let sorted = values.sorted()
    return sorted.first { limit in
      Double(values.reduce(0) { $0 + ($1 <= limit ? 1 : 0) }) >= p * Double(values.count)
    }!
  }

  @Test(arguments: [1, 2, 19, 20, 21, 100, 999], [0, 0.05, 0.5, 0.95, 1])
  func smallSamplesAreExact(count: Int, p: Double) {
    let values = values(count, seed: 1)
    #expect(QuantileSketch(values).quantile(p) == exact(values, p))
  }

  @Test func exactUpToTheLimit() {
    let values = values(QuantileSketch.exactCount, seed: 2)
    let sorted = values.sorted()
    #expect(QuantileSketch(values).quantile(0.05) == sorted[(values.count + 19) / 20 - 1])
    #expect(QuantileSketch([]).quantile(0.5) == nil)
  }

  /// The error in rank stays below log2(n / 4096) / 4096 of n, whatever the order of the values.
  @Test(arguments: [5000, 70_000, 300_000], ["drawn", "ascending", "descending", "alternating"])
  func largeSamplesAreCloseInRank(count: Int, order: String) throws {
    var values = values(count, seed: 3)
    let sorted = values.sorted()
    switch order {
    case "ascending": values = sorted
    case "descending": values = sorted.reversed()
    case "alternating":
      values = (0..<count).map { sorted[$0 % 2 == 0 ? $0 / 2 : count - 1 - $0 / 2] }
    default: break
    }
    let sketch = QuantileSketch(values)
    var levels = 1
    while 4096 << levels < count { levels += 1 }
    for p in [0.01, 0.05, 0.5, 0.99] {
      let found = try #require(sketch.quantile(p))
      let rank = Double(sorted.firstIndex { $0 >= found }!) / Double(count)
      #expect(abs(rank - p) <= Double(levels) / 4096 + 1 / Double(count), "p \(p)")
    }
  }
}
