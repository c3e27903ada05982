/// Collects rows into pieces of a fixed number of rows, for formats that store columns.
struct RowBuffer {
  let rowsPerPiece: Int
  private let rowSize: Int
  private let rowCount: Int
  private var values: NumericArray.Values
  /// Row that the next piece starts with.
  private var firstRow = 0

  init(_ array: ArrayInfo, rowsPerPiece: Int) {
    self.rowsPerPiece = rowsPerPiece
    rowSize = array.valuesPerRow
    rowCount = array.rowCount
    values = array.elementType.needsDouble ? .double([]) : .float([])
  }

  /// Adds rows and calls `body` with each piece that is full, the last of the array however short it is.
  mutating func append(
    _ more: NumericArray.Values,
    _ body: (_ firstRow: Int, _ rows: Int, NumericArray.Values) throws(DataFileError) -> Void
  ) throws(DataFileError) {
    var used = 0
    while used < more.count {
      let missing = min(rowsPerPiece, rowCount - firstRow) * rowSize - values.count
      let take = min(missing, more.count - used)
      values.append(more, used..<used + take)
      used += take
      guard take == missing else { return }
      let rows = values.count / rowSize
      try body(firstRow, rows, values)
      firstRow += rows
      values.removeAll()
    }
  }
}

extension NumericArray.Values {
  /// - Precondition: both hold the same type.
  fileprivate mutating func append(_ other: NumericArray.Values, _ range: Range<Int>) {
    switch (self, other) {
    case (.float(var mine), .float(let more)):
      self = .float([])
      mine.append(contentsOf: more[range])
      self = .float(mine)
    case (.double(var mine), .double(let more)):
      self = .double([])
      mine.append(contentsOf: more[range])
      self = .double(mine)
    default: preconditionFailure("values of another type than declared")
    }
  }

  fileprivate mutating func removeAll() {
    switch self {
    case .float(var mine):
      self = .float([])
      mine.removeAll(keepingCapacity: true)
      self = .float(mine)
    case .double(var mine):
      self = .double([])
      mine.removeAll(keepingCapacity: true)
      self = .double(mine)
    }
  }

  /// Rows [row, column] turned into columns [column, row], columns in MATLAB's order (first later axis fastest), bytes of
  /// the written type.
  ///
  /// - Parameters:
  ///   - stride: rows between the starts of two columns of the result; places without a row are zero.
  ///   - part: 0 or 1 for the real or imaginary part alone, nil for complete elements.
  func columns(
    of array: ArrayInfo, rows: Int, stride: Int, part: Int? = nil
  ) -> [UInt8] {
    let type = array.writtenType
    let components = array.isComplex ? 2 : 1
    let all = encoded(0..<count, as: type)
    let (from, size) =
      part.map { ($0 * type.byteCount, type.byteCount) } ?? (0, components * type.byteCount)
    let elementSize = components * type.byteCount
    let columnCount = array.valuesPerRow / components
    var walk = ColumnWalk(axes: Array(array.shape.dropFirst()))
    var result = [UInt8](repeating: 0, count: columnCount * stride * size)
    all.withUnsafeBytes { all in
      result.withUnsafeMutableBytes { result in
        for column in 0..<columnCount {
          let place = walk.next()
          for row in 0..<rows {
            let source = all.baseAddress! + (row * columnCount + place) * elementSize + from
            (result.baseAddress! + (column * stride + row) * size)
              .copyMemory(from: source, byteCount: size)
          }
        }
      }
    }
    return result
  }
}

extension ArrayInfo {
  /// Axes as MATLAB has them, at least two; one axis becomes a column.
  var matlabShape: [Int] { shape + Array(repeating: 1, count: max(0, 2 - shape.count)) }

  /// - Throws: if the name is none that MATLAB takes, or the array has no elements.
  func checkForMATLAB(_ path: String) throws(DataFileError) {
    let name = name ?? ""
    let isLetter = { (byte: UInt8) in (0x41...0x5A).contains(byte & 0xDF) }
    let isIdentifier =
      name.utf8.first.map(isLetter) == true && name.utf8.count <= 63
      && name.utf8.allSatisfy { isLetter($0) || (0x30...0x39).contains($0) || $0 == 0x5F }
    guard isIdentifier else {
      throw DataFileError(
        file: path, variable: name,
        expected: "a MATLAB name: a letter, then letters, digits and _, at most 63",
        found: "'\(printable(name))'")
    }
    guard valueCount > 0 else {
      throw DataFileError(
        file: path, variable: name, expected: "an array with elements",
        found: ArrayShape.text(shape))
    }
  }
}
