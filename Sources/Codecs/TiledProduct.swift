import LinkMath

/// Matrix products of drops with a fixed matrix, whose rows do not depend on how many drops there are.
///
/// BLAS picks its kernels by the shape of the product, and different kernels round differently. Every product here has
/// the same number of rows, the last one padded with zeros, so a drop's result is the same in any block.
package enum TiledProduct {
  package static let rowCount = 32

  /// C = A · op(B), A [drop, k], op(B) [k, n].
  ///
  /// - Parameter transposed: B is stored as [n, k].
  /// - Returns: C [drop, n].
  /// - Complexity: 2 k n floating-point operations for each drop, drops rounded up to a multiple of 32.
  package static func multiply(_ a: RealArray, _ b: RealArray, transposed: Bool = false)
    -> RealArray
  {
    let (drops, k) = (a[dimension: 0], a[dimension: 1])
    let n = b[dimension: transposed ? 0 : 1]
    b.requireShape(transposed ? [n, k] : [k, n], transposed ? "[n, k]" : "[k, n]")
    var c = RealArray(uninitialized: [drops, n])
    let whole = drops / rowCount * rowCount
    b.withUnsafeElements { b in
      func product(_ a: UnsafePointer<Float>, _ c: UnsafeMutablePointer<Float>) {
        BLAS.multiply(
          m: rowCount, n: n, k: k, a, lda: k, .none, b.baseAddress!, ldb: transposed ? k : n,
          transposed ? .transpose : .none, into: c, ldc: n)
      }
      a.withUnsafeElements { a in
        c.withUnsafeMutableElements { c in
          for row in stride(from: 0, to: whole, by: rowCount) {
            product(a.baseAddress! + row * k, c.baseAddress! + row * n)
          }
          guard whole < drops else { return }
          var padded = RealArray(repeating: 0, shape: [rowCount, k])
          var result = RealArray(uninitialized: [rowCount, n])
          padded.withUnsafeMutableElements { padded in
            _ = padded.update(fromContentsOf: a[(whole * k)...])
            result.withUnsafeMutableElements { result in
              product(padded.baseAddress!, result.baseAddress!)
              _ = UnsafeMutableBufferPointer(rebasing: c[(whole * n)...])
                .update(fromContentsOf: result[..<((drops - whole) * n)])
            }
          }
        }
      }
    }
    return c
  }
}
