import Foundation

/// A .safetensors file: named tensors, little-endian and row-major, and a map of texts.
///
/// Reference: Hugging Face, safetensors format description.
struct SafetensorsFile: ArrayContainer {
  /// The format's own limit on the header.
  static let largestHeader = 100_000_000

  let entries: [ArrayEntry]
  let metadata: [String: String]
  private let parts: [ByteWindow]

  init(_ window: ByteWindow) throws(DataFileError) {
    let lengthBytes = LittleEndianBytes(
      try window.bytes(at: 0, count: 8, of: "safetensors header length"))
    let length = lengthBytes.integer(0, 8) ?? Int.max
    guard length <= Self.largestHeader else {
      throw window.error(
        at: 0, expected: "a header of at most \(Self.largestHeader) bytes", found: "\(length)",
        hint: "this may not be a safetensors file")
    }
    let header = try Self.header(
      try window.bytes(at: 8, count: length, of: "safetensors header"), window)
    metadata = header.metadata
    let values = try window.part(
      at: 8 + length, count: window.count - 8 - length, of: "tensor values")
    let tensors = header.tensors.sorted {
      ($0.start, $0.end, $0.name) < ($1.start, $1.end, $1.name)
    }
    try Self.checkLayout(tensors, values)
    var entries: [ArrayEntry] = []
    var parts: [ByteWindow] = []
    for tensor in tensors {
      var part = try values.part(
        at: tensor.start, count: tensor.end - tensor.start, of: "tensor '\(printable(tensor.name))'"
      )
      part.variable = tensor.name
      parts.append(part)
      entries.append(Self.entry(tensor, part))
    }
    self.entries = entries
    self.parts = parts
  }

  func source(of entry: Int) throws(DataFileError) -> any RowSource {
    let info = try entries[entry].content.get()
    return RawRows(
      info: info, bytes: parts[entry], planes: [0], stored: [info.elementType], bigEndian: false,
      order: .rowMajor)
  }

  private static func header(
    _ bytes: [UInt8], _ window: ByteWindow
  ) throws(DataFileError) -> SafetensorsHeader {
    guard String(validating: bytes, as: UTF8.self) != nil else {
      throw window.error(at: 8, expected: "a header in UTF-8", found: "other bytes")
    }
    do {
      return try JSONDecoder().decode(SafetensorsHeader.self, from: Data(bytes))
    } catch {
      throw window.error(
        at: 8, expected: "a safetensors header in JSON", found: decodingErrorText(error))
    }
  }

  /// Tensors must follow each other without gaps or overlaps and end where the file ends.
  private static func checkLayout(
    _ tensors: [SafetensorsHeader.Tensor], _ values: ByteWindow
  ) throws(DataFileError) {
    var position = 0
    for tensor in tensors {
      guard tensor.start == position, tensor.end >= tensor.start else {
        throw values.error(
          at: 0, expected: "tensor '\(printable(tensor.name))' to start at offset \(position)",
          found: "offsets \(tensor.start) to \(tensor.end)")
      }
      position = tensor.end
    }
    guard position == values.count else {
      throw values.error(
        at: 0, expected: "\(position) bytes of tensor values", found: "\(values.count)",
        hint: "the file is truncated or its header is damaged")
    }
  }

  private static func entry(
    _ tensor: SafetensorsHeader.Tensor, _ part: ByteWindow
  ) -> ArrayEntry {
    let isComplex = tensor.dtype == "C64"
    guard let type = isComplex ? .float32 : types[tensor.dtype] else {
      let error = part.error(
        expected: "a tensor of numbers", found: "dtype '\(printable(tensor.dtype))'")
      return ArrayEntry(name: tensor.name, content: .failure(error))
    }
    let size = type.byteCount * (isComplex ? 2 : 1)
    guard ArrayShape.byteCount(tensor.shape, bytesPerElement: size) == part.count else {
      let error = part.error(
        at: 0, expected: "\(ArrayShape.text(tensor.shape)) values of \(type.rawValue)",
        found: "\(part.count) bytes")
      return ArrayEntry(name: tensor.name, content: .failure(error))
    }
    let info = ArrayInfo(
      name: tensor.name, shape: tensor.shape, isComplex: isComplex, elementType: type)
    return ArrayEntry(name: tensor.name, content: .success(info))
  }

  static let types: [String: ElementType] = [
    "F16": .float16, "BF16": .bfloat16, "F32": .float32, "F64": .float64, "I8": .int8, "U8": .uint8,
    "I16": .int16, "U16": .uint16, "I32": .int32, "U32": .uint32, "I64": .int64, "U64": .uint64,
  ]
}

/// The JSON header: one object per tensor, and the texts under `__metadata__`.
struct SafetensorsHeader: Decodable {
  struct Tensor {
    let name: String
    let dtype: String
    let shape: [Int]
    let start: Int
    let end: Int
  }

  private struct Key: CodingKey {
    let stringValue: String
    var intValue: Int? { nil }
    init(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
  }

  private struct Fields: Decodable {
    let dtype: String
    let shape: [Int]
    let data_offsets: [Int]
  }

  static let metadataKey = "__metadata__"
  let metadata: [String: String]
  let tensors: [Tensor]

  init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: Key.self)
    var metadata: [String: String] = [:]
    var tensors: [Tensor] = []
    for key in container.allKeys {
      if key.stringValue == Self.metadataKey {
        metadata = try container.decode([String: String].self, forKey: key)
        continue
      }
      let fields = try container.decode(Fields.self, forKey: key)
      guard fields.data_offsets.count == 2, fields.data_offsets[0] >= 0 else {
        throw DecodingError.dataCorruptedError(
          forKey: key, in: container, debugDescription: "data_offsets is not a pair of positions")
      }
      tensors.append(
        Tensor(
          name: key.stringValue, dtype: fields.dtype, shape: fields.shape,
          start: fields.data_offsets[0], end: fields.data_offsets[1]))
    }
    self.metadata = metadata
    self.tensors = tensors
  }
}

/// What the JSON decoder did not like, with the path to it.
private func decodingErrorText(_ error: any Error) -> String {
  let context: DecodingError.Context
  var missing = ""
  switch error as? DecodingError {
  case .typeMismatch(_, let found), .valueNotFound(_, let found), .dataCorrupted(let found):
    context = found
  case .keyNotFound(let key, let found):
    context = found
    missing = " '\(printable(key.stringValue))'"
  default: return "unreadable JSON"
  }
  let path = context.codingPath.map { printable($0.stringValue) }.joined(separator: ".")
  if !missing.isEmpty { return "no key\(missing) in '\(path)'" }
  return path.isEmpty ? "unreadable JSON" : "an unfit value at '\(path)'"
}
