/// `x Φ(x) = x / 2 (1 + erf(x / sqrt 2))`, D. Hendrycks, K. Gimpel, Gaussian Error Linear Units, 2016, arXiv:1606.08415.
public struct GELU: Layer, CustomOperation {
  /// The exact form, not that by tanh.
  public init() {}

  public var summary: String { "GELU" }

  public func callAsFunction(_ x: Signal) -> Signal { x.applying(self) }

  public func outputShape(_ inputs: [Shape]) -> Shape { inputs[0] }

  public func forward(_ sample: CustomSample, into output: UnsafeMutableBufferPointer<Float>) {
    let x = sample.inputs[0]
    Kernels.best.table.gelu(x.baseAddress!, output.baseAddress!, x.count)
  }

  /// `Φ(x) + x φ(x)`.
  public func backward(
    _ sample: CustomSample, gradient: UnsafeBufferPointer<Float>,
    inputs: [UnsafeMutableBufferPointer<Float>], parameters: [UnsafeMutableBufferPointer<Float>]
  ) {
    let x = sample.inputs[0]
    Kernels.best.table.gelu_gradient(
      x.baseAddress!, gradient.baseAddress!, inputs[0].baseAddress!, x.count)
  }
}
