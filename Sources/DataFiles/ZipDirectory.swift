/// The central directory of a zip archive, with zip64.
///
/// Reference: PKWARE APPNOTE 6.3.10, sections 4.3.12 to 4.3.16, 4.5.3.
struct ZipDirectory {
  struct Member {
    let name: String
    let method: Int
    let isEncrypted: Bool
    let crc: UInt
    let packedSize: Int
    let size: Int
    let headerOffset: Int
  }

  private static let end = 0x0605_4B50
  private static let end64 = 0x0606_4B50
  private static let locator64 = 0x0706_4B50
  private static let entry = 0x0201_4B50
  private static let localHeader = 0x0403_4B50
  private static let entrySize = 46

  let members: [Member]
  let window: ByteWindow

  init(_ window: ByteWindow) throws(DataFileError) {
    self.window = window
    let (offset, size, count) = try Self.extent(window)
    let directory = LittleEndianBytes(
      try window.bytes(at: offset, count: size, of: "zip directory"))
    guard count <= size / Self.entrySize else {
      throw window.error(
        at: offset, expected: "at most \(size / Self.entrySize) members", found: "\(count)")
    }
    var members: [Member] = []
    var position = 0
    for _ in 0..<count {
      guard let member = Self.member(directory, &position) else {
        throw window.error(
          at: offset + position, expected: "a zip directory entry", found: "other bytes",
          hint: "the archive is damaged")
      }
      members.append(member)
    }
    self.members = members
  }

  /// The packed bytes of a member.
  func packed(_ member: Member) throws(DataFileError) -> ByteWindow {
    let header = LittleEndianBytes(
      try window.bytes(at: member.headerOffset, count: 30, of: "zip member header"))
    guard header.integer(0, 4) == Self.localHeader else {
      throw window.error(
        at: member.headerOffset, expected: "a zip member header", found: "other bytes",
        hint: "the archive is damaged")
    }
    let start = member.headerOffset + 30 + header.integer(26, 2)! + header.integer(28, 2)!
    return try window.part(
      at: start, count: member.packedSize, of: "zip member '\(printable(member.name))'")
  }

  /// Position, size and number of entries of the directory.
  private static func extent(
    _ window: ByteWindow
  ) throws(DataFileError) -> (offset: Int, size: Int, count: Int) {
    let tailSize = min(window.count, 22 + 0xFFFF)
    let tailStart = window.count - tailSize
    let tail = LittleEndianBytes(
      try window.bytes(at: tailStart, count: tailSize, of: "zip directory end"))
    let last = tailSize - 22
    let found = stride(from: last, through: 0, by: -1).first {
      tail.integer($0, 4) == end && tail.integer($0 + 20, 2) == last - $0
    }
    guard let found else {
      throw window.error(
        at: window.count, expected: "the directory at the end of a zip archive",
        found: "none", hint: "the archive is truncated or damaged")
    }
    let count = tail.integer(found + 10, 2)!
    let size = tail.integer(found + 12, 4)!
    let offset = tail.integer(found + 16, 4)!
    guard count == 0xFFFF || size == 0xFFFF_FFFF || offset == 0xFFFF_FFFF,
      found >= 20, tail.integer(found - 20, 4) == locator64
    else { return (offset, size, count) }
    let position = tail.integer(found - 12, 8) ?? -1
    let record = LittleEndianBytes(
      try window.bytes(at: position, count: 56, of: "zip64 directory end"))
    guard record.integer(0, 4) == end64, let count = record.integer(32, 8),
      let size = record.integer(40, 8), let offset = record.integer(48, 8)
    else {
      throw window.error(at: position, expected: "the zip64 directory end", found: "other bytes")
    }
    return (offset, size, count)
  }

  /// Reads the entry at `position` and moves behind it; nil if it is damaged.
  private static func member(_ bytes: LittleEndianBytes, _ position: inout Int) -> Member? {
    guard bytes.integer(position, 4) == entry, let flags = bytes.integer(position + 8, 2),
      let nameLength = bytes.integer(position + 28, 2),
      let extraLength = bytes.integer(position + 30, 2),
      let commentLength = bytes.integer(position + 32, 2),
      let name = bytes.text(position + entrySize, nameLength)
    else { return nil }
    // The sizes that are all ones are in the zip64 field instead, in this order.
    var values = [24, 20].map { bytes.integer(position + $0, 4)! }
    values.append(bytes.integer(position + 42, 4)!)
    let extra = position + entrySize + nameLength
    var field = extra
    while values.contains(0xFFFF_FFFF), field + 4 <= extra + extraLength {
      guard let id = bytes.integer(field, 2), let length = bytes.integer(field + 2, 2) else {
        return nil
      }
      if id == 1 {
        var at = field + 4
        for index in values.indices where values[index] == 0xFFFF_FFFF {
          guard at + 8 <= field + 4 + length, let value = bytes.integer(at, 8) else { return nil }
          values[index] = value
          at += 8
        }
        break
      }
      field += 4 + length
    }
    defer { position = extra + extraLength + commentLength }
    return Member(
      name: name, method: bytes.integer(position + 10, 2)!, isEncrypted: flags & 1 != 0,
      crc: UInt(bytes.integer(position + 16, 4)!), packedSize: values[1], size: values[0],
      headerOffset: values[2])
  }
}

/// Bytes with bounds-checked access to unsigned little-endian integers.
struct LittleEndianBytes {
  let bytes: [UInt8]

  init(_ bytes: [UInt8]) { self.bytes = bytes }

  /// The integer of `size` bytes, or nil if it is outside or does not fit in `Int`.
  func integer(_ position: Int, _ size: Int) -> Int? {
    guard position >= 0, position <= bytes.count - size else { return nil }
    var value: UInt64 = 0
    for byte in bytes[position..<(position + size)].reversed() { value = value << 8 | UInt64(byte) }
    return Int(exactly: value)
  }

  /// UTF-8 text, or nil if it is outside or not valid.
  func text(_ position: Int, _ size: Int) -> String? {
    guard position >= 0, size >= 0, position <= bytes.count - size else { return nil }
    return String(validating: bytes[position..<(position + size)], as: UTF8.self)
  }
}
