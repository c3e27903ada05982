import CZLib
import Synchronization

/// A zip archive of PyTorch: `NAME/data.pkl`, `NAME/data/0`, `NAME/data/1` and so on, all stored without compression.
///
/// Reference: PyTorch, *torch/serialization.py* and *caffe2/serialize/inline_container.h*, for the layout.
enum TorchArchive {
  private static let largestPickle = 256 << 20

  static func tensors(_ window: ByteWindow) throws(DataFileError) -> FoundTensors {
    let directory = try ZipDirectory(window)
    try directory.requireDisjoint()
    var members: [String: ZipDirectory.Member] = [:]
    for member in directory.members {
      guard members.updateValue(member, forKey: member.name) == nil else {
        throw window.error(
          expected: "members of different names",
          found: "two of the name '\(printable(member.name))'", hint: "the archive is damaged")
      }
    }
    let pickles = directory.members.filter {
      $0.name == "data.pkl" || $0.name.hasSuffix("/data.pkl")
    }
    guard pickles.count == 1 else {
      throw window.error(
        expected: "a PyTorch archive with one data.pkl", found: "\(pickles.count) of them",
        hint: "save the state_dict with torch.save")
    }
    let folder = String(pickles[0].name.dropLast("data.pkl".count))
    let isBig = try isBigEndian(members[folder + "byteorder"], directory)
    var reader = PickleReader(PickleInput(try pickle(pickles[0], directory)))
    let root = try reader.load()
    var known: [String: TensorStorage] = [:]
    return try PickleTensors(reader.heap, root, window).resolved {
      storage throws(DataFileError) in
      if let known = known[storage.key] {
        return try checked(known, storage)
      }
      let name = "\(folder)data/\(storage.key)"
      guard let member = members[name] else {
        throw window.error(
          expected: "a member '\(printable(name))'", found: "none",
          hint: "the archive is incomplete")
      }
      let found = TensorStorage(
        window: try stored(member, directory), isBigEndian: isBig, check: ChecksumOnce(member.crc))
      known[storage.key] = found
      return try checked(found, storage)
    }
  }

  /// The bytes of a storage, if they are as many as the pickle says.
  private static func checked(
    _ found: TensorStorage, _ storage: TorchStorage
  ) throws(DataFileError) -> TensorStorage {
    guard let count = storage.byteCount, count <= found.window.count else {
      throw found.window.error(
        at: 0, expected: "\(storage.count) values of \(storage.typeName)",
        found: "\(found.window.count) bytes", hint: "the archive is damaged")
    }
    return found
  }

  private static func isBigEndian(
    _ member: ZipDirectory.Member?, _ directory: ZipDirectory
  ) throws(DataFileError) -> Bool {
    guard let member else { return false }
    let part = try stored(member, directory)
    let text = try part.bytes(at: 0, count: min(part.count, 16), of: "the byte order")
    switch String(decoding: text, as: UTF8.self) {
    case "little": return false
    case "big": return true
    default: throw part.error(at: 0, expected: "'little' or 'big'", found: "another byte order")
    }
  }

  /// The bytes of the pickle, in memory.
  private static func pickle(
    _ member: ZipDirectory.Member, _ directory: ZipDirectory
  ) throws(DataFileError) -> ByteWindow {
    let part = try stored(member, directory)
    guard part.count <= largestPickle else {
      throw part.error(
        at: 0, expected: "a pickle of at most \(largestPickle) bytes", found: "\(part.count)")
    }
    try part.checkCRC(member.crc, of: "data.pkl")
    return part
  }

  private static func stored(
    _ member: ZipDirectory.Member, _ directory: ZipDirectory
  ) throws(DataFileError) -> ByteWindow {
    let part = try directory.packed(member)
    guard member.method == 0, !member.isEncrypted, member.size == member.packedSize else {
      throw part.error(
        at: 0, expected: "the member '\(printable(member.name))' stored as it is",
        found: member.isEncrypted ? "an encrypted one" : "a compressed one",
        hint: "PyTorch compresses nothing: load the file and save it with torch.save")
    }
    return part
  }
}

extension ZipDirectory {
  /// Refuses archives whose members share bytes, as those do that unpack to more than they hold.
  func requireDisjoint() throws(DataFileError) {
    var end = 0
    for member in members.sorted(by: { $0.headerOffset < $1.headerOffset }) {
      guard member.headerOffset >= end, member.headerOffset <= window.count else {
        throw window.error(
          at: min(member.headerOffset, window.count), expected: "members that follow each other",
          found: "'\(printable(member.name))' inside the one before",
          hint: "the archive is damaged")
      }
      // Headers take 30 bytes and the name at least.
      let (next, isTooFar) = (member.headerOffset + 30 + member.name.utf8.count)
        .addingReportingOverflow(member.packedSize)
      guard !isTooFar, next <= window.count else {
        throw window.error(
          at: min(member.headerOffset, window.count),
          expected: "\(member.packedSize) bytes of '\(printable(member.name))'",
          found: "the end of the file", hint: "the archive is truncated or damaged")
      }
      end = next
    }
  }
}

extension ByteWindow {
  /// Compares the CRC-32 of all bytes with the one of a zip archive.
  func checkCRC(_ expected: UInt, of what: String) throws(DataFileError) {
    var crc = crc32(0, nil, 0)
    for start in stride(from: 0, to: count, by: 1 << 20) {
      let piece = try bytes(at: start, count: min(1 << 20, count - start), of: what)
      crc = crc32_z(crc, piece, piece.count)
    }
    guard UInt(crc) == expected else {
      throw error(
        at: 0, expected: "data with the CRC-32 in the archive", found: "another CRC-32",
        hint: "the file is damaged")
    }
  }
}

/// A CRC-32 that is compared the first time that its bytes are used.
final class ChecksumOnce: Sendable {
  private let expected: UInt
  private let isDone = Atomic(false)

  init(_ expected: UInt) { self.expected = expected }

  func require(_ window: ByteWindow, of what: String) throws(DataFileError) {
    if isDone.load(ordering: .acquiring) { return }
    try window.checkCRC(expected, of: what)
    isDone.store(true, ordering: .releasing)
  }
}
