extension Network {
  /// The network with other layers in place of operations, for binarised, quantised or otherwise changed versions of one
  /// definition.
  ///
  /// Parameters of a new layer get the key of what it replaces and their own, unless the network has them already, as when the
  /// new layer uses the weight of the old one.
  ///
  /// - Parameter rule: the layer in place of an operation of one input, given the key of the operation's layer (empty without
  ///   parameters) and the operation; nil keeps it.
  /// - Precondition: a new layer keeps the shape; a convolution before a batch normalisation stays one.
  public func replacing(_ rule: (_ key: String, _ operation: NetworkOperation) -> (any Layer)?)
    -> Network
  {
    var keys: [ObjectIdentifier: String] = [:]
    for (key, parameter) in parameters {
      keys[ObjectIdentifier(parameter)] = key.split(separator: ".").dropLast()
        .joined(separator: ".")
    }
    var added: [Module.Child] = []
    let replaced = Graph.trace(graph.inputShapes) { signals in
      var values: [Signal] = []
      for node in graph.nodes {
        let sources = node.inputs.map { values[$0] }
        if case .input(let number) = node.operation {
          values.append(signals[number])
          continue
        }
        let key = node.operation.parameters.first.flatMap { keys[ObjectIdentifier($0)] } ?? ""
        guard sources.count == 1, let layer = rule(key, node.operation) else {
          values.append(
            sources[0].applying(node.operation, Array(sources.dropFirst()), shape: node.shape))
          continue
        }
        added.append((key, layer))
        let value = layer(sources[0])
        precondition(value.shape == node.shape, "a replacement keeps the shape \(node.shape)")
        values.append(value)
      }
      return graph.outputs.map { values[$0] }
    }
    return Network(name, ReplacedModule(root, added), graph: replaced)
  }
}

extension Network {
  /// The network with a layer behind its first output, its parameters below the key.
  public func appending(_ key: String, _ layer: any Layer) -> Network {
    let longer = Graph.trace(graph.inputShapes) { signals in
      let outputs = graph.applied(to: signals)
      return [layer(outputs[0])] + outputs.dropFirst()
    }
    return Network(name, ReplacedModule(root, [(key, layer)]), graph: longer)
  }
}

extension Autoencoder {
  /// Both sides with other layers in place of operations, see ``Network/replacing(_:)``.
  public func replacing(_ rule: (_ key: String, _ operation: NetworkOperation) -> (any Layer)?)
    -> Autoencoder
  {
    Autoencoder(
      name: name, compression: compression, encoder: encoder.replacing(rule),
      decoder: decoder.replacing(rule))
  }
}

extension NetworkOperation {
  /// The weight of a convolution or dense layer, what it is computed with, and how many rows of it have scales of their own.
  var weight: (parameter: NetworkParameter, precision: WeightPrecision, rows: Int)? {
    switch self {
    case .convolution(let layer): (layer.weight, layer.precision, layer.outputs)
    case .dense(let product):
      (
        product.weight, product.precision,
        product.precision == .dynamicInt8 || product.isTransposed ? 1 : product.outputs
      )
    default: nil
    }
  }
}

/// A definition with layers that stand in place of some of its operations.
///
/// New layers stand behind the original ones if they bring parameters.
private struct ReplacedModule: Module {
  let original: any Module
  let added: [Module.Child]

  init(_ original: any Module, _ added: [Module.Child]) {
    self.original = original
    let known = Set(original.parametersByKey.map { ObjectIdentifier($0.parameter) })
    self.added = added.filter {
      !known.isSuperset(of: $0.module.parametersByKey.map { ObjectIdentifier($0.parameter) })
    }
  }

  var children: [Child] { original.children + added }
  var parameters: [(key: String, parameter: NetworkParameter)] { original.parameters }
  var summary: String { original.summary }
}

extension NetworkOperation {
  /// The parameters that the operation reads.
  var parameters: [NetworkParameter] {
    switch self {
    case .convolution(let layer): [layer.weight] + (layer.bias.map { [$0] } ?? [])
    case .normalization(let layer):
      [layer.gamma, layer.beta, layer.runningMean, layer.runningVariance]
    case .layerNorm(let layer): [layer.gamma, layer.beta]
    case .dense(let product): [product.weight] + (product.bias.map { [$0] } ?? [])
    case .prelu(let slopes): [slopes]
    case .scale(let factor): [factor]
    case .fakeQuantization(let quantization): [quantization.range]
    case .custom(let operation): operation.reads
    default: []
    }
  }
}
