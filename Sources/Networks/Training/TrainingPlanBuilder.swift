/// Lowers a graph to the steps of a ``TrainingPlan``.
///
/// Batch normalisation, LeakyReLU and PReLU become coefficients of a ``View`` where nothing else reads the value
/// before them; concatenation is a list of views read by the next convolution.
struct TrainingPlanBuilder {
  let graph: Graph
  let batch: Int
  let workers: Int
  let needsInputGradient: Bool
  private(set) var steps: [any Step] = []
  /// Values that each step reads or writes.
  private(set) var touched: [ObjectIdentifier: [Storage]] = [:]
  private(set) var inputs: [View] = []
  private(set) var outputs: [View] = []
  private var values: [[View]] = []
  private let uses: [Int]
  /// Dense layers by node.
  private var denseSteps: [Int: DenseStep] = [:]
  /// Feed-forward blocks by their second dense layer: the first one and the slope between them.
  private var feedForward: [Int: FeedForward] = [:]

  init(_ graph: Graph, batch: Int, workers: Int, needsInputGradient: Bool) {
    self.graph = graph
    self.batch = batch
    self.workers = workers
    self.needsInputGradient = needsInputGradient
    uses = graph.useCounts
  }

  mutating func build() {
    for index in graph.nodes.indices {
      feedForward[index] = FeedForward(graph, endingAt: index, uses: uses)
    }
    for node in graph.nodes { values.append(lower(node)) }
    // Outputs register last, so that the caller's gradient is written and all others are added to it.
    for output in graph.outputs {
      let view = plain(values[output])
      _ = Consumer(view)
      outputs.append(view)
    }
  }

  private mutating func lower(_ node: Graph.Node) -> [View] {
    switch node.operation {
    case .input: return [input(node.shape)]
    case .convolution(let layer):
      var sources = values[node.inputs[0]]
      // Groups are channels of one map.
      if layer.groups > 1, sources.count > 1 { sources = [copy(sources)] }
      let output = newView(node.shape)
      append(
        ConvolutionStep(layer, sources, output, batch: batch, workers: workers), sources + [output])
      return [output]
    case .normalization(let layer): return [normalized(layer, node)]
    case .dense where isInsideFeedForward(values.count),
      .leakyReLU where isInsideFeedForward(values.count):
      return [plain(values[node.inputs[0]])]
    case .leakyReLU(let layer):
      if isRectifiedInPlace(values.count, layer) { return values[node.inputs[0]] }
      return activated(node, .constant(layer.slope))
    case .prelu(let slopes): return activated(node, .parameter(slopes, first: 0))
    case .concatenate: return node.inputs.flatMap { values[$0] }
    case .reshape: return [reshaped(node)]
    case .add: return [sum(node, sign: 1)]
    case .subtract: return [sum(node, sign: -1)]
    default: return [lowerPlain(node)]
    }
  }

  /// Operations on plain maps.
  private mutating func lowerPlain(_ node: Graph.Node) -> View {
    let sources = node.inputs.map { plain(values[$0]) }
    let output = newView(node.shape)
    let source = sources[0]
    let step: any Step
    switch node.operation {
    case .pointwise(let function):
      step = PointwiseStep(function, source, output, workers: workers)
    case .dense(let product):
      if let layers = feedForward[values.count] {
        step = FeedForwardStep(layers, source, output, workers: workers)
        break
      }
      let dense = DenseStep(product, source, output)
      denseSteps[values.count] = dense
      step = dense
    case .multiply: step = MultiplyStep(source, sources[1], output, workers: workers)
    case .scale(let factor):
      step = ScaleStep(factor, source, output, batch: batch, workers: workers)
    case .planeMean: step = PlaneMeanStep(source, output, workers: workers)
    case .channelPool: step = ChannelPoolStep(source, output, workers: workers)
    case .layerNorm(let layer):
      step = LayerNormStep(layer, source, output, batch: batch, workers: workers)
    case .fakeQuantization(let quantization):
      step = FakeQuantizationStep(quantization, source, output, batch: batch, workers: workers)
    case .custom(let operation as any ComplexMatrixOperation):
      let planes = ComplexPlanesStep(operation, source, batch: batch)
      append(planes, [])
      step = ComplexMatrixStep(operation, planes, source, output, batch: batch)
    case .custom(let operation):
      step = CustomStep(operation, sources, output, batch: batch, workers: workers)
    case .attention(let core):
      step = AttentionStep(
        core, source, memory: sources.count > 1 ? sources[1] : nil, output, batch: batch,
        workers: workers)
    default: preconditionFailure("operation lowered elsewhere")
    }
    append(step, sources + [output])
    return output
  }

  private mutating func append(_ step: any Step, _ views: [View]) {
    steps.append(step)
    touched[ObjectIdentifier(step)] = views.map(\.storage)
  }

  private mutating func input(_ shape: Shape) -> View {
    let storage = Storage(
      sampleCount: shape.count, batch: batch, wantsGradient: needsInputGradient)
    let view = View(storage, shape)
    inputs.append(view)
    return view
  }

  private func newView(_ shape: Shape) -> View {
    View(Storage(sampleCount: shape.count, batch: batch, wantsGradient: true), shape)
  }

  /// The value as one plain map, copied if it is not.
  private mutating func plain(_ views: [View]) -> View {
    if views.count == 1 && views[0].isPlain { return views[0] }
    return copy(views)
  }

  private mutating func copy(_ views: [View]) -> View {
    let first = views[0].shape
    let channels = views.reduce(0) { $0 + $1.shape.channels }
    let output = newView(Shape(channels, first.height, first.width))
    append(CopyStep(views, output), views + [output])
    return output
  }

  /// True if only one operation reads this node, and nothing reads it under another shape.
  private func isExclusive(_ node: Int) -> Bool {
    guard uses[node] == 1 else { return false }
    switch graph.nodes[node].operation {
    case .reshape: return isExclusive(graph.nodes[node].inputs[0])
    case .concatenate: return graph.nodes[node].inputs.allSatisfy { isExclusive($0) }
    case .input: return false
    default: return true
    }
  }

  private mutating func normalized(_ layer: BatchNorm, _ node: Graph.Node) -> View {
    let source = node.inputs[0]
    if layer.settings.axis == .width {
      let view = plain(values[source])
      let output = newView(node.shape)
      append(
        ColumnNormStep(layer, view, output, batch: batch, workers: workers), [view, output])
      return output
    }
    guard case .convolution = graph.nodes[source].operation, uses[source] == 1 else {
      preconditionFailure("batch normalisation follows a convolution that feeds nothing else")
    }
    let view = values[source][0]
    view.normalization = layer
    append(ViewStep(view, batch: batch), [view])
    return view
  }

  private func isInsideFeedForward(_ index: Int) -> Bool {
    feedForward.values.contains { $0.start == index || $0.middle == index }
  }

  /// Lets a dense step apply the LeakyReLU between it and another dense layer.
  private func isRectifiedInPlace(_ index: Int, _ layer: LeakyReLU) -> Bool {
    let node = graph.nodes[index]
    guard layer.slope >= 0, uses[index] == 1, uses[node.inputs[0]] == 1,
      let step = denseSteps[node.inputs[0]],
      let reader = graph.nodes.first(where: { $0.inputs.contains(index) }),
      case .dense = reader.operation
    else { return false }
    step.rectify(slope: layer.slope)
    return true
  }

  private mutating func activated(_ node: Graph.Node, _ slope: View.Slope) -> [View] {
    let isOwn = isExclusive(node.inputs[0])
    var channel = 0
    return values[node.inputs[0]].map { view in
      let slope = slope.from(channel)
      channel += view.shape.channels
      guard isOwn, let combined = combine(view.slopeKind, slope) else {
        let fresh = copy([view])
        attach(slope, to: fresh)
        return fresh
      }
      attach(combined, to: view)
      return view
    }
  }

  private mutating func attach(_ slope: View.Slope, to view: View) {
    view.slopeKind = slope
    if !view.hasStep { append(ViewStep(view, batch: batch), [view]) }
  }

  /// Two activations in a row as one, where possible: slopes of LeakyReLU multiply.
  private func combine(_ first: View.Slope, _ second: View.Slope) -> View.Slope? {
    switch (first, second) {
    case (.identity, _): second
    case (.constant(let a), .constant(let b)) where a >= 0 && b >= 0: .constant(a * b)
    default: nil
    }
  }

  private mutating func reshaped(_ node: Graph.Node) -> View {
    let view = plain(values[node.inputs[0]])
    return View(view.storage, node.shape)
  }

  private mutating func sum(_ node: Graph.Node, sign: Float) -> View {
    let sources = node.inputs.map { index -> View in
      let views = values[index]
      return views.count == 1 ? views[0] : plain(views)
    }
    let output = newView(node.shape)
    append(SumStep(sources[0], sources[1], sign: sign, output), sources + [output])
    return output
  }
}
