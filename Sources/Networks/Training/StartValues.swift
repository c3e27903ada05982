/// Means and variances of the values of an image, to be pooled as a normalisation does.
struct PlaneStatistics {
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
struct StartValues {
  private(set) var weights: Weights
  private let keys: [ObjectIdentifier: String]

  init(_ drawn: Weights, _ autoencoder: Autoencoder) {
    weights = drawn
    let parameters = autoencoder.encoder.parameters + autoencoder.decoder.parameters
    keys = Dictionary(
      parameters.map { (ObjectIdentifier($0.parameter), $0.key) }, uniquingKeysWith: { $1 })
  }

  func key(_ parameter: NetworkParameter) -> String { keys[ObjectIdentifier(parameter)]! }

  /// The values of a parameter.
  subscript(_ parameter: NetworkParameter) -> [Float] { weights[key(parameter)]! }

  mutating func set(_ parameter: NetworkParameter, _ values: [Float]) {
    weights[key(parameter)] = values
  }

  mutating func fill(_ parameter: NetworkParameter, _ value: Float) {
    set(parameter, [Float](repeating: value, count: parameter.count))
  }

  /// Multiplies all values of a parameter.
  mutating func scale(_ parameter: NetworkParameter, by factor: Float) {
    set(parameter, self[parameter].map { factor * $0 })
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
      let input = graph.nodes[index].inputs[0]
      let before = path.components[input] ?? [0, 1]
      let factors = path.factors[input] ?? before.map { _ in 1 }
      set(layer.weight, kernels(layer, before, factors, path.components[index]!))
      if let bias = layer.bias { fill(bias, shift) }
    case .normalization(let layer):
      let components = path.components[index]!
      let variances = (0..<layer.count).map {
        layer.settings.axis == .channel
          ? statistics.variance(component: components[$0]) : statistics.variance(column: $0)
      }
      pass(layer, mean: statistics.middle, variances: variances)
      fill(layer.beta, statistics.middle + shift)
    default: break
    }
  }

  /// Makes a normalisation hand values on without their mean, with other deviations if told so.
  ///
  /// - Parameters:
  ///   - mean: of all channels or columns.
  ///   - variances: of each.
  ///   - deviations: behind it.
  mutating func pass(
    _ layer: BatchNorm, mean: Float, variances: [Float], deviations: [Float]? = nil
  ) {
    let epsilon = Float(layer.settings.epsilon)
    fill(layer.runningMean, mean)
    set(layer.runningVariance, variances)
    set(
      layer.gamma,
      variances.indices.map { i in
        guard let deviations, variances[i] > 0 else {
          return (variances[i] + epsilon).squareRoot()
        }
        return deviations[i] * ((variances[i] + epsilon) / variances[i]).squareRoot()
      })
    fill(layer.beta, 0)
  }

  /// Makes a convolution hand the components of an image on, channel by channel in their order.
  mutating func pass(_ layer: Convolution, components: Int) {
    let channels = { (count: Int) in (0..<count).map { $0 % components } }
    let before = channels(layer.inputs)
    set(layer.weight, kernels(layer, before, before.map { _ in 1 }, channels(layer.outputs)))
  }

  /// A one in the middle of the kernels of each output's component, shared between the channels that carry it; what gates have
  /// multiplied them by is undone.
  private func kernels(
    _ layer: Convolution, _ before: [Int], _ factors: [Float], _ after: [Int]
  ) -> [Float] {
    let (area, width) = (layer.kernel.area, layer.inputs / layer.groups)
    var values = [Float](repeating: 0, count: layer.weight.count)
    for output in 0..<layer.outputs {
      let carriers = layer.sources(of: output).enumerated().filter {
        before[$0.element] == after[output]
      }
      for carrier in carriers {
        values[(output * width + carrier.offset) * area + area / 2] =
          1 / (Float(carriers.count) * factors[carrier.element])
      }
    }
    return values
  }

  /// Makes what a branch adds small; what a factor of its own scales stays.
  mutating func hush(_ graph: Graph, _ end: Int, _ gain: Float) {
    if let layer = graph.normalization(at: graph.behindActivations(end)) {
      fill(layer.gamma, gain)
      fill(layer.beta, 0)
    } else if let layer = graph.convolution(before: end) {
      scale(layer.weight, by: gain)
      if let bias = layer.bias { fill(bias, 0) }
    }
  }

  /// Makes a gate half open, whatever it sees.
  mutating func shut(_ graph: Graph, _ gate: Int) {
    switch graph.nodes[graph.layer(before: gate)].operation {
    case .normalization(let layer):
      fill(layer.gamma, 0)
      fill(layer.beta, 0)
    case .convolution(let layer):
      fill(layer.weight, 0)
      if let bias = layer.bias { fill(bias, 0) }
    case .dense(let layer):
      fill(layer.weight, 0)
      if let bias = layer.bias { fill(bias, 0) }
    default: preconditionFailure("a gate that cannot be shut")
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
  /// The normalisation that a node is.
  func normalization(at node: Int) -> BatchNorm? {
    if case .normalization(let layer) = nodes[node].operation { layer } else { nil }
  }

  /// The convolution whose values, through activations at most, a node has.
  func convolution(before end: Int) -> Convolution? {
    if case .convolution(let layer) = nodes[behindActivations(end)].operation { layer } else { nil }
  }

  /// The factor that ends a branch, and the convolution with a bias that it scales.
  func scaledConvolution(at end: Int) -> (factor: NetworkParameter, layer: Convolution)? {
    guard case .scale(let factor) = nodes[end].operation,
      case .convolution(let layer) = nodes[nodes[end].inputs[0]].operation, layer.bias != nil
    else { return nil }
    return (factor, layer)
  }

  /// Whether what a branch adds has a scale: of a normalisation, a convolution, or a factor of its own, which starts small.
  func canHush(_ end: Int) -> Bool {
    switch nodes[behindActivations(end)].operation {
    case .normalization, .convolution, .scale: true
    default: false
    }
  }

  /// What a gate's saturating function sees.
  func layer(before gate: Int) -> Int { behindReshapes(nodes[behindReshapes(gate)].inputs[0]) }

  /// Whether a node is a sigmoid behind a layer that can make it constant.
  func canShut(_ gate: Int) -> Bool {
    guard case .pointwise(let function) = nodes[behindReshapes(gate)].operation, function != .tanh
    else { return false }
    switch nodes[layer(before: gate)].operation {
    case .normalization, .convolution: return true
    case .dense(let layer): return layer.ownsWeight
    default: return false
    }
  }

  func behindActivations(_ end: Int) -> Int {
    var node = end
    while true {
      switch nodes[node].operation {
      case .leakyReLU, .prelu, .reshape, .fakeQuantization: node = nodes[node].inputs[0]
      default: return node
      }
    }
  }
}
