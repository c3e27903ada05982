import Codecs
import LinkMath
import Parts

/// Uncoded QPSK, two bits for each symbol, Gray, with hard decisions over additive noise or Rayleigh fading.
///
/// See `ModulatedChannel` for the signal model, the meaning of the SNR (Eb/N0) and the error rates.
public struct QPSKFeedback: FeedbackLink, Part {
  public static let schema = PartSchema(
    .feedback, "qpsk", "Uncoded QPSK with hard decisions over white noise or Rayleigh fading.",
    reference: "J. G. Proakis and M. Salehi, Digital Communications, 5th ed., 2008",
    parameters: ModulatedChannel.declarations)

  public static let carries: Set<FeedbackKind> = [.payload]

  private let channel: ModulatedChannel

  public init(_ settings: Settings, in context: LinkContext, fitted: Artefact?) throws {
    channel = try ModulatedChannel(settings, bitsPerSymbol: 2)
  }

  public func bitErrorRate(bits count: Int) -> Double { channel.bitErrorRate(bits: count) }

  public func transmit(_ reports: [Report], _ block: DropBlock, slot: Int) -> [Delivery] {
    channel.transmit(reports, block, slot: slot)
  }
}
