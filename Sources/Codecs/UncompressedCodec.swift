import LinkMath
import Parts

/// No compression: the codeword is the CSI itself.
///
/// `s = [Re h, Im h]` with h the angular-delay CSI as a vector, so M = 2 · taps · angles. It isolates the effect of the
/// quantiser and of the feedback link from that of compression.
public struct UncompressedCodec: CodewordCodec, Part {
  public static let schema = PartSchema(
    .codec, "none", "No compression: the codeword is the angular-delay CSI, re plane then im plane."
  )

  private let taps: Int
  private let angles: Int

  public init(_ settings: Settings, in context: LinkContext, fitted: Artefact?) {
    (taps, angles) = (context.tapCount, context.portCount)
    precondition(taps > 0 && angles > 0, "a codec is made after the transform")
  }

  public var codewordLength: Int { 2 * taps * angles }

  public func encode(_ csi: ComplexArray) -> Codeword {
    csi.requireShape([nil, taps, angles], "[drop, delay, angle]")
    return Codeword(values: RealPlanes.split(csi))
  }

  public func decode(_ codeword: Codeword) -> ComplexArray {
    RealPlanes.merge(codeword.values, taps: taps, angles: angles)
  }
}
