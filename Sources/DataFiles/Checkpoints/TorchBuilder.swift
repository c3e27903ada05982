/// What a call in a pickle gives.
enum PickleResult {
  /// A value that is there already.
  case value(Int32)
  case node(PickleNode)
  /// A call that cannot be as PyTorch writes it.
  case wrong(String)
}

/// The globals of PyTorch's pickles that stand for tensors, storages and dictionaries.
///
/// Reference: PyTorch, *torch/_utils.py* (`_rebuild_tensor_v2` and its kin) and *torch/serialization.py*, for the arguments only.
extension PickleHeap {
  private static let storageTypes: [String: ElementType] = [
    "FloatStorage": .float32, "DoubleStorage": .float64, "HalfStorage": .float16,
    "BFloat16Storage": .bfloat16, "LongStorage": .int64, "IntStorage": .int32,
    "ShortStorage": .int16, "CharStorage": .int8, "ByteStorage": .uint8, "BoolStorage": .uint8,
    "UntypedStorage": .uint8,
  ]
  private static let types: [String: ElementType] = [
    "float32": .float32, "float64": .float64, "float16": .float16, "bfloat16": .bfloat16,
    "int64": .int64, "int32": .int32, "int16": .int16, "int8": .int8, "uint8": .uint8,
    "uint16": .uint16, "uint32": .uint32, "uint64": .uint64, "bool": .uint8,
  ]
  private static let largestRank = 16

  /// The storage of a persistent identifier `('storage', type, key, place, count, view)`; nil if it is another.
  func torchStorage(_ identifier: Int32) -> TorchStorage? {
    guard let parts = items(identifier), parts.count >= 5, text(parts[0]) == "storage",
      case .global(let type) = self[parts[1]], type.module.hasPrefix("torch"),
      let key = text(parts[2]) ?? integer(parts[2]).map(String.init), key.utf8.count <= 256,
      let count = integer(parts[4]), count >= 0
    else { return nil }
    var view: (offset: Int, count: Int)?
    if parts.count > 5, let fields = items(parts[5]) {
      guard fields.count == 3, let offset = integer(fields[1]), let size = integer(fields[2]),
        offset >= 0, size >= 0, offset <= count, size <= count - offset
      else { return nil }
      view = (offset, size)
    }
    return TorchStorage(
      key: key, type: Self.storageTypes[type.name], typeName: type.name,
      count: count, viewOffset: view?.offset ?? 0, viewCount: view?.count ?? count)
  }

  /// What a call of a global gives: a tensor, a dictionary, a tuple, or a record without behaviour.
  func torchResult(of global: PickleGlobal, _ arguments: Int32) -> PickleResult {
    guard let arguments = items(arguments) else { return .wrong("a call without a tuple") }
    return result(of: global, arguments, isNested: false)
  }

  private func result(
    of global: PickleGlobal, _ arguments: [Int32], isNested: Bool
  ) -> PickleResult {
    switch global.text {
    case "collections.OrderedDict": dictionary(arguments)
    case "collections.defaultdict": .node(.dictionary([]))
    case "torch.Size":
      arguments.first.map { .value($0) } ?? .value(Self.emptyTuple)
    case "torch._utils._rebuild_tensor", "torch._utils._rebuild_tensor_v2",
      "torch._utils._rebuild_tensor_v3":
      tensor(arguments, hasType: global.name.hasSuffix("v3"))
    case "torch._utils._rebuild_parameter", "torch._utils._rebuild_parameter_with_state":
      arguments.first.map { .value($0) } ?? .wrong("a parameter without a tensor")
    case "torch._tensor._rebuild_from_type_v2" where !isNested:
      subclass(arguments)
    default: .node(.record(PickleRecord(type: global.text)))
    }
  }

  /// A dictionary, empty or from a list of pairs.
  private func dictionary(_ arguments: [Int32]) -> PickleResult {
    guard let first = arguments.first else { return .node(.dictionary([])) }
    guard let pairs = items(first) else { return .wrong("a dictionary of something") }
    var flat: [Int32] = []
    for pair in pairs {
      guard let pair = items(pair), pair.count == 2 else { return .wrong("a pair of another size") }
      flat += pair
    }
    return .node(.dictionary(flat))
  }

  /// A tensor with attributes: `(function, type, arguments, state)`, as a call of the function.
  private func subclass(_ arguments: [Int32]) -> PickleResult {
    guard arguments.count >= 3, case .global(let function) = self[arguments[0]],
      let inner = items(arguments[2])
    else { return .wrong("a tensor subclass of another form") }
    return result(of: function, inner, isNested: true)
  }

  /// `(storage, offset, shape, strides, ...)`, with the type at index 6 in the newest form.
  private func tensor(_ arguments: [Int32], hasType: Bool) -> PickleResult {
    guard arguments.count >= (hasType ? 7 : 4), case .storage(let storage) = self[arguments[0]],
      let offset = integer(arguments[1]), offset >= 0,
      let shape = lengths(arguments[2]), let strides = lengths(arguments[3]),
      shape.count == strides.count, shape.count <= Self.largestRank
    else { return .wrong("a tensor without storage, shape and strides") }
    var (type, typeName) = (storage.type, storage.typeName)
    if hasType {
      guard case .global(let named) = self[arguments[6]] else {
        return .wrong("a tensor without a type")
      }
      (type, typeName) = (Self.types[named.name], named.name)
    }
    let tensor = TorchTensor(
      storage: storage, type: type, typeName: typeName, offset: offset, shape: shape,
      strides: strides)
    guard tensor.fits else {
      return .wrong("a tensor of \(ArrayShape.text(shape)) beyond its storage of \(storage.count)")
    }
    return .node(.tensor(tensor))
  }

  private func lengths(_ index: Int32) -> [Int]? {
    guard let items = items(index) else { return nil }
    var lengths: [Int] = []
    for item in items {
      guard let length = integer(item), length >= 0, lengths.count <= Self.largestRank else {
        return nil
      }
      lengths.append(length)
    }
    return lengths
  }
}

extension TorchTensor {
  /// Whether all values lie in the storage, and are no more than those.
  var fits: Bool {
    let unit = type.map(\.byteCount) ?? 1
    let capacity =
      storage.typeName == "UntypedStorage" ? storage.viewCount / unit : storage.viewCount
    guard let count = ArrayShape.byteCount(shape, bytesPerElement: 1) else { return false }
    if count == 0 { return true }
    var last = offset
    for (length, stride) in zip(shape, strides) {
      let (step, tooFar) = (length - 1).multipliedReportingOverflow(by: stride)
      let (sum, tooLarge) = last.addingReportingOverflow(step)
      if tooFar || tooLarge { return false }
      last = sum
    }
    return last < capacity && count <= capacity
  }
}
