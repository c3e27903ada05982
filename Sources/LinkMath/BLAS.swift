import COpenBLAS
import ComplexModule

/// Dense products by OpenBLAS, one thread per call: parallelism is over drops, and a product split over threads may
/// change its bits.
public enum BLAS {
  /// Pins OpenBLAS to the calling thread, once; every product goes through here first.
  private static let pinned: Void = openblas_set_num_threads(1)

  /// The kernel family OpenBLAS chose for this processor; results are bit-identical only within one family.
  public static var coreName: String {
    _ = pinned
    return openblas_get_corename().map { String(cString: $0) } ?? "unknown"
  }

  public enum Operation: Sendable {
    case none, transpose, conjugateTranspose
    var flag: CBLAS_TRANSPOSE {
      switch self {
      case .none: CblasNoTrans
      case .transpose: CblasTrans
      case .conjugateTranspose: CblasConjTrans
      }
    }
  }

  /// C = op(A) · op(B) + beta C on row-major complex matrices: C [m, n], op(A) [m, k], op(B) [k, n].
  ///
  /// - Complexity: 8 m n k floating-point operations.
  public static func multiply(
    m: Int, n: Int, k: Int, _ a: UnsafePointer<ComplexFloat>, lda: Int, _ opA: Operation,
    _ b: UnsafePointer<ComplexFloat>, ldb: Int, _ opB: Operation = .none,
    into c: UnsafeMutablePointer<ComplexFloat>, ldc: Int, beta: Float = 0
  ) {
    _ = pinned
    var one = ComplexFloat(1)
    var scale = ComplexFloat(beta)
    cblas_cgemm(
      CblasRowMajor, opA.flag, opB.flag, Int32(m), Int32(n), Int32(k), &one, a, Int32(lda), b,
      Int32(ldb), &scale, c, Int32(ldc))
  }

  /// C = op(A) · op(B) + beta C on row-major real matrices: C [m, n], op(A) [m, k], op(B) [k, n].
  ///
  /// - Complexity: 2 m n k floating-point operations.
  public static func multiply(
    m: Int, n: Int, k: Int, _ a: UnsafePointer<Float>, lda: Int, _ opA: Operation,
    _ b: UnsafePointer<Float>, ldb: Int, _ opB: Operation = .none,
    into c: UnsafeMutablePointer<Float>, ldc: Int, beta: Float = 0
  ) {
    _ = pinned
    cblas_sgemm(
      CblasRowMajor, opA.flag, opB.flag, Int32(m), Int32(n), Int32(k), 1, a, Int32(lda), b,
      Int32(ldb), beta, c, Int32(ldc))
  }

  /// Adds Aᵀ A to the lower triangle of the symmetric C [n, n]; A is [k, n], row-major.
  public static func addGram(
    n: Int, k: Int, _ a: UnsafePointer<Float>, into c: UnsafeMutablePointer<Float>
  ) {
    _ = pinned
    cblas_ssyrk(
      CblasRowMajor, CblasLower, CblasTrans, Int32(n), Int32(k), 1, a, Int32(n), 1, c, Int32(n))
  }
}
