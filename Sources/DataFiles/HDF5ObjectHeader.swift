import CHDF5

/// A look at an object's header before libhdf5 interprets it.
///
/// Some structures libhdf5 1.10 interprets without checking lengths and addresses: the heaps in which
/// virtual datasets keep their selections and newer groups and objects many links and attributes, and external
/// links. A damaged one crashes it. MATLAB writes none of them, so that objects with them are found here and
/// never opened; nor are datasets with values in other files.
///
/// Reference: *HDF5 File Format Specification*, version 3.0, sections II.A and IV.A.
struct HDF5ObjectHeader {
  private static let linkInfo = 2
  private static let externalFiles = 7
  static let link = 6
  static let layout = 8
  private static let continuation = 16
  private static let attributeInfo = 21
  private static let largestBlock = 1 << 20
  private static let largestBlockCount = 100

  private let window: ByteWindow
  private let base: Int
  /// Bytes before the data of a message.
  private var messageHeaderSize = 8
  private var isVersion2 = false

  /// A message of a header: its type and its data.
  struct Message {
    let type: Int
    /// Data in another place of the file.
    let isShared: Bool
    let bytes: LittleEndianBytes
    /// Position of the data in `bytes`.
    let data: Int
    let size: Int
  }

  /// Checks the root group of a file that libhdf5 has not seen yet; `base` is where HDF5 starts.
  static func checkRoot(_ window: ByteWindow, base: Int) throws(DataFileError) {
    _ = try messages(at: rootAddress(window, base: base), window, base: base)
  }

  /// The checked messages of the object at an address.
  static func messages(
    at address: Int, _ window: ByteWindow, base: Int
  ) throws(DataFileError) -> [Message] {
    guard address <= window.count else {
      throw window.error(expected: "an object inside the file", found: "address \(address)")
    }
    var header = HDF5ObjectHeader(window: window, base: base)
    return try header.check(at: base + address)
  }

  /// Where the header of the root group is.
  static func rootAddress(_ window: ByteWindow, base: Int) throws(DataFileError) -> Int {
    let count = min(96, window.count - base)
    let superblock = LittleEndianBytes(
      try window.bytes(at: base, count: count, of: "HDF5 superblock"))
    let version = superblock.integer(8, 1) ?? 0
    let (sizes, root) = version < 2 ? (13, 64 + 4 * version) : (9, 36)
    guard version <= 3, superblock.integer(sizes, 1) == 8, superblock.integer(sizes + 1, 1) == 8,
      let address = superblock.integer(root, 8), address <= window.count
    else {
      throw window.error(
        at: base, expected: "an HDF5 superblock", found: "one that is damaged or of a new version")
    }
    return address
  }

  /// Checks the object that the hard link `name` points to. Use only under `hdf5Lock`.
  static func check(
    _ file: hid_t, _ name: String, _ window: ByteWindow, base: Int
  ) throws(DataFileError) {
    var link = H5L_info_t()
    guard H5Lget_info(file, name, &link, 0) >= 0, link.type == H5L_TYPE_HARD,
      link.u.address <= window.count
    else {
      throw window.error(expected: "a link into this file", found: "another or a damaged one")
    }
    _ = try messages(at: Int(link.u.address), window, base: base)
  }

  private init(window: ByteWindow, base: Int) {
    self.window = window
    self.base = base
  }

  private mutating func check(at start: Int) throws(DataFileError) -> [Message] {
    var blocks = [try firstBlock(at: start)]
    var messages: [Message] = []
    var next = 0
    while next < blocks.count {
      guard blocks.count <= Self.largestBlockCount else {
        throw damaged(start, "more than \(Self.largestBlockCount) blocks")
      }
      blocks += try checkMessages(blocks[next], &messages)
      next += 1
    }
    return messages
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

  /// Checks and collects the messages of a block and returns the blocks that continue it.
  private func checkMessages(
    _ block: Range<Int>, _ messages: inout [Message]
  ) throws(DataFileError) -> [Range<Int>] {
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
      case Self.linkInfo, Self.attributeInfo:
        try checkHeap(bytes, at: data, indexSize: type == Self.linkInfo ? 8 : 2)
      case Self.link:
        // A type stands only in links that are not hard; 1 is a soft link.
        guard let flags = bytes.integer(data + 1, 1), let kind = bytes.integer(data + 2, 1) else {
          throw damaged(block.lowerBound + position, "a cut message")
        }
        guard flags & 8 == 0 || kind <= 1 else {
          throw window.error(expected: "links inside the file", found: "a link to another file")
        }
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
      let flags = bytes.integer(position + (isVersion2 ? 3 : 4), 1)!
      messages.append(
        Message(type: type, isShared: flags & 2 != 0, bytes: bytes, data: data, size: size))
      position = data + size
    }
    return continuations
  }

  /// Links or attributes in a heap have its address in their information, others all ones.
  private func checkHeap(
    _ bytes: LittleEndianBytes, at data: Int, indexSize: Int
  ) throws(DataFileError) {
    let isTracked = (bytes.integer(data + 1, 1) ?? 0) & 1 != 0
    let address = data + 2 + (isTracked ? indexSize : 0)
    guard address + 8 <= bytes.bytes.count,
      bytes.bytes[address..<(address + 8)].allSatisfy({ $0 == 0xFF })
    else {
      throw window.error(
        expected: "a file as MATLAB writes it", found: "links or attributes in a heap",
        hint: "write it with MATLAB, or with HDF5's oldest format (h5py: libver='earliest')")
    }
  }

  private func damaged(_ position: Int, _ found: String) -> DataFileError {
    window.error(at: position, expected: "an HDF5 object header", found: found)
  }
}
