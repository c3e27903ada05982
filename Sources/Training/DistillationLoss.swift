import Foundation
import LinkMath
import Networks

/// A loss against the target and cross-entropy with a teacher's reconstruction, both softened by a temperature.
///
/// `α L(z, y) + (1 - α) CE`, L being the mean squared error if no other loss is given, `CE = -Σ p_i ln q_i` averaged
/// over the batch, with `p = softmax(z_t / T)` of the teacher's and `q = softmax(z / T)` of the student's
/// reconstruction over all values of a sample. The cross-entropy does not see a constant offset: its gradient
/// `(q - p) / T` sums to zero.
///
/// Reference: G. Hinton, O. Vinyals, J. Dean, Distilling the Knowledge in a Neural Network, 2015, arXiv:1503.02531.
public struct DistillationLoss: Loss {
  /// Share α of the loss against the target.
  public let share: Double
  /// T.
  public let temperature: Double
  /// L.
  public let base: any Loss

  /// - Parameters:
  ///   - share: α in 0...1.
  ///   - temperature: T above 0.
  ///   - base: L, which needs the target alone.
  public init(share: Double = 0.3, temperature: Double = 5, base: any Loss = MeanSquareLoss()) {
    precondition((0...1).contains(share) && temperature > 0)
    precondition(type(of: base).needs == [.target])
    self.share = share
    self.temperature = temperature
    self.base = base
  }

  public static let needs: Set<LossNeed> = [.target, .teacherOutput]

  /// - Complexity: O(samples · count) exponentials.
  public func evaluate(
    _ batch: LossBatch, _ gradients: LossGradients, pool: WorkerPool?
  ) -> Double {
    let value = base.evaluate(batch, gradients, pool: pool)
    let pass = EntropyPass(batch, gradients.output, share: share, temperature: temperature)
    if let pool {
      pool.forEach(batch.samples) { sample, _ in pass.evaluate(sample) }
    } else {
      for sample in 0..<batch.samples { pass.evaluate(sample) }
    }
    return share * value + (1 - share) * pass.mean
  }
}

/// The cross-entropies of a batch, sample by sample.
private final class EntropyPass: @unchecked Sendable {
  // Sendable: tasks write disjoint samples.
  private let batch: LossBatch
  private let gradient: UnsafeMutablePointer<Float>
  private let share, temperature: Double
  private let entropies: UnsafeMutableBufferPointer<Double>

  init(
    _ batch: LossBatch, _ gradient: UnsafeMutablePointer<Float>, share: Double, temperature: Double
  ) {
    (self.batch, self.gradient) = (batch, gradient)
    (self.share, self.temperature) = (share, temperature)
    entropies = .allocate(capacity: batch.samples)
    entropies.initialize(repeating: 0)
  }

  deinit { entropies.deallocate() }

  /// Over the batch, added in the order of the samples.
  var mean: Double { entropies.reduce(0, +) / Double(batch.samples) }

  /// Turns the gradient of the base into that of both.
  func evaluate(_ sample: Int) {
    let (first, count) = (sample * batch.count, batch.count)
    let student = softmax(batch.output + first, count)
    let teacher = softmax(batch.teacherOutput! + first, count)
    let weight = (1 - share) / (Double(batch.samples) * temperature)
    var entropy = 0.0
    for i in 0..<count {
      let (own, wanted) = (exp(student[i]), exp(teacher[i]))
      entropy -= wanted * student[i]
      let place = first + i
      gradient[place] = Float(share * Double(gradient[place]) + weight * (own - wanted))
    }
    entropies[sample] = entropy
  }

  /// Natural logarithms of exp(z_i / T) / Σ exp(z_j / T).
  private func softmax(_ values: UnsafePointer<Float>, _ count: Int) -> [Double] {
    var scaled = (0..<count).map { Double(values[$0]) / temperature }
    let top = scaled.max()!
    let normaliser = top + log(scaled.reduce(0) { $0 + exp($1 - top) })
    for i in scaled.indices { scaled[i] -= normaliser }
    return scaled
  }
}
