/// A value of an ONNX graph that is being written: its name, and the axes [channel, row, column] behind the batch.
public struct ONNXValue: Sendable {
  /// In the file.
  public let name: String
  /// Axes of a sample; the tensor has the batch before them.
  public let shape: Shape
}

/// Collects the nodes and tensors of an ONNX graph.
///
/// Operators are those of version 17 of the standard, of which every runtime of the last years has all.
///
/// Reference: Open Neural Network Exchange, *Operator Schemas* and onnx.proto3, github.com/onnx/onnx.
public struct ONNXGraphWriter {
  /// What a node knows beside its inputs.
  public enum Attribute: Sendable {
    /// A whole number.
    case integer(Int)
    /// A number.
    case number(Float)
    /// Whole numbers.
    case integers([Int])
  }

  /// Version of the operators.
  static let version = 17

  /// The numbers of element types.
  private enum ElementType: Int {
    case float = 1
    case bytes = 2
    case integers = 7
  }

  private var nodes = WireWriter()
  private var tensors = WireWriter()
  private var ports = WireWriter()
  private var names: Set<String> = []
  /// Tensors of parameters by what they hold.
  private var known: [String: String] = [:]
  private let keys: [ObjectIdentifier: String]
  private let weights: Weights

  /// An empty graph.
  ///
  /// - Parameters:
  ///   - parameters: names of parameters.
  ///   - weights: their values.
  init(_ parameters: [(key: String, parameter: NetworkParameter)], _ weights: Weights) {
    keys = Dictionary(
      parameters.map { (ObjectIdentifier($0.parameter), $0.key) },
      uniquingKeysWith: { first, _ in first })
    self.weights = weights
  }

  private mutating func unused(_ base: String) -> String {
    var (name, number) = (base, 1)
    while !names.insert(name).inserted {
      number += 1
      name = "\(base)_\(number)"
    }
    return name
  }

  // MARK: nodes

  /// Adds a node with one output, and returns the output's name.
  public mutating func node(
    _ operation: String, _ inputs: [String], _ attributes: [String: Attribute] = [:]
  ) -> String {
    nodes(operation, inputs, attributes, outputs: 1)[0]
  }

  /// Adds a node, and returns the names of its outputs.
  public mutating func nodes(
    _ operation: String, _ inputs: [String], _ attributes: [String: Attribute] = [:], outputs: Int
  ) -> [String] {
    let results = (0..<outputs).map { _ in unused(operation.lowercased()) }
    append(operation, inputs, attributes, outputs: results)
    return results
  }

  /// Adds a node whose outputs have names already.
  mutating func append(
    _ operation: String, _ inputs: [String], _ attributes: [String: Attribute] = [:],
    outputs: [String]
  ) {
    var node = WireWriter()
    for input in inputs { node.text(1, input) }
    for output in outputs { node.text(2, output) }
    node.text(3, outputs[0])
    node.text(4, operation)
    for (name, attribute) in attributes.sorted(by: { $0.key < $1.key }) {
      var message = WireWriter()
      message.text(1, name)
      switch attribute {
      case .number(let value):
        message.float(2, value)
        message.integer(20, 1)
      case .integer(let value):
        message.integer(3, value)
        message.integer(20, 2)
      case .integers(let values):
        for value in values { message.integer(8, value) }
        message.integer(20, 7)
      }
      node.message(5, message)
    }
    nodes.message(1, node)
  }

  /// The same values under the axes `[batch] + axes`.
  public mutating func reshaped(_ value: String, _ axes: [Int]) -> String {
    node("Reshape", [value, integers([-1] + axes)])
  }

  /// A value times a number.
  public mutating func scaled(_ value: String, by factor: Float) -> String {
    node("Mul", [value, constant([], [factor])])
  }

  // MARK: tensors

  private mutating func tensor<Value: BitwiseCopyable>(
    _ name: String, _ type: ElementType, _ shape: [Int], _ values: [Value]
  ) -> String {
    precondition(shape.reduce(1, *) == values.count, "values of \(shape)")
    let name = unused(name)
    var tensor = WireWriter()
    for size in shape { tensor.integer(1, size) }
    tensor.integer(2, type.rawValue)
    tensor.text(8, name)
    tensor.raw(9, values)
    tensors.message(5, tensor)
    return name
  }

  /// Numbers that belong to the operation and are not trained.
  public mutating func constant(_ shape: [Int], _ values: [Float]) -> String {
    tensor("val_constant", .float, shape, values)
  }

  /// Whole numbers under axes; a list if left out.
  public mutating func integers(_ values: [Int], _ shape: [Int]? = nil) -> String {
    tensor("val_integers", .integers, shape ?? [values.count], values.map { Int64($0) })
  }

  /// Bytes under axes.
  mutating func bytes(_ shape: [Int], _ values: [UInt8]) -> String {
    tensor("val_bytes", .bytes, shape, values)
  }

  /// The values of a parameter.
  public func values(of parameter: NetworkParameter) -> [Float] {
    guard let key = keys[ObjectIdentifier(parameter)], let values = weights[key] else {
      preconditionFailure("a network lists its parameters")
    }
    return values
  }

  /// A parameter under other axes; one that several nodes read is kept once.
  public mutating func parameter(_ parameter: NetworkParameter, _ shape: [Int]) -> String {
    self.parameter(parameter, shape, part: "") { $0 }
  }

  /// What is made of a parameter's values; `part` says what, if they are not all of them in their order.
  mutating func parameter(
    _ parameter: NetworkParameter, _ shape: [Int], part: String, _ make: ([Float]) -> [Float]
  ) -> String {
    let key = keys[ObjectIdentifier(parameter)] ?? "parameter"
    let content = "\(key) \(shape) \(part)"
    if let name = known[content] { return name }
    let name = tensor(key, .float, shape, make(values(of: parameter)))
    known[content] = name
    return name
  }

  // MARK: the file

  /// Declares an input of float32 with an open batch.
  mutating func input(_ name: String, _ axes: [Int]) { port(11, name, axes, .float) }

  /// Declares an output of float32.
  mutating func output(_ name: String, _ axes: [Int]) { port(12, name, axes, .float) }

  /// Declares an output of whole numbers.
  mutating func integerOutput(_ name: String, _ axes: [Int]) { port(12, name, axes, .integers) }

  private mutating func port(_ number: Int, _ name: String, _ axes: [Int], _ type: ElementType) {
    names.insert(name)
    var shape = WireWriter()
    var batch = WireWriter()
    batch.text(2, "batch")
    shape.message(1, batch)
    for size in axes {
      var axis = WireWriter()
      axis.integer(1, size)
      shape.message(1, axis)
    }
    var tensor = WireWriter()
    tensor.integer(1, type.rawValue)
    tensor.message(2, shape)
    var value = WireWriter()
    value.message(1, tensor)
    var port = WireWriter()
    port.text(1, name)
    port.message(2, value)
    ports.message(number, port)
  }

  /// The bytes of a model with this graph.
  func model(_ name: String, producer: (name: String, version: String), notes: [String: String])
    -> [UInt8]
  {
    var graph = WireWriter()
    graph.append(nodes)
    graph.text(2, name)
    graph.append(tensors)
    graph.append(ports)
    var operators = WireWriter()
    operators.text(1, "")
    operators.integer(2, Self.version)
    var model = WireWriter()
    model.integer(1, 8)  // version of the format that has these operators
    model.text(2, producer.name)
    model.text(3, producer.version)
    model.message(7, graph)
    model.message(8, operators)
    for (key, value) in notes.sorted(by: { $0.key < $1.key }) {
      var entry = WireWriter()
      entry.text(1, key)
      entry.text(2, value)
      model.message(14, entry)
    }
    return model.bytes
  }
}
