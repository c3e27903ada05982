/// Operations of one forward pass over one sample, by the three counting rules of the literature.
public struct Costs: Sendable, Equatable, Encodable {
  /// Multiply-accumulates of convolutions and dense layers; no bias, normalisation or activation. The rule of the
  /// CsiNet, CRNet, ACRNet and CsiNet+ papers.
  public var multiplyAccumulates = 0
  /// Multiply-accumulates, plus one per output of a biased convolution, two per normalised value and one per value
  /// of a LeakyReLU or PReLU, a layer object that is called several times counting for its last call: what a common
  /// profiler reports and some tables of CLLWCsiNet print.
  public var profiler = 0
  /// `2 H W (a h w + 1) b` for a convolution of a to b channels, `(2 a - 1) b` for a dense layer: the rule of the
  /// distillation paper.
  public var distillation = 0
  /// Multiply-accumulates of attention's two products of tokens, which none of the rules above counts.
  public var attention = 0

  /// No operations.
  public init() {}

  /// Sums by rule.
  public static func + (a: Costs, b: Costs) -> Costs {
    var sum = a
    sum.multiplyAccumulates += b.multiplyAccumulates
    sum.profiler += b.profiler
    sum.distillation += b.distillation
    sum.attention += b.attention
    return sum
  }
}

extension Graph {
  /// Costs of one sample.
  public var costs: Costs {
    var costs = Costs()
    var shared: [ObjectIdentifier: Int] = [:]
    for node in nodes {
      let count = node.shape.count
      switch node.operation {
      case .convolution(let layer):
        costs.multiplyAccumulates += count * layer.tapCount
        costs.profiler += count * (layer.tapCount + (layer.bias == nil ? 0 : 1))
        costs.distillation += 2 * count * (layer.tapCount + 1)
      case .dense(let product):
        costs.multiplyAccumulates += count * product.inputs
        costs.profiler += count * product.inputs
        costs.distillation += count * (2 * product.inputs - 1)
      case .normalization: costs.profiler += 2 * count
      case .prelu: costs.profiler += count
      case .leakyReLU(let layer):
        costs.profiler += count
        if let identity = layer.identity {
          costs.profiler -= shared.updateValue(count, forKey: ObjectIdentifier(identity)) ?? 0
        }
      case .custom(let operation):
        costs = costs + operation.costs(node.inputs.map { nodes[$0].shape })
      case .attention(let core):
        costs.attention += 2 * node.shape.height * node.shape.height * core.dimension
      default: break
      }
    }
    return costs
  }
}

extension Autoencoder {
  /// Costs of both sides.
  public var costs: Costs { encoder.graph.costs + decoder.graph.costs }
}
