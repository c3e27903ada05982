import LinkMath

/// Initial values with which an autoencoder does what principal components do.
///
/// The dense layers at the codeword become the largest eigenvectors V of the second moment of `x - 0.5`, x an image in [0, 1]:
/// `s = a Vᵀ (x - 0.5)` and `y = g V s / a`, with g the inverse slope of the function at the output and `a = sqrt(g)`, so that
/// the weights of both layers are of one size. All other layers hand the image on: kernels have a one in their middle,
/// batch normalisations have the image's own mean and deviation as shift and scale, learned slopes are 1, and residual branches
/// keep their drawn values behind a small scale. Where leaky slopes stand on the decoder's way, the image passes them
/// raised above zero, and is lowered by the last layer that can. A training goes on from there with what is not linear.
///
/// An autoencoder of linear layers has the principal components as its optimum (P. Baldi, K. Hornik, Neural Networks and Principal
/// Component Analysis: Learning from Examples Without Local Minima, 1989), but gradients reach components of small variance last.
public struct PrincipalStart: Sendable {
  private let autoencoder: Autoencoder
  private let image: Shape
  private let encoder, decoder: ImagePath

  /// Scale of what residual branches add, as a share of the image's deviation.
  private static let quiet: Float = 0.01

  /// A start of a network.
  ///
  /// - Throws: ``NetworkError/noPrincipalStart(_:reason:)`` for a network without dense layers at the codeword, or whose other
  ///   layers cannot hand an image on.
  public init(_ autoencoder: Autoencoder) throws(NetworkError) {
    self.autoencoder = autoencoder
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
    if let output = decoder.output, output == .tanh {
      throw .noPrincipalStart(autoencoder.name, reason: "its images are not centred at 0.5")
    }
  }

  /// Eigenvectors that are needed, M.
  public var componentCount: Int { autoencoder.codewordLength }

  /// The inverse slope at 0.5 of the function at the output, and the image's middle before it.
  private var output: (gain: Float, middle: Float) {
    switch decoder.output {
    case .sigmoid: (4, 0)
    case .hardSigmoid: (6, 0)
    default: (1, 0.5)
    }
  }

  /// The drawn weights with the values of the start in their places.
  ///
  /// - Parameters:
  ///   - drawn: initial values of all parameters.
  ///   - moment: second moment of `x - 0.5`, row-major `[value, value]`, of which the lower triangle is read.
  /// - Throws: errors of the eigenvectors' computation.
  /// - Complexity: that of the eigenvectors, 4/3 n³ for n values of an image.
  public func weights(_ drawn: Weights, moment: [Double]) throws -> Weights {
    let size = image.count
    let (values, vectors) = try Eigen.symmetric(moment, order: size, largest: componentCount)
    let variances = (0..<size).map { Float(moment[$0 * size + $0]) }
    var kept = [Double](repeating: 0, count: size)
    for (value, vector) in zip(values, vectors) {
      for i in 0..<size { kept[i] += value * vector[i] * vector[i] }
    }
    var start = Values(drawn, autoencoder)
    let (gain, middle) = output
    let scale = gain.squareRoot()
    setEncoder(vectors, scale, PlaneStatistics(image, variances, middle: 0.5), &start)
    let raised = raise(gain)
    setDecoder(
      vectors, scale, PlaneStatistics(image, kept.map { gain * gain * Float($0) }, middle: middle),
      raised, &start)
    return start.weights
  }

  // MARK: - Encoder

  private func setEncoder(
    _ vectors: [[Double]], _ scale: Float, _ statistics: PlaneStatistics, _ start: inout Values
  ) {
    let graph = autoencoder.encoder.graph
    for index in encoder.nodes { start.pass(graph, index, encoder, statistics, shift: 0) }
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
      return scale * Float(vectors[output][components[channel] * plane + input % plane])
    }
    start.setBias(encoder.dense) { output in
      -0.5 * scale * Float(vectors[output].reduce(0, +))
    }
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
    let beside = decoder.branches.filter { graph.normalization(before: $0.end) != nil }.map(\.sum)
    guard let last = (onWay + beside).filter({ $0 > leaky }).max() else { return nil }
    return (1.25 * gain / 2, last)
  }

  private func isNormalised(_ node: Int) -> Bool {
    autoencoder.decoder.graph.nodes.contains {
      if case .normalization = $0.operation { $0.inputs[0] == node } else { false }
    }
  }

  private func setDecoder(
    _ vectors: [[Double]], _ scale: Float, _ statistics: PlaneStatistics,
    _ raised: (by: Float, until: Int)?, _ start: inout Values
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
    for branch in decoder.branches {
      start.hush(graph, branch.end, Self.quiet * statistics.deviation)
      if let raised, raised.until == branch.sum,
        let layer = graph.normalization(before: branch.end)
      {
        start.fill(layer.beta, -raised.by)
      }
    }
    let middle = statistics.middle + (raised?.by ?? 0)
    start.setDense(decoder.dense) { output, input in scale * Float(vectors[input][output]) }
    start.setBias(decoder.dense) { _ in middle }
  }
}

/// Means and variances of the values of an image, to be pooled as a normalisation does.
private struct PlaneStatistics {
  private let image: Shape
  private let variances: [Float]
  let middle: Float

  init(_ image: Shape, _ variances: [Float], middle: Float) {
    (self.image, self.variances, self.middle) = (image, variances, middle)
  }

  func raised(by height: Float) -> PlaneStatistics {
    PlaneStatistics(image, variances, middle: middle + height)
  }

  /// Root of the mean variance.
  var deviation: Float { (variances.reduce(0, +) / Float(variances.count)).squareRoot() }

  /// Variance of a component, `[2]`.
  func variance(component: Int) -> Float {
    let plane = image.height * image.width
    return variances[component * plane..<(component + 1) * plane].reduce(0, +) / Float(plane)
  }

  /// Variance of a column of all components.
  func variance(column: Int) -> Float {
    let values = stride(from: column, to: image.count, by: image.width).map { variances[$0] }
    return values.reduce(0, +) / Float(values.count)
  }
}

/// Weights in which single parameters are replaced.
private struct Values {
  private(set) var weights: Weights
  private let keys: [ObjectIdentifier: String]

  init(_ drawn: Weights, _ autoencoder: Autoencoder) {
    weights = drawn
    let parameters = autoencoder.encoder.parameters + autoencoder.decoder.parameters
    keys = Dictionary(
      parameters.map { (ObjectIdentifier($0.parameter), $0.key) }, uniquingKeysWith: { $1 })
  }

  mutating func set(_ parameter: NetworkParameter, _ values: [Float]) {
    weights[keys[ObjectIdentifier(parameter)]!] = values
  }

  mutating func fill(_ parameter: NetworkParameter, _ value: Float) {
    set(parameter, [Float](repeating: value, count: parameter.count))
  }

  private mutating func scale(_ parameter: NetworkParameter, by factor: Float) {
    let key = keys[ObjectIdentifier(parameter)]!
    weights[key] = weights[key]!.map { factor * $0 }
  }

  /// Makes a node of the path hand the image on.
  ///
  /// - Parameters:
  ///   - statistics: of the image there.
  ///   - shift: added to it by a node that can.
  mutating func pass(
    _ graph: Graph, _ index: Int, _ path: ImagePath, _ statistics: PlaneStatistics, shift: Float
  ) {
    switch graph.nodes[index].operation {
    case .convolution(let layer):
      let before = path.components[graph.nodes[index].inputs[0]] ?? [0, 1]
      set(layer.weight, kernels(layer, before, path.components[index]!))
      if let bias = layer.bias { fill(bias, shift) }
    case .normalization(let layer):
      let components = path.components[index]!
      let variances = (0..<layer.count).map {
        layer.settings.axis == .channel
          ? statistics.variance(component: components[$0]) : statistics.variance(column: $0)
      }
      set(layer.runningVariance, variances)
      fill(layer.runningMean, statistics.middle)
      set(layer.gamma, variances.map { ($0 + Float(layer.settings.epsilon)).squareRoot() })
      fill(layer.beta, statistics.middle + shift)
    default: break
    }
  }

  /// A one in the middle of the kernels of each output's component, shared between the channels that carry it.
  private func kernels(_ layer: Convolution, _ before: [Int], _ after: [Int]) -> [Float] {
    let (area, width) = (layer.kernel.area, layer.inputs / layer.groups)
    var values = [Float](repeating: 0, count: layer.weight.count)
    for output in 0..<layer.outputs {
      let carriers = layer.sources(of: output).enumerated().filter {
        before[$0.element] == after[output]
      }
      for carrier in carriers {
        values[(output * width + carrier.offset) * area + area / 2] = 1 / Float(carriers.count)
      }
    }
    return values
  }

  /// Makes what a branch adds small; what a factor of its own scales stays.
  mutating func hush(_ graph: Graph, _ end: Int, _ gain: Float) {
    if let layer = graph.normalization(before: end) {
      fill(layer.gamma, gain)
      fill(layer.beta, 0)
    } else if let layer = graph.convolution(before: end) {
      scale(layer.weight, by: gain)
      if let bias = layer.bias { fill(bias, 0) }
    }
  }

  mutating func setDense(_ layer: DenseProduct, _ value: (_ output: Int, _ input: Int) -> Float) {
    var values = [Float](repeating: 0, count: layer.weight.count)
    for output in 0..<layer.outputs {
      for input in 0..<layer.inputs {
        values[
          layer.isTransposed ? input * layer.outputs + output : output * layer.inputs + input] =
          value(output, input)
      }
    }
    set(layer.weight, values)
  }

  mutating func setBias(_ layer: DenseProduct, _ value: (_ output: Int) -> Float) {
    set(layer.bias!, (0..<layer.outputs).map(value))
  }
}

extension Graph {
  /// The normalisation whose values, through activations at most, a node has.
  fileprivate func normalization(before end: Int) -> BatchNorm? {
    if case .normalization(let layer) = nodes[behindActivations(end)].operation {
      layer
    } else {
      nil
    }
  }

  /// The convolution whose values, through activations at most, a node has.
  fileprivate func convolution(before end: Int) -> Convolution? {
    if case .convolution(let layer) = nodes[behindActivations(end)].operation { layer } else { nil }
  }

  /// Whether what a branch adds has a scale: of a normalisation, a convolution, or a factor of its own, which starts small.
  fileprivate func canHush(_ end: Int) -> Bool {
    switch nodes[behindActivations(end)].operation {
    case .normalization, .convolution, .scale: true
    default: false
    }
  }

  private func behindActivations(_ end: Int) -> Int {
    var node = end
    while true {
      switch nodes[node].operation {
      case .leakyReLU, .prelu, .reshape, .fakeQuantization: node = nodes[node].inputs[0]
      default: return node
      }
    }
  }
}
