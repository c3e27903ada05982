import DataFiles

/// Walks the nodes of an ONNX file in their order and traces what they do.
struct ONNXTracer {
  /// A value of the file: known now, or computed for each sample.
  enum Value {
    /// With the name under which the file keeps it, if it does.
    case constant(ONNXTensor, name: String?)
    /// A signal and its axes as the file sees them, the batch first.
    case signal(Signal, [Int])

    var shape: [Int] {
      switch self {
      case .constant(let tensor, _): tensor.shape
      case .signal(_, let shape): shape
      }
    }
  }

  /// Traces one node; a new operator is one such function and one line of ``operators``.
  typealias Operator = @Sendable (inout ONNXTracer, ONNXNode) throws -> [Value]

  /// What is understood, by ONNX's name.
  static let operators: [String: Operator] =
    [
      layers, normalizations, functions, logic, quantization, pooling, resizing, arrangements,
      placements, reductions, sums,
    ].reduce(into: [:]) { $0.merge($1) { $1 } }

  /// Most values of a sample at one node, and at all nodes together.
  static let largestValue = 1 << 23
  static let largestTotal = 1 << 26

  let model: ONNXModel
  private let tracer = Tracer()
  var values: [String: Value] = [:]
  /// Values that have the batch elsewhere.
  var moved: [String: BatchPlace] = [:]
  /// Whether the batch may leave the first axis.
  private(set) var mayMove = false
  private var stored: [String: StoredTensor] = [:]
  private(set) var weights = Weights()
  private var children: [Module.Child] = []
  private var keys: Set<String> = []
  private var total = 0
  /// How many nodes and outputs read a value.
  private(set) var uses: [String: Int] = [:]
  /// Outputs of convolutions that a normalisation may join: name and node of the graph.
  private var convolutions: [String: Int] = [:]
  /// The batch size that the file was made with, or what stands for an open one.
  private(set) var batch = 1
  private let openBatch: Int?

  /// - Parameters:
  ///   - model: what is traced.
  ///   - openBatch: stands for a batch that is open; nil for 1, where the batch stays first.
  init(_ model: ONNXModel, openBatch: Int? = nil) {
    self.openBatch = openBatch
    self.model = model
    for tensor in model.tensors { stored[tensor.name] = tensor }
    for name in model.nodes.flatMap(\.inputs) + model.outputs.map(\.name) {
      uses[name, default: 0] += 1
    }
  }

  /// - Returns: the network, and the axes of a sample at its input and output.
  mutating func trace() throws -> (Network, input: [Int], output: [Int]) {
    let inputs = model.inputs.filter { stored[$0.name] == nil }
    guard inputs.count == 1, model.outputs.count == 1 else {
      throw fail(
        "a network of one input and one output",
        "\(inputs.count) inputs (\(list(inputs.map(\.name)))) and \(model.outputs.count) outputs",
        hint: "export encoder and decoder as files of their own")
    }
    let (signal, shape) = try input(inputs[0])
    values[inputs[0].name] = .signal(signal, shape)
    for node in model.nodes {
      let results = try traced(node)
      guard results.count >= node.outputs.filter({ !$0.isEmpty }).count else {
        throw fail(node, "\(results.count) outputs", "\(node.outputs.count)")
      }
      for (name, value) in zip(node.outputs, results) where !name.isEmpty {
        try count(value, node)
        values[name] = value
      }
    }
    guard case .signal(let output, let axes)? = values[model.outputs[0].name],
      axes.first == batch, axes.count > 1, moved[model.outputs[0].name] == nil
    else {
      throw fail(
        "an output [batch, ...] that depends on the input",
        values[model.outputs[0].name].map { "the axes \($0.shape)" } ?? "none of that name",
        hint: nil)
    }
    let name = model.path.split(separator: "/").last.map(String.init) ?? model.path
    let graph = Graph(nodes: tracer.nodes, inputs: [signal.node], outputs: [output.node])
    return (
      Network(name, ONNXModule(children: children), graph: graph), Array(shape.dropFirst()),
      Array(axes.dropFirst())
    )
  }

  private mutating func input(_ port: ONNXPort) throws -> (Signal, [Int]) {
    let shape = port.shape ?? []
    guard port.elementType == 1 else {
      throw fail(
        "an input '\(onScreen(port.name))' of float32", "another type",
        hint: "export the network in float32")
    }
    guard shape.count >= 2, shape[0] <= 1 << 20, shape.dropFirst().allSatisfy({ $0 > 0 }) else {
      throw fail(
        "an input '\(onScreen(port.name))' whose axes behind the batch are fixed",
        "\(shape.map { $0 == 0 ? "open" : "\($0)" })",
        hint: "export with a sample of the size that the link has, such as [1, 2, 32, 32]")
    }
    batch = shape[0] > 0 ? shape[0] : openBatch ?? 1
    mayMove = shape[0] > 0 || openBatch != nil
    let axes = [batch] + shape.dropFirst()
    let sample = try size(axes.dropFirst(), "the input")
    total += sample
    return (tracer.append(.input(0), [], try Self.shape(Array(axes.dropFirst()))), axes)
  }

  private mutating func traced(_ node: ONNXNode) throws -> [Value] {
    guard node.domain.isEmpty || node.domain == "ai.onnx",
      let operation = Self.operators[node.operation]
    else {
      let domain = node.domain.isEmpty || node.domain == "ai.onnx" ? "" : "\(node.domain)."
      throw fail(
        "operators that csilink knows",
        "'\(onScreen(domain + node.operation))' in node '\(onScreen(node.label))'",
        hint: "known are \(Self.operators.keys.sorted().joined(separator: ", "));"
          + " with other operators the network can run as codec 'process'")
    }
    let isMoved = node.inputs.contains { moved[$0] != nil }
    return isMoved && !Self.arrangingAxes.contains(node.operation)
      ? try tracedMoved(node, operation) : try operation(&self, node)
  }

  /// Limits what a file can ask for.
  private mutating func count(_ value: Value, _ node: ONNXNode) throws {
    var axes = value.shape[...]
    if case .signal(let signal, let shape) = value {
      guard shape.first == batch else {
        throw fail(node, "samples that stay apart along the first axis", "the axes \(shape)")
      }
      precondition(
        signal.shape.count == shape.dropFirst().reduce(1, *), "a signal has the file's values")
      // A sample counts, however many the file was made with.
      axes = shape.dropFirst()
    }
    total += try size(axes, "node '\(onScreen(node.label))'")
    guard total <= Self.largestTotal else {
      throw fail(
        "a network of at most \(Self.largestTotal) values of a sample at all nodes",
        "more from node '\(onScreen(node.label))' on", hint: nil)
    }
  }

  /// The number of values, within the limit; of so many samples, for axes that only come and go.
  func size(_ axes: some Sequence<Int>, _ place: String, times samples: Int = 1) throws -> Int {
    let limit = Self.largestValue.multipliedReportingOverflow(by: samples)
    var count = 1
    for axis in axes {
      let (product, overflows) = count.multipliedReportingOverflow(by: axis)
      guard axis >= 0, !overflows, limit.overflow || product <= limit.partialValue else {
        throw fail("at most \(Self.largestValue) values at \(place)", "more", hint: nil)
      }
      count = product
    }
    return count
  }
}

/// The layers of an ONNX file in the order of its nodes.
private struct ONNXModule: Module {
  let children: [Child]
}

extension ONNXTracer {
  // MARK: errors

  func fail(_ expected: String, _ found: String, hint: String?) -> DataFileError {
    DataFileError(file: model.path, expected: expected, found: found, hint: hint)
  }

  func fail(_ node: ONNXNode, _ expected: String, _ found: String) -> DataFileError {
    DataFileError(
      file: model.path, expected: "\(expected) in node '\(onScreen(node.label))'",
      found: "\(node.operation) with \(found)",
      hint: "the network can run as codec 'process', or without this step")
  }

  private func list(_ names: [String]) -> String {
    names.prefix(6).map { onScreen($0) }.joined(separator: ", ")
  }

  // MARK: values

  /// An input that must be there.
  func value(_ node: ONNXNode, _ index: Int) throws -> Value {
    guard let value = try optional(node, index) else {
      throw fail(node, "an input \(index + 1)", "\(node.inputs.count) inputs")
    }
    return value
  }

  /// An input; nil if it is left out.
  func optional(_ node: ONNXNode, _ index: Int) throws -> Value? {
    guard index < node.inputs.count, !node.inputs[index].isEmpty else { return nil }
    let name = node.inputs[index]
    if let value = values[name] { return value }
    guard let tensor = stored[name] else {
      throw fail(node, "inputs of nodes before", "the unknown input '\(onScreen(name))'")
    }
    do {
      let read = try tensor.tensor(model.path)
      return .constant(read, name: name)
    } catch let damage as WireMessage.Damage {
      throw DataFileError(
        file: model.path, variable: name, place: .byte(damage.offset), expected: damage.expected,
        found: "something else")
    }
  }

  /// An input that is computed.
  func signal(_ node: ONNXNode, _ index: Int) throws -> (Signal, [Int]) {
    guard case .signal(let signal, let shape) = try value(node, index) else {
      throw fail(node, "a computed input \(index + 1)", "a constant")
    }
    return (signal, shape)
  }

  /// An input that is known.
  func constant(_ node: ONNXNode, _ index: Int) throws -> ONNXTensor {
    guard case .constant(let tensor, _) = try value(node, index) else {
      throw fail(node, "a constant input \(index + 1)", "a computed one")
    }
    return tensor
  }

  /// Whole numbers of an attribute, or of an input in newer versions of the operator; nil without.
  func integers(_ node: ONNXNode, _ attribute: String, input: Int? = nil) throws -> [Int]? {
    switch node.attributes[attribute] {
    case .integers(let values)?: return values
    case .integer(let value)?: return [value]
    case nil: break
    default: throw fail(node, "whole numbers '\(attribute)'", "other values")
    }
    guard let input, try optional(node, input) != nil else { return nil }
    guard let values = try constant(node, input).integers else {
      throw fail(node, "whole numbers as input \(input + 1)", "other numbers")
    }
    return values
  }

  func integer(_ node: ONNXNode, _ attribute: String, default value: Int) throws -> Int {
    guard let values = try integers(node, attribute) else { return value }
    guard values.count == 1 else { throw fail(node, "a number '\(attribute)'", "\(values)") }
    return values[0]
  }

  func number(_ node: ONNXNode, _ attribute: String, default value: Float) throws -> Float {
    switch node.attributes[attribute] {
    case .number(let value)?: return value
    case .integer(let value)?: return Float(value)
    case nil: return value
    default: throw fail(node, "a number '\(attribute)'", "another value")
    }
  }

  func text(_ node: ONNXNode, _ attribute: String, default value: String) throws -> String {
    switch node.attributes[attribute] {
    case .text(let value)?: return value
    case nil: return value
    default: throw fail(node, "a text '\(attribute)'", "another value")
    }
  }

  /// A number from 0 for an axis that may be counted from the end.
  func axis(_ node: ONNXNode, _ axis: Int, rank: Int) throws -> Int {
    let place = axis < 0 && axis >= -rank ? axis + rank : axis
    guard (0..<rank).contains(place) else {
      throw fail(node, "one of \(rank) axes", "the axis \(axis)")
    }
    return place
  }

  /// An axis of a signal that is not the batch.
  func sampleAxis(_ node: ONNXNode, _ axis: Int, _ shape: [Int]) throws -> Int {
    let place = try self.axis(node, axis, rank: shape.count)
    guard place > 0 else { throw fail(node, "samples that stay apart", "the axis of the batch") }
    return place
  }

  // MARK: signals

  /// The shape of a sample of some axes: leading axes are put together beyond three.
  static func shape(_ axes: [Int]) throws -> Shape {
    let padded = [Int](repeating: 1, count: max(0, 3 - axes.count)) + axes
    return Shape(
      padded.dropLast(2).reduce(1, *), padded[padded.count - 2], padded[padded.count - 1])
  }

  /// A signal under the axes of a sample, the batch not among them.
  func signal(_ signal: Signal, _ axes: [Int]) throws -> Value {
    guard axes.allSatisfy({ $0 > 0 }) else {
      throw fail("axes with values", "the axes \(axes)", hint: nil)
    }
    return .signal(signal.reshaped(try Self.shape(axes)), [batch] + axes)
  }

  /// Adds a layer with its weights, and applies it.
  ///
  /// - Parameters:
  ///   - name: of the weight in the file, which gives the key.
  ///   - values: of the layer's parameters, in their order.
  mutating func apply(
    _ layer: any Layer, _ x: Signal, name: String?, _ node: ONNXNode, _ values: [[Float]]
  ) throws -> Signal {
    let key = add(layer, name: name, node)
    for ((own, parameter), values) in zip(layer.parameters, values) {
      guard values.count == parameter.count else {
        throw fail(node, "\(parameter.count) values of '\(own)'", "\(values.count)")
      }
      weights.values["\(key).\(own)"] = values
    }
    let result = layer(x)
    if layer is Convolution, let name = node.outputs.first { convolutions[name] = result.node }
    return result
  }

  /// Whether a value is the result of a convolution that nothing else reads.
  func isLoneConvolution(_ name: String, _ signal: Signal) -> Bool {
    uses[name] == 1 && convolutions[name] == signal.node
  }

  /// A module under a key of its own.
  mutating func add(_ module: any Module, name: String?, _ node: ONNXNode) -> String {
    var base = name.map { String($0.prefix(100)) } ?? ""
    if base.hasSuffix(".weight") { base.removeLast(7) }
    if base.isEmpty || base.contains("::") || base.contains("/") {
      base = node.operation.lowercased()
    }
    base = ONNXNetwork.key(base)
    var (key, number) = (base, 1)
    while !keys.insert(key).inserted {
      number += 1
      key = "\(base)_\(number)"
    }
    children.append((key, module))
    return key
  }

  /// How exporters begin the names of constants that are no parameters.
  private static let exportersNames = [
    "val_", "scalar_tensor", "lifted_tensor", "c_lifted_tensor", "_tensor_constant",
  ]

  /// A constant as a parameter of the network; one that the file keeps under a name of its own is trained.
  mutating func parameter(_ tensor: ONNXTensor, name: String?, _ node: ONNXNode)
    -> NetworkParameter
  {
    let isLearned = name.map { name in
      !name.contains("/") && !name.contains("::")
        && !Self.exportersNames.contains { name.hasPrefix($0) }
    }
    let parameter = NetworkParameter(
      tensor.shape.isEmpty ? [1] : tensor.shape, .constant(0), isTrainable: isLearned ?? false)
    let key = add(ConstantModule(parameter: parameter), name: name, node)
    weights.values["\(key).value"] = tensor.floats
    return parameter
  }
}

/// A tensor that an elementwise operation reads.
private struct ConstantModule: Module {
  let parameter: NetworkParameter
  var parameters: [(key: String, parameter: NetworkParameter)] { [("value", parameter)] }
  var summary: String { "Constant" }
}

/// Text from a file made fit for a terminal.
func onScreen(_ text: String) -> String {
  String(
    text.prefix(80).map { character in
      character.unicodeScalars.allSatisfy { $0.value >= 32 && $0.value != 127 }
        ? character : "\u{FFFD}"
    })
}
