import DataFiles
import Foundation

/// A node of an ONNX graph (`NodeProto`).
struct ONNXNode {
  enum Attribute {
    case number(Float)
    case integer(Int)
    case text(String)
    case tensor(StoredTensor)
    case numbers([Float])
    case integers([Int])
    /// A graph, a type or a list of tensors: of no operator that is imported.
    case other
  }

  var name = ""
  var operation = ""
  var domain = ""
  var inputs: [String] = []
  var outputs: [String] = []
  var attributes: [String: Attribute] = [:]

  /// The name in messages: its own, or that of what it computes.
  var label: String { name.isEmpty ? outputs.first ?? "" : name }

  init() {}

  init(_ message: WireMessage) throws {
    try message.forEachField { number, value in
      switch number {
      case 1: inputs.append(value.text ?? "")
      case 2: outputs.append(value.text ?? "")
      case 3: name = value.text ?? ""
      case 4: operation = value.text ?? ""
      case 5:
        guard let message = value.message else { break }
        let (key, attribute) = try Self.attribute(message)
        attributes[key] = attribute
      case 7: domain = value.text ?? ""
      default: break
      }
    }
  }

  private static func attribute(_ message: WireMessage) throws -> (String, Attribute) {
    var (name, type) = ("", 0)
    var single: Attribute?
    var (numbers, integers) = ([Float](), [Int]())
    try message.forEachField { number, value in
      switch (number, value) {
      case (1, .bytes): name = value.text!
      case (2, .fixed32(let bits)): single = .number(Float(bitPattern: bits))
      case (3, .integer): single = .integer(value.int!)
      case (4, .bytes): single = .text(value.text!)
      case (5, .bytes(let tensor)): single = .tensor(try StoredTensor(tensor))
      case (7, .bytes(let packed)):
        numbers += try packed.packed(UInt32.self).map { Float(bitPattern: $0) }
      case (7, .fixed32(let bits)): numbers.append(Float(bitPattern: bits))
      case (8, .bytes(let packed)): integers += try packed.packedIntegers()
      case (8, .integer): integers.append(value.int!)
      case (20, .integer): type = value.int!
      default: break
      }
    }
    switch type {
    case 6: return (name, .numbers(numbers))
    case 7: return (name, .integers(integers))
    // Writers may leave out a single value that is zero.
    case 1: return (name, single ?? .number(0))
    case 2: return (name, single ?? .integer(0))
    case 3: return (name, single ?? .text(""))
    default:
      if let single { return (name, single) }
      if !numbers.isEmpty { return (name, .numbers(numbers)) }
      return (name, integers.isEmpty ? .other : .integers(integers))
    }
  }
}

/// An input or output of an ONNX graph (`ValueInfoProto`).
struct ONNXPort {
  private(set) var name = ""
  /// ONNX's number of the type of its elements, 1 for float32.
  private(set) var elementType = 0
  /// Axes; 0 for one that is not fixed. Nil without a shape.
  private(set) var shape: [Int]?

  init(_ message: WireMessage) throws {
    try message.forEachField { number, value in
      if number == 1 { name = value.text ?? "" }
      guard number == 2, let type = value.message else { return }
      try type.forEachField { number, value in
        guard number == 1, let tensor = value.message else { return }
        try tensor.forEachField { number, value in
          if number == 1 { elementType = value.int ?? 0 }
          guard number == 2, let axes = value.message else { return }
          shape = []
          try axes.forEachField { number, value in
            guard number == 1, let axis = value.message else { return }
            var size = 0
            try axis.forEachField { if $0 == 1 { size = $1.int ?? 0 } }
            shape!.append(size)
          }
        }
      }
    }
  }
}

/// An ONNX file (`ModelProto`).
///
/// Reference: Open Neural Network Exchange, *IR specification* and onnx.proto3, github.com/onnx/onnx.
struct ONNXModel {
  let path: String
  /// Version of the operators of the standard.
  private(set) var version = 0
  private(set) var nodes: [ONNXNode] = []
  private(set) var tensors: [StoredTensor] = []
  private(set) var inputs: [ONNXPort] = []
  private(set) var outputs: [ONNXPort] = []

  /// - Throws: `DataFileError` for a file that is missing or no ONNX model.
  init(path: String) throws {
    guard let data = FileManager.default.contents(atPath: path) else {
      throw DataFileError(
        file: path, expected: "an ONNX model", found: "no readable file",
        hint: "torch.onnx.export writes one")
    }
    try self.init([UInt8](data), path: path)
  }

  init(_ bytes: [UInt8], path: String) throws {
    self.path = path
    do {
      var hasGraph = false
      try WireMessage(bytes).forEachField { number, value in
        if number == 7, let graph = value.message {
          hasGraph = true
          try read(graph)
        }
        guard number == 8, let operators = value.message else { return }
        var (domain, version) = ("", 0)
        try operators.forEachField { number, value in
          if number == 1 { domain = value.text ?? "" } else { version = value.int ?? 0 }
        }
        if domain.isEmpty || domain == "ai.onnx" { self.version = version }
      }
      guard hasGraph, !nodes.isEmpty else {
        throw DataFileError(
          file: path, expected: "an ONNX model", found: "a file without a graph of operators",
          hint: "torch.onnx.export writes models; weights alone are read by codec 'network'")
      }
    } catch let damage as WireMessage.Damage {
      throw DataFileError(
        file: path, place: .byte(damage.offset), expected: damage.expected + " of an ONNX model",
        found: "something else", hint: "the file is damaged, or no ONNX model")
    }
  }

  private mutating func read(_ graph: WireMessage) throws {
    try graph.forEachField { number, value in
      guard let message = value.message else { return }
      switch number {
      case 1: nodes.append(try ONNXNode(message))
      case 5: tensors.append(try StoredTensor(message))
      case 11: inputs.append(try ONNXPort(message))
      case 12: outputs.append(try ONNXPort(message))
      default: break
      }
    }
  }
}
