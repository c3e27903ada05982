import CKernels
import CLAPACK
import ComplexModule
import RealModule

/// A decomposition that could not be finished: non-finite values in the matrix.
public struct DecompositionError: Error, Sendable, CustomStringConvertible {
  /// What keeps the matrix from being decomposed.
  public let reason: String
  /// - Parameter reason: what keeps the matrix from being decomposed.
  public init(reason: String) { self.reason = reason }

  /// The reason as a sentence for the user.
  public var description: String { "cannot decompose a matrix: \(reason)" }
}

/// Eigenvalues and eigenvectors of Hermitian matrices in double precision.
///
/// Householder reduction to a tridiagonal matrix and the way back are kernels of this package; between them LAPACK's
/// dstemr (I. S. Dhillon, B. N. Parlett, C. Vömel, ACM Trans. Math. Softw. 32 (2006) 533,
/// doi:10.1145/1186785.1186788) finds the eigenpairs of the tridiagonal one in scalar arithmetic. So no step depends
/// on a BLAS library's choice of kernel. Where dstemr gives up, as it does on clusters of eigenvalues far below the
/// largest (data of low rank), LAPACK's dsteqr, the implicit QL method, does the same in about 3 n³ rotations.
public enum Eigen {
  /// The largest eigenvalues of a real symmetric matrix and their eigenvectors.
  ///
  /// - Parameters:
  ///   - matrix: n × n entries row-major; only the lower triangle is read.
  ///   - n: the order.
  ///   - count: how many, at most n.
  /// - Returns: eigenvalues descending [count] and unit eigenvectors as rows [count, n]. The sign of each vector is
  ///   fixed by making its entry of largest modulus positive.
  /// - Complexity: 4/3 n³ + 2 n² · count multiply-adds.
  public static func symmetric(_ matrix: [Double], order n: Int, largest count: Int) throws
    -> (values: [Double], vectors: [[Double]])
  {
    precondition(matrix.count == n * n && (1...n).contains(count))
    guard matrix.allSatisfy(\.isFinite) else { throw nonFinite }
    var work = EigenWork(order: n, isComplex: false, count: count)
    for i in matrix.indices { work.re[i] = matrix[i] }
    let values = try work.decompose(count: count)
    let vectors = (0..<count).reversed().map { k in
      let row = (0..<n).map { work.zRe[k * n + $0] }
      let peak = row.max { abs($0) < abs($1) }!
      return peak < 0 ? row.map { -$0 } : row
    }
    return (values.reversed(), vectors)
  }

  /// Eigenvalues, ascending, and eigenvectors of a Hermitian matrix.
  ///
  /// - Parameters:
  ///   - matrix: n × n entries row-major; only the lower triangle is read.
  ///   - n: the order.
  ///   - count: the largest ones; all if left out.
  /// - Returns: eigenvectors as rows: `matrix · v = λ v` with `v` the row.
  /// - Complexity: 16/3 n³ + 8 n² · count multiply-adds.
  public static func hermitian(
    _ matrix: [Complex<Double>], order n: Int, largest count: Int? = nil
  ) throws -> (values: [Double], vectors: [[Complex<Double>]]) {
    let count = count ?? n
    precondition(matrix.count == n * n && (1...max(n, 1)).contains(count))
    guard matrix.allSatisfy(\.isFinite) else { throw nonFinite }
    var work = EigenWork(order: n, isComplex: true, count: count)
    for i in matrix.indices {
      work.re[i] = matrix[i].real
      work.im[i] = matrix[i].imaginary
    }
    let values = try work.decompose(count: count)
    let vectors = (0..<count).map { k in
      (0..<n).map { Complex(work.zRe[k * n + $0], work.zIm[k * n + $0]) }
    }
    return (values, vectors)
  }

  private static let nonFinite = DecompositionError(reason: "it holds values that are not finite")
}

/// Memory of one decomposition.
private struct EigenWork: ~Copyable {
  let n: Int
  let isComplex: Bool
  /// Planes [n, n] and eigenvectors [count, n].
  let re, im, zRe, zIm: UnsafeMutablePointer<Double>
  private let diagonal, offDiagonal, tauRe, tauIm, values, work: UnsafeMutablePointer<Double>
  private let memory: UnsafeMutablePointer<Double>

  init(order n: Int, isComplex: Bool, count: Int) {
    self.n = n
    self.isComplex = isComplex
    let (plane, vectors) = (n * n, count * n)
    let planes = isComplex ? 2 : 1
    // dstemr wants 18 n values of work; the reduction 6 n.
    let total = planes * (plane + vectors) + 5 * n + 18 * n
    memory = .allocate(capacity: total)
    memory.initialize(repeating: 0, count: total)
    re = memory
    im = isComplex ? re + plane : re
    zRe = re + planes * plane
    zIm = isComplex ? zRe + vectors : zRe
    diagonal = zRe + planes * vectors
    offDiagonal = diagonal + n
    tauRe = offDiagonal + n
    tauIm = tauRe + n
    values = tauIm + n
    work = values + n
  }

  deinit { memory.deallocate() }

  /// - Returns: the `count` largest eigenvalues, ascending; the vectors are left in `zRe` and `zIm`.
  mutating func decompose(count: Int) throws -> [Double] {
    let imaginary = isComplex ? im : nil
    csk_tridiagonalise(n, re, imaginary, diagonal, offDiagonal, tauRe, tauIm, work)
    try tridiagonal(count: count)
    csk_back_transform(n, re, imaginary, tauRe, tauIm, count, zRe, isComplex ? zIm : nil)
    return (0..<count).map { values[$0] }
  }

  /// Eigenvalues of the real tridiagonal matrix go to `values`, eigenvectors to `zRe`.
  private func tridiagonal(count: Int) throws {
    let copy = (0..<n).map { (diagonal[$0], offDiagonal[$0]) }
    if relativelyRobust(count: count) { return }
    for (i, entry) in copy.enumerated() { (diagonal[i], offDiagonal[i]) = entry }
    try implicitQL(count: count)
  }

  /// - Returns: false if dstemr found no representation of a cluster of eigenvalues.
  private func relativelyRobust(count: Int) -> Bool {
    var (order, first, last) = (Int32(n), Int32(n - count + 1), Int32(n))
    var (low, high) = (0.0, 0.0)
    var (found, columns, info): (Int32, Int32, Int32) = (0, Int32(count), 0)
    var tryRelative: Int32 = 1
    var support = [Int32](repeating: 0, count: 2 * count)
    var integers = [Int32](repeating: 0, count: 10 * n)
    var (workSize, integerSize) = (Int32(18 * n), Int32(10 * n))
    dstemr_(
      "V", count == n ? "A" : "I", &order, diagonal, offDiagonal, &low, &high, &first, &last,
      &found, values, zRe, &order, &columns, &support, &tryRelative, work, &workSize, &integers,
      &integerSize, &info, 1, 1)
    return info == 0 && found == columns
  }

  private func implicitQL(count: Int) throws {
    var (order, info): (Int32, Int32) = (Int32(n), 0)
    var vectors = [Double](repeating: 0, count: n * n)
    dsteqr_("I", &order, diagonal, offDiagonal, &vectors, &order, work, &info, 1)
    guard info == 0 else {
      throw DecompositionError(
        reason: "dsteqr left \(info) of \(n - 1) off-diagonal elements, dstemr gave up too")
    }
    let left = n - count
    for k in 0..<count {
      values[k] = diagonal[left + k]
      for i in 0..<n { zRe[k * n + i] = vectors[(left + k) * n + i] }
    }
  }
}
