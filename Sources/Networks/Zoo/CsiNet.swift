/// CsiNet: C.-K. Wen, W.-T. Shih, S. Jin, Deep Learning for Massive MIMO CSI Feedback, IEEE Wireless Commun. Lett. 7 (2018) 748.
public enum CsiNet {
  /// - Parameters:
  ///   - compression: n of ratio 1/n, a divisor of 2048.
  ///   - axis: `.width` for the weights of the first release, which normalise each delay column.
  ///   - bottleneck: `.convolutional` replaces both dense layers (n up to 64).
  ///   - kernel: 3×3; 7×7 in an ablation.
  public static func autoencoder(
    compression: Int, axis: BatchNorm.Axis = .channel, bottleneck: Bottleneck = .dense,
    kernel: KernelSize = KernelSize(3, 3)
  ) -> Autoencoder {
    let norm = BatchNorm.Settings(epsilon: 1e-3, momentum: 0.01, axis: axis)
    let length = CSIShape.codewordLength(compression)

    let head: [(key: String, layer: any Layer)] = [
      ("enc_conv", Convolution(2, 2, kernel, bias: true, zeroBias: true)),
      ("enc_bn", normalization(2, norm)), ("enc_activation", LeakyReLU()),
    ]
    let tail: [(key: String, layer: any Layer)] = [
      ("refine1", RefineBlock(kernel, norm)), ("refine2", RefineBlock(kernel, norm)),
      ("out_conv", Convolution(2, 2, kernel, bias: true, zeroBias: true)),
      ("sigmoid", Pointwise.sigmoid),
    ]
    switch bottleneck {
    case .dense:
      let down = Dense(CSIShape.map.count, length, zeroBias: true)
      let up = Dense(length, CSIShape.map.count, zeroBias: true)
      return Autoencoder(
        name: "CsiNet", compression: compression,
        encoder: Sequential(head + Bottleneck.denseEncoder(compression, down, key: "enc_fc")),
        decoder: Sequential(Bottleneck.denseDecoder(up, key: "dec_fc") + tail))
    case .convolutional:
      return Autoencoder(
        name: "CL-CsiNet", compression: compression,
        encoder: Sequential(head + Bottleneck.latentEncoder(compression, key: "enc_latent")),
        decoder: Sequential(Bottleneck.latentDecoder(compression, key: "dec_latent") + tail))
    }
  }

  static func normalization(_ channels: Int, _ settings: BatchNorm.Settings) -> BatchNorm {
    BatchNorm(settings.axis == .channel ? channels : CSIShape.map.width, settings)
  }

  /// y -> L(y + BN conv 16→2 (L BN conv 8→16 (L BN conv 2→8 (y)))).
  struct RefineBlock: Layer {
    let conv1, conv2, conv3: Convolution
    let bn1, bn2, bn3: BatchNorm

    init(_ kernel: KernelSize, _ norm: BatchNorm.Settings) {
      conv1 = Convolution(2, 8, kernel, bias: true, zeroBias: true)
      conv2 = Convolution(8, 16, kernel, bias: true, zeroBias: true)
      conv3 = Convolution(16, 2, kernel, bias: true, zeroBias: true)
      bn1 = CsiNet.normalization(8, norm)
      bn2 = CsiNet.normalization(16, norm)
      bn3 = CsiNet.normalization(2, norm)
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
