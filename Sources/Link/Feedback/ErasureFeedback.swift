import Codecs
import LinkMath
import Parts

/// Reports that are lost as a whole, as by a check sum that fails; the others arrive over uncoded BPSK.
///
/// A report is lost independently with probability p, and the BS knows: one random word is drawn for each report, so the
/// losses at a smaller p are among those at a larger p. What arrives has hard decisions and log-likelihood ratios.
public struct ErasureFeedback: FeedbackLink, Part {
  static let loss = Parameter.number("loss", in: 0...1, "Probability that a report is lost.")

  public static let schema = PartSchema(
    .feedback, "erasure", "Reports are lost as a whole, or arrive over uncoded BPSK.",
    reference: "T. M. Cover and J. A. Thomas, Elements of Information Theory, 2006, 7.1.5",
    parameters: [loss.declaration] + ModulatedChannel.declarations)

  public static let carries: Set<FeedbackKind> = [.payload]

  /// p · 2^32: a random word below it loses its report.
  private let threshold: UInt64
  private let channel: ModulatedChannel

  public init(_ settings: Settings, in context: LinkContext, fitted: Artefact?) throws {
    threshold = UInt64((settings[Self.loss] * 0x1p32).rounded())
    channel = try ModulatedChannel(settings, bitsPerSymbol: 1)
  }

  public func bitErrorRate(bits count: Int) -> Double {
    (1 - lossRate(bits: count)) * channel.bitErrorRate(bits: count)
  }
  public func lossRate(bits count: Int) -> Double { Double(threshold) * 0x1p-32 }

  public func transmit(_ reports: [Report], _ block: DropBlock, slot: Int) -> [Delivery] {
    channel.transmit(reports, block, slot: slot).enumerated().map { drop, delivery in
      // Beyond the branches, which have the first streams.
      var stream = block.stream(drop, slot: slot, .feedbackNoise, instance: 64)
      return UInt64(stream.nextWord()) < threshold ? .lost : delivery
    }
  }
}
