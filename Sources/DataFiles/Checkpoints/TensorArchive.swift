/// A named tensor of a ``TensorArchive``; its values are read when they are asked for.
public struct SavedTensor: Sendable {
  /// Names from the outermost level to the tensor, such as `state_dict` and `encoder_fc.weight`.
  public let path: [String]
  /// Length of every axis; empty for a scalar.
  public let shape: [Int]
  /// Type of the numbers in the file.
  public let elementType: ElementType
  private let values: any TensorValues

  init(path: [String], shape: [Int], elementType: ElementType, values: any TensorValues) {
    self.path = path
    self.shape = shape
    self.elementType = elementType
    self.values = values
  }

  /// The path with dots between its parts.
  public var name: String { path.joined(separator: ".") }

  /// Number of values.
  public var count: Int { shape.reduce(1, *) }

  /// All values in row-major order, as `Float`: half precision and bfloat16 exactly, double precision rounded to nearest.
  ///
  /// - Throws: `DataFileError` for values that are not in the file, and for integers that no `Double` holds.
  public func floats() throws(DataFileError) -> [Float] { try values.floats(of: self) }
}

/// Where the values of a tensor come from.
protocol TensorValues: Sendable {
  func floats(of tensor: SavedTensor) throws(DataFileError) -> [Float]
}

/// The tensors of a network as other frameworks save them: PyTorch checkpoints, zip or older; Keras weights in HDF5; safetensors.
///
/// Nothing in a file is run: of a pickle only tensors, texts, numbers, lists, tuples and dictionaries are built, and everything
/// else it names becomes a record without behaviour. Opening takes a few times the bytes that describe the tensors, reading a
/// tensor those of its storage.
public struct TensorArchive: Sendable {
  /// Kinds of files.
  public enum Format: String, Sendable {
    /// A zip archive with a pickle and one entry for each storage: `torch.save` since PyTorch 1.6.
    case torchZip = "PyTorch zip"
    /// Five pickles with the storages behind: `torch.save` before.
    case torchLegacy = "PyTorch legacy pickle"
    /// HDF5 as Keras writes it with h5py.
    case keras = "Keras HDF5"
    /// Safetensors.
    case safetensors = "safetensors"
  }

  /// Path of the file.
  public let file: String
  /// What it is.
  public let format: Format
  /// Tensors in the order of the file.
  public let tensors: [SavedTensor]
  /// Names of tensors of types that are not read (complex, quantised), with the type.
  public let unread: [String]

  /// Opens a file; the kind is told by its first bytes.
  ///
  /// - Throws: `DataFileError` if it is none of the formats or damaged.
  public init(_ path: String) throws(DataFileError) {
    let window = ByteWindow(path: path, file: try OpenFile(path))
    guard let format = try Self.format(of: window) else {
      let start = try window.bytes(at: 0, count: min(4, window.count), of: "the first bytes")
      let isPickle = start.first == 0x80
      throw window.error(
        at: 0, expected: "a PyTorch, Keras HDF5 or safetensors file",
        found: window.count == 0 ? "nothing" : isPickle ? "another pickle" : "other bytes",
        hint: FileGuess(window)?.hintForWeights(path)
          ?? (isPickle
            ? "load it where it was made and save the tensors with torch.save"
            : "save the state_dict with torch.save, or the Keras weights as .h5"))
    }
    file = path
    self.format = format
    do throws(DataFileError) {
      let found = try Self.found(format, window)
      (tensors, unread) = (found.tensors, found.unread)
    } catch {
      throw error.hinting(FileGuess(window)?.hintForWeights(path))
    }
  }

  private static func found(
    _ format: Format, _ window: ByteWindow
  ) throws(DataFileError) -> FoundTensors {
    switch format {
    case .torchZip: try TorchArchive.tensors(window)
    case .torchLegacy: try TorchLegacyFile.tensors(window)
    case .keras: FoundTensors(tensors: try HDF5Tree.tensors(window), unread: [])
    case .safetensors: try Self.safetensors(window)
    }
  }

  /// The format of a file that is no safetensors file of this program's own kind to begin with; nil if it is none of them.
  public static func format(_ path: String) -> Format? {
    guard let file = try? OpenFile(path) else { return nil }
    return (try? format(of: ByteWindow(path: path, file: file))) ?? nil
  }

  private static func format(of window: ByteWindow) throws(DataFileError) -> Format? {
    let start = try window.bytes(at: 0, count: min(16, window.count), of: "the first bytes")
    if start.starts(with: [0x50, 0x4B, 3, 4]) { return .torchZip }
    if TorchLegacyFile.hasMagicNumber(start) { return .torchLegacy }
    if start.starts(with: HDF5Tree.signature) { return .keras }
    if ArrayFormat.suffix(of: window.path) == "safetensors" { return .safetensors }
    return nil
  }

  private static func safetensors(_ window: ByteWindow) throws(DataFileError) -> FoundTensors {
    let file = try SafetensorsFile(window)
    var found = FoundTensors(tensors: [], unread: [])
    for (index, entry) in file.entries.enumerated() {
      let name = entry.name ?? ""
      guard let info = entry.info, !info.isComplex else {
        found.unread.append(name)
        continue
      }
      found.tensors.append(
        SavedTensor(
          path: [name], shape: info.shape, elementType: info.elementType,
          values: RowValues(source: try file.source(of: index))))
    }
    return found
  }
}

/// What a reader of one format gives.
struct FoundTensors {
  var tensors: [SavedTensor]
  var unread: [String]
}

/// Values that another reader of this library has.
private struct RowValues: TensorValues {
  let source: any RowSource

  func floats(of tensor: SavedTensor) throws(DataFileError) -> [Float] {
    switch try source.values(rows: 0..<source.info.rowCount) {
    case .float(let values): values
    case .double(let values): values.map { Float($0) }
    }
  }
}

/// Numbers in a run of bytes, laid out with a stride for each axis.
struct StridedValues: TensorValues {
  let storage: TensorStorage
  /// Index of the first value in the storage.
  let offset: Int
  /// Step along each axis in values.
  let strides: [Int]

  func floats(of tensor: SavedTensor) throws(DataFileError) -> [Float] {
    let (shape, size) = (tensor.shape, tensor.elementType.byteCount)
    guard tensor.count > 0 else { return [] }
    let last = zip(shape, strides).reduce(0) { $0 + ($1.0 - 1) * $1.1 }
    let bytes = try storage.bytes(at: offset * size, count: (last + 1) * size, of: tensor)
    let stored: [Float] = try decode(bytes, tensor)
    guard strides != Self.rowMajor(shape) else { return stored }
    var values: [Float] = []
    values.reserveCapacity(tensor.count)
    var index = [Int](repeating: 0, count: shape.count)
    let box = shape.map { 0..<$0 }
    repeat {
      values.append(stored[zip(index, strides).reduce(0) { $0 + $1.0 * $1.1 }])
    } while index.advance(in: box[...])
    return values
  }

  private func decode(_ bytes: [UInt8], _ tensor: SavedTensor) throws(DataFileError) -> [Float] {
    let type = tensor.elementType
    var values = [Double](repeating: 0, count: type.needsDouble ? bytes.count / type.byteCount : 0)
    var floats = [Float](
      repeating: 0, count: type.needsDouble ? 0 : bytes.count / type.byteCount)
    let inexact = bytes.withUnsafeBytes { raw in
      type.needsDouble
        ? values.withUnsafeMutableBufferPointer {
          type.decode(raw, bigEndian: storage.isBigEndian, into: $0)
        }
        : floats.withUnsafeMutableBufferPointer {
          type.decode(raw, bigEndian: storage.isBigEndian, into: $0)
        }
    }
    guard inexact == nil else {
      throw storage.window.error(
        expected: "integers below 2^53 in '\(printable(tensor.name))'", found: "larger ones")
    }
    return type.needsDouble ? values.map { Float($0) } : floats
  }

  /// Strides of values without gaps; those of axes of length one do not matter and are as they would be.
  static func rowMajor(_ shape: [Int]) -> [Int] {
    var strides: [Int] = []
    var step = 1
    for length in shape.reversed() {
      strides.append(step)
      step *= max(length, 1)
    }
    return strides.reversed()
  }
}

/// The bytes of one or more tensors.
struct TensorStorage: Sendable {
  let window: ByteWindow
  var isBigEndian = false
  /// CRC-32 of the whole window, if the file has one.
  var check: ChecksumOnce?

  func bytes(
    at offset: Int, count: Int, of tensor: SavedTensor
  ) throws(DataFileError) -> [UInt8] {
    try check?.require(window, of: "tensor '\(printable(tensor.name))'")
    return try window.bytes(
      at: offset, count: count, of: "values of '\(printable(tensor.name))'")
  }
}
