import CHDF5

/// A look at an object's header before libhdf5 interprets it.
///
/// Opening a virtual dataset makes libhdf5 1.10 interpret a heap of selections without checking
/// their lengths. Such datasets, and those with values in other files, are found here and never
/// opened.
///
/// Reference: *HDF5 File Format Specification*, version 3.0, section IV.A.
struct HDF5ObjectHeader {
  private static let externalFiles = 7
  private static let layout = 8
  private static let continuation = 16
  private static let largestBlock = 1 << 20
  private static let largestBlockCount = 100

  private let window: ByteWindow
  private let base: Int
  /// Bytes before the data of a message.
  private var messageHeaderSize = 8
  private var isVersion2 = false

  /// Checks the object that the hard link `name` points to. Use only under `hdf5Lock`.
  static func check(_ file: hid_t, _ name: String, _ window: ByteWindow) throws(DataFileError) {
    var link = H5L_info_t()
    var base: hsize_t = 0
    let plan = try HDF5Handle(H5Fget_create_plist(file), H5Pclose) {
      window.error(expected: "an HDF5 file", found: $0)
    }
    guard H5Lget_info(file, name, &link, 0) >= 0, link.type == H5L_TYPE_HARD,
      H5Pget_userblock(plan.id, &base) >= 0, base <= window.count,
      link.u.address <= window.count
    else {
      throw window.error(expected: "a link into this file", found: "another or a damaged one")
    }
    var header = HDF5ObjectHeader(window: window, base: Int(base))
    try header.check(at: Int(base) + Int(link.u.address))
  }

  private init(window: ByteWindow, base: Int) {
    self.window = window
    self.base = base
  }

  private mutating func check(at start: Int) throws(DataFileError) {
    var blocks = [try firstBlock(at: start)]
    var next = 0
    while next < blocks.count {
      guard blocks.count <= Self.largestBlockCount else {
        throw damaged(start, "more than \(Self.largestBlockCount) blocks")
      }
      blocks += try checkMessages(blocks[next])
      next += 1
    }
  }

  /// The position and size of the first block of messages.
  private mutating func firstBlock(at start: Int) throws(DataFileError) -> Range<Int> {
    let prefix = LittleEndianBytes(try window.bytes(at: start, count: 16, of: "object header"))
    guard prefix.bytes.starts(with: Array("OHDR".utf8)) else {
      guard prefix.bytes[0] == 1 else { throw damaged(start, "version \(prefix.bytes[0])") }
      return try block(at: start + 16, count: prefix.integer(8, 4)!)
    }
    isVersion2 = true
    let flags = Int(prefix.bytes[5])
    messageHeaderSize = flags & 4 != 0 ? 6 : 4
    let sizePosition = start + 6 + (flags & 32 != 0 ? 16 : 0) + (flags & 16 != 0 ? 4 : 0)
    let sizeWidth = 1 << (flags & 3)
    let size = LittleEndianBytes(
      try window.bytes(at: sizePosition, count: sizeWidth, of: "object header"))
    return try block(at: sizePosition + sizeWidth, count: size.integer(0, sizeWidth) ?? -1)
  }

  private func block(at start: Int, count: Int) throws(DataFileError) -> Range<Int> {
    guard (0...Self.largestBlock).contains(count) else {
      throw damaged(start, "\(count) bytes of messages")
    }
    return start..<start + count
  }

  /// Checks the messages of a block and returns the blocks that continue it.
  private func checkMessages(_ block: Range<Int>) throws(DataFileError) -> [Range<Int>] {
    let bytes = LittleEndianBytes(
      try window.bytes(at: block.lowerBound, count: block.count, of: "object header"))
    var continuations: [Range<Int>] = []
    var position = 0
    // A few bytes too short for a message may be left at the end.
    while position + messageHeaderSize <= bytes.bytes.count {
      let type = bytes.integer(position, isVersion2 ? 1 : 2)!
      let size = bytes.integer(position + (isVersion2 ? 1 : 2), 2)!
      let data = position + messageHeaderSize
      switch type {
      case Self.externalFiles:
        throw window.error(expected: "values inside the file", found: "an external dataset")
      case Self.layout:
        guard let version = bytes.integer(data, 1), let kind = bytes.integer(data + 1, 1) else {
          throw damaged(block.lowerBound + position, "a cut message")
        }
        let isVirtual = version >= 4 && kind == 3
        guard !isVirtual else {
          throw window.error(expected: "values inside the file", found: "a virtual dataset")
        }
      case Self.continuation:
        guard let address = bytes.integer(data, 8), let count = bytes.integer(data + 8, 8),
          address <= window.count, count >= 8
        else { throw damaged(block.lowerBound + position, "a continuation elsewhere") }
        // In version 2, a signature stands before the messages and a checksum behind them.
        let start = base + address + (isVersion2 ? 4 : 0)
        continuations.append(try self.block(at: start, count: count - (isVersion2 ? 8 : 0)))
      default: break
      }
      position = data + size
    }
    return continuations
  }

  private func damaged(_ position: Int, _ found: String) -> DataFileError {
    window.error(at: position, expected: "an HDF5 object header", found: found)
  }
}
