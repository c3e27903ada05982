import Foundation
import LinkMath

/// Along which axes of the space of principal components the reals of a codeword lie at the start of a training.
public enum CodewordAxes: Sendable {
  /// The components themselves, by falling variance.
  case components
  /// A random rotation of them, drawn from a seed, after which all reals have nearly one variance, scaled to 1 (1/4 before a
  /// hyperbolic tangent, which is a sigmoid of twice its argument): for quantisers that have the same cells for all reals, and for encoders
  /// that end in a saturating function.
  ///
  /// Quantisation noise is then spread over all components alike, which costs what a quantiser without allocation of bits costs
  /// (the geometric mean of the variances becomes their arithmetic one), but leaves no real in a single cell.
  case rotated(seed: UInt64)
}

/// The dense layers at the codeword of a start from principal components.
struct CodewordBasis {
  /// Unit axes as rows `[real, value of the image]`, and the rows of an image from reals; the same but for binary weights.
  private let axes, estimate: [[Double]]
  /// The encoder's weights are the axes times this.
  private let encoderScale: Float
  /// The decoder's weights are the rows times this.
  private let decoderScale: Float
  /// What a real is in the mean.
  private let middle: Float
  /// α of the encoder's weights, if they are binary.
  private let signScale: Float?
  /// Whether a function follows that reals have to make use of: binary weights are then as large as they may be.
  private let isBounded: Bool
  /// Variances of the values of an image that is made from a codeword.
  let kept: [Double]

  /// The encoder's weight from a value to a real.
  func encoderWeight(_ real: Int, _ value: Int) -> Float {
    let weight = encoderScale * Float(axes[real][value])
    return signScale == nil ? weight : Self.shadow(weight, isBounded: isBounded)
  }

  /// What a binary layer keeps of a weight.
  private static func shadow(_ weight: Float, isBounded: Bool) -> Float {
    isBounded ? (weight < 0 ? -1 : 1) : min(max(weight, -1), 1)
  }

  /// The encoder's bias with which a real of the image at its middle is zero.
  func encoderBias(_ real: Int) -> Float {
    guard let signScale else { return -0.5 * encoderScale * Float(axes[real].reduce(0, +)) }
    return -0.5 * signScale * axes[real].reduce(0) { $0 + ($1 < 0 ? -1 : 1) }
  }

  /// The decoder's weight from a real to a value.
  func decoderWeight(_ real: Int, _ value: Int) -> Float {
    decoderScale * Float(estimate[real][value])
  }

  /// What the reals' middle adds to a value.
  func decoderOffset(_ value: Int) -> Float {
    guard middle != 0 else { return 0 }
    return middle * decoderScale * Float(estimate.reduce(0) { $0 + $1[value] })
  }

  /// - Parameters:
  ///   - moment: the second moment, row-major, of which the lower triangle is read.
  ///   - values: eigenvalues of the second moment, descending.
  ///   - vectors: unit eigenvectors as rows.
  ///   - gain: what the image is multiplied by behind the decoder's dense layer.
  ///   - function: what the encoder ends in; nil for nothing.
  ///   - isBinary: whether the encoder multiplies by `α sign(W)`.
  /// - Complexity: O(M² n) for rotated axes of M reals and images of n values, O(M n²) for binary weights.
  init(
    _ choice: CodewordAxes, moment: [Double], values: [Double], vectors: [[Double]], gain: Float,
    function: Pointwise?, isBinary: Bool
  ) throws {
    let axes: [[Double]]
    let encoderScale: Float
    var estimate: [[Double]]
    var decoderScale: Float
    var undone: (slope: Float, middle: Float) = (1, 0)
    switch choice {
    case .components:
      (axes, estimate) = (vectors, vectors)
      // The weights of both layers are of one size.
      (encoderScale, decoderScale) = (gain.squareRoot(), gain.squareRoot())
    case .rotated(let seed):
      axes = try Self.rotated(vectors, seed)
      estimate = axes
      let variance = values.reduce(0, { $0 + max($1, 0) }) / Double(values.count)
      let deviation = variance > 0 ? Float(variance.squareRoot()) : 1
      let unit: Float = if case .tanh = function { 0.5 } else { 1 }
      if let function { undone = Self.estimate(behind: function, scale: unit) }
      encoderScale = unit / deviation
      decoderScale = gain * deviation * undone.slope
    }
    if isBinary {
      let weights = axes.map { axis in
        axis.map { Self.shadow(encoderScale * Float($0), isBounded: function != nil) }
      }
      let signs = try SignEstimator(weights, moment: moment)
      if let function { undone = Self.estimate(behind: function, scale: signs.deviation) }
      estimate = signs.estimate
      decoderScale = gain * undone.slope * (function == nil ? 1 : signs.deviation)
      (signScale, kept) = (signs.scale, signs.kept)
    } else {
      signScale = nil
      var kept = [Double](repeating: 0, count: vectors[0].count)
      for (value, vector) in zip(values, vectors) {
        for i in kept.indices { kept[i] += value * vector[i] * vector[i] }
      }
      self.kept = kept
    }
    isBounded = function != nil
    (self.axes, self.estimate, self.middle) = (axes, estimate, undone.middle)
    (self.encoderScale, self.decoderScale) = (encoderScale, decoderScale)
  }
}

extension CodewordBasis {
  /// Axes whose components in the space of the vectors are eigenvectors of a random symmetric matrix.
  private static func rotated(_ vectors: [[Double]], _ seed: UInt64) throws -> [[Double]] {
    let count = vectors.count
    var stream = StreamKey(
      seed: seed, domain: .initialisation, purpose: .rotation
    ).stream(drop: 0)
    let rotation = try Eigen.symmetric(
      stream.normal(count: count * count).map(Double.init), order: count, largest: count
    ).vectors
    return rotation.map { shares in
      var axis = [Double](repeating: 0, count: vectors[0].count)
      for (share, vector) in zip(shares, vectors) {
        for i in axis.indices { axis[i] += share * vector[i] }
      }
      return axis
    }
  }

  /// The best linear estimate `slope (f(c z) - middle)` of a standard normal z: `E[z f(c z)] / Var f(c z)` and `E[f(c z)]`.
  private static func estimate(behind function: Pointwise, scale: Float) -> (
    slope: Float, middle: Float
  ) {
    var (total, mean, square, product) = (0.0, 0.0, 0.0, 0.0)
    for step in -512...512 {
      let z = Double(step) / 64
      let (weight, value) = (exp(-z * z / 2), function(Double(scale) * z))
      total += weight
      mean += weight * value
      square += weight * value * value
      product += weight * value * z
    }
    mean /= total
    return (Float(product / total / (square / total - mean * mean)), Float(mean))
  }
}

extension Pointwise {
  fileprivate func callAsFunction(_ x: Double) -> Double {
    switch self {
    case .sigmoid: 1 / (1 + Foundation.exp(-x))
    case .hardSigmoid: min(max((x + 3) / 6, 0), 1)
    case .tanh: Foundation.tanh(x)
    }
  }
}
