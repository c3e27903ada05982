import CKernels
import ComplexModule

/// Dense single-precision products whose bits do not depend on how the work is divided.
///
/// Every element is one chain of multiply-adds over the inner index in ascending order, so a row of the result is the
/// same in any matrix, at any place of it and on any thread: a drop does not depend on its block. The chains are
/// fused on AVX2, AVX-512 and NEON, which therefore agree to the bit.
public enum MatrixProduct {
  /// What a factor is before the product: op(X) = X, Xᵀ or Xᴴ.
  public enum Operation: Sendable {
    /// X.
    case none
    /// Xᵀ.
    case transpose
    /// Xᴴ.
    case conjugateTranspose

    fileprivate var flags: Int32 {
      switch self {
      case .none: 0
      case .transpose: Int32(CSK_TRANSPOSE)
      case .conjugateTranspose: Int32(CSK_TRANSPOSE | CSK_CONJUGATE)
      }
    }
  }

  /// C = op(A) · op(B), or C += op(A) · op(B), on row-major complex matrices: C [m, n], op(A) [m, k], op(B) [k, n].
  ///
  /// - Parameters:
  ///   - m: rows of C.
  ///   - n: columns of C.
  ///   - k: terms of each sum.
  ///   - a: A as it is stored.
  ///   - lda: values between stored rows of A.
  ///   - opA: what A is in the product.
  ///   - b: B as it is stored.
  ///   - ldb: values between stored rows of B.
  ///   - opB: what B is in the product.
  ///   - c: C.
  ///   - ldc: values between rows of C.
  ///   - adding: adds to C, which must not overlap A or B.
  /// - Complexity: 8 m n k floating-point operations.
  public static func multiply(
    m: Int, n: Int, k: Int, _ a: UnsafePointer<ComplexFloat>, lda: Int, _ opA: Operation,
    _ b: UnsafePointer<ComplexFloat>, ldb: Int, _ opB: Operation = .none,
    into c: UnsafeMutablePointer<ComplexFloat>, ldc: Int, adding: Bool = false
  ) {
    let (a, b) = (UnsafeRawPointer(a), UnsafeRawPointer(b))
    let (x, y) = (a.assumingMemoryBound(to: Float.self), b.assumingMemoryBound(to: Float.self))
    let z = UnsafeMutableRawPointer(c).assumingMemoryBound(to: Float.self)
    if opA == .none, opB == .none, m <= fewRows {
      csk_product_few_rows_complex(m, n, k, x, lda, y, ldb, z, ldc, adding ? 1 : 0)
      return
    }
    withPacked(csk_product_packed_count(2 * k, 2 * n)) { packed in
      csk_product_pack_complex(k, n, y, ldb, opB.flags, packed)
      csk_product_complex(m, n, k, x, lda, opA.flags, packed, z, ldc, adding ? 1 : 0)
    }
  }

  /// C = bias + A · op(B) with the same bias [n] in each row, on row-major real matrices: C [m, n], A [m, k], op(B) [k, n].
  ///
  /// - Complexity: 2 m n k floating-point operations.
  public static func multiply(
    m: Int, n: Int, k: Int, _ a: UnsafePointer<Float>, lda: Int, _ b: UnsafePointer<Float>,
    ldb: Int, _ opB: Operation, bias: UnsafePointer<Float>, into c: UnsafeMutablePointer<Float>,
    ldc: Int
  ) {
    withPacked(csk_product_packed_count(k, n)) { packed in
      csk_product_pack(k, n, b, ldb, opB == .none ? 0 : 1, packed)
      csk_product_part(m, n, k, a, lda, packed, k, bias, c, ldc)
    }
  }

  /// C = op(A) · op(B), or C += op(A) · op(B), on row-major real matrices: C [m, n], op(A) [m, k], op(B) [k, n].
  ///
  /// - Complexity: 2 m n k floating-point operations.
  public static func multiply(
    m: Int, n: Int, k: Int, _ a: UnsafePointer<Float>, lda: Int, _ opA: Operation,
    _ b: UnsafePointer<Float>, ldb: Int, _ opB: Operation = .none,
    into c: UnsafeMutablePointer<Float>, ldc: Int, adding: Bool = false
  ) {
    if opA == .none, opB == .none, m <= fewRows {
      csk_product_few_rows(m, n, k, a, lda, b, ldb, c, ldc, adding ? 1 : 0)
      return
    }
    withPacked(csk_product_packed_count(k, n)) { packed in
      csk_product_pack(k, n, b, ldb, opB == .none ? 0 : 1, packed)
      csk_product(m, n, k, a, lda, opA == .none ? 0 : 1, packed, c, ldc, adding ? 1 : 0)
    }
  }

  /// Adds Aᵀ A to the symmetric C [n, n], of which the lower triangle is kept; A is [k, n], row-major.
  ///
  /// - Complexity: a little over n² k floating-point operations.
  public static func addGram(
    n: Int, k: Int, _ a: UnsafePointer<Float>, into c: UnsafeMutablePointer<Float>
  ) {
    // Bands of rows, each up to the diagonal's end.
    let band = 256
    withPacked(csk_product_packed_count(k, n)) { packed in
      csk_product_pack(k, n, a, n, 0, packed)
      for row in stride(from: 0, to: n, by: band) {
        let rows = min(band, n - row)
        csk_product(rows, row + rows, k, a + row, n, 1, packed, c + row * n, n, 1)
      }
    }
  }

  private static let fewRows = Int(CSK_FEW_ROWS)

  private static func withPacked(_ count: Int, _ body: (UnsafeMutablePointer<Float>) -> Void) {
    var memory = RealArray(uninitialized: [count])
    memory.withUnsafeMutableElements { body($0.baseAddress!) }
  }
}

/// A fixed real matrix B [k, n], reordered once for products with many left-hand sides.
public struct PackedMatrix: Sendable {
  /// Rows k and columns n of B.
  public let rowCount, columnCount: Int
  private let packed: RealArray

  /// - Parameters:
  ///   - matrix: B [k, n]; [n, k] if `transposed`.
  ///   - transposed: whether Bᵀ is given.
  public init(_ matrix: RealArray, transposed: Bool = false) {
    precondition(matrix.shape.count == 2)
    let (k, n) = (
      matrix[dimension: transposed ? 1 : 0], matrix[dimension: transposed ? 0 : 1]
    )
    (rowCount, columnCount) = (k, n)
    var packed = RealArray(uninitialized: [csk_product_packed_count(k, n)])
    matrix.withUnsafeElements { matrix in
      packed.withUnsafeMutableElements {
        csk_product_pack(
          k, n, matrix.baseAddress!, transposed ? k : n, transposed ? 1 : 0, $0.baseAddress!)
      }
    }
    self.packed = packed
  }

  /// A · B, [row, n], for rows A [row, k]; as ``MatrixProduct``, a row does not depend on the others.
  ///
  /// - Complexity: 2 k n floating-point operations for each row.
  public func multiply(_ rows: RealArray) -> RealArray {
    rows.requireShape([nil, rowCount], "[row, k]")
    let count = rows[dimension: 0]
    var result = RealArray(uninitialized: [count, columnCount])
    rows.withUnsafeElements { rows in
      packed.withUnsafeElements { packed in
        result.withUnsafeMutableElements {
          csk_product(
            count, columnCount, rowCount, rows.baseAddress!, rowCount, 0, packed.baseAddress!,
            $0.baseAddress!, columnCount, 0)
        }
      }
    }
    return result
  }

  /// Bytes that the packed matrix occupies.
  public var memoryBytes: Int { packed.count * MemoryLayout<Float>.stride }
}
