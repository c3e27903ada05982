import Parts

/// CsiNet+ without convolution biases and with one ReLU at the end: J. Guo, C.-K. Wen, S. Jin, G. Y. Li, Convolutional Neural
/// Network-Based Multiple-Rate Compressive Sensing for Massive MIMO CSI Feedback: Design, Simulation, and Analysis, IEEE
/// Trans. Wireless Commun. 19 (2020) 2827.
public enum CsiNetPlus: NetworkFamily {
  public static let schema = PartSchema(
    .codec, "csinetplus", "CsiNet+: larger kernels and five residual blocks at the BS.",
    reference: "J. Guo et al., IEEE Trans. Wireless Commun. 19 (2020) 2827",
    parameters: [])

  public static func autoencoder(_ settings: Settings, image: Shape, compression: Int)
    throws(NetworkError) -> Autoencoder
  {
    let length = image.count / compression
    let refine = Sequential((0..<5).map { _ in RefineBlock() })
    return Autoencoder(
      name: "CsiNetPlus", compression: compression, image: image,
      encoder: Sequential(
        [
          ("enc1", convolution(2, 2, 7)), ("activation1", LeakyReLU()),
          ("enc2", convolution(2, 2, 7)), ("activation2", LeakyReLU()),
        ]
          + Bottleneck.denseEncoder(
            Dense(image.count, length, initialization: start),
            key: "enc_fc")),
      decoder: Sequential(
        Bottleneck.denseDecoder(
          image, Dense(length, image.count, initialization: start), key: "dec_fc") + [
            ("dec_conv", convolution(2, 2, 7)), ("sigmoid", Pointwise.sigmoid),
            ("refine", refine), ("output", LeakyReLU(slope: 0)),
          ]))
  }

  static let start = NetworkParameter.Initialization.truncatedNormal(standardDeviation: 0.05)

  static func convolution(_ inputs: Int, _ outputs: Int, _ size: Int) -> ConvBN {
    ConvBN(inputs, outputs, KernelSize(size, size), initialization: start)
  }

  /// y + tanh(CB(16→2, 3×3) L CB(8→16, 5×5) L CB(2→8, 7×7) (y)).
  struct RefineBlock: Layer {
    let c1 = CsiNetPlus.convolution(2, 8, 7)
    let c2 = CsiNetPlus.convolution(8, 16, 5)
    let c3 = CsiNetPlus.convolution(16, 2, 3)

    var children: [Child] { [("c1", c1), ("c2", c2), ("c3", c3)] }

    func callAsFunction(_ y: Signal) -> Signal {
      let activation = LeakyReLU()
      return y + Pointwise.tanh(c3(activation(c2(activation(c1(y))))))
    }
  }
}
