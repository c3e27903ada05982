import LinkMath

/// A residual branch that undoes the leaky slope behind its sum.
///
/// The image arrives as `y = u + c`, raised above zero by c. The sum with the branch has to be `u` for u > 0 and `u / s` below, so that
/// the slope s behind it leaves `u`. With the function L of the branch's first activation, of slope k, that is
/// `α L(-u) + β u`, `α = (1 - 1/s) / (1 - k)`, `β = 1 + α k`. Two channels of the branch for each component carry `L(-u)` and `y` to its last convolution,
/// raised above the slopes on their way, the others are drawn and whisper. Normalisations hand on what they get, for which they need its mean and
/// variance, taken from samples.
struct SlopeInverse {
  /// A convolution and the normalisation behind it.
  private struct Layer {
    let convolution: Convolution
    let norm: BatchNorm
    let input: Int
  }

  private let chain: [Layer]
  private let merge: Layer
  /// Where the channels of the chain begin among those that are merged, and where those of its activations bend.
  private let offset: Int
  private let bend, slope, height: Float

  private static let components = 2

  /// - Parameters:
  ///   - graph: the decoder's.
  ///   - branch: ends in a normalised convolution over activations of paths side by side, or of one.
  ///   - slope: s of the activation behind the sum, the product of those of several.
  ///   - height: c.
  /// - Returns: nil if no path of the branch has the layers and channels for it.
  init?(_ graph: Graph, _ branch: ImagePath.Branch, slope: Float, height: Float) {
    guard slope > 0, let merge = Self.layer(graph, branch.end) else { return nil }
    let image = graph.nodes[branch.sum].inputs.min()!
    var (paths, bends) = ([(node: merge.input, offset: 0)], [Float]())
    if case .leakyReLU(let activation) = graph.nodes[merge.input].operation {
      paths[0].node = graph.nodes[merge.input].inputs[0]
      bends = [activation.slope]
    }
    if case .concatenate = graph.nodes[paths[0].node].operation {
      var offset = 0
      paths = graph.nodes[paths[0].node].inputs.map { node in
        defer { offset += graph.nodes[node].shape.channels }
        return (node, offset)
      }
    }
    for path in paths {
      guard let (chain, own) = Self.chain(graph, from: image, to: path.node),
        let bend = (own + bends).first, bend < 1, own.allSatisfy({ $0 >= 0 }),
        chain.allSatisfy({ $0.convolution.outputs >= 2 * Self.components })
      else { continue }
      (self.chain, self.merge, offset) = (chain, merge, path.offset)
      (self.bend, self.slope, self.height) = (bend, slope, height)
      return
    }
    return nil
  }

  private static func layer(_ graph: Graph, _ node: Int) -> Layer? {
    guard case .normalization(let norm) = graph.nodes[node].operation,
      norm.settings.axis == .channel, norm.settings.momentum > 0,
      case .convolution(let convolution) = graph.nodes[graph.nodes[node].inputs[0]].operation,
      convolution.groups == 1
    else { return nil }
    return Layer(
      convolution: convolution, norm: norm,
      input: graph.nodes[graph.nodes[node].inputs[0]].inputs[0])
  }

  /// The layers of a path without branches, and the slopes between them.
  private static func chain(_ graph: Graph, from image: Int, to end: Int)
    -> (layers: [Layer], bends: [Float])?
  {
    var (layers, bends, node) = ([Layer](), [Float](), end)
    while let layer = layer(graph, node) {
      layers.insert(layer, at: 0)
      if layer.input == image { return (layers, bends) }
      guard case .leakyReLU(let activation) = graph.nodes[layer.input].operation else { return nil }
      bends.insert(activation.slope, at: 0)
      node = graph.nodes[layer.input].inputs[0]
    }
    return nil
  }

  /// Shares of `L(-u)` and of `u` in what the sum has to be.
  private var shares: (bent: Float, straight: Float) {
    let alpha = (1 - 1 / slope) / (1 - bend)
    return (alpha, 1 + alpha * bend)
  }

  /// Writes the weights of the convolutions.
  func install(_ start: inout StartValues, quiet: Float) {
    for (index, layer) in chain.enumerated() {
      start.setKernels(layer.convolution) { output, input in
        guard output < 2 * Self.components else { return nil }
        guard index == 0 else { return output == input ? 1 : 0 }
        guard output / 2 == input else { return 0 }
        return output % 2 == 0 ? -1 : 1
      }
    }
    start.scale(merge.convolution.weight, by: quiet)
    let (bent, straight) = shares
    start.setKernels(merge.convolution) { output, input in
      let channel = input - offset
      guard (0..<2 * Self.components).contains(channel) else { return nil }
      guard channel / 2 == output else { return 0 }
      return channel % 2 == 0 ? bent : straight - 1
    }
  }

  /// Gives the normalisations the statistics of samples, from the first on, and the shifts with which they hand on what they get.
  ///
  /// - Parameter codewords: of the samples.
  func settle(
    _ start: inout StartValues, _ decoder: Network, _ codewords: [Float], _ pool: WorkerPool
  ) throws(NetworkError) {
    let count = codewords.count / decoder.graph.inputShapes[0].count
    let carriers = 2 * Self.components
    for (index, layer) in chain.enumerated() {
      try start.settle(layer.norm, decoder, codewords, count, pool) { channel in
        // -y becomes -u, and L(-u) is raised as y is.
        channel < carriers ? (channel % 2 == 0 && index < 2 ? height : 0) : nil
      }
    }
    // Of -u that was raised behind its bend, and of the u in y.
    let (bent, straight) = shares
    let raised = chain.count > 1 ? height : 0
    try start.settle(merge.norm, decoder, codewords, count, pool) { _ in
      -bent * raised - straight * height
    }
  }
}

extension StartValues {
  /// Replaces the kernels of single inputs and outputs by one value in their middle; nil leaves a kernel as it is.
  fileprivate mutating func setKernels(
    _ layer: Convolution, _ value: (_ output: Int, _ input: Int) -> Float?
  ) {
    var values = self[layer.weight]
    let area = layer.kernel.area
    for output in 0..<layer.outputs {
      for input in 0..<layer.inputs {
        guard let value = value(output, input) else { continue }
        let first = (output * layer.inputs + input) * area
        for tap in 0..<area { values[first + tap] = tap == area / 2 ? value : 0 }
      }
    }
    set(layer.weight, values)
    if let bias = layer.bias { fill(bias, 0) }
  }

  /// Makes a normalisation hand on what it gets from a batch, shifted; channels without a shift are normalised as ever.
  fileprivate mutating func settle(
    _ norm: BatchNorm, _ decoder: Network, _ codewords: [Float], _ count: Int, _ pool: WorkerPool,
    shift: (_ channel: Int) -> Float?
  ) throws(NetworkError) {
    fill(norm.runningMean, 0)
    fill(norm.runningVariance, 0)
    let plan = try TrainingPlan(
      decoder, weights: weights, capacity: count, needsInputGradient: false, pool: pool)
    plan.write(codewords)
    plan.forward(count: count, isTraining: true)
    // From zero, running statistics have moved by their share of those of the batch.
    let (share, moved) = (Float(norm.settings.momentum), plan.weights)
    let means = moved[key(norm.runningMean)]!.map { $0 / share }
    let variances = moved[key(norm.runningVariance)]!.map { $0 / share }
    set(norm.runningMean, means)
    set(norm.runningVariance, variances)
    var (gamma, beta) = (self[norm.gamma], self[norm.beta])
    for channel in means.indices {
      guard let shift = shift(channel) else { continue }
      gamma[channel] = (variances[channel] + Float(norm.settings.epsilon)).squareRoot()
      beta[channel] = means[channel] + shift
    }
    set(norm.gamma, gamma)
    set(norm.beta, beta)
  }
}
