import Parts

/// Teacher "CRNet" and student "CRNet-SE" of Y. Cui et al., Lightweight Neural Network with Knowledge Distillation for CSI
/// Feedback, 2022, arXiv:2210.17113.
///
/// Not the CRNet of ``CRNet``: wider paths, convolution biases and ReZero blocks without activation.
public enum DistillationCRNet: NetworkFamily {
  /// Which encoder the shared decoder is joined with.
  public enum Role: String, Choice {
    /// Two branches of 16 channels.
    case teacher
    /// One 3×3 convolution.
    case student
  }

  static let role = Parameter<Role>.choice(
    "role", default: .teacher,
    "Encoder: two branches of 16 channels (teacher), or one 3x3 convolution (student).")
  static let width = Parameter.integer(
    "width", default: 8, in: 1...256,
    "Channels of the decoder's paths; 16 in the paper's generalisation experiments.")

  public static let schema = PartSchema(
    .codec, "kd-crnet", "CRNet of knowledge distillation: a teacher, or a student (CRNet-SE).",
    reference: "Y. Cui et al., 2022, arXiv:2210.17113",
    parameters: [role.declaration, width.declaration])

  public static let shortForms: [(name: String, settings: [String: Setting])] = [
    ("kd-crnet-se", ["role": .text("student")])
  ]

  public static func autoencoder(_ settings: Settings, image: Shape, compression: Int)
    throws(NetworkError) -> Autoencoder
  {
    let length = image.count / compression
    let role = settings[role]
    let head: any Layer = role == .teacher ? TeacherHead() : StudentHead()
    return Autoencoder(
      name: role == .teacher ? "KD-CRNet" : "KD-CRNet-SE", compression: compression, image: image,
      encoder: FlatKeys(
        [("head", head)]
          + Bottleneck.denseEncoder(
            Dense(image.count, length, zeroBias: true), key: "enc_fc")),
      decoder: Decoder(image, length, settings[width]))
  }

  /// Biased convolution, normalisation, LeakyReLU.
  struct Unit: Layer {
    let unit: ConvBN

    init(_ inputs: Int, _ outputs: Int, _ height: Int, _ width: Int) {
      unit = ConvBN(
        inputs, outputs, KernelSize(height, width), bias: true, norm: .keras, zeroBias: true)
    }

    var children: [Child] { unit.children }
    func callAsFunction(_ x: Signal) -> Signal { LeakyReLU()(unit(x)) }
  }

  struct StudentHead: Layer {
    let unit = Unit(2, 2, 3, 3)
    var children: [Child] { [("enc", unit)] }
    func callAsFunction(_ x: Signal) -> Signal { unit(x) }
  }

  struct TeacherHead: Layer {
    let path1 = Sequential([Unit(2, 16, 3, 3), Unit(16, 16, 1, 9), Unit(16, 16, 9, 1)])
    let path2 = Unit(2, 16, 3, 3)
    let merge = Unit(32, 2, 1, 1)

    var children: [Child] { [("enc_p1", path1), ("enc_p2", path2), ("enc_merge", merge)] }
    func callAsFunction(_ x: Signal) -> Signal { merge(concatenate(path1(x), path2(x))) }
  }

  struct Decoder: Layer {
    let image: Shape
    let dense: Dense
    let head = Unit(2, 2, 5, 5)
    let blocks: [Block]
    let factors = ReZeroList(2)

    init(_ image: Shape, _ length: Int, _ width: Int) {
      self.image = image
      dense = Dense(length, image.count, zeroBias: true)
      blocks = [Block(width), Block(width)]
    }

    var children: [Child] {
      [
        ("dec_fc", dense), ("dec_head", head), ("blocks.0", blocks[0]), ("blocks.1", blocks[1]),
        ("rezero", factors),
      ]
    }

    func callAsFunction(_ s: Signal) -> Signal {
      let start = head(dense(s).reshaped(image))
      let end = zip(blocks, factors.items).reduce(start) { y, step in y + step.1(step.0(y)) }
      return Pointwise.sigmoid(end)
    }
  }

  /// Two paths merged by a plain 1×1 convolution.
  struct Block: Layer {
    let path1: Sequential
    let path2: Sequential
    let merge: Convolution

    init(_ width: Int) {
      path1 = Sequential([
        Unit(2, width, 3, 3), Unit(width, width, 1, 9), Unit(width, width, 9, 1),
      ])
      path2 = Sequential([Unit(2, width, 1, 5), Unit(width, width, 5, 1)])
      merge = Convolution(2 * width, 2, KernelSize(1, 1), bias: true, zeroBias: true)
    }

    var children: [Child] { [("p1", path1), ("p2", path2), ("merge", merge)] }
    func callAsFunction(_ y: Signal) -> Signal { merge(concatenate(path1(y), path2(y))) }
  }
}
