/// What a node of a ``Graph`` computes from its inputs.
public enum NetworkOperation: Sendable {
  /// The network's input of that number.
  case input(Int)
  /// A convolution with zero padding that keeps the size of the map.
  case convolution(Convolution)
  /// Batch normalisation.
  case normalization(BatchNorm)
  /// `u > 0 ? u : slope * u`; also plain ReLU with slope 0.
  case leakyReLU(LeakyReLU)
  /// `u > 0 ? u : slope * u`, the slope learned for each channel.
  case prelu(NetworkParameter)
  /// A saturating function, value by value.
  case pointwise(Pointwise)
  /// Matrix product on the last axis.
  case dense(DenseProduct)
  /// The sum of the inputs.
  case add
  /// The first input minus the second.
  case subtract
  /// Elementwise product; the second input may be `[channel, 1, 1]` or `[1, row, column]`.
  case multiply
  /// Product with a scalar parameter.
  case scale(NetworkParameter)
  /// The inputs one after the other along the channels.
  case concatenate
  /// The same values under another shape.
  case reshape
  /// Mean over each plane, `[channel, 1, 1]`.
  case planeMean
  /// Maximum and mean over the channels, `[2, row, column]`.
  case channelPool
  /// Layer normalisation.
  case layerNorm(LayerNorm)
  /// The product of queries, keys and values.
  case attention(AttentionProduct)
  /// Rounding to what 8-bit integers stand for.
  case fakeQuantization(FakeQuantization)
  /// An operation that is not one of these.
  case custom(any CustomOperation)
}

/// Saturating functions applied value by value.
public enum Pointwise: Sendable {
  /// `1 / (1 + exp(-x))`.
  case sigmoid
  /// `clip((x + 3) / 6, 0, 1)`.
  case hardSigmoid
  /// The hyperbolic tangent.
  case tanh
}

/// A network as a list of operations in order of evaluation, obtained by tracing its definition.
///
/// The same graph is lowered to training, batch inference and single-sample inference, and its costs are
/// counted from it.
public struct Graph: Sendable {
  struct Node: Sendable {
    let operation: NetworkOperation
    let inputs: [Int]
    let shape: Shape
  }

  let nodes: [Node]
  /// Nodes of the inputs, in the order of the traced function's arguments.
  let inputs: [Int]
  let outputs: [Int]

  /// Number of uses of each node, an output counting as one.
  var useCounts: [Int] {
    var counts = [Int](repeating: 0, count: nodes.count)
    for node in nodes { for input in node.inputs { counts[input] += 1 } }
    for output in outputs { counts[output] += 1 }
    return counts
  }

  /// Records what `body` does to inputs of the given shapes.
  static func trace(_ shapes: [Shape], _ body: ([Signal]) -> [Signal]) -> Graph {
    let tracer = Tracer()
    let signals = shapes.enumerated().map { tracer.append(.input($0.offset), [], $0.element) }
    let outputs = body(signals)
    return Graph(nodes: tracer.nodes, inputs: signals.map(\.node), outputs: outputs.map(\.node))
  }

  /// The same operations, on the values of another network's definition.
  func applied(to signals: [Signal]) -> [Signal] {
    var values: [Signal] = []
    for node in nodes {
      let sources = node.inputs.map { values[$0] }
      if case .input(let number) = node.operation {
        precondition(
          signals[number].shape == node.shape, "a graph reads values of its inputs' shapes")
        values.append(signals[number])
      } else {
        values.append(
          sources[0].applying(node.operation, Array(sources.dropFirst()), shape: node.shape))
      }
    }
    return outputs.map { values[$0] }
  }

  /// Whether a sample's output depends on its neighbours in the batch.
  var attendsAcrossBatch: Bool {
    nodes.contains {
      if case .attention(let core) = $0.operation { core.acrossBatch } else { false }
    }
  }

  /// Shapes of the inputs in their order.
  public var inputShapes: [Shape] { inputs.map { nodes[$0].shape } }
  /// Shapes of the outputs in their order.
  public var outputShapes: [Shape] { outputs.map { nodes[$0].shape } }
}

/// Collects the nodes of a graph while a network definition runs.
final class Tracer {
  private(set) var nodes: [Graph.Node] = []

  func append(_ operation: NetworkOperation, _ inputs: [Signal], _ shape: Shape) -> Signal {
    nodes.append(Graph.Node(operation: operation, inputs: inputs.map(\.node), shape: shape))
    return Signal(tracer: self, node: nodes.count - 1, shape: shape)
  }
}

/// A value flowing through a network definition: shape and origin, no numbers.
public struct Signal {
  let tracer: Tracer
  let node: Int
  /// `[channel, row, column]`.
  public let shape: Shape

  func applying(_ operation: NetworkOperation, _ others: [Signal] = [], shape: Shape) -> Signal {
    tracer.append(operation, [self] + others, shape)
  }

  /// Sum of two maps of equal shape.
  public static func + (a: Signal, b: Signal) -> Signal {
    precondition(a.shape == b.shape, "a sum needs equal shapes")
    return a.applying(.add, [b], shape: a.shape)
  }

  /// Difference of two maps of equal shape.
  public static func - (a: Signal, b: Signal) -> Signal {
    precondition(a.shape == b.shape, "a difference needs equal shapes")
    return a.applying(.subtract, [b], shape: a.shape)
  }

  /// Elementwise product; `b` may be `[channel, 1, 1]` or `[1, row, column]`.
  public static func * (a: Signal, b: Signal) -> Signal {
    precondition(
      b.shape == Shape(a.shape.channels, 1, 1)
        || b.shape == Shape(1, a.shape.height, a.shape.width) || b.shape == a.shape,
      "a factor is a map, one value per channel or one plane")
    return a.applying(.multiply, [b], shape: a.shape)
  }

  /// The same values in row-major order under another shape.
  public func reshaped(_ shape: Shape) -> Signal {
    precondition(shape.count == self.shape.count, "reshaping keeps the number of values")
    return shape == self.shape ? self : applying(.reshape, shape: shape)
  }

  /// The same values as one vector.
  public var flattened: Signal { reshaped(.vector(shape.count)) }
}

/// Stacks maps of equal height and width along the channel axis.
public func concatenate(_ signals: Signal...) -> Signal {
  let first = signals[0].shape
  precondition(
    signals.allSatisfy { $0.shape.height == first.height && $0.shape.width == first.width })
  let channels = signals.reduce(0) { $0 + $1.shape.channels }
  return signals[0].applying(
    .concatenate, Array(signals.dropFirst()), shape: Shape(channels, first.height, first.width))
}
