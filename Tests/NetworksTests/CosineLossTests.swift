import Foundation
import LinkMath
import TestSupport
import Networks
import Testing

/// The loss of directions.
@Suite struct CosineLossTests {
  private static let image = Shape(2, 4, 3)

  private func values(_ seed: UInt64) -> [Float] {
    var stream = testStream(seed)
    return stream.normal(count: 5 * 24).map { 0.5 + 0.1 * $0 }
  }

  private func evaluate(
    _ output: [Float], _ target: [Float], image: Shape? = image, pool: WorkerPool? = nil
  ) -> (loss: Double, gradient: [Float]) {
    var gradient = [Float](repeating: .nan, count: output.count)
    let loss = output.withUnsafeBufferPointer { output in
      target.withUnsafeBufferPointer { target in
        gradient.withUnsafeMutableBufferPointer { gradient in
          var batch = LossBatch(output, target, samples: output.count / 24, count: 24)
          batch.image = image
          return CosineLoss().evaluate(batch, LossGradients(gradient.baseAddress!), pool: pool)
        }
      }
    }
    return (loss, gradient)
  }

  /// The definition, by complex numbers: rows are delays, vectors are over the angles.
  @Test func definition() {
    let (output, target) = (values(1), values(2))
    var sum = 0.0
    for sample in 0..<5 {
      for row in 0..<3 {
        var (c, t, o) = ((0.0, 0.0), 0.0, 0.0)
        for angle in 0..<4 {
          let place = sample * 24 + angle * 3 + row
          let a = (Double(target[place]) - 0.5, Double(target[place + 12]) - 0.5)
          let b = (Double(output[place]) - 0.5, Double(output[place + 12]) - 0.5)
          c.0 += a.0 * b.0 + a.1 * b.1
          c.1 += a.0 * b.1 - a.1 * b.0
          t += a.0 * a.0 + a.1 * a.1
          o += b.0 * b.0 + b.1 * b.1
        }
        sum += (c.0 * c.0 + c.1 * c.1) / (t * o)
      }
    }
    #expect(abs(evaluate(output, target).loss - (1 - sum / 15)) < 1e-12)
    #expect(evaluate(target, target).loss < 1e-12)
    let pool = WorkerPool(threadCount: 3)
    #expect(evaluate(output, target, pool: pool) == evaluate(output, target))
  }

  /// Central differences in every value; rows of the target without energy do not count.
  @Test func gradient() {
    var (output, target) = (values(3), values(4))
    for angle in 0..<4 {
      target[24 + 3 * angle] = 0.5
      target[24 + 3 * angle + 12] = 0.5
    }
    let gradient = evaluate(output, target).gradient
    let largest = gradient.map(abs).max()!
    for i in output.indices {
      let (before, h) = (output[i], Float(1.0 / 512))
      output[i] = before + h
      let above = evaluate(output, target).loss
      output[i] = before - h
      let below = evaluate(output, target).loss
      output[i] = before
      let slope = (above - below) / Double(2 * h)
      #expect(abs(slope - Double(gradient[i])) < 2e-3 * Double(largest), "\(i)")
    }
  }

  /// A complex gain of each row changes nothing, so the gradient is orthogonal to both directions of a gain.
  @Test func gainsDoNotCount() {
    let (output, target) = (values(5), values(6))
    var turned = output
    for sample in 0..<5 {
      for row in 0..<3 {
        let (size, phase) = (0.5 + Double(row), Double(sample + 2 * row))
        for angle in 0..<4 {
          let place = sample * 24 + angle * 3 + row
          let (a, b) = (Double(output[place]) - 0.5, Double(output[place + 12]) - 0.5)
          turned[place] = Float(0.5 + size * (a * cos(phase) - b * sin(phase)))
          turned[place + 12] = Float(0.5 + size * (a * sin(phase) + b * cos(phase)))
        }
      }
    }
    let (first, second) = (evaluate(output, target), evaluate(turned, target))
    #expect(abs(first.loss - second.loss) < 1e-6)
    for sample in 0..<5 {
      for row in 0..<3 {
        var (along, around) = (0.0, 0.0)
        for angle in 0..<4 {
          let place = sample * 24 + angle * 3 + row
          let (a, b) = (Double(output[place]) - 0.5, Double(output[place + 12]) - 0.5)
          let (x, y) = (Double(first.gradient[place]), Double(first.gradient[place + 12]))
          along += a * x + b * y
          around += a * y - b * x
        }
        #expect(abs(along) < 1e-8 && abs(around) < 1e-8)
      }
    }
  }

  /// What the best gains of the rows leave of the error is the loss.
  @Test func judgesWhatTheBestGainsLeave() {
    let (output, target) = (values(7), values(8))
    var error = ErrorTotals()
    output.withUnsafeBufferPointer { output in
      target.withUnsafeBufferPointer { target in
        for sample in 0..<5 {
          error.addDirections(
            target.baseAddress! + 24 * sample, output.baseAddress! + 24 * sample, Self.image)
        }
      }
    }
    #expect(abs(error.nmse! - evaluate(output, target).loss) < 1e-12)
    // Without an image all of a sample is one vector: the best gain by least squares.
    var sum = 0.0
    for sample in 0..<5 {
      let places = sample * 24..<sample * 24 + 12
      func value(_ array: [Float], _ i: Int) -> (Double, Double) {
        (Double(array[i]) - 0.5, Double(array[i + 12]) - 0.5)
      }
      var (c, t, o) = ((0.0, 0.0), 0.0, 0.0)
      for i in places {
        let (a, b) = (value(target, i), value(output, i))
        c.0 += b.0 * a.0 + b.1 * a.1
        c.1 += b.0 * a.1 - b.1 * a.0
        t += a.0 * a.0 + a.1 * a.1
        o += b.0 * b.0 + b.1 * b.1
      }
      let gain = (c.0 / o, c.1 / o)
      let left = places.reduce(0.0) { sum, i in
        let (a, b) = (value(target, i), value(output, i))
        let x = a.0 - (gain.0 * b.0 - gain.1 * b.1)
        let y = a.1 - (gain.0 * b.1 + gain.1 * b.0)
        return sum + x * x + y * y
      }
      sum += left / t
    }
    #expect(abs(evaluate(output, target, image: nil).loss - sum / 5) < 1e-9)
  }
}
