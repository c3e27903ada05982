import LinkMath

/// White Gaussian noise on codewords, its power set by the mean square of all codewords it is added to.
///
/// `s' = s + n`, `n ~ N(0, P / SNR)`, `P` the mean of `s²` over the batch. The power counts as a
/// constant in back-propagation.
struct CodewordNoise: Sendable {
  let snr: Double
  let key: StreamKey

  /// Adds noise to `samples` codewords; each sample has a stream of its own.
  ///
  /// - Parameters:
  ///   - first: number of the first sample, which with `slot` selects the streams.
  ///   - meanSquare: P.
  func add(
    to codewords: UnsafeMutablePointer<Float>, samples: Int, length: Int, first: Int, slot: Int = 0,
    meanSquare: Double
  ) {
    let scale = Float((meanSquare / snr).squareRoot())
    for sample in 0..<samples {
      var stream = key.stream(drop: first + sample, slot: slot)
      stream.addNormal(
        to: UnsafeMutableBufferPointer(start: codewords + sample * length, count: length),
        scale: scale)
    }
  }

  static func meanSquare(_ codewords: UnsafePointer<Float>, count: Int) -> Double {
    var sum = 0.0
    for i in 0..<count { sum += Double(codewords[i]) * Double(codewords[i]) }
    return sum / Double(max(count, 1))
  }
}
