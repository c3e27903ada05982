/// DNNet, the fully connected denoiser of a received codeword: H. Ye, F. Gao, J. Qian, H. Wang, G. Y. Li, Deep Learning-Based
/// Denoise Network for CSI Feedback in FDD Massive MIMO Systems, IEEE Commun. Lett. 24 (2020) 1742.
///
/// `s_hat = s~ - g(s~)`, g being dense layers with a sigmoid after each hidden one.
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
