import CKernels
import LinkMath

/// Measurements `c_k = u_kᴴ H v_k` of the complex map `H = h_0 + i h_1`, `h = 2 x - 1`, by learned vectors over rows and columns.
///
/// Gives `[Re c_1 ... Re c_R, Im c_1 ... Im c_R]`. With real vectors these are `u_kᵀ h_0 v_k`, then `u_kᵀ h_1 v_k`. Parameters
/// `[R, rows]` and `[R, columns]`, drawn with `E ‖u‖² = E ‖v‖² = 1`.
public struct BilinearMeasurement: Layer, MatrixOperation {
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

  /// u_k and v_k; imaginary parts of zeros for real measurements.
  private struct Pair<Value> {
    let uReal, uImaginary, vReal, vImaginary: Value
  }

  private func pair<P>(_ parts: [P], _ zeros: P, _ at: (P, Int) -> P, _ k: Int) -> Pair<P> {
    let (u, v) = (k * image.height, k * image.width)
    return isComplex
      ? Pair(
        uReal: at(parts[0], u), uImaginary: at(parts[1], u), vReal: at(parts[2], v),
        vImaginary: at(parts[3], v))
      : Pair(uReal: at(parts[0], u), uImaginary: zeros, vReal: at(parts[1], v), vImaginary: zeros)
  }

  /// With `p = Re u Re v + Im u Im v` and `q = Re u Im v - Im u Re v`: rows `2 [p, -q]` for real and `2 [q, p]` for imaginary parts,
  /// and what `h = 2 x - 1` takes away.
  public func write(
    _ parameters: [UnsafePointer<Float>], matrix: UnsafeMutablePointer<Float>,
    shift: UnsafeMutablePointer<Float>
  ) {
    let (rows, columns, plane) = (image.height, image.width, image.plane)
    let zeros = FloatMemory(max(rows, columns))
    for k in 0..<count {
      let w = pair(parameters, UnsafePointer(zeros.pointer), { $0 + $1 }, k)
      let (real, imaginary) = (matrix + k * 2 * plane, matrix + (count + k) * 2 * plane)
      for i in 0..<rows {
        let (a, b, offset) = (2 * w.uReal[i], 2 * w.uImaginary[i], i * columns)
        for j in 0..<columns {
          let p = a * w.vReal[j] + b * w.vImaginary[j]
          let q = a * w.vImaginary[j] - b * w.vReal[j]
          real[offset + j] = p
          real[plane + offset + j] = -q
          imaginary[offset + j] = q
          imaginary[plane + offset + j] = p
        }
      }
      func sum(_ values: UnsafePointer<Float>, _ count: Int) -> Double {
        (0..<count).reduce(0) { $0 + Double(values[$1]) }
      }
      let (uReal, uImaginary) = (sum(w.uReal, rows), sum(w.uImaginary, rows))
      let (vReal, vImaginary) = (sum(w.vReal, columns), sum(w.vImaginary, columns))
      let p = uReal * vReal + uImaginary * vImaginary
      let q = uReal * vImaginary - uImaginary * vReal
      (shift[k], shift[count + k]) = (Float(q - p), Float(-q - p))
    }
  }

  /// By the gradients P and Q of p and q: `Re u` has `P Re v + Q Im v`, `Im u` has `P Im v - Q Re v`, `Re v` has `Pᵀ Re u - Qᵀ Im u` and
  /// `Im v` has `Pᵀ Im u + Qᵀ Re u`.
  public func addGradients(
    _ parameters: [UnsafePointer<Float>], matrix: UnsafePointer<Float>,
    shift: UnsafePointer<Float>, to gradients: [UnsafeMutablePointer<Float>]
  ) {
    let (rows, columns, plane) = (image.height, image.width, image.plane)
    let table = Kernels.best.table
    let (zeros, unused) = (FloatMemory(max(rows, columns)), FloatMemory(max(rows, columns)))
    let (p, q, negative) = (FloatMemory(plane), FloatMemory(plane), FloatMemory(rows))
    for k in 0..<count {
      let w = pair(parameters, UnsafePointer(zeros.pointer), { $0 + $1 }, k)
      let d = pair(gradients, unused.pointer, { $0 + $1 }, k)
      let (real, imaginary) = (matrix + k * 2 * plane, matrix + (count + k) * 2 * plane)
      let (a, b) = (shift[k], shift[count + k])
      for i in 0..<plane {
        p.pointer[i] = 2 * (real[i] + imaginary[plane + i]) - (a + b)
        q.pointer[i] = 2 * (imaginary[i] - real[plane + i]) + (a - b)
      }
      for i in 0..<rows {
        let (x, y) = (p.pointer + i * columns, q.pointer + i * columns)
        d.uReal[i] += table.dot(x, w.vReal, columns) + table.dot(y, w.vImaginary, columns)
        d.uImaginary[i] += table.dot(x, w.vImaginary, columns) - table.dot(y, w.vReal, columns)
        negative.pointer[i] = -w.uImaginary[i]
      }
      func add(_ u: UnsafePointer<Float>, _ map: FloatMemory, to v: UnsafeMutablePointer<Float>) {
        csk_product_few_rows(1, columns, rows, u, rows, map.pointer, columns, v, columns, 1)
      }
      add(w.uReal, p, to: d.vReal)
      add(negative.pointer, q, to: d.vReal)
      add(w.uImaginary, p, to: d.vImaginary)
      add(w.uReal, q, to: d.vImaginary)
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
