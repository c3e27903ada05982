import Parts

/// CRNet: Z. Lu, J. Wang, J. Song, Multi-resolution CSI Feedback with Deep Learning in Massive MIMO System, ICC 2020.
public enum CRNet: NetworkFamily {
  public static let schema = PartSchema(
    .codec, "crnet", "CRNet: convolutions of several resolutions side by side.",
    reference: "Z. Lu, J. Wang, J. Song, ICC 2020",
    parameters: [Bottleneck.parameter.declaration])

  public static let shortForms: [(name: String, settings: [String: Setting])] = [
    ("cl-crnet", ["bottleneck": .text("convolutional")])
  ]

  public static func compressions(_ settings: Settings, image: Shape) throws(NetworkError) -> [Int]
  {
    settings[Bottleneck.parameter].compressions(image)
  }

  public static func autoencoder(_ settings: Settings, image: Shape, compression: Int)
    throws(NetworkError) -> Autoencoder
  {
    let head: [(key: String, layer: any Layer)] = [
      ("encoder", EncoderHead()),
      ("encoder_conv", Sequential.keyed(("conv1x1_bn", ConvBN(4, 2, KernelSize(1, 1))))),
      ("activation", LeakyReLU()),
    ]
    let tail: [(key: String, layer: any Layer)] = [
      ("decoder_feature", decoderFeature(first: KernelSize(1, 9), second: KernelSize(9, 1))),
      ("sigmoid", Pointwise.sigmoid),
    ]
    switch settings[Bottleneck.parameter] {
    case .dense:
      let length = image.count / compression
      let down = Dense(image.count, length)
      let up = Dense(length, image.count)
      return Autoencoder(
        name: "CRNet", compression: compression, image: image,
        encoder: FlatKeys(head + Bottleneck.denseEncoder(down, key: "encoder_fc")),
        decoder: Sequential(Bottleneck.denseDecoder(image, up, key: "decoder_fc") + tail))
    case .convolutional:
      return Autoencoder(
        name: "CL-CRNet", compression: compression, image: image,
        encoder: FlatKeys(
          head
            + Bottleneck.latentEncoder(
              image, compression, key: "convolutional_encoder.conv.first_conv1x7")),
        decoder: Sequential(
          Bottleneck.latentDecoder(
            image, compression, key: "decoder_get_feedback_in_UE.first_conv1x7")
            + tail))
    }
  }

  /// 5×5 head and two CRBlocks, shared with CLNet, whose blocks have shorter kernels on path 1.
  static func decoderFeature(first: KernelSize, second: KernelSize) -> Sequential {
    Sequential.keyed(
      ("conv5x5_bn", ConvBN(2, 2, KernelSize(5, 5))), ("activation", LeakyReLU()),
      ("CRBlock1", CRBlock(first: first, second: second)),
      ("CRBlock2", CRBlock(first: first, second: second)))
  }

  /// 3×3, 1×9, 9×1 beside 3×3; the four channels pass one activation.
  struct EncoderHead: Layer {
    let path1 = CRNet.tripleConvolution()
    let path2 = ConvBN(2, 2, KernelSize(3, 3))

    var children: [Child] { [("encoder1", path1), ("encoder2", path2)] }

    func callAsFunction(_ x: Signal) -> Signal {
      LeakyReLU()(concatenate(path1(x), path2(x)))
    }
  }

  static func tripleConvolution() -> Sequential {
    Sequential.keyed(
      ("conv3x3_bn", ConvBN(2, 2, KernelSize(3, 3))), ("activation1", LeakyReLU()),
      ("conv1x9_bn", ConvBN(2, 2, KernelSize(1, 9))), ("activation2", LeakyReLU()),
      ("conv9x1_bn", ConvBN(2, 2, KernelSize(9, 1))))
  }

  /// Two paths of width 7, merged by a 1×1 convolution and added to the input.
  struct CRBlock: Layer {
    let path1, path2: Sequential
    let merge = ConvBN(14, 2, KernelSize(1, 1))

    init(first: KernelSize, second: KernelSize) {
      path1 = Sequential.keyed(
        ("conv3x3", ConvBN(2, 7, KernelSize(3, 3))), ("activation1", LeakyReLU()),
        ("conv\(first.height)x\(first.width)", ConvBN(7, 7, first)), ("activation2", LeakyReLU()),
        ("conv\(second.height)x\(second.width)", ConvBN(7, 7, second)))
      path2 = Sequential.keyed(
        ("conv1x5", ConvBN(2, 7, KernelSize(1, 5))), ("activation", LeakyReLU()),
        ("conv5x1", ConvBN(7, 7, KernelSize(5, 1))))
    }

    var children: [Child] { [("path1", path1), ("path2", path2), ("conv1x1", merge)] }

    func callAsFunction(_ y: Signal) -> Signal {
      let activation = LeakyReLU.shared()
      let paths = activation(concatenate(path1(y), path2(y)))
      return activation(y + merge(paths))
    }
  }
}

/// A sequence whose first layer's children appear at the top level, as in the published checkpoints.
struct FlatKeys: Layer {
  let layers: [(key: String, layer: any Layer)]

  init(_ layers: [(key: String, layer: any Layer)]) { self.layers = layers }

  var children: [Child] {
    layers[0].layer.children + layers.dropFirst().map { ($0.key, $0.layer) }
  }
  var summary: String { "Sequential" }

  func callAsFunction(_ x: Signal) -> Signal { layers.reduce(x) { $1.layer($0) } }
}
