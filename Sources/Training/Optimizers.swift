import LinkMath
import Networks
import Parts

extension Adam: OptimizerPart {
  static let beta1 = Parameter.number(
    "adam.beta1", default: 0.9, in: 0...0.999999999,
    "Decay β1 of Adam's running mean of the gradient, for each step.")
  static let beta2 = Parameter.number(
    "adam.beta2", default: 0.999, in: 0...0.999999999,
    "Decay β2 of Adam's running mean of the squared gradient, for each step.")
  static let epsilon = Parameter.number(
    "adam.epsilon", default: 1e-8, in: 1e-30...1,
    "Number ε that Adam adds to the root of the mean squared gradient before it divides by it.")

  public static let word = "adam"
  public static let summary = "Adam without weight decay (Kingma and Ba, ICLR 2015)"
  public static let keys = [beta1.declaration, beta2.declaration, epsilon.declaration]

  /// Reads `adam.beta1`, `adam.beta2`, `adam.epsilon`.
  public convenience init(_ settings: Parts.Settings, _ groups: [ParameterGroup], pool: WorkerPool)
  {
    self.init(groups, settings: Self.constants(settings), pool: pool)
  }

  fileprivate static func constants(_ settings: Parts.Settings) -> Settings {
    var adam = Settings()
    adam.beta1 = settings[beta1]
    adam.beta2 = settings[beta2]
    adam.epsilon = settings[epsilon]
    return adam
  }
}

extension CentredAdam: OptimizerPart {
  public static let word = "centred_adam"
  public static let summary =
    "Adam on dense layers whose inputs are centred (Schraudolph 1998), with steps of their weights divided by the root of the inputs' number, which keep what a start has"
  public static let keys = Adam.keys

  /// Reads `adam.beta1`, `adam.beta2`, `adam.epsilon`.
  public convenience init(_ settings: Parts.Settings, _ groups: [ParameterGroup], pool: WorkerPool)
  {
    self.init(groups, settings: Adam.constants(settings), pool: pool)
  }
}

/// Stochastic gradient descent with momentum: `v <- μ v + g`, `w <- w - rate v`.
///
/// B. T. Polyak, Some methods of speeding up the convergence of iteration methods, 1964; I. Sutskever et al., ICML 2013.
public final class SGD: OptimizerPart, @unchecked Sendable {
  // Sendable: one owner updates at a time.

  static let momentum = Parameter.number(
    "sgd.momentum", default: 0.9, in: 0...0.999999999,
    "Share μ of the step before that the next one keeps; 0 for plain gradient descent.")

  public static let word = "sgd"
  public static let summary = "gradient descent with momentum"
  public static let keys = [momentum.declaration]

  /// Steps that were taken.
  public private(set) var step = 0
  private let groups: [ParameterGroup]
  private let momentum: Float
  private var velocities: [[Float]]

  /// Reads `sgd.momentum`.
  public convenience init(_ settings: Settings, _ groups: [ParameterGroup], pool: WorkerPool) {
    self.init(groups, momentum: settings[Self.momentum])
  }

  /// - Parameters:
  ///   - groups: updated together.
  ///   - momentum: μ in [0, 1).
  public init(_ groups: [ParameterGroup], momentum: Double) {
    self.groups = groups
    self.momentum = Float(momentum)
    velocities = groups.map { [Float](repeating: 0, count: $0.count) }
  }

  /// - Complexity: O(values), on the calling thread.
  public func update(rate: Double) {
    step += 1
    let rate = Float(rate)
    for (index, group) in groups.enumerated() {
      velocities[index].withUnsafeMutableBufferPointer { velocity in
        var place = 0
        for range in group.ranges {
          for i in 0..<range.count {
            let v = momentum * velocity[place + i] + range.gradients[i]
            velocity[place + i] = v
            range.values[i] -= rate * v
          }
          place += range.count
        }
      }
      group.keepBounds()
    }
  }

  public func forget(_ values: Range<Int>, ofGroup group: Int) {
    for i in values { velocities[group][i] = 0 }
  }

  /// The step before, of each group.
  public var state: [String: [Float]] {
    Dictionary(
      uniqueKeysWithValues: velocities.enumerated().map { ("\($0.offset).velocity", $0.element) })
  }

  public func restore(_ state: [String: [Float]], step: Int) {
    for index in velocities.indices {
      let saved = state["\(index).velocity"] ?? []
      precondition(saved.count == velocities[index].count, "the state of another training")
      velocities[index] = saved
    }
    self.step = step
  }
}
