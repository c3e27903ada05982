import LinkMath
import Networks

/// Mean over all elements of the squared difference between the encoder's codewords and those of a teacher.
///
/// It does not look at reconstructions: a frozen decoder is not run.
///
/// Reference: Y. Cui et al., Lightweight Neural Network with Knowledge Distillation for CSI Feedback, 2022,
/// arXiv:2210.17113.
public struct CodewordLoss: Loss {
  /// Has no parameters.
  public init() {}

  public static let needs: Set<LossNeed> = [.codeword, .teacherCodeword]

  /// - Precondition: both codewords have the same length.
  /// - Complexity: O(samples · M), on the calling thread.
  public func evaluate(
    _ batch: LossBatch, _ gradients: LossGradients, pool: WorkerPool?
  ) -> Double {
    let (own, theirs) = (batch.codeword!, batch.teacherCodeword!)
    precondition(own.length == theirs.length)
    gradients.output.update(repeating: 0, count: batch.samples * batch.count)
    let size = batch.samples * own.length
    var sum = 0.0
    for i in 0..<size {
      let difference = Double(own.values[i]) - Double(theirs.values[i])
      sum += difference * difference
      gradients.codeword![i] = Float(2 * difference / Double(size))
    }
    return sum / Double(size)
  }
}
