/// One array of a file, read whole or by rows.
///
/// Safe to use from several tasks at once. `.npy`, `.npz` and `.safetensors` arrays and MATLAB v5
/// variables are read by position in the file; a deflated array was inflated when it was opened
/// (into memory up to 64 MiB, else into an unnamed temporary file) and is read from there. MATLAB
/// v7.3 rows are a hyperslab; CSV rows are found by an index of every 64th line.
public struct ArrayReader: Sendable {
  /// File the array comes from.
  public let path: String
  private let source: any RowSource

  init(path: String, source: any RowSource) {
    self.path = path
    self.source = source
  }

  /// Name, shape and type.
  public var info: ArrayInfo { source.info }

  /// What the user should know of how the file was understood; nil if nothing was guessed.
  public var note: String? { source.note }

  /// Rows that are stored together; reading fewer of them takes as long. 1 where rows are independent.
  public var rowsPerChunk: Int { source.rowsPerChunk }

  /// The same array with its axes in another order.
  ///
  /// Files keep their numbers in one order: rows along an axis whose entries adjoin in the file are read in many small
  /// pieces, those along the slowest axis in one.
  /// - Parameter axes: `axes[k]` is the present place of axis k; each number beyond the present axes is a new axis of
  ///   length 1.
  /// - Precondition: every present axis stands there once.
  public func reordered(_ axes: [Int]) -> ArrayReader {
    let present = Array(info.shape.indices)
    precondition(axes.filter { $0 < present.count }.sorted() == present, "an axis is missing")
    guard axes != present else { return self }
    return ArrayReader(path: path, source: source.reordered(axes))
  }

  /// Arrays of several files as one, their rows one behind the other.
  ///
  /// - Parameters:
  ///   - readers: at least one.
  ///   - path: what errors call the whole.
  /// - Throws: for the first array that differs from the first in more than its number of rows.
  public static func joined(_ readers: [ArrayReader], path: String) throws(DataFileError)
    -> ArrayReader
  {
    let first = readers[0].info
    for reader in readers {
      let info = reader.info
      guard info.shape.dropFirst() == first.shape.dropFirst(), info.isComplex == first.isComplex,
        info.elementType == first.elementType
      else {
        throw DataFileError(
          file: reader.path, expected: "rows as in the other shards", found: info.description,
          hint: "'\(readers[0].path)' holds \(first.description)")
      }
    }
    guard readers.count > 1 else { return readers[0] }
    return ArrayReader(path: path, source: JoinedRows(readers.map(\.source)))
  }

  /// Reads the rows in `range` along the first axis.
  ///
  /// - Returns: array of shape `[range.count, later axes...]`.
  /// - Precondition: `range` lies within `0 ..< info.rowCount`.
  /// - Complexity: memory O(size of the result); time too, except where the rows do not adjoin in the file (column-major
  ///   files, reordered axes), where each run of them is a separate read.
  public func rows(_ range: Range<Int>) throws(DataFileError) -> NumericArray {
    precondition(range.lowerBound >= 0 && range.upperBound <= info.rowCount, "row out of range")
    var info = info
    info.shape = [range.count] + info.shape.dropFirst()
    return NumericArray(info: info, values: try source.values(rows: range))
  }

  /// Reads the whole array.
  public func read() throws(DataFileError) -> NumericArray {
    NumericArray(info: info, values: try source.values(rows: 0..<info.rowCount))
  }
}
