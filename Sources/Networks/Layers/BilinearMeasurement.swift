import CKernels
import LinkMath

/// Measurements `c_k = u_kᴴ H v_k` of the complex map `H = h_0 + i h_1`, `h = 2 x - 1`, by learned vectors over rows and columns.
///
/// Gives `[Re c_1 ... Re c_R, Im c_1 ... Im c_R]`. With real vectors these are `u_kᵀ h_0 v_k`, then `u_kᵀ h_1 v_k`. Parameters
/// `[R, rows]` and `[R, columns]`, drawn with `E ‖u‖² = E ‖v‖² = 1`.
public struct BilinearMeasurement: Layer, CustomOperation {
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
      let map = Planes(sample, image, isTransposed: true, memory)
      let (a, b) = (memory + 3 * plane, memory + 3 * plane + Self.chunk * rows)
      forEachChunk { first, count in
        project(sample, map, first, count, a, b)
        for k in 0..<count {
          let u = vectors(sample, first + k)
          let (row, other) = (a + k * rows, b + k * rows)
          var (real, imaginary) = (table.dot(u.real, row, rows), table.dot(u.real, other, rows))
          if let part = u.imaginary {
            real += table.dot(part, other, rows)
            imaginary -= table.dot(part, row, rows)
          }
          (output[first + k], output[self.count + first + k]) = (real, imaginary)
        }
      }
    }
  }

  /// With A = H v, `∂A = ∂Re u_re - ∂Im u_im` in its real and `∂Re u_im + ∂Im u_re` in its imaginary part; the vectors and the map
  /// have the gradients of two products.
  public func backward(
    _ sample: CustomSample, gradient: UnsafeBufferPointer<Float>,
    inputs: [UnsafeMutableBufferPointer<Float>], parameters: [UnsafeMutableBufferPointer<Float>]
  ) {
    let (rows, plane, size) = (image.height, image.plane, Self.chunk * image.height)
    withScratch(8 * plane + 5 * size) { memory in
      let transposed = Planes(sample, image, isTransposed: true, memory)
      let map = Planes(sample, image, isTransposed: false, memory + 3 * plane)
      let totals = memory + 6 * plane
      let (a, b) = (totals + 2 * plane, totals + 2 * plane + size)
      let (da, db) = (b + size, b + 2 * size)
      forEachChunk { first, count in
        project(sample, transposed, first, count, a, b)
        for k in 0..<count {
          let weights = (gradient[first + k], gradient[self.count + first + k])
          leftGradient(sample, parameters, first + k, weights, a + k * rows, b + k * rows)
          rightGradient(sample, first + k, weights, da + k * rows, db + k * rows)
        }
        vectorGradient(parameters, map, first, count, da, db)
        guard sample.wantsGradient(0) else { return }
        mapGradient(sample, first, count, da, db, negative: db + size, into: totals)
      }
      guard sample.wantsGradient(0) else { return }
      // h = 2 x - 1.
      for channel in 0..<2 {
        let (source, target) = (totals + channel * plane, inputs[0].baseAddress! + channel * plane)
        Kernels.best.table.transpose(source, rows, image.width, rows, target, image.width)
        for i in 0..<plane { target[i] *= 2 }
      }
    }
  }

  private typealias Pointer = UnsafeMutablePointer<Float>

  /// h_0, h_1 and -h_1, `[row, column]` or `[column, row]`.
  private struct Planes {
    let real, imaginary, negative: Pointer
    let pitch: Int

    init(_ sample: CustomSample, _ image: Shape, isTransposed: Bool, _ memory: Pointer) {
      let plane = image.plane
      (real, imaginary, negative) = (memory, memory + plane, memory + 2 * plane)
      pitch = isTransposed ? image.height : image.width
      let x = sample.inputs[0].baseAddress!
      for channel in 0..<2 {
        let (source, target) = (x + channel * plane, memory + channel * plane)
        if isTransposed {
          Kernels.best.table.transpose(
            source, image.width, image.height, image.width, target, image.height)
        } else {
          target.update(from: source, count: plane)
        }
        for i in 0..<plane { target[i] = 2 * target[i] - 1 }
      }
      for i in 0..<plane { negative[i] = -imaginary[i] }
    }
  }

  /// u_k of a sample's parameters.
  private func vectors(_ sample: CustomSample, _ k: Int) -> (
    real: UnsafePointer<Float>, imaginary: UnsafePointer<Float>?
  ) {
    let offset = k * image.height
    return (
      sample.parameters[0].baseAddress! + offset,
      isComplex ? sample.parameters[1].baseAddress! + offset : nil
    )
  }

  /// Places of v in the list of parameters: real part, imaginary part.
  private var right: (real: Int, imaginary: Int) { isComplex ? (2, 3) : (1, 1) }

  /// Real and imaginary part of H v_k, `[k, row]`.
  private func project(
    _ sample: CustomSample, _ map: Planes, _ first: Int, _ count: Int, _ a: Pointer, _ b: Pointer
  ) {
    func add(_ part: Int, _ plane: Pointer, to target: Pointer, adding: Bool) {
      multiplySmall(
        m: count, n: image.height, k: image.width,
        sample.parameters[part].baseAddress! + first * image.width, lda: image.width, .none,
        plane, ldb: map.pitch, into: target, ldc: image.height, adding: adding)
    }
    add(right.real, map.real, to: a, adding: false)
    add(right.real, map.imaginary, to: b, adding: false)
    guard isComplex else { return }
    add(right.imaginary, map.negative, to: a, adding: true)
    add(right.imaginary, map.real, to: b, adding: true)
  }

  private func leftGradient(
    _ sample: CustomSample, _ parameters: [UnsafeMutableBufferPointer<Float>], _ k: Int,
    _ weights: (real: Float, imaginary: Float), _ a: Pointer, _ b: Pointer
  ) {
    let rows = image.height
    let real = parameters[0].baseAddress! + k * rows
    for i in 0..<rows { real[i] += weights.real * a[i] + weights.imaginary * b[i] }
    guard isComplex else { return }
    let imaginary = parameters[1].baseAddress! + k * rows
    for i in 0..<rows { imaginary[i] += weights.real * b[i] - weights.imaginary * a[i] }
  }

  private func rightGradient(
    _ sample: CustomSample, _ k: Int, _ weights: (real: Float, imaginary: Float), _ da: Pointer,
    _ db: Pointer
  ) {
    let u = vectors(sample, k)
    let rows = image.height
    guard let imaginary = u.imaginary else {
      for i in 0..<rows {
        da[i] = weights.real * u.real[i]
        db[i] = weights.imaginary * u.real[i]
      }
      return
    }
    for i in 0..<rows {
      da[i] = weights.real * u.real[i] - weights.imaginary * imaginary[i]
      db[i] = weights.real * imaginary[i] + weights.imaginary * u.real[i]
    }
  }

  private func vectorGradient(
    _ parameters: [UnsafeMutableBufferPointer<Float>], _ map: Planes, _ first: Int, _ count: Int,
    _ da: Pointer, _ db: Pointer
  ) {
    func add(_ gradient: Pointer, _ plane: Pointer, to part: Int) {
      multiplySmall(
        m: count, n: image.width, k: image.height, gradient, lda: image.height, .none, plane,
        ldb: map.pitch, into: parameters[part].baseAddress! + first * image.width,
        ldc: image.width, adding: true)
    }
    add(da, map.real, to: right.real)
    add(db, map.imaginary, to: right.real)
    guard isComplex else { return }
    add(da, map.negative, to: right.imaginary)
    add(db, map.real, to: right.imaginary)
  }

  /// Adds the gradients of both planes, `[column, row]`.
  private func mapGradient(
    _ sample: CustomSample, _ first: Int, _ count: Int, _ da: Pointer, _ db: Pointer,
    negative: Pointer, into totals: Pointer
  ) {
    let plane = image.plane
    func add(_ part: Int, _ gradient: Pointer, to channel: Int, adding: Bool) {
      multiplySmall(
        m: image.width, n: image.height, k: count,
        sample.parameters[part].baseAddress! + first * image.width, lda: image.width, .transpose,
        gradient, ldb: image.height, into: totals + channel * plane, ldc: image.height,
        adding: adding)
    }
    add(right.real, da, to: 0, adding: first > 0)
    add(right.real, db, to: 1, adding: first > 0)
    guard isComplex else { return }
    for i in 0..<count * image.height { negative[i] = -da[i] }
    add(right.imaginary, db, to: 0, adding: true)
    add(right.imaginary, negative, to: 1, adding: true)
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
