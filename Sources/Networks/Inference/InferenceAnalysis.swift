import CKernels

/// What the lowering to inference needs to know about the readers of each node.
struct InferenceAnalysis: Sendable {
  let uses: [Int]
  /// Rows and columns of zeros around a map that its convolutions reach into.
  let halo: [(Int, Int)]
  /// The highest of the shapes under which a map is read.
  let tallest: [Shape]
  /// Values that outlive the run of one sample because a step over the tile reads them or precedes a reader.
  let needsTile: [Bool]
  /// Pairs of dense layers that are run as one step over a tile, by their last node.
  let feedForward: [Int: FeedForward]
  /// Dense layers large enough to be worth running over a tile of samples.
  let isTileDense: [Bool]
  /// Nodes that can write directly into a concatenation, and the channel where they start.
  let concatenation: [Int: (parent: Int, channel: Int)]
  /// Slope of the activation behind a concatenation, for each convolution output that applies it itself.
  let slopeAfterConcatenation: [Int: View.Slope]
  /// Activations that the producers of their input apply.
  let isAppliedByProducers: [Bool]
  /// First layers and activations of ``feedForward``.
  let insideFeedForward: Set<Int>
  private let readers: [[Int]]
  private let outputs: Set<Int>

  init(_ graph: Graph) {
    let nodes = graph.nodes
    var readers = [[Int]](repeating: [], count: nodes.count)
    for (index, node) in nodes.enumerated() {
      for input in node.inputs { readers[input].append(index) }
    }
    self.readers = readers
    uses = graph.useCounts
    outputs = Set(graph.outputs)
    isTileDense = nodes.map { node in
      guard case .dense(let product) = node.operation else { return false }
      return product.precision != .real
        || node.shape.channels * node.shape.height == 1
          && product.inputs * product.outputs > 1 << 15
    }
    var feedForward: [Int: FeedForward] = [:]
    for index in nodes.indices {
      feedForward[index] = FeedForward(graph, endingAt: index, uses: uses)
    }
    self.feedForward = feedForward
    insideFeedForward = Set(feedForward.values.flatMap { [$0.start, $0.middle] })
    let (dense, starts) = (isTileDense, Set(feedForward.values.map(\.start)))
    (halo, tallest, needsTile) = InferenceAnalysis.layouts(
      graph, readers, readsTile: nodes.indices.map { dense[$0] || starts.contains($0) },
      endsSegment: nodes.indices.map { dense[$0] || feedForward[$0] != nil })
    concatenation = InferenceAnalysis.concatenations(graph, uses)
    (slopeAfterConcatenation, isAppliedByProducers) = InferenceAnalysis.slopes(
      graph, uses, readers, concatenation)
  }

  /// The only operation that reads a node, if there is one and the node is not an output.
  func onlyReader(_ node: Int) -> Int? {
    uses[node] == 1 && !outputs.contains(node) ? readers[node][0] : nil
  }

  private static func layouts(
    _ graph: Graph, _ readers: [[Int]], readsTile: [Bool], endsSegment: [Bool]
  ) -> ([(Int, Int)], [Shape], [Bool]) {
    let nodes = graph.nodes
    var segment = [Int](repeating: 0, count: nodes.count)
    for index in nodes.indices.dropFirst() {
      segment[index] = segment[index - 1] + (endsSegment[index - 1] ? 1 : 0)
    }
    var halo = [(Int, Int)](repeating: (0, 0), count: nodes.count)
    var tallest = nodes.map(\.shape)
    var needsTile = [Bool](repeating: false, count: nodes.count)
    for index in nodes.indices.reversed() {
      for reader in readers[index] {
        if segment[reader] != segment[index] || readsTile[reader] { needsTile[index] = true }
        let sharesMemory: Bool
        switch nodes[reader].operation {
        case .convolution(let layer) where layer.precision != .real: sharesMemory = false
        case .convolution(let layer):
          halo[index].0 = max(halo[index].0, layer.reach.rows)
          halo[index].1 = max(halo[index].1, layer.reach.columns)
          sharesMemory = false
        case .reshape, .concatenate, .leakyReLU, .prelu, .pointwise, .normalization,
          .fakeQuantization:
          sharesMemory = true
        default: sharesMemory = false
        }
        guard sharesMemory else { continue }
        needsTile[index] = needsTile[index] || needsTile[reader]
        guard nodes[reader].shape.width == nodes[index].shape.width else { continue }
        halo[index].0 = max(halo[index].0, halo[reader].0)
        halo[index].1 = max(halo[index].1, halo[reader].1)
        if case .concatenate = nodes[reader].operation { continue }
        // Planes that do not fill those of the reader are copied for it.
        let (high, own) = (tallest[reader].height, nodes[index].shape.height)
        if high > tallest[index].height, high % own == 0 { tallest[index] = tallest[reader] }
      }
    }
    return (halo, tallest, needsTile)
  }

  private static func concatenations(
    _ graph: Graph, _ uses: [Int]
  ) -> [Int: (parent: Int, channel: Int)] {
    var result: [Int: (parent: Int, channel: Int)] = [:]
    for (parent, node) in graph.nodes.enumerated() {
      guard case .concatenate = node.operation else { continue }
      var channel = 0
      for input in node.inputs {
        switch graph.nodes[input].operation {
        case .input, .reshape, .dense, .concatenate: break
        default: if uses[input] == 1 { result[input] = (parent, channel) }
        }
        channel += graph.nodes[input].shape.channels
      }
    }
    return result
  }

  /// An activation that alone reads a concatenation of convolution outputs is left to those convolutions.
  private static func slopes(
    _ graph: Graph, _ uses: [Int], _ readers: [[Int]],
    _ concatenation: [Int: (parent: Int, channel: Int)]
  ) -> ([Int: View.Slope], [Bool]) {
    var slopes: [Int: View.Slope] = [:]
    var applied = [Bool](repeating: false, count: graph.nodes.count)
    for (index, node) in graph.nodes.enumerated() {
      let slope: View.Slope
      switch node.operation {
      case .leakyReLU(let layer): slope = .constant(layer.slope)
      case .prelu(let parameter): slope = .parameter(parameter, first: 0)
      default: continue
      }
      let input = node.inputs[0]
      guard case .concatenate = graph.nodes[input].operation, uses[input] == 1 else { continue }
      let parts = graph.nodes[input].inputs
      let areConvolutions = parts.allSatisfy { part in
        guard concatenation[part] != nil else { return false }
        switch graph.nodes[part].operation {
        case .convolution: return true
        case .normalization(let norm): return norm.settings.axis == .channel
        default: return false
        }
      }
      guard areConvolutions else { continue }
      applied[index] = true
      for part in parts { slopes[part] = slope.from(concatenation[part]!.channel) }
    }
    return (slopes, applied)
  }
}

/// A convolution and what follows it, as one kernel call.
struct ConvolutionChain {
  private let layer: Convolution
  /// Nodes taken in, in order.
  var members: [Int]
  private(set) var weights: [Float]
  private(set) var bias: [Float]
  var slopes: [Float]?
  /// Node added before the activation.
  var residual: Int?

  var last: Int { members[members.count - 1] }

  init(_ layer: Convolution, _ node: Int, _ values: ParameterValues) {
    self.layer = layer
    members = [node]
    weights = values.weights(layer)
    bias = layer.bias.map { values[$0] } ?? [Float](repeating: 0, count: layer.outputs)
  }

  /// w' = w scale, b' = b scale + shift per output channel.
  mutating func fold(_ norm: BatchNorm, _ values: ParameterValues) {
    let (scale, shift) = values.coefficients(norm)
    for channel in 0..<layer.outputs {
      multiply(channel, by: scale[channel])
      bias[channel] += shift[channel]
    }
  }

  mutating func scale(by factor: Float) {
    for channel in 0..<layer.outputs { multiply(channel, by: factor) }
  }

  private mutating func multiply(_ channel: Int, by factor: Float) {
    for i in channel * layer.tapCount..<(channel + 1) * layer.tapCount { weights[i] *= factor }
    bias[channel] *= factor
  }
}

/// Values of a network's parameters by their identity.
struct ParameterValues: Sendable {
  private let values: [ObjectIdentifier: [Float]]
  private let packed: [ObjectIdentifier: PackedTensor]

  init(_ network: Network, _ weights: Weights) {
    var values: [ObjectIdentifier: [Float]] = [:]
    var packed: [ObjectIdentifier: PackedTensor] = [:]
    for (key, parameter) in network.parameters {
      values[ObjectIdentifier(parameter)] = weights.values[key]
      packed[ObjectIdentifier(parameter)] = weights.packed[key]
    }
    self.values = values
    self.packed = packed
  }

  subscript(parameter: NetworkParameter) -> [Float] {
    values[ObjectIdentifier(parameter)] ?? packed[ObjectIdentifier(parameter)]!.values
  }

  /// Slopes of some channels.
  func slopes(_ slope: View.Slope, _ channels: Int) -> [Float] {
    switch slope {
    case .identity: [Float](repeating: 1, count: channels)
    case .constant(let value): [Float](repeating: value, count: channels)
    case .parameter(let slopes, let first): Array(self[slopes][first..<first + channels])
    }
  }

  /// Scale and shift of a normalisation with running statistics.
  func coefficients(_ norm: BatchNorm) -> (scale: [Float], shift: [Float]) {
    let (mean, variance) = (self[norm.runningMean], self[norm.runningVariance])
    let (gamma, beta) = (self[norm.gamma], self[norm.beta])
    let scale = (0..<norm.count).map {
      Double(gamma[$0]) / (Double(variance[$0]) + norm.settings.epsilon).squareRoot()
    }
    let shift = (0..<norm.count).map { Float(Double(beta[$0]) - Double(mean[$0]) * scale[$0]) }
    return (scale.map { Float($0) }, shift)
  }

  /// Weights of a convolution; of one on integers those that the file's integers stand for, or would.
  func weights(_ layer: Convolution) -> [Float] {
    let stored = self[layer.weight]
    guard packed[ObjectIdentifier(layer.weight)] == nil else { return stored }
    return PackedTensor(stored, for: .convolution(layer))?.values ?? stored
  }

  /// The 8-bit weights [output, input] of a product, from the file's integers or from real weights.
  func integers(_ product: DenseProduct) -> Int8Tensor {
    let tensor: Int8Tensor
    if case .int8(let stored)? = packed[ObjectIdentifier(product.weight)] {
      tensor = stored
    } else if case .int8(let made)? = PackedTensor(self[product.weight], for: .dense(product)) {
      tensor = made
    } else {
      preconditionFailure("a product of integers has integers")
    }
    return product.isTransposed ? tensor.transposed(rows: product.inputs) : tensor
  }

  /// How the input of an 8-bit layer becomes integers.
  func quantizer(_ quantization: FakeQuantization) -> ActivationQuantizer {
    let range = self[quantization.range]
    return ActivationQuantizer(range[0], range[1], levels: FakeQuantization.levels)
  }

  /// Signs of a binary product, from the file's bits or from real weights.
  func signs(_ product: DenseProduct) -> SignTensor {
    if case .signs(let signs)? = packed[ObjectIdentifier(product.weight)] { return signs }
    return SignTensor(self[product.weight])
  }

  /// Bias of a product, zeros if it has none.
  func bias(_ product: DenseProduct) -> FloatMemory {
    let bias = product.bias.map {
      Array(self[$0][product.firstRow..<product.firstRow + product.outputs])
    }
    return FloatMemory(bias ?? [Float](repeating: 0, count: product.outputs))
  }

  /// Weights of a dense product packed for the kernels, and its bias.
  func packed(_ product: DenseProduct) -> (weights: FloatMemory, bias: FloatMemory) {
    let (inputs, outputs) = (product.inputs, product.outputs)
    var weights = self[product.weight]
    if product.isTransposed {
      let stored = weights
      weights = (0..<outputs).flatMap { o in (0..<inputs).map { stored[$0 * outputs + o] } }
    }
    let first = product.firstRow * inputs
    let rows = Array(weights[first..<first + outputs * inputs])
    let packed = FloatMemory(csk_product_packed_count(inputs, outputs))
    csk_product_pack(inputs, outputs, rows, inputs, 1, packed.pointer)
    return (packed, bias(product))
  }
}
