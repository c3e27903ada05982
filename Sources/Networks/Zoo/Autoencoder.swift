/// One side of an autoencoder: its definition, the graph traced from it and the names of its parameters.
public struct Network: Sendable {
  /// As the literature spells it.
  public let name: String
  /// The definition.
  public let root: any Module
  /// What the definition does, traced.
  public let graph: Graph
  /// Trainable parameters and running statistics in tree order.
  public let parameters: [(key: String, parameter: NetworkParameter)]

  /// Traces a definition.
  ///
  /// - Parameters:
  ///   - name: as the literature spells it.
  ///   - root: the tree of layers, whose keys name the parameters.
  ///   - inputs: shapes of the inputs.
  ///   - body: the outputs of given inputs, made by the layers of the tree.
  public init(
    _ name: String, _ root: any Module, inputs: [Shape], _ body: ([Signal]) -> [Signal]
  ) {
    self.name = name
    self.root = root
    graph = Graph.trace(inputs, body)
    parameters = root.parametersByKey
  }

  /// A definition with the graph of what it does; parameters that the graph does not use are left out.
  init(_ name: String, _ root: any Module, graph: Graph) {
    self.name = name
    self.root = root
    self.graph = graph
    let used = Set(graph.nodes.flatMap(\.operation.parameters).map { ObjectIdentifier($0) })
    parameters = root.parametersByKey.filter { used.contains(ObjectIdentifier($0.parameter)) }
  }

  /// A network that is a single layer.
  public init(_ name: String, _ layer: any Layer, input: Shape) {
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

  /// Whether ranges of activations are those of the sample at hand, which no training follows.
  var hasDynamicRanges: Bool {
    graph.nodes.contains { $0.operation.weight?.precision == .dynamicInt8 }
  }

  /// The operation whose weight a parameter is; nil for all other parameters.
  func user(of parameter: NetworkParameter) -> NetworkOperation? {
    graph.nodes.first { $0.operation.weight?.parameter === parameter }?.operation
  }

  /// What the sums over a weight are computed with.
  func precision(of parameter: NetworkParameter) -> WeightPrecision {
    user(of: parameter)?.weight?.precision ?? .real
  }

  /// Number of trainable values.
  public var parameterCount: Int {
    parameters.filter(\.parameter.isTrainable).reduce(0) { $0 + $1.parameter.count }
  }

  /// Where the values of the first output lie if its last layer saturates; nil if they can be anything.
  public var outputRange: ClosedRange<Float>? {
    var node = graph.outputs[0]
    while case .reshape = graph.nodes[node].operation { node = graph.nodes[node].inputs[0] }
    switch graph.nodes[node].operation {
    case .pointwise(let function): return function == .tanh ? -1...1 : 0...1
    case .custom(let operation): return operation.outputRange
    default: return nil
    }
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
  /// As the literature spells it.
  public let name: String
  /// The n of compression ratio 1/n.
  public let compression: Int
  /// At the UE.
  public let encoder: Network
  /// At the BS.
  public let decoder: Network

  /// Two networks that fit each other.
  ///
  /// - Precondition: the decoder's first input has the shape of the encoder's output.
  public init(name: String, compression: Int, encoder: Network, decoder: Network) {
    self.name = name
    self.compression = compression
    self.encoder = encoder
    self.decoder = decoder
  }

  /// An autoencoder of two layers, the decoder reading what the encoder writes.
  public init(
    name: String, compression: Int, image: Shape, encoder: any Layer, decoder: any Layer
  ) {
    let side = Network("\(name) encoder", encoder, input: image)
    self.init(
      name: name, compression: compression, encoder: side,
      decoder: Network("\(name) decoder", decoder, input: side.graph.outputShapes[0]))
  }

  /// One side, the other passing everything on: an encoder that is judged by its codewords, or a decoder of given codewords.
  public func alone(_ side: WeightsFile.Side) -> Autoencoder {
    let codeword = encoder.graph.outputShapes[0]
    let nothing = Network("nothing", Reshape(codeword), input: codeword)
    return Autoencoder(
      name: name, compression: compression, encoder: side == .encoder ? encoder : nothing,
      decoder: side == .decoder ? decoder : nothing)
  }

  /// Reals of a codeword, M.
  public var codewordLength: Int { encoder.graph.outputShapes[0].count }
  /// Trainable values of both sides.
  public var parameterCount: Int { encoder.parameterCount + decoder.parameterCount }
}
