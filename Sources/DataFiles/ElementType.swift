/// The type of one real number (or of one part of a complex number) in an array file.
public enum ElementType: String, Sendable, CaseIterable {
  /// Floating point: IEEE 754 half, bfloat16, single and double precision.
  case float16, bfloat16, float32, float64
  /// Two's complement and unsigned integers of so many bits.
  case int8, uint8, int16, uint16, int32, uint32, int64, uint64

  /// Size of one number in bytes.
  public var byteCount: Int {
    switch self {
    case .int8, .uint8: 1
    case .float16, .bfloat16, .int16, .uint16: 2
    case .float32, .int32, .uint32: 4
    case .float64, .int64, .uint64: 8
    }
  }

  /// True for the signed and unsigned integer types.
  public var isInteger: Bool {
    switch self {
    case .float16, .bfloat16, .float32, .float64: false
    default: true
    }
  }

  /// True when `Float` cannot hold every value of the type, so that values are kept as `Double`.
  var needsDouble: Bool { self == .float64 || (isInteger && byteCount > 2) }
}
