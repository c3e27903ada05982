import Foundation

/// The density behind a sorted sample: its values, and beyond the outermost of each side a generalised Pareto tail.
///
/// A fine quantiser's error on new values is that of the few which lie outside what was fitted; a sample has no such values.
/// Each tail stands for the k outermost samples, k = n/100 but 8 to 200: their excesses over the next one inwards give
/// scale and shape by probability-weighted moments. The shape is lowered by one and a half standard errors and held
/// in 0...1/2, so that light tails count as exponential and chance does not stretch the range.
///
/// Reference: J. R. M. Hosking and J. R. Wallis, Technometrics 29 (1987) 339, doi:10.1080/00401706.1987.10488243.
struct TailedSample {
  /// A box of the density: its centre, half width and probability.
  struct Box {
    let centre: Double
    let halfWidth: Double
    let weight: Double
  }

  /// Ascending.
  private(set) var boxes: [Box]

  /// - Parameters:
  ///   - samples: ascending, at least one.
  ///   - halfWidth: of the box around each sample.
  init(_ samples: [Float], halfWidth: Double) {
    let count = samples.count
    let tail = min(max(count / 100, 8), min(200, count / 2))
    let weight = 1 / Double(count)
    let share = Double(tail) * weight
    let upper = Self.tail(samples.suffix(tail + 1).map(Double.init), share)
    let lower = Self.tail(samples.prefix(tail + 1).reversed().map { -Double($0) }, share)
    let body = samples[(lower == nil ? 0 : tail)..<(count - (upper == nil ? 0 : tail))]
    boxes = (lower ?? []).reversed().map {
      Box(centre: -$0.centre, halfWidth: $0.halfWidth, weight: $0.weight)
    }
    boxes += body.map { Box(centre: Double($0), halfWidth: halfWidth, weight: weight) }
    boxes += upper ?? []
  }

  /// The upper tail that stands for all but the first of ascending values; nil if they do not differ.
  private static func tail(_ values: [Double], _ share: Double) -> [Box]? {
    guard let threshold = values.first, values.count > 2, values[values.count - 1] > threshold
    else { return nil }
    let excesses = values.dropFirst().map { $0 - threshold }
    let count = Double(excesses.count)
    let mean = excesses.reduce(0, +) / count
    let weighted =
      excesses.enumerated().reduce(0) { $0 + $1.element * (count - 1 - Double($1.offset)) }
      / (count * (count - 1))
    let difference = mean - 2 * weighted
    let found = difference > 0 ? 2 - mean / difference : 1
    let shape = min(max(found - 1.5 / count.squareRoot(), 0), 0.5)
    let scale = mean * (1 - shape)
    // The value that a share exp(-t) of the tail exceeds.
    func excess(_ t: Double) -> Double {
      shape < 1e-6 ? scale * t : scale * expm1(shape * t) / shape
    }
    let step = 0.25
    return stride(from: 0, to: 30, by: step).map { t in
      let (low, high) = (excess(t), excess(t + step))
      return Box(
        centre: threshold + (low + high) / 2, halfWidth: (high - low) / 2,
        weight: share * (exp(-t) - exp(-t - step)))
    }
  }
}
