import DataFiles
import LinkMath

/// The samples that the epochs of a training consist of, each with what the encoder sees and what the decoder should give.
public protocol SampleSource: Sendable {
  /// Values of one sample, `[2, angle, delay]`.
  var sampleSize: Int { get }

  /// Values of what it should become.
  var targetSize: Int { get }

  /// Samples of an epoch.
  var count: Int { get }

  /// Whether inputs and targets are the same numbers.
  var targetsAreInputs: Bool { get }

  /// Numbers of the samples of an epoch in the order in which they are trained on, a function of seed and epoch.
  func order(ofEpoch epoch: Int, seed: UInt64) -> [Int]

  /// Copies samples into memory, `[sample, 2, angle, delay]`.
  ///
  /// - Parameters:
  ///   - samples: their numbers; neighbours of an epoch's order.
  ///   - inputs: what the encoder sees.
  ///   - targets: the same memory as `inputs` if the inputs are the targets.
  ///   - pool: divides the samples; the result does not depend on it.
  /// - Throws: errors of files and of whatever draws samples; `DataFileError` or ``TrainingError`` for a value that is not finite.
  func load(
    _ samples: ArraySlice<Int>, inputs: SampleMemory, targets: SampleMemory, pool: WorkerPool)
    throws
}

/// Memory that several threads fill, each with samples of its own.
public struct SampleMemory: @unchecked Sendable {
  // Sendable: tasks write to disjoint samples, the owner reads after they are done.

  /// First value.
  public let start: UnsafeMutablePointer<Float>

  /// Memory that its owner keeps until it is filled.
  public init(_ start: UnsafeMutablePointer<Float>) { self.start = start }
}

extension SampleSource {
  /// As many as the input has.
  public var targetSize: Int { sampleSize }
}

extension SampleSet: SampleSource {
  /// All samples in a random order.
  public func order(ofEpoch epoch: Int, seed: UInt64) -> [Int] {
    var stream = StreamKey(seed: seed, domain: .train, purpose: .selection).stream(drop: epoch)
    return stream.permutation(count)
  }

  public func load(
    _ samples: ArraySlice<Int>, inputs: SampleMemory, targets: SampleMemory, pool: WorkerPool
  ) throws {
    let perTask = 25
    try pool.forEach((samples.count + perTask - 1) / perTask) { [self] task, _ in
      for i in task * perTask..<min((task + 1) * perTask, samples.count) {
        try read(
          samples[samples.startIndex + i], inputs: inputs.start + i * sampleSize,
          targets: targets.start + i * targetSize)
      }
    }
  }
}
