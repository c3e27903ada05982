import CKernels
import ComplexModule
import Foundation
import LinkMath
import RealModule
import TestSupport
import Testing

/// Products against the definition, written out one chain at a time.
@Suite struct MatrixProductTests {
  private typealias Operation = MatrixProduct.Operation

  /// Sizes around register tiles, panels, and the blocks of the inner dimension (256) and of rows (240).
  private static let sizes: [(m: Int, n: Int, k: Int)] = [
    (1, 1, 1), (1, 7, 5), (2, 33, 9), (3, 16, 1), (4, 5, 257), (5, 31, 12), (6, 32, 40),
    (7, 64, 255), (12, 17, 256), (13, 100, 3), (31, 8, 130), (241, 40, 17), (245, 3, 300),
    (64, 70, 513), (3, 0, 4), (4, 4, 0), (8, 50, 20), (14, 90, 300),
  ]

  private func normal(_ count: Int, _ seed: Int) -> [Float] {
    var stream = testStream(UInt64(seed))
    return count == 0 ? [] : stream.normal(count: count)
  }

  /// fma where the level in use has it, else two roundings.
  private func chain(_ a: Float, _ b: Float, _ c: Float) -> Float {
    KernelLevel.name == "baseline" ? a * b + c : c.addingProduct(a, b)
  }

  @Test(arguments: 0..<18, [false, true])
  func realProductIsOneChainForEachElement(_ index: Int, adding: Bool) {
    let (m, n, k) = Self.sizes[index]
    for (opA, opB) in [
      (Operation.none, Operation.none), (.transpose, .none), (.none, .transpose),
      (.transpose, .transpose),
    ] {
      let (a, b) = (normal(m * k, 1), normal(k * n, 2))
      let start = normal(m * n, 3)
      var c = start
      MatrixProduct.multiply(
        m: m, n: n, k: k, a, lda: opA == .none ? max(k, 1) : m, opA, b,
        ldb: opB == .none ? max(n, 1) : max(k, 1), opB, into: &c, ldc: max(n, 1), adding: adding)
      for i in 0..<m {
        for j in 0..<n {
          var sum: Float = adding ? start[i * n + j] : 0
          for p in 0..<k {
            let x = opA == .none ? a[i * k + p] : a[p * m + i]
            sum = chain(x, opB == .none ? b[p * n + j] : b[j * k + p], sum)
          }
          #expect(c[i * n + j] == sum, "\(opA) \(opB) \(m) \(n) \(k) at \(i) \(j)")
        }
      }
    }
  }

  @Test(arguments: 0..<18)
  func complexProductIsOneChainForEachPart(_ index: Int) {
    let (m, n, k) = Self.sizes[index]
    let operations: [Operation] = [.none, .transpose, .conjugateTranspose]
    let (a, b) = (normal(2 * m * k, 4), normal(2 * k * n, 5))
    for opA in operations {
      for opB in operations {
        var c = [ComplexFloat](repeating: 7, count: m * n)
        let (x, y) = (complex(a), complex(b))
        MatrixProduct.multiply(
          m: m, n: n, k: k, x, lda: opA == .none ? max(k, 1) : m, opA, y,
          ldb: opB == .none ? max(n, 1) : max(k, 1), opB, into: &c, ldc: max(n, 1))
        for i in 0..<m {
          for j in 0..<n {
            var (re, im): (Float, Float) = (0, 0)
            for p in 0..<k {
              var u = opA == .none ? x[i * k + p] : x[p * m + i]
              var v = opB == .none ? y[p * n + j] : y[j * k + p]
              if opA == .conjugateTranspose { u = u.conjugate }
              if opB == .conjugateTranspose { v = v.conjugate }
              re = chain(u.imaginary, -v.imaginary, chain(u.real, v.real, re))
              im = chain(u.imaginary, v.real, chain(u.real, v.imaginary, im))
            }
            #expect(c[i * n + j] == ComplexFloat(re, im), "\(opA) \(opB) \(i) \(j)")
          }
        }
      }
    }
  }

  private func complex(_ values: [Float]) -> [ComplexFloat] {
    (0..<values.count / 2).map { ComplexFloat(values[2 * $0], values[2 * $0 + 1]) }
  }

  /// A row of the result is the same at every place of a block of any size.
  @Test func rowsDoNotDependOnTheirPlace() {
    let (n, k) = (45, 300)
    let b = RealArray(normal(n * k, 6), shape: [n, k])
    let packed = PackedMatrix(b, transposed: true)
    let rows = RealArray(normal(260 * k, 7), shape: [260, k])
    let whole = packed.multiply(rows)
    for part in [0..<1, 5..<6, 1..<4, 2..<33, 11..<251, 100..<260] {
      #expect(packed.multiply(rows.slice(part)) == whole.slice(part))
    }
    #expect(packed.multiply(RealArray(uninitialized: [0, k])).shape == [0, n])
  }

  /// A product with a bias, taken in parts of the rows and columns of B, has the chains of the whole.
  @Test(arguments: [1, 2, 8, 11, 36])
  func partsContinueTheChains(_ m: Int) {
    let (n, k, pitch) = (3 * Int(CSK_PANELS) - 7, 300, 3 * Int(CSK_PANELS))
    let (a, b, bias) = (normal(m * k, 11), normal(k * n, 12), normal(n, 13))
    var packed = [Float](repeating: 0, count: csk_product_packed_count(k, n))
    csk_product_pack(k, n, b, n, 0, &packed)
    var c = [Float](repeating: .nan, count: m * pitch)
    let (row, column) = (170, Int(CSK_PANELS))
    a.withUnsafeBufferPointer { a in
      packed.withUnsafeBufferPointer { packed in
        bias.withUnsafeBufferPointer { bias in
          c.withUnsafeMutableBufferPointer { c in
            for columns in [0..<column, column..<n] {
              for terms in [0..<row, row..<k] {
                csk_product_part(
                  m, columns.count, terms.count, a.baseAddress! + terms.lowerBound, k,
                  packed.baseAddress! + columns.lowerBound * k
                    + terms.lowerBound * csk_product_panel(), k,
                  terms.lowerBound == 0 ? bias.baseAddress! + columns.lowerBound : nil,
                  c.baseAddress! + columns.lowerBound, pitch)
              }
            }
          }
        }
      }
    }
    for i in 0..<m {
      for j in 0..<n {
        let sum = (0..<k).reduce(bias[j]) { chain(a[i * k + $1], b[$1 * n + j], $0) }
        #expect(c[i * pitch + j] == sum)
      }
      #expect((n..<pitch).allSatisfy { c[i * pitch + $0].isNaN })
    }
  }

  @Test(arguments: [1, 3, 8, 29], [false, true])
  func aMatrixThatIsNotPackedGivesTheSameChains(_ m: Int, transposed: Bool) {
    let (n, k, lda) = (2 * Int(CSK_PANELS), 270, max(m, 270) + 1)
    let (ldb, ldc) = (n + 3, n + 5)
    let (a, b) = (normal(lda * lda, 14), normal(k * ldb, 15))
    let start = normal(m * ldc, 16)
    for adding in [false, true] {
      var c = start
      csk_product_unpacked(m, n, k, a, lda, transposed ? 1 : 0, b, ldb, &c, ldc, adding ? 1 : 0)
      for i in 0..<m {
        for j in 0..<ldc {
          let sum = (0..<k).reduce(adding ? start[i * ldc + j] : 0) {
            chain(transposed ? a[$1 * lda + i] : a[i * lda + $1], b[$1 * ldb + min(j, n)], $0)
          }
          #expect(c[i * ldc + j] == (j < n ? sum : start[i * ldc + j]))
        }
      }
    }
  }

  @Test func gramIsTheLowerTriangleOfAtA() {
    for (n, k) in [(1, 3), (40, 60), (300, 20), (513, 7)] {
      let a = normal(k * n, 8)
      var c = [Float](repeating: 0.5, count: n * n)
      MatrixProduct.addGram(n: n, k: k, a, into: &c)
      for (i, j) in [(0, 0), (n - 1, 0), (n / 2, n / 3), (n - 1, n - 1), (n * 2 / 3, n / 2)] {
        var sum: Float = 0.5
        for p in 0..<k { sum = chain(a[p * n + i], a[p * n + j], sum) }
        #expect(c[i * n + j] == sum)
      }
    }
  }

  /// Nothing outside the operands is read or written, at all orders up to 300.
  @Test(arguments: GuardedMemory<Float>.Guard.allCases)
  func staysInsideItsOperands(_ side: GuardedMemory<Float>.Guard) {
    for order in 1...300 where order <= 70 || order % 17 < 2 {
      let (m, n, k) = (order, (order * 7) % 300 + 1, (order * 13) % 300 + 1)
      let a = GuardedMemory(normal(2 * m * k, 9), guarded: side)
      let b = GuardedMemory(normal(2 * k * n, 10), guarded: side)
      let c = GuardedMemory([Float](repeating: 0, count: 2 * m * n), guarded: side)
      for (opA, opB) in [(Operation.none, Operation.none), (.transpose, .transpose)] {
        let (lda, ldb) = (opA == .none ? k : m, opB == .none ? n : k)
        // The real product uses the last half, or the first, of the same memory.
        let shift = side == .behind ? 1 : 0
        MatrixProduct.multiply(
          m: m, n: n, k: k, a.pointer + shift * m * k, lda: lda, opA, b.pointer + shift * k * n,
          ldb: ldb, opB, into: c.pointer + shift * m * n, ldc: n)
        asComplex(a.pointer) { x in
          asComplex(b.pointer) { y in
            asComplex(c.pointer) { z in
              MatrixProduct.multiply(
                m: m, n: n, k: k, x, lda: lda, opA, y, ldb: ldb, opB, into: z, ldc: n)
            }
          }
        }
      }
      for i in 0..<2 * m * n { #expect(c.pointer[i].isFinite) }
    }
  }

  private func asComplex(
    _ pointer: UnsafeMutablePointer<Float>, _ body: (UnsafeMutablePointer<ComplexFloat>) -> Void
  ) {
    body(UnsafeMutableRawPointer(pointer).assumingMemoryBound(to: ComplexFloat.self))
  }

  /// The environment chooses the level, and only one that the machine has.
  @Test func levelsAreNamed() {
    #expect(KernelLevel.available.contains(KernelLevel.name))
    let wanted = ProcessInfo.processInfo.environment[KernelLevel.variable] ?? ""
    let known = wanted.isEmpty || KernelLevel.available.contains(wanted)
    #expect(KernelLevel.isRefused == !known)
    #expect(KernelLevel.name == (known && !wanted.isEmpty ? wanted : KernelLevel.available[0]))
  }
}
