import Foundation
import LinkMath
import Networks
import Parts
import Synchronization
import TestSupport
import Testing
import Training

/// Samples that are drawn while they are wanted.
@Suite struct SampleStreamTests {
  private static let shape = [2, 3, 5]

  /// Every value is a function of the sample's number and its place.
  private static func value(_ sample: Int, _ i: Int, target: Bool = false) -> Float {
    let whole: Int = (sample * 7919 + i * 104_729) % 10_007
    return Float(whole) / 10_007 + (target ? 2 : 0)
  }

  private static func drawn(_ samples: Range<Int>) -> SampleStream.Drawn {
    let inputs = samples.flatMap { n in (0..<30).map { value(n, $0) } }
    return (inputs, samples.flatMap { n in (0..<30).map { value(n, $0, target: true) } })
  }

  private func load(_ stream: SampleStream, _ samples: Range<Int>, _ pool: WorkerPool) throws
    -> (inputs: [Float], targets: [Float])
  {
    let memory = UnsafeMutablePointer<Float>.allocate(capacity: 60 * samples.count)
    defer { memory.deallocate() }
    try stream.load(
      Array(samples)[...], inputs: SampleMemory(memory),
      targets: SampleMemory(memory + 30 * samples.count), pool: pool)
    let all = Array(UnsafeBufferPointer(start: memory, count: 60 * samples.count))
    return (Array(all.prefix(30 * samples.count)), Array(all.suffix(30 * samples.count)))
  }

  /// Forwards, over the ends of epochs and blocks, far ahead and back again.
  @Test(arguments: [0, 16, 50], [1, 3])
  func everyPlaceHasItsSamples(ahead: Int, threads: Int) throws {
    let stream = SampleStream(count: 37, shape: Self.shape, hasTargets: true, ahead: ahead) {
      Self.drawn($0)
    }
    let pool = WorkerPool(threadCount: threads)
    #expect(stream.order(ofEpoch: 2, seed: 1) == Array(74..<111))
    for first in [0, 10, 20, 37, 47, 1000, 1010, 0, 16, 15, 31, 5000] {
      for count in [1, 10, 33] {
        let found = try load(stream, first..<first + count, pool)
        let expected = Self.drawn(first..<first + count)
        #expect(found.inputs == expected.inputs && found.targets == expected.targets!)
      }
    }
  }

  /// The thread beside draws as far ahead as it may and no farther, without being asked again.
  @Test func drawsAheadWithinItsMemory() throws {
    let seen = Mutex<Set<Int>>([])
    let count = DispatchSemaphore(value: 0)
    let stream = SampleStream(count: 100, shape: Self.shape, hasTargets: true, ahead: 64) {
      samples in
      seen.withLock { _ = $0.insert(samples.lowerBound / 16) }
      count.signal()
      return Self.drawn(samples)
    }
    let pool = WorkerPool(threadCount: 1)
    _ = try load(stream, 0..<20, pool)
    for _ in 0..<6 { count.wait() }
    #expect(seen.withLock { $0 } == Set(0..<6))
    // What is drawn is not drawn again, and the window has moved by one block.
    _ = try load(stream, 20..<40, pool)
    count.wait()
    #expect(seen.withLock { $0 } == Set(0..<7))
  }

  /// The error of a draw is told when its samples are wanted, and not before.
  @Test(arguments: [0, 100]) func errorsReachTheTraining(ahead: Int) throws {
    struct Broken: Error {}
    let stream = SampleStream(count: 100, shape: Self.shape, hasTargets: true, ahead: ahead) {
      samples in
      if samples.contains(40) { throw Broken() }
      var drawn = Self.drawn(samples)
      if samples.contains(70) { drawn.inputs[5] = .nan }
      return drawn
    }
    let pool = WorkerPool(threadCount: 2)
    _ = try load(stream, 0..<32, pool)
    #expect(throws: Broken.self) { try load(stream, 30..<50, pool) }
    #expect(throws: TrainingError.self) { try load(stream, 60..<66, pool) }
    _ = try load(stream, 48..<64, pool)
  }

  private func data(_ folder: SampleFolder, ahead: Int) throws -> TrainingData {
    TrainingData(
      training: SampleStream(count: 22, shape: [2, 32, 32], ahead: ahead) { samples in
        (samples.flatMap { SampleFolder.values(1, seed: UInt64(100 + $0)) }, nil)
      }, validation: try folder.set("validation", 9, seed: 2),
      test: try folder.set("test", 7, seed: 3), digest: "data")
  }

  private func advance(
    _ folder: SampleFolder, _ given: [String: Setting], stem: String, threads: Int, ahead: Int,
    steps: Int = .max
  ) throws -> TrainingResult? {
    let loop = try TrainingLoop(
      NetworkChoice("cl-acrnet-1x", compression: 64), settings: settings(given),
      data: data(folder, ahead: ahead), seed: 5, stem: "\(folder.path)/\(stem)",
      pool: WorkerPool(threadCount: threads))
    let done = Atomic(0)
    return try loop.run(
      progress: { _ in done.wrappingAdd(1, ordering: .relaxed) },
      shouldStop: { done.load(ordering: .relaxed) >= steps })
  }

  /// A training on new samples in every epoch, with a quantiser that looks at samples between the epochs: the same bytes for any
  /// number of threads and any interruption, and none of a training on one set.
  @Test func trainingsContinueToTheSameBytes() throws {
    let folder = try SampleFolder()
    let given: [String: Setting] = [
      "quantizer.type": .text("codebooks"), "quantizer.bits": .integer(2),
      "quantizer.max_bits": .integer(3), "quantizer.samples": .integer(20),
    ]
    let whole = try #require(
      try advance(folder, given, stem: "whole", threads: 2, ahead: 16))
    var parts: TrainingResult?
    var count = 0
    while parts == nil {
      parts = try advance(
        folder, given, stem: "parts", threads: 1, ahead: count % 2 * 48, steps: 2)
      count += 1
      try #require(count < 40)
    }
    #expect(count > 5 && parts?.weights == whole.weights && parts?.test == whole.test)
    #expect(
      try folder.bytes("parts-checkpoint.safetensors")
        == folder.bytes("whole-checkpoint.safetensors"))
    // The first epochs of a training on the first samples for ever differ from the second on only.
    let fixed = TrainingData(
      training: SampleStream(count: 22, shape: [2, 32, 32], ahead: 0) { samples in
        (samples.flatMap { SampleFolder.values(1, seed: UInt64(100 + $0 % 22)) }, nil)
      }, validation: try folder.set("validation", 9, seed: 2),
      test: try folder.set("test", 7, seed: 3), digest: "fixed")
    let loop = try TrainingLoop(
      NetworkChoice("cl-acrnet-1x", compression: 64), settings: settings(given), data: fixed,
      seed: 5, stem: "\(folder.path)/fixed", pool: WorkerPool(threadCount: 1))
    let other = try #require(try loop.run(progress: { _ in }, shouldStop: { false }))
    #expect(other.curve.epochs[0] == whole.curve.epochs[0])
    #expect(other.curve.epochs[1].trainingLoss != whole.curve.epochs[1].trainingLoss)
  }
}
