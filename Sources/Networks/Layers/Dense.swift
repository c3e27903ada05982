/// The product behind ``Dense`` and the packed projections of attention: rows of a weight matrix.
public struct DenseProduct: Sendable {
  let weight: NetworkParameter
  let bias: NetworkParameter?
  let inputs: Int
  let outputs: Int
  /// First row of the weight (and bias) used.
  let firstRow: Int
  /// The weight is stored `[input, output]`.
  let isTransposed: Bool
  /// What the product is computed with.
  var precision = WeightPrecision.real

  /// Whether the product has all rows of its weight.
  var ownsWeight: Bool { firstRow == 0 && weight.count == inputs * outputs }

  /// The line of the printed tree.
  var summary: String {
    switch precision {
    case .real: "Dense(\(inputs) → \(outputs))"
    case .binary: "BinaryDense(\(inputs) → \(outputs))"
    case .int8: "Int8Dense(\(inputs) → \(outputs))"
    case .dynamicInt8: "DynamicInt8Dense(\(inputs) → \(outputs))"
    }
  }
}

/// Fully connected layer on the last axis, `y = W x + b`; weight `[out, in]`, bias `[out]`.
public struct Dense: Layer {
  /// How the weight is stored.
  public enum Storage: Sendable {
    /// `[out, in]`.
    case plain
    /// `[out, in, 1]`, a convolution of width 1.
    case pointConvolution
    /// `[in, out, 1]`, a transposed convolution of width 1.
    case transposedPointConvolution
  }

  let product: DenseProduct

  /// Weights and biases are drawn by the usual rules unless told otherwise.
  public init(
    _ inputs: Int, _ outputs: Int, bias: Bool = true, storage: Storage = .plain,
    initialization: NetworkParameter.Initialization? = nil, zeroBias: Bool = false,
    biasInitialization: NetworkParameter.Initialization? = nil
  ) {
    let biasStart = biasInitialization ?? (zeroBias ? .constant(0) : .biasUniform(fanIn: inputs))
    let shape: [Int] =
      switch storage {
      case .plain: [outputs, inputs]
      case .pointConvolution: [outputs, inputs, 1]
      case .transposedPointConvolution: [inputs, outputs, 1]
      }
    let start = initialization ?? .xavierUniform(fanIn: inputs, fanOut: outputs)
    product = DenseProduct(
      weight: NetworkParameter(shape, start),
      bias: bias ? NetworkParameter([outputs], biasStart) : nil,
      inputs: inputs, outputs: outputs, firstRow: 0,
      isTransposed: storage == .transposedPointConvolution)
  }

  public var parameters: [(key: String, parameter: NetworkParameter)] {
    [("weight", product.weight)] + (product.bias.map { [("bias", $0)] } ?? [])
  }

  public var summary: String { product.summary }

  public func callAsFunction(_ x: Signal) -> Signal { product.applied(to: x) }
}

extension DenseProduct {
  func applied(to x: Signal) -> Signal {
    precondition(x.shape.width == inputs, "dense layer of \(inputs) inputs applied to \(x.shape)")
    return x.applying(.dense(self), shape: Shape(x.shape.channels, x.shape.height, outputs))
  }
}
