import LinkMath
import Parts

extension UniformQuantizer {
  /// Learns `range` [component, 2], lo and hi of each real; nil if the settings give the range.
  ///
  /// When cells are fine the optimal range lies beyond all fitted values, where ``TailedSample`` extrapolates. Measured on a
  /// Gaussian with 4000 drops, the error on new codewords exceeds the optimum by 0.03 dB at 4 bits, 0.9 dB at 8,
  /// 1.4 dB at 10 and 3 dB at 16.
  ///
  /// - Throws: `SettingsError` for a given range that is empty.
  public static func fitting(_ settings: Settings, in context: LinkContext) throws -> Fitting? {
    guard try fixedRange(settings) == nil else { return nil }
    let count = context.codewordLength
    let width = settings[bits]
    let optimal = settings[range] == .optimal
    let rule = optimal ? "optimal bits=\(width)" : "minmax"
    return FitParameters.fitting(
      settings, signature: "range=\(rule) length=\(count)",
      shapes: ["range": [count, 2]]
    ) {
      ComponentFitter(
        part: schema.name, array: "range", componentCount: count, minimumDrops: 2
      ) { samples in
        let limits =
          optimal
          ? UniformRange.optimal(for: samples, levelCount: 1 << width)
          : UniformRange(low: samples[0], high: samples[samples.count - 1])
        return [limits.low, limits.high]
      }
    }
  }
}

/// The range of a uniform quantiser.
struct UniformRange {
  var low: Float
  var high: Float

  /// The range of least mean squared error on the density behind a sample, ``TailedSample``.
  ///
  /// The error is not convex in the range. A geometric grid of shrunk ranges finds the basin, then each limit is moved
  /// alone while that helps, in steps from a quarter down to 1/1024 of the width.
  ///
  /// Each sample stands for a uniform density of half width `σ n^(-1/4)` around it. Without that smoothing the search
  /// would follow the chance positions of the samples in their cells and lose some percent on new drops.
  ///
  /// - Complexity: about 100 passes over the sample.
  static func optimal(for samples: [Float], levelCount: Int) -> UniformRange {
    let count = Double(samples.count)
    let mean = samples.reduce(0) { $0 + Double($1) } / count
    let variance = samples.reduce(0) { $0 + (Double($1) - mean) * (Double($1) - mean) } / count
    let width = Double(samples[samples.count - 1]) - Double(samples[0])
    guard width > Double(Float.leastNormalMagnitude) * Double(levelCount) else {
      return UniformRange(low: samples[0], high: samples[0])
    }
    let density = TailedSample(
      samples, halfWidth: (variance / count.squareRoot()).squareRoot())
    let error = SmoothedError(boxes: density.boxes, levelCount: levelCount)
    let (below, above) = (
      mean - density.boxes[0].centre, density.boxes[density.boxes.count - 1].centre - mean
    )
    var best = (low: mean - below, high: mean + above)
    var least = error(best.low, best.high)
    func improve(_ low: Double, _ high: Double) -> Bool {
      guard low < high, max(-low, high) < Double(Float.greatestFiniteMagnitude) / 4 else {
        return false
      }
      let candidate = error(low, high)
      guard candidate < least else { return false }
      (best, least) = ((low, high), candidate)
      return true
    }
    var scale = 1.0
    for _ in 0..<32 {
      scale *= 0.5.squareRoot()  // down to 2^-16
      _ = improve(mean - scale * below, mean + scale * above)
    }
    var fraction = 1.0 / 4
    while fraction >= 1.0 / 1024 {
      let move = fraction * (best.high - best.low)
      let helped = [(-move, 0), (move, 0), (0, -move), (0, move)].map { low, high in
        improve(best.low + low, best.high + high)
      }
      if !helped.contains(true) { fraction /= 2 }
    }
    return UniformRange(low: Float(best.low), high: Float(best.high))
  }
}

/// Mean squared error of a uniform quantiser on a density of boxes.
///
/// In units of the cell, `u = (x - lo) / Δ`, the integral of the squared error up to u is
/// `G(u) = k/12 + ((u - k - 1/2)³ + 1/8)/3` with k the index of u, clipped cells included; a box of half width h
/// contributes `Δ² (G(u + h/Δ) - G(u - h/Δ)) Δ / 2h` times its weight.
private struct SmoothedError {
  let boxes: [TailedSample.Box]
  let levelCount: Int

  func callAsFunction(_ low: Double, _ high: Double) -> Double {
    let step = (high - low) / Double(levelCount)
    let top = Double(levelCount - 1)
    func integral(_ u: Double) -> Double {
      let below = u < top ? u : top
      let index = Double(Int32(below > 0 ? below : 0))
      let offset = u - index - 0.5
      return index / 12 + (offset * offset * offset + 0.125) / 3
    }
    var sum = 0.0
    for box in boxes {
      let (u, half) = ((box.centre - low) / step, box.halfWidth / step)
      sum += box.weight * (integral(u + half) - integral(u - half)) / (2 * half)
    }
    return sum * step * step
  }
}
