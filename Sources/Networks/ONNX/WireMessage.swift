/// A message in protobuf's wire format: fields in any order, each a number and a value.
///
/// The format is five rules, of which ONNX files use four, and a reader bounded by its file is shorter than the code that
/// swift-protobuf would generate for `onnx.proto3`, with a dependency of everything that is slow to build: messages are read once, in place, and tensors stay where
/// they lie until a network uses them, so a damaged file can neither recurse nor allocate more than it holds.
///
/// Reference: Protocol Buffers, *Encoding*, protobuf.dev/programming-guides/encoding.
struct WireMessage {
  /// A value by its wire type.
  enum Value {
    case integer(UInt64)
    case fixed32(UInt32)
    case fixed64(UInt64)
    /// Bytes, text, a message or packed numbers.
    case bytes(WireMessage)

    /// A signed whole number, as `int32` and `int64` are.
    var int: Int? {
      if case .integer(let value) = self { Int(Int64(bitPattern: value)) } else { nil }
    }
    var message: WireMessage? { if case .bytes(let message) = self { message } else { nil } }
    var text: String? { message.map { String(decoding: $0.content, as: UTF8.self) } }
  }

  /// Damage, with its place in the file.
  struct Damage: Error {
    let offset: Int
    let expected: String
  }

  private let file: [UInt8]
  /// Where the message lies in the file.
  let range: Range<Int>

  /// The whole file as a message.
  init(_ file: [UInt8]) { self.init(file, file.indices) }

  private init(_ file: [UInt8], _ range: Range<Int>) { (self.file, self.range) = (file, range) }

  /// The bytes of the message.
  var content: ArraySlice<UInt8> { file[range] }

  /// Calls `body` with number and value of each field in the order of the file.
  ///
  /// - Throws: ``Damage`` for bytes that are no fields.
  func forEachField(_ body: (Int, Value) throws -> Void) throws {
    var place = range.lowerBound
    while place < range.upperBound {
      let start = place
      let tag = try varint(&place)
      let number = Int(tag >> 3)
      guard tag >> 3 > 0, tag >> 3 < 1 << 29 else {
        throw Damage(offset: start, expected: "the number of a field")
      }
      switch tag & 7 {
      case 0: try body(number, .integer(try varint(&place)))
      case 1: try body(number, .fixed64(try fixed(&place)))
      case 2:
        let length = try varint(&place)
        guard length <= UInt64(range.upperBound - place) else {
          throw Damage(offset: start, expected: "a field that ends inside its message")
        }
        let end = place + Int(length)
        try body(number, .bytes(WireMessage(file, place..<end)))
        place = end
      case 5: try body(number, .fixed32(try fixed(&place)))
      default: throw Damage(offset: start, expected: "a field of a known wire type")
      }
    }
  }

  /// The message as whole numbers one after another.
  func packedIntegers() throws -> [Int] {
    var (place, values) = (range.lowerBound, [Int]())
    while place < range.upperBound { values.append(Int(Int64(bitPattern: try varint(&place)))) }
    return values
  }

  /// The message as little-endian numbers of equal width.
  func packed<Number: FixedWidthInteger>(_: Number.Type) throws -> [Number] {
    let width = MemoryLayout<Number>.size
    guard range.count % width == 0 else {
      throw Damage(offset: range.lowerBound, expected: "numbers of \(width) bytes")
    }
    return file.withUnsafeBytes { bytes in
      (0..<range.count / width).map {
        Number(
          littleEndian: bytes.loadUnaligned(
            fromByteOffset: range.lowerBound + width * $0, as: Number.self))
      }
    }
  }

  private func varint(_ place: inout Int) throws -> UInt64 {
    var (value, start) = (UInt64(0), place)
    for shift in stride(from: 0, to: 64, by: 7) {
      guard place < range.upperBound else {
        throw Damage(offset: start, expected: "a number that ends inside its message")
      }
      let byte = file[place]
      place += 1
      value |= UInt64(byte & 0x7F) << UInt64(shift)
      if byte < 0x80 { return value }
    }
    start = place
    throw Damage(offset: start, expected: "a number of at most 64 bits")
  }

  private func fixed<Number: FixedWidthInteger>(_ place: inout Int) throws -> Number {
    let width = MemoryLayout<Number>.size
    guard range.upperBound - place >= width else {
      throw Damage(offset: place, expected: "a number of \(width) bytes")
    }
    let number = file.withUnsafeBytes {
      Number(littleEndian: $0.loadUnaligned(fromByteOffset: place, as: Number.self))
    }
    place += width
    return number
  }
}
