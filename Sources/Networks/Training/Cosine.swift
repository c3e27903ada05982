import LinkMath

/// Complex vectors over the angles in two images `[2, angle, delay]` around 0.5, and how well they agree.
///
/// With t of the reference and o of the output, `c = Σ t* o`, `SGCS = |c|² / (‖t‖² ‖o‖²)`: the squared generalised cosine similarity, which no complex
/// gain of either vector changes.
///
/// Reference: 3GPP TR 38.843 clause 6.2.1.
struct Cosine {
  /// ‖t‖² and ‖o‖².
  var energy = 0.0
  var received = 0.0
  /// c.
  var real = 0.0
  var imaginary = 0.0

  /// SGCS; 0 where a vector has no energy.
  var squared: Double {
    energy > 0 && received > 0
      ? (real * real + imaginary * imaginary) / (energy * received) : 0
  }

  /// One for each delay row.
  static func rows(
    _ reference: UnsafePointer<Float>, _ output: UnsafePointer<Float>, _ image: Shape
  ) -> [Cosine] {
    let plane = image.height * image.width
    return (0..<image.width).map { row in
      var cosine = Cosine()
      for place in stride(from: row, to: plane, by: image.width) {
        let t = (Double(reference[place]) - 0.5, Double(reference[place + plane]) - 0.5)
        let o = (Double(output[place]) - 0.5, Double(output[place + plane]) - 0.5)
        cosine.energy += t.0 * t.0 + t.1 * t.1
        cosine.received += o.0 * o.0 + o.1 * o.1
        cosine.real += t.0 * o.0 + t.1 * o.1
        cosine.imaginary += t.0 * o.1 - t.1 * o.0
      }
      return cosine
    }
  }
}

/// `1 - SGCS`, mean over the samples and over the delay rows with energy of each: a loss for precoding, which asks for directions.
///
/// A row is the complex vector over the angles, or ports, of one delay, or subband; see `Cosine`. A complex gain of a
/// row does not change the loss, so reconstructions are those of directions only.
///
/// With `SGCS = |c|² / (T O)` its gradient in the complex o is `2 c t / (T O) - 2 |c|² o / (T O²)`. A row that is reconstructed as zero has none.
///
/// Reference: 3GPP TR 38.843 clause 6.2.1.
public struct CosineLoss: Loss {
  /// Has no parameters.
  public init() {}

  public static var ignoresGains: Bool { true }

  /// - Complexity: O(samples · count).
  public func evaluate(
    _ batch: LossBatch, _ gradients: LossGradients, pool: WorkerPool?
  ) -> Double {
    let image = batch.image ?? Shape(2, batch.count / 2, 1)
    let losses = LossSums(batch.samples)
    let evaluate: @Sendable (Int, Int) -> Void = { sample, _ in
      let first = sample * batch.count
      losses[sample] = Self.evaluate(
        batch.target + first, batch.output + first, gradients.output + first, image,
        samples: batch.samples)
    }
    if let pool {
      pool.forEach(batch.samples, evaluate)
    } else {
      for sample in 0..<batch.samples { evaluate(sample, 0) }
    }
    return losses.total / Double(batch.samples)
  }

  /// The loss of one sample.
  private static func evaluate(
    _ target: UnsafePointer<Float>, _ output: UnsafePointer<Float>,
    _ gradient: UnsafeMutablePointer<Float>, _ image: Shape, samples: Int
  ) -> Double {
    let rows = Cosine.rows(target, output, image)
    let used = rows.count { $0.energy > 0 }
    let plane = image.height * image.width
    gradient.update(repeating: 0, count: 2 * plane)
    var sum = 0.0
    for (row, cosine) in rows.enumerated() where cosine.energy > 0 {
      sum += 1 - cosine.squared
      guard cosine.received > 0 else { continue }
      let scale = -2 / Double(samples * used)
      let across = scale / (cosine.energy * cosine.received)
      let along = scale * cosine.squared / cosine.received
      for place in stride(from: row, to: plane, by: image.width) {
        let t = (Double(target[place]) - 0.5, Double(target[place + plane]) - 0.5)
        let o = (Double(output[place]) - 0.5, Double(output[place + plane]) - 0.5)
        gradient[place] = Float(
          across * (cosine.real * t.0 - cosine.imaginary * t.1) - along * o.0)
        gradient[place + plane] = Float(
          across * (cosine.real * t.1 + cosine.imaginary * t.0) - along * o.1)
      }
    }
    return used > 0 ? sum / Double(used) : 0
  }
}

/// One sum for each sample, written by several threads.
private final class LossSums: @unchecked Sendable {
  // Sendable: tasks write disjoint samples, the owner reads after they are done.
  private let values: UnsafeMutableBufferPointer<Double>

  init(_ count: Int) {
    values = .allocate(capacity: count)
    values.initialize(repeating: 0)
  }

  deinit { values.deallocate() }

  subscript(_ sample: Int) -> Double {
    get { values[sample] }
    set { values[sample] = newValue }
  }

  /// In the order of the samples.
  var total: Double { values.reduce(0, +) }
}
