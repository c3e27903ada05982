/// A message in protobuf's wire format that is being written, as ``WireMessage`` reads it.
///
/// Reference: Protocol Buffers, *Encoding*, protobuf.dev/programming-guides/encoding.
struct WireWriter {
  private(set) var bytes: [UInt8] = []

  private mutating func varint(_ value: UInt64) {
    var rest = value
    while rest >= 0x80 {
      bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    bytes.append(UInt8(rest))
  }

  private mutating func tag(_ number: Int, _ type: UInt64) { varint(UInt64(number) << 3 | type) }

  /// A whole number, as `int32` and `int64` are.
  mutating func integer(_ number: Int, _ value: Int) {
    tag(number, 0)
    varint(UInt64(bitPattern: Int64(value)))
  }

  /// A number of single precision.
  mutating func float(_ number: Int, _ value: Float) {
    tag(number, 5)
    withUnsafeBytes(of: value.bitPattern.littleEndian) { bytes += $0 }
  }

  /// Text in UTF-8.
  mutating func text(_ number: Int, _ text: String) { content(number, text.utf8) }

  /// A message inside this one.
  mutating func message(_ number: Int, _ message: WireWriter) { content(number, message.bytes) }

  /// Numbers in little-endian order, as `raw_data` of a tensor.
  mutating func raw<Value: BitwiseCopyable>(_ number: Int, _ values: [Value]) {
    values.withUnsafeBytes { content(number, $0) }
  }

  /// The fields of another message behind those of this one.
  mutating func append(_ fields: WireWriter) { bytes += fields.bytes }

  private mutating func content(_ number: Int, _ content: some Collection<UInt8>) {
    tag(number, 2)
    varint(UInt64(content.count))
    bytes += content
  }
}
