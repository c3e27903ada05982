/// Something that can read a range of rows of one array.
protocol RowSource: Sendable {
  var info: ArrayInfo { get }

  /// Rows that can only be read together.
  var rowsPerChunk: Int { get }

  /// What the user should know of how the file was understood.
  var note: String? { get }

  /// Values of the rows in `range`, row-major, complex interleaved.
  func values(rows range: Range<Int>) throws(DataFileError) -> NumericArray.Values
}

extension RowSource {
  var rowsPerChunk: Int { 1 }
  var note: String? { nil }
}

/// An array that lies as plain numbers in a file (or in inflated data), in either axis order.
struct RawRows: RowSource {
  enum Order: Sendable {
    case rowMajor
    case columnMajor
  }

  let info: ArrayInfo
  let bytes: ByteWindow
  /// Start of the numbers: one position, or two when real and imaginary parts lie apart.
  let planes: [Int]
  /// Type of the numbers in each plane as stored; MATLAB stores `double` arrays of small integers as integers.
  let stored: [ElementType]
  let bigEndian: Bool
  let order: Order

  /// Largest piece of the file in memory at once, besides the values asked for.
  private static let pieceByteCount = 1 << 22

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
    switch order {
    case .rowMajor: try readRowMajor(range, into: &output)
    case .columnMajor:
      for plane in planes.indices { try readColumnMajor(range, plane: plane, into: &output) }
    }
    return output
  }

  private func readRowMajor<Output: BinaryFloatingPoint>(
    _ range: Range<Int>, into output: inout [Output]
  ) throws(DataFileError) {
    let first = range.lowerBound * info.valuesPerRow
    let perPiece = Self.pieceByteCount / stored[0].byteCount
    for start in stride(from: 0, to: output.count, by: perPiece) {
      let piece = start..<min(start + perPiece, output.count)
      try decode(plane: 0, from: first + start, into: &output, at: piece)
    }
  }

  /// Reads the rows of a column-major array, a group of columns at a time.
  ///
  /// When a quarter or more of the rows is wanted, neighbouring columns are read in one piece;
  /// otherwise each column's rows are read by themselves.
  private func readColumnMajor<Output: BinaryFloatingPoint>(
    _ range: Range<Int>, plane: Int, into output: inout [Output]
  ) throws(DataFileError) {
    let interleaved = info.isComplex && planes.count == 1 ? 2 : 1
    let components = info.isComplex ? 2 : 1
    let columnCount = info.valuesPerRow / components
    let columnBytes = info.rowCount * interleaved * stored[plane].byteCount
    let readsTogether = range.count >= (info.rowCount + 3) / 4
    let groupSize = readsTogether ? max(1, Self.pieceByteCount / columnBytes) : 1
    var walk = ColumnWalk(axes: Array(info.shape.dropFirst()))
    var column = 0
    while column < columnCount {
      let group = min(groupSize, columnCount - column)
      let elements = (group - 1) * info.rowCount + range.count
      var piece = [Output](repeating: 0, count: elements * interleaved)
      let first = (column * info.rowCount + range.lowerBound) * interleaved
      try decode(plane: plane, from: first, into: &piece, at: 0..<piece.count)
      let targets = (0..<group).map { _ in walk.next() }
      for row in 0..<range.count {
        for (member, target) in targets.enumerated() {
          let to = (row * columnCount + target) * components + plane
          let from = (member * info.rowCount + row) * interleaved
          for part in 0..<interleaved { output[to + part] = piece[from + part] }
        }
      }
      column += group
    }
  }

  /// Decodes numbers `first ..< first + range.count` of a plane into `output[range]`.
  private func decode<Output: BinaryFloatingPoint>(
    plane: Int, from first: Int, into output: inout [Output], at range: Range<Int>
  ) throws(DataFileError) {
    let type = stored[plane]
    let offset = planes[plane] + first * type.byteCount
    let raw = try bytes.bytes(
      at: offset, count: range.count * type.byteCount, of: "array values")
    let inexact = output.withUnsafeMutableBufferPointer { out in
      raw.withUnsafeBytes {
        type.decode($0, bigEndian: bigEndian, into: .init(rebasing: out[range]))
      }
    }
    if let inexact {
      throw inexactInteger(type, Output.self, bytes, at: offset + inexact * type.byteCount)
    }
  }
}

/// The refusal of an integer that would be rounded.
func inexactInteger<Output>(
  _ type: ElementType, _ output: Output.Type, _ window: ByteWindow, at offset: Int? = nil
) -> DataFileError {
  window.error(
    at: offset, expected: "integers that \(output) holds exactly",
    found: "a larger \(type.rawValue)", hint: "convert the array to floating point")
}

/// Walks the later axes in column-major order and gives row-major positions inside a row.
struct ColumnWalk {
  private let axes: [Int]
  private var strides: [Int]
  private var index: [Int]
  private var position = 0

  init(axes: [Int]) {
    self.axes = axes
    index = Array(repeating: 0, count: axes.count)
    strides = Array(repeating: 1, count: axes.count)
    for axis in axes.indices.dropLast().reversed() {
      strides[axis] = strides[axis + 1] * axes[axis + 1]
    }
  }

  /// Returns the present position and steps to the next column.
  mutating func next() -> Int {
    let current = position
    for axis in axes.indices {
      index[axis] += 1
      position += strides[axis]
      if index[axis] < axes[axis] { break }
      position -= strides[axis] * axes[axis]
      index[axis] = 0
    }
    return current
  }
}
