import LinkMath
import Parts

/// What is done to the power of each frequency response.
public enum PowerScaling: String, Choice {
  /// The model's own power: large-scale and small-scale fading stay in.
  case none
  /// Each matrix [subcarrier, port] is scaled to mean power 1 per entry, `‖H‖_F² = Nc Nt`.
  case sample
  /// All matrices are scaled by one factor, learned from drops, that makes the mean power of an entry 1; done by
  /// ``ScaledChannel``.
  case dataset

  /// The key that every channel model offers.
  static func parameter(default value: PowerScaling) -> Parameter<PowerScaling> {
    .choice(
      "normalise", default: value,
      """
      Power of the frequency response: none keeps the model's, sample scales each matrix \
      [subcarrier, port] to mean power 1 per entry, dataset all of them by one factor learned from drops.
      """)
  }

  /// Complains about a model whose power, far from 1, is left as it is.
  func warnings(_ part: String) -> [SettingsError] {
    guard self == .none else { return [] }
    return [
      SettingsError(
        part: part, key: "normalise",
        reason:
          "'none' leaves the path loss in, but SNRs are those of a channel of unit mean power",
        hint: "'dataset' takes the mean path loss out and leaves the differences between drops")
    ]
  }

  /// Scales one matrix.
  ///
  /// - Returns: the amplitude that it was divided by; nil if it has to be scaled but its energy is zero, or too small or
  ///   large for single precision; it is unchanged then.
  func apply(to matrix: UnsafeMutableBufferPointer<ComplexFloat>) -> Double? {
    guard self == .sample else { return 1 }
    let energy = Self.energy(matrix)
    guard energy > 0 && energy.isFinite else { return nil }
    let gain = Float((Double(matrix.count) / energy).squareRoot())
    matrix.withMemoryRebound(to: Float.self) { values in
      for i in values.indices { values[i] *= gain }
    }
    return 1 / Double(gain)
  }

  /// Sum of |x|², eight partial sums in single precision folded in double precision every 512 values.
  private static func energy(_ matrix: UnsafeMutableBufferPointer<ComplexFloat>) -> Double {
    matrix.withMemoryRebound(to: Float.self) { values in
      var total = 0.0
      for start in stride(from: 0, to: values.count, by: 512) {
        let end = min(start + 512, values.count)
        var partial = SIMD8<Float>(repeating: 0)
        var i = start
        while i + 8 <= end {
          let x = UnsafeRawPointer(values.baseAddress! + i).loadUnaligned(as: SIMD8<Float>.self)
          partial += x * x
          i += 8
        }
        total += Double(partial.sum())
        for rest in i..<end { total += Double(values[rest]) * Double(values[rest]) }
      }
      return total
    }
  }
}
