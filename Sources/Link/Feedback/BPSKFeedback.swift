import Codecs
import LinkMath
import Parts

/// Uncoded BPSK, one bit for each symbol, with hard decisions over additive noise or Rayleigh fading.
///
/// See `UncodedTransmission` for the signal model, the meaning of the SNR (Eb/N0) and the error rates.
public struct BPSKFeedback: FeedbackLink, Part {
  public static let schema = PartSchema(
    .feedback, "bpsk", "Uncoded BPSK with hard decisions over white noise or Rayleigh fading.",
    reference: "J. G. Proakis and M. Salehi, Digital Communications, 5th ed., 2008",
    parameters: UncodedTransmission.declarations)

  public static let carries: Set<FeedbackKind> = [.payload]

  private let transmission: UncodedTransmission

  public init(_ settings: Settings, in context: LinkContext, fitted: Artefact?) {
    transmission = UncodedTransmission(settings, bitsPerSymbol: 1)
  }

  public var bitErrorRate: Double { transmission.bitErrorRate }

  public func transmit(_ reports: [Report], _ block: DropBlock, slot: Int) -> [Delivery] {
    transmission.transmit(reports, block, slot: slot)
  }
}
