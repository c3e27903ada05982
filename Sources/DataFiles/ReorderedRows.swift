/// An array of any source with its axes in another order, for sources that only read rows: those of the source are read
/// piece by piece, all of them unless the first axis stays.
struct ReorderedRows: RowSource {
  let info: ArrayInfo
  private let source: any RowSource
  private let axes: [Int]

  /// About so many numbers of the source are in memory at once.
  private static let pieceCount = 1 << 20

  /// - Parameter axes: as ``RowSource/reordered(_:)`` has them.
  init(_ source: any RowSource, _ axes: [Int]) {
    info = source.info.reordered(axes)
    (self.source, self.axes) = (source, axes)
  }

  var note: String? { source.note }

  func reordered(_ more: [Int]) -> any RowSource {
    var new = source.info.shape.count
    let all = more.map { axis -> Int in
      if axis < axes.count { return axes[axis] }
      new += 1
      return axes.count + new
    }
    return ReorderedRows(source, all)
  }

  func values(rows range: Range<Int>) throws(DataFileError) -> NumericArray.Values {
    if info.elementType.needsDouble {
      return .double(try read(range) { $0.doubles })
    }
    return .float(try read(range) { $0.floats })
  }

  private func read<Output: BinaryFloatingPoint>(
    _ range: Range<Int>, _ numbers: (NumericArray.Values) -> [Output]
  ) throws(DataFileError) -> [Output] {
    var output = [Output](repeating: 0, count: range.count * info.valuesPerRow)
    if output.isEmpty { return output }
    let old = source.info.shape
    let strides = old.indices.map { axis in
      let place = axes.firstIndex(of: axis)!
      return info.shape[(place + 1)...].reduce(1, *)
    }
    // The wanted part of each old axis.
    var box = old.map { 0..<$0 }
    if axes[0] < old.count { box[axes[0]] = range }
    let rows = box.first ?? 0..<1
    let step = max(1, Self.pieceCount / max(1, source.info.valuesPerRow))
    for first in stride(from: rows.lowerBound, to: rows.upperBound, by: step) {
      let piece = first..<min(first + step, rows.upperBound)
      let values = numbers(try source.values(rows: piece))
      var part = box
      if !part.isEmpty { part[0] = piece }
      copy(values, first, part, box, strides, into: &output)
    }
    return output
  }

  /// Copies the entries of `part` from rows that begin with `first`; positions in the output count from the corner of `box`.
  private func copy<Output>(
    _ values: [Output], _ first: Int, _ part: [Range<Int>], _ box: [Range<Int>], _ strides: [Int],
    into output: inout [Output]
  ) {
    let components = info.isComplex ? 2 : 1
    let old = source.info.shape
    var index = part.map(\.lowerBound)
    repeat {
      var (from, to) = (0, 0)
      for axis in old.indices {
        from = from * old[axis] + index[axis] - (axis == 0 ? first : 0)
        to += (index[axis] - box[axis].lowerBound) * strides[axis]
      }
      for component in 0..<components {
        output[to * components + component] = values[from * components + component]
      }
    } while index.advance(in: part[...])
  }
}

/// Arrays that differ only in their number of rows, one behind the other.
struct JoinedRows: RowSource {
  let info: ArrayInfo
  private let parts: [any RowSource]
  /// First row of each part, and the end.
  private let starts: [Int]

  /// - Precondition: there is a part, and all parts have the rows of the first.
  init(_ parts: [any RowSource]) {
    var (starts, info) = ([0], parts[0].info)
    for part in parts { starts.append(starts.last! + part.info.rowCount) }
    if !info.shape.isEmpty { info.shape[0] = starts.last! }
    (self.parts, self.starts, self.info) = (parts, starts, info)
  }

  var rowsPerChunk: Int { parts.map(\.rowsPerChunk).max()! }
  var note: String? { parts.lazy.compactMap(\.note).first }

  func values(rows range: Range<Int>) throws(DataFileError) -> NumericArray.Values {
    var found: [NumericArray.Values] = []
    for (index, part) in parts.enumerated() {
      let own = starts[index]..<starts[index + 1]
      let piece = range.clamped(to: own)
      guard !piece.isEmpty else { continue }
      found.append(
        try part.values(
          rows: piece.lowerBound - own.lowerBound..<piece.upperBound - own.lowerBound))
    }
    guard found.count != 1 else { return found[0] }
    return info.elementType.needsDouble
      ? .double(found.flatMap(\.doubles)) : .float(found.flatMap(\.floats))
  }
}

extension ArrayInfo {
  /// Of an array whose axis k was axis `axes[k]`; those beyond the present ones are new.
  func reordered(_ axes: [Int]) -> ArrayInfo {
    var result = self
    result.shape = axes.map { $0 < shape.count ? shape[$0] : 1 }
    return result
  }
}

extension NumericArray.Values {
  /// In single precision, rounded if they are held in double.
  public var floats: [Float] {
    switch self {
    case .float(let values): values
    case .double(let values): values.map { Float($0) }
    }
  }

  /// In double precision.
  public var doubles: [Double] {
    switch self {
    case .float(let values): values.map { Double($0) }
    case .double(let values): values
    }
  }
}
