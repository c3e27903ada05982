import LinkMath

/// Memory for one batch, filled from the files by several threads.
final class SampleBatch: @unchecked Sendable {
  // Sendable: the workers write to disjoint samples, the owner reads after they are done.
  private let set: SampleSet
  private let memory: UnsafeMutablePointer<Float>
  private let capacity: Int

  init(_ set: SampleSet, capacity: Int) {
    self.set = set
    self.capacity = capacity
    let copies = set.targetsAreInputs ? 1 : 2
    memory = .allocate(capacity: copies * capacity * set.sampleSize)
    memory.initialize(repeating: 0, count: copies * capacity * set.sampleSize)
  }

  deinit { memory.deallocate() }

  private var targetMemory: UnsafeMutablePointer<Float> {
    self.set.targetsAreInputs ? memory : memory + capacity * self.set.sampleSize
  }

  /// `[sample, 2, angle, delay]`.
  var inputs: UnsafePointer<Float> { UnsafePointer(memory) }
  /// `[sample, 2, angle, delay]`; the same memory as ``inputs`` if these are the targets.
  var targets: UnsafePointer<Float> { UnsafePointer(targetMemory) }

  /// - Throws: `DataFileError` if a sample cannot be read or is not finite.
  func load(_ samples: ArraySlice<Int>, _ pool: WorkerPool) throws {
    precondition(samples.count <= capacity)
    let perTask = 25
    try pool.forEach((samples.count + perTask - 1) / perTask) { [self] task, _ in
      for i in task * perTask..<min((task + 1) * perTask, samples.count) {
        try set.read(
          samples[samples.startIndex + i], inputs: memory + i * set.sampleSize,
          targets: targetMemory + i * set.sampleSize)
      }
    }
  }
}
