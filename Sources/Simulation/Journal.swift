import DataFiles
import Foundation
import LinkMath

/// What went wrong with a result folder.
public struct JournalError: Error, Sendable, CustomStringConvertible {
  /// The journal.
  public let path: String
  /// What went wrong, to be read after the path.
  public let problem: String
  /// A way out, if one is known.
  public let hint: String?
  /// Path, problem and hint as a terminal shows them.
  public var description: String {
    "\(path): error: \(problem)" + (hint.map { "\n  hint: \($0)" } ?? "")
  }
}

/// What a journal belongs to; another header means another run.
public struct JournalHeader: Sendable, Hashable, Codable {
  /// Raised when lines or blocks change their meaning.
  public var format = 5
  /// Everything the drops depend on, but not how many there are: a longer run continues a shorter one.
  public var physics: String
  /// Drops of a block.
  public var blockSize: Int
  /// Names of the numbers of a drop, as the metrics of the run keep them.
  public var numbers: [String]
  /// Users of each operating point.
  public var users: [Int]
  /// Digests of scenario, data, weights and program.
  public var provenance: Provenance

  /// What the numbers of a block are.
  var layout: BlockLayout { BlockLayout(numbers: numbers, users: users) }

  /// Whether blocks of one belong to the other. The scenario's digest may differ: it covers the number of drops and the
  /// stop rule, which do not change a block.
  func sharesBlocks(with other: JournalHeader) -> Bool {
    var other = other
    other.provenance.scenarioDigest = provenance.scenarioDigest
    return self == other
  }
}

/// The finished blocks of a run on disk: one line each, appended as the block finishes.
///
/// The first line is the header as JSON, each other one a ``JournalLine``, packed and with a checksum. A line that was cut off or damaged
/// is ignored, so its block is computed again. A killed run loses only the blocks in work; lines are flushed to the disk
/// within a second, so a loss of power costs the blocks of that second besides.
final class Journal {
  private let path: String
  private let handle: FileHandle
  private let reader: JournalReader
  private let flusher: DelayedFlush

  var blocks: [Int: (offset: UInt64, length: Int)] { reader.blocks }

  /// Opens the journal of a folder, or starts one, and cuts off an unfinished last line.
  ///
  /// - Parameter dropsOfBlock: how many drops the run wants of a block. The last block of a run with fewer or more drops
  ///   can have another number; it stays in the file and is not used.
  /// - Throws: ``JournalError`` if the file belongs to another run or cannot be written.
  init(_ path: String, header: JournalHeader, dropsOfBlock: (Int) -> Int) throws {
    self.path = path
    let isNew = !FileManager.default.fileExists(atPath: path)
    if isNew, !FileManager.default.createFile(atPath: path, contents: nil) {
      throw JournalError(path: path, problem: "cannot be created", hint: "is the folder writable?")
    }
    guard let handle = FileHandle(forUpdatingAtPath: path), let flusher = DelayedFlush(path) else {
      throw JournalError(path: path, problem: "cannot be opened", hint: nil)
    }
    (self.handle, self.flusher) = (handle, flusher)
    try Journal.lock(handle, path)
    do {
      reader = try JournalReader(path, handle, header: header, dropsOfBlock: dropsOfBlock)
    } catch {
      Journal.unlock(handle)
      throw error
    }
    try handle.truncate(atOffset: reader.end)
    guard reader.end == 0 else { return }
    // A new file, or not even the header was finished when an earlier run was killed.
    try handle.write(contentsOf: JSONEncoder.sorted.encode(header) + Data("\n".utf8))
    try flush()
    if isNew { AtomicFile.flushFolder(of: path) }
  }

  deinit { Journal.unlock(handle) }

  /// One process at a time writes a journal.
  private static func lock(_ handle: FileHandle, _ path: String) throws {
    guard flock(handle.fileDescriptor, LOCK_EX | LOCK_NB) == 0 else {
      throw JournalError(
        path: path, problem: "is in use by another run",
        hint: "wait for it, or choose another --output")
    }
  }

  /// Before it is closed: a child process that was started meanwhile may hold a copy of the descriptor, and so the lock.
  private static func unlock(_ handle: FileHandle) { flock(handle.fileDescriptor, LOCK_UN) }

  /// Appends a finished block; returns when the bytes are with the operating system.
  func append(_ index: Int, _ metrics: BlockMetrics) throws {
    let line = JournalLine.bytes(index, metrics)
    let offset = try handle.seekToEnd()
    do {
      try write(line)
    } catch {
      // Half a line would take the next one with it.
      try? handle.truncate(atOffset: offset)
      throw error
    }
    reader.note(index, offset: offset, length: line.count - 1)
    try flusher.request().map { throw failure($0) }
  }

  /// Returns when everything is on the disk.
  func flush() throws { try flusher.flush().map { throw failure($0) } }

  private func failure(_ code: Int32) -> JournalError {
    JournalError(
      path: path, problem: "cannot be flushed to the disk: \(String(cString: strerror(code)))",
      hint: nil)
  }

  private func write(_ line: [UInt8]) throws {
    var bytes = line[...]
    while !bytes.isEmpty {
      let count = bytes.withUnsafeBytes {
        Foundation.write(handle.fileDescriptor, $0.baseAddress, $0.count)
      }
      if count < 0 && errno == EINTR { continue }
      guard count >= 0 else {
        throw JournalError(
          path: path, problem: "cannot be written: \(String(cString: strerror(errno)))",
          hint: "when there is room, the same command continues")
      }
      bytes = bytes.dropFirst(count)
    }
  }

  /// Reads a finished block back.
  func read(_ index: Int) throws -> BlockMetrics { try reader.read(index) }
}

/// Flushes a file to the disk a second after it was asked to, however often it is asked.
///
/// It opens the file for itself, so that a flush in work does not hold on to the lock of a journal.
private final class DelayedFlush: @unchecked Sendable {
  // Sendable: `isPending` and `failure` are touched under `lock` only.
  private let lock = NSLock()
  private let descriptor: Int32
  private var isPending = false
  /// `errno` of a flush that failed.
  private var failure: Int32?

  private static let delay = DispatchTimeInterval.seconds(1)

  init?(_ path: String) {
    descriptor = open(path, O_RDONLY | O_CLOEXEC)
    if descriptor < 0 { return nil }
  }

  deinit {
    if isPending { fdatasync(descriptor) }
    close(descriptor)
  }

  /// Asks for a flush; returns the `errno` of an earlier one that failed.
  func request() -> Int32? {
    lock.withLock {
      if !isPending {
        isPending = true
        DispatchQueue.global().asyncAfter(deadline: .now() + Self.delay) { [weak self] in
          _ = self?.flush()
        }
      }
      return failure
    }
  }

  /// Flushes now; returns the `errno` of a flush that failed.
  func flush() -> Int32? {
    // What is written from here on asks again.
    lock.withLock { isPending = false }
    let code = fdatasync(descriptor) == 0 ? nil : errno
    return lock.withLock {
      if let code { failure = code }
      return failure
    }
  }
}

extension JSONEncoder {
  /// Equal values give equal bytes.
  static var sorted: JSONEncoder {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return encoder
  }
}
