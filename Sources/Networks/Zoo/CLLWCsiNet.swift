import Parts

/// CLLWCsiNet, a fully convolutional autoencoder with a denoising branch for noisy codewords.
public enum CLLWCsiNet: NetworkFamily {
  /// Which codeword the reconstruction branch of the decoder sees.
  public enum NoiseWiring: String, Choice {
    /// Both branches get the received codeword: what a real receiver can do.
    case both
    /// The reconstruction branch gets the codeword before the noise, as in the released code; the decoder
    /// then has two inputs, received and clean.
    case denoiserOnly = "denoiser_only"
    /// There is no denoising branch: for weights that were trained without noise.
    case withoutDenoiser = "none"
  }

  /// Which activations the denoising branch has.
  public enum DenoiserActivations: String, Choice {
    /// Those that a duplicated layer name left of the released code.
    case released
    /// All that the reconstruction branch has.
    case full
  }

  static let wiring = Parameter<NoiseWiring>.choice(
    "noise_wiring", default: .both,
    "Whether both branches of the decoder get the received codeword, or the denoiser only, as in the released code; or none: no denoiser, for weights trained without noise."
  )
  static let activations = Parameter<DenoiserActivations>.choice(
    "denoiser_activations", default: .released,
    "Activations of the denoising branch: those of the released code, or all of the reconstruction branch."
  )

  public static let schema = PartSchema(
    .codec, "cllwcsinet",
    "CLLWCsiNet: fully convolutional, with a denoising branch for noisy codewords.",
    parameters: [wiring.declaration, activations.declaration])

  public static let shortForms: [(name: String, settings: [String: Setting])] = [
    ("cllwcsinet-clean", ["noise_wiring": .text("denoiser_only")])
  ]

  public static let images = "2 · angles with a divisor from 4 to 16, which the ratio is"

  public static func compressions(_ settings: Settings, image: Shape) throws(NetworkError) -> [Int]
  {
    image.latentRatios(upTo: 16)
  }

  public static func autoencoder(_ settings: Settings, image: Shape, compression: Int)
    throws(NetworkError) -> Autoencoder
  {
    let encoder = Network("CLLWCsiNet encoder", Encoder(image, compression), input: image)
    let hasDenoiser = settings[wiring] != .withoutDenoiser
    let decoder = Decoder(
      image, compression, settings[activations], hasDenoiser: hasDenoiser)
    let codeword = encoder.graph.outputShapes[0]
    let inputs = settings[wiring] == .denoiserOnly ? [codeword, codeword] : [codeword]
    return Autoencoder(
      name: "CLLWCsiNet", compression: compression, encoder: encoder,
      decoder: Network("CLLWCsiNet decoder", decoder, inputs: inputs) {
        [decoder(received: $0[0], clean: $0.last!)]
      })
  }

  static func unit(_ inputs: Int, _ outputs: Int, _ height: Int, _ width: Int) -> ConvBN {
    ConvBN(
      inputs, outputs, KernelSize(height, width), bias: true,
      norm: .init(epsilon: 1e-3, momentum: 0.01))
  }

  /// Three branches of 1×k and k×1 kernels, then the latent convolutions along the delay.
  struct Encoder: Layer {
    let paths: [(across: ConvBN, along: ConvBN)]
    let merge = CLLWCsiNet.unit(6, 2, 1, 7)
    let latent: Shape
    let a1, a2: ConvBN
    let a3: ConvBN?
    let b: ConvBN
    let c: ConvBN

    init(_ image: Shape, _ compression: Int) {
      latent = image.latent
      let channels = latent.channels
      let width = channels / compression
      paths = [7, 5, 3].map { (CLLWCsiNet.unit(2, 2, 1, $0), CLLWCsiNet.unit(2, 2, $0, 1)) }
      a1 = CLLWCsiNet.unit(channels, channels / 2, 1, 7)
      a2 = CLLWCsiNet.unit(channels / 2, channels / 4, 1, 7)
      a3 = compression == 4 ? nil : CLLWCsiNet.unit(channels / 4, width, 1, 7)
      b = CLLWCsiNet.unit(channels, width, 1, 7)
      c = CLLWCsiNet.unit(2 * width, width, 1, 7)
    }

    var children: [Child] {
      var all: [Child] = []
      for (index, path) in paths.enumerated() {
        all += [("enc.p\(index + 1)a", path.across), ("enc.p\(index + 1)b", path.along)]
      }
      all += [("enc.merge", merge), ("lat.a1", a1), ("lat.a2", a2)]
      if let a3 { all.append(("lat.a3", a3)) }
      return all + [("lat.b", b), ("lat.c", c)]
    }

    func callAsFunction(_ x: Signal) -> Signal {
      let activation = LeakyReLU()
      var branches = paths.map { $0.along(activation($0.across(x))) }
      if a3 == nil { branches[0] = activation(branches[0]) }
      let map = activation(merge(concatenate(branches[0], branches[1], branches[2])))
      let view = map.reshaped(latent)
      // At 1/4 this path is activated here and again after the concatenation.
      var deep = activation(a2(activation(a1(view))))
      if let a3 { deep = a3(deep) }
      return activation(c(activation(concatenate(deep, b(view)))))
    }
  }

  /// Convolutions from the codeword's channels to all; `activations[i]` says whether one follows convolution i.
  struct Branch: Layer {
    let convolutions: [ConvBN]
    let activations: [Bool]

    var children: [Child] { [] }

    func callAsFunction(_ x: Signal) -> Signal {
      zip(convolutions, activations).reduce(x) { y, step in
        step.1 ? LeakyReLU()(step.0(y)) : step.0(y)
      }
    }
  }

  /// L(D(received) - N(received)), two refinement blocks, 1×7 convolution and sigmoid; without the denoiser L(D(received)).
  struct Decoder: Module {
    let image: Shape
    let reconstruction: Branch
    let denoiser: Branch?
    let refine = [RefineBlock(), RefineBlock()]
    let output = CLLWCsiNet.unit(2, 2, 1, 7)

    init(
      _ image: Shape, _ compression: Int, _ activations: DenoiserActivations, hasDenoiser: Bool
    ) {
      self.image = image
      let channels = image.latent.channels
      let width = channels / compression
      let widths = [width, 2 * width, 4 * width].filter { $0 < channels } + [channels]
      func branch(_ activations: [Bool]) -> Branch {
        Branch(
          convolutions: zip(widths, widths.dropFirst()).map { CLLWCsiNet.unit($0, $1, 1, 7) },
          activations: activations)
      }
      let count = widths.count - 1
      // At 1/4 the end is activated here and again behind the difference; once if no noise is taken off.
      let own = count == 2 ? [true, hasDenoiser] : [true, true, false]
      reconstruction = branch(own)
      denoiser =
        hasDenoiser ? branch(activations == .full ? own : (0..<count).map { $0 == 0 }) : nil
    }

    var children: [Child] {
      func keyed(_ prefix: String, _ branch: Branch) -> [Child] {
        branch.convolutions.enumerated().map { ("\(prefix)\($0.offset + 1)", $0.element) }
      }
      return keyed("dec.u", reconstruction) + (denoiser.map { keyed("den.d", $0) } ?? [])
        + refine.enumerated().map { ("ref\($0.offset)", $0.element) } + [("out", output)]
    }

    func callAsFunction(received: Signal, clean: Signal) -> Signal {
      let clear = reconstruction(clean)
      let sum = LeakyReLU()(denoiser.map { clear - $0(received) } ?? clear)
      let refined = refine.reduce(sum.reshaped(image)) { $1($0) }
      return Pointwise.sigmoid(output(refined))
    }
  }

  /// Two paths of 1×7 and 1×5 kernels, merged and added to the input.
  struct RefineBlock: Layer {
    let wide = [(2, 8), (8, 16), (16, 2)].map { CLLWCsiNet.unit($0.0, $0.1, 1, 7) }
    let narrow = [(2, 8), (8, 16), (16, 2)].map { CLLWCsiNet.unit($0.0, $0.1, 1, 5) }
    let merge = CLLWCsiNet.unit(4, 2, 1, 7)

    var children: [Child] {
      wide.enumerated().map { ("a\($0.offset + 1)", $0.element) }
        + narrow.enumerated().map { ("b\($0.offset + 1)", $0.element) } + [("merge", merge)]
    }

    func callAsFunction(_ y: Signal) -> Signal {
      let activation = LeakyReLU.shared()
      func path(_ units: [ConvBN]) -> Signal {
        units[2](LeakyReLU()(units[1](LeakyReLU()(units[0](y)))))
      }
      return activation(y + merge(activation(concatenate(path(wide), path(narrow)))))
    }
  }
}
