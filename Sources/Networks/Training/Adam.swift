import Foundation
import LinkMath

/// Adam without weight decay, Kingma and Ba 2015.
///
/// `m <- b1 m + (1-b1) g`, `v <- b2 v + (1-b2) g²`, `w <- w - rate (m / (1-b1^t)) / (sqrt(v / (1-b2^t)) + eps)`.
public final class Adam {
  public struct Settings: Sendable, Equatable {
    public var beta1 = 0.9
    public var beta2 = 0.999
    public var epsilon = 1e-8

    public init() {}
  }

  public let settings: Settings
  /// Completed updates.
  public private(set) var step = 0
  private let plans: [TrainingPlan]
  private let moments: [(first: FloatMemory, second: FloatMemory)]
  private let pool: WorkerPool

  /// - Parameter plans: networks updated together, e.g. an encoder and a decoder.
  public init(_ plans: [TrainingPlan], settings: Settings = Settings(), pool: WorkerPool) {
    self.plans = plans
    self.settings = settings
    self.pool = pool
    moments = plans.map {
      (FloatMemory($0.store.trainableCount), FloatMemory($0.store.trainableCount))
    }
  }

  /// Applies the gradients of the last backward passes.
  public func update(rate: Double) {
    step += 1
    let first = 1 - pow(settings.beta1, Double(step))
    let second = 1 - pow(settings.beta2, Double(step))
    let stepSize = Float(rate / first)
    let rootScale = Float(1 / second.squareRoot())
    let kernels = Kernels.best
    let settings = settings
    let part = 1 << 16
    for (plan, moment) in zip(plans, moments) {
      let store = plan.store
      let count = store.trainableCount
      pool.forEach((count + part - 1) / part) { task, _ in
        let start = task * part
        kernels.table.adam(
          store.values.pointer + start, store.gradients.pointer + start,
          moment.first.pointer + start, moment.second.pointer + start, min(part, count - start),
          Float(settings.beta1), Float(settings.beta2), stepSize, rootScale,
          Float(settings.epsilon))
      }
    }
  }

  /// First and second moments of each plan in the order of its trainable parameters, for checkpoints.
  public var state: [(first: [Float], second: [Float])] {
    moments.map { ($0.first.values, $0.second.values) }
  }

  /// Continues from a stored state.
  ///
  /// - Precondition: the state has the sizes of ``state``.
  public func restore(_ state: [(first: [Float], second: [Float])], step: Int) {
    precondition(state.count == moments.count)
    for (moment, saved) in zip(moments, state) {
      precondition(saved.first.count == moment.first.count)
      precondition(saved.second.count == moment.second.count)
      moment.first.write(saved.first)
      moment.second.write(saved.second)
    }
    self.step = step
  }
}
