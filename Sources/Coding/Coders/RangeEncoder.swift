/// Writes symbols of given frequencies into about `log2(total / frequency)` bits each: a range coder.
///
/// The code is a number in [0, 1) in binary. The encoder keeps the interval `[low, low + range)` of numbers that begin with the
/// symbols so far, in units that it halves until range takes all of 32 bits; bits that leave at the top are written, and a carry
/// runs back through them. All arithmetic is on integers, so that any machine reads what another one wrote.
///
/// Reference: G. N. N. Martin, Video & Data Recording Conf. (1979), "Range encoding"; I. H. Witten, R. M. Neal and J. G. Cleary,
/// Commun. ACM 30 (1987) 520, doi:10.1145/214762.214771.
public struct RangeEncoder: Sendable {
  /// Frequencies are shares of 2^16.
  public static let precision = 16

  private var bits: BitString
  private let start: Int
  private var low: UInt64 = 0
  private var range: UInt32 = .max

  /// An encoder that writes behind the bits of a string.
  public init(_ bits: BitString) {
    self.bits = bits
    start = bits.count
  }

  /// Writes the symbol that takes the shares `first ..< first + frequency` of 2^16.
  ///
  /// - Precondition: the frequency is positive, and the shares do not exceed 2^16.
  public mutating func write(first: UInt32, frequency: UInt32) {
    precondition(frequency > 0 && first + frequency <= 1 << UInt32(Self.precision))
    let unit = range >> UInt32(Self.precision)
    low += UInt64(unit * first)
    // The last symbol takes what the division leaves.
    let isLast = first + frequency == 1 << UInt32(Self.precision)
    range = isLast ? range - unit * first : unit * frequency
    carry()
    let shift = range.leadingZeroBitCount
    guard shift > 0 else { return }
    bits.append(UInt32(low >> UInt64(32 - shift)), width: shift)
    low = low << UInt64(shift) & 0xffff_ffff
    range <<= UInt32(shift)
  }

  /// Adds what is above 32 bits to the bits that were written.
  private mutating func carry() {
    guard low >> 32 != 0 else { return }
    low &= 0xffff_ffff
    var place = bits.count - 1
    while place >= start, bits[place] {
      bits.flip(place)
      place -= 1
    }
    precondition(place >= start, "the code stays below one")
    bits.flip(place)
  }

  /// The bits, with at most one more that tells the interval from its neighbours; the reader takes zeros for bits behind the end.
  public consuming func finished() -> BitString {
    guard low > 0 else { return bits }
    if low + UInt64(range) > 1 << 32 {
      low = 1 << 32
      carry()
    } else {
      bits.append(1, width: 1)
    }
    return bits
  }
}

/// Reads what ``RangeEncoder`` wrote; any bits give some symbols.
public struct RangeDecoder: Sendable {
  private var bits: BitReader
  /// The code less the lower end of the interval.
  private var code: UInt32
  private var range: UInt32 = .max

  /// A decoder of all bits that are left, and zeros behind them.
  public init(_ bits: BitReader) {
    self.bits = bits
    code = 0
    code = next(32)
  }

  private mutating func next(_ width: Int) -> UInt32 {
    let there = min(width, bits.remaining)
    let value = UInt64(bits.read(there)) << UInt64(width - there)
    return UInt32(truncatingIfNeeded: value)
  }

  /// The share of 2^16 that the next symbol covers.
  public func share() -> UInt32 {
    min(code / (range >> UInt32(RangeEncoder.precision)), 1 << UInt32(RangeEncoder.precision) - 1)
  }

  /// Takes the symbol off that covers ``share()``: its shares are `first ..< first + frequency`.
  ///
  /// - Precondition: they contain it.
  public mutating func remove(first: UInt32, frequency: UInt32) {
    let unit = range >> UInt32(RangeEncoder.precision)
    let isLast = first + frequency == 1 << UInt32(RangeEncoder.precision)
    code &-= unit * first
    range = isLast ? range - unit * first : unit * frequency
    let shift = range.leadingZeroBitCount
    guard shift > 0 else { return }
    code = code << UInt32(shift) | next(shift)
    range <<= UInt32(shift)
  }
}
