import Foundation
import LinkMath

/// Adam without weight decay, Kingma and Ba 2015.
///
/// `m <- b1 m + (1-b1) g`, `v <- b2 v + (1-b2) g²`, `w <- w - rate (m / (1-b1^t)) / (sqrt(v / (1-b2^t)) + eps)`.
public final class Adam: Optimizer, @unchecked Sendable {
  // Sendable: one owner updates at a time, whose tasks write disjoint parts.

  /// Constants of the method.
  public struct Settings: Sendable, Equatable {
    /// Decay of the running mean of the gradient, for each step.
    public var beta1 = 0.9
    /// Decay of the running mean of the squared gradient.
    public var beta2 = 0.999
    /// Added to the root of the mean squared gradient.
    public var epsilon = 1e-8

    /// β1 0.9, β2 0.999, ε 1e-8.
    public init() {}
  }

  /// Constants of the method.
  public let settings: Settings
  /// Completed updates.
  public private(set) var step = 0
  private let groups: [ParameterGroup]
  /// What the learning rate is multiplied by, of each range of each group.
  private let factors: [[Float]]
  private let moments: [(first: FloatMemory, second: FloatMemory)]
  private let pool: WorkerPool

  /// - Parameters:
  ///   - groups: updated together, e.g. those of an encoder and a decoder.
  ///   - settings: constants of the method.
  ///   - factor: what the learning rate of a range is multiplied by.
  ///   - pool: divides the values; the result does not depend on it.
  public init(
    _ groups: [ParameterGroup], settings: Settings = Settings(),
    factor: (ParameterGroup.Range) -> Float = { _ in 1 }, pool: WorkerPool
  ) {
    self.groups = groups
    factors = groups.map { $0.ranges.map(factor) }
    self.settings = settings
    self.pool = pool
    moments = groups.map { (FloatMemory($0.count), FloatMemory($0.count)) }
  }

  public func update(rate: Double) {
    step += 1
    let first = 1 - pow(settings.beta1, Double(step))
    let second = 1 - pow(settings.beta2, Double(step))
    let stepSize = Float(rate / first)
    let rootScale = Float(1 / second.squareRoot())
    let kernels = Kernels.best
    let settings = settings
    let part = 1 << 16
    for ((group, factors), moment) in zip(zip(groups, factors), moments) {
      var place = 0
      for index in group.ranges.indices {
        let count = group.ranges[index].count
        let (offset, stepSize) = (place, stepSize * factors[index])
        pool.forEach((count + part - 1) / part) { task, _ in
          let start = task * part
          let range = group.ranges[index]
          kernels.table.adam(
            range.values + start, range.gradients + start,
            moment.first.pointer + offset + start, moment.second.pointer + offset + start,
            min(part, count - start), Float(settings.beta1), Float(settings.beta2), stepSize,
            rootScale, Float(settings.epsilon))
        }
        place += count
      }
      group.keepBounds()
    }
  }

  public func forget(_ values: Range<Int>, ofGroup group: Int) {
    for memory in [moments[group].first, moments[group].second] {
      (memory.pointer + values.lowerBound).update(repeating: 0, count: values.count)
    }
  }

  /// First and second moments of each group in the order of its parameters.
  public var state: [String: [Float]] {
    var state: [String: [Float]] = [:]
    for (index, moment) in moments.enumerated() {
      state["\(index).first"] = moment.first.values
      state["\(index).second"] = moment.second.values
    }
    return state
  }

  public func restore(_ state: [String: [Float]], step: Int) {
    for (index, moment) in moments.enumerated() {
      for (name, memory) in [("first", moment.first), ("second", moment.second)] {
        let saved = state["\(index).\(name)"] ?? []
        precondition(saved.count == memory.count, "the state of another training")
        memory.write(saved)
      }
    }
    self.step = step
  }
}
