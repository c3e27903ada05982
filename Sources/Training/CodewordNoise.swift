import LinkMath
import Networks
import Parts

/// White Gaussian noise on codewords, its power set by the mean square of all codewords it is added to.
///
/// `s' = s + n`, `n ~ N(0, P / SNR)`, `P` the mean of `s²` over the batch. The power counts as a
/// constant in back-propagation.
public final class CodewordNoise: CodewordStepPart {
  static let snr = Parameter<Double?>.optional(
    "codeword_snr_db", .number(.level, -100...200),
    """
    White Gaussian noise on the codeword, power relative to the mean square of the batch's codewords (constant in \
    back-propagation); none if left out.
    """)

  public static let word = "noise"
  public static let summary = "white Gaussian noise"
  public static let keys = [snr.declaration]

  private let snr: Double
  private let seed: UInt64

  init(snr: Double, seed: UInt64) {
    self.snr = snr
    self.seed = seed
  }

  public static func make(_ settings: Settings, for network: NetworkChoice, seed: UInt64)
    -> CodewordNoise?
  {
    settings[snr].map { CodewordNoise(snr: linear(decibels: $0), seed: seed) }
  }

  public var needsPower: Bool { true }

  /// Adds noise; each sample has a stream of its own.
  public func forward(_ codewords: UnsafeMutablePointer<Float>, _ pass: CodewordPass) -> Double {
    let meanSquare = pass.power!
    let key = StreamKey(seed: seed, domain: pass.domain, purpose: .feedbackNoise)
    let scale = Float((meanSquare / snr).squareRoot())
    for sample in 0..<pass.samples {
      var stream = key.stream(drop: pass.first + sample, slot: pass.epoch)
      stream.addNormal(
        to: UnsafeMutableBufferPointer(
          start: codewords + sample * pass.length, count: pass.length), scale: scale)
    }
    return 0
  }

  static func meanSquare(_ codewords: UnsafePointer<Float>, count: Int) -> Double {
    var sum = 0.0
    for i in 0..<count { sum += Double(codewords[i]) * Double(codewords[i]) }
    return sum / Double(max(count, 1))
  }
}
