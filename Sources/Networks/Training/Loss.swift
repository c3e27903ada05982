import Foundation

/// Training losses on a batch of reconstructions.
public enum Loss: Sendable {
  /// Mean over all elements of (output - target)².
  case meanSquare
  /// ln of the mean over the batch of ||output - target||²; its gradient is that of the squared error divided by its
  /// value. networks.md section 3.9.
  case logMeanSquare

  /// The loss, and its gradient with respect to the outputs.
  ///
  /// - Parameters:
  ///   - output: `[sample, count]`; target: the same.
  ///   - gradient: written, same shape.
  /// - Complexity: O(samples · count), the sum in Double per sample and in sample order.
  public func evaluate(
    _ output: UnsafePointer<Float>, _ target: UnsafePointer<Float>, samples: Int, count: Int,
    gradient: UnsafeMutablePointer<Float>
  ) -> Double {
    var total = 0.0
    for sample in 0..<samples {
      var sum = 0.0
      for i in sample * count..<(sample + 1) * count {
        let difference = output[i] - target[i]
        gradient[i] = difference
        sum += Double(difference) * Double(difference)
      }
      total += sum
    }
    let factor: Float
    let value: Double
    switch self {
    case .meanSquare:
      value = total / Double(samples * count)
      factor = Float(2 / Double(samples * count))
    case .logMeanSquare:
      value = log(total / Double(samples))
      factor = Float(2 / total)
    }
    for i in 0..<samples * count { gradient[i] *= factor }
    return value
  }
}
