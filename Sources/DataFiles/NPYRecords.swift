/// A NumPy array of records: each field that holds numbers is an array of its own, by the field's name.
struct NPYRecords: ArrayContainer {
  let entries: [ArrayEntry]
  private let sources: [NPYFieldRows?]

  /// - Parameter header: of an array of records.
  /// - Throws: if the file is not as long as its header says.
  init(_ header: NPYHeader, _ window: ByteWindow) throws(DataFileError) {
    try header.check(window)
    var (entries, sources): ([ArrayEntry], [NPYFieldRows?]) = ([], [])
    for field in header.fields {
      do throws(DataFileError) {
        let rows = try NPYFieldRows(field, header, window)
        entries.append(ArrayEntry(name: field.name, content: .success(rows.info)))
        sources.append(rows)
      } catch {
        entries.append(ArrayEntry(name: field.name, content: .failure(error)))
        sources.append(nil)
      }
    }
    (self.entries, self.sources) = (entries, sources)
  }

  func source(of entry: Int) throws(DataFileError) -> any RowSource {
    _ = try entries[entry].content.get()
    guard let source = sources[entry] else { preconditionFailure("a field without numbers") }
    return source
  }
}

/// A field of NumPy's records.
struct NPYField: Sendable {
  let name: String
  /// Where it stands in a record.
  let offset: Int
  /// Where it ends.
  let end: Int
  /// Axes of the field in each record.
  let shape: [Int]
  /// Its type as the header has it.
  let type: PythonLiteral.Value

  /// More fields are taken for damage.
  private static let largestCount = 4096

  /// - Returns: nil for a type that is no list of fields, or a pair of real and imaginary part.
  /// - Throws: for fields whose sizes are not known, such as Python objects.
  static func list(
    _ type: PythonLiteral.Value?, _ window: ByteWindow
  ) throws(DataFileError) -> [NPYField]? {
    guard let type, case .sequence(let members) = type, (1...largestCount).contains(members.count),
      (try? NPYHeader.type(type, window)) == nil
    else { return nil }
    var (fields, offset): ([NPYField], Int) = ([], 0)
    for member in members {
      guard case .sequence(let parts) = member, (2...3).contains(parts.count),
        case .string(let name) = parts[0], let size = byteCount(parts[1])
      else { return nil }
      let shape = parts.count == 3 ? try NPYHeader.shape(parts[2], window) : []
      guard let count = ArrayShape.byteCount(shape, bytesPerElement: size), count < 1 << 40 else {
        throw window.error(
          expected: "fields that fit in memory", found: ArrayShape.text(shape))
      }
      // Fields without a name are gaps.
      if !name.isEmpty {
        fields.append(
          NPYField(name: name, offset: offset, end: offset + count, shape: shape, type: parts[1]))
      }
      offset += count
    }
    // A gap at the end is part of each record.
    guard let last = fields.popLast() else { return nil }
    if last.end < offset {
      fields.append(last)
      return fields + [
        NPYField(name: "", offset: last.end, end: offset, shape: [], type: .string(""))
      ]
    }
    return fields + [last]
  }

  /// Bytes of a value of a type; nil for Python objects and what is no type.
  private static func byteCount(_ type: PythonLiteral.Value) -> Int? {
    switch type {
    case .string(let text):
      let kind = text.drop { "<>=|".contains($0) }
      guard let letter = kind.first, "fciubSUVMm".contains(letter),
        let size = Int(kind.dropFirst().prefix { $0.isNumber }), (0...1 << 30).contains(size)
      else { return nil }
      return letter == "U" ? 4 * size : size
    case .sequence(let members):
      var sum = 0
      for member in members {
        guard case .sequence(let parts) = member, parts.count == 2, let size = byteCount(parts[1])
        else { return nil }
        sum += size
      }
      return sum
    default: return nil
    }
  }
}

/// Rows of one field.
private struct NPYFieldRows: RowSource {
  let info: ArrayInfo
  private let field: NPYField
  private let bytes: ByteWindow
  private let start: Int
  private let recordSize: Int
  private let recordsPerRow: Int
  private let bigEndian: Bool

  private static let pieceByteCount = 1 << 22

  init(_ field: NPYField, _ header: NPYHeader, _ window: ByteWindow) throws(DataFileError) {
    var window = window
    window.variable = field.name
    let (type, isComplex, bigEndian) = try NPYHeader.type(field.type, window)
    guard !header.fortranOrder || header.shape.count < 2 else {
      throw window.error(
        expected: "records in C order", found: "Fortran order",
        hint:
          "save the field as an array of its own: np.save('h.npy', a['\(printable(field.name))'])")
    }
    info = ArrayInfo(
      name: field.name, shape: header.shape + field.shape, isComplex: isComplex, elementType: type)
    (self.field, bytes, self.bigEndian) = (field, window, bigEndian)
    (start, recordSize) = (header.byteCount, header.elementByteCount)
    recordsPerRow = header.shape.dropFirst().reduce(1, *)
  }

  func values(rows range: Range<Int>) throws(DataFileError) -> NumericArray.Values {
    if info.elementType.needsDouble {
      return .double(try read(range))
    }
    return .float(try read(range))
  }

  private func read<Output: BinaryFloatingPoint>(
    _ range: Range<Int>
  ) throws(DataFileError) -> [Output] {
    var output = [Output](repeating: 0, count: range.count * info.valuesPerRow)
    if output.isEmpty { return output }
    let size = field.end - field.offset
    let numbers = size / info.elementType.byteCount
    let (first, end) = (range.lowerBound * recordsPerRow, range.upperBound * recordsPerRow)
    let perPiece = max(1, Self.pieceByteCount / recordSize)
    for record in stride(from: first, to: end, by: perPiece) {
      let count = min(perPiece, end - record)
      let raw = try bytes.bytes(
        at: start + record * recordSize, count: count * recordSize, of: "records")
      var own: [UInt8] = []
      own.reserveCapacity(count * size)
      for place in 0..<count {
        let base = place * recordSize
        own += raw[base + field.offset..<base + field.end]
      }
      let part = (record - first) * numbers..<(record - first + count) * numbers
      let inexact = output.withUnsafeMutableBufferPointer { out in
        own.withUnsafeBytes {
          info.elementType.decode($0, bigEndian: bigEndian, into: .init(rebasing: out[part]))
        }
      }
      if inexact != nil { throw inexactInteger(info.elementType, Output.self, bytes) }
    }
    return output
  }
}
