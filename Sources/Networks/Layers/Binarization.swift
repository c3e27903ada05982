/// A dense layer with binary weights, `y = alpha sign(W) x + b`, `alpha = mean |W|`, sign(0) = 1, in place of a real one.
///
/// Training keeps real shadow weights W in [-1, 1]: the forward pass uses `alpha sign(W)`, and the gradient passes the sign straight
/// through, `dL/dW = dL/d(alpha sign(W)) · 1[|W| <= 1]` with alpha constant. A finished weights file has one bit a weight.
///
/// References: M. Courbariaux et al., Binarized Neural Networks, NIPS 2016; M. Rastegari et al., XNOR-Net, ECCV 2016; for CSI
/// feedback Z. Lu, J. Wang, J. Song, IEEE Wireless Commun. Lett. 10 (2021) 1305.
public struct BinaryDense: Layer {
  let product: DenseProduct

  /// The binary form of a dense layer, with the same parameters.
  ///
  /// - Precondition: the layer has the weight for itself.
  public init(_ product: DenseProduct) {
    precondition(product.ownsWeight, "a binary layer has one scale for a whole weight")
    var binary = product
    binary.precision = .binary
    self.product = binary
  }

  public var summary: String { product.summary }

  public func callAsFunction(_ x: Signal) -> Signal { product.applied(to: x) }
}

extension Autoencoder {
  /// The fully connected layers between image and codeword with binary weights (``BinaryDense``).
  ///
  /// - Parameter sides: whose layers are replaced.
  /// - Returns: nil if a side has no such layer.
  public func binarised(_ sides: SideChoice) -> Autoencoder? {
    let (image, codeword) = (encoder.graph.inputShapes[0].count, codewordLength)
    func binary(_ network: Network, _ inputs: Int, _ outputs: Int) -> Network? {
      var found = false
      let result = network.replacing { _, operation in
        guard case .dense(let product) = operation, product.ownsWeight,
          product.inputs == inputs, product.outputs == outputs
        else { return nil }
        found = true
        return BinaryDense(product)
      }
      return found ? result : nil
    }
    let sidesOfBoth = (
      sides.contains(.encoder) ? binary(encoder, image, codeword) : encoder,
      sides.contains(.decoder) ? binary(decoder, codeword, image) : decoder
    )
    guard let encoder = sidesOfBoth.0, let decoder = sidesOfBoth.1 else { return nil }
    return Autoencoder(name: name, compression: compression, encoder: encoder, decoder: decoder)
  }
}
