import LinkMath
import Parts

/// Compressed sensing: random projections, of which the receiver finds the sparsest or flattest CSI that explains them.
///
/// With x = [Re h, Im h] the real CSI vector of size N = 2 · taps · angles, the codeword is `s = A x`. The rows of A [M, N] are drawn once from the
/// scenario's seed as a random orthonormal frame, `A Aᵀ = I`: directions of a Gaussian matrix. Nothing is learned, and the terminal needs no more
/// than the seed. The receiver solves
///
///     min over x of  |A x - s|² / 2 + λ |x|₁    (lasso)    or    |A x - s|² / 2 + λ sum |∇x|₂    (total_variation)
///
/// with λ the given share of `max |Aᵀ s|`, and ∇x the differences to the next delay and the next angle in each of the two planes.
///
/// Reference: D. L. Donoho, Compressed Sensing, 2006; as baselines of learned codecs C.-K. Wen, W.-T. Shih, S. Jin, Deep Learning for Massive MIMO
/// CSI Feedback, 2018.
public struct CompressedSensingCodec: CodewordCodec, Part {
  static let recovery = Parameter<SparseRecovery.Prior>.choice(
    "recovery", default: .lasso,
    "What the receiver prefers: lasso few values, total_variation few edges.")
  static let penalty = Parameter.number(
    "penalty", default: 0.003, in: 1e-9...1, "λ as a share of max |Aᵀ s|, below which all is 0.")
  static let iterations = Parameter.integer(
    "iterations", default: 300, in: 1...100_000, "Steps of the receiver.")

  public static let schema = PartSchema(
    .codec, "compressed_sensing",
    "Random projections of the angular-delay CSI, recovered as its sparsest or flattest explanation.",
    reference: "D. L. Donoho, Compressed Sensing, 2006",
    parameters: [
      CodewordSize.compression.declaration, CodewordSize.length.declaration,
      recovery.declaration, penalty.declaration, iterations.declaration,
    ])

  private let taps, angles: Int
  /// A [real, measurement] and Aᵀ [measurement, real] as factors of rows.
  private let measure, project: PackedMatrix
  private let prior: SparseRecovery.Prior
  private let penalty: Float
  private let iterations: Int

  /// A codec with the matrix of the scenario's seed.
  ///
  /// - Throws: `SettingsError` for a compression that does not divide, or none at all.
  public init(_ settings: Settings, in context: LinkContext, fitted: Artefact?) throws {
    (taps, angles) = (context.tapCount, context.portCount)
    precondition(taps > 0 && angles > 0, "a codec is made after the transform")
    let size = 2 * taps * angles
    let length = try CodewordSize.read(settings, realCount: size)
    guard length < size else {
      throw SettingsError(
        part: settings.part, key: CodewordSize.compression.key,
        reason: "must leave fewer than the \(size) reals of the CSI",
        hint: "'codec: none' sends all of them")
    }
    let seed = context.seed
    (measure, project) = try context.shared.object("random frame \(length) \(size) \(seed)") {
      let frame = RandomFrame.rows(length, of: size, seed: seed)
      return (PackedMatrix(frame, transposed: true), PackedMatrix(frame))
    }
    prior = settings[Self.recovery]
    penalty = Float(settings[Self.penalty])
    iterations = settings[Self.iterations]
  }

  public var codewordLength: Int { project.rowCount }
  public var memoryBytes: (shared: Int, perThread: Int) {
    // Of a drop: the estimate, its last and its next one, gradients and dual variables.
    (measure.memoryBytes + project.memoryBytes, 8 * 4 * project.columnCount)
  }

  /// - Complexity: 2 M N floating-point operations for each drop.
  public func encode(_ csi: ComplexArray) -> Codeword {
    csi.requireShape([nil, taps, angles], "[drop, delay, angle]")
    return Codeword(values: measure.multiply(RealPlanes.split(csi)))
  }

  /// - Complexity: 4 M N floating-point operations for each drop and iteration.
  public func decode(_ codeword: Codeword) -> ComplexArray {
    codeword.values.requireShape([nil, codewordLength], "[drop, M]")
    let recovery = SparseRecovery(
      measure: measure, project: project, rows: taps, columns: angles, penalty: penalty,
      iterations: iterations)
    return RealPlanes.merge(
      recovery.solve(codeword.values, prior), taps: taps, angles: angles)
  }
}

/// Random orthonormal rows.
package enum RandomFrame {
  /// The polar factor of a Gaussian matrix, `(G Gᵀ)^(-1/2) G`: uniform among all frames. A singular one is drawn again.
  ///
  /// - Returns: [row, column].
  /// - Complexity: 4 rows² columns floating-point operations for each of about 12 steps, more near a square matrix.
  package static func rows(_ rows: Int, of columns: Int, seed: UInt64) -> RealArray {
    var stream = StreamKey(
      seed: seed, domain: .initialisation, purpose: .selection, instance: 1
    ).stream(drop: 0)
    while true {
      let normal = RealArray(stream.normal(count: rows * columns), shape: [rows, columns])
      if let frame = polarFactor(normal) { return frame }
    }
  }

  /// By Newton's and Schulz's iteration `A <- 3/2 A - 1/2 A Aᵀ A`, which brings all singular values in (0, √3) to 1. It is made of products
  /// alone, which have the same bits on all processors with fused multiply-adds.
  ///
  /// - Returns: nil if a singular value is 0.
  private static func polarFactor(_ matrix: RealArray) -> RealArray? {
    let rows = matrix.shape[0]
    var frame = matrix
    // No singular value is above the root of the largest sum of a row of |G Gᵀ|.
    let bound = gram(frame).withUnsafeElements { gram in
      (0..<rows).reduce(Float(0)) { most, i in
        max(most, (0..<rows).reduce(Float(0)) { $0 + abs(gram[i * rows + $1]) })
      }
    }
    guard bound > 0 else { return nil }
    let scale = 1 / bound.squareRoot()
    frame.withUnsafeMutableElements { frame in
      for i in frame.indices { frame[i] *= scale }
    }
    for _ in 0..<60 {
      let gram = gram(frame)
      let deviation = gram.withUnsafeElements { gram in
        (0..<rows).reduce(Float(0)) { max($0, abs(gram[$1 * rows + $1] - 1)) }
      }
      let step = PackedMatrix(frame).multiply(gram)
      frame.withUnsafeMutableElements { frame in
        step.withUnsafeElements { step in
          for i in frame.indices { frame[i] = 1.5 * frame[i] - 0.5 * step[i] }
        }
      }
      if deviation < 1e-5 { return frame }
    }
    return nil
  }

  /// `A Aᵀ`, [row, row].
  private static func gram(_ frame: RealArray) -> RealArray {
    PackedMatrix(frame, transposed: true).multiply(frame)
  }
}
