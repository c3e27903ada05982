import LinkMath

/// Initial values with which an autoencoder does what principal components do.
///
/// The codeword gets the largest eigenvectors V of the second moment of `x - 0.5`, x an image in [0, 1]:
/// `s = a Vᵀ (x - 0.5)` and `y = g V s / a`, with g the inverse slope of the function at the output and `a = sqrt(g)`, so that
/// the weights of both layers are of one size; or a rotation of them (``CodewordAxes``). A training goes on from there with what is not linear.
///
/// An encoder with binary weights has the signs of V, which mix all components; the decoder then has the best linear estimate from
/// what they give in place of V (`SignEstimator`). How a network holds them is that of `PathStart`, for dense layers at the codeword, or of
/// `RankStart`, for sums of rank-one terms.
///
/// An autoencoder of linear layers has the principal components as its optimum (P. Baldi, K. Hornik, Neural Networks and Principal
/// Component Analysis: Learning from Examples Without Local Minima, 1989), but gradients reach components of small variance last.
public struct PrincipalStart: Sendable {
  private let start: any ComponentStart

  /// Eigenvectors that are needed, M at most.
  public let componentCount: Int

  /// A start of a network.
  ///
  /// - Parameters:
  ///   - autoencoder: the network.
  ///   - axes: what the reals of its codeword are.
  /// - Throws: ``NetworkError/noPrincipalStart(_:reason:)`` for a network that has no place for components, or whose other
  ///   layers cannot hand an image on.
  public init(
    _ autoencoder: Autoencoder, axes: CodewordAxes = .components
  ) throws(NetworkError) {
    start =
      if let ranks = try RankStart(autoencoder, axes: axes) { ranks } else {
        try PathStart(autoencoder, axes: axes)
      }
    componentCount = autoencoder.codewordLength
  }

  /// The drawn weights with the values of the start in their places.
  ///
  /// - Parameters:
  ///   - drawn: initial values of all parameters.
  ///   - moment: second moment of `x - 0.5`, row-major `[value, value]`, of which the lower triangle is read.
  ///   - samples: some of the images, `[sample, component, angle, delay]`, whose statistics a branch that undoes a slope is given.
  ///   - pool: divides their way through the network; the result does not depend on it.
  /// - Throws: errors of the eigenvectors' computation.
  /// - Complexity: that of the eigenvectors, 4/3 n³ for n values of an image.
  public func weights(
    _ drawn: Weights, moment: [Double], samples: [Float], pool: WorkerPool
  ) throws -> Weights {
    try start.weights(drawn, moment: moment, samples: samples, pool: pool)
  }
}

/// How one kind of network holds principal components; as ``PrincipalStart/weights(_:moment:samples:pool:)``.
protocol ComponentStart: Sendable {
  func weights(
    _ drawn: Weights, moment: [Double], samples: [Float], pool: WorkerPool
  ) throws -> Weights
}
