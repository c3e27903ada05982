import LinkMath
import Parts

/// What is done to the power of each frequency response.
public enum Normalisation: String, Choice {
  /// The model's own power: large-scale and small-scale fading stay in.
  case none
  /// Each matrix [subcarrier, port] is scaled to mean power 1 per entry, `‖H‖_F² = Nc Nt`.
  case sample

  /// The key that every channel model offers.
  static func parameter(default value: Normalisation) -> Parameter<Normalisation> {
    .choice(
      "normalise", default: value,
      """
      Power of the frequency response: none keeps the model's, sample scales each matrix \
      [subcarrier, port] to mean power 1 per entry.
      """)
  }

  /// Scales one matrix.
  ///
  /// - Returns: false if it has to be scaled but holds no energy; it is unchanged then.
  func apply(to matrix: UnsafeMutableBufferPointer<ComplexFloat>) -> Bool {
    guard self == .sample else { return true }
    let energy = matrix.reduce(0.0) { sum, value in
      let (re, im) = (Double(value.real), Double(value.imaginary))
      return sum + (re * re + im * im)
    }
    guard energy > 0 else { return false }
    let gain = Float((Double(matrix.count) / energy).squareRoot())
    for i in matrix.indices {
      matrix[i] = ComplexFloat(matrix[i].real * gain, matrix[i].imaginary * gain)
    }
    return true
  }
}
