import Foundation
import LinkMath
import Networks

/// Mean squared error and cross-entropy with a teacher's reconstruction, both softened by a temperature.
///
/// `α mean (z - y)² + (1 - α) CE`, `CE = -Σ p_i ln q_i` averaged over the batch, with `p = softmax(z_t / T)` of the teacher's and
/// `q = softmax(z / T)` of the student's reconstruction over all values of a sample. The cross-entropy does not see a constant offset:
/// its gradient `(q - p) / T` sums to zero.
///
/// Reference: G. Hinton, O. Vinyals, J. Dean, Distilling the Knowledge in a Neural Network, 2015, arXiv:1503.02531.
public struct DistillationLoss: Loss {
  /// Share α of the squared error.
  public let share: Double
  /// T.
  public let temperature: Double

  /// - Parameters:
  ///   - share: α in 0...1.
  ///   - temperature: T above 0.
  public init(share: Double = 0.3, temperature: Double = 5) {
    precondition((0...1).contains(share) && temperature > 0)
    self.share = share
    self.temperature = temperature
  }

  public static let needs: Set<LossNeed> = [.target, .teacherOutput]

  /// - Complexity: O(samples · count) exponentials, on the calling thread.
  public func evaluate(
    _ batch: LossBatch, _ gradients: LossGradients, pool: WorkerPool?
  ) -> Double {
    let mean = MeanSquareLoss().evaluate(batch, gradients, pool: pool)
    let weight = (1 - share) / Double(batch.samples)
    var entropy = 0.0
    for first in stride(from: 0, to: batch.samples * batch.count, by: batch.count) {
      let student = softmax(batch.output + first, batch.count)
      let teacher = softmax(batch.teacherOutput! + first, batch.count)
      for i in 0..<batch.count {
        entropy -= teacher[i].share * student[i].logarithm
        let slope = (student[i].share - teacher[i].share) / temperature
        let place = first + i
        gradients.output[place] = Float(
          share * Double(gradients.output[place]) + weight * slope)
      }
    }
    return share * mean + weight * entropy
  }

  /// exp(z_i / T) / Σ exp(z_j / T) with its natural logarithm.
  private func softmax(_ values: UnsafePointer<Float>, _ count: Int) -> [(
    share: Double, logarithm: Double
  )] {
    let scaled = (0..<count).map { Double(values[$0]) / temperature }
    let top = scaled.max()!
    let normaliser = top + log(scaled.reduce(0) { $0 + exp($1 - top) })
    return scaled.map { (exp($0 - normaliser), $0 - normaliser) }
  }
}
