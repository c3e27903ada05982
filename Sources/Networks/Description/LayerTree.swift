/// One line of a network's printed definition: a layer with parameters of its own, or a block of layers.
public struct LayerLine: Sendable, Encodable {
  /// Levels below the network, from 0.
  public let depth: Int
  /// Name below the block it belongs to; the names along the path, joined by dots, start the keys in a weights file.
  public let key: String
  /// Kind, kernel and sizes.
  public let layer: String
  /// Axes of the output of a layer with parameters; empty for a block.
  public let shape: [Int]
  /// Operations without parameters that follow before the next layer, in order; empty for a block.
  public let followedBy: [String]
  /// Trainable values, of all layers for a block.
  public let parameters: Int
}

extension Network {
  /// Blocks and layers in the order of the definition; activations stand with the layer that they follow.
  public var layerLines: [LayerLine] {
    let uses = ParameterUses(graph)
    func lines(_ child: Module.Child, _ depth: Int) -> [LayerLine] {
      let all = child.module.parametersByKey.map(\.parameter)
      let count = all.filter(\.isTrainable).reduce(0) { $0 + $1.count }
      // Ranges of activations are printed with the layer that they belong to.
      guard count > 0 else { return [] }
      let own = child.module.parameters.compactMap { uses[$0.parameter] }
      let last = own.map(\.last).max()
      let times = own.map(\.count).max() ?? 1
      let line = LayerLine(
        depth: depth, key: child.key,
        layer: (last.flatMap { graph.nodes[$0].operation.replacement } ?? child.module.summary)
          + (times > 1 ? ", used \(times) times" : ""),
        shape: last.map { graph.nodes[$0].shape.axes } ?? [],
        followedBy: last.map(graph.operations(after:)) ?? [], parameters: count)
      return [line] + child.module.children.flatMap { lines($0, depth + 1) }
    }
    return root.children.flatMap { lines($0, 0) }
  }

  /// ``layerLines`` as text in columns: key, layer, output shape, parameters, what follows.
  public var tree: String {
    let rows = layerLines.map { line in
      [
        String(repeating: "  ", count: line.depth) + line.key, line.layer,
        line.shape.map(String.init).joined(separator: "×"), line.parameters.grouped,
        line.followedBy.joined(separator: ", "),
      ]
    }
    return TextTable(
      header: ["key", "layer", "output", "parameters", "followed by"], rows: rows,
      rightAligned: [2, 3]
    ).text
  }
}

/// The nodes of a graph that use each parameter.
private struct ParameterUses {
  private var nodes: [ObjectIdentifier: (last: Int, count: Int)] = [:]

  init(_ graph: Graph) {
    for (index, node) in graph.nodes.enumerated() {
      guard let parameter = node.operation.parameter else { continue }
      nodes[ObjectIdentifier(parameter), default: (0, 0)].last = index
      // Attention may project with several parts of one weight; the first counts.
      if case .dense(let product) = node.operation, product.firstRow > 0 { continue }
      nodes[ObjectIdentifier(parameter)]!.count += 1
    }
  }

  subscript(parameter: NetworkParameter) -> (last: Int, count: Int)? {
    nodes[ObjectIdentifier(parameter)]
  }
}

extension NetworkOperation {
  /// The parameter that tells the layer behind an operation; nil if it has none.
  fileprivate var parameter: NetworkParameter? { parameters.first }

  /// How an operation is printed that stands in place of a layer of other precision; nil for all others.
  fileprivate var replacement: String? {
    switch self {
    case .dense(let product) where product.precision != .real: product.summary
    case .convolution(let layer) where layer.precision != .real: layer.summary
    default: nil
    }
  }

  /// The word for an operation without parameters.
  fileprivate func word(_ shape: Shape) -> String {
    switch self {
    case .leakyReLU(let layer): layer.summary
    case .pointwise(let function): function.summary
    case .add: "add"
    case .subtract: "subtract"
    case .multiply: "multiply"
    case .concatenate: "concatenate"
    case .reshape: "reshape to \(shape)"
    case .planeMean: "mean of each channel"
    case .channelPool: "maximum and mean over channels"
    case .custom(let operation): operation.summary
    case .attention(let core): "attention of \(core.heads) heads"
    default: ""
    }
  }
}

extension Graph {
  /// Operations without parameters that a node's value passes until it branches or reaches a layer.
  fileprivate func operations(after node: Int) -> [String] {
    var words: [String] = []
    var current = node
    while true {
      let next = nodes.indices.filter { nodes[$0].inputs.contains(current) }
      guard next.count == 1, !outputs.contains(current) else { return words }
      let word = nodes[next[0]].operation.word(nodes[next[0]].shape)
      guard nodes[next[0]].operation.parameter == nil else { return words }
      words.append(word)
      current = next[0]
    }
  }
}

extension Graph: CustomStringConvertible {
  /// Operations with their shapes in order of evaluation, one per line.
  public var description: String {
    nodes.map { node in
      let word = node.operation.word(node.shape)
      let inputs = node.inputs.map(String.init).joined(separator: ", ")
      return "\(word.isEmpty ? "layer" : word)(\(inputs)) -> \(node.shape)"
    }.joined(separator: "\n")
  }
}

extension Shape {
  /// The axes as they are printed: a flat vector has one, a sequence two.
  var axes: [Int] {
    channels > 1 ? [channels, height, width] : height > 1 ? [height, width] : [width]
  }
}
