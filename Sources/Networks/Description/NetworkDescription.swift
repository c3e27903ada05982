/// Sizes and operations of one side of an autoencoder, or of both.
public struct SideDescription: Sendable, Encodable, Equatable {
  /// Trainable values.
  public private(set) var parameters = 0
  /// Those of fully connected layers, biases and projections of attention included.
  public private(set) var denseParameters = 0
  /// Bytes of the tensors of a weights file, running statistics and scales included, its header not: 4 for a real value, 1 for an
  /// 8-bit one, 1/8 for a sign.
  public private(set) var weightBytes = 0
  /// Bits of the trainable values as they are stored, without scales; 32 for a real one.
  public private(set) var parameterBits = 0
  /// Operations of one sample.
  public private(set) var costs = Costs()

  /// Counts one side.
  public init(_ network: Network) {
    parameters = network.parameterCount
    var counted: Set<ObjectIdentifier> = []
    for case .dense(let product) in network.graph.nodes.map(\.operation) {
      for parameter in [product.weight, product.bias].compactMap({ $0 })
      where counted.insert(ObjectIdentifier(parameter)).inserted {
        denseParameters += parameter.count
      }
    }
    for (_, parameter) in network.parameters {
      let bits = network.storedBits(of: parameter)
      weightBytes += (bits.weight + bits.scales) / 8
      if parameter.isTrainable { parameterBits += bits.values }
    }
    costs = network.graph.costs
  }

  /// Both sides together.
  public static func + (a: SideDescription, b: SideDescription) -> SideDescription {
    var sum = a
    sum.parameters += b.parameters
    sum.denseParameters += b.denseParameters
    sum.weightBytes += b.weightBytes
    sum.parameterBits += b.parameterBits
    sum.costs = a.costs + b.costs
    return sum
  }
}

extension SideDescription {
  /// The table of several sides, each under its name.
  static func table(_ columns: [(name: String, side: SideDescription)]) -> String {
    func row(_ name: String, _ value: (SideDescription) -> Int) -> [String] {
      [name] + columns.map { value($0.side).grouped }
    }
    return TextTable(
      header: ["per sample"] + columns.map(\.name),
      rows: [
        row("parameters") { $0.parameters },
        row("  in fully connected layers") { $0.denseParameters },
        row("bits of parameters, as stored") { $0.parameterBits },
        row("  in values of 32 bits") { ($0.parameterBits + 31) / 32 },
        row("bytes of weights") { $0.weightBytes },
        row("multiply-accumulates (MAC)") { $0.costs.multiplyAccumulates },
        row("with all matrix products (MAC+)") { $0.costs.allProducts },
        row("profiler count (P)") { $0.costs.profiler },
        row("distillation paper's count (KD)") { $0.costs.distillation },
        row("attention products") { $0.costs.attention },
        row("other products") { $0.costs.products },
      ], rightAligned: Set(1...columns.count)
    ).text
  }
}

extension Network {
  /// Bits of a parameter: of its values, of the whole bytes that hold them, and of their scales.
  func storedBits(of parameter: NetworkParameter) -> (values: Int, weight: Int, scales: Int) {
    let count = parameter.count
    guard let (_, precision, rows) = user(of: parameter)?.weight else {
      return (32 * count, 32 * count, 0)
    }
    return switch precision {
    case .real: (32 * count, 32 * count, 0)
    case .binary: (count, (count + 7) / 8 * 8, 32)
    case .int8, .dynamicInt8: (8 * count, 8 * count, 32 * rows)
    }
  }
}

/// What `csilink inspect` shows of one network at one ratio.
public struct NetworkDescription: Sendable, Encodable {
  /// Name as ``NetworkVariant/name``.
  public let network: String
  /// The n of ratio 1/n.
  public let compression: Int
  /// Angles and delay taps.
  public let image: [Int]
  /// Axes of the codeword.
  public let codeword: [Int]
  /// Sizes of the sides and of both.
  public let encoder, decoder, both: SideDescription
  /// Layers of the sides in the order of the definition.
  public let encoderLayers, decoderLayers: [LayerLine]
  private let choice: NetworkChoice

  private enum CodingKeys: CodingKey {
    case network, compression, image, codeword, encoder, decoder, both, encoderLayers, decoderLayers
  }

  /// Describes a network at one ratio.
  public init(_ choice: NetworkChoice) {
    self.choice = choice
    let autoencoder = choice.autoencoder
    network = choice.name
    compression = choice.compression
    image = [choice.image.height, choice.image.width]
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
    let (encoder, decoder) = (choice.autoencoder.encoder, choice.autoencoder.decoder)
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
    SideDescription.table([("encoder (UE)", encoder), ("decoder (BS)", decoder), ("both", both)])
  }

  /// The rules behind the counts, one per line.
  static let countingRules = """
    # MAC: convolutions (groups counted) and fully connected layers; no bias, normalisation or activation.
    # MAC+: MAC, attention products (queries by keys, weights by values) and other products (complex measurements, rank-one terms).
    # P: MAC and other products, plus 1 per output of a biased convolution, 2 per normalised value, 1 per value of a LeakyReLU or PReLU.
    # KD: 2 H W (a h w + 1) b for a convolution of a to b channels, (2 a - 1) b for a fully connected layer.
    # Weights include running statistics.
    """
}

/// The table of one network over its ratios.
public struct RatioTable: Sendable, Encodable {
  /// Name as ``NetworkVariant/name``.
  public let network: String
  /// One description for each ratio, ascending.
  public let ratios: [NetworkDescription]

  /// - Parameters:
  ///   - text: as for ``NetworkZoo/variant(_:)``.
  ///   - image: `[2, angle, delay]`.
  /// - Throws: ``NetworkError`` for a network that does not exist or that cannot compress the image.
  public init(_ text: String, image: Shape = .publicImage) throws(NetworkError) {
    var ratios: [NetworkDescription] = []
    for choice in try NetworkZoo.standard.variant(text).choices(image: image) {
      ratios.append(NetworkDescription(choice))
    }
    network = ratios[0].network
    self.ratios = ratios
  }

  /// The table as text.
  public var text: String {
    let table = TextTable(
      header: ["ratio", "codeword", "parameters", "UE", "BS", "MAC", "MAC+", "P", "KD"],
      rows: ratios.map { row in
        let costs = row.both.costs
        return [
          "1/\(row.compression)", row.codeword.map(String.init).joined(separator: "×"),
          row.both.parameters.grouped, row.encoder.parameters.grouped,
          row.decoder.parameters.grouped, costs.multiplyAccumulates.grouped,
          costs.allProducts.grouped, costs.profiler.grouped, costs.distillation.grouped,
        ]
      }, rightAligned: Set(1..<9))
    let image = ratios[0].image
    let size = image == [32, 32] ? "" : ", images of \(image[0])x\(image[1])"
    return "# \(network)\(size)\n\(table.text)\n\n\(NetworkDescription.countingRules)"
  }
}
