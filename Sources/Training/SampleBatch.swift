import LinkMath

/// Memory for one batch, filled by several threads.
final class SampleBatch {
  private let source: any SampleSource
  private let memory: UnsafeMutablePointer<Float>
  private let capacity: Int

  init(_ source: any SampleSource, capacity: Int) {
    self.source = source
    self.capacity = capacity
    let size = capacity * (source.sampleSize + (source.targetsAreInputs ? 0 : source.targetSize))
    memory = .allocate(capacity: size)
    memory.initialize(repeating: 0, count: size)
  }

  deinit { memory.deallocate() }

  private var targetMemory: UnsafeMutablePointer<Float> {
    source.targetsAreInputs ? memory : memory + capacity * source.sampleSize
  }

  /// `[sample, 2, angle, delay]`.
  var inputs: UnsafePointer<Float> { UnsafePointer(memory) }
  /// `[sample, 2, angle, delay]`; the same memory as ``inputs`` if these are the targets.
  var targets: UnsafePointer<Float> { UnsafePointer(targetMemory) }

  /// - Throws: errors of the source.
  func load(_ samples: ArraySlice<Int>, _ pool: WorkerPool) throws {
    precondition(samples.count <= capacity)
    try source.load(
      samples, inputs: SampleMemory(memory), targets: SampleMemory(targetMemory), pool: pool)
  }
}
