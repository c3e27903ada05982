/// Writes a `float32` array to a .npy file row by row, for arrays that do not fit in memory.
///
/// The rows go to a temporary file in the same directory; the file appears under its name with
/// ``finish()``, whole and flushed to the disk. Without it (an error, or the writer is dropped) the
/// temporary file is removed and `path` is as it was.
public final class NPYWriter {
  /// Where the array appears.
  public let path: String
  /// Axes of one row, those after the first.
  public let rowShape: [Int]
  /// Rows appended so far.
  public private(set) var rowCount = 0

  private let file: PartialFile
  private let headerByteCount: Int

  /// Creates the temporary file.
  ///
  /// - Throws: ``DataFileError`` if the name does not end in `.npy` or nothing can be written there.
  /// - Precondition: `rowShape` has positive axes.
  public init(_ path: String, rowShape: [Int]) throws(DataFileError) {
    precondition(rowShape.allSatisfy { $0 > 0 }, "a row has positive axes")
    guard path.lowercased().hasSuffix(".npy") else {
      throw DataFileError(file: path, expected: "a name that ends in .npy", found: "another name")
    }
    self.path = path
    self.rowShape = rowShape
    // The number of rows stands in the header: leave room for any.
    let header = NPYHeader.bytes(descriptor: "<f4", shape: [Int.max] + rowShape)
    headerByteCount = header.count
    file = try PartialFile(path)
    try file.write(header)
  }

  /// Appends whole rows, row-major.
  ///
  /// - Precondition: the values are a multiple of a row, and the array is not finished.
  public func append(_ values: [Float]) throws(DataFileError) {
    let rowSize = rowShape.reduce(1, *)
    precondition(values.count % rowSize == 0, "\(values.count) values for rows of \(rowSize)")
    try file.write(pack(values.lazy.map(\.bitPattern)))
    rowCount += values.count / rowSize
  }

  /// Completes the header and puts the file in its place.
  ///
  /// - Precondition: called once.
  public func finish() throws(DataFileError) {
    let header = NPYHeader.bytes(
      descriptor: "<f4", shape: [rowCount] + rowShape, leastByteCount: headerByteCount)
    try file.write(header, at: 0)
    try file.finish()
  }
}
