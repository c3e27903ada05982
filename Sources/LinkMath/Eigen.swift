import COpenBLAS
import ComplexModule
import RealModule

/// A decomposition that LAPACK could not finish (non-finite input).
public struct DecompositionError: Error, Sendable, CustomStringConvertible {
  public let routine: String
  public let code: Int
  public var description: String {
    "\(routine) failed with code \(code); does the matrix hold non-finite values?"
  }
}

public enum Eigen {
  /// The largest eigenvalues of a real symmetric matrix and their eigenvectors, by LAPACK's ssyevr.
  ///
  /// - Parameters:
  ///   - matrix: [n, n], only the lower triangle is read.
  ///   - count: how many, at most n.
  /// - Returns: eigenvalues descending [count] and unit eigenvectors as rows [count, n]. The sign of each vector is
  ///   fixed by making its entry of largest modulus positive.
  /// - Complexity: O(n³).
  public static func symmetric(_ matrix: RealArray, largest count: Int) throws
    -> (values: [Float], vectors: RealArray)
  {
    let n = matrix[dimension: 0]
    matrix.requireShape([n, n], "[row, column]")
    precondition((1...n).contains(count))
    var a = matrix
    var values = [Float](repeating: 0, count: n)
    var vectors = RealArray(uninitialized: [count, n])
    var support = [Int32](repeating: 0, count: 2 * n)
    var order = Int32(n)
    var first = Int32(n - count + 1)
    var last = Int32(n)
    var bound: Float = 0
    var tolerance: Float = 0
    var found: Int32 = 0
    var info: Int32 = 0
    var workSize: Int32 = -1
    var integerSize: Int32 = -1
    var work: [Float] = [0]
    var integers: [Int32] = [0]
    // Row-major lower is column-major upper. The first call asks for the workspace.
    for _ in 0..<2 {
      a.withUnsafeMutableElements { a in
        vectors.withUnsafeMutableElements { z in
          ssyevr_(
            "V", "I", "U", &order, a.baseAddress, &order, &bound, &bound, &first, &last, &tolerance,
            &found, &values, z.baseAddress, &order, &support, &work, &workSize, &integers,
            &integerSize, &info, 1, 1, 1)
        }
      }
      guard info == 0 else { throw DecompositionError(routine: "ssyevr", code: Int(info)) }
      if workSize == -1 {
        workSize = Int32(work[0])
        integerSize = integers[0]
        work = [Float](repeating: 0, count: Int(workSize))
        integers = [Int32](repeating: 0, count: Int(integerSize))
      }
    }
    guard found == count else { throw DecompositionError(routine: "ssyevr", code: Int(found)) }
    return (Array(values[0..<count].reversed()), reversedRows(vectors, fixingSigns: true))
  }

  private static func reversedRows(_ rows: RealArray, fixingSigns: Bool) -> RealArray {
    let (count, n) = (rows[dimension: 0], rows[dimension: 1])
    var result = RealArray(uninitialized: [count, n])
    rows.withUnsafeElements { source in
      result.withUnsafeMutableElements { target in
        for row in 0..<count {
          let from = source[(count - 1 - row) * n..<(count - row) * n]
          let peak = from.max { abs($0) < abs($1) }!
          let sign: Float = fixingSigns && peak < 0 ? -1 : 1
          for (i, value) in from.enumerated() { target[row * n + i] = sign * value }
        }
      }
    }
    return result
  }

  /// All eigenvalues, ascending, and eigenvectors of a Hermitian matrix in double precision, by LAPACK's zheev.
  ///
  /// - Parameter matrix: n × n entries row-major; only the lower triangle is read.
  /// - Returns: eigenvectors as rows: `matrix · v = λ v` with `v` the row.
  /// - Complexity: O(n³).
  public static func hermitian(_ matrix: [Complex<Double>], order n: Int) throws
    -> (values: [Double], vectors: [[Complex<Double>]])
  {
    precondition(matrix.count == n * n)
    // Row-major lower read as column-major is the conjugate matrix's upper triangle: its eigenvectors are conjugates.
    var a = matrix
    var values = [Double](repeating: 0, count: n)
    var real = [Double](repeating: 0, count: max(1, 3 * n - 2))
    var order = Int32(n)
    var workSize = Int32(max(1, 33 * n))
    var work = [Complex<Double>](repeating: 0, count: Int(workSize))
    var info: Int32 = 0
    a.withUnsafeMutableBytes { a in
      work.withUnsafeMutableBytes { work in
        zheev_(
          "V", "U", &order, a.baseAddress!.assumingMemoryBound(to: Double.self), &order, &values,
          work.baseAddress!.assumingMemoryBound(to: Double.self), &workSize, &real, &info, 1, 1)
      }
    }
    guard info == 0 else { throw DecompositionError(routine: "zheev", code: Int(info)) }
    let vectors = (0..<n).map { k in (0..<n).map { a[k * n + $0].conjugate } }
    return (values, vectors)
  }
}
