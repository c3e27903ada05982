import LinkMath

/// Initial values with which an autoencoder between two dense layers does what principal components do (``PrincipalStart``): those layers have
/// them, and all others hand the image on.
///
/// Kernels have a one in their middle, batch normalisations have the image's own mean and deviation as shift and scale, learned slopes
/// are 1, gates are half open, and residual branches keep their drawn values behind a small scale. Where leaky slopes stand on the
/// decoder's way, the image passes them raised above zero, and is lowered by the last layer that can; a slope behind that one is
/// undone by the branch before it (`SlopeInverse`).
struct PathStart: ComponentStart {
  private let autoencoder: Autoencoder
  private let image: Shape
  private let encoder, decoder: ImagePath
  private let axes: CodewordAxes

  /// Scale of what residual branches add, as a share of the image's deviation.
  static let quiet: Float = 0.01

  /// A start of a network.
  ///
  /// - Parameters:
  ///   - autoencoder: the network.
  ///   - axes: what the reals of its codeword are.
  /// - Throws: ``NetworkError/noPrincipalStart(_:reason:)`` for a network without dense layers at the codeword, or whose other
  ///   layers cannot hand an image on.
  init(_ autoencoder: Autoencoder, axes: CodewordAxes) throws(NetworkError) {
    (self.autoencoder, self.axes) = (autoencoder, axes)
    let image = autoencoder.encoder.graph.inputShapes[0]
    self.image = image
    func path(_ side: WeightsFile.Side) throws(NetworkError) -> ImagePath {
      do {
        return try ImagePath(side.network(of: autoencoder), side, image: image)
      } catch {
        throw .noPrincipalStart(
          autoencoder.name, reason: "at its \(side.rawValue): \(error.reason)")
      }
    }
    encoder = try path(.encoder)
    decoder = try path(.decoder)
    for (side, path) in [(WeightsFile.Side.encoder, encoder), (.decoder, decoder)] {
      let graph = side.network(of: autoencoder).graph
      guard path.branches.allSatisfy({ graph.canHush($0.end) }) else {
        throw .noPrincipalStart(
          autoencoder.name,
          reason:
            "at its \(side.rawValue): a residual branch ends in nothing that could make it small")
      }
    }
    if encoder.output != nil, case .components = axes {
      throw .noPrincipalStart(
        autoencoder.name,
        reason:
          "at its encoder: components of very different variance do not fit the function that ends it"
      )
    }
    if encoder.dense.precision == .binary,
      encoder.components[encoder.nodes.last!]!.count != image.channels
    {
      throw .noPrincipalStart(
        autoencoder.name, reason: "at its encoder: binary weights read a part of the image twice")
    }
    if let output = decoder.output, output == .tanh {
      throw .noPrincipalStart(autoencoder.name, reason: "its images are not centred at 0.5")
    }
  }

  /// The inverse slope at 0.5 of the function at the output, and the image's middle before it.
  private var output: (gain: Float, middle: Float) {
    switch decoder.output {
    case .sigmoid: (4, 0)
    case .hardSigmoid: (6, 0)
    default: (1, 0.5)
    }
  }

  func weights(
    _ drawn: Weights, moment: [Double], samples: [Float], pool: WorkerPool
  ) throws -> Weights {
    let size = image.count
    let (values, vectors) = try Eigen.symmetric(
      moment, order: size, largest: autoencoder.codewordLength)
    let variances = (0..<size).map { Float(moment[$0 * size + $0]) }
    var start = StartValues(drawn, autoencoder)
    let (gain, middle) = output
    let basis = try CodewordBasis(
      axes, moment: moment, values: values, vectors: vectors, gain: gain,
      function: encoder.output, isBinary: encoder.dense.precision == .binary)
    setEncoder(basis, PlaneStatistics(image, variances, middle: 0.5), &start)
    let raised = raise(gain)
    setDecoder(
      basis, PlaneStatistics(image, basis.kept.map { gain * gain * Float($0) }, middle: middle),
      raised, &start)
    if let inverse = inverse(raised) {
      let codewords = try InferencePlan(autoencoder.encoder, weights: start.weights)
        .run([samples], count: samples.count / image.count, pool: pool)[0]
      try inverse.settle(&start, autoencoder.decoder, codewords, pool)
    }
    return start.weights
  }

  // MARK: - Encoder

  private func setEncoder(
    _ basis: CodewordBasis, _ statistics: PlaneStatistics, _ start: inout StartValues
  ) {
    let graph = autoencoder.encoder.graph
    for index in encoder.nodes { start.pass(graph, index, encoder, statistics, shift: 0) }
    for gate in encoder.gates { start.shut(graph, gate) }
    for branch in encoder.branches {
      start.hush(graph, branch.end, Self.quiet * statistics.deviation)
    }
    // The first channel of each component is read.
    let components = encoder.components[encoder.nodes.last!]!
    let plane = image.height * image.width
    let first = (0..<image.channels).map { components.firstIndex(of: $0)! }
    start.setDense(encoder.dense) { output, input in
      let channel = input / plane
      guard first[components[channel]] == channel else { return 0 }
      return basis.encoderWeight(output, components[channel] * plane + input % plane)
    }
    start.setBias(encoder.dense) { basis.encoderBias($0) }
  }

  // MARK: - Decoder

  /// By how much the image is raised, and where it is lowered again; nil if no slopes are in its way or nothing behind them
  /// could lower it.
  private func raise(_ gain: Float) -> (by: Float, until: Int)? {
    let graph = autoencoder.decoder.graph
    let leaky = decoder.nodes.first {
      if case .leakyReLU = graph.nodes[$0].operation { true } else { false }
    }
    guard let leaky else { return nil }
    let onWay = decoder.nodes.filter { node in
      switch graph.nodes[node].operation {
      case .normalization: true
      case .convolution(let layer): layer.bias != nil && !isNormalised(node)
      default: false
      }
    }
    let beside = decoder.branches.filter {
      graph.normalization(at: $0.end) != nil || graph.scaledConvolution(at: $0.end) != nil
    }.map(\.sum)
    let height = 1.25 * gain / 2
    let undoing = decoder.branches.map(\.sum).filter { inverse((height, $0)) != nil }
    return ((onWay + beside).filter { $0 > leaky }.max() ?? undoing.max()).map { (height, $0) }
  }

  /// The branch that lowers the image, if slopes behind it have to be undone and it has the layers for that.
  private func inverse(_ raised: (by: Float, until: Int)?) -> SlopeInverse? {
    let graph = autoencoder.decoder.graph
    guard let raised, let branch = decoder.branches.first(where: { $0.sum == raised.until })
    else { return nil }
    let slopes = decoder.nodes.compactMap { node -> Float? in
      guard node > raised.until, case .leakyReLU(let layer) = graph.nodes[node].operation
      else { return nil }
      return layer.slope
    }
    guard !slopes.isEmpty else { return nil }
    return SlopeInverse(graph, branch, slope: slopes.reduce(1, *), height: raised.by)
  }

  private func isNormalised(_ node: Int) -> Bool {
    autoencoder.decoder.graph.nodes.contains {
      if case .normalization = $0.operation { $0.inputs[0] == node } else { false }
    }
  }

  private func setDecoder(
    _ basis: CodewordBasis, _ statistics: PlaneStatistics,
    _ raised: (by: Float, until: Int)?, _ start: inout StartValues
  ) {
    let graph = autoencoder.decoder.graph
    func height(before node: Int) -> Float { raised.map { node <= $0.until ? $0.by : 0 } ?? 0 }
    for index in decoder.nodes {
      let isLast = raised?.until == index
      start.pass(
        graph, index, decoder, statistics.raised(by: height(before: index)),
        shift: isLast ? -raised!.by : 0)
      if case .prelu(let slope) = graph.nodes[index].operation { start.fill(slope, 1) }
    }
    for gate in decoder.gates { start.shut(graph, gate) }
    let inverse = inverse(raised)
    for branch in decoder.branches {
      let gain = Self.quiet * statistics.deviation
      let lowers = raised?.until == branch.sum
      if lowers, let inverse {
        inverse.install(&start, quiet: gain)
        continue
      }
      start.hush(graph, branch.end, gain)
      guard lowers, let raised else { continue }
      if let layer = graph.normalization(at: branch.end) {
        start.fill(layer.beta, -raised.by)
      } else if let (factor, layer) = graph.scaledConvolution(at: branch.end) {
        start.fill(factor, 1)
        start.scale(layer.weight, by: gain)
        start.fill(layer.bias!, -raised.by)
      }
    }
    let middle = statistics.middle + (raised?.by ?? 0)
    start.setDense(decoder.dense) { output, input in basis.decoderWeight(input, output) }
    start.setBias(decoder.dense) { output in middle - basis.decoderOffset(output) }
  }
}
