import Foundation

/// A folder that is removed with everything in it when the test is over.
final class TemporaryFolder {
  let path: String

  init() throws {
    path = NSTemporaryDirectory() + "/datafiles-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  func file(_ name: String) -> String { "\(path)/\(name)" }

  /// Writes bytes and returns the path.
  func file(_ name: String, _ bytes: some Sequence<UInt8>) throws -> String {
    try Data(bytes).write(to: URL(filePath: file(name)))
    return file(name)
  }

  var contents: [String] {
    get throws { try FileManager.default.contentsOfDirectory(atPath: path).sorted() }
  }
}

enum Fixture {
  static func path(_ name: String) -> String {
    URL(filePath: #filePath).deletingLastPathComponent()
      .appending(path: "../Fixtures/datasets/\(name)").standardizedFileURL.path
  }

  static func bytes(_ name: String) throws -> [UInt8] {
    Array(try Data(contentsOf: URL(filePath: path(name))))
  }
}

func read(_ path: String) throws -> [UInt8] { Array(try Data(contentsOf: URL(filePath: path))) }

/// `value` in little-endian bytes.
func little(_ value: some FixedWidthInteger) -> [UInt8] {
  withUnsafeBytes(of: value.littleEndian) { Array($0) }
}

/// `value` in big-endian bytes.
func big(_ value: some FixedWidthInteger) -> [UInt8] {
  withUnsafeBytes(of: value.bigEndian) { Array($0) }
}

/// A NumPy file of version 1 with this header text and these values.
func npy(_ header: String, _ values: [UInt8]) -> [UInt8] {
  [0x93] + Array("NUMPY".utf8) + [1, 0] + little(UInt16(header.utf8.count)) + Array(header.utf8)
    + values
}

/// A safetensors file with this header and these values.
func safetensors(_ header: String, _ values: [UInt8]) -> [UInt8] {
  little(UInt64(header.utf8.count)) + Array(header.utf8) + values
}

extension Array where Element == UInt8 {
  /// The bytes with `bytes` in place of those at `position`.
  func replacing(at position: Int, _ bytes: [UInt8]) -> [UInt8] {
    var copy = self
    copy.replaceSubrange(position..<(position + bytes.count), with: bytes)
    return copy
  }
}
