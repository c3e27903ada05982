import Foundation
import LinkMath

/// The finished blocks in the file of a journal; the file is only read.
final class JournalReader {
  let path: String
  private let header: JournalHeader
  private let layout: BlockLayout
  private let handle: FileHandle
  /// Where each finished block starts in the file, and the length of its line.
  private(set) var blocks: [Int: (offset: UInt64, length: Int)] = [:]
  /// Where the last whole line ends; zero if not even the header was finished.
  private(set) var end: UInt64 = 0

  /// Notes where every valid line is; an unfinished last line and damaged ones are left out.
  ///
  /// - Parameters:
  ///   - header: of the run that the blocks are wanted for.
  ///   - dropsOfBlock: how many drops the run wants of a block; lines of another number are not used.
  /// - Throws: ``JournalError`` if the file belongs to another run.
  init(
    _ path: String, _ handle: FileHandle, header: JournalHeader, dropsOfBlock: (Int) -> Int
  ) throws {
    self.path = path
    self.header = header
    layout = header.layout
    self.handle = handle
    guard let found = try readHeader() else { return }
    try requireSame(found)
    try scan(dropsOfBlock)
  }

  /// Opens a file for reading alone.
  convenience init(
    reading path: String, header: JournalHeader, dropsOfBlock: (Int) -> Int
  ) throws {
    guard let handle = FileHandle(forReadingAtPath: path) else {
      throw JournalError(path: path, problem: "cannot be opened", hint: nil)
    }
    try self.init(path, handle, header: header, dropsOfBlock: dropsOfBlock)
  }

  /// The header of a journal, whatever run it belongs to.
  ///
  /// - Throws: ``JournalError`` if the file is no journal.
  static func header(of path: String) throws -> JournalHeader {
    guard let handle = FileHandle(forReadingAtPath: path), let first = try handle.firstLine(),
      let found = try? JSONDecoder().decode(JournalHeader.self, from: first)
    else { throw JournalError(path: path, problem: "is not a journal of csilink", hint: nil) }
    return found
  }

  /// Refuses a journal of another run; one whose header was never finished passes.
  ///
  /// - Throws: ``JournalError``.
  static func require(_ header: JournalHeader, at path: String) throws {
    _ = try JournalReader(reading: path, header: header) { _ in 0 }
  }

  /// The header, nil if there is none.
  private func readHeader() throws -> JournalHeader? {
    guard let first = try handle.firstLine() else { return nil }
    guard let found = try? JSONDecoder().decode(JournalHeader.self, from: first) else {
      throw JournalError(
        path: path, problem: "is not a journal of csilink",
        hint: "delete it, or start over (--fresh)")
    }
    end = UInt64(first.count + 1)
    return found
  }

  private func scan(_ dropsOfBlock: (Int) -> Int) throws {
    var pending = Data()
    try handle.seek(toOffset: end)
    while let chunk = try handle.read(upToCount: 1 << 20), !chunk.isEmpty {
      pending += chunk
      var start = pending.startIndex
      while let newline = pending[start...].firstIndex(of: 0x0a) {
        let line = pending[start..<newline]
        if let (index, metrics) = JournalLine.parse(line, layout),
          metrics.dropCount == dropsOfBlock(index)
        {
          blocks[index] = (end, line.count)
        }
        end += UInt64(line.count + 1)
        start = newline + 1
      }
      pending = Data(pending[start...])
    }
  }

  private func requireSame(_ found: JournalHeader) throws {
    guard !header.sharesBlocks(with: found) else { return }
    let what: String
    if found.format != header.format {
      what = "another build of csilink"
    } else if found.physics != header.physics || found.blockSize != header.blockSize {
      what = "another scenario, or of its sweep in another order"
    } else if found.numbers != header.numbers || found.users != header.users {
      what = "other metrics"
    } else if found.provenance.kernel != header.provenance.kernel {
      what = "kernels that round otherwise (\(found.provenance.kernel))"
    } else if found.provenance.build != header.provenance.build {
      what = "another build of csilink"
    } else {
      what = "other data or weights"
    }
    throw JournalError(
      path: path, problem: "holds results of \(what)",
      hint:
        "'run --fresh' discards them, '--output NAME' keeps them and writes to another folder; 'merge' needs the scenario, the --set and the data of its shards"
    )
  }

  /// Reads a finished block back.
  func read(_ index: Int) throws -> BlockMetrics {
    let place = blocks[index]!
    try handle.seek(toOffset: place.offset)
    guard let line = try handle.read(upToCount: place.length),
      let (_, metrics) = JournalLine.parse(line, layout)
    else {
      throw JournalError(path: path, problem: "changed while it was read", hint: nil)
    }
    return metrics
  }

  /// Notes a line that was appended.
  func note(_ index: Int, offset: UInt64, length: Int) { blocks[index] = (offset, length) }
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
