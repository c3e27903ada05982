import LinkMath

/// Values of drops, one at a time: mean, deviation and extremes of all, quantiles of an even selection in bounded memory.
///
/// Up to 2^18 values all are kept; beyond that every 2nd, every 4th and so on.
struct Distribution {
  private static let limit = 1 << 18

  private var running = RunningMean()
  private(set) var least = Double.infinity
  private(set) var largest = -Double.infinity
  private var kept: [Double] = []
  private var stride = 1

  mutating func add(_ value: Double) {
    if running.count % stride == 0 {
      if kept.count == Self.limit {
        kept = Swift.stride(from: 0, to: kept.count, by: 2).map { kept[$0] }
        stride *= 2
      }
      if running.count % stride == 0 { kept.append(value) }
    }
    running.add(value)
    least = min(least, value)
    largest = max(largest, value)
  }

  /// Nil without values.
  var summary: Summary? {
    guard running.count > 0 else { return nil }
    let sorted = kept.sorted()
    return Summary(
      count: running.count, mean: running.mean, standardDeviation: running.variance?.squareRoot(),
      minimum: least, percentile5: Self.quantile(sorted, 0.05),
      median: Self.quantile(sorted, 0.5), maximum: largest)
  }

  /// Linear between the two nearest of the sorted values.
  private static func quantile(_ sorted: [Double], _ share: Double) -> Double {
    let position = share * Double(sorted.count - 1)
    let low = Int(position)
    let high = min(low + 1, sorted.count - 1)
    return sorted[low] + (position - Double(low)) * (sorted[high] - sorted[low])
  }
}

/// A figure of the drops of a data set.
public struct Summary: Sendable, Equatable, Encodable {
  /// Number of values.
  public let count: Int
  /// Arithmetic mean.
  public let mean: Double
  /// Nil below two values.
  public let standardDeviation: Double?
  /// Smallest value.
  public let minimum: Double
  /// 5 % quantile.
  public let percentile5: Double
  /// Median.
  public let median: Double
  /// Largest value.
  public let maximum: Double

  /// The same in another unit.
  func scaled(by factor: Double) -> Summary {
    Summary(
      count: count, mean: factor * mean, standardDeviation: standardDeviation.map { factor * $0 },
      minimum: factor * minimum, percentile5: factor * percentile5, median: factor * median,
      maximum: factor * maximum)
  }
}
