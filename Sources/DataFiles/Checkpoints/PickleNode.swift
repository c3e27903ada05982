/// A value of a pickle; values refer to each other by their index in ``PickleHeap``.
enum PickleNode {
  case none
  case truth(Bool)
  case integer(Int)
  case double(Double)
  case text(String)
  /// Bytes, and integers beyond 64 bits: nothing that is looked at.
  case opaque
  case tuple([Int32])
  case list([Int32])
  /// Keys and values in turn.
  case dictionary([Int32])
  /// A name of the program that wrote the pickle.
  case global(PickleGlobal)
  /// What such a name would have made; inert.
  case record(PickleRecord)
  case storage(TorchStorage)
  case tensor(TorchTensor)
}

/// A name that a pickle refers to; never looked up.
final class PickleGlobal {
  let module: String
  let name: String

  init(module: String, name: String) {
    self.module = module
    self.name = name
  }

  var text: String { "\(module).\(name)" }
}

/// An object of a type that is not known: the name of its type, and the state that would have been given to it.
final class PickleRecord {
  let type: String
  var state: Int32?

  init(type: String) { self.type = type }
}

/// A storage that a pickle refers to.
final class TorchStorage {
  let key: String
  /// Type of its numbers; nil with the name of one that is not read.
  let type: ElementType?
  let typeName: String
  /// Numbers in it; bytes where the type is told by the tensor.
  let count: Int
  /// The part of it that tensors see.
  let viewOffset, viewCount: Int

  init(
    key: String, type: ElementType?, typeName: String, count: Int, viewOffset: Int, viewCount: Int
  ) {
    self.key = key
    self.type = type
    self.typeName = typeName
    self.count = count
    self.viewOffset = viewOffset
    self.viewCount = viewCount
  }

  /// Bytes of the whole storage; nil for types that are not read.
  var byteCount: Int? {
    type.flatMap { ArrayShape.byteCount([count], bytesPerElement: $0.byteCount) }
  }
}

/// A tensor that a pickle builds.
final class TorchTensor {
  let storage: TorchStorage
  let type: ElementType?
  let typeName: String
  let offset: Int
  let shape: [Int]
  let strides: [Int]

  init(
    storage: TorchStorage, type: ElementType?, typeName: String, offset: Int, shape: [Int],
    strides: [Int]
  ) {
    self.storage = storage
    self.type = type
    self.typeName = typeName
    self.offset = offset
    self.shape = shape
    self.strides = strides
  }
}

/// The values of one pickle.
///
/// Small values that many objects share stand once, so that a value costs at least two bytes of the pickle, and their number is
/// limited by its length.
struct PickleHeap {
  /// More than the checkpoints of the largest networks have.
  static let largestCount = 2_000_000

  private(set) var nodes: [PickleNode] = [.none, .truth(false), .truth(true), .tuple([])]

  static let none: Int32 = 0
  static let emptyTuple: Int32 = 3
  static func truth(_ value: Bool) -> Int32 { value ? 2 : 1 }
  private static let firstInteger: Int32 = 4

  init() {
    nodes += (0..<256).map { .integer($0) }
  }

  static func smallInteger(_ value: UInt8) -> Int32 { firstInteger + Int32(value) }

  subscript(index: Int32) -> PickleNode { nodes[Int(index)] }

  mutating func add(_ node: PickleNode) -> Int32 {
    nodes.append(node)
    return Int32(nodes.count - 1)
  }

  /// Appends to a list or, keys and values in turn, to a dictionary; false for other values.
  mutating func append(_ items: ArraySlice<Int32>, to index: Int32) -> Bool {
    let place = Int(index)
    // The array is taken out so that it is not copied.
    switch nodes[place] {
    case .list(var list):
      nodes[place] = .none
      list += items
      nodes[place] = .list(list)
    case .dictionary(var pairs):
      nodes[place] = .none
      pairs += items
      nodes[place] = .dictionary(pairs)
    default: return false
    }
    return true
  }

  func integer(_ index: Int32) -> Int? {
    if case .integer(let value) = self[index] { value } else { nil }
  }

  func text(_ index: Int32) -> String? {
    if case .text(let value) = self[index] { value } else { nil }
  }

  /// The items of a tuple or a list.
  func items(_ index: Int32) -> [Int32]? {
    switch self[index] {
    case .tuple(let items), .list(let items): items
    default: nil
    }
  }
}
