/// The bits of a report in transmission order; everything that crosses a digital feedback link.
///
/// Bits are packed most significant first; unused bits of the last byte are zero.
public struct BitString: Sendable, Hashable {
  /// The bits, eight to a byte, most significant first.
  public private(set) var bytes: [UInt8] = []
  /// Number of bits.
  public private(set) var count = 0

  /// No bits.
  public init() {}

  /// So many zeros.
  public init(zeros count: Int) {
    precondition(count >= 0)
    bytes = [UInt8](repeating: 0, count: (count + 7) / 8)
    self.count = count
  }

  /// Whether the i-th bit is one, counted from 0 in transmission order.
  public subscript(_ i: Int) -> Bool {
    precondition(i >= 0 && i < count, "bit \(i) of \(count)")
    return bytes[i >> 3] >> (7 - UInt8(i & 7)) & 1 == 1
  }

  /// Inverts the i-th bit, as a bit error does.
  public mutating func flip(_ i: Int) {
    precondition(i >= 0 && i < count, "bit \(i) of \(count)")
    bytes[i >> 3] ^= 0x80 >> UInt8(i & 7)
  }

  /// Appends the `width` low bits of a value, most significant first.
  ///
  /// - Precondition: `0 <= width <= 32` and the value fits.
  public mutating func append(_ value: UInt32, width: Int) {
    precondition((0...32).contains(width) && UInt64(value) < 1 << UInt64(width))
    var left = width
    while left > 0 {
      if count & 7 == 0 { bytes.append(0) }
      let room = 8 - count & 7
      let taken = min(room, left)
      let part = UInt8(truncatingIfNeeded: value >> UInt32(left - taken)) & UInt8(1 << taken - 1)
      bytes[bytes.count - 1] |= part << UInt8(room - taken)
      count += taken
      left -= taken
    }
  }

  /// Appends the bits of another string.
  public mutating func append(_ other: BitString) {
    var reader = BitReader(other)
    var left = other.count
    while left > 0 {
      let width = min(32, left)
      append(reader.read(width), width: width)
      left -= width
    }
  }

  /// Appends the `width` low bits of each value, most significant first; about a nanosecond each.
  ///
  /// - Precondition: `0 <= width <= 32` and every value fits.
  public mutating func append(_ values: UnsafeBufferPointer<UInt32>, width: Int) {
    precondition((0...32).contains(width))
    precondition(UInt64(values.reduce(0, |)) < 1 << UInt64(width), "value wider than \(width) bits")
    var position = count >> 3
    var held = count & 7
    count += values.count * width
    bytes.append(contentsOf: repeatElement(0, count: (count + 7) / 8 - bytes.count))
    bytes.withUnsafeMutableBufferPointer { bytes in
      var window: UInt64 = held == 0 ? 0 : UInt64(bytes[position]) >> UInt64(8 - held)
      for value in values {
        window = window << UInt64(width) | UInt64(value)
        held += width
        while held >= 8 {
          held -= 8
          bytes[position] = UInt8(truncatingIfNeeded: window >> UInt64(held))
          position += 1
        }
      }
      if held > 0 { bytes[position] = UInt8(truncatingIfNeeded: window << UInt64(8 - held)) }
    }
  }

  /// Number of positions in which two strings of equal length differ.
  public func hammingDistance(to other: BitString) -> Int {
    precondition(count == other.count)
    return zip(bytes, other.bytes).reduce(0) { $0 + ($1.0 ^ $1.1).nonzeroBitCount }
  }
}

/// Reads a bit string from its start.
public struct BitReader: Sendable {
  private let bits: BitString
  /// Bits that were read.
  public private(set) var position = 0

  /// A reader at the first bit.
  public init(_ bits: BitString) { self.bits = bits }

  /// Bits that were not read yet.
  public var remaining: Int { bits.count - position }

  /// The next `width` bits, most significant first.
  ///
  /// - Precondition: `0 <= width <= 32` and that many bits remain.
  public mutating func read(_ width: Int) -> UInt32 {
    precondition((0...32).contains(width) && width <= remaining)
    var value: UInt32 = 0
    var left = width
    while left > 0 {
      let byte = bits.bytes[position >> 3]
      let room = 8 - position & 7
      let taken = min(room, left)
      let part = byte >> UInt8(room - taken) & UInt8(truncatingIfNeeded: 1 << taken - 1)
      value = value << UInt32(taken) | UInt32(part)
      position += taken
      left -= taken
    }
    return value
  }

  /// Reads as many values as the target holds, each `width` bits, most significant first.
  ///
  /// - Precondition: `0 <= width <= 32` and that many bits remain.
  public mutating func read(_ width: Int, into values: UnsafeMutableBufferPointer<UInt32>) {
    precondition((0...32).contains(width) && values.count * width <= remaining)
    let mask = UInt64(1) << UInt64(width) - 1
    bits.bytes.withUnsafeBufferPointer { bytes in
      var next = position >> 3
      var window: UInt64 = 0
      var held = 0
      if position & 7 != 0 {
        window = UInt64(bytes[next])
        held = 8 - position & 7
        next += 1
      }
      for i in values.indices {
        while held < width {
          window = window << 8 | UInt64(bytes[next])
          held += 8
          next += 1
        }
        held -= width
        values[i] = UInt32(truncatingIfNeeded: window >> UInt64(held) & mask)
      }
    }
    position += values.count * width
  }

  /// The next `count` bits.
  ///
  /// - Precondition: that many bits remain.
  public mutating func readString(_ count: Int) -> BitString {
    var result = BitString()
    var left = count
    while left > 0 {
      let width = min(32, left)
      result.append(read(width), width: width)
      left -= width
    }
    return result
  }
}
