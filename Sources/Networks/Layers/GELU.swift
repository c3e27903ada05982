import Foundation

/// `x Φ(x) = x / 2 (1 + erf(x / sqrt 2))`, D. Hendrycks, K. Gimpel, Gaussian Error Linear Units, 2016, arXiv:1606.08415.
public struct GELU: Layer, CustomOperation {
  /// The exact form, not that by tanh.
  public init() {}

  public var summary: String { "GELU" }

  public func callAsFunction(_ x: Signal) -> Signal { x.applying(self) }

  public func outputShape(_ inputs: [Shape]) -> Shape { inputs[0] }

  public func forward(_ sample: CustomSample, into output: UnsafeMutableBufferPointer<Float>) {
    let x = sample.inputs[0]
    for i in x.indices { output[i] = x[i] * Self.distribution(x[i]) }
  }

  /// `Φ(x) + x φ(x)`.
  public func backward(
    _ sample: CustomSample, gradient: UnsafeBufferPointer<Float>,
    inputs: [UnsafeMutableBufferPointer<Float>], parameters: [UnsafeMutableBufferPointer<Float>]
  ) {
    let x = sample.inputs[0]
    for i in x.indices {
      let density = exp(-x[i] * x[i] / 2) / (2 * Float.pi).squareRoot()
      inputs[0][i] = gradient[i] * (Self.distribution(x[i]) + x[i] * density)
    }
  }

  private static func distribution(_ x: Float) -> Float {
    (1 + erff(x / Float(2).squareRoot())) / 2
  }
}
