import Foundation

/// Learning rate as a function of the number of completed optimiser steps.
public protocol Schedule: Sendable {
  /// The rate of update number `step` (from 0).
  func rate(at step: Int) -> Double
}

/// The same rate at every step.
public struct ConstantSchedule: Schedule {
  let rate: Double

  /// - Parameter rate: of every step.
  public init(_ rate: Double) { self.rate = rate }

  public func rate(at step: Int) -> Double { rate }
}

/// `rate`, multiplied by `factor` every `interval` steps.
public struct StepSchedule: Schedule {
  let rate, factor: Double
  let interval: Int

  /// - Parameters:
  ///   - rate: at step 0.
  ///   - factor: what an interval multiplies the rate by.
  ///   - interval: steps.
  public init(rate: Double, factor: Double, interval: Int) {
    (self.rate, self.factor, self.interval) = (rate, factor, interval)
  }

  public func rate(at step: Int) -> Double { rate * pow(factor, Double(step / interval)) }
}

/// `rate * factor^(t / interval)`, continuously.
public struct ExponentialSchedule: Schedule {
  let rate, factor: Double
  let interval: Int

  /// - Parameters:
  ///   - rate: at step 0.
  ///   - factor: what an interval multiplies the rate by.
  ///   - interval: steps.
  public init(rate: Double, factor: Double, interval: Int) {
    (self.rate, self.factor, self.interval) = (rate, factor, interval)
  }

  public func rate(at step: Int) -> Double {
    rate * pow(factor, Double(step) / Double(interval))
  }
}

/// Linear from 0 over `warmUp` steps, then half a cosine from `maximum` to `minimum` at `total`, I. Loshchilov, F. Hutter, SGDR:
/// Stochastic Gradient Descent with Warm Restarts, ICLR 2017.
public struct WarmUpCosineSchedule: Schedule {
  let maximum, minimum: Double
  let warmUp, total: Int

  /// - Parameters:
  ///   - maximum: rate at the end of the warm-up.
  ///   - minimum: rate at the end.
  ///   - warmUp: steps, fewer than `total`.
  ///   - total: steps.
  public init(maximum: Double, minimum: Double, warmUp: Int, total: Int) {
    (self.maximum, self.minimum, self.warmUp, self.total) = (maximum, minimum, warmUp, total)
  }

  public func rate(at step: Int) -> Double {
    if step < warmUp { return maximum * Double(step) / Double(warmUp) }
    let progress = Double(step - warmUp) / Double(total - warmUp)
    return minimum + (maximum - minimum) * (1 + cos(.pi * progress)) / 2
  }
}
