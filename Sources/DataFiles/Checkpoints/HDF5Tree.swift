/// The datasets of an HDF5 file in groups of groups, as h5py writes it: Keras models and weights.
///
/// Reads the few structures that such files have by itself, every address and length checked against the file, and calls no library:
/// libhdf5 crashes on some damaged files. Chunked or compressed datasets and newer groups of many members are refused.
///
/// Reference: *HDF5 File Format Specification*, version 3.0, sections III and IV.
struct HDF5Tree {
  static let signature: [UInt8] = [0x89, 0x48, 0x44, 0x46, 0x0D, 0x0A, 0x1A, 0x0A]
  private static let symbolTable = 17
  private static let deepest = 16
  private static let longestName = 256
  private static let hint = "write the file with h5py's defaults, as Keras does"

  private let window: ByteWindow
  /// Objects and nodes that were visited: a file that leads back is refused.
  private var visited: Set<Int> = []
  private(set) var tensors: [SavedTensor] = []

  /// All datasets of numbers, groups in the order of their names as h5py stores them.
  static func tensors(_ window: ByteWindow) throws(DataFileError) -> [SavedTensor] {
    var tree = HDF5Tree(window: window)
    try tree.walk(try HDF5ObjectHeader.rootAddress(window, base: 0), [])
    return tree.tensors
  }

  private init(window: ByteWindow) { self.window = window }

  private mutating func walk(_ address: Int, _ path: [String]) throws(DataFileError) {
    guard path.count <= Self.deepest else {
      throw window.error(
        at: address, expected: "at most \(Self.deepest) levels of groups", found: "more")
    }
    // Two names for one object are read once.
    guard visited.insert(address).inserted else { return }
    let messages = try HDF5ObjectHeader.messages(at: address, window, base: 0)
    if messages.contains(where: { $0.type == HDF5ObjectHeader.layout }) {
      var named = window
      named.variable = path.joined(separator: "/")
      if let tensor = try HDF5Plain(messages, named).map({ $0.tensor(path) }) {
        tensors.append(tensor)
      }
      return
    }
    for message in messages {
      switch message.type {
      case Self.symbolTable:
        guard let tree = message.bytes.integer(message.data, 8),
          let heap = message.bytes.integer(message.data + 8, 8)
        else { throw damaged(address, "a cut symbol table") }
        let names = try localHeap(heap)
        try walkTree(tree, names, path)
      case HDF5ObjectHeader.link:
        let (name, child) = try link(message, address)
        if let child { try walk(child, path + [name]) }
      default: break
      }
    }
  }

  /// The texts of a group's local heap.
  private func localHeap(_ address: Int) throws(DataFileError) -> ByteWindow {
    let head = LittleEndianBytes(try window.bytes(at: address, count: 32, of: "a local heap"))
    guard head.text(0, 4) == "HEAP", let size = head.integer(8, 8), let data = head.integer(24, 8)
    else { throw damaged(address, "another local heap") }
    return try window.part(at: data, count: size, of: "a local heap")
  }

  private mutating func walkTree(
    _ address: Int, _ names: ByteWindow, _ path: [String], depth: Int = 0
  ) throws(DataFileError) {
    guard depth < Self.deepest, visited.insert(address).inserted else {
      throw damaged(address, "a tree that leads back")
    }
    let head = LittleEndianBytes(try window.bytes(at: address, count: 24, of: "a tree of links"))
    guard head.text(0, 4) == "TREE", head.integer(4, 1) == 0, let level = head.integer(5, 1),
      let count = head.integer(6, 2)
    else { throw damaged(address, "another tree") }
    let entries = LittleEndianBytes(
      try window.bytes(at: address + 24, count: 16 * count + 8, of: "a tree of links"))
    for index in 0..<count {
      guard let child = entries.integer(16 * index + 8, 8) else {
        throw damaged(address, "an absurd address")
      }
      if level > 0 {
        try walkTree(child, names, path, depth: depth + 1)
      } else {
        try walkSymbols(child, names, path)
      }
    }
  }

  private mutating func walkSymbols(
    _ address: Int, _ names: ByteWindow, _ path: [String]
  ) throws(DataFileError) {
    guard visited.insert(address).inserted else { throw damaged(address, "links again") }
    let head = LittleEndianBytes(try window.bytes(at: address, count: 8, of: "a list of links"))
    guard head.text(0, 4) == "SNOD", let count = head.integer(6, 2) else {
      throw damaged(address, "another list of links")
    }
    let entries = LittleEndianBytes(
      try window.bytes(at: address + 8, count: 40 * count, of: "a list of links"))
    for index in 0..<count {
      // 2 is a link by name, which is not followed.
      guard entries.integer(40 * index + 16, 4) != 2 else { continue }
      guard let place = entries.integer(40 * index, 8),
        let child = entries.integer(40 * index + 8, 8)
      else { throw damaged(address, "an absurd address") }
      try walk(child, path + [try name(names, place)])
    }
  }

  private func name(_ names: ByteWindow, _ place: Int) throws(DataFileError) -> String {
    let count = max(0, min(Self.longestName, names.count - max(0, place)))
    let bytes = try names.bytes(at: place, count: count, of: "a name")
    guard let end = bytes.firstIndex(of: 0), end > 0,
      let name = String(validating: bytes[..<end], as: UTF8.self)
    else { throw names.error(at: place, expected: "a name", found: "other bytes") }
    return name
  }

  /// Name and address of a link message; no address for links by name.
  private func link(
    _ message: HDF5ObjectHeader.Message, _ address: Int
  ) throws(DataFileError) -> (name: String, address: Int?) {
    let bytes = message.bytes
    var position = message.data + 2
    guard let flags = bytes.integer(message.data + 1, 1) else {
      throw damaged(address, "a cut link")
    }
    let kind = flags & 8 != 0 ? bytes.integer(position, 1) : 0
    position += (flags & 8 != 0 ? 1 : 0) + (flags & 4 != 0 ? 8 : 0) + (flags & 16 != 0 ? 1 : 0)
    let width = 1 << (flags & 3)
    guard let length = bytes.integer(position, width), (1...Self.longestName).contains(length),
      let name = bytes.text(position + width, length)
    else { throw damaged(address, "a link without a name") }
    if kind != 0 { return (name, nil) }
    guard let child = bytes.integer(position + width + length, 8) else {
      throw damaged(address, "a cut link")
    }
    return (name, child)
  }

  private func damaged(_ address: Int, _ found: String) -> DataFileError {
    window.error(
      at: max(0, min(address, window.count)), expected: "groups and datasets of HDF5", found: found,
      hint: Self.hint)
  }
}

/// A dataset whose numbers lie in one run of bytes.
private struct HDF5Plain {
  private static let dataspace = 1
  private static let datatype = 3

  let shape: [Int]
  let type: ElementType
  let storage: TensorStorage

  /// - Returns: nil for a dataset of something else than numbers, such as texts.
  init?(_ messages: [HDF5ObjectHeader.Message], _ window: ByteWindow) throws(DataFileError) {
    func first(_ type: Int) throws(DataFileError) -> HDF5ObjectHeader.Message {
      guard let message = messages.first(where: { $0.type == type }), !message.isShared else {
        throw window.error(
          expected: "a dataset with a shape and a type of its own", found: "another")
      }
      return message
    }
    shape = try Self.shape(try first(Self.dataspace), window)
    guard let number = Self.number(try first(Self.datatype)) else { return nil }
    type = number.type
    guard let count = ArrayShape.byteCount(shape, bytesPerElement: type.byteCount) else {
      throw window.error(expected: "an array that fits in memory", found: ArrayShape.text(shape))
    }
    storage = TensorStorage(
      window: try Self.values(try first(HDF5ObjectHeader.layout), count, window),
      isBigEndian: number.isBig)
  }

  func tensor(_ path: [String]) -> SavedTensor {
    SavedTensor(
      path: path, shape: shape, elementType: type,
      values: StridedValues(storage: storage, offset: 0, strides: StridedValues.rowMajor(shape)))
  }

  private static func shape(
    _ message: HDF5ObjectHeader.Message, _ window: ByteWindow
  ) throws(DataFileError) -> [Int] {
    let version = message.bytes.integer(message.data, 1) ?? 0
    guard (1...2).contains(version), let rank = message.bytes.integer(message.data + 1, 1),
      rank <= 32
    else { throw window.error(expected: "a shape of HDF5", found: "another") }
    let start = message.data + (version == 1 ? 8 : 4)
    var shape: [Int] = []
    for axis in 0..<rank {
      guard let length = message.bytes.integer(start + 8 * axis, 8) else {
        throw window.error(expected: "lengths of \(rank) axes", found: "absurd ones")
      }
      shape.append(length)
    }
    return shape
  }

  /// A standard type of numbers; nil for another type.
  private static func number(
    _ message: HDF5ObjectHeader.Message
  ) -> (type: ElementType, isBig: Bool)? {
    let (bytes, data) = (message.bytes, message.data)
    guard let kind = bytes.integer(data, 1), let bits = bytes.integer(data + 1, 3),
      let size = bytes.integer(data + 4, 4)
    else { return nil }
    let isBig = bits & 1 != 0
    switch kind & 15 {
    case 0:
      guard bytes.integer(data + 8, 2) == 0, bytes.integer(data + 10, 2) == 8 * size else {
        return nil
      }
      return ElementType(rawValue: "\(bits & 8 != 0 ? "int" : "uint")\(8 * size)")
        .map { ($0, isBig) }
    case 1 where bits & 64 == 0:
      // Offset and precision in bits, then place and size of exponent and fraction, then the exponent's bias.
      let layout = [
        bytes.integer(data + 8, 2), bytes.integer(data + 10, 2), bytes.integer(data + 12, 1),
        bytes.integer(data + 13, 1), bytes.integer(data + 14, 1), bytes.integer(data + 15, 1),
        bytes.integer(data + 16, 4),
      ]
      let known: [(ElementType, [Int?])] = [
        (.float16, [0, 16, 10, 5, 0, 10, 15]), (.bfloat16, [0, 16, 7, 8, 0, 7, 127]),
        (.float32, [0, 32, 23, 8, 0, 23, 127]), (.float64, [0, 64, 52, 11, 0, 52, 1023]),
      ]
      return known.first { $0.1 == layout && $0.0.byteCount == size }.map { ($0.0, isBig) }
    default: return nil
    }
  }

  private static func values(
    _ message: HDF5ObjectHeader.Message, _ count: Int, _ window: ByteWindow
  ) throws(DataFileError) -> ByteWindow {
    let (bytes, data) = (message.bytes, message.data)
    guard let version = bytes.integer(data, 1), let kind = bytes.integer(data + 1, 1) else {
      throw window.error(expected: "a layout of HDF5", found: "a cut one")
    }
    switch (version, kind) {
    case (3...4, 0):
      guard bytes.integer(data + 2, 2) == count, data + 4 + count <= bytes.bytes.count else {
        throw window.error(expected: "\(count) bytes of values", found: "another number")
      }
      var part = ByteWindow(
        path: window.path, inflated: Array(bytes.bytes[data + 4..<data + 4 + count]))
      part.variable = window.variable
      return part
    case (3...4, 1):
      guard bytes.integer(data + 10, 8) == count, let address = bytes.integer(data + 2, 8) else {
        throw window.error(
          expected: "\(count) bytes of values", found: "another number, or none",
          hint: "the file was not written to its end or is damaged")
      }
      return try window.part(at: address, count: count, of: "values")
    default:
      throw window.error(
        expected: "values in one run of bytes", found: "chunks or an older layout",
        hint: "copy the file with h5py, without chunks and compression")
    }
  }
}
