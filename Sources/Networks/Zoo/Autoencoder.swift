/// One side of an autoencoder: its definition, the graph traced from it and the names of its parameters.
public struct Network: Sendable {
  public let name: String
  /// The definition.
  public let root: any Module
  public let graph: Graph
  /// Trainable parameters and running statistics in tree order.
  public let parameters: [(key: String, parameter: Parameter)]

  init(_ name: String, _ root: any Module, inputs: [Shape], _ body: ([Signal]) -> [Signal]) {
    self.name = name
    self.root = root
    graph = Graph.trace(inputs, body)
    parameters = root.parametersByKey
  }

  /// A network that is a single layer.
  package init(_ name: String, _ layer: any Layer, input: Shape) {
    self.init(name, layer, inputs: [input]) { [layer($0[0])] }
  }

  /// Keys of the scales of batch normalisations whose values reach a sigmoid at the output without a convolution or a
  /// dense layer between: together they set how far the outputs of an untrained network are from 0.5.
  public var outputScaleKeys: [String] {
    var scales: Set<ObjectIdentifier> = []
    var reached = graph.outputs.filter {
      if case .pointwise(.sigmoid) = graph.nodes[$0].operation { true } else { false }
    }
    while let index = reached.popLast() {
      let node = graph.nodes[index]
      switch node.operation {
      case .normalization(let layer): scales.insert(ObjectIdentifier(layer.gamma))
      case .pointwise(.sigmoid), .leakyReLU, .prelu, .add, .reshape: reached += node.inputs
      default: break
      }
    }
    return parameters.filter { scales.contains(ObjectIdentifier($0.parameter)) }.map(\.key)
  }

  /// Number of trainable values.
  public var parameterCount: Int {
    parameters.filter(\.parameter.isTrainable).reduce(0) { $0 + $1.parameter.count }
  }

  /// Where the values of the first output lie if its last layer saturates; nil if they can be anything.
  public var outputRange: ClosedRange<Float>? {
    var node = graph.outputs[0]
    while case .reshape = graph.nodes[node].operation { node = graph.nodes[node].inputs[0] }
    guard case .pointwise(let function) = graph.nodes[node].operation else { return nil }
    return function == .tanh ? -1...1 : 0...1
  }

  /// Whether a sample's output depends on the other samples of its batch.
  public var attendsAcrossBatch: Bool {
    graph.nodes.contains { node in
      if case .attention(let core) = node.operation { core.acrossBatch } else { false }
    }
  }
}

/// An encoder for the UE and a decoder for the BS that were designed together.
///
/// The encoder maps `[batch, 2, angle, delay]` in [0, 1] to a codeword `[batch, M]`, the decoder maps codewords back.
/// A decoder may take a second codeword, the one before the feedback noise
/// (``CLLWCsiNet/NoiseWiring/denoiserOnly``).
public struct Autoencoder: Sendable {
  public let name: String
  /// The n of compression ratio 1/n.
  public let compression: Int
  public let encoder: Network
  public let decoder: Network

  init(name: String, compression: Int, encoder: Network, decoder: Network) {
    self.name = name
    self.compression = compression
    self.encoder = encoder
    self.decoder = decoder
  }

  /// An autoencoder of two layers, the decoder reading what the encoder writes.
  init(name: String, compression: Int, encoder: any Layer, decoder: any Layer) {
    let side = Network("\(name) encoder", encoder, input: CSIShape.map)
    self.init(
      name: name, compression: compression, encoder: side,
      decoder: Network("\(name) decoder", decoder, input: side.graph.outputShapes[0]))
  }

  public var codewordLength: Int { encoder.graph.outputShapes[0].count }
  public var parameterCount: Int { encoder.parameterCount + decoder.parameterCount }
}

/// Shapes of the field's networks.
enum CSIShape {
  /// Real and imaginary part, 32 angles, 32 delay taps.
  static let map = Shape(2, 32, 32)
  /// The map with channel and angle merged: kernels 1×k then run along the delay.
  static let latent = Shape(64, 1, 32)

  /// Codeword length M = 2048 / n.
  static func codewordLength(_ compression: Int) -> Int { map.count / compression }
}

/// How the feature map becomes the codeword.
public enum Bottleneck: String, Sendable {
  /// Fully connected, M = 2048 / n.
  case dense
  /// 1×7 convolutions on the `[64, 1, 32]` view, K = 64 / n channels (CLLWCsiNet's table III).
  case convolutional

  /// Convolution, normalisation and activation from the map to `[K, 1, 32]`.
  static func latentEncoder(_ compression: Int, key: String) -> [(key: String, layer: any Layer)] {
    [
      ("view", Reshape(CSIShape.latent)),
      (key, ConvBN(64, 64 / compression, KernelSize(1, 7))), ("latent_activation", LeakyReLU()),
    ]
  }

  static func latentDecoder(_ compression: Int, key: String) -> [(key: String, layer: any Layer)] {
    [
      (key, ConvBN(64 / compression, 64, KernelSize(1, 7))), ("latent_activation", LeakyReLU()),
      ("view", Reshape(CSIShape.map)),
    ]
  }

  static func denseEncoder(_ compression: Int, _ fc: Dense, key: String)
    -> [(key: String, layer: any Layer)]
  {
    [("flatten", Reshape(.vector(CSIShape.map.count))), (key, fc)]
  }

  static func denseDecoder(_ fc: Dense, key: String) -> [(key: String, layer: any Layer)] {
    [(key, fc), ("map", Reshape(CSIShape.map))]
  }
}
