/// Rows of a chunked v7.3 variable; only the chunks that hold them are read.
struct MAT73Rows: RowSource {
  let dataset: HDF5Dataset
  let chunks: HDF5Chunks
  let window: ByteWindow
  let base: Int

  var info: ArrayInfo { dataset.info }
  var rowsPerChunk: Int { chunks.chunk.last! }

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
    let name = info.name ?? ""
    return try MAT73File.withDataset(name, window, base: base) {
      id, found throws(DataFileError) in
      guard found == dataset else {
        throw window.error(
          expected: info.description, found: "another variable", hint: "the file changed while open"
        )
      }
      var output = [Output](repeating: 0, count: range.count * info.valuesPerRow)
      try chunks.forEach(rows: range, id, window) { corner, bytes throws(DataFileError) in
        let values: [Output] = try decode(bytes)
        copy(values, corner, range, into: &output)
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

  /// Copies what of a chunk lies in the array and in `range`.
  ///
  /// Along HDF5's axes a chunk is row-major, the row last; the output has the row first, so its
  /// strides grow from the first axis to the last.
  private func copy<Output>(
    _ values: [Output], _ corner: [Int], _ range: Range<Int>, into output: inout [Output]
  ) {
    let parts = info.isComplex ? 2 : 1
    let last = corner.count - 1
    var strides = [parts]
    for length in chunks.lengths.dropLast() { strides.append(strides.last! * length) }
    let ends = zip(corner, zip(chunks.chunk, chunks.lengths)).map { corner, axis in
      min(axis.0, axis.1 - corner)
    }
    let rows =
      max(range.lowerBound, corner[last])..<min(range.upperBound, corner[last] + ends[last])
    var index = [Int](repeating: 0, count: last)
    while true {
      var from = 0
      var to = (rows.lowerBound - range.lowerBound) * strides[last]
      for axis in 0..<last {
        from = from * chunks.chunk[axis] + index[axis]
        to += (corner[axis] + index[axis]) * strides[axis]
      }
      from = (from * chunks.chunk[last] + rows.lowerBound - corner[last]) * parts
      for row in 0..<rows.count {
        for part in 0..<parts {
          output[to + row * strides[last] + part] = values[from + row * parts + part]
        }
      }
      var axis = last - 1
      while axis >= 0 {
        index[axis] += 1
        if index[axis] < ends[axis] { break }
        index[axis] = 0
        axis -= 1
      }
      if axis < 0 { return }
    }
  }
}
