/// What `csilink inspect` shows of an ONNX file.
public struct ONNXDescription: Sendable, Encodable {
  /// Name of the file.
  public let file: String
  /// Axes of a sample at the input and at the output.
  public let input, output: [Int]
  /// Parameters and operations.
  public let sizes: SideDescription
  /// Layers in the order of the file's nodes.
  public let layers: [LayerLine]
  private let network: Network

  private enum CodingKeys: CodingKey { case file, input, output, sizes, layers }

  /// Reads a file.
  ///
  /// - Throws: as ``ONNXNetwork/init(path:)``.
  public init(_ path: String) throws {
    let onnx = try ONNXNetwork(path: path)
    network = onnx.network
    file = network.name
    (input, output) = (onnx.inputShape, onnx.outputShape)
    sizes = SideDescription(network)
    layers = network.layerLines
  }

  /// Tree of the layers and the table of sizes.
  public var text: String {
    func axes(_ shape: [Int]) -> String { shape.map(String.init).joined(separator: "×") }
    return """
      # \(file): \(axes(input)) to \(axes(output))

      \(network.tree)

      \(SideDescription.table([(file, sizes)]))

      \(NetworkDescription.countingRules)
      """
  }
}
