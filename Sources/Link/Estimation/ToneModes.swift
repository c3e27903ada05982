import ComplexModule
import LinkMath

/// Finds the modes in which channels vary over the tones: eigenvectors u of the covariance K of the pilot tones, all ports
/// and drops together, carried on to all tones by `e = K_hp K_pp⁺ u`.
///
/// Only the products of the covariance with `count` test vectors are kept, `Y = K Ω`, from which the Nyström approximation
/// `Y (Ωᴴ Y)⁺ Yᴴ` follows: exact if the covariance has no more than so many modes. With as many test vectors as pilot tones Ω is
/// the identity, and Y the covariance itself; else its entries are independent Gaussian.
///
/// References: J. A. Tropp et al., "Fixed-rank approximation of a positive-semidefinite matrix from streaming data", NIPS
/// 2017; O. Edfors et al., IEEE Trans. Commun. 46 (1998) 931, doi:10.1109/26.701321 (low-rank LMMSE).
struct ToneModesSketch: Sendable {
  /// Eigenvalues below this share of the largest are made of the rounding of single precision.
  private static let floor = 3e-8

  private let toneSpacing: Int
  /// Ωᴴ, [test vector, pilot tone]; nil for the identity.
  private let tests: ComplexArray?
  /// Y on all tones, [tone, test vector].
  private var products: DoubleMatrix

  /// How many modes are looked for.
  static func count(tones: Int, toneSpacing: Int) -> Int { min(tones / toneSpacing, 128) }

  init(tones: Int, toneSpacing: Int) {
    let (count, pilots) = (Self.count(tones: tones, toneSpacing: toneSpacing), tones / toneSpacing)
    self.toneSpacing = toneSpacing
    products = DoubleMatrix(rows: tones, columns: count)
    guard count < pilots else {
      tests = nil
      return
    }
    var stream = StreamKey(seed: 0, domain: .fit, purpose: .initialisation).stream(drop: 0)
    var normal = ComplexArray(uninitialized: [count, pilots])
    normal.withUnsafeMutableFloats {
      stream.fillNormal(UnsafeMutableBufferPointer(start: $0, count: 2 * count * pilots), scale: 1)
    }
    tests = normal
  }

  /// Adds the response [tone, port] of a drop.
  ///
  /// - Complexity: O(tones · ports · modes).
  mutating func add(_ response: ComplexArray) {
    let pilots = response.rows(every: toneSpacing)
    products.add(response.times((tests?.times(pilots) ?? pilots).adjoint))
  }

  /// The modes on all tones, [tone, mode], orthonormal on the pilot tones; the strongest first.
  ///
  /// - Complexity: O(tones · modes²).
  func modes() throws -> ComplexArray {
    let onPilots = products.rows(every: toneSpacing)
    let small = tests.map { DoubleMatrix($0).times(onPilots) } ?? onPilots
    guard let root = try small.inverseRoot(floor: Self.floor) else {
      return ComplexArray(uninitialized: [products.rows, 0])
    }
    // K ≈ F Fᴴ; the eigenvectors of Fᴴ F turn F into modes.
    let factor = products.times(root)
    let factorOnPilots = factor.rows(every: toneSpacing)
    let gram = factorOnPilots.adjoint.times(factorOnPilots)
    guard let turn = try gram.inverseRoot(floor: Self.floor) else {
      return ComplexArray(uninitialized: [products.rows, 0])
    }
    return factor.times(turn).inSingle
  }
}

/// A complex matrix in double precision, row-major, for the few products of a fit.
struct DoubleMatrix: Sendable {
  let rows: Int
  let columns: Int
  private var values: [Complex<Double>]

  init(rows: Int, columns: Int) {
    (self.rows, self.columns) = (rows, columns)
    values = Array(repeating: .zero, count: rows * columns)
  }

  init(_ array: ComplexArray) {
    (rows, columns) = (array.shape[0], array.shape[1])
    values = array.elements.map(\.inDouble)
  }

  var inSingle: ComplexArray { ComplexArray(values.map(\.inSingle), shape: [rows, columns]) }

  var adjoint: DoubleMatrix {
    var result = DoubleMatrix(rows: columns, columns: rows)
    for i in result.values.indices {
      result.values[i] = values[i % rows * columns + i / rows].conjugate
    }
    return result
  }

  mutating func add(_ other: ComplexArray) {
    other.withUnsafeElements { for (i, value) in $0.enumerated() { values[i] += value.inDouble } }
  }

  /// Rows 0, step, 2 step, ...
  func rows(every step: Int) -> DoubleMatrix {
    var result = DoubleMatrix(rows: rows / step, columns: columns)
    for i in result.values.indices {
      result.values[i] = values[i / columns * step * columns + i % columns]
    }
    return result
  }

  func times(_ other: DoubleMatrix) -> DoubleMatrix {
    precondition(columns == other.rows)
    var result = DoubleMatrix(rows: rows, columns: other.columns)
    let n = other.columns
    result.values.withUnsafeMutableBufferPointer { c in
      other.values.withUnsafeBufferPointer { b in
        for i in 0..<rows {
          for k in 0..<columns {
            let a = values[i * columns + k]
            for j in 0..<n {
              let x = b[k * n + j]
              c[i * n + j] += Complex(
                a.real * x.real - a.imaginary * x.imaginary,
                a.real * x.imaginary + a.imaginary * x.real)
            }
          }
        }
      }
    }
    return result
  }

  /// `V D^{-1/2}` of a positive semidefinite matrix V D Vᴴ, for its eigenvalues above `floor` times the largest, which comes
  /// first; nil if there is none.
  func inverseRoot(floor: Double) throws -> DoubleMatrix? {
    let (eigenvalues, vectors) = try Eigen.hermitian(values, order: rows)
    guard let largest = eigenvalues.last, largest > 0 else { return nil }
    let kept = eigenvalues.indices.reversed().filter { eigenvalues[$0] > floor * largest }
    var result = DoubleMatrix(rows: rows, columns: kept.count)
    for (column, k) in kept.enumerated() {
      let scale = 1 / eigenvalues[k].squareRoot()
      for row in 0..<rows {
        result.values[row * kept.count + column] = vectors[k][row].multiplied(by: scale)
      }
    }
    return result
  }
}
