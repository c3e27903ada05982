import Foundation

/// Learning rate as a function of the number of completed optimiser steps.
public enum Schedule: Sendable, Equatable {
  case constant(Double)
  /// `rate`, multiplied by `factor` every `interval` steps.
  case step(rate: Double, factor: Double, interval: Int)
  /// `rate * factor^(t / interval)`, continuously.
  case exponential(rate: Double, factor: Double, interval: Int)
  /// Linear from 0 over `warmUp` steps, then half a cosine from `maximum` to `minimum` at `total`.
  case warmUpCosine(maximum: Double, minimum: Double, warmUp: Int, total: Int)

  /// The rate of update number `t` (from 0).
  public func rate(at t: Int) -> Double {
    switch self {
    case .constant(let rate): return rate
    case .step(let rate, let factor, let interval): return rate * pow(factor, Double(t / interval))
    case .exponential(let rate, let factor, let interval):
      return rate * pow(factor, Double(t) / Double(interval))
    case .warmUpCosine(let maximum, let minimum, let warmUp, let total):
      if t < warmUp { return maximum * Double(t) / Double(warmUp) }
      let progress = Double(t - warmUp) / Double(total - warmUp)
      return minimum + (maximum - minimum) * (1 + cos(.pi * progress)) / 2
    }
  }
}
