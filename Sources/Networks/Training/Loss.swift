import Foundation
import LinkMath

/// What a loss compares.
public struct LossBatch: @unchecked Sendable {
  // Sendable: read by the tasks of one evaluation.

  /// Reconstructions and what they should be, `[sample, count]`.
  public let output, target: UnsafePointer<Float>
  /// Samples of the batch, and values of one.
  public let samples, count: Int

  /// - Parameters:
  ///   - output: reconstructions `[sample, count]`.
  ///   - target: what they should be, same shape.
  ///   - samples: samples of the batch.
  ///   - count: values of a sample.
  public init(
    _ output: UnsafePointer<Float>, _ target: UnsafePointer<Float>, samples: Int, count: Int
  ) {
    (self.output, self.target) = (output, target)
    (self.samples, self.count) = (samples, count)
  }
}

/// A training loss on a batch of reconstructions.
public protocol Loss: Sendable {
  /// The loss, and its gradient with respect to the outputs.
  ///
  /// - Parameters:
  ///   - batch: reconstructions and targets.
  ///   - gradient: written, `[sample, count]`.
  ///   - pool: divides the samples; the result does not depend on it.
  /// - Complexity: O(samples · count); the samples' sums are added in their order in Double.
  func evaluate(
    _ batch: LossBatch, gradient: UnsafeMutablePointer<Float>, pool: WorkerPool?
  ) -> Double
}

/// Mean over all elements of (output - target)².
public struct MeanSquareLoss: Loss {
  /// Has no parameters.
  public init() {}

  public func evaluate(
    _ batch: LossBatch, gradient: UnsafeMutablePointer<Float>, pool: WorkerPool?
  ) -> Double {
    let size = Double(batch.samples * batch.count)
    return LossPass(batch, gradient: gradient).run(factor: Float(2 / size), pool) / size
  }
}

/// ln of the mean over the batch of ||output - target||²; its gradient is that of the squared error divided by its value.
public struct LogMeanSquareLoss: Loss {
  /// Has no parameters.
  public init() {}

  public func evaluate(
    _ batch: LossBatch, gradient: UnsafeMutablePointer<Float>, pool: WorkerPool?
  ) -> Double {
    let pass = LossPass(batch, gradient: gradient)
    // The factor of the gradient needs the sum first.
    let total = pass.run(factor: 1, pool)
    _ = pass.run(factor: Float(2 / total), pool)
    return log(total / Double(batch.samples))
  }
}

/// One pass over output and target by samples.
private final class LossPass: @unchecked Sendable {
  // Sendable: tasks write disjoint samples.
  private let output, target: UnsafePointer<Float>
  private let gradient: UnsafeMutablePointer<Float>
  private let samples, count: Int
  private let sums: UnsafeMutablePointer<Double>
  private let kernels = Kernels.best

  init(_ batch: LossBatch, gradient: UnsafeMutablePointer<Float>) {
    (output, target) = (batch.output, batch.target)
    (samples, count) = (batch.samples, batch.count)
    self.gradient = gradient
    sums = .allocate(capacity: max(samples, 1))
  }

  deinit { sums.deallocate() }

  /// Writes `factor (output - target)`.
  ///
  /// - Returns: the sum of squared differences.
  func run(factor: Float, _ pool: WorkerPool?) -> Double {
    if let pool {
      pool.forEach(samples) { sample, _ in self.evaluate(sample, factor) }
    } else {
      for sample in 0..<samples { evaluate(sample, factor) }
    }
    return (0..<samples).reduce(0.0) { $0 + sums[$1] }
  }

  private func evaluate(_ sample: Int, _ factor: Float) {
    let first = sample * count
    sums[sample] = kernels.table.squared_error(
      output + first, target + first, count, factor, gradient + first)
  }
}
