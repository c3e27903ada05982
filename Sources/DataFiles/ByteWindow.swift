import Foundation

/// A regular file open for reading; closed when the last reference goes.
final class OpenFile: Sendable {
  let descriptor: Int32
  let size: Int

  init(_ path: String) throws(DataFileError) {
    // Without O_NONBLOCK opening a named pipe would wait for a writer.
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else {
      throw DataFileError(
        file: path, expected: "a readable file", found: systemErrorText(),
        hint: Self.variableHint(path))
    }
    var status = stat()
    let failed = fstat(descriptor, &status) != 0
    guard !failed, status.st_mode & S_IFMT == S_IFREG else {
      let isDirectory = !failed && status.st_mode & S_IFMT == S_IFDIR
      close(descriptor)
      throw DataFileError(
        file: path, expected: "a regular file",
        found: isDirectory ? "a directory" : "something else")
    }
    self.descriptor = descriptor
    self.size = Int(status.st_size)
  }

  /// For `h.mat:H`, as commands for samples take it.
  private static func variableHint(_ path: String) -> String? {
    guard let colon = path.lastIndex(of: ":"),
      FileManager.default.fileExists(atPath: String(path[..<colon]))
    else { return nil }
    let name = path[path.index(after: colon)...]
    return "the variable stands apart: '--variable \(name)', or 'variable: \(name)' below 'channel'"
  }

  /// Takes over a descriptor that holds `size` bytes.
  init(descriptor: Int32, size: Int) {
    self.descriptor = descriptor
    self.size = size
  }

  deinit { close(descriptor) }
}

/// The operating system's words for the last failed call.
func systemErrorText() -> String { String(cString: strerror(errno)) }

/// A range of bytes in a file or in memory that is read by position.
///
/// Every access is checked against the end of the window, and no memory is taken before the check.
struct ByteWindow: Sendable {
  enum Storage: Sendable {
    case file(OpenFile)
    case memory([UInt8])
  }

  let path: String
  let storage: Storage
  /// Position of the window in its storage.
  private let base: Int
  let count: Int
  /// True when positions count inflated bytes rather than bytes of the file.
  let isInflated: Bool
  /// The variable that errors name.
  var variable: String?

  init(path: String, file: OpenFile, isInflated: Bool = false) {
    self.init(
      path: path, storage: .file(file), base: 0, count: file.size, isInflated: isInflated,
      variable: nil)
  }

  init(path: String, inflated bytes: [UInt8]) {
    self.init(
      path: path, storage: .memory(bytes), base: 0, count: bytes.count, isInflated: true,
      variable: nil)
  }

  private init(
    path: String, storage: Storage, base: Int, count: Int, isInflated: Bool, variable: String?
  ) {
    self.path = path
    self.storage = storage
    self.base = base
    self.count = count
    self.isInflated = isInflated
    self.variable = variable
  }

  /// The part of `byteCount` bytes from `offset`.
  func part(
    at offset: Int, count byteCount: Int, of what: @autoclosure () -> String
  ) throws(DataFileError) -> ByteWindow {
    try check(offset, byteCount, what)
    return ByteWindow(
      path: path, storage: storage, base: base + offset, count: byteCount, isInflated: isInflated,
      variable: variable)
  }

  /// The bytes `offset ..< offset + byteCount`; `what` names them in the error for a short file.
  func bytes(
    at offset: Int, count byteCount: Int, of what: @autoclosure () -> String
  ) throws(DataFileError) -> [UInt8] {
    try check(offset, byteCount, what)
    switch storage {
    case .memory(let bytes):
      return Array(bytes[(base + offset)..<(base + offset + byteCount)])
    case .file(let file):
      var failure: Int32 = 0
      let bytes = [UInt8](unsafeUninitializedCapacity: byteCount) { buffer, filled in
        while filled < byteCount {
          let got = pread(
            file.descriptor, buffer.baseAddress! + filled, byteCount - filled,
            off_t(base + offset + filled))
          if got < 0 && errno == EINTR { continue }
          if got < 0 { failure = errno }
          if got <= 0 { break }
          filled += got
        }
      }
      guard bytes.count == byteCount else {
        throw error(
          at: offset, expected: "\(byteCount) bytes of \(what())",
          found: failure == 0
            ? "the file shrunk while being read" : String(cString: strerror(failure))
        )
      }
      return bytes
    }
  }

  /// An error at a position of this window.
  func error(
    at offset: Int? = nil, expected: String, found: String, hint: String? = nil
  ) -> DataFileError {
    let place: DataFileError.Place =
      offset.map { isInflated ? .inflatedByte(base + $0) : .byte(base + $0) } ?? .file
    return DataFileError(
      file: path, variable: variable, place: place, expected: expected, found: found, hint: hint)
  }

  private func check(_ offset: Int, _ byteCount: Int, _ what: () -> String) throws(DataFileError) {
    guard offset >= 0, byteCount >= 0, offset <= count, byteCount <= count - offset else {
      throw error(
        at: max(0, min(offset, count)), expected: "\(byteCount) bytes of \(what())",
        found: "\(max(0, count - max(0, offset))) bytes before the end",
        hint: "the file is truncated or its header is damaged")
    }
  }
}
