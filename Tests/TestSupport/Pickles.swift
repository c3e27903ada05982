import Foundation

/// Pickles and archives put together byte by byte, as PyTorch would and as it never would.
public enum Pickle {
  public static func text(_ text: String) -> [UInt8] {
    [0x58] + little(text.utf8.count, 4) + Array(text.utf8)
  }

  public static func integer(_ value: Int) -> [UInt8] {
    value >= 0 && value < 1 << 31
      ? [0x4A] + little(value, 4) : [0x8A, 8] + little(value, 8)
  }

  public static func global(_ module: String, _ name: String) -> [UInt8] {
    Array("c\(module)\n\(name)\n".utf8)
  }

  public static func tuple(_ items: [[UInt8]]) -> [UInt8] { [0x28] + items.flatMap { $0 } + [0x74] }

  public static func dictionary(_ items: [(String, [UInt8])]) -> [UInt8] {
    [0x7D, 0x28] + items.flatMap { text($0.0) + $0.1 } + [0x75]
  }

  public static func little(_ value: Int, _ size: Int) -> [UInt8] {
    (0..<size).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
  }

  public static func storage(_ key: String = "0", count: Int = 6, type: String = "FloatStorage")
    -> [UInt8]
  {
    tuple([
      text("storage"), global("torch", type), text(key), text("cpu"), integer(count),
    ]) + [0x51]
  }

  public static func tensor(
    _ storage: [UInt8] = storage(), offset: Int = 0, shape: [Int] = [2, 3],
    strides: [Int] = [3, 1]
  ) -> [UInt8] {
    global("torch._utils", "_rebuild_tensor_v2")
      + tuple([
        storage, integer(offset), tuple(shape.map(integer)), tuple(strides.map(integer)), [0x89],
        global("collections", "OrderedDict") + [0x29, 0x52],
      ]) + [0x52]
  }

  /// A whole pickle.
  public static func of(_ value: [UInt8]) -> [UInt8] { [0x80, 2] + value + [0x2E] }
}

/// The two containers of PyTorch around the pickle of an object and one storage of six values i / 8.
public enum TorchContainer: String, CaseIterable, Sendable {
  case zip, legacy

  public static let values: [UInt8] = (0..<6).flatMap {
    Pickle.little(Int((Float($0) / 8).bitPattern), 4)
  }

  public func file(_ object: [UInt8], storage: [UInt8] = values) -> [UInt8] {
    switch self {
    case .zip:
      return StoredZip.archive([("a/data.pkl", object), ("a/data/0", storage)])
    case .legacy:
      let magic: [UInt8] = [
        0x80, 2, 0x8A, 10, 0x6C, 0xFC, 0x9C, 0x46, 0xF9, 0x20, 0x6A, 0xA8, 0x50, 0x19, 0x2E,
      ]
      let machine = Pickle.dictionary([("little_endian", [0x88])])
      let keys = [0x5D] + Pickle.text("0") + [0x61]
      return magic + Pickle.of(Pickle.integer(1001)) + Pickle.of(machine) + object
        + Pickle.of(keys) + Pickle.little(storage.count / 4, 8) + storage
    }
  }
}

/// A zip archive without compression.
public enum StoredZip {
  public struct Entry {
    public var name: String
    public var content: [UInt8]
    public var method = 0
    public var flags = 0
    /// Size that the directory tells; nil for the true one.
    public var size: Int?
    /// Place that the directory tells; nil for the true one.
    public var offset: Int?
    public var hasZip64 = false

    public init(name: String, content: [UInt8], hasZip64: Bool = false) {
      self.name = name
      self.content = content
      self.hasZip64 = hasZip64
    }
  }

  public static func archive(_ members: [(String, [UInt8])]) -> [UInt8] {
    archive(members.map { Entry(name: $0.0, content: $0.1) })
  }

  public static func archive(_ entries: [Entry]) -> [UInt8] {
    var bytes: [UInt8] = []
    var directory: [UInt8] = []
    let little = Pickle.little
    for entry in entries {
      let offset = entry.offset ?? bytes.count
      let size = entry.size ?? entry.content.count
      let name = Array(entry.name.utf8)
      let fields =
        little(entry.flags, 2) + little(entry.method, 2) + [0, 0, 0, 0]
        + little(Int(crc(entry.content)), 4)
      let told = entry.hasZip64 ? 0xFFFF_FFFF : size
      bytes += [0x50, 0x4B, 3, 4, 20, 0] + fields + little(told, 4) + little(told, 4)
      bytes += little(name.count, 2) + [0, 0] + name + entry.content
      let extra = entry.hasZip64 ? [1, 0, 16, 0] + little(size, 8) + little(size, 8) : []
      directory += [0x50, 0x4B, 1, 2, 45, 0, 20, 0] + fields + little(told, 4) + little(told, 4)
      directory += little(name.count, 2) + little(extra.count, 2) + [0, 0, 0, 0, 0, 0, 0, 0, 0, 0]
      directory += little(offset, 4) + name + extra
    }
    let end =
      [0x50, 0x4B, 5, 6, 0, 0, 0, 0] + little(entries.count, 2) + little(entries.count, 2)
      + little(directory.count, 4) + little(bytes.count, 4) + [0, 0]
    return bytes + directory + end
  }

  /// CRC-32 of IEEE 802.3, bit by bit.
  public static func crc(_ bytes: [UInt8]) -> UInt32 {
    ~bytes.reduce(0xFFFF_FFFF) { crc, byte in
      (0..<8).reduce(crc ^ UInt32(byte)) { crc, _ in crc >> 1 ^ (crc & 1 == 1 ? 0xEDB8_8320 : 0) }
    }
  }
}
