import CZLib
import Foundation

/// Inflates deflated data in pieces, with every size checked against what the file promised.
struct Inflater {
  enum Wrapper {
    /// Deflate data alone, as in zip members.
    case raw
    /// With zlib header and Adler-32, as in MATLAB v5 files.
    case zlib

    fileprivate var windowBits: Int32 { self == .raw ? -15 : 15 }
  }

  /// Deflate cannot expand by more than this (zlib's documentation: 1032 to 1).
  static let largestExpansion = 1032
  /// Up to this size inflated data is held in memory, beyond it in a temporary file.
  static let memoryLimit = 64 << 20
  private static let pieceByteCount = 1 << 18

  let input: ByteWindow
  let wrapper: Wrapper

  /// The first `count` inflated bytes, or all of them if there are fewer.
  func prefix(_ count: Int) throws(DataFileError) -> ByteWindow {
    var output: [UInt8] = []
    try run { piece throws(DataFileError) in
      output.append(contentsOf: piece.prefix(count - output.count))
      return output.count < count
    }
    var window = ByteWindow(path: input.path, inflated: output)
    window.variable = input.variable
    return window
  }

  /// Inflates everything, which must give `count` bytes exactly and, if given, their CRC-32.
  func all(count: Int, crc expectedCRC: UInt? = nil) throws(DataFileError) -> ByteWindow {
    guard count / Self.largestExpansion <= input.count else {
      throw input.error(
        at: 0, expected: "deflated data of \(count) bytes", found: "only \(input.count) bytes",
        hint: "deflate packs at most \(Self.largestExpansion) to 1, so a size in the file is wrong")
    }
    let spill = try Spill(count: count, path: input.path)
    var total = 0
    var crc = crc32(0, nil, 0)
    try run { piece throws(DataFileError) in
      total += piece.count
      guard total <= count else { throw wrongSize(count, found: "more") }
      if expectedCRC != nil { crc = crc32_z(crc, piece.baseAddress, piece.count) }
      try spill.append(piece)
      return true
    }
    guard total == count else { throw wrongSize(count, found: "\(total)") }
    if let expectedCRC, expectedCRC != UInt(crc) {
      throw input.error(
        at: 0, expected: "data with the CRC-32 in the archive", found: "another CRC-32",
        hint: "the file is damaged")
    }
    var window = spill.finish()
    window.variable = input.variable
    return window
  }

  private func wrongSize(_ count: Int, found: String) -> DataFileError {
    input.error(at: 0, expected: "\(count) inflated bytes", found: found)
  }

  /// Feeds inflated pieces to `consume` until it returns false or the stream ends.
  private func run(
    _ consume: (UnsafeBufferPointer<UInt8>) throws(DataFileError) -> Bool
  ) throws(DataFileError) {
    var stream = z_stream()
    let size = Int32(MemoryLayout<z_stream>.size)
    guard inflateInit2_(&stream, wrapper.windowBits, ZLIB_VERSION, size) == Z_OK else {
      throw input.error(expected: "memory for inflating", found: "none")
    }
    defer { inflateEnd(&stream) }
    let source = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: Self.pieceByteCount)
    let output = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: Self.pieceByteCount)
    defer {
      source.deallocate()
      output.deallocate()
    }
    var consumed = 0
    while true {
      if stream.avail_in == 0 && consumed < input.count {
        let count = min(Self.pieceByteCount, input.count - consumed)
        _ = source.update(fromContentsOf: try input.bytes(at: consumed, count: count, of: "data"))
        stream.next_in = source.baseAddress
        stream.avail_in = UInt32(count)
        consumed += count
      }
      stream.next_out = output.baseAddress
      stream.avail_out = UInt32(output.count)
      let status = inflate(&stream, Z_NO_FLUSH)
      let produced = output.count - Int(stream.avail_out)
      if produced > 0, try !consume(.init(rebasing: output[..<produced])) { return }
      switch status {
      case Z_STREAM_END:
        let rest = input.count - consumed + Int(stream.avail_in)
        guard rest == 0 else {
          throw input.error(
            at: input.count - rest, expected: "the end of the deflated data",
            found: "\(rest) more bytes")
        }
        return
      case Z_OK where stream.avail_in > 0 || consumed < input.count || produced > 0:
        continue
      case Z_OK, Z_BUF_ERROR:
        throw input.error(
          at: input.count, expected: "the rest of the deflated data", found: "the end",
          hint: "the file is truncated or damaged")
      default:
        throw input.error(
          at: consumed - Int(stream.avail_in), expected: "deflated data",
          found: stream.msg.map { String(cString: $0) } ?? "zlib error \(status)",
          hint: "the file is damaged")
      }
    }
  }
}

/// Inflated bytes being collected: in memory if few, else in a temporary file without a name.
private final class Spill {
  private let path: String
  private let count: Int
  private var memory: [UInt8] = []
  private var file: OpenFile?

  init(count: Int, path: String) throws(DataFileError) {
    self.path = path
    self.count = count
    if count > Inflater.memoryLimit {
      file = try Self.temporaryFile(count)
    } else {
      memory.reserveCapacity(count)
    }
  }

  func append(_ piece: UnsafeBufferPointer<UInt8>) throws(DataFileError) {
    guard let file else {
      memory.append(contentsOf: piece)
      return
    }
    guard writeAll(UnsafeRawBufferPointer(piece), to: file.descriptor) else {
      throw Self.failure(count)
    }
  }

  func finish() -> ByteWindow {
    guard let file else { return ByteWindow(path: path, inflated: memory) }
    return ByteWindow(path: path, file: file, isInflated: true)
  }

  private static func temporaryFile(_ count: Int) throws(DataFileError) -> OpenFile {
    let template = NSTemporaryDirectory() + "/csilink-XXXXXX"
    var name = Array(template.utf8CString)
    let descriptor = mkstemp(&name)
    guard descriptor >= 0 else { throw failure(count) }
    unlink(&name)
    return OpenFile(descriptor: descriptor, size: count)
  }

  private static func failure(_ count: Int) -> DataFileError {
    DataFileError(
      file: NSTemporaryDirectory(), expected: "room for \(count) bytes of inflated data",
      found: systemErrorText(), hint: "set TMPDIR to a folder on a larger disk")
  }
}
