/// Rows of a chunked dataset; only the chunks that hold them are read.
struct MAT73Rows: RowSource {
  let info: ArrayInfo
  private let dataset: HDF5Dataset
  private let chunks: HDF5Chunks
  private let window: ByteWindow
  private let base: Int
  /// For each of HDF5's axes its place in `info`.
  private let axes: [Int]

  init(dataset: HDF5Dataset, chunks: HDF5Chunks, window: ByteWindow, base: Int) {
    let axes = Array(dataset.info.shape.indices)
    self.init(
      info: dataset.info, dataset: dataset, chunks: chunks, window: window, base: base,
      axes: dataset.isReversed ? axes.reversed() : axes)
  }

  private init(
    info: ArrayInfo, dataset: HDF5Dataset, chunks: HDF5Chunks, window: ByteWindow, base: Int,
    axes: [Int]
  ) {
    (self.info, self.dataset, self.chunks) = (info, dataset, chunks)
    (self.window, self.base, self.axes) = (window, base, axes)
  }

  func reordered(_ order: [Int]) -> any RowSource {
    MAT73Rows(
      info: info.reordered(order), dataset: dataset, chunks: chunks, window: window, base: base,
      axes: axes.map { order.firstIndex(of: $0)! })
  }

  /// HDF5's axis that the rows are along; nil for a new axis.
  private var rowAxis: Int? { axes.firstIndex(of: 0) }

  var rowsPerChunk: Int { rowAxis.map { chunks.chunk[$0] } ?? 1 }

  var note: String? {
    guard chunks.missing > 0 else { return nil }
    return "\(window.path): \(chunks.missing) chunks of '\(printable(info.name ?? ""))' were never "
      + "written and are read as the fill value"
  }

  func values(rows range: Range<Int>) throws(DataFileError) -> NumericArray.Values {
    if info.elementType.needsDouble {
      return .double(try read(range))
    }
    return .float(try read(range))
  }

  private func read<Output: BinaryFloatingPoint & Sendable>(
    _ range: Range<Int>
  ) throws(DataFileError) -> [Output] {
    if range.isEmpty { return [] }
    return try MAT73File.withDataset(dataset.path, window, base: base) {
      id, found throws(DataFileError) in
      guard found == dataset else {
        throw window.error(
          expected: info.description, found: "another variable", hint: "the file changed while open"
        )
      }
      var output = [Output](repeating: 0, count: range.count * info.valuesPerRow)
      var box = chunks.lengths.map { 0..<$0 }
      if let rowAxis { box[rowAxis] = range }
      try chunks.forEach(in: box, id, window) { corner, bytes throws(DataFileError) in
        let values: [Output] = try decode(bytes)
        copy(values, corner, box, into: &output)
      }
      return output
    }
  }

  private func decode<Output: BinaryFloatingPoint>(
    _ bytes: [UInt8]
  ) throws(DataFileError) -> [Output] {
    var values = [Output](repeating: 0, count: bytes.count / info.elementType.byteCount)
    let inexact = values.withUnsafeMutableBufferPointer { out in
      bytes.withUnsafeBytes {
        info.elementType.decode($0, bigEndian: dataset.number.bigEndian, into: out)
      }
    }
    if inexact != nil { throw inexactInteger(info.elementType, Output.self, window) }
    return values
  }

  /// Copies what of a chunk lies in `box`; along HDF5's axes a chunk is row-major.
  private func copy<Output>(
    _ values: [Output], _ corner: [Int], _ box: [Range<Int>], into output: inout [Output]
  ) {
    let parts = info.isComplex ? 2 : 1
    let last = corner.count - 1
    let strides = axes.map { info.shape[($0 + 1)...].reduce(parts, *) }
    let part = box.indices.map { axis in
      box[axis].clamped(to: corner[axis]..<corner[axis] + chunks.chunk[axis])
    }
    var index = part.map(\.lowerBound)
    repeat {
      var (from, to) = (0, 0)
      for axis in index.indices {
        from = from * chunks.chunk[axis] + index[axis] - corner[axis]
        to += (index[axis] - box[axis].lowerBound) * strides[axis]
      }
      for entry in 0..<part[last].count {
        for component in 0..<parts {
          output[to + entry * strides[last] + component] =
            values[(from + entry) * parts + component]
        }
      }
    } while index.advance(in: part[..<last])
  }
}
