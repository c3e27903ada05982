import Foundation
import LinkMath
import Parts

/// Finds CSI of which few random projections are known. Drops do not depend on each other.
struct SparseRecovery {
  /// What is preferred among all that explains the projections.
  enum Prior: String, Choice {
    /// Few values: the sum of the magnitudes.
    case lasso
    /// Few edges: the sum of the lengths of the differences to the next row and column.
    case total_variation
  }

  /// A [real, measurement] and Aᵀ [measurement, real] as factors of rows; `A Aᵀ = I`.
  let measure, project: PackedMatrix
  /// Rows and columns of each of the two planes of a drop.
  let rows, columns: Int
  /// λ as a share of `max |Aᵀ s|`.
  let penalty: Float
  let iterations: Int

  private var plane: Int { rows * columns }

  /// - Parameter codewords: s [drop, measurement].
  /// - Returns: x [drop, real].
  func solve(_ codewords: RealArray, _ prior: Prior) -> RealArray {
    let first = project.multiply(codewords)
    let weights = weights(first)
    switch prior {
    case .lasso: return sparse(first, weights)
    case .total_variation: return flat(first, weights)
    }
  }

  /// λ of each drop.
  private func weights(_ projected: RealArray) -> [Float] {
    let size = projected.rowStride
    return projected.withUnsafeElements { values in
      (0..<values.count / size).map { drop in
        penalty * values[drop * size..<(drop + 1) * size].reduce(0) { max($0, abs($1)) }
      }
    }
  }

  /// How many times λ a step has: from a third of `max |Aᵀ s|` evenly in its logarithm down to once at the half, because a strong prior gets
  /// to its solution in few steps, from which the next begins.
  private func excess(_ iteration: Int) -> Float {
    let left = 1 - 2 * Float(iteration) / Float(iterations)
    return left > 0 && penalty < 0.3 ? pow(0.3 / penalty, left) : 1
  }

  /// `Aᵀ A x - Aᵀ s`, the gradient of half the squared error.
  private func gradient(_ x: RealArray, _ projected: RealArray) -> RealArray {
    var gradient = project.multiply(measure.multiply(x))
    gradient.withUnsafeMutableElements { gradient in
      projected.withUnsafeElements { projected in
        for i in gradient.indices { gradient[i] -= projected[i] }
      }
    }
    return gradient
  }

  /// FISTA: A. Beck, M. Teboulle, A Fast Iterative Shrinkage-Thresholding Algorithm for Linear Inverse Problems, 2009. The largest eigenvalue of
  /// AᵀA is 1, which is the step.
  private func sparse(_ projected: RealArray, _ weights: [Float]) -> RealArray {
    let size = projected.rowStride
    var x = RealArray([Float](repeating: 0, count: projected.count), shape: projected.shape)
    var (ahead, momentum) = (x, Float(1))
    for iteration in 0..<iterations {
      let gradient = gradient(ahead, projected)
      let excess = excess(iteration)
      let root: Float = (1 + 4 * momentum * momentum).squareRoot()
      let next: Float = (1 + root) / 2
      let share = (momentum - 1) / next
      momentum = next
      x.withUnsafeMutableElements { x in
        ahead.withUnsafeMutableElements { ahead in
          gradient.withUnsafeElements { gradient in
            for (drop, final) in weights.enumerated() {
              let weight = excess * final
              for i in drop * size..<(drop + 1) * size {
                let value = ahead[i] - gradient[i]
                let shrunk = value - min(max(value, -weight), weight)
                ahead[i] = shrunk + share * (shrunk - x[i])
                x[i] = shrunk
              }
            }
          }
        }
      }
    }
    return x
  }

  /// Primal and dual steps by turns: L. Condat, A Primal-Dual Splitting Method for Convex Optimization Involving Lipschitzian, Proximable and
  /// Linear Composite Terms, 2013, and B. C. Vũ, 2013. With `|∇|² <= 8`, `1/τ - 8 σ >= 1/2` holds.
  private func flat(_ projected: RealArray, _ weights: [Float]) -> RealArray {
    let (tau, sigma): (Float, Float) = (0.5, 0.1875)
    var (x, ahead) = (projected, projected)
    // Of the differences to the next row, and to the next column.
    let zeros = RealArray(
      [Float](repeating: 0, count: projected.count), shape: projected.shape)
    var (downs, rights) = (zeros, zeros)
    for iteration in 0..<iterations {
      let gradient = gradient(x, projected)
      let excess = excess(iteration)
      x.withUnsafeMutableElements { x in
        ahead.withUnsafeMutableElements { ahead in
          gradient.withUnsafeElements { gradient in
            downs.withUnsafeMutableElements { down in
              rights.withUnsafeMutableElements { right in
                lower(x, ahead, gradient, down, right, tau)
                raise(down, right, ahead, weights.map { excess * $0 }, sigma)
              }
            }
          }
        }
      }
    }
    return x
  }

  /// `x - τ (Aᵀ (A x - s) + ∇ᵀ p)`, and as far again beyond it.
  private func lower(
    _ x: UnsafeMutableBufferPointer<Float>, _ ahead: UnsafeMutableBufferPointer<Float>,
    _ gradient: UnsafeBufferPointer<Float>, _ down: UnsafeMutableBufferPointer<Float>,
    _ right: UnsafeMutableBufferPointer<Float>, _ tau: Float
  ) {
    for first in stride(from: 0, to: x.count, by: plane) {
      for i in 0..<plane {
        let (place, column) = (first + i, i % columns)
        let divergence =
          down[place] + right[place] - (i >= columns ? down[place - columns] : 0)
          - (column > 0 ? right[place - 1] : 0)
        let value = x[place] - tau * (gradient[place] - divergence)
        ahead[place] = 2 * value - x[place]
        x[place] = value
      }
    }
  }

  /// `p + σ ∇x`, cut to the length λ.
  private func raise(
    _ down: UnsafeMutableBufferPointer<Float>, _ right: UnsafeMutableBufferPointer<Float>,
    _ x: UnsafeMutableBufferPointer<Float>, _ weights: [Float], _ sigma: Float
  ) {
    for first in stride(from: 0, to: x.count, by: plane) {
      // A drop has two planes.
      let weight = weights[first / (2 * plane)]
      for i in 0..<plane {
        let (place, column) = (first + i, i % columns)
        // Beyond the last row and column there is no difference.
        let a = i + columns < plane ? down[place] + sigma * (x[place + columns] - x[place]) : 0
        let b = column + 1 < columns ? right[place] + sigma * (x[place + 1] - x[place]) : 0
        let length = (a * a + b * b).squareRoot()
        let factor = length > weight ? weight / length : 1
        (down[place], right[place]) = (factor * a, factor * b)
      }
    }
  }
}
