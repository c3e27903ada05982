extension NumericArray.Values {
  /// The values in little-endian bytes, a piece at a time.
  func forEachEncodedPiece(
    as type: ElementType, _ body: ([UInt8]) throws(DataFileError) -> Void
  ) throws(DataFileError) {
    let perPiece = 1 << 18
    for start in stride(from: 0, to: count, by: perPiece) {
      try body(encoded(start..<min(start + perPiece, count), as: type))
    }
  }

  /// A range of the values in little-endian bytes of a written type.
  func encoded(_ range: Range<Int>, as type: ElementType) -> [UInt8] {
    switch (self, type) {
    case (.float(let values), .float32): pack(values[range].lazy.map(\.bitPattern))
    case (.double(let values), .float64): pack(values[range].lazy.map(\.bitPattern))
    case (.float(let values), let type): Self.encodedIntegers(values[range], type)
    case (.double(let values), let type): Self.encodedIntegers(values[range], type)
    }
  }

  private static func encodedIntegers(
    _ values: ArraySlice<some BinaryFloatingPoint>, _ type: ElementType
  ) -> [UInt8] {
    switch type {
    case .int8: pack(values.lazy.map { Int8($0) })
    case .uint8: pack(values.lazy.map { UInt8($0) })
    case .int16: pack(values.lazy.map { Int16($0) })
    case .uint16: pack(values.lazy.map { UInt16($0) })
    case .int32: pack(values.lazy.map { Int32($0) })
    case .uint32: pack(values.lazy.map { UInt32($0) })
    case .int64: pack(values.lazy.map { Int64($0) })
    case .uint64: pack(values.lazy.map { UInt64($0) })
    case .float16, .bfloat16, .float32, .float64: preconditionFailure("not an integer type")
    }
  }
}

/// Integers as little-endian bytes.
func pack<Integers: Collection>(_ integers: Integers) -> [UInt8]
where Integers.Element: FixedWidthInteger {
  let size = Integers.Element.bitWidth / 8
  return [UInt8](unsafeUninitializedCapacity: integers.count * size) { buffer, filled in
    let raw = UnsafeMutableRawBufferPointer(buffer)
    for integer in integers {
      raw.storeBytes(of: integer.littleEndian, toByteOffset: filled, as: Integers.Element.self)
      filled += size
    }
  }
}

/// The low `size` bytes of an integer, little-endian.
func littleEndian(_ value: Int, _ size: Int) -> [UInt8] {
  (0..<size).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
}
