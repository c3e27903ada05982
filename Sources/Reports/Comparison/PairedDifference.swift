import Foundation
import LinkMath

/// How far the mean of one number of drops lies from that of another number of the same drops, with a 95 % interval.
///
/// Drops that both have are paired, so that what they share, such as a deep fade, does not widen the interval.
public struct PairedDifference: Sendable, Hashable {
  /// In what the difference is told.
  public enum Scale: Sendable {
    /// b̄ - ā.
    case linear
    /// 10 log10 (b̄ / ā).
    case decibels
  }

  /// Drops that have both numbers.
  public let count: Int
  /// Both means over these drops, in decibels if the difference is; NaN without drops.
  public let from, to: Double
  /// The difference, b less a; NaN without drops.
  public let value: Double
  /// Where the difference of the expectations lies; nil below two drops, and where a mean is not positive in dB.
  public let interval: ClosedRange<Double>?

  /// The difference of two lists of equal length; NaN is a missing number.
  ///
  /// In decibels `ln(β/α) ≈ ln(b̄/ā) + E[w]` with `w = b/b̄ - a/ā` (delta method), so the interval is that of the mean of w. Each end is
  /// that of `DropMean` for the deviations from the median on its side, which allows for skewness and for tails.
  ///
  /// - Precondition: the lists are of equal length.
  /// - Complexity: O(drops).
  public init(from a: [Double], to b: [Double], _ scale: Scale) {
    precondition(a.count == b.count, "\(a.count) and \(b.count) drops")
    let pairs = zip(a, b).filter { !$0.isNaN && !$1.isNaN }
    count = pairs.count
    guard !pairs.isEmpty else {
      (from, to, value, interval) = (.nan, .nan, .nan, nil)
      return
    }
    let (meanA, meanB) = (Self.mean(pairs.map(\.0)), Self.mean(pairs.map(\.1)))
    switch scale {
    case .linear:
      (from, to) = (meanA, meanB)
      value = meanB - meanA
      interval = Self.interval(pairs.map { $1 - $0 })
    case .decibels:
      (from, to) = (10 * log10(meanA), 10 * log10(meanB))
      value = meanA == meanB ? 0 : 10 * log10(meanB / meanA)
      guard meanA > 0, meanB > 0 else {
        interval = nil
        return
      }
      let ratio = log(meanB / meanA)
      let unit = 10 / log(10.0)
      interval = Self.interval(pairs.map { $1 / meanB - $0 / meanA }).map {
        unit * (ratio + $0.lowerBound)...unit * (ratio + $0.upperBound)
      }
    }
  }

  private static func mean(_ values: [Double]) -> Double {
    var mean = RunningMean()
    for value in values { mean.add(value) }
    return mean.mean
  }

  /// Upper ends of the deviations and of their opposites.
  private static func interval(_ values: [Double]) -> ClosedRange<Double>? {
    let sorted = values.sorted()
    let median = (sorted[(sorted.count - 1) / 2] + sorted[sorted.count / 2]) / 2
    guard let up = DropMean(values.map { $0 - median }).deviationUpperEnd,
      let down = DropMean(values.map { median - $0 }).deviationUpperEnd
    else { return nil }
    return median - down...max(median + up, median - down)
  }
}
