/// SplitMix64, so that every run damages files in the same way.
public struct Generator: RandomNumberGenerator {
  private var state: UInt64

  public init(state: UInt64) { self.state = state }

  public mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}

/// Changes a few bytes, mostly near the start and the end, where the structure of files is.
public func damage(_ bytes: [UInt8], _ random: inout Generator) -> [UInt8] {
  var copy = bytes
  let zone = min(bytes.count, 6000)
  let position =
    switch random.next() % 4 {
    case 0, 1: Int.random(in: 0..<zone, using: &random)
    case 2: bytes.count - 1 - Int.random(in: 0..<zone, using: &random)
    default: Int.random(in: 0..<bytes.count, using: &random)
    }
  let end = min(bytes.count, position + [1, 1, 1, 2, 4, 8].randomElement(using: &random)!)
  for index in position..<end {
    switch random.next() % 4 {
    case 0: copy[index] = 0xFF
    case 1: copy[index] = 0
    case 2: copy[index] ^= 1 << UInt8(random.next() % 8)
    default: copy[index] = UInt8(truncatingIfNeeded: random.next())
    }
  }
  return copy
}

/// Damages a file in one of the ways that files come to harm, or that a hostile writer would choose: changed bytes,
/// truncation, a part lost, moved or doubled, and texts in the place of others.
public func mutated(_ bytes: [UInt8], _ random: inout Generator) -> [UInt8] {
  guard bytes.count > 2 else { return damage(bytes, &random) }
  let start = Int.random(in: 0..<bytes.count, using: &random)
  let end = min(bytes.count, start + Int.random(in: 1...64, using: &random))
  switch random.next() % 12 {
  case 0: return Array(bytes[..<start])
  case 1: return Array(bytes[..<start] + bytes[end...])
  case 2: return Array(bytes[..<end] + bytes[start...])
  case 3:
    let place = Int.random(in: 0..<bytes.count, using: &random)
    return Array(bytes[..<place] + bytes[start..<end] + bytes[place...])
  case 4, 5, 6:
    // In the place of a number or word, as digits and letters delimit it.
    let isWord = { (byte: UInt8) in
      (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte & 0xDF)
        || [0x2B, 0x2D, 0x2E, 0x5F].contains(byte)
    }
    let zone = Int.random(in: 0..<min(bytes.count, 6000), using: &random)
    let first = bytes[zone...].firstIndex(where: isWord) ?? zone
    let last = bytes[first...].firstIndex { !isWord($0) } ?? bytes.count
    return Array(bytes[..<first]) + Array(texts.randomElement(using: &random)!.utf8)
      + Array(bytes[min(last, first + 200)...])
  case 7: return damage(damage(damage(bytes, &random), &random), &random)
  default: return damage(bytes, &random)
  }
}

private let texts =
  [
    "", "0", "-1", "1e999", "-1e999", "nan", "inf", "1e-320", "0.1", "9223372036854775807",
    "9223372036854775808", "-9223372036854775808", "18446744073709551616", "4294967296",
    "2147483648", "1073741824", "1000000007", "null", "true", "[]", "{}", "\"\"", "~", "*a", "&a",
    "!!binary x", "a: b: c", "\u{0}", "\u{FEFF}", "\u{202E}", "\r\n", "\t", "e\u{301}",
  ] + [String(repeating: "[", count: 20_000), String(repeating: "{a: ", count: 5000)]
