/// Writes MATLAB v5 files: uncompressed full matrices, one axis becomes a column.
///
/// Rows go to their places in the columns piece by piece, which no library offers for this format.
///
/// Reference: MathWorks, *MAT-File Format*, chapter 1.
final class MAT5Sink: ArraySink {
  /// Values of a piece; a run of a column is as long as the piece has rows.
  private static let pieceByteCount = 32 << 20
  /// Element types of the format: name, dimensions, flags.
  private static let (int8, int32, uint32) = (1, 5, 6)

  private let file: PartialFile
  private var buffer: RowBuffer?
  /// Where the planes of the present matrix start, and behind its last byte.
  private var planes: [Int] = []
  private var endOffset = MAT5File.headerByteCount

  init(_ path: String, _ arrays: [ArrayInfo]) throws(DataFileError) {
    for array in arrays {
      try array.checkForMATLAB(path)
      guard array.encodedByteCount <= ArrayFormat.largestMAT5Variable,
        array.shape.allSatisfy({ $0 <= 0x7FFF_FFFF })
      else {
        throw DataFileError(
          file: path, variable: array.name, expected: "less than 2 GiB in a variable of a v5 file",
          found: "\(array.encodedByteCount) bytes", hint: "write v7.3")
      }
    }
    file = try PartialFile(path)
    // Without the date that MATLAB writes, so that equal arrays give equal bytes.
    let text = Array("MATLAB 5.0 MAT-file, written by csilink".utf8)
    let padding = [UInt8](repeating: 0x20, count: 116 - text.count)
    try file.write(text + padding + littleEndian(0, 8) + [0, 1, 0x49, 0x4D])
  }

  func begin(_ array: ArrayInfo) throws(DataFileError) {
    let type = array.writtenType
    let planeSize = array.encodedByteCount / (array.isComplex ? 2 : 1)
    let padded = (planeSize + 7) & ~7
    let (classNumber, storedNumber) = Self.numbers(type)
    let flags = littleEndian(classNumber | (array.isComplex ? 0x800 : 0), 4) + littleEndian(0, 4)
    let axes = array.matlabShape.flatMap { littleEndian($0, 4) }
    let head =
      Self.element(Self.uint32, flags) + Self.element(Self.int32, axes)
      + Self.element(Self.int8, Array((array.name ?? "").utf8))
    let planeCount = array.isComplex ? 2 : 1
    let size = head.count + planeCount * (8 + padded)
    let tag = littleEndian(MAT5Tag.matrix, 4) + littleEndian(size, 4)
    try file.write(tag + head, at: endOffset)
    let first = endOffset + 8 + head.count
    planes = (0..<planeCount).map { first + $0 * (8 + padded) + 8 }
    for start in planes {
      try file.write(littleEndian(storedNumber, 4) + littleEndian(planeSize, 4), at: start - 8)
      // The file ends with the padding even if no value is written there.
      try file.write([UInt8](repeating: 0, count: padded - planeSize), at: start + planeSize)
    }
    endOffset += 8 + size
    let rowSize = array.valuesPerRow * type.byteCount
    buffer = RowBuffer(array, rowsPerPiece: max(1, Self.pieceByteCount / max(rowSize, 1)))
  }

  func append(_ array: ArrayInfo, _ values: NumericArray.Values) throws(DataFileError) {
    let size = array.writtenType.byteCount
    try buffer!.append(values) { firstRow, rows, values throws(DataFileError) in
      for (part, start) in planes.enumerated() {
        let columns = values.columns(of: array, rows: rows, stride: rows, part: part)
        // Whole columns lie next to each other.
        let run = rows == array.rowCount ? columns.count : rows * size
        for column in 0..<columns.count / run {
          try file.write(
            columns, column * run..<(column + 1) * run,
            at: start + (column * array.rowCount + firstRow) * size)
        }
      }
    }
  }

  func end() { buffer = nil }

  func finish() throws(DataFileError) { try file.finish() }

  private static func element(_ type: Int, _ data: [UInt8]) -> [UInt8] {
    littleEndian(type, 4) + littleEndian(data.count, 4) + data
      + [UInt8](repeating: 0, count: (8 - data.count % 8) % 8)
  }

  /// The class of a matrix and the type of its stored numbers.
  private static func numbers(_ type: ElementType) -> (Int, Int) {
    switch type {
    case .float64: (6, 9)
    case .float32, .float16, .bfloat16: (7, 7)
    case .int8: (8, 1)
    case .uint8: (9, 2)
    case .int16: (10, 3)
    case .uint16: (11, 4)
    case .int32: (12, 5)
    case .uint32: (13, 6)
    case .int64: (14, 12)
    case .uint64: (15, 13)
    }
  }
}
