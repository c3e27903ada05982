import Parts

/// No quantiser: the codeword travels as real numbers, for analogue feedback and for studies of compression alone.
public struct NoQuantizer: Quantizer, Part {
  public static let schema = PartSchema(
    .quantizer, "none", "No quantiser: the codeword travels as real numbers.")

  public init(_ settings: Settings, in context: LinkContext, fitted: Artefact?) {}

  public var bitCount: Int? { nil }

  /// - Precondition: never called, as ``bitCount`` is nil.
  public func quantize(_ values: UnsafeBufferPointer<Float>, into bits: inout BitString) -> Int {
    preconditionFailure("a codeword without a quantiser has no bits")
  }

  /// - Precondition: never called, as ``bitCount`` is nil.
  public func dequantize(
    _ bits: inout BitReader, into values: UnsafeMutableBufferPointer<Float>
  ) {
    preconditionFailure("a codeword without a quantiser has no bits")
  }
}
