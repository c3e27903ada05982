import DataFiles

/// A network of an ONNX file: one side of an autoencoder that was made with any framework.
///
/// The file's graph becomes a ``Graph`` of the operations of this library, so that inference, training, costs and printed layers are
/// those of all networks. The first axis of input and output is the batch. Weights are parameters of the network, named by the file's
/// tensors where it names them; a tensor that several nodes read becomes a parameter of each.
///
/// Reference: Open Neural Network Exchange, *Operator Schemas*, github.com/onnx/onnx.
public struct ONNXNetwork: Sendable {
  /// What the file computes.
  public let network: Network
  /// Its weights and running statistics.
  public let weights: Weights
  /// Axes of a sample at input and output, as the file has them.
  public let inputShape, outputShape: [Int]

  /// The operators that are understood, in alphabetical order.
  public static let operators: [String] = ONNXTracer.operators.keys.sorted()

  /// Reads a file.
  ///
  /// - Parameter path: an .onnx file with one input and one output, both float32.
  /// - Throws: `DataFileError` for a file that is damaged or no ONNX model, and for operators, attributes and shapes that are not
  ///   understood, with the node.
  /// - Complexity: memory in proportion to the file and to the values of a sample at all nodes, which are limited.
  public init(path: String) throws {
    try self.init(ONNXModel(path: path))
  }

  /// As ``init(path:)``, from the bytes of a file; `path` stands in messages, and weights may lie beside it.
  package init(_ bytes: [UInt8], path: String) throws {
    try self.init(ONNXModel(bytes, path: path))
  }

  private init(_ model: ONNXModel) throws {
    let (traced, weights) = try Self.traced(model)
    (network, inputShape, outputShape) = traced
    self.weights = weights
    do {
      try weights.check(network)
    } catch {
      throw DataFileError(
        file: model.path, expected: "weights that are numbers", found: "\(error)")
    }
  }

  private typealias Traced = (Network, input: [Int], output: [Int])

  /// With the batch first throughout, or else with the batch followed where it goes.
  private static func traced(_ model: ONNXModel) throws -> (Traced, Weights) {
    var tracer = ONNXTracer(model)
    do {
      return (try tracer.trace(), tracer.weights)
    } catch let error {
      guard !tracer.mayMove else { throw error }
      tracer = ONNXTracer(model, openBatch: ONNXTracer.openBatch)
      return (try tracer.trace(), tracer.weights)
    }
  }

  /// ONNX's names of values as parts of keys.
  static func key(_ name: String) -> String {
    String(
      name.map { character in
        character.isASCII && (character.isLetter || character.isNumber || "._".contains(character))
          ? character : "_"
      })
  }
}
