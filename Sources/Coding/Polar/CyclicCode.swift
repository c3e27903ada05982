/// A cyclic redundancy check: the remainder of the message, times x^L, divided by a generator polynomial of degree L.
///
/// The register starts at zero and the first bit is the highest power. All single errors, all bursts of at most L bits and, up
/// to the length given by the generator's order, all double errors leave a remainder.
///
/// Reference: 3GPP TS 38.212, clause 5.1.
public struct CyclicCode: Sendable, Hashable {
  /// Number L of check bits.
  public let degree: Int
  /// The generator without its leading power: bit i is the coefficient of x^i.
  public let generator: UInt32

  /// The code of a generator polynomial given by its exponents, such as `[6, 5, 0]`.
  ///
  /// - Precondition: the largest exponent lies in 1...31.
  public init(exponents: [Int]) {
    degree = exponents.max() ?? 0
    precondition((1...31).contains(degree), "a generator of degree \(degree)")
    generator = exponents.reduce(0) { $0 | 1 << UInt32($1) } & (1 << UInt32(degree) - 1)
  }

  /// gCRC6 of uplink control information of 12 to 19 bits.
  public static let crc6 = CyclicCode(exponents: [6, 5, 0])
  /// gCRC11 of uplink control information of 20 bits and more.
  public static let crc11 = CyclicCode(exponents: [11, 10, 9, 5, 0])

  /// The remainder: check bits of a message, the first one in bit L - 1. O(bits).
  public func remainder(of bits: some Sequence<UInt8>) -> UInt32 {
    let top = UInt32(1) << UInt32(degree - 1)
    let mask = top << 1 &- 1
    var register: UInt32 = 0
    for bit in bits {
      let feedback = (register & top != 0) != (bit != 0)
      register = register << 1 & mask
      if feedback { register ^= generator }
    }
    return register
  }

  /// The message with its check bits behind it.
  public func appended(to bits: some Sequence<UInt8>) -> [UInt8] {
    let check = remainder(of: bits)
    return Array(bits) + (0..<degree).map { UInt8(check >> UInt32(degree - 1 - $0) & 1) }
  }

  /// What each bit of a word of `length` bits, check bits included, adds to its syndrome: `x^(length - 1 - k)` modulo the
  /// generator. The word is legal if the exclusive or over its ones is zero.
  public func syndromes(length: Int) -> [UInt32] {
    let top = UInt32(1) << UInt32(degree - 1)
    var power: UInt32 = 1
    var result = [UInt32](repeating: 0, count: length)
    for k in result.indices.reversed() {
      result[k] = power
      let carry = power & top != 0
      power = (power & (top - 1)) << 1 ^ (carry ? generator : 0)
    }
    return result
  }
}
