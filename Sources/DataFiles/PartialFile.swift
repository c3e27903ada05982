import Foundation

/// A file being written beside its place, which it takes when it is finished.
///
/// Dropped before, or after an error, the temporary file is removed and `path` is as it was.
final class PartialFile {
  let path: String
  let temporary: String
  /// Negative once closed.
  private var descriptor: Int32

  init(_ path: String) throws(DataFileError) {
    self.path = path
    temporary = try AtomicFile.createTemporary(besides: path)
    descriptor = open(temporary, O_WRONLY | O_CLOEXEC)
    guard descriptor >= 0 else {
      let error = AtomicFile.failure(path, "a writable file")
      unlink(temporary)
      throw error
    }
  }

  deinit {
    guard descriptor >= 0 else { return }
    close(descriptor)
    unlink(temporary)
  }

  /// Writes at the end of what was written in sequence.
  func write(_ bytes: [UInt8]) throws(DataFileError) {
    precondition(descriptor >= 0, "the file is finished")
    guard bytes.withUnsafeBytes({ writeAll($0, to: descriptor) }) else {
      throw AtomicFile.failure(path, "room to write")
    }
  }

  /// Writes at an offset, leaving the place of the sequence where it is.
  func write(_ bytes: [UInt8], at offset: Int) throws(DataFileError) {
    try write(bytes, 0..<bytes.count, at: offset)
  }

  /// Writes a range of the bytes at an offset.
  func write(_ bytes: [UInt8], _ range: Range<Int>, at offset: Int) throws(DataFileError) {
    precondition(descriptor >= 0, "the file is finished")
    let isWritten = bytes.withUnsafeBytes { bytes in
      var done = 0
      while done < range.count {
        let count = pwrite(
          descriptor, bytes.baseAddress! + range.lowerBound + done, range.count - done,
          off_t(offset + done))
        if count < 0 && errno == EINTR { continue }
        if count < 0 { return false }
        done += count
      }
      return true
    }
    guard isWritten else { throw AtomicFile.failure(path, "room to write") }
  }

  /// Flushes the file and gives it its name.
  func finish() throws(DataFileError) {
    precondition(descriptor >= 0, "a file is finished once")
    try AtomicFile.install(temporary, as: path)
    close(descriptor)
    descriptor = -1
  }
}
