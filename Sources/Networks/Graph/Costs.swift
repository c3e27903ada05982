/// Operations of one forward pass over one sample, by the counting rules of the literature.
public struct Costs: Sendable, Equatable {
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
  /// Multiply-accumulates of other matrix products, such as complex measurements and sums of outer products; the profiler
  /// rule counts them too.
  public var products = 0

  /// No operations.
  public init() {}

  /// Those of a matrix product that is neither a convolution nor a dense layer.
  public init(products: Int) {
    self.products = products
    profiler = products
  }

  /// MAC+: ``multiplyAccumulates`` and all other matrix products.
  public var allProducts: Int { multiplyAccumulates + attention + products }

  /// Sums by rule.
  public static func + (a: Costs, b: Costs) -> Costs {
    var sum = a
    sum.multiplyAccumulates += b.multiplyAccumulates
    sum.profiler += b.profiler
    sum.distillation += b.distillation
    sum.attention += b.attention
    sum.products += b.products
    return sum
  }
}

extension Costs: Encodable {
  private enum CodingKeys: CodingKey {
    case multiplyAccumulates, profiler, distillation, attention, products, allProducts
  }

  /// All counts and ``allProducts``.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(multiplyAccumulates, forKey: .multiplyAccumulates)
    try container.encode(profiler, forKey: .profiler)
    try container.encode(distillation, forKey: .distillation)
    try container.encode(attention, forKey: .attention)
    try container.encode(products, forKey: .products)
    try container.encode(allProducts, forKey: .allProducts)
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
