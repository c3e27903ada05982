import Foundation
import LinkMath

/// Training losses on a batch of reconstructions.
public enum Loss: Sendable {
  /// Mean over all elements of (output - target)².
  case meanSquare
  /// ln of the mean over the batch of ||output - target||²; its gradient is that of the squared error divided by its
  /// value.
  case logMeanSquare

  /// The loss, and its gradient with respect to the outputs.
  ///
  /// - Parameters:
  ///   - output: `[sample, count]`; target: the same.
  ///   - gradient: written, same shape.
  ///   - pool: divides the samples; the result does not depend on it.
  /// - Complexity: O(samples · count); the samples' sums are added in their order in Double.
  public func evaluate(
    _ output: UnsafePointer<Float>, _ target: UnsafePointer<Float>, samples: Int, count: Int,
    gradient: UnsafeMutablePointer<Float>, pool: WorkerPool? = nil
  ) -> Double {
    let size = Double(samples * count)
    let pass = LossPass(output, target, samples: samples, count: count, gradient: gradient)
    switch self {
    case .meanSquare: return pass.run(factor: Float(2 / size), pool) / size
    case .logMeanSquare:
      // The factor of the gradient needs the sum first.
      let total = pass.run(factor: 1, pool)
      _ = pass.run(factor: Float(2 / total), pool)
      return log(total / Double(samples))
    }
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

  init(
    _ output: UnsafePointer<Float>, _ target: UnsafePointer<Float>, samples: Int, count: Int,
    gradient: UnsafeMutablePointer<Float>
  ) {
    self.output = output
    self.target = target
    self.gradient = gradient
    self.samples = samples
    self.count = count
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
