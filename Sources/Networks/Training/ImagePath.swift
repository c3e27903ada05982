/// The way of the CSI image through one side of an autoencoder, from the image to the dense layer at the codeword or from that
/// layer to the image: convolutions, normalisations and activations that can hand it on as it is, with the residual branches
/// beside it, and gates, which halve it until the next convolution doubles it again.
struct ImagePath {
  /// A branch whose values are added to the image.
  struct Branch {
    /// The node that adds.
    let sum: Int
    /// The branch's last node.
    let end: Int
  }

  /// The value of a gate that sees nothing, S(0).
  static let openness: Float = 0.5

  /// The dense layer at the codeword.
  let dense: DenseProduct
  /// Nodes that the image passes, in order, without the dense layer.
  let nodes: [Int]
  /// What is added to it on its way.
  let branches: [Branch]
  /// Saturating functions whose values the image is multiplied by.
  let gates: [Int]
  /// The image's component, 0 for the real part and 1 for the imaginary one, in each channel of each node.
  let components: [Int: [Int]]
  /// What the image is multiplied by in each channel of each node.
  let factors: [Int: [Float]]
  /// What the side ends in behind the path's last layer.
  let output: Pointwise?

  /// The path of a side.
  ///
  /// - Throws: what stands in the way, in words.
  init(_ network: Network, _ side: WeightsFile.Side, image: Shape) throws(Obstacle) {
    let graph = network.graph
    guard graph.inputs.count == 1 else { throw Obstacle("it reads two codewords") }
    var walk = Walk(graph: graph)
    let last = graph.behindReshapes(graph.outputs[0])
    if case .pointwise(let function) = graph.nodes[last].operation {
      output = function
    } else {
      output = nil
    }
    let end = output == nil ? last : graph.behindReshapes(graph.nodes[last].inputs[0])
    let node: Int
    switch side {
    case .encoder:
      node = end
      guard case .dense = graph.nodes[end].operation else {
        throw Obstacle("no dense layer gives its codeword")
      }
      try walk.visit(graph.nodes[end].inputs[0])
      guard walk.dense == nil else {
        throw Obstacle("a dense layer stands before that of its codeword")
      }
    case .decoder:
      try walk.visit(output == nil ? end : graph.nodes[last].inputs[0])
      guard let first = walk.dense else { throw Obstacle("no dense layer reads its codeword") }
      guard case .input = graph.nodes[graph.behindReshapes(graph.nodes[first].inputs[0])].operation
      else {
        throw Obstacle("something stands before the dense layer that reads its codeword")
      }
      node = first
    }
    guard case .dense(let dense) = graph.nodes[node].operation, dense.ownsWeight, dense.bias != nil
    else { throw Obstacle("the dense layer at its codeword has no bias") }
    self.dense = dense
    nodes = walk.seen.sorted()
    branches = walk.branches
    gates = walk.gates
    // A function that multiplies the image by what it makes of the image itself, as x S(x).
    guard gates.allSatisfy({ !walk.seen.contains(graph.layer(before: $0)) }) else {
      throw Obstacle("a gate has no layer of its own")
    }
    components = try Self.components(graph, nodes, image)
    factors = Self.factors(graph, nodes, components)
    let upright = nodes.filter { node in
      switch graph.nodes[node].operation {
      case .normalization, .add: true
      default: node == nodes.last
      }
    }
    guard upright.allSatisfy({ factors[$0]!.allSatisfy { $0 == 1 } }) else {
      throw Obstacle("no convolution follows a gate")
    }
    let channels = side == .encoder ? components[nodes.last!]!.count : image.channels
    let values = side == .encoder ? dense.inputs : dense.outputs
    guard values == channels * image.height * image.width,
      graph.nodes[node].shape.count == dense.outputs
    else { throw Obstacle("the dense layer at its codeword sees a part of the image") }
  }

  /// Which component each channel of each node carries.
  private static func components(_ graph: Graph, _ nodes: [Int], _ image: Shape) throws(Obstacle)
    -> [Int: [Int]]
  {
    var components: [Int: [Int]] = [:]
    for index in nodes {
      let node = graph.nodes[index]
      let before = node.inputs.min().flatMap { components[$0] } ?? Array(0..<image.channels)
      switch node.operation {
      case .convolution(let layer):
        guard before.count == layer.inputs else { throw Obstacle.otherView }
        components[index] = (0..<layer.outputs).map { output in
          let found = Set(layer.sources(of: output).map { before[$0] }).sorted()
          return found[output % found.count]
        }
      case .concatenate: components[index] = node.inputs.flatMap { components[$0] ?? [] }
      case .reshape:
        let planes = Shape(before.count, image.height, image.width)
        // All planes as one keep their order, and no convolution reads them so.
        let stacked = Shape(1, planes.channels * planes.height, planes.width)
        guard [planes, stacked, .vector(planes.count)].contains(node.shape) else {
          throw Obstacle.otherView
        }
        components[index] = before
      default: components[index] = before
      }
      guard Set(components[index] ?? []).count == image.channels else {
        throw Obstacle("a convolution leaves out a part of the image")
      }
    }
    return components
  }

  /// The product of the gates before each node, without those before its last convolution.
  private static func factors(
    _ graph: Graph, _ nodes: [Int], _ components: [Int: [Int]]
  ) -> [Int: [Float]] {
    var factors: [Int: [Float]] = [:]
    for index in nodes {
      let node = graph.nodes[index]
      let ones = [Float](repeating: 1, count: components[index]!.count)
      let before = node.inputs.min().flatMap { factors[$0] } ?? ones
      switch node.operation {
      case .convolution: factors[index] = ones
      case .concatenate: factors[index] = node.inputs.flatMap { factors[$0] ?? [] }
      case .multiply: factors[index] = before.map { openness * $0 }
      default: factors[index] = before
      }
    }
    return factors
  }

  /// Why a network has no such path.
  struct Obstacle: Error {
    let reason: String
    init(_ reason: String) { self.reason = reason }

    static let otherView = Obstacle("its convolutions read the image under another shape")
  }

  /// Follows the image backwards.
  private struct Walk {
    let graph: Graph
    var seen: Set<Int> = []
    var branches: [Branch] = []
    var gates: [Int] = []
    /// A dense layer that was met.
    var dense: Int?

    mutating func visit(_ index: Int) throws(Obstacle) {
      guard !seen.contains(index) else { return }
      let node = graph.nodes[index]
      switch node.operation {
      case .dense:
        guard dense == nil else { throw Obstacle("it has several dense layers side by side") }
        dense = index
        return
      case .input: break
      case .convolution, .normalization, .leakyReLU, .prelu, .reshape, .fakeQuantization:
        try visit(node.inputs[0])
      case .concatenate: for input in node.inputs { try visit(input) }
      case .add:
        // The image itself is what was there first.
        let inputs = node.inputs.sorted()
        branches += inputs.dropFirst().map { Branch(sum: index, end: $0) }
        try visit(inputs[0])
      case .multiply where graph.canShut(node.inputs.max()!):
        gates.append(node.inputs.max()!)
        try visit(node.inputs.min()!)
      default: throw Obstacle("\(node.operation.word) cannot hand the image on as it is")
      }
      seen.insert(index)
    }
  }
}

extension Graph {
  /// The node whose values a node has under another shape.
  func behindReshapes(_ node: Int) -> Int {
    var node = node
    while case .reshape = nodes[node].operation { node = nodes[node].inputs[0] }
    return node
  }
}

extension Convolution {
  /// Channels that an output reads.
  func sources(of output: Int) -> Range<Int> {
    let width = inputs / groups
    let group = output / (outputs / groups)
    return group * width..<(group + 1) * width
  }
}

extension NetworkOperation {
  /// What it is, for messages.
  fileprivate var word: String {
    switch self {
    case .layerNorm: "a layer normalisation"
    case .attention: "attention"
    case .pointwise: "a saturating function"
    case .multiply, .scale: "a product"
    case .planeMean, .channelPool: "pooling"
    case .custom(let operation): operation.summary
    default: "a layer"
    }
  }
}
