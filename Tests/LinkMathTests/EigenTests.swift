import CKernels
import ComplexModule
import Foundation
import LinkMath
import RealModule
import TestSupport
import Testing

@Suite struct EigenTests {
  /// A random Hermitian matrix of full rank, or of the rank given.
  private func hermitian(_ n: Int, rank: Int? = nil, seed: UInt64 = 1) -> [Complex<Double>] {
    let rank = rank ?? n + 3
    let x = complexNormal([rank, n], seed: seed)
    var matrix = [Complex<Double>](repeating: .zero, count: n * n)
    for i in 0..<n {
      for j in 0..<n {
        for k in 0..<rank {
          let (a, b) = (x[k, i], x[k, j])
          matrix[i * n + j] +=
            Complex(Double(a.real), Double(a.imaginary))
            * Complex(Double(b.real), -Double(b.imaginary))
        }
      }
    }
    return matrix
  }

  private func check(_ matrix: [Complex<Double>], _ n: Int, count: Int) throws {
    let (values, vectors) = try Eigen.hermitian(matrix, order: n, largest: count)
    let scale = max(matrix.map(\.length).max()! * Double(n), 1e-300)
    #expect(values == values.sorted() && values.count == count)
    for k in 0..<count {
      for i in 0..<n {
        let product = (0..<n).reduce(Complex<Double>.zero) {
          $0 + matrix[i * n + $1] * vectors[k][$1]
        }
        #expect((product - vectors[k][i].multiplied(by: values[k])).length < 1e-13 * scale)
      }
      for l in 0...k {
        let inner = zip(vectors[l], vectors[k]).reduce(Complex<Double>.zero) {
          $0 + $1.0.conjugate * $1.1
        }
        #expect((inner - Complex(l == k ? 1 : 0)).length < 1e-11, "\(n): \(l) \(k)")
      }
    }
  }

  @Test(arguments: [1, 2, 3, 4, 12, 15, 16, 17, 18, 31, 33, 64, 100])
  func hermitianEigenpairs(order n: Int) throws {
    try check(hermitian(n), n, count: n)
    try check(hermitian(n, seed: 2), n, count: 1)
    try check(hermitian(n, rank: 1), n, count: n)
  }

  @Test func degenerateMatrices() throws {
    for n in [1, 2, 5, 40] {
      var identity = [Complex<Double>](repeating: .zero, count: n * n)
      try check(identity, n, count: n)
      for i in 0..<n { identity[i * n + i] = 3 }
      try check(identity, n, count: n)
    }
    for scale in [1e-250, 1e-30, 1e30, 1e150] {
      let matrix = hermitian(20).map { $0.multiplied(by: scale) }
      let (values, _) = try Eigen.hermitian(matrix, order: 20)
      let trace = (0..<20).reduce(0) { $0 + matrix[$1 * 21].real }
      #expect(abs(values.reduce(0, +) / trace - 1) < 1e-12)
    }
  }

  /// Covariances of data that nearly lies in a subspace: eigenvalues in two clusters 1e11 to 1e17 apart, where LAPACK's dstemr
  /// gives up at some of these orders.
  @Test(arguments: [(256, 1e-7), (256, 1e-8), (512, 1e-6), (512, 1e-7), (512, 1e-8)])
  func nearlyDeficientMatrices(order n: Int, level: Double) throws {
    let rank = n / 8
    let x = complexNormal([2 * n, n / 2], seed: 3)
    // Real rows of n entries, all but the first `rank` of them small; their Gram matrix.
    let rows = (0..<2 * n).map { row in
      (0..<n).map { entry in
        let value = x[row, entry / 2]
        let part = Double(entry % 2 == 0 ? value.real : value.imaginary)
        return entry < rank ? part : level * part
      }
    }
    var gram = [Double](repeating: 0, count: n * n)
    for row in rows {
      for i in 0..<n {
        for j in 0...i { gram[i * n + j] += row[i] * row[j] }
      }
    }
    for i in 0..<n {
      for j in 0..<i { gram[j * n + i] = gram[i * n + j] }
    }
    let (values, vectors) = try Eigen.symmetric(gram, order: n, largest: n)
    let norm = values[0]
    #expect(values == values.sorted(by: >))
    #expect(values[rank - 1] > 1e-3 * norm && values[rank] < 1e3 * level * level * norm)
    var residual = 0.0
    var overlap = 0.0
    for k in stride(from: 0, to: n, by: 7) {
      for i in 0..<n {
        var product = 0.0
        for j in 0..<n { product += gram[i * n + j] * vectors[k][j] }
        residual = max(residual, abs(product - values[k] * vectors[k][i]))
      }
      for l in 0..<n {
        let inner = zip(vectors[l], vectors[k]).reduce(0.0) { $0 + $1.0 * $1.1 }
        overlap = max(overlap, abs(inner - (l == k ? 1 : 0)))
      }
    }
    #expect(residual < 1e-13 * norm && overlap < 1e-11, "\(residual / norm) \(overlap)")
  }

  /// The eigenvalues of tridiag(-1, 2, -1) are 2 - 2 cos(π k / (n + 1)).
  @Test func closedForm() throws {
    let n = 200
    var matrix = [Double](repeating: 0, count: n * n)
    for i in 0..<n {
      matrix[i * n + i] = 2
      if i > 0 { matrix[i * n + i - 1] = -1 }
    }
    // A permutation makes it a full reduction.
    let order = (0..<n).map { $0 * 77 % n }
    var shuffled = matrix
    for i in 0..<n {
      for j in 0..<n {
        let (a, b) = (max(order[i], order[j]), min(order[i], order[j]))
        shuffled[i * n + j] = matrix[a * n + b]
      }
    }
    let (values, vectors) = try Eigen.symmetric(shuffled, order: n, largest: 50)
    for k in 0..<50 {
      let exact = 2 - 2 * cos(.pi * Double(n - k) / Double(n + 1))
      #expect(abs(values[k] - exact) < 1e-12)
      #expect(vectors[k].max { abs($0) < abs($1) }! > 0)
      for i in stride(from: 0, to: n, by: 13) {
        let product = (0..<n).reduce(0.0) { $0 + shuffled[i * n + $1] * vectors[k][$1] }
        #expect(abs(product - values[k] * vectors[k][i]) < 1e-12)
      }
    }
  }

  @Test func nonFiniteMatricesAreErrors() {
    for bad in [Double.nan, .infinity] {
      var matrix = hermitian(5)
      matrix[7] = Complex(bad, 0)
      #expect(throws: DecompositionError.self) { try Eigen.hermitian(matrix, order: 5) }
      #expect(throws: DecompositionError.self) {
        try Eigen.symmetric([1, 0, bad, 1], order: 2, largest: 1)
      }
    }
  }

  /// The reduction and the way back stay inside their operands, at orders 1 to 300.
  @Test(arguments: GuardedMemory<Double>.Guard.allCases)
  func reductionStaysInsideItsOperands(_ side: GuardedMemory<Double>.Guard) {
    for n in 1...300 where n <= 70 || n % 23 < 2 {
      var stream = testStream(UInt64(n))
      let noise = stream.normal(count: 2 * n * n).map { Double($0) }
      let zeros = { (count: Int) in
        GuardedMemory([Double](repeating: 0, count: count), guarded: side)
      }
      let re = GuardedMemory(Array(noise[..<(n * n)]), guarded: side)
      let im = GuardedMemory(Array(noise[(n * n)...]), guarded: side)
      for i in 0..<n { im.pointer[i * n + i] = 0 }
      let (d, e, tr, ti) = (zeros(n), zeros(n - 1), zeros(n - 1), zeros(n - 1))
      let (work, zr, zi) = (zeros(6 * n), zeros(3 * n), zeros(3 * n))
      let trace = (0..<n).reduce(0) { $0 + re.pointer[$1 * n + $1] }
      csk_tridiagonalise(
        n, re.pointer, im.pointer, d.pointer, e.pointer, tr.pointer, ti.pointer, work.pointer)
      #expect(abs((0..<n).reduce(0) { $0 + d.pointer[$1] } - trace) < 1e-9 * Double(n))
      for c in 0..<3 { zr.pointer[c * n + c % n] = 1 }
      csk_back_transform(
        n, re.pointer, im.pointer, tr.pointer, ti.pointer, 3, zr.pointer, zi.pointer)
      for c in 0..<3 {
        let norm = (0..<n).reduce(0) {
          $0 + pow(zr.pointer[c * n + $1], 2) + pow(zi.pointer[c * n + $1], 2)
        }
        #expect(abs(norm - 1) < 1e-12)
      }
    }
  }
}
