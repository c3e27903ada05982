/// A file of PyTorch before 1.6: pickles of a magic number, a version, the writer's machine, the object and the keys of its storages,
/// then the storages, each with its number of values before it.
///
/// Reference: PyTorch, *torch/serialization.py*, `_legacy_save`, for the layout.
enum TorchLegacyFile {
  /// The integer 0x1950a86a20f9469cfc6c, behind the protocol, as a pickle.
  private static let magic: [UInt8] = [
    0x8A, 0x0A, 0x6C, 0xFC, 0x9C, 0x46, 0xF9, 0x20, 0x6A, 0xA8, 0x50, 0x19, 0x2E,
  ]
  private static let version = 1001

  static func hasMagicNumber(_ start: [UInt8]) -> Bool {
    start.first == 0x80 && start.dropFirst(2).starts(with: magic)
  }

  static func tensors(_ window: ByteWindow) throws(DataFileError) -> FoundTensors {
    var position = 2 + magic.count
    func next() throws(DataFileError) -> (reader: PickleReader, root: Int32) {
      var reader = PickleReader(PickleInput(window, at: position))
      let root = try reader.load()
      position = reader.position
      return (reader, root)
    }
    let (versions, versionRoot) = try next()
    guard versions.heap.integer(versionRoot) == version else {
      throw window.error(
        at: 2 + magic.count, expected: "version \(version) of PyTorch's format", found: "another")
    }
    let (machine, machineRoot) = try next()
    try requireLittleEndian(machine.heap, machineRoot, window)
    let (object, root) = try next()
    let (keys, keysRoot) = try next()
    let storages = try Storages(
      keys.heap, keysRoot, sizes: sizes(of: object.heap), start: position, window)
    return try PickleTensors(object.heap, root, window).resolved {
      storage throws(DataFileError) in try storages.find(storage)
    }
  }

  private static func requireLittleEndian(
    _ heap: PickleHeap, _ root: Int32, _ window: ByteWindow
  ) throws(DataFileError) {
    guard case .dictionary(let pairs) = heap[root] else { return }
    for index in stride(from: 0, to: pairs.count, by: 2)
    where heap.text(pairs[index]) == "little_endian" {
      if case .truth(false) = heap[pairs[index + 1]] {
        throw window.error(
          expected: "a file of a little-endian machine", found: "one of a big-endian machine",
          hint: "load it with torch.load and save it again")
      }
    }
  }

  /// Number and type of the values of each storage that an object refers to.
  private static func sizes(of heap: PickleHeap) -> [String: TorchStorage] {
    var sizes: [String: TorchStorage] = [:]
    for case .storage(let storage) in heap.nodes where sizes[storage.key] == nil {
      sizes[storage.key] = storage
    }
    return sizes
  }

  /// Where each storage lies.
  private struct Storages {
    private var parts: [String: ByteWindow] = [:]
    private let window: ByteWindow

    init(
      _ heap: PickleHeap, _ root: Int32, sizes: [String: TorchStorage], start: Int,
      _ window: ByteWindow
    ) throws(DataFileError) {
      self.window = window
      guard let keys = heap.items(root) else {
        throw window.error(expected: "a list of storages", found: "something else")
      }
      var position = start
      for item in keys {
        guard let key = heap.text(item) ?? heap.integer(item).map(String.init),
          let storage = sizes[key], let type = storage.type
        else {
          throw window.error(
            at: position, expected: "storages of the tensors in the file",
            found: "one that no tensor has, or of a type that is not read",
            hint: "save the state_dict alone, in single precision")
        }
        let head = LittleEndianBytes(
          try window.bytes(at: position, count: 8, of: "the size of storage '\(printable(key))'"))
        guard head.integer(0, 8) == storage.count, let count = storage.byteCount else {
          throw window.error(
            at: position, expected: "\(storage.count) values of \(type.rawValue)",
            found: head.integer(0, 8).map(String.init) ?? "an absurd number",
            hint: "the file is damaged")
        }
        let part = try window.part(
          at: position + 8, count: count, of: "storage '\(printable(key))'")
        guard parts.updateValue(part, forKey: key) == nil else {
          throw window.error(
            at: position, expected: "each storage once", found: "'\(printable(key))' again",
            hint: "the file is damaged")
        }
        position += 8 + count
      }
    }

    func find(_ storage: TorchStorage) throws(DataFileError) -> TensorStorage {
      guard let part = parts[storage.key], let count = storage.byteCount, count <= part.count
      else {
        throw window.error(
          expected: "\(storage.count) values of storage '\(printable(storage.key))'",
          found: parts[storage.key].map { "\($0.count) bytes" } ?? "no such storage",
          hint: "the file is incomplete")
      }
      return TensorStorage(window: part)
    }
  }
}
