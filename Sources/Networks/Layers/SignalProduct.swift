import LinkMath

/// Matrix products of two values of a network, `C_k = A_k B_k`, as attention has them.
public struct SignalProduct: CustomOperation {
  let rows, columns, inner: Int
  /// First values of the matrices of each product.
  let first: [(a: Int, b: Int)]
  let shape: Shape

  /// - Parameters:
  ///   - rows: of A and C.
  ///   - inner: columns of A, rows of B.
  ///   - columns: of B and C.
  ///   - first: where the matrices of each product start in the inputs; matrices may be used several times.
  ///   - shape: of the output, the products one after another.
  public init(
    rows: Int, inner: Int, columns: Int, first: [(a: Int, b: Int)], shape: Shape
  ) {
    precondition(shape.count == first.count * rows * columns, "all products")
    (self.rows, self.inner, self.columns) = (rows, inner, columns)
    (self.first, self.shape) = (first, shape)
  }

  public var summary: String { "product of matrices" }
  public func outputShape(_ inputs: [Shape]) -> Shape { shape }
  public func costs(_ inputs: [Shape]) -> Costs {
    Costs(products: first.count * rows * columns * inner)
  }

  public func forward(_ sample: CustomSample, into output: UnsafeMutableBufferPointer<Float>) {
    let (a, b, c) = (
      sample.inputs[0].baseAddress!, sample.inputs[1].baseAddress!, output.baseAddress!
    )
    output.update(repeating: 0)
    for (number, first) in first.enumerated() {
      let target = c + number * rows * columns
      for row in 0..<rows {
        for k in 0..<inner {
          let (factor, source) = (a[first.a + row * inner + k], b + first.b + k * columns)
          let line = target + row * columns
          for column in 0..<columns { line[column] += factor * source[column] }
        }
      }
    }
  }

  /// `dA = dC Bᵀ`, `dB = Aᵀ dC`.
  public func backward(
    _ sample: CustomSample, gradient: UnsafeBufferPointer<Float>,
    inputs: [UnsafeMutableBufferPointer<Float>], parameters: [UnsafeMutableBufferPointer<Float>]
  ) {
    let (a, b) = (sample.inputs[0].baseAddress!, sample.inputs[1].baseAddress!)
    for input in inputs { input.update(repeating: 0) }
    for (number, first) in first.enumerated() {
      let dc = gradient.baseAddress! + number * rows * columns
      for row in 0..<rows {
        for k in 0..<inner {
          let (place, source) = (first.a + row * inner + k, first.b + k * columns)
          var sum: Float = 0
          for column in 0..<columns {
            let g = dc[row * columns + column]
            sum += g * b[source + column]
            inputs[1][source + column] += g * a[place]
          }
          inputs[0][place] += sum
        }
      }
    }
  }
}
