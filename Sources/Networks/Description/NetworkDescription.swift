/// Sizes and operations of one side of an autoencoder, or of both.
public struct SideDescription: Sendable, Encodable, Equatable {
  /// Trainable values.
  public private(set) var parameters = 0
  /// Those of fully connected layers, biases and projections of attention included.
  public private(set) var denseParameters = 0
  /// Bytes of the tensors of a `float32` weights file, running statistics included, its header not.
  public private(set) var weightBytes = 0
  /// Operations of one sample.
  public private(set) var costs = Costs()

  public init(_ network: Network) {
    parameters = network.parameterCount
    var counted: Set<ObjectIdentifier> = []
    for case .dense(let product) in network.graph.nodes.map(\.operation) {
      for parameter in [product.weight, product.bias].compactMap({ $0 })
      where counted.insert(ObjectIdentifier(parameter)).inserted {
        denseParameters += parameter.count
      }
    }
    weightBytes = 4 * network.parameters.reduce(0) { $0 + $1.parameter.count }
    costs = network.graph.costs
  }

  public static func + (a: SideDescription, b: SideDescription) -> SideDescription {
    var sum = a
    sum.parameters += b.parameters
    sum.denseParameters += b.denseParameters
    sum.weightBytes += b.weightBytes
    sum.costs = a.costs + b.costs
    return sum
  }
}

/// What `csilink inspect` shows of one network at one ratio.
public struct NetworkDescription: Sendable, Encodable {
  public let network: String
  /// The n of ratio 1/n.
  public let compression: Int
  /// Axes of the codeword.
  public let codeword: [Int]
  public let encoder, decoder, both: SideDescription
  public let encoderLayers, decoderLayers: [LayerLine]
  private let autoencoder: Autoencoder

  private enum CodingKeys: CodingKey {
    case network, compression, codeword, encoder, decoder, both, encoderLayers, decoderLayers
  }

  /// - Throws: ``NetworkError`` for unknown networks and ratios.
  public init(_ network: String, compression: Int) throws(NetworkError) {
    autoencoder = try NetworkZoo.autoencoder(network, compression: compression)
    self.network = network.lowercased()
    self.compression = compression
    codeword = autoencoder.encoder.graph.outputShapes[0].axes
    encoder = SideDescription(autoencoder.encoder)
    decoder = SideDescription(autoencoder.decoder)
    both = encoder + decoder
    encoderLayers = autoencoder.encoder.layerLines
    decoderLayers = autoencoder.decoder.layerLines
  }

  /// Trees of both sides and the table of their sizes.
  public var text: String {
    let codeword = codeword.map(String.init).joined(separator: "×")
    let (encoder, decoder) = (autoencoder.encoder, autoencoder.decoder)
    return """
      # \(network) 1/\(compression): \(encoder.graph.inputShapes[0]) to codeword \(codeword)

      # encoder (UE)
      \(encoder.tree)

      # decoder (BS)\(decoder.graph.inputShapes.count > 1 ? ", inputs: received codeword, codeword before the noise" : "")
      \(decoder.tree)

      \(sizes)

      \(Self.countingRules)
      """
  }

  private var sizes: String {
    let columns = [encoder, decoder, both]
    func row(_ name: String, _ value: (SideDescription) -> Int) -> [String] {
      [name] + columns.map { value($0).grouped }
    }
    return TextTable(
      header: ["per sample", "encoder (UE)", "decoder (BS)", "both"],
      rows: [
        row("parameters") { $0.parameters },
        row("  in fully connected layers") { $0.denseParameters },
        row("bytes of weights (float32)") { $0.weightBytes },
        row("multiply-accumulates (MAC)") { $0.costs.multiplyAccumulates },
        row("profiler count (P)") { $0.costs.profiler },
        row("distillation paper's count (KD)") { $0.costs.distillation },
        row("attention products") { $0.costs.attention },
      ], rightAligned: [1, 2, 3]
    ).text
  }

  /// The rules behind the counts, one per line.
  static let countingRules = """
    # MAC: convolutions (groups counted) and fully connected layers; no bias, normalisation or activation.
    # P: MAC, plus 1 per output of a biased convolution, 2 per normalised value, 1 per value of a LeakyReLU or PReLU.
    # KD: 2 H W (a h w + 1) b for a convolution of a to b channels, (2 a - 1) b for a fully connected layer.
    # Attention products (queries by keys, weights by values) are in none of them; weights include running statistics.
    """
}

/// The table of one network over its ratios.
public struct RatioTable: Sendable, Encodable {
  public let network: String
  public let ratios: [NetworkDescription]

  /// - Throws: ``NetworkError/unknownNetwork(_:known:)``.
  public init(_ network: String) throws(NetworkError) {
    let entry = try NetworkZoo.entry(network)
    self.network = entry.name
    var ratios: [NetworkDescription] = []
    for compression in entry.compressions {
      ratios.append(try NetworkDescription(entry.name, compression: compression))
    }
    self.ratios = ratios
  }

  public var text: String {
    let table = TextTable(
      header: ["ratio", "codeword", "parameters", "UE", "BS", "MAC", "P", "KD"],
      rows: ratios.map { row in
        let costs = row.both.costs
        return [
          "1/\(row.compression)", row.codeword.map(String.init).joined(separator: "×"),
          row.both.parameters.grouped, row.encoder.parameters.grouped,
          row.decoder.parameters.grouped, costs.multiplyAccumulates.grouped,
          costs.profiler.grouped, costs.distillation.grouped,
        ]
      }, rightAligned: Set(1..<8))
    return "# \(network)\n\(table.text)\n\n\(NetworkDescription.countingRules)"
  }
}
