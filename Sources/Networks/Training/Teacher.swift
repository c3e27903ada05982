import LinkMath

/// A trained autoencoder that another one learns from: it runs on the same inputs and is not changed.
///
/// It is laid out for inference, so that it needs no memory for gradients and its normalisations use their running statistics.
public final class Teacher: @unchecked Sendable {
  // Sendable: one trainer uses it at a time; tasks write disjoint samples.

  private let encoder, decoder: InferencePlan
  private let codewordLength, map: Int
  private var codewords = FloatMemory(0)
  private var outputs = FloatMemory(0)
  /// Samples that one task takes.
  private static let part = 25

  /// - Parameters:
  ///   - autoencoder: for the image of the student.
  ///   - weights: of both sides.
  /// - Throws: ``NetworkError`` if a parameter is missing or has the wrong size.
  public init(_ autoencoder: Autoencoder, weights: Weights) throws(NetworkError) {
    encoder = try InferencePlan(autoencoder.encoder, weights: weights)
    decoder = try InferencePlan(autoencoder.decoder, weights: weights)
    codewordLength = autoencoder.codewordLength
    map = autoencoder.encoder.graph.inputShapes[0].count
  }

  /// Adds its codewords and reconstructions to a batch; the memory is the teacher's, until the next call.
  ///
  /// - Parameters:
  ///   - input: `[sample, 2, angle, delay]`.
  ///   - batch: of the student's loss.
  ///   - needsOutput: whether reconstructions are wanted too.
  ///   - pool: divides the samples.
  func judge(
    _ input: UnsafePointer<Float>, _ batch: inout LossBatch, needsOutput: Bool, pool: WorkerPool
  ) {
    let count = batch.samples
    precondition(batch.count == map, "teacher and student have the same image")
    if codewords.count < count * codewordLength {
      codewords = FloatMemory(count * codewordLength)
      outputs = FloatMemory(count * map)
    }
    let input = Input(pointer: input)
    pool.forEach((count + Self.part - 1) / Self.part) { [self] task, _ in
      let first = task * Self.part
      let samples = min(Self.part, count - first)
      let codewords = codewords.pointer + first * codewordLength
      encoder.run([input.pointer + first * map], count: samples, into: [codewords])
      guard needsOutput else { return }
      decoder.run(
        [UnsafePointer(codewords)], count: samples, into: [outputs.pointer + first * map])
    }
    batch.teacherCodeword = .init(UnsafePointer(codewords.pointer), length: codewordLength)
    if needsOutput { batch.teacherOutput = UnsafePointer(outputs.pointer) }
  }

  private struct Input: @unchecked Sendable {
    // Sendable: only read.
    let pointer: UnsafePointer<Float>
  }
}
