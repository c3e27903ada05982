import DataFiles
import Foundation

/// A tensor of an ONNX file with its values.
struct ONNXTensor {
  /// Values as the importer computes with them.
  enum Values {
    case floats([Float])
    case integers([Int])
  }

  let shape: [Int]
  let values: Values
  /// ONNX's number of the type in the file; 0 if it was computed.
  var type = 0

  var count: Int { shape.reduce(1, *) }

  /// The values as floats; integers are converted.
  var floats: [Float] {
    switch values {
    case .floats(let values): values
    case .integers(let values): values.map { Float($0) }
    }
  }

  /// The values if they are whole numbers.
  var integers: [Int]? { if case .integers(let values) = values { values } else { nil } }

  init(_ shape: [Int], floats: [Float]) {
    (self.shape, values) = (shape, .floats(floats))
  }

  init(_ shape: [Int], integers: [Int]) {
    (self.shape, values) = (shape, .integers(integers))
  }

  /// Values one for one under another shape.
  func reshaped(_ shape: [Int]) -> ONNXTensor { ONNXTensor(shape, values) }

  private init(_ shape: [Int], _ values: Values) { (self.shape, self.values) = (shape, values) }

  /// The values at some places, -1 standing for `fill`.
  func picked(_ shape: [Int], _ places: [Int32], fill: Float = 0) -> ONNXTensor {
    switch values {
    case .floats(let values):
      ONNXTensor(shape, floats: places.map { $0 < 0 ? fill : values[Int($0)] })
    case .integers(let values):
      ONNXTensor(shape, integers: places.map { $0 < 0 ? Int(fill) : values[Int($0)] })
    }
  }
}

/// A tensor as it lies in an ONNX file (`TensorProto`): its values are read when something uses them.
struct StoredTensor {
  private(set) var name = ""
  private var shape: [Int] = []
  private var type = 0
  private var raw: WireMessage?
  /// Numbers in the fields of their types.
  private var floats: [Float] = []
  private var integers: [Int] = []
  /// `location`, `offset` and `length` of values in another file.
  private var external: [String: String] = [:]
  private var isExternal = false

  init(_ message: WireMessage) throws {
    try message.forEachField { number, value in
      switch (number, value) {
      case (1, .bytes(let packed)): shape += try packed.packedIntegers()
      case (1, .integer): shape.append(value.int!)
      case (2, .integer): type = value.int!
      case (4, .bytes(let packed)):
        floats += try packed.packed(UInt32.self).map { Float(bitPattern: $0) }
      case (4, .fixed32(let bits)): floats.append(Float(bitPattern: bits))
      case (5, .bytes(let packed)), (7, .bytes(let packed)):
        integers += try packed.packedIntegers()
      case (5, .integer), (7, .integer): integers.append(value.int!)
      case (8, .bytes): name = value.text!
      case (9, .bytes(let bytes)): raw = bytes
      case (10, .bytes(let packed)):
        floats += try packed.packed(UInt64.self).map { Float(Double(bitPattern: $0)) }
      case (10, .fixed64(let bits)): floats.append(Float(Double(bitPattern: bits)))
      case (13, .bytes(let entry)):
        var (key, text) = ("", "")
        try entry.forEachField { number, value in
          if number == 1 { key = value.text ?? "" } else if number == 2 { text = value.text ?? "" }
        }
        external[key] = text
      case (14, .integer): isExternal = value.int! == 1
      default: break
      }
    }
  }

  /// Reads the values.
  ///
  /// - Parameter path: of the model, beside which other files lie.
  /// - Throws: `DataFileError` for values of another type or number than the tensor says; ``WireMessage/Damage``.
  func tensor(_ path: String) throws -> ONNXTensor {
    var tensor = try values(path)
    tensor.type = type
    return tensor
  }

  private func values(_ path: String) throws -> ONNXTensor {
    func fail(_ expected: String, _ found: String, _ hint: String? = nil) -> DataFileError {
      DataFileError(file: path, variable: name, expected: expected, found: found, hint: hint)
    }
    var count = 1
    for size in shape {
      let (product, isTooLarge) = count.multipliedReportingOverflow(by: size)
      guard size >= 0, !isTooLarge else { throw fail("axes of a tensor", "\(shape)") }
      count = product
    }
    let width = [1: 4, 2: 1, 3: 1, 6: 4, 7: 8, 9: 1, 10: 2, 11: 8, 16: 2][type]
    guard let width else {
      throw fail(
        "floats, whole numbers or truth values", "numbers of ONNX's type \(type)",
        "export the network in float32")
    }
    if let bytes = isExternal ? try externalBytes(path, fail) : raw {
      guard bytes.range.count == count.multipliedReportingOverflow(by: width).partialValue,
        count <= Int.max / width
      else {
        throw fail("\(count) numbers of \(width) bytes", "\(bytes.range.count) bytes")
      }
      return try decoded(bytes)
    }
    let found = isOfFloats && type != 10 && type != 16 ? floats.count : integers.count
    guard found == count else { throw fail("\(count) numbers", "\(found)") }
    return switch type {
    case 1, 11: ONNXTensor(shape, floats: floats)
    case 10:
      ONNXTensor(
        shape, floats: integers.map { Float(Float16(bitPattern: UInt16(truncatingIfNeeded: $0))) })
    case 16:
      ONNXTensor(
        shape, floats: integers.map { Float(bitPattern: UInt32(truncatingIfNeeded: $0) << 16) })
    default: ONNXTensor(shape, integers: integers)
    }
  }

  private var isOfFloats: Bool { [1, 10, 11, 16].contains(type) }

  private func decoded(_ bytes: WireMessage) throws -> ONNXTensor {
    switch type {
    case 1:
      ONNXTensor(shape, floats: try bytes.packed(UInt32.self).map { Float(bitPattern: $0) })
    case 10:
      ONNXTensor(
        shape, floats: try bytes.packed(UInt16.self).map { Float(Float16(bitPattern: $0)) })
    case 11:
      ONNXTensor(
        shape, floats: try bytes.packed(UInt64.self).map { Float(Double(bitPattern: $0)) })
    case 16:
      ONNXTensor(
        shape, floats: try bytes.packed(UInt16.self).map { Float(bitPattern: UInt32($0) << 16) })
    case 3: ONNXTensor(shape, integers: try bytes.packed(Int8.self).map { Int($0) })
    case 6: ONNXTensor(shape, integers: try bytes.packed(Int32.self).map { Int($0) })
    case 7: ONNXTensor(shape, integers: try bytes.packed(Int64.self).map { Int($0) })
    default: ONNXTensor(shape, integers: try bytes.packed(UInt8.self).map { Int($0) })
    }
  }

  /// Values that lie in a file beside the model, as exporters write large ones.
  private func externalBytes(
    _ path: String, _ fail: (String, String, String?) -> DataFileError
  ) throws -> WireMessage {
    let location = external["location"] ?? ""
    guard !location.isEmpty, !location.hasPrefix("/"),
      !location.split(separator: "/").contains("..")
    else {
      throw fail(
        "values in a file beside the model", "the place '\(location)'",
        "export the network with its weights in one file, external_data=False")
    }
    let folder = URL(fileURLWithPath: path).deletingLastPathComponent().path
    let file = "\(folder)/\(location)"
    let offset = Int(external["offset"] ?? "0") ?? -1
    guard let handle = FileHandle(forReadingAtPath: file), let size = try? handle.seekToEnd()
    else {
      throw DataFileError(
        file: file, expected: "the weights of \(path)", found: "no readable file",
        hint: "keep both files in one folder, or export the network with external_data=False")
    }
    let length = Int(external["length"] ?? "") ?? Int(size) - max(offset, 0)
    guard offset >= 0, length >= 0, offset <= Int(size), length <= Int(size) - offset else {
      throw DataFileError(
        file: file, expected: "\(length) bytes from byte \(offset) for the tensor '\(name)'",
        found: "a file of \(size) bytes")
    }
    try handle.seek(toOffset: UInt64(offset))
    return WireMessage([UInt8](try handle.read(upToCount: length) ?? Data()))
  }
}
