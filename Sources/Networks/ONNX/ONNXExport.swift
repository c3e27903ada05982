import LinkMath

/// A custom operation that can be said with operators of ONNX.
public protocol ONNXExpressible: CustomOperation {
  /// Adds nodes that compute the output.
  ///
  /// - Parameters:
  ///   - inputs: values [batch, channel, row, column].
  ///   - graph: takes nodes and tensors.
  /// - Returns: name of the output, which has the axes of ``CustomOperation/outputShape(_:)`` behind the batch.
  func write(_ inputs: [ONNXValue], to graph: inout ONNXGraphWriter) throws(NetworkError)
    -> String
}

/// Networks as ONNX files.
///
/// The batch is an open axis. Every value has the axes [batch, channel, row, column]; dense weights of a codeword are stored as this
/// library stores them, those of tokens transposed.
public enum ONNXExport {
  /// One side of an autoencoder as the bytes of an ONNX file, which has one input and one output: `csi` [batch, 2, angle, delay] and `codeword`
  /// [batch, M].
  ///
  /// - Parameters:
  ///   - side: which half.
  ///   - autoencoder: both halves.
  ///   - weights: of the half.
  ///   - notes: texts that the file keeps.
  /// - Throws: ``NetworkError/notInONNX(_:)`` for an operation without equivalent; ``NetworkError`` for weights that do not fit.
  public static func bytes(
    _ side: WeightsFile.Side, of autoencoder: Autoencoder, weights: Weights,
    notes: [String: String] = [:]
  ) throws(NetworkError) -> [UInt8] {
    let image = autoencoder.encoder.graph.inputShapes[0]
    let csi = ("csi", [image.channels, image.height, image.width])
    let codeword = ("codeword", [autoencoder.codewordLength])
    return try bytes(
      side.network(of: autoencoder), weights: weights, input: side == .encoder ? csi : codeword,
      output: side == .encoder ? codeword : csi, notes: notes)
  }

  /// Any network of one input, its first output, under names and axes of a sample.
  ///
  /// - Throws: as ``bytes(_:of:weights:notes:)``.
  public static func bytes(
    _ network: Network, weights: Weights, input: (name: String, axes: [Int]),
    output: (name: String, axes: [Int]), notes: [String: String] = [:]
  ) throws(NetworkError) -> [UInt8] {
    let stored = weights.packed(for: network)
    try stored.check(network)
    guard network.graph.inputs.count == 1 else { throw .needsCleanCodeword(network.name) }
    var writer = ONNXGraphWriter(network.parameters, stored)
    writer.input(input.name, input.axes)
    writer.output(output.name, output.axes)
    try write(network, [input, output], to: &writer)
    return writer.model(network.name, producer: producer, notes: notes)
  }

  static var producer: (name: String, version: String) { ("csilink", ProgramIdentity.version) }

  private static func write(
    _ network: Network, _ ends: [(name: String, axes: [Int])], to writer: inout ONNXGraphWriter
  ) throws(NetworkError) {
    let graph = network.graph
    var needed = Set([graph.outputs[0]])
    for index in graph.nodes.indices.reversed() where needed.contains(index) {
      needed.formUnion(graph.nodes[index].inputs)
    }
    var names: [Int: String] = [:]
    for (index, node) in graph.nodes.enumerated() where needed.contains(index) {
      let inputs = node.inputs.map { ONNXValue(name: names[$0]!, shape: graph.nodes[$0].shape) }
      if case .input = node.operation {
        names[index] = writer.value(ends[0].name, ends[0].axes, as: node.shape)
      } else {
        names[index] = try writer.write(node.operation, inputs, node.shape)
      }
    }
    let last = names[graph.outputs[0]]!
    let shape = graph.nodes[graph.outputs[0]].shape
    if ends[1].axes == [shape.channels, shape.height, shape.width] {
      writer.append("Identity", [last], outputs: [ends[1].name])
    } else {
      let axes = writer.integers([-1] + ends[1].axes)
      writer.append("Reshape", [last, axes], outputs: [ends[1].name])
    }
  }
}

extension ONNXGraphWriter {
  /// A value of other axes under those of a shape.
  fileprivate mutating func value(_ name: String, _ axes: [Int], as shape: Shape) -> String {
    let own = [shape.channels, shape.height, shape.width]
    return own == axes ? name : reshaped(name, own)
  }

  mutating func reshaped(_ value: String, to shape: Shape) -> String {
    reshaped(value, [shape.channels, shape.height, shape.width])
  }
}
