import DataFiles
import Foundation
import LinkMath
import Networks

/// How well an autoencoder reconstructs a set of samples.
public struct Evaluation: Sendable, Equatable {
  /// Mean over samples of `‖x̂ - x‖² / ‖x - 0.5‖²`, or of what the best gains of the rows leave of it; NaN if no sample has energy.
  public let nmse: Double
  /// Mean squared error over all elements.
  public let meanSquare: Double
  /// Samples without energy (all 0.5), which have no ratio and are left out of ``nmse``.
  public let emptySamples: Int

  /// ``nmse`` in dB.
  public var nmseDB: Double { 10 * log10(nmse) }

  init(_ error: ErrorTotals, elements: Int) {
    nmse = error.nmse ?? .nan
    meanSquare = error.squaredError / Double(elements)
    emptySamples = error.silentCount
  }
}

extension Evaluation {
  /// Samples taken through the networks together.
  private static let block = 72

  /// Runs the autoencoder in inference mode over a set.
  ///
  /// - Parameters:
  ///   - steps: what happens to the codewords, in order.
  ///   - ignoresGains: whether only directions count, as ``CosineLoss`` sees them.
  ///   - domain: of the set.
  ///   - shouldStop: looked at between blocks.
  /// - Returns: nil if stopped.
  /// - Throws: ``NetworkError`` for networks that cannot be run sample by sample, `DataFileError` for unreadable data.
  /// - Complexity: memory of a few blocks of samples, whatever the size of the set.
  package static func of(
    _ autoencoder: Autoencoder, _ weights: Weights, on set: SampleSet, steps: [any CodewordStep],
    ignoresGains: Bool = false, domain: StreamKey.Domain, pool: WorkerPool,
    shouldStop: @escaping @Sendable () -> Bool
  ) throws -> Evaluation? {
    let pass = Pass(
      encoder: try InferencePlan(autoencoder.encoder, weights: weights),
      decoder: try InferencePlan(autoencoder.decoder, weights: weights), set: set, steps: steps,
      domain: domain,
      codewordLength: autoencoder.codewordLength,
      seesSent: autoencoder.decoder.graph.inputShapes.count > 1,
      directions: ignoresGains ? autoencoder.encoder.graph.inputShapes[0] : nil)
    let blocks = (set.count + block - 1) / block
    var meanSquare = 0.0
    if steps.contains(where: \.needsPower) {
      let energies = try pool.map(blocks) { index, _ in
        shouldStop() ? 0 : try pass.codewordEnergy(Self.range(index, set.count))
      }
      meanSquare = energies.reduce(0, +) / Double(set.count * autoencoder.codewordLength)
    }
    let power = meanSquare
    let partials = try pool.map(blocks) { index, _ in
      shouldStop() ? nil : try pass.errors(Self.range(index, set.count), meanSquare: power)
    }
    var total = ErrorTotals()
    for partial in partials {
      guard let partial else { return nil }
      total.add(partial)
    }
    return Evaluation(total, elements: set.count * set.targetSize)
  }

  private static func range(_ index: Int, _ count: Int) -> Range<Int> {
    index * block..<min((index + 1) * block, count)
  }
}

/// One way through encoder, noise and decoder for a range of samples.
private struct Pass: Sendable {
  let encoder: InferencePlan
  let decoder: InferencePlan
  let set: SampleSet
  let steps: [any CodewordStep]
  let domain: StreamKey.Domain
  let codewordLength: Int
  /// Whether the decoder also gets the codeword before the link.
  let seesSent: Bool
  /// The image of which only directions count; nil for the NMSE.
  let directions: Shape?

  private func encode(
    _ range: Range<Int>, _ inputs: UnsafeMutablePointer<Float>,
    _ targets: UnsafeMutablePointer<Float>, _ codewords: UnsafeMutablePointer<Float>
  ) throws {
    try set.read(range.lowerBound, count: range.count, inputs: inputs, targets: targets)
    encoder.run([UnsafePointer(inputs)], count: range.count, into: [codewords])
  }

  /// The codewords as they were sent, for a decoder that looks at them; empty otherwise.
  private func sent(_ codewords: UnsafePointer<Float>, count: Int) -> [Float] {
    guard seesSent else { return [] }
    return Array(UnsafeBufferPointer(start: codewords, count: count * codewordLength))
  }

  private func withMemory<R>(
    _ samples: Int,
    _ body: (
      _ inputs: UnsafeMutablePointer<Float>,
      _ targets: UnsafeMutablePointer<Float>, _ codewords: UnsafeMutablePointer<Float>
    ) throws -> R
  ) rethrows -> R {
    let size = samples * max(set.sampleSize, set.targetSize)
    let memory = UnsafeMutablePointer<Float>.allocate(
      capacity: 2 * size + samples * codewordLength)
    defer { memory.deallocate() }
    return try body(memory, memory + size, memory + 2 * size)
  }

  func codewordEnergy(_ range: Range<Int>) throws -> Double {
    try withMemory(range.count) { inputs, targets, codewords in
      try encode(range, inputs, targets, codewords)
      let count = range.count * codewordLength
      return CodewordNoise.meanSquare(codewords, count: count) * Double(count)
    }
  }

  func errors(_ range: Range<Int>, meanSquare: Double) throws -> ErrorTotals {
    try withMemory(range.count) { inputs, targets, codewords in
      try encode(range, inputs, targets, codewords)
      let clean = sent(codewords, count: range.count)
      for step in steps {
        let pass = CodewordPass(
          domain: domain, epoch: 0, first: range.lowerBound, samples: range.count,
          length: codewordLength, power: step.needsPower ? meanSquare : nil)
        _ = step.forward(codewords, pass)
      }
      let lost = CodewordPass.clearLost(codewords, samples: range.count, length: codewordLength)
      // The inputs are no longer needed: their memory takes the reconstructions.
      clean.withUnsafeBufferPointer { clean in
        let received = UnsafePointer(codewords)
        decoder.run(
          clean.isEmpty ? [received] : [received, clean.baseAddress!], count: range.count,
          into: [inputs])
      }
      for sample in lost {
        (inputs + sample * set.targetSize).update(
          repeating: Float(set.centre), count: set.targetSize)
      }
      var partial = ErrorTotals()
      for sample in 0..<range.count {
        let (target, output) = (
          targets + sample * set.targetSize, inputs + sample * set.targetSize
        )
        if let directions {
          partial.addDirections(target, output, directions)
        } else {
          partial.add(target, output, count: set.targetSize, centre: set.centre)
        }
      }
      return partial
    }
  }
}
