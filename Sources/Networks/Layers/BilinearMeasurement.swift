import CKernels
import LinkMath

/// Measurements `c_k = u_kᴴ H v_k` of the complex map `H = h_0 + i h_1`, `h = 2 x - 1`, by learned vectors over rows and columns.
///
/// Gives `[Re c_1 ... Re c_R, Im c_1 ... Im c_R]`. With real vectors these are `u_kᵀ h_0 v_k`, then `u_kᵀ h_1 v_k`. Parameters
/// `[R, rows]` and `[R, columns]`, drawn with `E ‖u‖² = E ‖v‖² = 1`.
public struct BilinearMeasurement: Layer, ComplexMatrixOperation {
  /// The map x, `[2, row, column]`.
  public let image: Shape
  /// Measurements R.
  public let count: Int
  let u, v: Vectors

  /// Real and, for complex measurements, imaginary parts of R vectors.
  struct Vectors: Sendable {
    let real: NetworkParameter
    let imaginary: NetworkParameter?

    init(_ count: Int, _ length: Int, isComplex: Bool) {
      func drawn() -> NetworkParameter {
        NetworkParameter(
          [count, length], .normal(standardDeviation: 1 / Double(length).squareRoot()))
      }
      real = drawn()
      imaginary = isComplex ? drawn() : nil
    }
  }

  /// - Parameters:
  ///   - image: `[2, row, column]`.
  ///   - count: measurements R.
  ///   - isComplex: complex vectors, or real ones.
  public init(_ image: Shape, count: Int, isComplex: Bool = true) {
    precondition(image.channels == 2, "a complex map has two planes")
    self.image = image
    self.count = count
    u = Vectors(count, image.height, isComplex: isComplex)
    v = Vectors(count, image.width, isComplex: isComplex)
  }

  private var isComplex: Bool { u.imaginary != nil }
  public var summary: String {
    "\(isComplex ? "complex" : "real") measurements(\(image.imageSize) → \(2 * count))"
  }
  public var parameters: [(key: String, parameter: NetworkParameter)] {
    guard let uImaginary = u.imaginary, let vImaginary = v.imaginary else {
      return [("u", u.real), ("v", v.real)]
    }
    return [("u_re", u.real), ("u_im", uImaginary), ("v_re", v.real), ("v_im", vImaginary)]
  }
  public var reads: [NetworkParameter] { parameters.map(\.parameter) }

  public func callAsFunction(_ x: Signal) -> Signal { x.applying(self) }

  public func outputShape(_ inputs: [Shape]) -> Shape {
    precondition(inputs == [image], "measurements of \(image) applied to \(inputs)")
    return .vector(2 * count)
  }

  /// `4 R I (J + 1)` for I rows and J columns, half of it with real vectors.
  public func costs(_ inputs: [Shape]) -> Costs {
    Costs(products: (isComplex ? 4 : 2) * count * image.height * (image.width + 1))
  }

  /// Measurements taken at once: what they need stays in the first cache.
  private static let chunk = 64

  /// Calls `body` with the first and the number of each chunk of measurements.
  private func forEachChunk(_ body: (_ first: Int, _ count: Int) -> Void) {
    for first in stride(from: 0, to: count, by: Self.chunk) {
      body(first, min(Self.chunk, count - first))
    }
  }

  public func forward(_ sample: CustomSample, into output: UnsafeMutableBufferPointer<Float>) {
    let table = Kernels.best.table
    let (rows, plane) = (image.height, image.plane)
    withScratch(3 * plane + 2 * Self.chunk * rows) { memory in
      let map = Planes(sample, image, memory)
      let (a, b) = (memory + 3 * plane, memory + 3 * plane + Self.chunk * rows)
      forEachChunk { first, count in
        project(sample, map, first, count, a, b)
        for k in 0..<count {
          let (row, other) = (a + k * rows, b + k * rows)
          let u = sample.parameters[0].baseAddress! + (first + k) * rows
          var (real, imaginary) = (table.dot(u, row, rows), table.dot(u, other, rows))
          if isComplex {
            let part = sample.parameters[1].baseAddress! + (first + k) * rows
            real += table.dot(part, other, rows)
            imaginary -= table.dot(part, row, rows)
          }
          (output[first + k], output[self.count + first + k]) = (real, imaginary)
        }
      }
    }
  }

  private typealias Pointer = UnsafeMutablePointer<Float>

  /// h_0, h_1 and -h_1, `[column, row]`.
  private struct Planes {
    let real, imaginary, negative: Pointer

    init(_ sample: CustomSample, _ image: Shape, _ memory: Pointer) {
      let plane = image.plane
      (real, imaginary, negative) = (memory, memory + plane, memory + 2 * plane)
      let x = sample.inputs[0].baseAddress!
      for channel in 0..<2 {
        let target = memory + channel * plane
        Kernels.best.table.transpose(
          x + channel * plane, image.width, image.height, image.width, target, image.height)
        for i in 0..<plane { target[i] = 2 * target[i] - 1 }
      }
      for i in 0..<plane { negative[i] = -imaginary[i] }
    }
  }

  /// Real and imaginary part of H v_k, `[k, row]`.
  private func project(
    _ sample: CustomSample, _ map: Planes, _ first: Int, _ count: Int, _ a: Pointer, _ b: Pointer
  ) {
    func add(_ vectors: Int, _ plane: Pointer, to target: Pointer, adding: Bool) {
      multiplySmall(
        m: count, n: image.height, k: image.width,
        sample.parameters[vectors].baseAddress! + first * image.width, lda: image.width, .none,
        plane, ldb: image.height, into: target, ldc: image.height, adding: adding)
    }
    let (real, imaginary) = isComplex ? (2, 3) : (1, 1)
    add(real, map.real, to: a, adding: false)
    add(real, map.imaginary, to: b, adding: false)
    guard isComplex else { return }
    add(imaginary, map.negative, to: a, adding: true)
    add(imaginary, map.real, to: b, adding: true)
  }

  public var rowCount: Int { count }
  public var isReal: Bool { !isComplex }

  /// Rows `P = Re u Re vᵀ + Im u Im vᵀ` and `Q = Re u Im vᵀ - Im u Re vᵀ` of `u* v`.
  public func write(
    _ parameters: [UnsafePointer<Float>], rows: Range<Int>, real: UnsafeMutablePointer<Float>,
    imaginary: UnsafeMutablePointer<Float>
  ) {
    let (height, width) = (image.height, image.width)
    for (index, k) in rows.enumerated() {
      for i in 0..<height {
        let place = (index * height + i) * width
        let (p, q) = (real + place, imaginary + place)
        guard isComplex else {
          let (u, v) = (parameters[0][k * height + i], parameters[1] + k * width)
          for j in 0..<width { p[j] = u * v[j] }
          continue
        }
        let (a, b) = (parameters[0][k * height + i], parameters[1][k * height + i])
        let (re, im) = (parameters[2] + k * width, parameters[3] + k * width)
        for j in 0..<width {
          (p[j], q[j]) = (a * re[j] + b * im[j], a * im[j] - b * re[j])
        }
      }
    }
  }

  /// `Re u` has `P Re v + Q Im v`, `Im u` has `P Im v - Q Re v`, `Re v` has `Pᵀ Re u - Qᵀ Im u` and `Im v` has `Pᵀ Im u + Qᵀ Re u`, P and Q
  /// standing for their gradients.
  public func addGradients(
    _ parameters: [UnsafePointer<Float>], rows: Range<Int>, real: UnsafePointer<Float>,
    imaginary: UnsafePointer<Float>, to gradients: [UnsafeMutablePointer<Float>]
  ) {
    let (height, width) = (image.height, image.width)
    let table = Kernels.best.table
    func addRows(_ map: UnsafePointer<Float>, _ v: UnsafePointer<Float>, to u: Pointer) {
      table.dot_rows(v, map, width, height, width, u)
    }
    func addColumns(_ u: UnsafePointer<Float>, _ map: UnsafePointer<Float>, to v: Pointer) {
      csk_product_few_rows(1, width, height, u, height, map, width, v, width, 1)
    }
    withScratch(height + width) { memory in
      let (negativeU, negativeV) = (memory, memory + height)
      for (index, k) in rows.enumerated() {
        let (p, q) = (real + index * image.plane, imaginary + index * image.plane)
        let (u, v) = (k * height, k * width)
        guard isComplex else {
          addRows(p, parameters[1] + v, to: gradients[0] + u)
          addColumns(parameters[0] + u, p, to: gradients[1] + v)
          continue
        }
        let (uReal, uImaginary) = (parameters[0] + u, parameters[1] + u)
        let (vReal, vImaginary) = (parameters[2] + v, parameters[3] + v)
        for i in 0..<height { negativeU[i] = -uImaginary[i] }
        for j in 0..<width { negativeV[j] = -vReal[j] }
        addRows(p, vReal, to: gradients[0] + u)
        addRows(q, vImaginary, to: gradients[0] + u)
        addRows(p, vImaginary, to: gradients[1] + u)
        addRows(q, negativeV, to: gradients[1] + u)
        addColumns(uReal, p, to: gradients[2] + v)
        addColumns(negativeU, q, to: gradients[2] + v)
        addColumns(uImaginary, p, to: gradients[3] + v)
        addColumns(uReal, q, to: gradients[3] + v)
      }
    }
  }
}

/// C = op(A) B or C += op(A) B with matrices that fit the cache, as ``LinkMath/MatrixProduct`` with a B that is not packed where the
/// kernels take it as it lies.
func multiplySmall(
  m: Int, n: Int, k: Int, _ a: UnsafePointer<Float>, lda: Int, _ opA: MatrixProduct.Operation,
  _ b: UnsafePointer<Float>, ldb: Int, into c: UnsafeMutablePointer<Float>, ldc: Int,
  adding: Bool = false
) {
  if n % Int(CSK_PANELS) == 0 {
    csk_product_unpacked(
      m, n, k, a, lda, opA == .none ? 0 : 1, b, ldb, c, ldc, adding ? 1 : 0)
  } else {
    MatrixProduct.multiply(
      m: m, n: n, k: k, a, lda: lda, opA, b, ldb: ldb, into: c, ldc: ldc, adding: adding)
  }
}

/// Calls `body` with uninitialised memory that the kernels may read a little behind.
func withScratch(_ count: Int, _ body: (UnsafeMutablePointer<Float>) -> Void) {
  withUnsafeTemporaryAllocation(of: Float.self, capacity: count + Int(CONV_OVERREAD)) {
    body($0.baseAddress!)
  }
}
