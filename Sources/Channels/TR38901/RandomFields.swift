import ComplexModule
import Foundation
import LinkMath

/// Gaussian random fields over the plane with autocorrelation `exp(-d / distance)`, by sums of sinusoids.
///
/// `g_f(x) = sqrt(2/N) Σ_i cos(2π k_i·x + φ_{f,i})`, N = 128. The radii of the wave vectors are quantiles of the spectrum of the
/// exponential autocorrelation in the plane, `P(|k| < K) = 1 - (1 + (2π distance K)²)^{-1/2}`; the phases are random, and
/// the fields of one object share the wave vectors. Memory is that of the phases; nothing is kept for positions.
package struct RandomFields: Sendable {
  private static let waveCount = 128

  /// Number of fields.
  package let count: Int
  /// Turns per metre.
  private let waves: [(x: Double, y: Double)]
  /// cos φ of all waves, then -sin φ, times the amplitude, [2 wave, field].
  private let phasors: RealArray

  /// - Parameters:
  ///   - distance: metres.
  ///   - sharpest: largest wave vector in units of `1 / distance` radians per metre; smaller is smoother. The autocorrelation then
  ///     lies a little above the exponential.
  package init(
    count: Int, distance: Double, sharpest: Double = .infinity, _ stream: RandomStream
  ) {
    var stream = stream
    self.count = count
    let waveCount = Self.waveCount
    let largest = 1 - 1 / (1 + sharpest * sharpest).squareRoot()
    let turn = stream.uniform()
    waves = (0..<waveCount).map { i in
      let quantile = largest * (Double(i) + 0.5) / Double(waveCount)
      let radius = (1 / ((1 - quantile) * (1 - quantile)) - 1).squareRoot()
      // Directions by the golden angle cover the circle evenly at every radius.
      let direction = Complex<Double>(turns: turn + Double(i) * 0.38196601125010515)
      let length = radius / (2 * .pi * distance)
      return (length * direction.real, length * direction.imaginary)
    }
    var phasors = RealArray(uninitialized: [2 * waveCount, count])
    let amplitude = (2 / Double(waveCount)).squareRoot()
    phasors.withUnsafeMutableElements { phasors in
      for i in 0..<waveCount * count {
        let phase = Complex<Double>(turns: stream.uniform())
        phasors[i] = Float(amplitude * phase.real)
        phasors[waveCount * count + i] = Float(-amplitude * phase.imaginary)
      }
    }
    self.phasors = phasors
  }

  /// All fields at a position in metres.
  ///
  /// - Complexity: O(fields · waves).
  package func values(x: Double, y: Double) -> [Double] {
    let waveCount = Self.waveCount
    return withUnsafeTemporaryAllocation(of: Float.self, capacity: 2 * waveCount + count) {
      memory in
      let angles = memory.baseAddress!
      for (i, wave) in waves.enumerated() {
        let unit = Complex<Double>(turns: wave.x * x + wave.y * y)
        angles[i] = Float(unit.real)
        angles[waveCount + i] = Float(unit.imaginary)
      }
      let sums = angles + 2 * waveCount
      phasors.withUnsafeElements { phasors in
        MatrixProduct.multiply(
          m: 1, n: count, k: 2 * waveCount, angles, lda: 2 * waveCount, .none,
          phasors.baseAddress!, ldb: count, into: sums, ldc: count)
      }
      return (0..<count).map { Double(sums[$0]) }
    }
  }
}

/// Values at the corners of a square lattice that belong to an environment, blended to smooth functions of position.
///
/// Corners draw from their own counter-based streams, so the lattice needs no memory.
struct Lattice: Sendable {
  /// The corners of the cell around a position.
  struct Corner {
    let number: Int
    /// The squares of the four weights add up to 1.
    let weight: Double
    /// Metres.
    let x, y: Double
  }

  let seed: UInt64
  /// Lattices with other numbers of streams are independent.
  let firstInstance: Int
  let spacing: Double

  /// The corners of the cell around a position that have a weight.
  func corners(x: Double, y: Double) -> [Corner] {
    let (column, row) = ((x / spacing).rounded(.down), (y / spacing).rounded(.down))
    let (u, v) = (x / spacing - column, y / spacing - row)
    // No slope at the corners.
    let (s, t) = (u * u * (3 - 2 * u), v * v * (3 - 2 * v))
    let across = [1 - s, s]
    let up = [1 - t, t]
    let norm = ((across[0] * across[0] + s * s) * (up[0] * up[0] + t * t)).squareRoot()
    var corners: [Corner] = []
    for i in 0..<2 {
      for j in 0..<2 where across[i] * up[j] > 0 {
        let (a, b) = (column + Double(i), row + Double(j))
        corners.append(
          Corner(
            number: Self.number(a, b), weight: across[i] * up[j] / norm, x: a * spacing,
            y: b * spacing))
      }
    }
    return corners
  }

  /// Repeats after 2^20 cells in each direction.
  private static func number(_ column: Double, _ row: Double) -> Int {
    let mask = 1 << 20 - 1
    return (Int(column) & mask) << 20 | (Int(row) & mask)
  }

  func stream(_ corner: Int, instance: Int) -> RandomStream {
    let instance = firstInstance + instance
    return StreamKey(seed: seed, domain: .run, purpose: .environment, instance: instance)
      .stream(drop: corner)
  }
}
