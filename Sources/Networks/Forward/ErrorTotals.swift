import Foundation

/// Error of reconstructions against what they reconstruct, 0.5 being no energy unless another value is given.
///
/// With `x' = x - 0.5`, NMSE is the mean over samples of `||y' - x'||² / ||x'||²`. Samples
/// without energy are counted and left out.
public struct ErrorTotals: Sendable, Equatable {
  /// Samples with energy.
  public private(set) var sampleCount = 0
  /// Samples that are 0.5 everywhere.
  public private(set) var silentCount = 0
  /// Sum of `(y - x)²` over all values, samples without energy included.
  public private(set) var squaredError = 0.0
  private var ratios = 0.0
  private var errors = 0.0
  private var energies = 0.0

  /// No samples yet.
  public init() {}

  /// Adds one sample of `count` values.
  ///
  /// - Parameters:
  ///   - reference: what is reconstructed.
  ///   - output: its reconstruction.
  ///   - count: values.
  ///   - centre: the value that has no energy.
  /// - Complexity: O(count), sums in Double.
  public mutating func add(
    _ reference: UnsafePointer<Float>, _ output: UnsafePointer<Float>, count: Int,
    centre: Double = 0.5
  ) {
    var (error, energy) = (0.0, 0.0)
    for i in 0..<count {
      let difference = Double(output[i]) - Double(reference[i])
      let centred = Double(reference[i]) - centre
      error += difference * difference
      energy += centred * centred
    }
    squaredError += error
    guard energy > 0 else {
      silentCount += 1
      return
    }
    sampleCount += 1
    ratios += error / energy
    errors += error
    energies += energy
  }

  /// Adds one sample of which only the directions count: its ratio is the mean over the delay rows with energy of `1 - SGCS`, what
  /// the best complex gain of each row leaves of its error.
  ///
  /// - Parameters:
  ///   - reference: what is reconstructed.
  ///   - output: its reconstruction.
  ///   - image: `[2, angle, delay]` of the sample.
  public mutating func addDirections(
    _ reference: UnsafePointer<Float>, _ output: UnsafePointer<Float>, _ image: Shape
  ) {
    for i in 0..<image.count {
      let difference = Double(output[i]) - Double(reference[i])
      squaredError += difference * difference
    }
    let rows = Cosine.rows(reference, output, image).filter { $0.energy > 0 }
    guard !rows.isEmpty else {
      silentCount += 1
      return
    }
    sampleCount += 1
    let lost = rows.reduce(0.0) { $0 + 1 - $1.squared } / Double(rows.count)
    ratios += lost
    errors += lost
    energies += 1
  }

  /// Adds one sample.
  public mutating func add(_ reference: ArraySlice<Float>, _ output: ArraySlice<Float>) {
    precondition(reference.count == output.count, "a reconstruction has the size of its reference")
    reference.withUnsafeBufferPointer { reference in
      output.withUnsafeBufferPointer { output in
        guard let first = reference.baseAddress, let second = output.baseAddress else { return }
        add(first, second, count: reference.count)
      }
    }
  }

  /// Adds the samples of another sum.
  public mutating func add(_ other: ErrorTotals) {
    sampleCount += other.sampleCount
    silentCount += other.silentCount
    squaredError += other.squaredError
    ratios += other.ratios
    errors += other.errors
    energies += other.energies
  }

  /// Mean over samples of the ratios, linear; nil without a sample that has energy.
  public var nmse: Double? { sampleCount > 0 ? ratios / Double(sampleCount) : nil }

  /// Sum of the errors over the sum of the energies, linear.
  public var ratioOfSums: Double? { sampleCount > 0 ? errors / energies : nil }
}
