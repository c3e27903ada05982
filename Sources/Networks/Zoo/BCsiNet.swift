import Parts

/// BCsiNet-Xr, with `binary: encoder` as in the paper: Z. Lu, J. Wang, J. Song, Binary Neural Network Aided CSI Feedback in Massive MIMO System, IEEE
/// Wireless Commun. Lett. 2021.
public enum BCsiNet: NetworkFamily {
  /// Encoder head.
  public enum Head: String, Choice {
    /// One 3×3 convolution.
    case a
    /// Two of them.
    case b
    /// One, followed by a small residual block.
    case c
  }

  static let head = Parameter<Head>.choice(
    "head", default: .a,
    "Encoder head: one 3x3 convolution (a), two (b), or one and a small residual block (c).")
  static let blocks = Parameter.integer(
    "blocks", default: 2, in: 1...16, "Refinement blocks r of the decoder; 2 or 3 in the paper.")

  public static let schema = PartSchema(
    .codec, "bcsinet",
    "BCsiNet: CsiNet with a head at the UE whose dense layer can be binary (binary: encoder).",
    reference: "Z. Lu, J. Wang, J. Song, IEEE WCL 2021",
    parameters: [head.declaration, blocks.declaration])

  public static let shortForms: [(name: String, settings: [String: Setting])] =
    Head.allCases.flatMap { head in
      (2...3).map {
        (
          "bcsinet-\(head.rawValue)\($0)",
          ["head": .text(head.rawValue), "blocks": .integer($0)]
        )
      }
    }

  public static func autoencoder(_ settings: Settings, image: Shape, compression: Int)
    throws(NetworkError) -> Autoencoder
  {
    let length = image.count / compression
    let (head, refineBlocks) = (settings[head], settings[blocks])
    let refine: [(key: String, layer: any Layer)] = (0..<refineBlocks).map {
      ("refine\($0)", RefineBlock(widths: [2, 8, 16, 2]))
    }
    let feature = Sequential(refine + [("conv3x3_bn", convolution(2, 2))])
    return Autoencoder(
      name: "BCsiNet-\(head.rawValue.uppercased())\(refineBlocks)", compression: compression,
      image: image,
      encoder: Sequential(
        [("encoder_feature", encoderFeature(head))]
          + Bottleneck.denseEncoder(Dense(image.count, length), key: "encoder_binary_fc")),
      decoder: Sequential(
        Bottleneck.denseDecoder(image, Dense(length, image.count), key: "decoder_fc")
          + [("decoder_feature", feature), ("sigmoid", Pointwise.sigmoid)]))
  }

  static func convolution(_ inputs: Int, _ outputs: Int) -> ConvBN {
    ConvBN(inputs, outputs, KernelSize(3, 3), key: "conv3x3")
  }

  static func encoderFeature(_ head: Head) -> Sequential {
    var layers: [(key: String, layer: any Layer)] = [
      ("conv3x3_bn", convolution(2, 2)), ("activation1", LeakyReLU()),
    ]
    switch head {
    case .a: break
    case .b: layers += [("conv3x3_bn2", convolution(2, 2)), ("activation2", LeakyReLU())]
    case .c: layers.append(("refine", RefineBlock(widths: [2, 4, 2])))
    }
    return Sequential(layers)
  }

  /// L(y + branch), the branch being 3×3 convolutions through the given widths.
  struct RefineBlock: Layer {
    let convolutions: [ConvBN]

    init(widths: [Int]) {
      convolutions = zip(widths, widths.dropFirst()).map { BCsiNet.convolution($0, $1) }
    }

    var children: [Child] {
      convolutions.enumerated().map { ("conv\($0.offset + 1)_bn", $0.element) }
    }

    func callAsFunction(_ y: Signal) -> Signal {
      let activation = LeakyReLU()
      let branch = convolutions.dropFirst().reduce(convolutions[0](y)) { $1(activation($0)) }
      return activation(y + branch)
    }
  }
}
