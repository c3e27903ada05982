import Parts

/// CLNet: S. Ji, M. Li, CLNet: Complex Input Lightweight Neural Network designed for Massive MIMO CSI Feedback, IEEE Wireless
/// Commun. Lett. 2021, arXiv:2102.07507.
public enum CLNet: NetworkFamily {
  public static let schema = PartSchema(
    .codec, "clnet", "CLNet: CRNet with spatial attention and squeeze-and-excite at the UE.",
    reference: "S. Ji, M. Li, IEEE WCL 2021, arXiv:2102.07507",
    parameters: [])

  public static func autoencoder(_ settings: Settings, image: Shape, compression: Int)
    throws(NetworkError) -> Autoencoder
  {
    let length = image.count / compression
    return Autoencoder(
      name: "CLNet", compression: compression, image: image,
      encoder: Nested("encoder", Encoder(image, length)),
      decoder: Nested("decoder", decoder(image, length)))
  }

  static func decoder(_ image: Shape, _ length: Int) -> Sequential {
    let up = Dense(length, image.count, storage: .transposedPointConvolution)
    let feature = CRNet.decoderFeature(first: KernelSize(1, 3), second: KernelSize(3, 1))
    return Sequential(
      Bottleneck.denseDecoder(image, up, key: "replace_dfc") + [
        ("decoder_feature", feature), ("output", Pointwise.hardSigmoid),
      ])
  }

  /// CRNet's first path with a spatial gate beside a 1×1 convolution with squeeze-and-excite.
  struct Encoder: Layer {
    let path = CRNet.tripleConvolution()
    let spatial = SpatialGate()
    let point = ConvBN(2, 32, KernelSize(1, 1))
    let excite = SqueezeExcite(32, hidden: 2)
    let merge = ConvBN(34, 2, KernelSize(1, 1))
    let dense: Dense

    init(_ image: Shape, _ length: Int) {
      dense = Dense(image.count, length, storage: .pointConvolution)
    }

    var children: [Child] {
      [
        ("encoder1", path), ("sa", spatial), ("encoder2", point), ("se", excite),
        ("encoder_conv.conv1x1_bn", merge), ("replace_efc", dense),
      ]
    }

    func callAsFunction(_ x: Signal) -> Signal {
      let activation = LeakyReLU()
      let both = concatenate(spatial(path(x)), excite(point(x)))
      return dense(activation(merge(activation(both))).flattened)
    }
  }

  /// A layer whose keys are below one more name.
  struct Nested: Layer {
    let key: String
    let layer: any Layer

    init(_ key: String, _ layer: any Layer) {
      self.key = key
      self.layer = layer
    }

    var children: [Child] { [(key, layer)] }
    func callAsFunction(_ x: Signal) -> Signal { layer(x) }
  }
}
