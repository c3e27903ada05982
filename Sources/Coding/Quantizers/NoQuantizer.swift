import Parts

/// No quantiser: the codeword travels as real numbers, for analogue feedback and for studies of compression alone.
public struct NoQuantizer: Quantizer, Part {
  public static let schema = PartSchema(
    .quantizer, "none", "No quantiser: the codeword travels as real numbers.")

  public init(_ settings: Settings, in context: LinkContext, fitted: Artefact?) {}

  public var alphabets: [Int]? { nil }

  /// - Precondition: never called, as ``alphabets`` is nil.
  public func symbols(
    of values: UnsafeBufferPointer<Float>, into symbols: UnsafeMutableBufferPointer<UInt32>
  ) -> Int {
    preconditionFailure("a codeword without a quantiser has no symbols")
  }

  /// - Precondition: never called, as ``alphabets`` is nil.
  public func values(
    of symbols: UnsafeBufferPointer<UInt32>, into values: UnsafeMutableBufferPointer<Float>
  ) {
    preconditionFailure("a codeword without a quantiser has no symbols")
  }
}
