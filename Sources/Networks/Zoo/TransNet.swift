import Parts

/// TransNet: Y. Cui, A. Guo, C. Song, TransNet: Full Attention Network for CSI Feedback in FDD Massive MIMO System, IEEE
/// Wireless Commun. Lett. 11 (2022) 903, doi:10.1109/LWC.2022.3149416.
///
/// Two passes of one post-norm transformer layer per side over tokens of 64 values, 32 of them for the public image; the output is not confined to
/// [0, 1].
public enum TransNet: NetworkFamily {
  static let crossBatch = Parameter.flag(
    "cross_batch", default: false,
    "Attention along the batch, as the released code computes it: a sample's output then depends on its neighbours."
  )

  public static let schema = PartSchema(
    .codec, "transnet",
    "TransNet: a transformer layer on each side, its output not confined to [0, 1].",
    reference: "Y. Cui, A. Guo, C. Song, IEEE WCL 11 (2022) 903",
    parameters: [crossBatch.declaration])

  public static let shortForms: [(name: String, settings: [String: Setting])] = [
    ("transnet-cross-batch", ["cross_batch": .flag(true)])
  ]

  public static let images = "2 · angles · taps a multiple of \(dimension), the values of a token"

  public static func compressions(_ settings: Settings, image: Shape) throws(NetworkError) -> [Int]
  {
    image.count % dimension == 0 ? image.ratios : []
  }

  public static func autoencoder(_ settings: Settings, image: Shape, compression: Int)
    throws(NetworkError) -> Autoencoder
  {
    let length = image.count / compression
    let crossBatch = settings[crossBatch]
    let tokens = Shape(1, image.count / dimension, dimension)
    return Autoencoder(
      name: "TransNet", compression: compression, image: image,
      encoder: Sequential([
        ("tokens", Reshape(tokens)), ("encoder", Encoder(crossBatch: crossBatch)),
        ("flatten", Reshape(.vector(image.count))),
        ("fc_encoder", Dense(image.count, length)),
      ]),
      decoder: Sequential([
        ("fc_decoder", Dense(length, image.count)), ("tokens", Reshape(tokens)),
        ("decoder", Decoder(crossBatch: crossBatch)), ("map", Reshape(image)),
      ]))
  }

  static let dimension = 64
  static let passes = 2

  static func attention(_ crossBatch: Bool) -> MultiHeadAttention {
    MultiHeadAttention(dimension, heads: 2, acrossBatch: crossBatch)
  }

  struct Encoder: Layer {
    let layer: EncoderLayer

    init(crossBatch: Bool) { layer = EncoderLayer(crossBatch: crossBatch) }

    var children: [Child] { [("layer", layer)] }
    func callAsFunction(_ x: Signal) -> Signal { (0..<passes).reduce(x) { y, _ in layer(y) } }
  }

  struct EncoderLayer: Layer {
    let attention: MultiHeadAttention
    let linear1 = Dense(dimension, 2048)
    let linear2 = Dense(2048, dimension)
    let norm1 = LayerNorm(dimension)
    let norm2 = LayerNorm(dimension)

    init(crossBatch: Bool) { attention = TransNet.attention(crossBatch) }

    var children: [Child] {
      [
        ("self_attn", attention), ("linear1", linear1), ("linear2", linear2), ("norm1", norm1),
        ("norm2", norm2),
      ]
    }

    func callAsFunction(_ x: Signal) -> Signal {
      let attended = norm1(x + attention(x))
      return norm2(attended + linear2(LeakyReLU(slope: 0)(linear1(attended))))
    }
  }

  struct Decoder: Layer {
    let layer: DecoderLayer
    let norm = LayerNorm(dimension)

    init(crossBatch: Bool) { layer = DecoderLayer(crossBatch: crossBatch) }

    var children: [Child] { [("layer", layer), ("norm", norm)] }
    func callAsFunction(_ memory: Signal) -> Signal {
      norm((0..<passes).reduce(memory) { t, _ in layer(t, memory: memory) })
    }
  }

  struct DecoderLayer: Module {
    let ownAttention: MultiHeadAttention
    let memoryAttention: MultiHeadAttention
    let linear1 = Dense(dimension, 2048)
    let linear2 = Dense(2048, dimension)
    let norm1 = LayerNorm(dimension)
    let norm2 = LayerNorm(dimension)
    let norm3 = LayerNorm(dimension)

    init(crossBatch: Bool) {
      ownAttention = TransNet.attention(crossBatch)
      memoryAttention = TransNet.attention(crossBatch)
    }

    var children: [Child] {
      [
        ("self_attn", ownAttention), ("multihead_attn", memoryAttention), ("linear1", linear1),
        ("linear2", linear2), ("norm1", norm1), ("norm2", norm2), ("norm3", norm3),
      ]
    }

    func callAsFunction(_ t: Signal, memory: Signal) -> Signal {
      let own = norm1(t + ownAttention(t))
      let cross = norm2(own + memoryAttention(own, memory: memory))
      return norm3(cross + linear2(LeakyReLU(slope: 0)(linear1(cross))))
    }
  }
}
