import Parts

/// DCRNetV2: complex measurements of the map beside dilated convolutions at the UE; sums of complex rank-one terms and one refinement
/// at the BS. S. Tang, DCRNetV2, 2026, released code (github.com/tangshunpu/DCRNetV2); the successor of ``DCRNet``.
public enum DCRNetV2: NetworkFamily {
  /// The sizes of the release. The two large ones differ in their initial values only.
  public enum Variant: String, Choice {
    /// 128 measurements, 10 direct and 8 gated ranks.
    case mini
    /// 256 measurements, 16 direct ranks.
    case small
    /// 512 measurements, 16 direct ranks.
    case base
    /// 512 measurements, 32 direct and 16 gated ranks.
    case unified
    /// As unified with 32 gated ranks of larger weight, for outdoor channels.
    case largeOut = "large-out"
    /// As large-out with gates that start nearly closed, for indoor channels at ratio 1/4.
    case largeIn4 = "large-in4"

    var sizes: Sizes {
      switch self {
      case .mini: Sizes(measurements: 128, hidden: 32, ranks: 10, gated: .init(8, 8))
      case .small: Sizes(measurements: 256, hidden: 64, ranks: 16, gated: nil)
      case .base: Sizes(measurements: 512, hidden: 64, ranks: 16, gated: nil)
      case .unified: Sizes(measurements: 512, hidden: 64, ranks: 32, gated: .init(16, 16))
      case .largeOut:
        Sizes(measurements: 512, hidden: 64, ranks: 32, gated: .init(32, 16, alpha: 0.05))
      case .largeIn4:
        Sizes(measurements: 512, hidden: 64, ranks: 32, gated: .init(32, 16, -4, alpha: 0.05))
      }
    }
  }

  /// Measurements, hidden units of the fusion, direct ranks and those behind gates.
  struct Sizes {
    let measurements, hidden, ranks: Int
    let gated: Gated?

    struct Gated {
      let ranks, codeSize: Int
      let gateBias, alpha: Float

      init(_ ranks: Int, _ codeSize: Int, _ gateBias: Float = -2, alpha: Float = 0.01) {
        self.ranks = ranks
        self.codeSize = codeSize
        self.gateBias = gateBias
        self.alpha = alpha
      }
    }
  }

  static let variant = Parameter<Variant>.choice(
    "variant", default: .mini,
    "Sizes of the release; large-out and large-in4 are one network with other initial values.")

  public static let schema = PartSchema(
    .codec, "dcrnetv2",
    "DCRNetV2: complex measurements and dilated convolutions, complex rank-one terms.",
    reference: "S. Tang, DCRNetV2, 2026, github.com/tangshunpu/DCRNetV2",
    parameters: [variant.declaration])

  public static let shortForms: [(name: String, settings: [String: Setting])] =
    Variant.allCases.map { ("dcrnetv2-\($0.rawValue)", ["variant": .text($0.rawValue)]) }

  public static func autoencoder(_ settings: Settings, image: Shape, compression: Int)
    throws(NetworkError) -> Autoencoder
  {
    let (length, variant) = (image.count / compression, settings[variant])
    return Autoencoder(
      name: "DCRNetV2-\(variant.rawValue)", compression: compression, image: image,
      encoder: Encoder(image, length, variant.sizes),
      decoder: Decoder(image, length, variant.sizes))
  }

  /// A convolution that starts uniform in ±1/sqrt(fan in).
  static func convolution(
    _ inputs: Int, _ outputs: Int, _ height: Int, _ width: Int, groups: Int, dilation: Int
  ) -> ConvBN {
    let kernel = KernelSize(height, width)
    return ConvBN(
      inputs, outputs, kernel, groups: groups, dilation: dilation,
      initialization: .biasUniform(fanIn: inputs / groups * kernel.area))
  }

  /// A dense layer that starts normal with deviation 0.02 and without bias.
  static func smallDense(_ inputs: Int, _ outputs: Int) -> Dense {
    Dense(inputs, outputs, initialization: .normal(standardDeviation: 0.02), zeroBias: true)
  }

  /// `z_a + z_b + W2 GELU(W1 [z_a, z_b])` of the measurements z_a and the dilated branch z_b.
  struct Encoder: Layer {
    let measured: MeasuredCodeword
    let dilated: DilatedBranch
    let first, second: Dense

    init(_ image: Shape, _ length: Int, _ sizes: Sizes) {
      measured = MeasuredCodeword(
        BilinearMeasurement(image, count: sizes.measurements), length: length)
      dilated = DilatedBranch(image, length)
      first = smallDense(2 * length, sizes.hidden)
      second = Dense(sizes.hidden, length, initialization: .constant(0), zeroBias: true)
    }

    var children: [Child] {
      [
        ("enc_neural", measured), ("enc_dilate", dilated), ("fuse_enc.fc1", first),
        ("fuse_enc.fc2", second),
      ]
    }

    func callAsFunction(_ x: Signal) -> Signal {
      let (a, b) = (measured(x), dilated(x))
      return a + b + second(GELU()(first(concatenate(a, b).flattened)))
    }
  }

  /// A residual block of dilated convolutions, dense, normalised, times a factor.
  struct DilatedBranch: Layer {
    let block = DilatedBlock(secondKey: "conv2", convolution)
    let dense: Dense
    let gate = ReZero(initial: 1e-3)

    init(_ image: Shape, _ length: Int) { dense = smallDense(image.count, length) }

    var children: [Child] { [("block", block), ("proj", dense)] }
    var parameters: [(key: String, parameter: NetworkParameter)] { [("gate", gate.factor)] }

    func callAsFunction(_ x: Signal) -> Signal {
      gate(Standardization()(dense(block(x).flattened)))
    }
  }

  struct Decoder: Layer {
    let direct: DirectRanks
    let gated: GatedRanks?
    let refinement = RefinementBlock(width: 2, gate: 1e-3, convolution)

    init(_ image: Shape, _ length: Int, _ sizes: Sizes) {
      direct = DirectRanks(image, length: length, ranks: sizes.ranks)
      gated = sizes.gated.map { GatedRanks(image, length: length, $0) }
    }

    var children: [Child] {
      let ranks: [Child] =
        gated.map { [("decoder.direct", direct), ("decoder.extra", $0)] } ?? [("decoder", direct)]
      return ranks + [("refine.stages.0", refinement)]
    }

    func callAsFunction(_ s: Signal) -> Signal {
      let coarse = gated.map { direct(s) + $0(s) } ?? direct(s)
      return Clip(0...1)(refinement(coarse))
    }
  }

  /// `alpha sum over e of S(gate_e) d_e a_eᴴ`, the terms from short codes and the gates from the codeword.
  struct GatedRanks: Layer {
    let codes, gates: Dense
    let expansion: RankExpansion
    let sum: OuterProductSum
    let alpha: ReZero

    init(_ image: Shape, length: Int, _ sizes: Sizes.Gated) {
      codes = smallDense(length, sizes.ranks * sizes.codeSize)
      gates = Dense(
        length, sizes.ranks, initialization: .constant(0),
        biasInitialization: .constant(sizes.gateBias))
      expansion = RankExpansion(image, ranks: sizes.ranks, size: sizes.codeSize)
      sum = OuterProductSum(image)
      alpha = ReZero(initial: sizes.alpha)
    }

    var children: [Child] { [("code_proj", codes), ("rank_gate", gates)] }
    var parameters: [(key: String, parameter: NetworkParameter)] {
      expansion.parameters + [("alpha", alpha.factor)]
    }

    func callAsFunction(_ s: Signal) -> Signal {
      let words = codes(s).reshaped(Shape(1, expansion.ranks, expansion.size))
      return sum(expansion(words, gates: alpha(Pointwise.sigmoid(gates(s)))))
    }
  }
}

/// `GELU` and a dense layer behind measurements.
struct MeasuredCodeword: Layer {
  let measurement: BilinearMeasurement
  let mix: Dense

  init(_ measurement: BilinearMeasurement, length: Int) {
    self.measurement = measurement
    mix = Dense(
      2 * measurement.count, length,
      initialization: .biasUniform(fanIn: 2 * measurement.count))
  }

  var children: [Child] { [("mix", mix)] }
  var parameters: [(key: String, parameter: NetworkParameter)] { measurement.parameters }
  var summary: String { measurement.summary }

  func callAsFunction(_ x: Signal) -> Signal { mix(GELU()(measurement(x))) }
}

/// A map in [0, 1] from a sum of rank-one terms that a dense layer writes.
struct DirectRanks: Layer {
  let dense: Dense
  let sum: OuterProductSum
  let range = TanhRange(2)
  let ranks: Int

  init(_ image: Shape, length: Int, ranks: Int) {
    sum = OuterProductSum(image)
    self.ranks = ranks
    dense = Dense(
      length, ranks * sum.pitch, initialization: .biasUniform(fanIn: length))
  }

  var children: [Child] { [("proj", dense)] }
  var parameters: [(key: String, parameter: NetworkParameter)] { range.parameters }

  func callAsFunction(_ s: Signal) -> Signal {
    range(sum(dense(s).reshaped(Shape(1, ranks, sum.pitch))))
  }
}
