import Foundation
import LinkMath

/// What a loss looks at besides the reconstructions.
public enum LossNeed: Sendable, Hashable, CaseIterable {
  /// What the reconstructions should be.
  case target
  /// The encoder's codewords, before anything happens to them; the loss has a gradient with respect to them too.
  case codeword
  /// Reconstructions of a trained network of the same image from the same inputs.
  case teacherOutput
  /// Its codewords.
  case teacherCodeword
}

/// What a loss compares.
public struct LossBatch: @unchecked Sendable {
  // Sendable: read by the tasks of one evaluation.

  /// Codewords of the batch, or those of a teacher.
  public struct Codewords {
    /// `[sample, length]`.
    public let values: UnsafePointer<Float>
    /// Reals of a codeword, M.
    public let length: Int

    /// Codewords `[sample, length]`.
    public init(_ values: UnsafePointer<Float>, length: Int) {
      self.values = values
      self.length = length
    }
  }

  /// Reconstructions and what they should be, `[sample, count]`.
  public let output, target: UnsafePointer<Float>
  /// Samples of the batch, and values of one.
  public let samples, count: Int
  /// What a sample is, `[2, angle, delay]`; nil if nobody says, as for a sample of one delay.
  public var image: Shape?
  /// Set for a loss that needs ``LossNeed/codeword``.
  public var codeword: Codewords?
  /// `[sample, count]`, set for a loss that needs ``LossNeed/teacherOutput``.
  public var teacherOutput: UnsafePointer<Float>?
  /// Set for a loss that needs ``LossNeed/teacherCodeword``.
  public var teacherCodeword: Codewords?

  /// A batch in memory that outlives it; buffers, because an array would pass for a pointer that is gone at once.
  ///
  /// - Parameters:
  ///   - output: reconstructions `[sample, count]`.
  ///   - target: what they should be, same shape.
  ///   - samples: samples of the batch.
  ///   - count: values of a sample.
  public init(
    _ output: UnsafeBufferPointer<Float>, _ target: UnsafeBufferPointer<Float>, samples: Int,
    count: Int
  ) {
    precondition(output.count == samples * count && target.count == output.count)
    (self.output, self.target) = (output.baseAddress!, target.baseAddress!)
    (self.samples, self.count) = (samples, count)
  }
}

/// Where a loss writes its gradient.
public struct LossGradients: @unchecked Sendable {
  // Sendable: tasks of one evaluation write disjoint samples.

  /// With respect to the outputs, `[sample, count]`; written whole.
  public let output: UnsafeMutablePointer<Float>
  /// With respect to the codewords, `[sample, M]`; zeros at first, set for a loss that needs ``LossNeed/codeword``.
  public let codeword: UnsafeMutablePointer<Float>?

  /// Memory of the gradients.
  public init(
    _ output: UnsafeMutablePointer<Float>, codeword: UnsafeMutablePointer<Float>? = nil
  ) {
    self.output = output
    self.codeword = codeword
  }
}

/// A training loss on a batch of reconstructions.
public protocol Loss: Sendable {
  /// What it looks at besides the reconstructions.
  static var needs: Set<LossNeed> { get }

  /// Whether it does not see a complex gain of each delay row, or subband, so that the NMSE up to these gains is what reconstructions are judged by.
  static var ignoresGains: Bool { get }

  /// The loss and its gradients.
  ///
  /// - Parameters:
  ///   - batch: reconstructions and what the loss needs.
  ///   - gradients: written.
  ///   - pool: divides the samples; the result does not depend on it.
  /// - Complexity: O(samples · count); the samples' sums are added in their order in Double.
  func evaluate(_ batch: LossBatch, _ gradients: LossGradients, pool: WorkerPool?) -> Double
}

extension Loss {
  /// The target.
  public static var needs: Set<LossNeed> { [.target] }

  /// False.
  public static var ignoresGains: Bool { false }
}

/// Mean over all elements of (output - target)².
public struct MeanSquareLoss: Loss {
  /// Has no parameters.
  public init() {}

  public func evaluate(
    _ batch: LossBatch, _ gradients: LossGradients, pool: WorkerPool?
  ) -> Double {
    let size = Double(batch.samples * batch.count)
    return LossPass(batch, gradient: gradients.output).run(factor: Float(2 / size), pool) / size
  }
}

/// ln of the mean over the batch of ||output - target||²; its gradient is that of the squared error divided by its value.
public struct LogMeanSquareLoss: Loss {
  /// Has no parameters.
  public init() {}

  public func evaluate(
    _ batch: LossBatch, _ gradients: LossGradients, pool: WorkerPool?
  ) -> Double {
    let pass = LossPass(batch, gradient: gradients.output)
    // The factor of the gradient needs the sum first.
    let total = pass.run(factor: 1, pool)
    _ = pass.run(factor: Float(2 / total), pool)
    return log(total / Double(batch.samples))
  }
}

/// Mean over the batch of ||output - target||², whose scale counts beside the terms that codeword steps add.
public struct SquaredNormLoss: Loss {
  /// Has no parameters.
  public init() {}

  public func evaluate(
    _ batch: LossBatch, _ gradients: LossGradients, pool: WorkerPool?
  ) -> Double {
    let samples = Double(batch.samples)
    let pass = LossPass(batch, gradient: gradients.output)
    return pass.run(factor: Float(2 / samples), pool) / samples
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
