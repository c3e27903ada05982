import Foundation

/// Running mean and variance of values added one at a time, in double precision (Welford's recurrence).
///
/// The result depends on the order of the values; the simulation adds them in drop order.
/// Reference: B. P. Welford, Technometrics 4 (1962) 419.
public struct RunningMean: Sendable, Hashable {
  /// Number of values.
  public private(set) var count = 0
  /// Arithmetic mean of the values; zero without any.
  public private(set) var mean = 0.0
  private var squares = 0.0

  /// The mean of no values yet.
  public init() {}

  /// The mean of some values, in their order.
  public init(_ values: some Sequence<Double>) { for value in values { add(value) } }

  /// Adds one value. O(1).
  public mutating func add(_ value: Double) {
    count += 1
    let deviation = value - mean
    mean += deviation / Double(count)
    squares += deviation * (value - mean)
  }

  /// Unbiased sample variance; nil below two values.
  public var variance: Double? { count > 1 ? squares / Double(count - 1) : nil }

  /// Standard error of the mean; nil below two values.
  public var standardError: Double? { variance.map { ($0 / Double(count)).squareRoot() } }
}

/// Quantiles of Student's t distribution.
public enum StudentT {
  /// The two-sided 95 % point: table to 30 degrees of freedom, above that the expansion in 1/ν to third order
  /// (Abramowitz and Stegun 26.7.5), accurate to 1e-6.
  public static func quantile975(degreesOfFreedom: Int) -> Double {
    precondition(degreesOfFreedom >= 1)
    if degreesOfFreedom <= table.count { return table[degreesOfFreedom - 1] }
    let z = 1.959963984540054
    let v = Double(degreesOfFreedom)
    let (z3, z5, z7) = (pow(z, 3), pow(z, 5), pow(z, 7))
    return z + (z3 + z) / (4 * v) + (5 * z5 + 16 * z3 + 3 * z) / (96 * v * v)
      + (3 * z7 + 19 * z5 + 17 * z3 - 15 * z) / (384 * v * v * v)
  }

  private static let table = [
    12.706205, 4.302653, 3.182446, 2.776445, 2.570582, 2.446912, 2.364624, 2.306004, 2.262157,
    2.228139, 2.200985, 2.178813, 2.160369, 2.144787, 2.131450, 2.119905, 2.109816, 2.100922,
    2.093024, 2.085963, 2.079614, 2.073873, 2.068658, 2.063899, 2.059539, 2.055529, 2.051831,
    2.048407, 2.045230, 2.042272,
  ]
}

/// Decibels of a power ratio: 10 log10(x); minus infinity at zero.
public func decibels(_ ratio: Double) -> Double { 10 * log10(ratio) }

/// The power ratio of a level in decibels.
public func linear(decibels level: Double) -> Double { pow(10, level / 10) }
