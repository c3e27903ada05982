import Foundation

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

  private let temporary: String
  private let headerByteCount: Int
  /// Negative once closed.
  private var descriptor: Int32

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
    temporary = try AtomicFile.createTemporary(besides: path)
    descriptor = open(temporary, O_WRONLY | O_CLOEXEC)
    guard descriptor >= 0 else {
      let error = AtomicFile.failure(path, "a writable file")
      unlink(temporary)
      throw error
    }
    try append(bytes: header)
  }

  deinit {
    guard descriptor >= 0 else { return }
    close(descriptor)
    unlink(temporary)
  }

  /// Appends whole rows, row-major.
  ///
  /// - Precondition: the values are a multiple of a row, and the array is not finished.
  public func append(_ values: [Float]) throws(DataFileError) {
    let rowSize = rowShape.reduce(1, *)
    precondition(values.count % rowSize == 0, "\(values.count) values for rows of \(rowSize)")
    try append(bytes: pack(values.lazy.map(\.bitPattern)))
    rowCount += values.count / rowSize
  }

  /// Completes the header and puts the file in its place.
  ///
  /// - Precondition: called once.
  public func finish() throws(DataFileError) {
    precondition(descriptor >= 0, "an array is finished once")
    let header = NPYHeader.bytes(
      descriptor: "<f4", shape: [rowCount] + rowShape, leastByteCount: headerByteCount)
    guard lseek(descriptor, 0, SEEK_SET) == 0 else {
      throw AtomicFile.failure(path, "a seekable file")
    }
    try append(bytes: header)
    try AtomicFile.install(temporary, as: path)
    close(descriptor)
    descriptor = -1
  }

  private func append(bytes: [UInt8]) throws(DataFileError) {
    precondition(descriptor >= 0, "the array is finished")
    guard bytes.withUnsafeBytes({ writeAll($0, to: descriptor) }) else {
      throw AtomicFile.failure(path, "room to write")
    }
  }
}
