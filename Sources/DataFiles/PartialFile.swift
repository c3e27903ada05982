import Foundation

/// A file being written beside its place, which it takes when it is finished.
///
/// Dropped before, or after an error, the temporary file is removed and `path` is as it was. While it is written it is
/// locked: the next writer of `path` removes those that nobody holds, which killed processes have left.
final class PartialFile {
  let path: String
  let temporary: String
  /// Negative once closed.
  private var descriptor: Int32

  init(_ path: String) throws(DataFileError) {
    self.path = path
    Leftovers.remove(besides: path)
    while true {
      let name = Leftovers.name(for: path)
      let descriptor = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
      guard descriptor >= 0 else {
        guard errno == EEXIST else { throw AtomicFile.failure(path, "a writable directory") }
        continue
      }
      if Leftovers.hold(descriptor) {
        (temporary, self.descriptor) = (name, descriptor)
        return
      }
      // Another process has just taken it for a leftover.
      close(descriptor)
    }
  }

  deinit {
    guard descriptor >= 0 else { return }
    unlink(temporary)
    close(descriptor)
  }

  /// Writes at the end of what was written in sequence.
  func write(_ bytes: UnsafeRawBufferPointer) throws(DataFileError) {
    precondition(descriptor >= 0, "the file is finished")
    guard writeAll(bytes, to: descriptor) else { throw AtomicFile.failure(path, "room to write") }
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
    guard fsync(descriptor) == 0 else { throw AtomicFile.failure(path, "a flush to the disk") }
    guard rename(temporary, path) == 0 else {
      throw AtomicFile.failure(path, "a replaceable file")
    }
    close(descriptor)
    descriptor = -1
    AtomicFile.flushFolder(of: path)
  }
}
