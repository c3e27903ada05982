import Foundation
import LinkMath

/// What went wrong with a result folder.
public struct JournalError: Error, Sendable, CustomStringConvertible {
  public let path: String
  public let problem: String
  public let hint: String?
  public var description: String {
    "\(path): error: \(problem)" + (hint.map { "\n  hint: \($0)" } ?? "")
  }
}

/// What a journal belongs to; another header means another run.
public struct JournalHeader: Sendable, Hashable, Codable {
  public var format = 2
  /// Everything the drops depend on, but not how many there are: a longer run continues a shorter one.
  public var physics: String
  public var blockSize: Int
  public var pointCount: Int
  public var provenance: Provenance

  /// Whether blocks of one belong to the other. The scenario's digest may differ: it covers the number of drops and the
  /// stop rule, which do not change a block.
  func sharesBlocks(with other: JournalHeader) -> Bool {
    var other = other
    other.provenance.scenarioDigest = provenance.scenarioDigest
    return self == other
  }
}

/// The finished blocks of a run on disk: one line each, appended and flushed as the block finishes.
///
/// A line is `block <index> <drops> <base64 of the metrics> <checksum>`; the first line is the header as JSON. A line that
/// was cut off or damaged is ignored, so its block is computed again: a killed run loses only the blocks in work.
final class Journal {
  let header: JournalHeader
  private let handle: FileHandle
  private let path: String
  private let dropsOfBlock: (Int) -> Int
  /// Where each finished block starts in the file, and the length of its line.
  private(set) var blocks: [Int: (offset: UInt64, length: Int)] = [:]

  /// Opens the journal of a folder, or starts one.
  ///
  /// - Parameter dropsOfBlock: how many drops the run wants of a block. The last block of a run with fewer or more drops
  ///   can have another number; it stays in the file and is not used.
  /// - Throws: ``JournalError`` if the file belongs to another run or cannot be written.
  init(_ path: String, header: JournalHeader, dropsOfBlock: @escaping (Int) -> Int) throws {
    self.path = path
    self.dropsOfBlock = dropsOfBlock
    self.header = header
    if !FileManager.default.fileExists(atPath: path) {
      let line = try JSONEncoder.sorted.encode(header) + Data("\n".utf8)
      guard FileManager.default.createFile(atPath: path, contents: line) else {
        throw JournalError(
          path: path, problem: "cannot be created", hint: "is the folder writable?")
      }
    }
    guard let handle = FileHandle(forUpdatingAtPath: path) else {
      throw JournalError(path: path, problem: "cannot be opened", hint: nil)
    }
    self.handle = handle
    try Journal.lock(handle, path)
    let found = try scan()
    guard let found else {
      // Not even the header was finished when an earlier run was killed.
      try handle.truncate(atOffset: 0)
      try handle.write(contentsOf: JSONEncoder.sorted.encode(header) + Data("\n".utf8))
      return
    }
    try requireSame(found)
  }

  /// One process at a time writes a journal.
  private static func lock(_ handle: FileHandle, _ path: String) throws {
    guard flock(handle.fileDescriptor, LOCK_EX | LOCK_NB) == 0 else {
      throw JournalError(
        path: path, problem: "is in use by another run",
        hint: "wait for it, or choose another --output")
    }
  }

  private func requireSame(_ found: JournalHeader) throws {
    guard !header.sharesBlocks(with: found) else { return }
    let what: String
    if found.physics != header.physics || found.blockSize != header.blockSize {
      what = "another scenario"
    } else if found.provenance.kernel != header.provenance.kernel {
      what = "kernels that round otherwise (\(found.provenance.kernel))"
    } else if found.provenance.build != header.provenance.build {
      what = "another build of csilink"
    } else {
      what = "other data or weights"
    }
    throw JournalError(
      path: path, problem: "holds results of \(what)",
      hint: "--fresh discards them, --output NAME keeps them and writes elsewhere")
  }

  /// Notes where every valid line is and cuts off an unfinished last one; the block of a damaged line is computed again.
  ///
  /// - Returns: the header, nil if there is none.
  private func scan() throws -> JournalHeader? {
    guard let first = try handle.firstLine() else { return nil }
    guard let found = try? JSONDecoder().decode(JournalHeader.self, from: first) else {
      throw JournalError(
        path: path, problem: "is not a journal of csilink", hint: "--fresh replaces it")
    }
    var offset = UInt64(first.count + 1)
    var pending = Data()
    try handle.seek(toOffset: offset)
    while let chunk = try handle.read(upToCount: 1 << 20), !chunk.isEmpty {
      pending += chunk
      var start = pending.startIndex
      while let end = pending[start...].firstIndex(of: 0x0a) {
        let line = pending[start..<end]
        if let (index, metrics) = Journal.parse(line, found.pointCount) {
          if metrics.dropCount == dropsOfBlock(index) { blocks[index] = (offset, line.count) }
        }
        offset += UInt64(line.count + 1)
        start = end + 1
      }
      pending = Data(pending[start...])
    }
    try handle.truncate(atOffset: offset)
    return found
  }

  /// Appends a finished block; returns when the bytes are with the operating system.
  func append(_ index: Int, _ metrics: BlockMetrics) throws {
    let payload = metrics.values.withUnsafeBytes { Data($0).base64EncodedString() }
    let body = "block \(index) \(metrics.dropCount) \(payload)"
    let line = "\(body) \(Digest.sha256(body).prefix(16))\n"
    let offset = try handle.seekToEnd()
    try handle.write(contentsOf: Data(line.utf8))
    blocks[index] = (offset, line.utf8.count - 1)
  }

  /// Reads a finished block back.
  func read(_ index: Int) throws -> BlockMetrics {
    let place = blocks[index]!
    try handle.seek(toOffset: place.offset)
    guard let line = try handle.read(upToCount: place.length),
      let (_, metrics) = Journal.parse(line, header.pointCount)
    else {
      throw JournalError(path: path, problem: "changed while it was read", hint: nil)
    }
    return metrics
  }

  private static func parse(_ line: Data, _ pointCount: Int) -> (Int, BlockMetrics)? {
    let fields = String(decoding: line, as: UTF8.self).split(
      separator: " ", omittingEmptySubsequences: false)
    guard fields.count == 5, fields[0] == "block", let index = Int(fields[1]), index >= 0,
      let drops = Int(fields[2]), (1...4096).contains(drops),
      Digest.sha256(fields[0..<4].joined(separator: " ")).prefix(16) == fields[4],
      let data = Data(base64Encoded: String(fields[3]))
    else { return nil }
    let values = data.withUnsafeBytes { raw in
      (0..<raw.count / 8).map { raw.loadUnaligned(fromByteOffset: 8 * $0, as: Double.self) }
    }
    return BlockMetrics(pointCount: pointCount, dropCount: drops, values: values).map {
      (index, $0)
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

extension FileHandle {
  /// The bytes before the first newline; nil if there is none.
  fileprivate func firstLine() throws -> Data? {
    try seek(toOffset: 0)
    var line = Data()
    while let chunk = try read(upToCount: 4096), !chunk.isEmpty {
      if let end = chunk.firstIndex(of: 0x0a) { return line + chunk[..<end] }
      line += chunk
      if line.count > 1 << 20 { return nil }
    }
    return nil
  }
}
