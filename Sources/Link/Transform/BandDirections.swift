import ComplexModule
import LinkMath

/// The dominant right singular direction `vᴴ` of each band of `size` tones, [drop, band, port]; zero without energy.
///
/// With one UE antenna the covariance sum Hᴴ H has the eigenvectors of the Gram matrix of the stacked rows.
/// - Complexity: O(drops · (tones · ports² + bands · ports³)).
func dominantDirections(_ response: ComplexArray, size: Int) throws -> ComplexArray {
  let (drops, tones, ports) = (
    response[dimension: 0], response[dimension: 1], response[dimension: 2]
  )
  let bands = (tones + size - 1) / size
  var result = ComplexArray(uninitialized: [drops, bands, ports])
  var gram = ComplexArray(uninitialized: [ports, ports])
  try response.withUnsafeElements { source in
    try result.withUnsafeMutableElements { target in
      for drop in 0..<drops {
        for band in 0..<bands {
          let first = band * size
          let count = min(size, tones - first)
          let rows = source.baseAddress! + (drop * tones + first) * ports
          gram.withUnsafeMutableElements {
            MatrixProduct.multiply(
              m: ports, n: ports, k: count, rows, lda: ports, .conjugateTranspose, rows,
              ldb: ports, into: $0.baseAddress!, ldc: ports)
          }
          let matrix = gram.elements.map { Complex(Double($0.real), Double($0.imaginary)) }
          let (values, vectors) = try Eigen.hermitian(matrix, order: ports, largest: 1)
          // H w is largest for w the top eigenvector v of Hᴴ H; the direction is g = vᴴ.
          let energy = values[0]
          for port in 0..<ports {
            let v = vectors[0][port]
            target[(drop * bands + band) * ports + port] =
              energy > 0 ? ComplexFloat(Float(v.real), Float(-v.imaginary)) : .zero
          }
        }
      }
    }
  }
  return result
}

/// The row of each band on all its tones: [drop, band, port] to [drop, tone, port].
func repeatRows(_ rows: ComplexArray, size: Int, tones: Int) -> ComplexArray {
  let (drops, bands, ports) = (rows[dimension: 0], rows[dimension: 1], rows[dimension: 2])
  precondition(bands == (tones + size - 1) / size)
  var result = ComplexArray(uninitialized: [drops, tones, ports])
  rows.withUnsafeElements { rows in
    result.withUnsafeMutableElements { result in
      for drop in 0..<drops {
        for tone in 0..<tones {
          (result.baseAddress! + (drop * tones + tone) * ports)
            .update(
              from: rows.baseAddress! + (drop * bands + tone / size) * ports, count: ports)
        }
      }
    }
  }
  return result
}
