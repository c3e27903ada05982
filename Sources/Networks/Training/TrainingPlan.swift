import LinkMath

/// A network laid out for forward and backward passes over batches.
///
/// Holds parameters, activations and gradients for up to `batch` samples. Work is divided by blocks of four samples
/// whose partial sums are added in order, so results do not depend on the number of threads.
public final class TrainingPlan {
  public let network: Network
  /// Largest number of samples of a pass.
  public let capacity: Int
  let store: ParameterStore
  private let pool: WorkerPool
  private let kernels: Kernels
  private let inputs: [View]
  private let outputs: [View]
  private let forwardRegions: [[any Step]]
  private let backwardRegions: [[any Step]]
  private let steps: [any Step]
  private var lastRun: Run?

  /// - Parameters:
  ///   - weights: values of all parameters of the network, under its keys.
  ///   - capacity: largest batch.
  ///   - needsInputGradient: compute the gradient of the inputs too (to reach an encoder through a decoder).
  /// - Throws: ``NetworkError`` if a parameter is missing or has the wrong size.
  public convenience init(
    _ network: Network, weights: Weights, capacity: Int, needsInputGradient: Bool,
    pool: WorkerPool
  ) throws(NetworkError) {
    try self.init(
      network, weights: weights, capacity: capacity, needsInputGradient: needsInputGradient,
      pool: pool, kernels: .best)
  }

  init(
    _ network: Network, weights: Weights, capacity: Int, needsInputGradient: Bool,
    pool: WorkerPool, kernels: Kernels
  ) throws(NetworkError) {
    precondition(capacity > 0)
    self.network = network
    self.capacity = capacity
    self.pool = pool
    self.kernels = kernels
    store = try ParameterStore(network, weights)
    var builder = TrainingPlanBuilder(
      network.graph, batch: capacity, workers: pool.threadCount,
      needsInputGradient: needsInputGradient)
    builder.build()
    steps = builder.steps
    inputs = builder.inputs
    outputs = builder.outputs
    forwardRegions = TrainingPlan.regions(
      builder.steps, endsAfter: \.endsForwardRegion)
    backwardRegions = TrainingPlan.regions(
      builder.steps.reversed(), endsAfter: \.endsBackwardRegion)
  }

  /// Splits steps into regions that run block by block; a step divided otherwise is a region of its own.
  private static func regions(
    _ steps: [any Step], endsAfter: (any Step) -> Bool
  ) -> [[any Step]] {
    var regions: [[any Step]] = []
    var current: [any Step] = []
    func close() {
      if !current.isEmpty { regions.append(current) }
      current = []
    }
    for step in steps {
      if step is DenseStep || step is AttentionStep {
        close()
        regions.append([step])
        continue
      }
      current.append(step)
      if endsAfter(step) { close() }
    }
    close()
    return regions
  }

  /// Runs the network on `count` samples already written by ``write(_:toInput:)``.
  ///
  /// - Parameter isTraining: normalise with the statistics of the batch and update the running ones.
  public func forward(count: Int, isTraining: Bool) {
    precondition(count > 0 && count <= capacity)
    let run = Run(count: count, isTraining: isTraining, kernels: kernels, store: store)
    lastRun = run
    for step in steps { step.prepare(run) }
    for region in forwardRegions {
      pool.forEach(region[0].forwardTasks(run) ?? run.blockCount) { block, worker in
        for step in region { step.forward(run, block: block, worker: worker) }
      }
      for step in region { step.finishForward(run) }
    }
  }

  /// Sets the gradients of all parameters (and inputs) from the output gradients written by
  /// ``write(gradient:ofOutput:)``, for the last forward pass in training mode.
  public func backward() {
    guard let run = lastRun, run.isTraining else {
      preconditionFailure("a backward pass follows a forward pass in training mode")
    }
    store.gradients.fill(0)
    for step in steps { step.prepareBackward(run) }
    for region in backwardRegions {
      pool.forEach(region[0].backwardTasks(run) ?? run.blockCount) { block, worker in
        for step in region { step.backward(run, block: block, worker: worker) }
      }
      for step in region { step.finishBackward(run) }
    }
  }

  /// Copies samples, `[sample, ...]`, into an input.
  public func write(_ values: [Float], toInput index: Int = 0) {
    precondition(values.count <= capacity * inputs[index].shape.count)
    inputs[index].storage.data.write(values)
  }

  /// Memory of an input, `[sample, ...]`, for callers that fill it in place.
  public func inputMemory(_ index: Int = 0) -> UnsafeMutablePointer<Float> {
    inputs[index].data(0)
  }

  /// An output of the last forward pass, `[sample, ...]`.
  public func output(_ index: Int = 0) -> [Float] {
    read(outputs[index].data(0), outputs[index].shape)
  }

  public func outputMemory(_ index: Int = 0) -> UnsafePointer<Float> {
    UnsafePointer(outputs[index].data(0))
  }

  /// Sets the gradient of the loss with respect to an output.
  public func write(gradient values: [Float], ofOutput index: Int = 0) {
    precondition(values.count <= capacity * outputs[index].shape.count)
    outputs[index].storage.gradient!.write(values)
  }

  public func outputGradientMemory(_ index: Int = 0) -> UnsafeMutablePointer<Float> {
    outputs[index].gradient(0)
  }

  /// Gradient of the loss with respect to an input, if the plan was made with it.
  public func inputGradient(_ index: Int = 0) -> [Float] {
    read(inputs[index].gradient(0), inputs[index].shape)
  }

  public func inputGradientMemory(_ index: Int = 0) -> UnsafePointer<Float> {
    UnsafePointer(inputs[index].gradient(0))
  }

  private func read(_ pointer: UnsafePointer<Float>, _ shape: Shape) -> [Float] {
    Array(UnsafeBufferPointer(start: pointer, count: (lastRun?.count ?? 0) * shape.count))
  }

  /// Current parameters and running statistics.
  public var weights: Weights { store.weights }

  /// Gradients of the trainable parameters after ``backward()``.
  public var gradients: [String: [Float]] { store.gradientsByKey }
}
