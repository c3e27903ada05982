import Parts

/// CsiNet-Pro: Z. Liu, M. del Rosario, Z. Ding, A Markovian Model-Driven Deep Learning Framework for Massive MIMO CSI Feedback,
/// IEEE Trans. Wireless Commun. 21 (2022) 1214.
public enum CsiNetPro: NetworkFamily {
  /// The last function of the decoder.
  enum Output: String, Choice {
    case sigmoid, tanh
    var function: Pointwise { self == .tanh ? .tanh : .sigmoid }
  }

  static let output = Parameter<Output>.choice(
    "output", default: .sigmoid,
    "Last function: sigmoid for data in [0, 1]; tanh for data of unit norm centred on zero.")

  public static let schema = PartSchema(
    .codec, "csinetpro", "CsiNet-Pro: 7x7 convolutions with tanh on both sides.",
    reference: "Z. Liu, M. del Rosario, Z. Ding, IEEE Trans. Wireless Commun. 21 (2022) 1214",
    parameters: [output.declaration])

  public static func autoencoder(_ settings: Settings, image: Shape, compression: Int)
    throws(NetworkError) -> Autoencoder
  {
    let length = image.count / compression
    let size = KernelSize(7, 7)
    return Autoencoder(
      name: "CsiNetPro", compression: compression, image: image,
      encoder: Sequential(
        [("enc", stack([2, 16, 8, 4, 2]))]
          + Bottleneck.denseEncoder(
            Dense(image.count, length, zeroBias: true), key: "enc_fc")),
      decoder: Sequential(
        Bottleneck.denseDecoder(
          image, Dense(length, image.count, zeroBias: true), key: "dec_fc") + [
            ("dec", stack([2, 16, 8, 4])),
            ("out_conv", Convolution(4, 2, size, bias: true, zeroBias: true)),
            ("output", settings[output].function),
          ]))
  }

  /// Convolution, normalisation and tanh through the given widths.
  static func stack(_ widths: [Int]) -> Sequential {
    Sequential(
      zip(widths, widths.dropFirst()).map { inputs, outputs -> any Layer in
        TanhUnit(inputs, outputs)
      })
  }

  struct TanhUnit: Layer {
    let unit: ConvBN

    init(_ inputs: Int, _ outputs: Int) {
      unit = ConvBN(inputs, outputs, KernelSize(7, 7), bias: true, norm: .keras, zeroBias: true)
    }

    var children: [Child] { unit.children }
    func callAsFunction(_ x: Signal) -> Signal { Pointwise.tanh(unit(x)) }
  }
}
