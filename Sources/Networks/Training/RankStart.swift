import LinkMath

/// Initial values with which ``DCRNetV2`` does what principal components do (``PrincipalStart``).
///
/// A sum of r rank-one terms `d aᴴ` is linear in the codeword if the a are constant: they become the largest r eigenvectors U over delays, and
/// the d what the components make of the image between them, `Z = H U`. Delays of most channels are few, so that little is lost.
///
/// The encoder standardises its codeword, which takes its mean and its size: three reals keep them. One is minus the sum of the components c,
/// two are ±B with B² far above `E ‖c‖²`, so that the mean is zero and the deviation nearly `sqrt(2 B² / M)`.
///
/// The hyperbolic tangent behind the ranks bends large values: they come as the κ-th part of the image's, and the branch of the refinement,
/// whose undilated path hands the image on, adds κ - 1 times that.
struct RankStart: ComponentStart {
  private let autoencoder: Autoencoder
  private let image: Shape
  /// Reals of the codeword, M.
  private let length: Int
  private let encoder: DCRNetV2.Encoder
  private let decoder: DCRNetV2.Decoder

  /// Reals beside the components: minus their sum, and ±B.
  private static let keeperCount = 3
  /// `B² / E ‖c‖²`.
  private static let constantShare: Float = 100
  /// κ.
  private static let headroom: Float = 6
  /// What components are multiplied by in the codeword.
  private static let scale: Float = 2

  /// - Returns: nil for networks of other kinds.
  init?(_ autoencoder: Autoencoder, axes: CodewordAxes) throws(NetworkError) {
    guard let encoder = autoencoder.encoder.root as? DCRNetV2.Encoder,
      let decoder = autoencoder.decoder.root as? DCRNetV2.Decoder
    else { return nil }
    (self.encoder, self.decoder) = (encoder, decoder)
    self.autoencoder = autoencoder
    image = autoencoder.encoder.graph.inputShapes[0]
    length = autoencoder.codewordLength
    guard case .components = axes else {
      throw .noPrincipalStart(
        autoencoder.name,
        reason: "at its encoder: reals that keep the codeword's size cannot be rotated")
    }
    guard length > Self.keeperCount else {
      throw .noPrincipalStart(
        autoencoder.name,
        reason: "at its encoder: a codeword of \(length) reals has no room for components")
    }
  }

  func weights(
    _ drawn: Weights, moment: [Double], samples: [Float], pool: WorkerPool
  ) throws -> Weights {
    let components = try RankComponents(
      image, moment, ranks: decoder.direct.ranks, count: length - Self.keeperCount)
    var start = StartValues(drawn, autoencoder)
    setEncoder(components, &start)
    setRanks(components, &start)
    setRefinement(components, &start)
    return start.weights
  }

  private func setEncoder(_ components: RankComponents, _ start: inout StartValues) {
    let (count, size) = (components.count, image.count)
    let rows = (0..<count).map { components.reading($0) }
    let sum = (0..<size).map { value in rows.reduce(Float(0)) { $0 - $1[value] } }
    let energy = components.energy
    let constant = (Self.constantShare * energy).squareRoot()
    let dense = encoder.dilated.dense.product
    let keepers = length - Self.keeperCount
    start.setDense(dense) { real, value in
      real < count ? rows[real][value] : real == keepers ? sum[value] : 0
    }
    start.setBias(dense) { real in
      switch real {
      case ..<count: -0.5 * rows[real].reduce(0, +)
      case keepers: -0.5 * sum.reduce(0, +)
      case keepers + 1: constant
      case keepers + 2: -constant
      default: 0
      }
    }
    // Of the components, of their sum, whose terms are uncorrelated, and of ±B.
    let deviation = ((2 + 2 * Self.constantShare) * energy / Float(length)).squareRoot()
    start.fill(encoder.dilated.gate.factor, Self.scale * deviation)
    let block = encoder.dilated.block
    start.fill(
      block.merge.normalization.gamma, PathStart.quiet * (energy / Float(size)).squareRoot())
    start.fill(block.merge.normalization.beta, 0)
    start.fill(block.last.slopes, 1)
    start.scale(encoder.measured.mix.product.weight, by: PathStart.quiet)
    start.scale(encoder.measured.mix.product.bias!, by: PathStart.quiet)
  }

  /// Terms beyond the delays have no d; their a are as drawn, so that they can be learned.
  private func setRanks(_ components: RankComponents, _ start: inout StartValues) {
    let (dense, range) = (decoder.direct.dense.product, decoder.direct.range)
    let (pitch, rows) = (decoder.direct.sum.pitch, 2 * image.height)
    let (weights, biases) = (start[dense.weight], start[dense.bias!])
    let factor = 2 / (Self.headroom * Self.scale)
    start.setDense(dense) { output, real in
      let (rank, place) = output.quotientAndRemainder(dividingBy: pitch)
      guard rank < components.ranks else {
        return place < rows ? 0 : weights[output * length + real]
      }
      guard place < rows, real < components.count else { return 0 }
      return factor * components.value(real, place, rank)
    }
    start.setBias(dense) { output in
      let (rank, place) = output.quotientAndRemainder(dividingBy: pitch)
      guard rank < components.ranks else { return place < rows ? 0 : biases[output] }
      let column = place - rows
      return (0..<image.width).contains(column) ? components.delays[rank][column] : 0
    }
    start.fill(range.scale, 1)
    start.fill(range.shift, 0)
    // Their terms are products of two codes.
    if let gated = decoder.gated {
      start.scale(gated.codes.product.weight, by: PathStart.quiet.squareRoot())
    }
  }

  private func setRefinement(_ components: RankComponents, _ start: inout StartValues) {
    let (block, channels) = (decoder.refinement, image.channels)
    let variances = (0..<channels).map { components.variance($0) }
    let layers = block.plain.layers.map(\.layer)
    for (place, layer) in layers.compactMap({ $0 as? ConvBN }).enumerated() {
      start.pass(layer.convolution, components: channels)
      // The first one makes the variance 1, the others find it so.
      start.pass(
        layer.normalization, mean: place == 0 ? 0.5 : 0,
        variances: place == 0
          ? variances.map { $0 / (Self.headroom * Self.headroom) }
          : variances.map { _ in 1 },
        deviations: variances.map { _ in 1 })
    }
    for prelu in layers.compactMap({ $0 as? PReLU }) { start.fill(prelu.slopes, 1) }
    // The undilated path comes last of those that are merged, the other one whispers.
    let merge = block.merge
    let drawn = start[merge.convolution.weight]
    start.set(
      merge.convolution.weight,
      drawn.indices.map { index in
        let (output, input) = index.quotientAndRemainder(dividingBy: merge.convolution.inputs)
        return input < channels
          ? PathStart.quiet * drawn[index] : input - channels == output ? 1 : 0
      })
    start.set(
      block.both.slopes,
      start[block.both.slopes].enumerated().map { $0.offset < channels ? $0.element : 1 })
    start.pass(
      merge.normalization, mean: 0, variances: variances.map { _ in 1 },
      deviations: variances.map { (1 - 1 / Self.headroom) * $0.squareRoot() })
    if let gate = block.gate { start.fill(gate.factor, 1) }
    start.fill(block.last.slopes, 1)
  }
}
