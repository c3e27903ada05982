import LinkMath

/// The encoder's dense layer of binary weights, and the best linear estimate of an image from what it gives.
///
/// With the weights `α sign(W)`, `s = α sign(W) x` keeps little of what the reals of W were, but what x is can still be told from it: of all matrices
/// `D = C Sᵀ (S C Sᵀ)⁻¹`, S the weights that are multiplied and C the second moment of x, loses least in `D s`.
struct SignEstimator {
  /// α.
  let scale: Float
  /// D as rows `[real, value of the image]`.
  let estimate: [[Double]]
  /// Root of the mean variance of the reals.
  let deviation: Float
  /// Variance of each value of an estimated image.
  let kept: [Double]

  /// Added to the diagonal of `S C Sᵀ`, as a share of its mean.
  private static let ridge = 1e-9

  /// - Parameters:
  ///   - weights: shadow weights as rows `[real, value]`, in [-1, 1].
  ///   - moment: C, row-major, of which the lower triangle is read.
  /// - Throws: `DecompositionError` if the moment is not positive definite by more than rounding.
  /// - Complexity: O(M n²) for M reals of an image of n values.
  init(_ weights: [[Float]], moment: [Double]) throws {
    let (count, size) = (weights.count, weights[0].count)
    scale = weights.flatMap { $0 }.withUnsafeBufferPointer { SignTensor.scale($0) }
    let scale = Double(scale)
    let signs = weights.map { $0.map { $0 < 0 ? -scale : scale } }
    // S C, then S C Sᵀ.
    let products = signs.map { Self.product($0, moment, size) }
    var gram = [[Double]](repeating: [], count: count)
    for i in 0..<count {
      gram[i] = (0...i).map { j in zip(products[i], signs[j]).reduce(0) { $0 + $1.0 * $1.1 } }
    }
    let mean = (0..<count).reduce(0) { $0 + gram[$1][$1] } / Double(count)
    for i in 0..<count { gram[i][i] += Self.ridge * mean }
    deviation = Float(mean.squareRoot())
    let estimate = try Self.solve(&gram, products)
    self.estimate = estimate
    var kept = [Double](repeating: 0, count: size)
    for (row, product) in zip(estimate, products) {
      for i in 0..<size { kept[i] += row[i] * product[i] }
    }
    self.kept = kept
  }

  /// `vector C` of a symmetric matrix.
  private static func product(_ vector: [Double], _ matrix: [Double], _ size: Int) -> [Double] {
    var result = [Double](repeating: 0, count: size)
    matrix.withUnsafeBufferPointer { matrix in
      for row in 0..<size {
        let (factor, line) = (vector[row], row * size)
        var sum = 0.0
        for column in 0..<row {
          result[column] += factor * matrix[line + column]
          sum += vector[column] * matrix[line + column]
        }
        result[row] += sum + factor * matrix[line + row]
      }
    }
    return result
  }

  /// The solution X of `A X = B` by Cholesky's decomposition.
  ///
  /// - Parameters:
  ///   - a: lower triangle of A; becomes its factor.
  ///   - b: rows of B.
  private static func solve(_ a: inout [[Double]], _ b: [[Double]]) throws -> [[Double]] {
    var rows = b
    for i in a.indices {
      for j in 0..<i {
        var sum = a[i][j]
        for k in 0..<j { sum -= a[i][k] * a[j][k] }
        a[i][j] = sum / a[j][j]
        add(-a[i][j], rows[j], to: &rows[i])
      }
      let square = a[i][i] - a[i][..<i].reduce(0) { $0 + $1 * $1 }
      guard square > 0 else {
        throw DecompositionError(reason: "what binary weights give of the images has no energy")
      }
      a[i][i] = square.squareRoot()
      scale(&rows[i], by: 1 / a[i][i])
    }
    for i in a.indices.reversed() {
      for j in i + 1..<max(a.count, i + 1) { add(-a[j][i], rows[j], to: &rows[i]) }
      scale(&rows[i], by: 1 / a[i][i])
    }
    return rows
  }

  private static func add(_ factor: Double, _ row: [Double], to target: inout [Double]) {
    for i in row.indices { target[i] += factor * row[i] }
  }

  private static func scale(_ row: inout [Double], by factor: Double) {
    for i in row.indices { row[i] *= factor }
  }
}
