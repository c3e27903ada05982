import Parts

/// ACRNet-kx: Z. Lu, X. Zhang, H. He, J. Wang, J. Song, Binarized Aggregated Network with Quantization: Flexible Deep Learning
/// Deployment for CSI Feedback in Massive MIMO Systems, IEEE Trans. Wireless Commun. 2022.
public enum ACRNet: NetworkFamily {
  static let expansion = Parameter.integer(
    "expansion", default: 1, in: 1...128, "Factor k: the decoder blocks have 8 k channels.")

  /// What follows the convolutions.
  enum Activation: String, Choice {
    /// A learned slope for each channel.
    case prelu
    /// A learned slope for each convolution.
    case prelu_layer
    /// The same slope of 0.3 everywhere.
    case leaky_relu

    func layer(_ channels: Int) -> any Layer {
      switch self {
      case .prelu: PReLU(channels)
      case .prelu_layer: CommonPReLU()
      case .leaky_relu: LeakyReLU()
      }
    }
  }

  static let activation = Parameter<Activation>.choice(
    "activation", default: .prelu,
    """
    What follows the convolutions: prelu with a learned slope for each channel, prelu_layer with one for all channels, or \
    leaky_relu.
    """)

  public static let schema = PartSchema(
    .codec, "acrnet", "ACRNet: residual blocks with grouped convolutions and learned slopes.",
    reference: "Z. Lu et al., IEEE Trans. Wireless Commun. 2022",
    parameters: [
      expansion.declaration, Bottleneck.parameter.declaration, activation.declaration,
    ])

  public static let shortForms: [(name: String, settings: [String: Setting])] =
    (1...20).map { ("acrnet-\($0)x", ["expansion": .integer($0)]) }
    + (1...20).map {
      (
        "cl-acrnet-\($0)x", ["expansion": .integer($0), "bottleneck": .text("convolutional")]
      )
    }

  public static func compressions(_ settings: Settings, image: Shape) throws(NetworkError) -> [Int]
  {
    settings[Bottleneck.parameter].compressions(image)
  }

  public static func autoencoder(_ settings: Settings, image: Shape, compression: Int)
    throws(NetworkError) -> Autoencoder
  {
    let (expansion, activation) = (settings[expansion], settings[activation])
    let head: [(key: String, layer: any Layer)] = [
      ("encoder_feature", encoderFeature(activation))
    ]
    let tail: [(key: String, layer: any Layer)] = [
      ("decoder_feature", decoderFeature(width: 8 * expansion, activation)),
      ("sigmoid", Pointwise.sigmoid),
    ]
    switch settings[Bottleneck.parameter] {
    case .dense:
      let length = image.count / compression
      let down = Dense(image.count, length)
      let up = Dense(length, image.count)
      return Autoencoder(
        name: "ACRNet-\(expansion)x", compression: compression, image: image,
        encoder: Sequential(head + Bottleneck.denseEncoder(down, key: "encoder_fc")),
        decoder: Sequential(Bottleneck.denseDecoder(image, up, key: "decoder_fc") + tail))
    case .convolutional:
      return Autoencoder(
        name: "CL-ACRNet-\(expansion)x", compression: compression, image: image,
        encoder: Sequential(
          head
            + Bottleneck.latentEncoder(
              image, compression, key: "convolutional_encoder.conv.first_conv1x7")),
        decoder: Sequential(
          Bottleneck.latentDecoder(
            image, compression, key: "decoder_get_feedback_in_UE.first_conv1x7")
            + tail))
    }
  }

  static func encoderFeature(_ activation: Activation) -> Sequential {
    Sequential.keyed(
      ("conv5x5_bn", ConvBN(2, 2, KernelSize(5, 5))), ("prelu", activation.layer(2)),
      ("ACREncoderBlock1", EncoderBlock(activation)),
      ("ACREncoderBlock2", EncoderBlock(activation)))
  }

  static func decoderFeature(width: Int, _ activation: Activation) -> Sequential {
    Sequential.keyed(
      ("conv5x5_bn", ConvBN(2, 2, KernelSize(5, 5))), ("prelu", activation.layer(2)),
      ("ACRDecoderBlock1", DecoderBlock(width, activation)),
      ("ACRDecoderBlock2", DecoderBlock(width, activation)))
  }

  struct EncoderBlock: Layer {
    let conv1 = ConvBN(2, 2, KernelSize(1, 9))
    let prelu1: any Layer
    let conv2 = ConvBN(2, 2, KernelSize(9, 1))
    let prelu2: any Layer

    init(_ activation: Activation) { (prelu1, prelu2) = (activation.layer(2), activation.layer(2)) }

    var children: [Child] {
      [("conv_bn1", conv1), ("prelu1", prelu1), ("conv_bn2", conv2), ("prelu2", prelu2)]
    }

    func callAsFunction(_ y: Signal) -> Signal { prelu2(y + conv2(prelu1(conv1(y)))) }
  }

  /// 1×9 to the width, grouped 7×7 with two channels per group, 9×1 back to two channels.
  struct DecoderBlock: Layer {
    let conv1, conv2, conv3: ConvBN
    let prelu1, prelu2, prelu3: any Layer

    init(_ width: Int, _ activation: Activation) {
      conv1 = ConvBN(2, width, KernelSize(1, 9))
      conv2 = ConvBN(width, width, KernelSize(7, 7), groups: width / 2)
      conv3 = ConvBN(width, 2, KernelSize(9, 1))
      prelu1 = activation.layer(width)
      prelu2 = activation.layer(width)
      prelu3 = activation.layer(2)
    }

    var children: [Child] {
      [
        ("conv1_bn", conv1), ("prelu1", prelu1), ("conv2_bn", conv2), ("prelu2", prelu2),
        ("conv3_bn", conv3), ("prelu3", prelu3),
      ]
    }

    func callAsFunction(_ y: Signal) -> Signal {
      prelu3(y + conv3(prelu2(conv2(prelu1(conv1(y))))))
    }
  }
}
