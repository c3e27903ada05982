import LinkMath

/// A network laid out for forward and backward passes over batches.
///
/// Holds parameters, activations and gradients for up to `batch` samples. Work is divided by blocks of four samples
/// whose partial sums are added in order, so results do not depend on the number of threads.
public final class TrainingPlan {
  /// The network that is laid out.
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
  private let reductions: [GradientReduction]
  /// Gradients that steps add to; the others are overwritten.
  private let addedGradients: [Range<Int>]
  private var lastRun: Run?
  private var frozenKeys: Set<String> = []
  private var frozenNorms: Set<ObjectIdentifier> = []

  /// - Parameters:
  ///   - network: what is trained.
  ///   - weights: values of all parameters of the network, under its keys.
  ///   - capacity: largest batch.
  ///   - needsInputGradient: compute the gradient of the inputs too (to reach an encoder through a decoder).
  ///   - pool: divides a batch; the result does not depend on it.
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
    if network.hasDynamicRanges { throw .cannotTrain(network.name) }
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
    GradientMemory.assign(
      backwardRegions, touched: builder.touched, kept: (inputs + outputs).map(\.storage))
    reductions = GradientReduction.all(builder.steps)
    addedGradients = TrainingPlan.claim(builder.steps, store)
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
      if step is DenseStep || step is AttentionStep || step is FeedForwardStep
        || step is ComplexMatrixStep
      {
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
  /// - Parameters:
  ///   - count: number of samples.
  ///   - isTraining: normalise with the statistics of the batch and update the running ones.
  public func forward(count: Int, isTraining: Bool) {
    precondition(count > 0 && count <= capacity)
    let run = Run(
      count: count, isTraining: isTraining, kernels: kernels, store: store, frozen: frozenNorms)
    lastRun = run
    pool.forEach(steps.count) { [steps] index, _ in steps[index].prepare(run) }
    for (index, region) in forwardRegions.enumerated() {
      sweep(region, run, region[0].forwardTasks(run), isReversed: index % 2 == 1) {
        $0.forward(run, block: $1, worker: $2)
      }
      for step in region { step.finishForward(run) }
    }
  }

  /// Runs a region; where the regions alternate in direction, each starts with what the one before left in the
  /// cache.
  private func sweep(
    _ region: [any Step], _ run: Run, _ tasks: Int?, isReversed: Bool,
    _ body: @escaping @Sendable (any Step, Int, Int) -> Void
  ) {
    let count = tasks ?? run.blockCount
    pool.forEach(count) { index, worker in
      let block = isReversed && tasks == nil ? count - 1 - index : index
      for step in region { body(step, block, worker) }
    }
  }

  /// Sets the gradients of all parameters (and inputs) from the output gradients written by
  /// ``write(gradient:ofOutput:)``, for the last forward pass in training mode.
  public func backward() {
    guard let run = lastRun, run.isTraining else {
      preconditionFailure("a backward pass follows a forward pass in training mode")
    }
    for range in addedGradients {
      (store.gradients.pointer + range.lowerBound).update(repeating: 0, count: range.count)
    }
    pool.forEach(steps.count) { [steps] index, _ in steps[index].prepareBackward(run) }
    for (index, region) in backwardRegions.enumerated() {
      sweep(
        region, run, region[0].backwardTasks(run),
        isReversed: (index + forwardRegions.count) % 2 == 1
      ) { $0.backward(run, block: $1, worker: $2) }
      for step in region { step.finishBackward(run) }
    }
    pool.forEach(reductions.count) { [reductions] task, _ in reductions[task].perform(run) }
  }

  /// Keeps parameters as they are from now on: ``group`` leaves them out, and batch normalisations whose scale is frozen use
  /// their running statistics without moving them. Gradients pass them as before.
  public func freeze(_ isFrozen: (String) -> Bool) {
    frozenKeys = Set(store.keys.map(\.key).filter(isFrozen))
    frozenNorms = Set(
      store.keys.filter { frozenKeys.contains($0.key) }.map { ObjectIdentifier($0.parameter) })
  }

  /// Runs a pass after which the running statistics are what they were.
  func keepingStatistics(_ body: () -> Void) {
    let statistics = store.values.buffer[store.trainableCount...]
    let saved = Array(statistics)
    body()
    _ = UnsafeMutableBufferPointer(rebasing: statistics).update(fromContentsOf: saved)
  }

  func isFrozen(_ key: String) -> Bool { frozenKeys.contains(key) }

  /// Whether all parameters are frozen.
  public var isFrozen: Bool { !frozenKeys.isEmpty && frozenKeys.count == store.keys.count }

  /// Dense layers that no other step shares, whose weights and bias are both trained.
  var denseLayers: [ParameterGroup.DenseLayer] {
    let frozen = Set(
      store.keys.filter { frozenKeys.contains($0.key) }.map { ObjectIdentifier($0.parameter) })
    let dense = steps.compactMap { $0 as? DenseStep }
    let uses = Dictionary(dense.map { ($0.weightRange(store).lowerBound, 1) }, uniquingKeysWith: +)
    return dense.compactMap { step in
      guard uses[step.weightRange(store).lowerBound] == 1 else { return nil }
      return step.layer(store, frozen: frozen) { [unowned self] in lastRun!.count }
    }
  }

  /// Lets the dense step that comes first in the backward pass overwrite its gradient.
  ///
  /// - Returns: what is left to be set to zero.
  private static func claim(_ steps: [any Step], _ store: ParameterStore) -> [Range<Int>] {
    var claimed: [Range<Int>] = []
    for case let step as DenseStep in steps.reversed() {
      let range = step.weightRange(store)
      guard !claimed.contains(where: { $0.overlaps(range) }) else { continue }
      step.overwritesWeight = true
      claimed.append(range)
    }
    var rest: [Range<Int>] = []
    var start = 0
    for range in claimed.sorted(by: { $0.lowerBound < $1.lowerBound }) {
      if range.lowerBound > start { rest.append(start..<range.lowerBound) }
      start = range.upperBound
    }
    if store.trainableCount > start { rest.append(start..<store.trainableCount) }
    return rest
  }

  /// Copies samples, `[sample, ...]`, into an input.
  public func write(_ values: [Float], toInput index: Int = 0) {
    precondition(values.count <= capacity * inputs[index].shape.count)
    inputs[index].storage.data.write(values)
  }

  /// Copies samples from the caller's memory into an input.
  public func write(from source: UnsafePointer<Float>, samples: Int, toInput index: Int = 0) {
    precondition(samples <= capacity)
    inputs[index].data(0).update(from: source, count: samples * inputs[index].shape.count)
  }

  /// Memory of an input, `[sample, ...]`, for callers that fill it in place.
  public func inputMemory(_ index: Int = 0) -> UnsafeMutablePointer<Float> {
    inputs[index].data(0)
  }

  /// An output of the last forward pass, `[sample, ...]`.
  public func output(_ index: Int = 0) -> [Float] {
    read(outputs[index].data(0), outputs[index].shape)
  }

  /// Memory of an output of the last forward pass, `[sample, ...]`.
  public func outputMemory(_ index: Int = 0) -> UnsafePointer<Float> {
    UnsafePointer(outputs[index].data(0))
  }

  /// Sets the gradient of the loss with respect to an output.
  public func write(gradient values: [Float], ofOutput index: Int = 0) {
    precondition(values.count <= capacity * outputs[index].shape.count)
    outputs[index].storage.gradient!.write(values)
  }

  /// Memory for the gradient of the loss with respect to an output, `[sample, ...]`.
  public func outputGradientMemory(_ index: Int = 0) -> UnsafeMutablePointer<Float> {
    outputs[index].gradient(0)
  }

  /// Gradient of the loss with respect to an input, if the plan was made with it.
  public func inputGradient(_ index: Int = 0) -> [Float] {
    read(inputs[index].gradient(0), inputs[index].shape)
  }

  /// Memory of the gradient with respect to an input, if the plan was made with it.
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
