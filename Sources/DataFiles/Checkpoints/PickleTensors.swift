/// Tensors of a pickle by their place in its dictionaries, lists and records.
struct PickleTensors {
  /// A tensor with the names on the way to it.
  struct Found {
    let path: [String]
    let tensor: TorchTensor
  }

  /// Deeper levels than any checkpoint has.
  private static let deepest = 40
  private static let longestName = 1024
  /// Attributes of a module between its name and those of its parts.
  private static let moduleLevels: Set<String> = ["_modules", "_parameters", "_buffers"]

  private let heap: PickleHeap
  private let window: ByteWindow
  private var seen: Set<Int32> = []
  private var nameBytes = 0
  private(set) var found: [Found] = []
  private var place: [[String]: Int] = [:]

  /// Walks everything that can be reached; a value that is reached again is left out, so that the time is that of the pickle.
  init(_ heap: PickleHeap, _ root: Int32, _ window: ByteWindow) throws(DataFileError) {
    self.heap = heap
    self.window = window
    try walk(root)
  }

  private mutating func walk(_ root: Int32) throws(DataFileError) {
    var pending: [(value: Int32, path: [String])] = [(root, [])]
    while let (value, path) = pending.popLast() {
      if case .tensor(let tensor) = heap[value] {
        try note(tensor, path)
        continue
      }
      let children = children(of: value)
      guard !children.isEmpty, seen.insert(value).inserted else { continue }
      guard path.count < Self.deepest else {
        throw window.error(
          expected: "at most \(Self.deepest) levels of values", found: "deeper ones",
          hint: "save the state_dict alone")
      }
      // Backwards, so that they are taken off in their order.
      for (name, child) in children.reversed() where isWorthWalking(child) {
        pending.append((child, name.map { path + [$0] } ?? path))
      }
    }
  }

  private func isWorthWalking(_ value: Int32) -> Bool {
    switch heap[value] {
    case .tensor, .dictionary, .list, .record: true
    case .tuple(let items): !items.isEmpty
    default: false
    }
  }

  /// Parts of a value with their names; nil for a level without one.
  private func children(of value: Int32) -> [(name: String?, value: Int32)] {
    switch heap[value] {
    case .list(let items), .tuple(let items):
      return items.enumerated().map { ("\($0.offset)", $0.element) }
    case .dictionary(let pairs):
      return stride(from: 0, to: pairs.count, by: 2).compactMap { index in
        guard let name = heap.text(pairs[index]) ?? heap.integer(pairs[index]).map(String.init)
        else { return nil }
        return (Self.moduleLevels.contains(name) ? nil : name, pairs[index + 1])
      }
    case .record(let record):
      guard let state = record.state else { return [] }
      // A state with slots is a pair of dictionaries.
      if case .tuple(let parts) = heap[state] { return parts.map { (nil, $0) } }
      return [(nil, state)]
    default: return []
    }
  }

  private mutating func note(_ tensor: TorchTensor, _ path: [String]) throws(DataFileError) {
    let count = path.reduce(0) { $0 + $1.utf8.count + 1 }
    nameBytes += count
    guard count <= Self.longestName, nameBytes <= 4 * window.count + 1 << 16 else {
      throw window.error(
        expected: "names of tensors", found: "names that take more than the file",
        hint: "the file is damaged")
    }
    // A name that is given again stands for the later value.
    if let earlier = place[path] {
      found[earlier] = Found(path: path, tensor: tensor)
    } else {
      place[path] = found.count
      found.append(Found(path: path, tensor: tensor))
    }
  }

  /// The tensors with their values in the storages of the file.
  func resolved(
    _ storage: (TorchStorage) throws(DataFileError) -> TensorStorage
  ) throws(DataFileError) -> FoundTensors {
    var result = FoundTensors(tensors: [], unread: [])
    for item in found {
      let tensor = item.tensor
      guard let type = tensor.type, tensor.storage.type != nil else {
        result.unread.append("\(item.path.joined(separator: ".")) (\(tensor.typeName))")
        continue
      }
      let first = tensor.storage.viewOffset + tensor.offset
      result.tensors.append(
        SavedTensor(
          path: item.path, shape: tensor.shape, elementType: type,
          values: StridedValues(
            storage: try storage(tensor.storage), offset: first, strides: tensor.strides)))
    }
    return result
  }
}
