/// Quantiles of a stream of values in bounded memory: exact up to ``exactCount`` values, then from a sample of them that
/// depends on their order alone.
///
/// Full buffers are sorted and every other value goes up a level, where it stands for twice as many; odd and even places take
/// turns, so that their errors in rank cancel in part. With n values in levels of 4096 the error in rank is at most
/// `log2(n / 4096) / 4096` of n: a thousandth for 64 000 values, 0.2 % for a million.
///
/// Reference: G. S. Manku, S. Rajagopalan, B. G. Lindsay, "Approximate medians and other quantiles in one pass and with limited
/// memory", SIGMOD Record 27 (1998) 426, doi:10.1145/276305.276342.
public struct QuantileSketch: Sendable, Hashable {
  /// Values up to which quantiles are exact.
  public static let exactCount = 4096

  /// Values of weight 1, 2, 4, ...
  private var levels: [[Double]] = [[]]
  private var takesOdd: [Bool] = [false]

  /// Of no values yet.
  public init() {}

  /// Of values in their order.
  public init(_ values: some Sequence<Double>) { for value in values { add(value) } }

  /// Adds a value, which must be a number.
  ///
  /// - Complexity: O(log n) on average.
  public mutating func add(_ value: Double) {
    precondition(!value.isNaN, "quantiles are of numbers")
    levels[0].append(value)
    var level = 0
    while levels[level].count > Self.exactCount {
      compact(level)
      level += 1
    }
  }

  /// Sends half of a full level up; the one value too many stays.
  private mutating func compact(_ level: Int) {
    if level + 1 == levels.count {
      levels.append([])
      takesOdd.append(false)
    }
    let last = levels[level].removeLast()
    let sorted = levels[level].sorted()
    let first = takesOdd[level] ? 1 : 0
    takesOdd[level].toggle()
    levels[level + 1] += stride(from: first, to: sorted.count, by: 2).map { sorted[$0] }
    levels[level] = [last]
  }

  /// The smallest value that at least a share p of all values does not exceed; nil without values.
  ///
  /// - Complexity: O(m log m) for the m values kept.
  public func quantile(_ p: Double) -> Double? {
    precondition((0...1).contains(p), "a share of the values")
    let kept = levels.enumerated().flatMap { level, values in
      values.map { (value: $0, weight: 1 << level) }
    }.sorted { $0.value < $1.value }
    let total = kept.reduce(0) { $0 + $1.weight }
    var below = 0
    for (value, weight) in kept {
      below += weight
      if Double(below) >= p * Double(total) { return value }
    }
    return kept.last?.value
  }
}
