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
    /// Where the values must lie after each update; nil if they may be anything.
    public let bounds: ClosedRange<Float>?
    /// Inputs of the layer of ``ParameterGroup/denseLayers`` whose weights these are; nil for all others.
    public var denseInputs: Int?
  }

  /// In the order of the plan's parameters.
  public let ranges: [Range]
  /// Dense layers among them, for optimisers that know their inputs.
  public let denseLayers: [DenseLayer]
  /// Values of all ranges.
  public var count: Int { ranges.reduce(0) { $0 + $1.count } }
  /// Keeps the memory alive.
  private let owner: AnyObject

  /// Brings values back into the bounds of their ranges; an optimiser does so at the end of each update.
  ///
  /// - Complexity: O(values with bounds), on the calling thread.
  public func keepBounds() {
    for range in ranges {
      guard let bounds = range.bounds else { continue }
      for i in 0..<range.count {
        range.values[i] = min(max(range.values[i], bounds.lowerBound), bounds.upperBound)
      }
    }
  }

  init(_ owner: AnyObject, _ ranges: [Range], denseLayers: [DenseLayer] = []) {
    self.owner = owner
    self.ranges = ranges
    self.denseLayers = denseLayers
  }
}

/// Values that are trained beside those of a network, with memory for their gradients; zeros at first.
public final class TrainableValues: @unchecked Sendable {
  // Sendable: one owner writes; an optimiser's tasks write disjoint parts.
  private let memory: (values: FloatMemory, gradients: FloatMemory)

  /// Room for a number of values.
  public init(_ count: Int) { memory = (FloatMemory(count), FloatMemory(count)) }

  /// Moved by the optimiser.
  public var values: UnsafeMutableBufferPointer<Float> { memory.values.buffer }
  /// Of the last pass.
  public var gradients: UnsafeMutableBufferPointer<Float> { memory.gradients.buffer }

  /// All of them, for an optimiser.
  public var group: ParameterGroup {
    ParameterGroup(
      self,
      [
        .init(
          values: memory.values.pointer, gradients: memory.gradients.pointer,
          count: memory.values.count, bounds: nil)
      ])
  }
}

extension TrainingPlan {
  /// The trainable parameters whose keys are not frozen by ``freeze(_:)``.
  public var group: ParameterGroup {
    let denseLayers = denseLayers
    let denseInputs = Dictionary(
      uniqueKeysWithValues: denseLayers.map { ($0.weights, $0.inputs) })
    var pieces: [(range: Swift.Range<Int>, bounds: ClosedRange<Float>?, denseInputs: Int?)] = []
    for (key, parameter) in store.keys where parameter.isTrainable && !isFrozen(key) {
      let start = store.offset(parameter)
      // Shadow weights of a binary layer.
      let bounds: ClosedRange<Float>? =
        network.precision(of: parameter) == .binary ? -1...1 : nil
      let inputs = denseInputs[store.value(parameter)]
      if let last = pieces.last, last.range.upperBound == start, last.bounds == bounds,
        inputs == nil, last.denseInputs == nil
      {
        pieces[pieces.count - 1].range = last.range.lowerBound..<start + parameter.count
      } else {
        pieces.append((start..<start + parameter.count, bounds, inputs))
      }
    }
    return ParameterGroup(
      self,
      pieces.map {
        .init(
          values: store.values.pointer + $0.range.lowerBound,
          gradients: store.gradients.pointer + $0.range.lowerBound, count: $0.range.count,
          bounds: $0.bounds, denseInputs: $0.denseInputs)
      }, denseLayers: denseLayers)
  }
}

/// Moves parameters by their gradients.
public protocol Optimizer: AnyObject, Sendable {
  /// Completed updates.
  var step: Int { get }

  /// Applies the gradients of the last backward passes and keeps the bounds of the groups (``ParameterGroup/keepBounds()``).
  ///
  /// - Parameter rate: learning rate of this update.
  func update(rate: Double)

  /// Sets what it carries of some values to its start, as for values that were set anew.
  ///
  /// - Parameters:
  ///   - values: places in the group.
  ///   - group: index of the group.
  func forget(_ values: Range<Int>, ofGroup group: Int)

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
