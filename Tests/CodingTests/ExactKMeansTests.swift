import Coding
import Foundation
import LinkMath
import Testing

@Suite struct ExactKMeansTests {
  /// Least mean squared errors of 1...`runs` runs, by trying every start of the last run; O(K n²).
  private func leastErrors(_ samples: [Double], weights: [Double]? = nil, runs: Int) -> [Double] {
    let order = samples.indices.sorted { samples[$0] < samples[$1] }
    let total = weights?.reduce(0, +) ?? Double(samples.count)
    var best = [0.0] + [Double](repeating: .infinity, count: samples.count)
    return (0..<runs).map { _ in
      var next = best
      for end in 1...samples.count {
        var (weight, mean, spread) = (0.0, 0.0, 0.0)
        for start in stride(from: end - 1, through: 0, by: -1) {
          let (x, w) = (samples[order[start]], weights?[order[start]] ?? 1)
          weight += w
          let step = x - mean
          mean += step * w / weight
          spread += w * step * (x - mean)
          next[end] = min(next[end], best[start] + spread)
        }
      }
      best = next
      return best[samples.count] / total
    }
  }

  enum Shape: CaseIterable { case gaussian, uniform, lumps, heavyTails, whole, ramp, twoFar }

  private func samples(_ shape: Shape, _ count: Int, seed: Int) -> [Float] {
    var random = stream(seed, instance: 7)
    return (0..<count).map { i in
      let normal = random.normal(count: 1)[0]
      switch shape {
      case .gaussian: return normal
      case .uniform: return Float(random.uniform())
      case .lumps: return Float(i % 5 * i % 7) + 0.05 * normal
      case .heavyTails: return normal / (abs(random.normal(count: 1)[0]) + 1e-4)
      case .whole: return (3 * normal).rounded()
      case .ramp: return Float(i * i)
      case .twoFar: return 1e6 * Float(i % 2) + normal
      }
    }
  }

  /// No partition is better, whatever the shape; 1e-9.
  @Test(arguments: Shape.allCases, 0..<4)
  func isTheBestPartition(shape: Shape, seed: Int) {
    let samples = samples(shape, 300 + 97 * seed, seed: seed)
    let points = SortedPoints(samples)
    let expected = leastErrors(samples.map(Double.init), runs: 20)
    let table = ExactKMeans.errors(of: points, upTo: 20)
    let unit = expected[0]
    for count in 1...20 {
      let clusters = ExactKMeans.clusters(of: points, levelCount: count)
      #expect(clusters.levels.count == count)
      #expect(clusters.levels == clusters.levels.sorted())
      #expect(
        abs(clusters.error - expected[count - 1]) <= 1e-9 * expected[count - 1] + 1e-14 * unit)
      #expect(abs(table[count - 1] - expected[count - 1]) <= 1e-9 * unit)
    }
  }

  /// Windows leave the optimum of large samples where the whole table has it: at most 1e-10 above, and levels that are the
  /// means of their nearest samples.
  @Test(arguments: Shape.allCases, [2, 3, 8, 16, 37])
  func windowsKeepTheOptimum(shape: Shape, count: Int) {
    let samples = samples(shape, 6000, seed: count)
    let points = SortedPoints(samples)
    let expected = ExactKMeans.errors(of: points, upTo: count)[count - 1]
    let found = ExactKMeans.clusters(of: points, levelCount: count)
    let unit = ExactKMeans.errors(of: points, upTo: 1)[0]
    #expect(
      abs(found.error - expected) <= 1e-10 * expected + 1e-13 * unit, "\(found.error) \(expected)")
    let nearest = samples.reduce(0.0) { sum, sample in
      sum + found.levels.map { ($0 - Double(sample)) * ($0 - Double(sample)) }.min()!
    }
    #expect(abs(nearest / 6000 - found.error) <= 1e-12 * unit + 1e-9 * found.error)
  }

  /// Weighted points are as good as repeated ones.
  @Test(arguments: 0..<4)
  func weightsAreRepetitions(seed: Int) {
    var random = stream(seed, instance: 8)
    let values = random.normal(count: 400).map(Double.init)
    let weights = values.map { _ in Double(1 + random.uniform(below: 5)) }
    let repeated = zip(values, weights).flatMap { [Double](repeating: $0, count: Int($1)) }
    for count in [1, 2, 5, 16] {
      let weighted = ExactKMeans.clusters(
        of: SortedPoints(values, weights: weights), levelCount: count)
      let plain = ExactKMeans.clusters(of: SortedPoints(repeated), levelCount: count)
      #expect(abs(weighted.error - plain.error) <= 1e-9 * plain.error)
      #expect(zip(weighted.levels, plain.levels).allSatisfy { abs($0 - $1) < 1e-9 })
    }
    let scaled = ExactKMeans.clusters(
      of: SortedPoints(values, weights: weights.map { 0.37 * $0 }), levelCount: 5)
    let best = leastErrors(values, weights: weights, runs: 5)[4]
    #expect(abs(scaled.error - best) <= 1e-9 * best)
  }

  /// Fewer distinct values than levels: the values themselves.
  @Test func fewValues() {
    let clusters = ExactKMeans.clusters(
      of: SortedPoints([2, 1, 2, 1, 1] as [Float]), levelCount: 4)
    #expect(clusters.levels == [1, 2, 2, 2])
    #expect(clusters.error == 0)
  }

  /// Ascending, whatever the signs.
  @Test func sortsFloats() {
    var random = stream(1, instance: 9)
    let samples = random.normal(count: 5000) + [0, -0.0, 2e-38, -2e-38, 3e38, -3e38]
    #expect(SortedPoints(samples).points == samples.map(Double.init).sorted())
  }
}
