import Codecs
import LinkMath
import Parts

/// The binary symmetric channel: each bit of the payload flips independently with probability p.
///
/// Capacity `1 - h2(p)` bits for each bit sent; a payload of B bits arrives unharmed with probability `(1 - p)^B`.
/// One random word is drawn for each bit and the bit flips if the word is below `p 2^32`, so the flips at a smaller p
/// are a subset of those at a larger p. p is thereby rounded to a multiple of 2^-32.
///
/// Reference: T. M. Cover and J. A. Thomas, *Elements of Information Theory*, 2nd ed., 2006, section 7.1.4.
public struct BinarySymmetricFeedback: FeedbackLink, Part {
  static let flipProbability = Parameter.number(
    "p", in: 0...1, "Probability that a bit flips.")

  public static let schema = PartSchema(
    .feedback, "bsc", "Binary symmetric channel: bits of the payload flip independently.",
    reference: "T. M. Cover and J. A. Thomas, Elements of Information Theory, 2006, 7.1.4",
    parameters: [flipProbability.declaration])

  public static let carries: Set<FeedbackKind> = [.payload]

  /// p · 2^32: a random word below it flips its bit.
  private let threshold: UInt64

  public init(_ settings: Settings, in context: LinkContext, fitted: Artefact?) {
    threshold = UInt64((settings[Self.flipProbability] * 0x1p32).rounded())
  }

  public func bitErrorRate(bits count: Int) -> Double { Double(threshold) * 0x1p-32 }

  /// - Complexity: one random word for each bit.
  public func transmit(_ reports: [Report], _ block: DropBlock, slot: Int) -> [Delivery] {
    reports.enumerated().map { i, report in
      var stream = block.stream(i, slot: slot, .feedbackNoise)
      return .bits(withFlips(report.bits, &stream))
    }
  }

  private func withFlips(_ payload: BitString, _ stream: inout RandomStream) -> BitString {
    var received = payload
    withUnsafeTemporaryAllocation(of: UInt32.self, capacity: payload.count) { words in
      stream.fill(words: words)
      for (i, word) in words.enumerated() where UInt64(word) < threshold { received.flip(i) }
    }
    return received
  }
}
