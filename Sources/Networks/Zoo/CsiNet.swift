import Parts

/// CsiNet: C.-K. Wen, W.-T. Shih, S. Jin, Deep Learning for Massive MIMO CSI Feedback, IEEE Wireless Commun. Lett. 7 (2018) 748.
public enum CsiNet: NetworkFamily {
  static let axis = Parameter<BatchNorm.Axis>.choice(
    "bn_axis", default: .channel,
    "What a batch normalisation normalises: a channel, or a delay column as in the weights of the first release."
  )
  static let kernel = Parameter.integer(
    "kernel", default: 3, in: 1...15, "Rows and columns of the kernels, odd; 7 in an ablation.")

  public static let schema = PartSchema(
    .codec, "csinet", "CsiNet: one convolution at the UE, two residual blocks at the BS.",
    reference: "C.-K. Wen et al., IEEE WCL 7 (2018) 748",
    parameters: [axis.declaration, kernel.declaration, Bottleneck.parameter.declaration])

  public static let shortForms: [(name: String, settings: [String: Setting])] = [
    ("csinet-width", ["bn_axis": .text("width")]), ("csinet-7x7", ["kernel": .integer(7)]),
    ("cl-csinet", ["bottleneck": .text("convolutional")]),
  ]

  public static func compressions(_ settings: Settings, image: Shape) throws(NetworkError) -> [Int]
  {
    settings[Bottleneck.parameter].compressions(image)
  }

  public static func autoencoder(_ settings: Settings, image: Shape, compression: Int)
    throws(NetworkError) -> Autoencoder
  {
    guard settings[kernel] % 2 == 1 else {
      throw .unfitSettings(
        SettingsError(
          part: schema.name, key: kernel.key, reason: "must be odd, got \(settings[kernel])"))
    }
    let kernel = KernelSize(settings[kernel], settings[kernel])
    let axis = settings[axis]
    let norm = Norm(
      settings: .init(epsilon: 1e-3, momentum: 0.01, axis: axis),
      columns: axis == .width ? image.width : nil)
    let head: [(key: String, layer: any Layer)] = [
      ("enc_conv", Convolution(2, 2, kernel, bias: true, zeroBias: true)),
      ("enc_bn", norm.layer(2)), ("enc_activation", LeakyReLU()),
    ]
    let tail: [(key: String, layer: any Layer)] = [
      ("refine1", RefineBlock(kernel, norm)), ("refine2", RefineBlock(kernel, norm)),
      ("out_conv", Convolution(2, 2, kernel, bias: true, zeroBias: true)),
      ("sigmoid", Pointwise.sigmoid),
    ]
    switch settings[Bottleneck.parameter] {
    case .dense:
      let length = image.count / compression
      let down = Dense(image.count, length, zeroBias: true)
      let up = Dense(length, image.count, zeroBias: true)
      return Autoencoder(
        name: "CsiNet", compression: compression, image: image,
        encoder: Sequential(head + Bottleneck.denseEncoder(down, key: "enc_fc")),
        decoder: Sequential(Bottleneck.denseDecoder(image, up, key: "dec_fc") + tail))
    case .convolutional:
      return Autoencoder(
        name: "CL-CsiNet", compression: compression, image: image,
        encoder: Sequential(head + Bottleneck.latentEncoder(image, compression, key: "enc_latent")),
        decoder: Sequential(
          Bottleneck.latentDecoder(image, compression, key: "dec_latent") + tail))
    }
  }

  /// Batch normalisations over channels, or over the columns of the image.
  struct Norm {
    let settings: BatchNorm.Settings
    let columns: Int?

    func layer(_ channels: Int) -> BatchNorm { BatchNorm(columns ?? channels, settings) }
  }

  /// y -> L(y + BN conv 16→2 (L BN conv 8→16 (L BN conv 2→8 (y)))).
  struct RefineBlock: Layer {
    let conv1, conv2, conv3: Convolution
    let bn1, bn2, bn3: BatchNorm

    init(_ kernel: KernelSize, _ norm: Norm) {
      conv1 = Convolution(2, 8, kernel, bias: true, zeroBias: true)
      conv2 = Convolution(8, 16, kernel, bias: true, zeroBias: true)
      conv3 = Convolution(16, 2, kernel, bias: true, zeroBias: true)
      bn1 = norm.layer(8)
      bn2 = norm.layer(16)
      bn3 = norm.layer(2)
    }

    var children: [Child] {
      [
        ("conv1", conv1), ("bn1", bn1), ("conv2", conv2), ("bn2", bn2), ("conv3", conv3),
        ("bn3", bn3),
      ]
    }

    func callAsFunction(_ y: Signal) -> Signal {
      let activation = LeakyReLU()
      let wide = activation(bn2(conv2(activation(bn1(conv1(y))))))
      return activation(y + bn3(conv3(wide)))
    }
  }
}
