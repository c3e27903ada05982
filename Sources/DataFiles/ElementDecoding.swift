extension ElementType {
  /// Decodes `out.count` consecutive numbers of this type.
  ///
  /// - Returns: nil, or the index of the first integer that `Output` cannot hold exactly.
  /// - Precondition: `raw` holds `out.count * byteCount` bytes.
  /// - Complexity: O(`out.count`).
  func decode<Output: BinaryFloatingPoint>(
    _ raw: UnsafeRawBufferPointer, bigEndian: Bool, into out: UnsafeMutableBufferPointer<Output>
  ) -> Int? {
    precondition(raw.count == out.count * byteCount)
    switch self {
    case .float32:
      for i in 0..<out.count {
        out[i] = Output(Float(bitPattern: Self.load(raw, i, bigEndian, as: UInt32.self)))
      }
    case .float64:
      for i in 0..<out.count {
        out[i] = Output(Double(bitPattern: Self.load(raw, i, bigEndian, as: UInt64.self)))
      }
    case .bfloat16:
      for i in 0..<out.count {
        let bits = UInt32(Self.load(raw, i, bigEndian, as: UInt16.self))
        out[i] = Output(Float(bitPattern: bits << 16))
      }
    case .float16:
      for i in 0..<out.count {
        out[i] = Output(Self.float(half: Self.load(raw, i, bigEndian, as: UInt16.self)))
      }
    case .int8: return Self.decode(Int8.self, raw, bigEndian, out)
    case .uint8: return Self.decode(UInt8.self, raw, bigEndian, out)
    case .int16: return Self.decode(Int16.self, raw, bigEndian, out)
    case .uint16: return Self.decode(UInt16.self, raw, bigEndian, out)
    case .int32: return Self.decode(Int32.self, raw, bigEndian, out)
    case .uint32: return Self.decode(UInt32.self, raw, bigEndian, out)
    case .int64: return Self.decode(Int64.self, raw, bigEndian, out)
    case .uint64: return Self.decode(UInt64.self, raw, bigEndian, out)
    }
    return nil
  }

  private static func decode<Integer: FixedWidthInteger, Output: BinaryFloatingPoint>(
    _ type: Integer.Type, _ raw: UnsafeRawBufferPointer, _ bigEndian: Bool,
    _ out: UnsafeMutableBufferPointer<Output>
  ) -> Int? {
    for i in 0..<out.count {
      guard let value = Output(exactly: load(raw, i, bigEndian, as: type)) else { return i }
      out[i] = value
    }
    return nil
  }

  private static func load<Integer: FixedWidthInteger>(
    _ raw: UnsafeRawBufferPointer, _ index: Int, _ bigEndian: Bool, as type: Integer.Type
  ) -> Integer {
    let bits = raw.loadUnaligned(
      fromByteOffset: index &* MemoryLayout<Integer>.size, as: Integer.self)
    return bigEndian ? Integer(bigEndian: bits) : Integer(littleEndian: bits)
  }

  /// IEEE 754 binary16 to binary32, written out because `Float16` is missing on some platforms.
  private static func float(half: UInt16) -> Float {
    let sign = UInt32(half & 0x8000) << 16
    let exponent = UInt32(half >> 10) & 0x1F
    let fraction = UInt32(half) & 0x3FF
    switch exponent {
    case 0:
      let magnitude = Float(fraction) * 0x1p-24
      return sign == 0 ? magnitude : -magnitude
    case 31:
      return Float(bitPattern: sign | 0x7F80_0000 | fraction << 13)
    default:
      return Float(bitPattern: sign | (exponent + 112) << 23 | fraction << 13)
    }
  }
}
