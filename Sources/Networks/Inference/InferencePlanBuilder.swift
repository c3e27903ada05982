/// Lowers a graph to the fused steps of an ``InferencePlan``.
struct InferencePlanBuilder {
  let graph: Graph
  let network: Network
  let kernels: Kernels
  let values: ParameterValues
  let analysis: InferenceAnalysis
  var segments = [InferencePlan.Segment()]
  var buffers: [BufferPlan] = []
  private var places: [Place?]
  /// Places of concatenations some of whose parts are written already.
  private var reserved: [Int: Place] = [:]

  init(_ network: Network, _ weights: Weights, _ kernels: Kernels) {
    self.network = network
    self.kernels = kernels
    graph = network.graph
    values = ParameterValues(network, weights)
    analysis = InferenceAnalysis(network.graph)
    places = [Place?](repeating: nil, count: network.graph.nodes.count)
  }

  mutating func build() throws(NetworkError) {
    for node in graph.nodes.indices where places[node] == nil { try lower(node) }
    for (number, node) in graph.outputs.enumerated() {
      let place = places[node]!
      if buffers[place.buffer].kind == .output(number) { continue }
      let target = newPlace(graph.nodes[node].shape, .output(number), halo: (0, 0))
      append(AffineStep(place, target))
    }
  }

  mutating func append(_ step: any SampleStep) {
    segments[segments.count - 1].steps.append(step)
  }

  private mutating func lower(_ node: Int) throws(NetworkError) {
    let operation = graph.nodes[node].operation
    let shape = graph.nodes[node].shape
    switch operation {
    case .input(let number): places[node] = newPlace(shape, .input(number), halo: (0, 0))
    case .convolution(let layer): convolution(layer, node)
    case .normalization(let layer): columnNormalization(layer, node)
    case .prelu(let slopes): activation(node, values[slopes])
    case .pointwise(let function): pointwise(function, node)
    case .dense where analysis.insideFeedForward.contains(node),
      .leakyReLU where analysis.insideFeedForward.contains(node):
      // Has no values of its own; the place only says that it is done.
      places[node] = source(node, 0)
    case .dense(let product): dense(product, node)
    case .leakyReLU(let layer):
      activation(node, [Float](repeating: layer.slope, count: shape.channels))
    case .add, .subtract: sum(node)
    case .multiply:
      let target = destination(node)
      append(
        MultiplySampleStep(source: source(node, 0), factor: source(node, 1), target: target))
      places[node] = target
    case .scale(let factor):
      let target = destination(node)
      let scale = [Float](repeating: values[factor][0], count: shape.channels)
      append(AffineStep(source(node, 0), target, scale: scale))
      places[node] = target
    case .concatenate: concatenation(node)
    case .fakeQuantization: places[node] = source(node, 0)
    case .reshape: reshape(node)
    case .planeMean: plain(.planeMean, node)
    case .channelPool: plain(.channelPool, node)
    case .layerNorm(let layer):
      plain(.layerNorm(layer, gamma: values[layer.gamma], beta: values[layer.beta]), node)
    case .custom(let operation):
      plain(.custom(operation, operation.reads.map { FloatMemory(values[$0]) }), node)
    case .attention(let core):
      if core.acrossBatch { throw .needsWholeBatch(network.name) }
      plain(.attention(core), node)
    }
  }

  // MARK: places

  private func source(_ node: Int, _ index: Int) -> Place {
    places[graph.nodes[node].inputs[index]]!
  }

  mutating func newPlace(_ shape: Shape, _ kind: BufferPlan.Kind, halo: (Int, Int)) -> Place {
    let layout = BufferPlan.Layout(
      planes: shape.channels, rows: shape.height, width: shape.width, haloRows: halo.0,
      haloColumns: halo.1)
    buffers.append(BufferPlan(kind: kind, layout: layout))
    return Place(
      buffer: buffers.count - 1, base: halo.0 * layout.pitch + halo.1,
      rowsPerPlane: shape.height, planeStride: layout.planeStride, pitch: layout.pitch,
      shape: shape)
  }

  /// Where a node's values are to be written: inside the map it is concatenated into, in the caller's output, or in
  /// a buffer with the halo its readers need.
  private mutating func destination(_ node: Int) -> Place {
    let shape = graph.nodes[node].shape
    if let (parent, channel) = analysis.concatenation[node] {
      let whole = reserved[parent] ?? destination(parent)
      reserved[parent] = whole
      return whole.channels(from: channel, shape: shape)
    }
    let halo = analysis.halo[node]
    if halo == (0, 0), let number = graph.outputs.firstIndex(of: node) {
      return newPlace(shape, .output(number), halo: (0, 0))
    }
    let kind: BufferPlan.Kind = analysis.needsTile[node] ? .tile : .sample
    // A map read under several shapes is laid out for the tallest, which is the one with a vertical halo.
    let tallest = analysis.tallest[node]
    return newPlace(tallest, kind, halo: halo).viewed(as: shape)
  }

  /// A copy with a halo for a convolution, if the place has none around each of its planes.
  ///
  /// The copy serves the node's later readers in the same segment too.
  private mutating func padded(_ node: Int, _ reach: (rows: Int, columns: Int)) -> Place {
    let place = places[node]!
    let layout = buffers[place.buffer].layout
    let isApart = reach.rows == 0 || place.rowsPerPlane == place.shape.height
    if isApart && layout.haloRows >= reach.rows && layout.haloColumns >= reach.columns {
      return place
    }
    let copy = newPlace(place.shape, .sample, halo: analysis.halo[node])
    append(AffineStep(place, copy))
    if !analysis.needsTile[node] { places[node] = copy }
    return copy
  }

  private mutating func contiguous(_ place: Place) -> Place {
    if place.isContiguous { return place }
    let copy = newPlace(place.shape, .sample, halo: (0, 0))
    append(AffineStep(place, copy))
    return copy
  }

  /// The input's place if nothing else reads it, so that an element-wise step can work in place.
  private mutating func inPlace(_ node: Int) -> Place {
    let input = graph.nodes[node].inputs[0]
    let place = places[input]!
    let isOwned =
      analysis.uses[input] == 1 && analysis.concatenation[node] == nil
      && !isExternalInput(place)
      && !(graph.outputs.contains(node) && analysis.halo[node] == (0, 0))
      && analysis.needsTile[node] == (buffers[place.buffer].kind == .tile)
    return isOwned ? place : destination(node)
  }

  private func isExternalInput(_ place: Place) -> Bool {
    if case .input = buffers[place.buffer].kind { return true }
    return false
  }

  // MARK: operations

  private mutating func convolution(_ layer: Convolution, _ node: Int) {
    var chain = ConvolutionChain(layer, node, values)
    while chain.slopes == nil, let next = analysis.onlyReader(chain.last), extend(&chain, by: next)
    {
    }
    if chain.slopes == nil, let slope = analysis.slopeAfterConcatenation[chain.last] {
      chain.slopes = values.slopes(slope, layer.outputs)
    }
    if let quantizer = quantizer(node) {
      let (input, output) = (source(node, 0), destination(chain.last))
      append(
        Int8Convolution(
          layer, quantizer, chain, input: input, output: output,
          residual: chain.residual.map { places[$0]! }))
      for member in chain.members { places[member] = output }
      return
    }
    let input = padded(graph.nodes[node].inputs[0], layer.reach)
    let output = destination(chain.last)
    append(
      FusedConvolution(
        layer, input: input, output: output, residual: chain.residual.map { places[$0]! },
        weights: chain.weights, bias: chain.bias, slopes: chain.slopes, kernels: kernels))
    // Inner nodes have no values of their own; their place only says that they are done.
    for member in chain.members { places[member] = output }
  }

  /// How the input of a node becomes integers; nil for a node on floats.
  private func quantizer(_ node: Int) -> ActivationQuantizer? {
    let input = graph.nodes[graph.nodes[node].inputs[0]].operation
    guard case .fakeQuantization(let quantization) = input else { return nil }
    return values.quantizer(quantization)
  }

  /// Takes the reader of a chain into it, if it can be folded into the convolution or its last step.
  private func extend(_ chain: inout ConvolutionChain, by next: Int) -> Bool {
    let inputs = graph.nodes[next].inputs
    switch graph.nodes[next].operation {
    case .normalization(let norm) where norm.settings.axis == .channel && chain.residual == nil:
      chain.fold(norm, values)
    case .scale(let factor) where chain.residual == nil: chain.scale(by: values[factor][0])
    case .add where chain.residual == nil:
      guard let other = inputs.first(where: { $0 != chain.last }), places[other] != nil else {
        return false
      }
      chain.residual = other
    case .subtract where chain.residual == nil:
      guard inputs[1] == chain.last, places[inputs[0]] != nil else { return false }
      chain.scale(by: -1)
      chain.residual = inputs[0]
    case .leakyReLU(let layer):
      chain.slopes = [Float](repeating: layer.slope, count: chain.bias.count)
    case .prelu(let slopes): chain.slopes = values[slopes]
    default: return false
    }
    chain.members.append(next)
    return true
  }

  private mutating func columnNormalization(_ layer: BatchNorm, _ node: Int) {
    let (scale, shift) = values.coefficients(layer)
    if layer.settings.axis == .channel {
      preconditionFailure("batch normalisation follows a convolution that feeds nothing else")
    }
    var place = inPlace(node)
    if place.buffer != source(node, 0).buffer || place.base != source(node, 0).base {
      append(AffineStep(source(node, 0), place))
    }
    place = place.viewed(as: graph.nodes[node].shape)
    append(ColumnAffineStep(place: place, scale: scale, shift: shift))
    places[node] = place
  }

  private mutating func activation(_ node: Int, _ slopes: [Float]) {
    let input = graph.nodes[node].inputs[0]
    if analysis.isAppliedByProducers[node] {
      places[node] = places[input]
      return
    }
    let from = source(node, 0)
    let target = inPlace(node)
    append(AffineStep(from, target, slope: slopes))
    places[node] = target
  }

  private mutating func pointwise(_ function: Pointwise, _ node: Int) {
    let from = source(node, 0)
    let target = inPlace(node)
    append(PointwiseSampleStep(function: function, source: from, target: target))
    places[node] = target
  }

  private mutating func sum(_ node: Int) {
    let target = destination(node)
    append(AffineStep(source(node, 0), target))
    var sign: Float = 1
    if case .subtract = graph.nodes[node].operation { sign = -1 }
    append(AffineStep(source(node, 1), target, sign: sign))
    places[node] = target
  }

  private mutating func concatenation(_ node: Int) {
    let target = reserved[node] ?? destination(node)
    var channel = 0
    for input in graph.nodes[node].inputs {
      let shape = graph.nodes[input].shape
      let part = target.channels(from: channel, shape: shape)
      if analysis.concatenation[input] == nil { append(AffineStep(places[input]!, part)) }
      channel += shape.channels
    }
    places[node] = target
  }

  private mutating func reshape(_ node: Int) {
    let shape = graph.nodes[node].shape
    let place = source(node, 0)
    if place.isContiguous || place.shape.width == shape.width && place.holdsPlanes(shape.height) {
      let isOutput = graph.outputs.contains(node)
      places[node] = place.viewed(as: shape)
      if !isOutput { return }
      let target = destination(node)
      append(AffineStep(places[node]!, target))
      places[node] = target
      return
    }
    let target = destination(node)
    append(GatherStep(source: place, target: target))
    places[node] = target
  }

  private mutating func plain(_ operation: PlainStep.Operation, _ node: Int) {
    let sources = graph.nodes[node].inputs.indices.map { index in
      contiguous(source(node, index))
    }
    let wanted = destination(node)
    let target = contiguousTarget(wanted)
    append(PlainStep(operation: operation, sources: sources, target: target))
    if target.buffer != wanted.buffer { append(AffineStep(target, wanted)) }
    places[node] = wanted
  }

  private mutating func contiguousTarget(_ place: Place) -> Place {
    place.isContiguous ? place : newPlace(place.shape, .sample, halo: (0, 0))
  }

  private mutating func dense(_ product: DenseProduct, _ node: Int) {
    if let layers = analysis.feedForward[node] {
      let (first, second) = (values.packed(layers.first), values.packed(layers.second))
      overTile(node, graph.nodes[layers.start].inputs[0], isDense: true) { source, target in
        TileFeedForward(
          layers: layers, source: source, target: target, packedFirst: first.weights,
          packedSecond: second.weights, firstBias: first.bias, secondBias: second.bias)
      }
      return
    }
    if product.precision != .real {
      lowPrecision(product, node)
      return
    }
    let (packed, bias) = values.packed(product)
    guard analysis.isTileDense[node] else {
      plain(.dense(product, packed: packed, bias: bias), node)
      return
    }
    overTile(node, graph.nodes[node].inputs[0]) { source, target in
      TileDense(product: product, source: source, target: target, packed: packed, bias: bias)
    }
  }

  /// A product of signs or integers.
  private mutating func lowPrecision(_ product: DenseProduct, _ node: Int) {
    let (values, quantizer) = (values, quantizer(node))
    overTile(node, graph.nodes[node].inputs[0]) { source, target in
      let bias = values.bias(product)
      return product.precision == .binary
        ? TileSigns(product, values.signs(product), bias: bias, source: source, target: target)
          as any TileStep
        : TileInt8(
          product, values.integers(product), quantizer, bias: bias, source: source, target: target)
    }
  }

  /// Ends the segment with a step over the tile.
  private mutating func overTile(
    _ node: Int, _ input: Int, isDense: Bool = false,
    _ step: (_ source: Place, _ target: Place) -> any TileStep
  ) {
    var source = places[input]!
    if !source.isContiguous || buffers[source.buffer].kind == .sample {
      let copy = newPlace(source.shape, .tile, halo: (0, 0))
      append(AffineStep(source, copy))
      source = copy
    }
    let target =
      graph.outputs.firstIndex(of: node).map {
        newPlace(graph.nodes[node].shape, .output($0), halo: (0, 0))
      } ?? newPlace(graph.nodes[node].shape, .tile, halo: (0, 0))
    for place in [source, target] where isDense { buffers[place.buffer].isDense = true }
    segments[segments.count - 1].last = step(source, target)
    segments.append(InferencePlan.Segment())
    places[node] = target
  }
}
