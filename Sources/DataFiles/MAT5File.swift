/// A MATLAB level 5 MAT-file: the variables that are full numeric arrays, also those in structs, such as `s.H`.
///
/// Read by position rather than through a library, because every length in the file is then checked
/// and rows can be read without loading the array. Compressed variables are inflated when opened
/// and their Adler-32 is checked.
///
/// Reference: MathWorks, *MAT-File Format*, chapter 1.
struct MAT5File: ArrayContainer {
  static let headerByteCount = 128
  private static let compressed = 15
  private static let largestPadding = 4096
  /// Enough for the flags, dimensions and name of every variable MATLAB writes.
  private static let prefixByteCount = 1 << 16

  let entries: [ArrayEntry]
  private let elements: [Element]
  private let bigEndian: Bool

  /// A top-level data element: a matrix, perhaps compressed.
  private struct Element {
    let isCompressed: Bool
    let data: ByteWindow
  }

  /// True if the first bytes of a file are the header of a level 5 file.
  static func hasHeader(_ start: [UInt8]) -> Bool {
    guard start.count >= headerByteCount else { return false }
    let version = Array(start[124..<128])
    return version == [0, 1, 0x49, 0x4D] || version == [1, 0, 0x4D, 0x49]
  }

  init(_ window: ByteWindow) throws(DataFileError) {
    let mark = try window.bytes(at: 126, count: 2, of: "MATLAB header")
    let bigEndian = mark == [0x4D, 0x49]
    self.bigEndian = bigEndian
    let top = try Self.elements(window, bigEndian)
    guard !top.isEmpty else {
      throw window.error(
        at: window.count, expected: "a MATLAB variable", found: "the end of the file")
    }
    let found = top.flatMap { Self.members(of: $0, bigEndian) }
    elements = found.map(\.element)
    entries = found.map(\.entry)
  }

  func source(of entry: Int) throws(DataFileError) -> any RowSource {
    let element = elements[entry]
    let data =
      try element.isCompressed
      ? Self.inflated(element.data, entries[entry].name, bigEndian) : element.data
    return try MAT5Matrix(data, bigEndian, name: entries[entry].name).rows()
  }

  /// The matrix of a compressed variable.
  private static func inflated(
    _ packed: ByteWindow, _ name: String?, _ bigEndian: Bool
  ) throws(DataFileError) -> ByteWindow {
    var packed = packed
    packed.variable = name
    let inflater = Inflater(input: packed, wrapper: .zlib)
    let tag = try MAT5Tag(try inflater.prefix(8), at: 0, bigEndian)
    let data = try inflater.all(count: tag.size + 8)
    return try data.part(at: 8, count: tag.size, of: "compressed variable")
  }

  private static func elements(
    _ window: ByteWindow, _ bigEndian: Bool
  ) throws(DataFileError) -> [Element] {
    var elements: [Element] = []
    var position = headerByteCount
    while position < window.count {
      if try isPadding(window, from: position) { break }
      let tag = try MAT5Tag(window, at: position, bigEndian)
      guard tag.type == compressed || tag.type == MAT5Tag.matrix, !tag.isSmall else {
        throw window.error(
          at: position, expected: "a MATLAB variable", found: "data element type \(tag.type)",
          hint: "the file is damaged")
      }
      let data = try window.part(at: tag.start, count: tag.size, of: "MATLAB variable")
      elements.append(Element(isCompressed: tag.type == compressed, data: data))
      position = tag.start + tag.size
    }
    return elements
  }

  /// Some writers fill the file up with zeros; a variable starts with its type.
  private static func isPadding(
    _ window: ByteWindow, from position: Int
  ) throws(DataFileError) -> Bool {
    let count = window.count - position
    guard count <= largestPadding else { return false }
    return try window.bytes(at: position, count: count, of: "padding").allSatisfy { $0 == 0 }
  }

  /// Levels of structs that are looked into.
  private static let deepest = 4

  /// What a variable holds: itself, or if it is a struct, its fields and their fields.
  private static func members(
    of element: Element, _ bigEndian: Bool
  ) -> [(element: Element, entry: ArrayEntry)] {
    var name: String?
    do throws(DataFileError) {
      var data = element.data
      if element.isCompressed {
        let inflated = try Inflater(input: data, wrapper: .zlib).prefix(prefixByteCount)
        let tag = try MAT5Tag(inflated, at: 0, bigEndian)
        guard tag.type == MAT5Tag.matrix else {
          throw inflated.error(
            at: 0, expected: "a MATLAB variable", found: "data element type \(tag.type)")
        }
        // The prefix may end before the matrix does; only its header is read here.
        let count = min(tag.size, inflated.count - 8)
        data = try inflated.part(at: 8, count: count, of: "compressed variable")
      }
      let matrix = try MAT5Matrix(data, bigEndian)
      name = matrix.name
      guard matrix.isStruct else {
        return [(element, ArrayEntry(name: name, content: .success(try matrix.info())))]
      }
      if element.isCompressed { data = try Self.inflated(element.data, name, bigEndian) }
      return try fields(data, name ?? "", level: 1, bigEndian)
    } catch {
      return [(element, ArrayEntry(name: name ?? error.variable, content: .failure(error)))]
    }
  }

  /// The fields of a struct, named `s.H`.
  private static func fields(
    _ data: ByteWindow, _ name: String, level: Int, _ bigEndian: Bool
  ) throws(DataFileError) -> [(element: Element, entry: ArrayEntry)] {
    var found: [(element: Element, entry: ArrayEntry)] = []
    for field in try MAT5Matrix(data, bigEndian, name: name).fields() {
      let path = "\(name).\(field.name)"
      let element = Element(isCompressed: false, data: field.data)
      do throws(DataFileError) {
        let matrix = try MAT5Matrix(field.data, bigEndian, name: path)
        if matrix.isStruct, level < deepest {
          found += try fields(field.data, path, level: level + 1, bigEndian)
        } else {
          found.append((element, ArrayEntry(name: path, content: .success(try matrix.info()))))
        }
      } catch {
        found.append((element, ArrayEntry(name: path, content: .failure(error))))
      }
    }
    return found
  }
}

/// The tag before each data element: its type and size, in 8 bytes or, for small elements, 4.
struct MAT5Tag {
  static let matrix = 14

  let type: Int
  let size: Int
  /// Position of the data.
  let start: Int
  /// Position behind the data and its padding to 8 bytes.
  let end: Int
  /// True for the packed form, in which the tag itself holds up to 4 bytes of data.
  let isSmall: Bool

  init(_ window: ByteWindow, at position: Int, _ bigEndian: Bool) throws(DataFileError) {
    let bytes = try window.bytes(at: position, count: 8, of: "MATLAB data element")
    let words = integers(bytes, bigEndian)
    let smallSize = Int(words[0] >> 16)
    isSmall = smallSize != 0
    if isSmall {
      guard smallSize <= 4 else {
        throw window.error(
          at: position, expected: "a small data element of at most 4 bytes", found: "\(smallSize)")
      }
      type = Int(words[0] & 0xFFFF)
      size = smallSize
      start = position + 4
      end = position + 8
    } else {
      type = Int(words[0])
      size = Int(words[1])
      start = position + 8
      end = position + 8 + (size + 7) & ~7
    }
  }
}

/// 32-bit words of a file's byte order.
private func integers(_ bytes: [UInt8], _ bigEndian: Bool) -> [UInt32] {
  stride(from: 0, to: bytes.count - 3, by: 4).map { start in
    let word = bytes[start..<(start + 4)]
    return (bigEndian ? Array(word) : word.reversed()).reduce(0) { $0 << 8 | UInt32($1) }
  }
}

/// Numbers of an integer type; one beyond `Int` is negative.
private func wholeNumbers(_ bytes: [UInt8], _ type: ElementType, _ bigEndian: Bool) -> [Int] {
  let size = type.byteCount
  return stride(from: 0, to: bytes.count - size + 1, by: size).map { start in
    let number = bytes[start..<(start + size)]
    let bits = (bigEndian ? Array(number) : number.reversed()).reduce(UInt64(0)) {
      $0 << 8 | UInt64($1)
    }
    let unused = UInt64(64 - 8 * size)
    return type.rawValue.hasPrefix("u")
      ? Int(truncatingIfNeeded: bits) : Int(truncatingIfNeeded: bits << unused) >> Int(unused)
  }
}

/// The header of one matrix element: class, dimensions, name.
private struct MAT5Matrix {
  let name: String?
  private let data: ByteWindow
  private let bigEndian: Bool
  private let matrixClass: Int
  private let isComplex: Bool
  private let shape: [Int]
  /// Where the values' tag stands.
  private let valuesPosition: Int

  /// Classes 1... in the order of the format's table of array types.
  private static let classNames = [
    "a cell array", "a struct", "an object", "text", "a sparse matrix", "double", "single", "int8",
    "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64", "a function handle",
    "an opaque object",
  ]
  private static let classTypes: [Int: ElementType] = [
    6: .float64, 7: .float32, 8: .int8, 9: .uint8, 10: .int16, 11: .uint16, 12: .int32,
    13: .uint32, 14: .int64, 15: .uint64,
  ]
  private static let storedTypes: [Int: ElementType] = [
    1: .int8, 2: .uint8, 3: .int16, 4: .uint16, 5: .int32, 6: .uint32, 7: .float32, 9: .float64,
    12: .int64, 13: .uint64,
  ]
  private static let (structure, opaque) = (2, 17)
  /// More fields are taken for damage.
  private static let largestFieldCount = 4096
  /// The format has dimensions as `miINT32`; other writers take other integers, and readers take them.
  private static let integerTypes = [5, 6, 1, 2, 3, 4, 12, 13]
  /// `miINT8`, or as other writers have it, `miUINT8` and `miUTF8`.
  private static let textTypes = [1, 2, 16]

  /// - Parameter path: the name of a field; it has none of its own.
  init(_ window: ByteWindow, _ bigEndian: Bool, name path: String? = nil) throws(DataFileError) {
    var data = window
    data.variable = path ?? data.variable
    let flags = try Self.element(data, at: 0, bigEndian, [6, 5], largest: 8, "array flags")
    guard flags.bytes.count == 8 else {
      throw data.error(
        at: 0, expected: "8 bytes of array flags", found: "\(flags.bytes.count)")
    }
    let word = integers(flags.bytes, bigEndian)[0]
    matrixClass = Int(word & 0xFF)
    isComplex = word & 0x800 != 0
    // Opaque objects have names but no dimensions.
    if matrixClass == Self.opaque {
      shape = []
      let text = try Self.name(data, at: flags.end, bigEndian)
      (name, valuesPosition) = (path ?? Self.text(text.bytes), text.end)
    } else {
      let axes = try Self.element(
        data, at: flags.end, bigEndian, Self.integerTypes, largest: 4 * ArrayShape.largestRank,
        "dimensions")
      shape = wholeNumbers(axes.bytes, Self.storedTypes[axes.type]!, bigEndian)
      let text = try Self.name(data, at: axes.end, bigEndian)
      (name, valuesPosition) = (path ?? Self.text(text.bytes), text.end)
    }
    data.variable = name
    self.data = data
    self.bigEndian = bigEndian
  }

  /// Whether it is one record of named fields.
  var isStruct: Bool { matrixClass == Self.structure && shape.allSatisfy { $0 == 1 } }

  /// The fields of a struct in their order.
  func fields() throws(DataFileError) -> [(name: String, data: ByteWindow)] {
    let length = try Self.element(
      data, at: valuesPosition, bigEndian, [5, 6], largest: 4, "length of field names")
    let names = try Self.element(
      data, at: length.end, bigEndian, Self.textTypes, largest: Self.largestFieldCount * 64,
      "field names")
    let size = wholeNumbers(length.bytes, .int32, bigEndian).first ?? 0
    guard (1...256).contains(size), names.bytes.count % size == 0 else {
      throw data.error(
        at: valuesPosition, expected: "the names of fields", found: "names of \(size) bytes",
        hint: "the file is damaged")
    }
    var position = names.end
    var fields: [(name: String, data: ByteWindow)] = []
    for start in stride(from: 0, to: names.bytes.count, by: size) {
      let name = Self.text(Array(names.bytes[start..<start + size])) ?? ""
      let tag = try MAT5Tag(data, at: position, bigEndian)
      guard tag.type == MAT5Tag.matrix else {
        throw data.error(
          at: position, expected: "the field '\(printable(name))'",
          found: "data element type \(tag.type)", hint: "the file is damaged")
      }
      fields.append((name, try data.part(at: tag.start, count: tag.size, of: "field")))
      position = tag.end
    }
    return fields
  }

  /// How to save in MATLAB what is no array of numbers.
  private var wayOut: String? {
    let call =
      switch matrixClass {
      case 1: "H = cat(ndims(c{1}) + 1, c{:})"
      case Self.structure: "H = cat(ndims(s(1).H) + 1, s.H)"
      case 5: "H = full(H)"
      default: nil as String?
      }
    return call.map { "in MATLAB, make an array of it and save that: \($0)" }
  }

  func info() throws(DataFileError) -> ArrayInfo {
    guard let type = Self.classTypes[matrixClass] else {
      let isKnown = (1...Self.classNames.count).contains(matrixClass)
      let what = isKnown ? Self.classNames[matrixClass - 1] : "unknown class \(matrixClass)"
      throw data.error(expected: "a full numeric array", found: what, hint: wayOut)
    }
    let bytesPerElement = type.byteCount * (isComplex ? 2 : 1)
    guard shape.count >= 2,
      ArrayShape.byteCount(shape, bytesPerElement: bytesPerElement) != nil
    else {
      throw data.error(
        expected: "two or more dimensions that fit in memory", found: ArrayShape.text(shape))
    }
    return ArrayInfo(name: name, shape: shape, isComplex: isComplex, elementType: type)
  }

  /// The values, whose sizes must agree with the dimensions.
  func rows() throws(DataFileError) -> RawRows {
    let info = try info()
    let count = shape.contains(0) ? 0 : shape.reduce(1, *)
    var planes: [Int] = []
    var stored: [ElementType] = []
    var position = valuesPosition
    // An array without elements may end before its values.
    for part in 0..<(count == 0 ? 0 : isComplex ? 2 : 1) {
      let tag = try MAT5Tag(data, at: position, bigEndian)
      let what = part == 0 ? "values" : "imaginary parts"
      guard let type = Self.storedTypes[tag.type] else {
        throw data.error(
          at: position, expected: "numbers as \(what)", found: "data element type \(tag.type)")
      }
      guard tag.size / type.byteCount == count, tag.size % type.byteCount == 0 else {
        throw data.error(
          at: position, expected: "\(count) \(what) (\(ArrayShape.text(shape)))",
          found: "\(tag.size) bytes of \(type.rawValue)", hint: "the file is damaged")
      }
      _ = try data.part(at: tag.start, count: tag.size, of: what)
      planes.append(tag.start)
      stored.append(type)
      position = tag.end
    }
    return RawRows(
      info: info, bytes: data, planes: planes, stored: stored, bigEndian: bigEndian,
      order: .columnMajor)
  }

  private static func text(_ bytes: [UInt8]) -> String? {
    String(validating: bytes.prefix { $0 != 0 }, as: UTF8.self)
  }

  private static func name(
    _ data: ByteWindow, at position: Int, _ bigEndian: Bool
  ) throws(DataFileError) -> (type: Int, bytes: [UInt8], end: Int) {
    try element(data, at: position, bigEndian, textTypes, largest: 4096, "name")
  }

  /// - Parameter types: that the element may have, the format's own first.
  private static func element(
    _ data: ByteWindow, at position: Int, _ bigEndian: Bool, _ types: [Int], largest: Int,
    _ what: String
  ) throws(DataFileError) -> (type: Int, bytes: [UInt8], end: Int) {
    let tag = try MAT5Tag(data, at: position, bigEndian)
    guard types.contains(tag.type), tag.size <= largest else {
      throw data.error(
        at: position, expected: "\(what) (element type \(types[0]), at most \(largest) bytes)",
        found: "element type \(tag.type) of \(tag.size) bytes", hint: "the file is damaged")
    }
    return (tag.type, try data.bytes(at: tag.start, count: tag.size, of: what), tag.end)
  }
}
