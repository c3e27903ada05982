import Parts

/// DCRNet-kx: S. Tang, J. Xia, L. Fan, X. Lei, W. Xu, A. Nallanathan, Dilated Convolution Based CSI Feedback Compression for Massive
/// MIMO Systems, IEEE Trans. Veh. Technol. 71 (2022), doi:10.1109/TVT.2022.3183596.
public enum DCRNet: NetworkFamily {
  static let expansion = Parameter.integer(
    "expansion", default: 1, in: 1...128, "Factor k: the decoder blocks have 8 k channels.")

  public static let schema = PartSchema(
    .codec, "dcrnet", "DCRNet: dilated convolutions, and decoder blocks with shuffled groups.",
    reference: "S. Tang et al., IEEE TVT 71 (2022), doi:10.1109/TVT.2022.3183596",
    parameters: [expansion.declaration])

  public static let shortForms: [(name: String, settings: [String: Setting])] =
    (1...10).map { ("dcrnet-\($0)x", ["expansion": .integer($0)]) }

  public static func autoencoder(_ settings: Settings, image: Shape, compression: Int)
    throws(NetworkError) -> Autoencoder
  {
    let (length, expansion) = (image.count / compression, settings[expansion])
    func dense(_ inputs: Int, _ outputs: Int) -> Dense {
      Dense(
        inputs, outputs, initialization: .normal(standardDeviation: 0.001), zeroBias: true)
    }
    let encoder = Sequential.keyed(
      ("conv5x5_bn", convolution(2, 2, 5, 5)), ("prelu", PReLU(2)),
      ("DCREncoderBlock1", DilatedBlock(secondKey: "conv2.0", convolution)))
    let decoder = Sequential.keyed(
      ("conv5x5_bn", convolution(2, 2, 5, 5)), ("prelu", PReLU(2)),
      ("DCRDecoderBlock1", RefinementBlock(width: 8 * expansion, gate: nil, convolution)),
      ("DCRDecoderBlock2", RefinementBlock(width: 8 * expansion, gate: nil, convolution)))
    return Autoencoder(
      name: "DCRNet-\(expansion)x", compression: compression, image: image,
      encoder: Sequential(
        [("encoder_feature", encoder)]
          + Bottleneck.denseEncoder(dense(image.count, length), key: "encoder_fc")),
      decoder: Sequential(
        Bottleneck.denseDecoder(image, dense(length, image.count), key: "decoder_fc")
          + [("decoder_feature", decoder), ("sigmoid", Pointwise.sigmoid)]))
  }

  private static func convolution(
    _ inputs: Int, _ outputs: Int, _ height: Int, _ width: Int, groups: Int = 1, dilation: Int = 1
  ) -> ConvBN {
    let kernel = KernelSize(height, width)
    return ConvBN(
      inputs, outputs, kernel, groups: groups, dilation: dilation,
      initialization: .heNormal(fanOut: outputs * kernel.area))
  }
}

/// A normalised convolution as a family initialises it: inputs, outputs, height, width, groups, dilation.
typealias ConvolutionRule = (
  _ inputs: Int, _ outputs: Int, _ height: Int, _ width: Int, _ groups: Int, _ dilation: Int
) -> ConvBN

/// Columns and rows in turn with dilation 1, 2 and 3 beside a 3×3 convolution, merged and added to the input.
struct DilatedBlock: Layer {
  let chain: Sequential
  let second, merge: ConvBN
  let both = PReLU(4)
  let last = PReLU(2)
  let secondKey: String

  init(secondKey: String, _ convolution: ConvolutionRule) {
    self.secondKey = secondKey
    var layers: [any Layer] = []
    for dilation in 1...3 {
      for (height, width) in [(3, 1), (1, 3)] {
        if !layers.isEmpty { layers.append(PReLU(2)) }
        layers.append(convolution(2, 2, height, width, 1, dilation))
      }
    }
    chain = Sequential(layers)
    second = convolution(2, 2, 3, 3, 1, 1)
    merge = convolution(4, 2, 1, 1, 1, 1)
  }

  var children: [Child] {
    [
      ("conv1", chain), (secondKey, second), ("prelu1", both), ("conv1x1", merge),
      ("prelu2", last),
    ]
  }

  func callAsFunction(_ x: Signal) -> Signal {
    last(x + merge(both(concatenate(chain(x), second(x)))))
  }
}

/// Two paths of grouped convolutions, one of them dilated, merged and added to the input; keys as in the published weights,
/// where `conv_1x5` has 3×1 taps, `conv_5x1` 1×3 and `conv_1x1` 3×3.
struct RefinementBlock: Layer {
  let dilated, plain: Sequential
  let merge: ConvBN
  let both = PReLU(4)
  let last = PReLU(2)
  /// Factor of the branch.
  let gate: ReZero?

  /// - Parameters:
  ///   - width: channels of the paths, two in each group.
  ///   - gate: initial factor of what is added to the input; nil to add it as it is.
  ///   - convolution: how convolutions start.
  init(width: Int, gate: Float?, _ convolution: ConvolutionRule) {
    let groups = width / 2
    func shuffle() -> ChannelShuffle { ChannelShuffle(groups: groups) }
    dilated = .keyed(
      ("conv_3x3", convolution(2, width, 3, 3, 1, 2)), ("prelu1", PReLU(width)),
      ("conv_1x5", convolution(width, width, 3, 1, groups, 3)), ("shuffle1", shuffle()),
      ("prelu2", PReLU(width)), ("conv_5x1", convolution(width, width, 1, 3, groups, 3)),
      ("prelu4", PReLU(width)), ("conv_1x1", convolution(width, 2, 3, 3, 1, 1)))
    plain = Sequential([
      convolution(2, width, 1, 3, 1, 1), PReLU(width), convolution(width, width, 5, 1, groups, 1),
      shuffle(), PReLU(width), convolution(width, width, 1, 5, groups, 1), shuffle(),
      PReLU(width), convolution(width, 2, 3, 1, 1, 1),
    ])
    merge = convolution(4, 2, 1, 1, 1, 1)
    self.gate = gate.map { ReZero(initial: $0) }
  }

  var children: [Child] {
    [
      ("path1", dilated), ("path2", plain), ("prelu", both), ("conv1x1", merge), ("prelu2", last),
    ]
  }
  var parameters: [(key: String, parameter: NetworkParameter)] {
    gate.map { [("gate", $0.factor)] } ?? []
  }

  func callAsFunction(_ y: Signal) -> Signal {
    let branch = merge(both(concatenate(dilated(y), plain(y))))
    return last(y + (gate?(branch) ?? branch))
  }
}
