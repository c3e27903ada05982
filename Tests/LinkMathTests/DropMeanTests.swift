import Foundation
import LinkMath
import Testing

/// Intervals of means over drops, against the definitions and against what they promise.
private func testStream(_ instance: Int) -> RandomStream {
  StreamKey(seed: 3, domain: .test, purpose: .selection, instance: instance).stream(drop: 0)
}

@Suite struct DropMeanTests {
  private static let skewed: [Double] = [0.2, 0.31, 0.27, 1.9, 0.4, 0.22, 0.35, 0.6]

  /// Hall's end from two passes and bisection of `g(T) = quantile`, T the studentised mean.
  private func end(_ values: [Double], _ quantile: Double) -> Double {
    let n = Double(values.count)
    let mean = values.reduce(0, +) / n
    let variance = values.reduce(0) { $0 + pow($1 - mean, 2) } / (n - 1)
    let second = values.reduce(0) { $0 + pow($1 - mean, 2) } / n
    let skewness = values.reduce(0) { $0 + pow($1 - mean, 3) } / n / pow(second, 1.5)
    let a = skewness / (3 * n.squareRoot())
    var (low, high) = (-1e4, 1e4)
    for _ in 0..<200 {
      let t = (low + high) / 2
      if t + a * t * t + a * a * t * t * t / 3 + a / 2 < quantile { low = t } else { high = t }
    }
    return mean - low * (variance / n).squareRoot()
  }

  /// Seven degrees of freedom, 2.364624; the upper end with one more drop at the level of five times as many, by the tail
  /// of the three largest over the fourth.
  @Test(arguments: [
    skewed, skewed.map { 3 - $0 }, [1, 2, 3, 4, 5, 6, 7, 8], [1, 1, 1, 1, 1, 1, 1, 90],
  ])
  func endsAreTheirDefinitions(values: [Double]) throws {
    let interval = try #require(DropMean(values).interval)
    let top = values.sorted(by: >)
    let inverse = (log(top[0] / top[3]) + log(top[1] / top[3]) + log(top[2] / top[3])) / 3
    let level = top[0] * pow(5, min(inverse / (1 - 1 / 3.0.squareRoot()), 1))
    let high = max(end(values, -2.364624), end(values + [level], -2.364624))
    #expect(abs(interval.lowerBound - end(values, 2.364624)) < 1e-5)
    #expect(abs(interval.upperBound - high) < 1e-5 * max(high, 1))
  }

  /// Scaled values have the scaled interval.
  @Test func intervalsFollowTheirValues() throws {
    let interval = try #require(DropMean(Self.skewed).interval)
    let scaled = try #require(DropMean(Self.skewed.map { 1e-6 * $0 }).interval)
    #expect(abs(scaled.lowerBound / interval.lowerBound - 1e-6) < 1e-15)
    #expect(abs(scaled.upperBound / interval.upperBound - 1e-6) < 1e-15)
  }

  @Test func fewAndEqualValues() throws {
    #expect(DropMean([1.0]).interval == nil)
    #expect(DropMean().effectiveCount == nil)
    #expect(DropMean([0.0, 0, 0]).effectiveCount == nil)
    let equal = DropMean([Double](repeating: 2.5, count: 40))
    #expect(try #require(equal.interval) == 2.5...2.5)
    #expect(equal.isDetermined)
    #expect(abs(try #require(equal.effectiveCount) - 40) < 1e-12)
  }

  // MARK: What is promised

  /// Sum of `shape` exponentials.
  private static func gamma(_ shape: Int, _ stream: inout RandomStream) -> Double {
    (0..<shape).reduce(0) { sum, _ in sum - log(1 - stream.uniform()) }
  }

  struct Family: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let mean: Double
    let draw: @Sendable (inout RandomStream) -> Double
  }

  /// Error over energy of n ports that fade alike has the mean n / (n - 1) and the tail index n.
  static let families: [Family] = [
    Family(testDescription: "uniform", mean: 0.5) { $0.uniform() },
    Family(testDescription: "exponential", mean: 1) { gamma(1, &$0) },
    Family(testDescription: "left-skewed", mean: 6.5) { 8 - 0.5 * gamma(3, &$0) },
    Family(testDescription: "2 ports", mean: 2) { gamma(2, &$0) / gamma(2, &$0) },
    Family(testDescription: "3 ports", mean: 1.5) { gamma(3, &$0) / gamma(3, &$0) },
    Family(testDescription: "4 ports", mean: 4.0 / 3) { gamma(4, &$0) / gamma(4, &$0) },
    Family(testDescription: "8 ports", mean: 8.0 / 7) { gamma(8, &$0) / gamma(8, &$0) },
    Family(testDescription: "32 ports", mean: 32.0 / 31) { gamma(32, &$0) / gamma(32, &$0) },
    Family(testDescription: "log-normal", mean: exp(0.5)) { exp(Double($0.normal(count: 1)[0])) },
    Family(testDescription: "log-normal of 13 dB", mean: exp(1.125)) {
      exp(1.5 * Double($0.normal(count: 1)[0]))
    },
    Family(testDescription: "tail index 1.5", mean: 3) { pow(1 - $0.uniform(), -1 / 1.5) },
    Family(testDescription: "one in five lost", mean: 0.2008) {
      $0.uniform() < 0.2 ? gamma(2, &$0) / 2 : 0.001
    },
  ]

  /// Intervals of 30, 100 and 1000 drops hold the mean as often as they say, and those that are not marked no less often,
  /// within what 1000 repetitions can tell.
  @Test(arguments: families, [30, 100, 1000])
  func intervalsHoldTheMean(family: Family, drops: Int) {
    var stream = testStream(77)
    var (hits, determined, hitsOfDetermined) = (0, 0, 0)
    for _ in 0..<1000 {
      let mean = DropMean((0..<drops).map { _ in family.draw(&stream) })
      let isHit = mean.interval!.contains(family.mean)
      hits += isHit ? 1 : 0
      determined += mean.isDetermined ? 1 : 0
      hitsOfDetermined += isHit && mean.isDetermined ? 1 : 0
    }
    #expect((930...998).contains(hits), "\(hits) of 1000")
    // A share of few says nothing.
    guard determined >= 50 else { return }
    let least = 0.95 * Double(determined) - 3 * (0.05 * 0.95 * Double(determined)).squareRoot()
    #expect(Double(hitsOfDetermined) >= least, "\(hitsOfDetermined) of \(determined)")
  }

  /// What has no heavy tail is not marked.
  @Test(arguments: [
    ("uniform", 30), ("left-skewed", 30), ("32 ports", 30), ("32 ports", 100), ("8 ports", 100),
    ("4 ports", 1000), ("exponential", 1000), ("log-normal", 1000), ("one in five lost", 1000),
  ])
  func lightTailsAreNotMarked(name: String, drops: Int) throws {
    let family = try #require(Self.families.first { $0.testDescription == name })
    var stream = testStream(78)
    let determined = (0..<300).filter { _ in
      DropMean((0..<drops).map { _ in family.draw(&stream) }).isDetermined
    }.count
    #expect(determined > 280, "\(determined)")
  }

  /// Tails `t^-α`, drawn exactly: Hill's estimate has the relative standard error 1/8 at 64 values.
  @Test(arguments: [0.7, 1, 2, 5])
  func tailsAreSeen(index: Double) throws {
    var stream = testStream(5)
    let mean = DropMean((0..<5000).map { _ in pow(1 - stream.uniform(), -1 / index) })
    #expect(abs(try #require(mean.tailIndex) / index - 1) < 4.0 / 8)
    #expect(mean.isDetermined == (index >= 2))
  }

  @Test func tailsOfFewDistinctValues() throws {
    // Three of a hundred are not zero: the threshold, the eleventh, is.
    let rare = DropMean((0..<100).map { $0 < 3 ? 1.0 : 0 })
    #expect(rare.tailIndex == 0)
    #expect(!rare.isDetermined)
    #expect(DropMean([1.0, 2, 3]).tailIndex == nil)
    #expect(abs(try #require(DropMean([1.0, 2, 4, 8, 16]).tailIndex) - 3 / (6 * log(2.0))) < 1e-12)
  }

  /// One port and least squares: the ratio of two exponentials has no mean, and hardly any sample hides it.
  @Test func aMeanThatDoesNotExistIsToldApart() {
    var stream = testStream(9)
    let determined = (0..<300).filter { _ in
      DropMean((0..<1000).map { _ in Self.gamma(1, &stream) / Self.gamma(1, &stream) }).isDetermined
    }.count
    #expect(determined <= 20, "\(determined)")
    let benign = (0..<300).filter { _ in
      DropMean((0..<100).map { _ in Self.gamma(4, &stream) }).isDetermined
    }.count
    #expect(benign == 300)
  }
}
