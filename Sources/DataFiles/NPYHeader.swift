/// The header of a NumPy array: format versions 1 to 3.
///
/// Reference: NumPy documentation, `numpy.lib.format`.
struct NPYHeader {
  static let magic: [UInt8] = [0x93] + Array("NUMPY".utf8)
  /// NumPy itself refuses to parse longer ones by default.
  static let largestByteCount = 1 << 16

  let shape: [Int]
  let isComplex: Bool
  let elementType: ElementType
  let bigEndian: Bool
  let fortranOrder: Bool
  /// The fields of an array of records; none for numbers.
  let fields: [NPYField]
  /// Where the values start.
  let byteCount: Int

  /// Parses the header at the start of `window`, which may be cut after the header.
  ///
  /// - Parameter takesRecords: whether records of other fields than real and imaginary part are no error.
  init(_ window: ByteWindow, takesRecords: Bool = false) throws(DataFileError) {
    let start = try window.bytes(at: 0, count: 10, of: "NumPy header")
    guard start.starts(with: Self.magic) else {
      throw window.error(at: 0, expected: "the NumPy magic", found: "other bytes")
    }
    let major = start[6]
    guard (1...3).contains(major) else {
      throw window.error(at: 6, expected: "NumPy format version 1, 2 or 3", found: "\(major)")
    }
    let lengthSize = major == 1 ? 2 : 4
    let lengthBytes = try window.bytes(at: 8, count: lengthSize, of: "header length")
    let length = lengthBytes.reversed().reduce(0) { $0 << 8 | Int($1) }
    guard length <= Self.largestByteCount else {
      throw window.error(
        at: 8, expected: "a header of at most \(Self.largestByteCount) bytes", found: "\(length)")
    }
    let text = try window.bytes(at: 8 + lengthSize, count: length, of: "NumPy header")
    byteCount = 8 + lengthSize + length
    var literal = PythonLiteral(text)
    guard case .dictionary(let fields)? = literal.parse() else {
      throw window.error(
        at: 8 + lengthSize, expected: "a Python dictionary as header",
        found: "'\(printable(String(decoding: text, as: UTF8.self)))'")
    }
    if takesRecords, let members = try NPYField.list(fields["descr"], window) {
      self.fields = members
      (elementType, isComplex, bigEndian) = (.uint8, false, false)
    } else {
      self.fields = []
      (elementType, isComplex, bigEndian) = try Self.type(fields["descr"], window)
    }
    shape = try Self.shape(fields["shape"], window)
    guard case .boolean(let fortranOrder)? = fields["fortran_order"] else {
      throw window.error(expected: "fortran_order True or False", found: "neither")
    }
    self.fortranOrder = fortranOrder
    guard ArrayShape.byteCount(shape, bytesPerElement: elementByteCount) != nil else {
      throw window.error(
        expected: "a shape that fits in memory", found: ArrayShape.text(shape))
    }
  }

  /// - Throws: if `window` does not end where the array ends.
  func check(_ window: ByteWindow) throws(DataFileError) {
    let needed = ArrayShape.byteCount(shape, bytesPerElement: elementByteCount) ?? 0
    guard window.count - byteCount == needed else {
      throw window.error(
        at: byteCount,
        expected: "\(needed) bytes of values (\(ArrayShape.text(shape)))",
        found: "\(window.count - byteCount)", hint: "the file is truncated or its header is damaged"
      )
    }
  }

  /// The array behind the header; `window` must end where the array ends.
  func rows(of window: ByteWindow, name: String?) throws(DataFileError) -> RawRows {
    try check(window)
    return RawRows(
      info: info(name: name), bytes: window, planes: [byteCount], stored: [elementType],
      bigEndian: bigEndian, order: fortranOrder ? .columnMajor : .rowMajor)
  }

  func info(name: String?) -> ArrayInfo {
    ArrayInfo(name: name, shape: shape, isComplex: isComplex, elementType: elementType)
  }

  /// Bytes of a number or of a record.
  var elementByteCount: Int {
    fields.last.map(\.end) ?? elementType.byteCount * (isComplex ? 2 : 1)
  }

  static func type(
    _ field: PythonLiteral.Value?, _ window: ByteWindow
  ) throws(DataFileError) -> (ElementType, isComplex: Bool, bigEndian: Bool) {
    if case .sequence(let members)? = field { return try pair(members, window) }
    guard case .string(let descriptor)? = field else {
      throw window.error(expected: "a number type such as '<f4'", found: "none")
    }
    let kind = descriptor.drop { "<>=|".contains($0) }
    let mark = descriptor.dropLast(kind.count)
    let types: [Substring: (ElementType, Bool)] = [
      "f2": (.float16, false), "f4": (.float32, false), "f8": (.float64, false),
      "c8": (.float32, true), "c16": (.float64, true), "i1": (.int8, false), "u1": (.uint8, false),
      "b1": (.uint8, false),
      "i2": (.int16, false), "u2": (.uint16, false), "i4": (.int32, false),
      "u4": (.uint32, false), "i8": (.int64, false), "u8": (.uint64, false),
    ]
    guard let (type, isComplex) = types[kind], mark.count == 1, mark != "|" || type.byteCount == 1
    else {
      throw window.error(
        expected: "a number type such as '<f4'", found: "'\(printable(descriptor))'",
        hint: kind == "O"
          ? "an array of Python objects: save np.stack(list(a)) or a.astype('complex64')"
          : "convert with numpy's astype('\(kind.first == "c" ? "complex64" : "float32")')")
    }
    return (type, isComplex, mark == ">")
  }

  /// A record of real and imaginary part, as structured arrays and h5py have complex integers.
  private static func pair(
    _ members: [PythonLiteral.Value], _ window: ByteWindow
  ) throws(DataFileError) -> (ElementType, isComplex: Bool, bigEndian: Bool) {
    var (names, types): ([String], [(ElementType, isComplex: Bool, bigEndian: Bool)]) = ([], [])
    for member in members {
      guard case .sequence(let parts) = member, parts.count > 1, case .string(let name) = parts[0]
      else { break }
      names.append(name)
      if parts.count == 2, case .string = parts[1] {
        if let found = try? type(parts[1], window) { types.append(found) }
      }
    }
    guard members.count == 2, [["r", "i"], ["real", "imag"], ["re", "im"]].contains(names),
      types.count == 2, types[0] == types[1], !types[0].isComplex
    else {
      let list =
        names.isEmpty ? "" : " with the fields \(names.map(printable).joined(separator: ", "))"
      throw window.error(
        expected: "a number type such as '<f4', or records of real and imaginary part",
        found: "a structured record type\(list)",
        hint:
          "save one field as an array of its own: np.save('h.npy', a['\(printable(names.first ?? "H"))'])"
      )
    }
    return (types[0].0, true, types[0].bigEndian)
  }

  static func shape(
    _ field: PythonLiteral.Value?, _ window: ByteWindow
  ) throws(DataFileError) -> [Int] {
    var shape: [Int] = []
    guard case .sequence(let axes)? = field else {
      throw window.error(expected: "a tuple as shape", found: "none")
    }
    for axis in axes {
      guard case .integer(let length) = axis, length >= 0 else {
        throw window.error(
          expected: "axis lengths of 0 or more in the shape", found: "another value")
      }
      shape.append(length)
    }
    return shape
  }
}

/// The little of Python's literals that NumPy headers use.
struct PythonLiteral {
  indirect enum Value {
    case string(String)
    case integer(Int)
    case boolean(Bool)
    case sequence([Value])
    case dictionary([String: Value])
  }

  private let text: [UInt8]
  private var position = 0
  private var depth = 0

  init(_ text: [UInt8]) { self.text = text }

  /// The whole text as one value, or nil if it is not one.
  mutating func parse() -> Value? {
    guard let value = value() else { return nil }
    skipSpaces()
    return position == text.count ? value : nil
  }

  private mutating func value() -> Value? {
    skipSpaces()
    guard position < text.count, depth < 16 else { return nil }
    depth += 1
    defer { depth -= 1 }
    switch text[position] {
    case UInt8(ascii: "{"): return dictionary()
    case UInt8(ascii: "("): return sequence(closing: UInt8(ascii: ")"))
    case UInt8(ascii: "["): return sequence(closing: UInt8(ascii: "]"))
    case UInt8(ascii: "'"), UInt8(ascii: "\""): return string().map { .string($0) }
    default: return word()
    }
  }

  private mutating func dictionary() -> Value? {
    position += 1
    var fields: [String: Value] = [:]
    while !take(UInt8(ascii: "}")) {
      guard let key = string(), take(UInt8(ascii: ":")), let value = value(), fields[key] == nil
      else { return nil }
      fields[key] = value
      if !take(UInt8(ascii: ",")) { return take(UInt8(ascii: "}")) ? .dictionary(fields) : nil }
    }
    return .dictionary(fields)
  }

  private mutating func sequence(closing: UInt8) -> Value? {
    position += 1
    var values: [Value] = []
    while !take(closing) {
      guard let value = value() else { return nil }
      values.append(value)
      if !take(UInt8(ascii: ",")) { return take(closing) ? .sequence(values) : nil }
    }
    return .sequence(values)
  }

  private mutating func string() -> String? {
    skipSpaces()
    guard position < text.count, text[position] == 0x22 || text[position] == 0x27,
      let end = text[(position + 1)...].firstIndex(of: text[position])
    else { return nil }
    defer { position = end + 1 }
    return String(validating: text[(position + 1)..<end], as: UTF8.self)
  }

  private mutating func word() -> Value? {
    let end =
      text[position...].firstIndex { ",:)]} \n".utf8.contains($0) } ?? text.count
    let word = String(decoding: text[position..<end], as: UTF8.self)
    position = end
    switch word {
    case "True": return .boolean(true)
    case "False": return .boolean(false)
    // Python 2 wrote long integers with a final L.
    default: return Int(word.hasSuffix("L") ? word.dropLast() : word[...]).map { .integer($0) }
    }
  }

  private mutating func skipSpaces() {
    while position < text.count, " \t\r\n".utf8.contains(text[position]) { position += 1 }
  }

  private mutating func take(_ byte: UInt8) -> Bool {
    skipSpaces()
    guard position < text.count, text[position] == byte else { return false }
    position += 1
    return true
  }
}

extension NPYHeader {
  /// A version 1 header for an array as the writers encode it.
  static func bytes(for array: ArrayInfo) -> [UInt8] {
    let type = array.writtenType
    let size = type.byteCount * (array.isComplex ? 2 : 1)
    let kind =
      array.isComplex ? "c" : !type.isInteger ? "f" : type.rawValue.hasPrefix("u") ? "u" : "i"
    return bytes(descriptor: "\(size == 1 ? "|" : "<")\(kind)\(size)", shape: array.shape)
  }

  /// A version 1 header, padded to a multiple of 64 bytes and to `leastByteCount`.
  static func bytes(
    descriptor: String, shape: [Int], leastByteCount: Int = 0
  ) -> [UInt8] {
    let axes = shape.map { "\($0)," }.joined(separator: " ")
    // Python writes a tuple of two or more without the last comma.
    let tuple = shape.count > 1 ? String(axes.dropLast()) : axes
    let text = "{'descr': '\(descriptor)', 'fortran_order': False, 'shape': (\(tuple)), }"
    let unpadded = max(magic.count + 4 + text.utf8.count + 1, leastByteCount)
    let byteCount = (unpadded + 63) / 64 * 64 - magic.count - 4
    let padding = [UInt8](repeating: 0x20, count: byteCount - text.utf8.count - 1)
    return magic + [1, 0] + littleEndian(byteCount, 2) + Array(text.utf8) + padding + [0x0A]
  }
}
