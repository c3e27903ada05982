/// What every step of a pass over the batch may ask.
struct Run: Sendable {
  /// Samples in this batch, at most the plan's capacity.
  let count: Int
  /// Batch statistics instead of running ones.
  let isTraining: Bool
  let kernels: Kernels
  let store: ParameterStore
  /// Parameters that are not trained.
  let frozen: Set<ObjectIdentifier>

  /// Whether a normalisation uses the statistics of the batch, which move the running ones.
  func usesBatch(_ norm: BatchNorm) -> Bool {
    isTraining && (frozen.isEmpty || !frozen.contains(ObjectIdentifier(norm.gamma)))
  }

  /// Samples that one task handles; partial sums are kept per block and added in block order, so that results do
  /// not depend on the number of threads.
  static let blockSize = 4
  var blockCount: Int { (count + Run.blockSize - 1) / Run.blockSize }
  func samples(_ block: Int) -> Range<Int> {
    block * Run.blockSize..<min((block + 1) * Run.blockSize, count)
  }
}

/// One operation of a training plan, over the batch, in both directions.
///
/// A plan runs consecutive steps block by block in one parallel region until a step needs the whole batch.
protocol Step: AnyObject, Sendable {
  /// Work of its own before the forward pass, e.g. packing weights; steps prepare in parallel.
  func prepare(_ run: Run)
  func forward(_ run: Run, block: Int, worker: Int)
  /// Serial work after all blocks.
  func finishForward(_ run: Run)
  func prepareBackward(_ run: Run)
  func backward(_ run: Run, block: Int, worker: Int)
  func finishBackward(_ run: Run)

  /// The next step needs ``finishForward(_:)`` first.
  var endsForwardRegion: Bool { get }
  /// The step before needs ``finishBackward(_:)`` first.
  var endsBackwardRegion: Bool { get }
  /// Number of tasks if the step is not divided by blocks of samples.
  func forwardTasks(_ run: Run) -> Int?
  func backwardTasks(_ run: Run) -> Int?
}

extension Step {
  func prepare(_ run: Run) {}
  func finishForward(_ run: Run) {}
  func prepareBackward(_ run: Run) {}
  func finishBackward(_ run: Run) {}
  var endsForwardRegion: Bool { false }
  var endsBackwardRegion: Bool { false }
  func forwardTasks(_ run: Run) -> Int? { nil }
  func backwardTasks(_ run: Run) -> Int? { nil }
}
