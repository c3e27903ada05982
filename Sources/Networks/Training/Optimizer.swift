/// Parameters of a training plan that an optimiser moves, with their gradients; frozen ones are left out.
public struct ParameterGroup: @unchecked Sendable {
  // Sendable: an optimiser's tasks write disjoint parts; the plan outlives its groups.

  /// Values and gradients of parameters that follow one another.
  public struct Range {
    /// Written by the optimiser.
    public let values: UnsafeMutablePointer<Float>
    /// Of the last backward pass.
    public let gradients: UnsafeMutablePointer<Float>
    /// Number of values.
    public let count: Int
  }

  /// In the order of the plan's parameters.
  public let ranges: [Range]
  /// Values of all ranges.
  public var count: Int { ranges.reduce(0) { $0 + $1.count } }
  private let plan: TrainingPlan

  init(_ plan: TrainingPlan, _ ranges: [Range]) {
    self.plan = plan
    self.ranges = ranges
  }
}

extension TrainingPlan {
  /// The trainable parameters whose keys are not frozen by ``freeze(_:)``.
  public var group: ParameterGroup {
    var pieces: [Swift.Range<Int>] = []
    for (key, parameter) in store.keys where parameter.isTrainable && !isFrozen(key) {
      let start = store.offset(parameter)
      if let last = pieces.last, last.upperBound == start {
        pieces[pieces.count - 1] = last.lowerBound..<start + parameter.count
      } else {
        pieces.append(start..<start + parameter.count)
      }
    }
    return ParameterGroup(
      self,
      pieces.map {
        .init(
          values: store.values.pointer + $0.lowerBound,
          gradients: store.gradients.pointer + $0.lowerBound, count: $0.count)
      })
  }
}

/// Moves parameters by their gradients.
public protocol Optimizer: AnyObject, Sendable {
  /// Completed updates.
  var step: Int { get }

  /// Applies the gradients of the last backward passes.
  ///
  /// - Parameter rate: learning rate of this update.
  func update(rate: Double)

  /// What an update depends on besides parameters and gradients, by name, for checkpoints.
  var state: [String: [Float]] { get }

  /// Continues from a stored state.
  ///
  /// - Parameters:
  ///   - state: what ``state`` gave.
  ///   - step: completed updates.
  /// - Precondition: the state has the names and sizes of ``state``.
  func restore(_ state: [String: [Float]], step: Int)
}
