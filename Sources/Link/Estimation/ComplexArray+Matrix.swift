import ComplexModule
import LinkMath

/// Matrices [row, column].
extension Tensor where Element == ComplexFloat {
  /// The product of two matrices.
  func times(_ other: ComplexArray) -> ComplexArray {
    var result = ComplexArray(repeating: .zero, shape: [shape[0], other.shape[1]])
    addProduct(other, to: &result)
    return result
  }

  /// Adds the product with another matrix.
  func addProduct(_ other: ComplexArray, to result: inout ComplexArray) {
    let (m, k, n) = (shape[0], shape[1], other.shape[1])
    precondition(other.shape[0] == k && result.shape == [m, n])
    guard m > 0, n > 0, k > 0 else { return }
    withUnsafeElements { a in
      other.withUnsafeElements { b in
        result.withUnsafeMutableElements { c in
          MatrixProduct.multiply(
            m: m, n: n, k: k, a.baseAddress!, lda: k, .none, b.baseAddress!, ldb: n,
            into: c.baseAddress!, ldc: n, adding: true)
        }
      }
    }
  }

  /// The conjugate transpose.
  var adjoint: ComplexArray {
    let (rows, columns) = (shape[0], shape[1])
    var result = ComplexArray(uninitialized: [columns, rows])
    withUnsafeElements { source in
      result.withUnsafeMutableElements { target in
        for i in 0..<rows {
          for j in 0..<columns { target[j * rows + i] = source[i * columns + j].conjugate }
        }
      }
    }
    return result
  }

  /// Rows 0, step, 2 step, ...
  func rows(every step: Int) -> ComplexArray {
    guard step > 1 else { return self }
    let (rows, columns) = (shape[0] / step, shape[1])
    var result = ComplexArray(uninitialized: [rows, columns])
    withUnsafeElements { source in
      result.withUnsafeMutableElements { target in
        for i in target.indices { target[i] = source[i / columns * step * columns + i % columns] }
      }
    }
    return result
  }

  /// Each entry times a factor of its own, or all by one.
  func scaled(each factors: [Float]) -> ComplexArray {
    var result = self
    result.withUnsafeMutableElements { values in
      for i in values.indices {
        let factor = factors[factors.count == 1 ? 0 : i]
        values[i] = ComplexFloat(values[i].real * factor, values[i].imaginary * factor)
      }
    }
    return result
  }

  func scaled(by factor: Float) -> ComplexArray { scaled(each: [factor]) }

  /// Re and im along a new last axis.
  var planes: RealArray {
    RealArray(elements.flatMap { [$0.real, $0.imaginary] }, shape: shape + [2])
  }

  init(planes: RealArray) {
    let values = planes.elements
    self.init(
      (0..<values.count / 2).map { ComplexFloat(values[2 * $0], values[2 * $0 + 1]) },
      shape: planes.shape.dropLast())
  }

  /// The matrix with columns of zeros behind its own.
  func padded(columns: Int) -> ComplexArray {
    let (rows, own) = (shape[0], shape[1])
    let values = elements
    return ComplexArray(
      (0..<rows * columns).map {
        $0 % columns < own ? values[$0 / columns * own + $0 % columns] : .zero
      }, shape: [rows, columns])
  }
}

extension Complex<Float> {
  var inDouble: Complex<Double> { Complex<Double>(Double(real), Double(imaginary)) }
}

extension Complex<Double> {
  var inSingle: ComplexFloat { ComplexFloat(Float(real), Float(imaginary)) }
}
