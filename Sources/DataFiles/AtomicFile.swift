import Foundation

/// Writes files so that a reader, or a crash at any moment, sees the old content or the new one.
///
/// The content goes to a temporary file in the same directory, is flushed to the disk (`fsync`) and
/// then takes the place of `path` by `rename`. If anything fails, `path` is as it was and the
/// temporary file is gone.
public enum AtomicFile {
  /// A temporary file being written.
  public struct Output: ~Copyable {
    fileprivate let file: PartialFile

    /// Appends bytes.
    public borrowing func write(_ bytes: UnsafeRawBufferPointer) throws(DataFileError) {
      try file.write(bytes)
    }

    /// Appends bytes.
    public borrowing func write(_ bytes: some ContiguousBytes) throws(DataFileError) {
      let result = bytes.withUnsafeBytes { bytes in
        Result { () throws(DataFileError) in try file.write(bytes) }
      }
      try result.get()
    }
  }

  /// Replaces the content of `path` by `bytes` (`Data`, `[UInt8]`, ...).
  public static func write(_ bytes: some ContiguousBytes, to path: String) throws(DataFileError) {
    try write(to: path) { output throws(DataFileError) in try output.write(bytes) }
  }

  /// Replaces the content of `path` by UTF-8 text.
  public static func write(_ text: String, to path: String) throws(DataFileError) {
    try write(Array(text.utf8), to: path)
  }

  /// Replaces the content of `path` by what `body` writes, piece by piece.
  public static func write(
    to path: String, _ body: (borrowing Output) throws(DataFileError) -> Void
  ) throws(DataFileError) {
    let file = try PartialFile(path)
    try body(Output(file: file))
    try file.finish()
  }

  /// Flushes the folder that a file or a folder is in to the disk: only then does its name survive a loss of power.
  ///
  /// A file system that cannot flush folders has still replaced the file as a whole.
  public static func flushFolder(of path: String) {
    let directory = open(directoryPath(of: path), O_RDONLY | O_CLOEXEC)
    guard directory >= 0 else { return }
    fsync(directory)
    close(directory)
  }

  /// Creates a folder and those above it that are missing.
  public static func createFolder(_ path: String) throws(DataFileError) {
    if make(path) { return }
    if errno == ENOENT, case let parent = directoryPath(of: path), parent != path, parent != "." {
      try createFolder(parent)
      if make(path) { return }
    }
    let reason = errno == EEXIST ? "a file of that name" : systemErrorText()
    var isFolder: ObjCBool = false
    if FileManager.default.fileExists(atPath: path, isDirectory: &isFolder), isFolder.boolValue {
      return
    }
    throw DataFileError(
      file: path, expected: "a folder, or a place where one can be made", found: reason,
      hint: "choose another folder")
  }

  /// Makes one folder; false with `errno` set if that fails.
  private static func make(_ path: String) -> Bool {
    guard mkdir(path, 0o777) == 0 else { return false }
    flushFolder(of: path)
    return true
  }

  static func directoryPath(of path: String) -> String {
    guard let slash = path.lastIndex(of: "/") else { return "." }
    return slash == path.startIndex ? "/" : String(path[..<slash])
  }

  static func failure(_ path: String, _ expected: String) -> DataFileError {
    DataFileError(file: path, expected: expected, found: systemErrorText())
  }
}

/// Writes all bytes at the descriptor's position; false with `errno` set if that fails.
func writeAll(_ bytes: UnsafeRawBufferPointer, to descriptor: Int32) -> Bool {
  var done = 0
  while done < bytes.count {
    let count = write(descriptor, bytes.baseAddress! + done, bytes.count - done)
    if count < 0 && errno == EINTR { continue }
    if count < 0 { return false }
    done += count
  }
  return true
}
