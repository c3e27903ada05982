/// Something that can read a range of rows of one array.
protocol RowSource: Sendable {
  var info: ArrayInfo { get }

  /// Rows that can only be read together.
  var rowsPerChunk: Int { get }

  /// What the user should know of how the file was understood.
  var note: String? { get }

  /// Values of the rows in `range`, row-major, complex interleaved.
  func values(rows range: Range<Int>) throws(DataFileError) -> NumericArray.Values

  /// The same array with its axes in another order: `axes[k]` is the present place of axis k, and one beyond the present
  /// axes is a new axis of length 1.
  func reordered(_ axes: [Int]) -> any RowSource
}

extension RowSource {
  var rowsPerChunk: Int { 1 }
  var note: String? { nil }

  func reordered(_ axes: [Int]) -> any RowSource { ReorderedRows(self, axes) }
}

/// An array that lies as plain numbers in a file (or in inflated data), in any axis order.
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
  /// The axes from the one whose entries lie farthest apart to the one whose entries adjoin.
  private let physical: [Int]

  /// Largest piece of the file in memory at once, besides the values asked for.
  private static let pieceByteCount = 1 << 22

  init(
    info: ArrayInfo, bytes: ByteWindow, planes: [Int], stored: [ElementType], bigEndian: Bool,
    order: Order
  ) {
    let axes = Array(info.shape.indices)
    self.init(
      info: info, bytes: bytes, planes: planes, stored: stored, bigEndian: bigEndian,
      physical: order == .rowMajor ? axes : axes.reversed())
  }

  private init(
    info: ArrayInfo, bytes: ByteWindow, planes: [Int], stored: [ElementType], bigEndian: Bool,
    physical: [Int]
  ) {
    (self.info, self.bytes, self.planes, self.stored) = (info, bytes, planes, stored)
    (self.bigEndian, self.physical) = (bigEndian, physical)
  }

  func reordered(_ axes: [Int]) -> any RowSource {
    let isNew = { (axis: Int) in axes[axis] >= info.shape.count }
    return RawRows(
      info: info.reordered(axes), bytes: bytes, planes: planes, stored: stored,
      bigEndian: bigEndian,
      physical: axes.indices.filter(isNew) + physical.map { axes.firstIndex(of: $0)! })
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
    if planes.count == 1, physical.elementsEqual(physical.indices) {
      try readRowMajor(range, into: &output)
    } else {
      for plane in planes.indices { try readScattered(range, plane: plane, into: &output) }
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

  /// Reads the rows of an array whose first axis lies anywhere: for each entry of the axes outside of it, one run of the
  /// file holds the wanted rows, each with the entries of the axes inside.
  ///
  /// When a quarter or more of the rows is wanted, neighbouring runs are read in one piece;
  /// otherwise each run is read by itself, in pieces if it is long.
  private func readScattered<Output: BinaryFloatingPoint>(
    _ range: Range<Int>, plane: Int, into output: inout [Output]
  ) throws(DataFileError) {
    let components = info.isComplex ? 2 : 1
    let interleaved = planes.count == 1 ? components : 1
    let columnCount = info.valuesPerRow / components
    let place = physical.firstIndex(of: 0) ?? 0
    var outer = ColumnWalk(info.shape, physical[..<place].reversed())
    var inner = ColumnWalk(info.shape, physical[(place + 1)...].reversed())
    let offsets = (0..<inner.count).map { _ in inner.next() }
    let runBytes = info.rowCount * offsets.count * interleaved * stored[plane].byteCount
    let readsTogether = range.count >= (info.rowCount + 3) / 4
    let groupSize = readsTogether ? max(1, Self.pieceByteCount / runBytes) : 1
    let fit = Self.pieceByteCount / (offsets.count * interleaved * stored[plane].byteCount)
    var run = 0
    while run < outer.count {
      let group = min(groupSize, outer.count - run)
      let targets = (0..<group).map { _ in outer.next() }
      let step = group > 1 ? range.count : max(1, fit)
      for first in stride(from: range.lowerBound, to: range.upperBound, by: step) {
        let rows = min(step, range.upperBound - first)
        let elements = ((group - 1) * info.rowCount + rows) * offsets.count
        var piece = [Output](repeating: 0, count: elements * interleaved)
        let start = (run * info.rowCount + first) * offsets.count * interleaved
        try decode(plane: plane, from: start, into: &piece, at: 0..<piece.count)
        for row in 0..<rows {
          let target = (first - range.lowerBound + row) * columnCount
          for (member, column) in targets.enumerated() {
            let source = (member * info.rowCount + row) * offsets.count
            for (index, offset) in offsets.enumerated() {
              let to = (target + column + offset) * components + plane
              let from = (source + index) * interleaved
              for part in 0..<interleaved { output[to + part] = piece[from + part] }
            }
          }
        }
      }
      run += group
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

/// Walks some of the later axes, the first of them fastest, and gives row-major positions inside a row.
struct ColumnWalk {
  private let axes: [Int]
  private var strides: [Int]
  private var index: [Int]
  private var position = 0

  /// Steps of the whole walk.
  var count: Int { axes.reduce(1, *) }

  /// All later axes, as a column-major array has them: `axes` are their lengths.
  init(axes: [Int]) {
    self.init([1] + axes, Array(axes.indices.map { $0 + 1 }))
  }

  /// - Parameters:
  ///   - shape: of the whole array.
  ///   - walked: places of the axes in it, the fastest first.
  init(_ shape: [Int], _ walked: [Int]) {
    axes = walked.map { shape[$0] }
    strides = walked.map { shape[($0 + 1)...].reduce(1, *) }
    index = Array(repeating: 0, count: axes.count)
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
