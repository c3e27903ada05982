import Foundation

/// Mean of nonnegative values of independent drops, with a 95 % interval that also holds for skewed values, and with
/// signs of a mean that the drops do not determine.
///
/// Errors relative to a channel's energy are heavy-tailed: a drop in a deep fade or with a wrong report can weigh as much
/// as a thousand others. Kept are three moments and the 65 largest values, so memory does not grow with the drops. The
/// result depends on the order of the values; the simulation adds them in drop order.
public struct DropMean: Sendable, Hashable {
  private var moments = Moments()
  /// Descending.
  private var largest: [Double] = []
  private static let kept = 65

  /// The mean of no drops yet.
  public init() {}

  /// The mean of some values, in their order.
  public init(_ values: some Sequence<Double>) { for value in values { add(value) } }

  /// Number of values.
  public var count: Int { moments.count }
  /// Arithmetic mean of the values; zero without any.
  public var mean: Double { moments.mean }

  /// Adds the value of the next drop.
  public mutating func add(_ value: Double) {
    moments.add(value)
    if largest.count == Self.kept {
      guard value > largest[Self.kept - 1] else { return }
      largest.removeLast()
    }
    largest.insert(value, at: largest.firstIndex { $0 < value } ?? largest.count)
  }

  /// 95 % confidence interval of the mean; nil below two values.
  ///
  /// The ends are Hall's, the upper one with one more drop at the level that the tail exceeds once in five times as
  /// many drops, if that is farther out: a sample shows a heavy tail late, and until then its mean and its variance
  /// are both too small.
  public var interval: ClosedRange<Double>? {
    guard count > 1 else { return nil }
    return moments.end(quantile)...upperEnd(withOneMoreAt: levelToCome)
  }

  /// Upper end of the 95 % interval of values that are deviations from their median, of either sign; nil below two values.
  ///
  /// Differences of paired drops have lighter tails than errors of one codec: one more drop is taken at the level that the tail exceeds
  /// once in twice as many drops. In 1000 runs of 30 and 100 drops the ends of both sides hold the mean of normal values, of differences of
  /// exponential ones, of paired errors and rates of two codecs, and of tails down to α = 2 in at least 95 of 100 (α = 1.5: 93),
  /// at 1.2 to 2 times the width of Hall's interval alone, which holds 82 to 96.
  public var deviationUpperEnd: Double? {
    guard count > 1 else { return nil }
    return upperEnd(withOneMoreAt: largest[0] * pow(2, 1 / max(tailIndex ?? 1, 1)))
  }

  private var quantile: Double { StudentT.quantile975(degreesOfFreedom: count - 1) }

  private func upperEnd(withOneMoreAt level: Double) -> Double {
    max(moments.end(-quantile), moments.adding(level).end(-quantile))
  }

  /// The level `max · 5^(1/α)` that a tail `t^-α` exceeds once in five times as many drops, α being at least 1:
  /// hardly more than the largest value of a light tail, a multiple of that of a heavy one. In 4000 runs of 30, 100
  /// and 1000 drops, factors from 4 to 8 hold the mean of tails down to α = 1.5 in at least 95 of 100.
  ///
  /// Reference: I. Weissman, J. Amer. Statist. Assoc. 73 (1978) 812, doi:10.1080/01621459.1978.10480104.
  private var levelToCome: Double {
    largest[0] * pow(5, 1 / max(cautiousTailIndex ?? 1, 1))
  }

  /// `(Σx)² / Σx²`: how many equal drops would make the mean as uncertain; nil without a positive value.
  ///
  /// Reference: L. Kish, *Survey Sampling*, 1965.
  public var effectiveCount: Double? { moments.effectiveCount }

  /// Hill's estimate α of a tail `P(x > t) ~ t^-α` from the k = √n largest values, 3 <= k <= 64; the mean is infinite for
  /// α <= 1, the variance for α <= 2. Infinity if these values are equal; nil for three values or less.
  ///
  /// Reference: B. M. Hill, Ann. Statist. 3 (1975) 1163, doi:10.1214/aos/1176343247.
  public var tailIndex: Double? {
    let order = tailOrder
    guard largest.count > order else { return nil }
    let threshold = largest[order]
    guard largest[0] > threshold else { return .infinity }
    guard threshold > 0 else { return 0 }
    return Double(order) / largest[..<order].reduce(0) { $0 + log($1 / threshold) }
  }

  private var tailOrder: Int { min(max(Int(Double(count).squareRoot()), 3), Self.kept - 1) }

  /// The tail index less its standard error `α/√k`.
  private var cautiousTailIndex: Double? {
    tailIndex.map { $0 * (1 - 1 / Double(tailOrder).squareRoot()) }
  }

  /// Whether the interval can be relied on: there are 30 drops, ten carry the mean, and the tail index exceeds 1.25
  /// by its standard error.
  ///
  /// Otherwise the mean may rest on drops that were not drawn yet, or be infinite.
  public var isDetermined: Bool {
    guard let effectiveCount, let cautiousTailIndex else { return false }
    return count >= 30 && effectiveCount >= 10 && cautiousTailIndex >= 1.25
  }
}

/// Count, mean and central sums of second and third order, one value at a time.
///
/// Reference: P. Pébay, Sandia report SAND2008-6212, 2008.
private struct Moments: Hashable, Sendable {
  private(set) var count = 0
  private(set) var mean = 0.0
  private var squares = 0.0
  private var cubes = 0.0

  mutating func add(_ value: Double) {
    count += 1
    let n = Double(count)
    let deviation = value - mean
    let step = deviation / n
    let square = deviation * step * (n - 1)
    cubes += square * step * (n - 2) - 3 * step * squares
    squares += square
    mean += step
  }

  func adding(_ value: Double) -> Moments {
    var copy = self
    copy.add(value)
    return copy
  }

  var effectiveCount: Double? {
    let (n, energy) = (Double(count), squares + Double(count) * mean * mean)
    return energy > 0 ? n * mean * (n * mean) / energy : nil
  }

  /// The μ for which the studentised mean `T = √n (mean - μ) / s`, with its skewness removed, is the given quantile.
  ///
  /// With γ the sample's skewness, `a = γ / 3√n` and `b = γ / 6√n`, `g(T) = T + a T² + a² T³/3 + b` is nearly normal and
  /// monotonic; its inverse is `((1 + 3a (y - b))^(1/3) - 1) / a`.
  ///
  /// Reference: P. Hall, J. R. Statist. Soc. B 54 (1992) 221, "On the removal of skewness by transformation".
  func end(_ quantile: Double) -> Double {
    let n = Double(count)
    let error = (squares / (n - 1) / n).squareRoot()
    guard error > 0 else { return mean }
    let skewness = cubes / n / pow(squares / n, 1.5)
    let (a, b) = (skewness / (3 * n.squareRoot()), skewness / (6 * n.squareRoot()))
    let y = quantile - b
    // Near a = 0 the inverse is y - a y².
    let inverse = abs(a) < 1e-7 ? y - a * y * y : (cbrt(1 + 3 * a * y) - 1) / a
    return mean - error * inverse
  }
}
