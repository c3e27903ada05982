/// A table of numbers in text, read as `float64` of shape [row, column].
///
/// Cells are separated by `;`, by `,` or by spaces and tabs (the first of these that the first data
/// line has). A `#` starts a comment; empty lines are skipped; the first line may be a header, which
/// it is if it has letters and none of its cells is a number. Numbers have a decimal point; `nan` and `inf` are
/// numbers.
struct CSVRows: RowSource {
  /// Every so many rows one position is remembered.
  private static let stride = 64

  let info: ArrayInfo
  private let window: ByteWindow
  private let separator: CSVSeparator
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
    var hasHeader = false
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
        let (count, isHeader) = try Self.firstLine(line)
        if isHeader && !hasHeader {
          hasHeader = true
          continue
        }
        separator = CSVSeparator(of: line)
        columnCount = count
      }
      if rowCount % Self.stride == 0 {
        checkpoints.append(Checkpoint(offset: offset, line: scanner.line))
      }
      rowCount += 1
    }
    guard let separator else {
      throw window.error(
        expected: "lines of numbers", found: hasHeader ? "a header only" : "no data")
    }
    self.separator = separator
    self.checkpoints = checkpoints
    info = ArrayInfo(
      name: nil, shape: [rowCount, columnCount], isComplex: false, elementType: .float64)
  }

  func values(rows range: Range<Int>) throws(DataFileError) -> NumericArray.Values {
    var values: [Double] = []
    guard !range.isEmpty else { return .double(values) }
    let columnCount = info.shape[1]
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
        guard values.count == (row - range.lowerBound + 1) * columnCount else {
          let count = values.count - (row - range.lowerBound) * columnCount
          throw DataFileError(
            file: window.path, place: .text(line: scanner.line, column: 1),
            expected: "\(columnCount) cells separated by \(separator.name)", found: "\(count)")
        }
      }
      row += 1
    }
    return .double(values)
  }

  private func parse(
    _ line: ArraySlice<UInt8>, at number: Int, _ lineStart: Int, into values: inout [Double]
  ) throws(DataFileError) {
    try separator.forEachCell(line) { cell throws(DataFileError) in
      guard let value = parseNumber(cell) else {
        let text = printable(String(decoding: cell.prefix(100), as: UTF8.self))
        throw DataFileError(
          file: window.path,
          place: .text(line: number, column: cell.startIndex - lineStart + 1),
          expected: "a number (cells are separated by \(separator.name))",
          found: cell.isEmpty ? "an empty cell" : "'\(text)'",
          hint: text.contains(",") ? "write decimals with a point" : nil)
      }
      values.append(value)
    }
  }

  /// Counts the cells of the first line and tells whether it is a header.
  ///
  /// Without the demand for letters, numbers with a decimal comma would be taken for one.
  private static func firstLine(
    _ line: ArraySlice<UInt8>
  ) throws(DataFileError) -> (cellCount: Int, isHeader: Bool) {
    var count = 0
    var numbers = 0
    try CSVSeparator(of: line).forEachCell(line) { cell throws(DataFileError) in
      count += 1
      if parseNumber(cell) != nil { numbers += 1 }
    }
    let hasLetters = line.contains { (0x41...0x5A).contains($0 & 0xDF) || $0 >= 0x80 }
    return (count, numbers == 0 && hasLetters)
  }
}
