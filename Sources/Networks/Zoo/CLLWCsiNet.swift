/// CLLWCsiNet, a fully convolutional autoencoder with a denoising branch for noisy codewords.
public enum CLLWCsiNet {
  /// Which codeword the reconstruction branch of the decoder sees.
  public enum NoiseWiring: String, Sendable {
    /// Both branches get the received codeword: what a real receiver can do.
    case both
    /// The reconstruction branch gets the codeword before the noise, as in the released code; the decoder
    /// then has two inputs, received and clean.
    case denoiserOnly
  }

  /// - Parameters:
  ///   - compression: 4, 8 or 16; the codeword is `[64 / n, 1, 32]`.
  ///   - fullDenoiserActivations: restores the activations of the denoising branch that a duplicated layer
  ///     name removed from the released code.
  public static func autoencoder(
    compression: Int, wiring: NoiseWiring = .both, fullDenoiserActivations: Bool = false
  ) -> Autoencoder {
    precondition([4, 8, 16].contains(compression), "CLLWCsiNet is defined at 1/4, 1/8 and 1/16")
    let encoder = Network(
      "CLLWCsiNet encoder", Encoder(compression), input: CSIShape.map)
    let decoder = Decoder(compression, fullDenoiserActivations: fullDenoiserActivations)
    let codeword = encoder.graph.outputShapes[0]
    let inputs = wiring == .both ? [codeword] : [codeword, codeword]
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
    let a1 = CLLWCsiNet.unit(64, 32, 1, 7)
    let a2 = CLLWCsiNet.unit(32, 16, 1, 7)
    let a3: ConvBN?
    let b: ConvBN
    let c: ConvBN

    init(_ compression: Int) {
      let width = 64 / compression
      paths = [7, 5, 3].map { (CLLWCsiNet.unit(2, 2, 1, $0), CLLWCsiNet.unit(2, 2, $0, 1)) }
      a3 = compression == 4 ? nil : CLLWCsiNet.unit(16, width, 1, 7)
      b = CLLWCsiNet.unit(64, width, 1, 7)
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
      let view = map.reshaped(CSIShape.latent)
      // At 1/4 this path is activated here and again after the concatenation.
      var deep = activation(a2(activation(a1(view))))
      if let a3 { deep = a3(deep) }
      return activation(c(activation(concatenate(deep, b(view)))))
    }
  }

  /// Up-sampling convolutions; `activations[i]` says whether one follows convolution i.
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

  /// L(D(received) - N(received)), two refinement blocks, 1×7 convolution and sigmoid.
  struct Decoder: Module {
    let reconstruction: Branch
    let denoiser: Branch
    let refine = [RefineBlock(), RefineBlock()]
    let output = CLLWCsiNet.unit(2, 2, 1, 7)

    init(_ compression: Int, fullDenoiserActivations: Bool) {
      let widths = [4: [16, 32, 64], 8: [8, 16, 32, 64], 16: [4, 8, 16, 64]][compression]!
      func branch(_ activations: [Bool]) -> Branch {
        Branch(
          convolutions: zip(widths, widths.dropFirst()).map { CLLWCsiNet.unit($0, $1, 1, 7) },
          activations: activations)
      }
      let count = widths.count - 1
      let own = count == 2 ? [true, true] : [true, true, false]
      reconstruction = branch(own)
      denoiser = branch(
        fullDenoiserActivations ? own : (0..<count).map { $0 == 0 })
    }

    var children: [Child] {
      func keyed(_ prefix: String, _ branch: Branch) -> [Child] {
        branch.convolutions.enumerated().map { ("\(prefix)\($0.offset + 1)", $0.element) }
      }
      return keyed("dec.u", reconstruction) + keyed("den.d", denoiser)
        + refine.enumerated().map { ("ref\($0.offset)", $0.element) } + [("out", output)]
    }

    func callAsFunction(received: Signal, clean: Signal) -> Signal {
      let sum = LeakyReLU()(reconstruction(clean) - denoiser(received))
      let refined = refine.reduce(sum.reshaped(CSIShape.map)) { $1($0) }
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
