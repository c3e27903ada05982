import Parts

/// DNNet, the fully connected denoiser of a received codeword: H. Ye, F. Gao, J. Qian, H. Wang, G. Y. Li, Deep Learning-Based
/// Denoise Network for CSI Feedback in FDD Massive MIMO Systems, IEEE Commun. Lett. 24 (2020) 1742.
///
/// `s_hat = s~ - g(s~)`, g being dense layers with a sigmoid after each hidden one. As a family of autoencoders it stands
/// before the decoder of another network.
public struct DNNet: Module {
  let layers: [Dense]

  init(_ length: Int, hidden: [Int]) {
    let widths = [length] + hidden + [length]
    layers = zip(widths, widths.dropFirst()).map { Dense($0, $1) }
  }

  public var children: [Child] { layers.enumerated().map { ("layers.\($0.offset)", $0.element) } }

  /// The estimate g(s~) of the noise.
  func callAsFunction(_ received: Signal) -> Signal {
    layers.dropFirst().reduce(layers[0](received)) { $1(Pointwise.sigmoid($0)) }
  }

  /// A network with outputs `[denoised codeword, noise estimate]`.
  public static func network(codewordLength: Int, hidden: [Int] = [1024]) -> Network {
    let module = DNNet(codewordLength, hidden: hidden)
    return Network("DNNet", module, inputs: [.vector(codewordLength)]) {
      let noise = module($0[0])
      return [$0[0] - noise, noise]
    }
  }
}

extension DNNet: ComposedFamily {
  static let base = Parameter(
    "base", .text, default: "csinet",
    "The network whose decoder the denoiser stands before, settings and all.")
  static let hidden = Parameter<[Int]>(
    "hidden", .list(.integer(1...65_536), count: 1...16), default: [1024],
    "Widths of the denoiser's hidden layers.")

  public static let schema = PartSchema(
    .codec, "dnnet", "DNNet: a fully connected denoiser before the decoder of another network.",
    reference: "H. Ye et al., IEEE Commun. Lett. 24 (2020) 1742",
    parameters: [base.declaration, hidden.declaration])

  public static let images = "an image that its base can compress"

  public static func compressions(_ settings: Settings, image: Shape, in zoo: NetworkZoo)
    throws(NetworkError) -> [Int]
  {
    try zoo.variant(settings[base]).compressions(image: image)
  }

  public static func autoencoder(
    _ settings: Settings, image: Shape, compression: Int, in zoo: NetworkZoo
  ) throws(NetworkError) -> Autoencoder {
    let base = try NetworkChoice(
      settings[base], compression: compression, image: image, zoo: zoo
    ).autoencoder
    let denoiser = DNNet(base.codewordLength, hidden: settings[hidden])
    let root = DenoisedDecoder(denoiser: denoiser, decoder: base.decoder.root)
    let inputs = base.decoder.graph.inputShapes
    return Autoencoder(
      name: "DNNet + \(base.name)", compression: compression, encoder: base.encoder,
      decoder: Network("\(base.decoder.name) behind DNNet", root, inputs: inputs) { received in
        let codeword = received[0].flattened
        let denoised = (codeword - denoiser(codeword)).reshaped(inputs[0])
        return base.decoder.graph.applied(to: [denoised] + received.dropFirst())
      })
  }

  /// The denoiser's parameters are below `denoiser`, the others have the keys of the base.
  private struct DenoisedDecoder: Module {
    let denoiser: DNNet
    let decoder: any Module

    var children: [Child] { [("denoiser", denoiser)] + decoder.children }
    var parameters: [(key: String, parameter: NetworkParameter)] { decoder.parameters }
  }
}
