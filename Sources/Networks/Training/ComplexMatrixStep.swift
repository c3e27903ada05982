import CKernels
import LinkMath

/// The complex maps of the batch that a ``ComplexMatrixOperation`` multiplies: `h_0`, `h_1`, their sum and their difference,
/// `[sample, plane]` each.
final class ComplexPlanesStep: Step {
  private let input: View
  fileprivate let real, imaginary: FloatMemory
  /// Only of a complex matrix.
  fileprivate let sum, difference: FloatMemory
  private let isReal: Bool
  fileprivate let plane: Int
  /// What the gradient of the matrix multiplies: `h_0`, `h_1` and, for a complex matrix, their difference.
  fileprivate var all: [FloatMemory] {
    isReal ? [real, imaginary] : [real, imaginary, difference]
  }

  init(_ operation: any ComplexMatrixOperation, _ input: View, batch: Int) {
    self.input = input
    isReal = operation.isReal
    plane = input.shape.count / 2
    (real, imaginary) = (FloatMemory(batch * plane), FloatMemory(batch * plane))
    let others = isReal ? 0 : batch * plane
    (sum, difference) = (FloatMemory(others), FloatMemory(others))
  }

  func forward(_ run: Run, block: Int, worker: Int) {
    for sample in run.samples(block) {
      let (x, offset) = (input.data(sample), sample * plane)
      let (re, im) = (real.pointer + offset, imaginary.pointer + offset)
      for i in 0..<plane {
        re[i] = 2 * x[i] - 1
        im[i] = 2 * x[plane + i] - 1
      }
      if isReal { continue }
      let (plus, minus) = (sum.pointer + offset, difference.pointer + offset)
      for i in 0..<plane {
        plus[i] = re[i] + im[i]
        minus[i] = re[i] - im[i]
      }
    }
  }

  /// The gradient of the map goes back in ``ComplexMatrixStep``.
  func backward(_ run: Run, block: Int, worker: Int) {}
}

/// A ``ComplexMatrixOperation`` over the batch, in parts that depend on its size only.
///
/// A complex product `(A + i B)(C + i D)` takes three real ones (D. E. Knuth, The Art of Computer Programming 2, 1969, section 4.6.4): with `K = A (C + D)` it is `K - (A + B) D + i (K + (B - A) C)`.
/// So `z = (P + i Q) h` needs `K = P (h_0 + h_1)`, `S = -(P + Q)` and `D = Q - P`, the gradient of `P + i Q` from `a + i b`, that of z, is
/// `(a + i b) h*`, and that of h is `(P + i Q)* (a + i b)`.
final class ComplexMatrixStep: Step, @unchecked Sendable {
  // Sendable: tasks write disjoint parts of memory.
  private let operation: any ComplexMatrixOperation
  private let planes: ComplexPlanesStep
  private let input: Consumer
  private let output: View
  /// P, S and D, `[row, plane]` each.
  private let matrix: [FloatMemory]
  /// The gradients' common product and the other two, `[row, plane]` each.
  private let gradient: [FloatMemory]
  /// `a + b` and `b - a` of the rows of a part, `[sample, row]`.
  private let combined: [(plus: FloatMemory, minus: FloatMemory)]
  /// The maps as factors of the gradient's products, reordered once for all parts: those of ``ComplexPlanesStep/all``.
  private let packed: [FloatMemory]

  private static let parts = 4

  init(
    _ operation: any ComplexMatrixOperation, _ planes: ComplexPlanesStep, _ input: View,
    _ output: View, batch: Int
  ) {
    self.operation = operation
    self.planes = planes
    self.input = Consumer(input)
    self.output = output
    let count = operation.rowCount * planes.plane
    let kinds = operation.isReal ? 1 : 3
    matrix = (0..<kinds).map { _ in FloatMemory(count) }
    gradient = (0..<kinds).map { _ in FloatMemory(count) }
    packed = planes.all.map { _ in FloatMemory(csk_product_packed_count(batch, planes.plane)) }
    combined = (0..<Self.parts).map {
      let values = operation.isReal ? 0 : batch * Self.part($0, of: operation.rowCount).count
      return (FloatMemory(values), FloatMemory(values))
    }
  }

  private var rowCount: Int { operation.rowCount }
  private var plane: Int { planes.plane }

  private static func part(_ index: Int, of count: Int) -> Range<Int> {
    count * index / parts..<count * (index + 1) / parts
  }

  private func parameters(_ run: Run) -> [UnsafePointer<Float>] {
    operation.reads.map { UnsafePointer(run.store.value($0)) }
  }

  func forwardTasks(_ run: Run) -> Int? { Self.parts }
  func backwardTasks(_ run: Run) -> Int? { Self.parts * (input.view.wantsGradient ? 2 : 1) }

  /// Packs the columns of a part.
  private func pack(_ run: Run, _ part: Int) {
    let width = csk_product_panel()
    let panels = Self.part(part, of: (plane + width - 1) / width)
    let (start, end) = (panels.lowerBound * width, min(panels.upperBound * width, plane))
    for (source, target) in zip(planes.all, packed) where start < end {
      csk_product_pack(
        run.count, end - start, source.pointer + start, plane, 0,
        target.pointer + start * run.count)
    }
  }

  func forward(_ run: Run, block: Int, worker: Int) {
    if run.isTraining && output.wantsGradient { pack(run, block) }
    let rows = Self.part(block, of: rowCount)
    guard !rows.isEmpty else { return }
    let start = rows.lowerBound * plane
    let p = matrix[0].pointer + start
    let target = output.data(0) + rows.lowerBound
    func add(
      _ x: FloatMemory, _ factor: UnsafePointer<Float>, to z: UnsafeMutablePointer<Float>,
      adding: Bool
    ) {
      MatrixProduct.multiply(
        m: run.count, n: rows.count, k: plane, x.pointer, lda: plane, .none, factor, ldb: plane,
        .transpose, into: z, ldc: 2 * rowCount, adding: adding)
    }
    guard !operation.isReal else {
      operation.write(parameters(run), rows: rows, real: p, imaginary: p)
      add(planes.real, p, to: target, adding: false)
      add(planes.imaginary, p, to: target + rowCount, adding: false)
      return
    }
    let (s, d) = (matrix[1].pointer + start, matrix[2].pointer + start)
    operation.write(parameters(run), rows: rows, real: p, imaginary: d)
    for i in 0..<rows.count * plane { (s[i], d[i]) = (-(p[i] + d[i]), d[i] - p[i]) }
    add(planes.sum, p, to: target, adding: false)
    for sample in 0..<run.count {
      let z = target + sample * 2 * rowCount
      (z + rowCount).update(from: z, count: rows.count)
    }
    add(planes.imaginary, s, to: target, adding: true)
    add(planes.real, d, to: target + rowCount, adding: true)
  }

  func backward(_ run: Run, block: Int, worker: Int) {
    guard output.wantsGradient else { return }
    if block < Self.parts {
      matrixGradient(run, block)
    } else {
      inputGradient(run, Self.part(block - Self.parts, of: plane))
    }
  }

  private func matrixGradient(_ run: Run, _ part: Int) {
    let rows = Self.part(part, of: rowCount)
    guard !rows.isEmpty else { return }
    let (a, start) = (output.gradient(0) + rows.lowerBound, rows.lowerBound * plane)
    let totals = gradient.map { $0.pointer + start }
    func multiply(
      _ z: UnsafePointer<Float>, _ pitch: Int, _ map: Int, to index: Int, adding: Bool = false
    ) {
      csk_product(
        rows.count, plane, run.count, z, pitch, Int32(CSK_TRANSPOSE), packed[map].pointer,
        totals[index], plane, adding ? 1 : 0)
    }
    if operation.isReal {
      multiply(a, 2 * rowCount, 0, to: 0)
      multiply(a + rowCount, 2 * rowCount, 1, to: 0, adding: true)
    } else {
      let (plus, minus) = (combined[part].plus.pointer, combined[part].minus.pointer)
      combine(run, rows, plus, minus)
      multiply(a, 2 * rowCount, 2, to: 0)
      multiply(plus, rows.count, 1, to: 1)
      multiply(minus, rows.count, 0, to: 2)
      for index in 1...2 {
        run.kernels.table.axpy(1, totals[0], totals[index], rows.count * plane)
      }
    }
    operation.addGradients(
      parameters(run), rows: rows, real: totals[operation.isReal ? 0 : 1],
      imaginary: totals[operation.isReal ? 0 : 2],
      to: operation.reads.map { run.store.gradient($0) })
  }

  /// Writes `a + b` and `b - a` of some rows, `[sample, row]`.
  private func combine(
    _ run: Run, _ rows: Range<Int>, _ plus: UnsafeMutablePointer<Float>,
    _ minus: UnsafeMutablePointer<Float>
  ) {
    for sample in 0..<run.count {
      let a = output.gradient(sample) + rows.lowerBound
      let (sum, difference) = (plus + sample * rows.count, minus + sample * rows.count)
      for i in 0..<rows.count {
        sum[i] = a[rowCount + i] + a[i]
        difference[i] = a[rowCount + i] - a[i]
      }
    }
  }

  /// With `K = (a + b) P` the gradient of h is `K + b D + i (K + a S)`; that of x is twice as large.
  private func inputGradient(_ run: Run, _ columns: Range<Int>) {
    guard !columns.isEmpty else { return }
    let (count, values) = (columns.count, run.count * columns.count)
    let (re, im) = (FloatMemory(values), FloatMemory(values))
    let a = output.gradient(0)
    func add(
      _ z: UnsafePointer<Float>, _ pitch: Int, _ factor: Int, to target: FloatMemory, adding: Bool
    ) {
      MatrixProduct.multiply(
        m: run.count, n: count, k: rowCount, z, lda: pitch, .none,
        matrix[factor].pointer + columns.lowerBound, ldb: plane, into: target.pointer, ldc: count,
        adding: adding)
    }
    if operation.isReal {
      add(a, 2 * rowCount, 0, to: re, adding: false)
      add(a + rowCount, 2 * rowCount, 0, to: im, adding: false)
    } else {
      let (plus, minus) = (FloatMemory(run.count * rowCount), FloatMemory(run.count * rowCount))
      combine(run, 0..<rowCount, plus.pointer, minus.pointer)
      add(plus.pointer, rowCount, 0, to: re, adding: false)
      im.pointer.update(from: re.pointer, count: values)
      add(a + rowCount, 2 * rowCount, 2, to: re, adding: true)
      add(a, 2 * rowCount, 1, to: im, adding: true)
    }
    for sample in 0..<run.count {
      for (channel, part) in [re, im].enumerated() {
        input.pass(
          run.kernels, part.pointer + sample * count, sample,
          offset: channel * plane + columns.lowerBound, count: count, sign: 2)
      }
    }
  }
}
