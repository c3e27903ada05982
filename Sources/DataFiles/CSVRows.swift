/// A table of numbers in text, read as `float64` of shape [row, column].
///
/// Cells are separated by `;`, by `,` or by spaces and tabs (the first of these that the first data
/// line has) and may stand in double quotes. A `#` starts a comment; empty lines are skipped; the first line may be a
/// header, which it is if none of its cells is a number and it has letters, or if its first cell is empty. The first column
/// is left out as an index of the rows, as pandas and R write it, if the header has no cell for it, an empty one or a name
/// such as `index`, and the rows are counted. Numbers have a decimal point and an exponent with E or
/// Fortran's D; `nan` and `inf` are numbers. The table is complex if the first data line has a complex number as NumPy,
/// MATLAB or R write it: `(1+2j)`, `1+2j`, `1-2i`.
struct CSVRows: RowSource {
  /// Every so many rows one position is remembered.
  private static let stride = 64

  let info: ArrayInfo
  let note: String?
  private let window: ByteWindow
  private let separator: CSVSeparator
  /// The first column is no data.
  private let hasIndex: Bool
  private let checkpoints: [Checkpoint]

  private struct Checkpoint {
    let offset: Int
    let line: Int
  }

  init(_ window: ByteWindow) throws(DataFileError) {
    self.window = window
    var scanner = LineScanner(window)
    var separator: CSVSeparator?
    var columnCount = 0
    var rowCount = 0
    var header: FirstLine?
    var index: CSVIndex?
    var isComplex = false
    var note: String?
    var checkpoints: [Checkpoint] = []
    while true {
      var offset = scanner.offset
      guard var line = try scanner.next() else { break }
      if offset == 0, line.starts(with: [0xEF, 0xBB, 0xBF]) {
        line = line.dropFirst(3)
        offset = 3
      }
      line = withoutComment(line)
      if line.isEmpty { continue }
      if rowCount == 0 {
        let first = try FirstLine(line)
        if first.isHeader && header == nil {
          header = first
          continue
        }
        separator = CSVSeparator(of: line)
        columnCount = first.cells.count
        isComplex = first.isComplex
        index = header.flatMap { CSVIndex(header: $0, first) }
        if first.isCount {
          note =
            "\(window.path): line \(scanner.line) counts the columns but is taken for data; "
            + "if it is a header, begin it with '#'"
        }
      }
      if rowCount == 1, let found = index {
        index = try found.continues(in: FirstLine(line)) ? found : nil
      }
      if rowCount % Self.stride == 0 {
        checkpoints.append(Checkpoint(offset: offset, line: scanner.line))
      }
      rowCount += 1
    }
    guard let separator else {
      throw window.error(
        expected: "lines of numbers", found: header != nil ? "a header only" : "no data")
    }
    self.separator = separator
    self.checkpoints = checkpoints
    hasIndex = index != nil
    if hasIndex {
      columnCount -= 1
      note =
        "\(window.path): the first column counts the rows and is left out; if it is data, begin the "
        + "header with '#'"
    } else if rowCount < 2 {
      note = nil
    }
    self.note = note
    info = ArrayInfo(
      name: nil, shape: [rowCount, columnCount], isComplex: isComplex, elementType: .float64)
  }

  func values(rows range: Range<Int>) throws(DataFileError) -> NumericArray.Values {
    var values: [Double] = []
    guard !range.isEmpty else { return .double(values) }
    let components = info.isComplex ? 2 : 1
    let checkpoint = checkpoints[range.lowerBound / Self.stride]
    var scanner = LineScanner(window, at: checkpoint.offset, line: checkpoint.line)
    var row = range.lowerBound / Self.stride * Self.stride
    while row < range.upperBound {
      guard let whole = try scanner.next() else {
        throw window.error(
          expected: "\(info.rowCount) rows", found: "\(row)", hint: "the file changed while open")
      }
      let line = withoutComment(whole)
      if line.isEmpty { continue }
      if row >= range.lowerBound {
        try parse(line, at: scanner.line, whole.startIndex, into: &values)
        guard values.count == (row - range.lowerBound + 1) * info.valuesPerRow else {
          let count = values.count / components - (row - range.lowerBound) * info.shape[1]
          throw DataFileError(
            file: window.path, place: .text(line: scanner.line, column: 1),
            expected: "\(info.shape[1]) cells separated by \(separator.name)", found: "\(count)")
        }
      }
      row += 1
    }
    return .double(values)
  }

  private func parse(
    _ line: ArraySlice<UInt8>, at number: Int, _ lineStart: Int, into values: inout [Double]
  ) throws(DataFileError) {
    var isIndex = hasIndex
    try separator.forEachCell(line) { cell throws(DataFileError) in
      if isIndex {
        isIndex = false
        return
      }
      if let value = parseNumber(cell) {
        values.append(value)
        if info.isComplex { values.append(0) }
        return
      }
      let pair = parseComplex(cell)
      guard info.isComplex, let pair else {
        let text = printable(String(decoding: cell.prefix(100), as: UTF8.self))
        throw DataFileError(
          file: window.path,
          place: .text(line: number, column: cell.startIndex - lineStart + 1),
          expected: "a number (cells are separated by \(separator.name))",
          found: cell.isEmpty ? "an empty cell" : "'\(text)'",
          hint: pair != nil
            ? "the table is real by its first line; complex numbers there make it complex"
            : text.contains(",") ? "write decimals with a point" : nil)
      }
      values += [pair.real, pair.imaginary]
    }
  }
}

/// What the first line of a table tells.
private struct FirstLine {
  let cells: [ArraySlice<UInt8>]
  /// Without the demand for letters, numbers with a decimal comma would be taken for a header.
  let isHeader: Bool
  let isComplex: Bool

  init(_ line: ArraySlice<UInt8>) throws(DataFileError) {
    var cells: [ArraySlice<UInt8>] = []
    try CSVSeparator(of: line).forEachCell(line) { cell throws(DataFileError) in
      cells.append(cell)
    }
    self.cells = cells
    let hasLetters = line.contains { (0x41...0x5A).contains($0 & 0xDF) || $0 >= 0x80 }
    let hasNumbers = cells.contains { parseNumber($0) != nil }
    // `i` and `j` alone would be names of columns.
    isComplex = cells.contains { cell in
      parseComplex(cell) != nil && (hasNumbers || cell.contains { (0x30...0x39).contains($0) })
    }
    // pandas leaves the name of the index empty, and R writes one in quotes.
    let hasCorner = cells.count > 1 && cells[0].isEmpty && !cells[1...].contains { $0.isEmpty }
    isHeader = hasCorner || (hasLetters && !isComplex && !hasNumbers)
  }

  /// Whether the cells are 0, 1, 2, ... or 1, 2, 3, ..., as tables without names of columns are given a header.
  var isCount: Bool {
    let numbers = cells.map(parseNumber)
    guard numbers.count > 1, let first = numbers[0], first == 0 || first == 1 else { return false }
    return numbers.enumerated().allSatisfy { $1 == first + Double($0) }
  }
}

/// The first column of a table that counts its rows.
private struct CSVIndex {
  private static let names: Set<String> = [
    "", "index", "id", "no", "nr", "row", "rows", "drop", "sample", "record", "unnamed: 0",
  ]

  /// Number of the first row.
  private let first: Double

  /// - Returns: nil if the header names the column as data, or the first row does not begin with 0 or 1.
  init?(header: FirstLine, _ row: FirstLine) {
    let name = String(decoding: header.cells[0], as: UTF8.self).lowercased()
    let isMissing = header.cells.count == row.cells.count - 1
    let isNamed = header.cells.count == row.cells.count && Self.names.contains(name)
    guard row.cells.count > 1, isMissing || isNamed, let first = parseNumber(row.cells[0]),
      first == 0 || first == 1
    else { return nil }
    self.first = first
  }

  func continues(in row: FirstLine) -> Bool {
    row.cells.first.flatMap(parseNumber) == first + 1
  }
}
