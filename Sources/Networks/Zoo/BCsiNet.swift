/// BCsiNet-Xr in floating point: Z. Lu, J. Wang, J. Song, Binary Neural Network Aided CSI Feedback in Massive MIMO System, IEEE
/// Wireless Commun. Lett. 2021.
public enum BCsiNet {
  /// Encoder head.
  public enum Head: String, Sendable, CaseIterable {
    /// One 3×3 convolution.
    case a
    /// Two of them.
    case b
    /// One, followed by a small residual block.
    case c
  }

  /// - Parameter refineBlocks: r, 2 or 3 in the paper.
  public static func autoencoder(compression: Int, head: Head = .a, refineBlocks: Int = 2)
    -> Autoencoder
  {
    let length = CSIShape.codewordLength(compression)
    let refine: [(key: String, layer: any Layer)] = (0..<refineBlocks).map {
      ("refine\($0)", RefineBlock(widths: [2, 8, 16, 2]))
    }
    let feature = Sequential(refine + [("conv3x3_bn", convolution(2, 2))])
    return Autoencoder(
      name: "BCsiNet-\(head.rawValue.uppercased())\(refineBlocks)", compression: compression,
      encoder: Sequential(
        [("encoder_feature", encoderFeature(head))]
          + Bottleneck.denseEncoder(
            compression, Dense(CSIShape.map.count, length), key: "encoder_binary_fc")),
      decoder: Sequential(
        Bottleneck.denseDecoder(Dense(length, CSIShape.map.count), key: "decoder_fc")
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
