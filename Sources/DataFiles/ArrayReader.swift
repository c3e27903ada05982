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

  /// Reads the rows in `range` along the first axis.
  ///
  /// - Returns: array of shape `[range.count, later axes...]`.
  /// - Precondition: `range` lies within `0 ..< info.rowCount`.
  /// - Complexity: memory O(size of the result); time too, except in column-major files, where each
  ///   column is a separate read.
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
