import LinkMath

/// Matrix product on the last axis, divided into parts that depend on its size only.
final class DenseStep: Step, @unchecked Sendable {
  // Sendable: tasks write disjoint rows.
  private let product: DenseProduct
  private let input: Consumer
  private let output: View
  /// Rows of one sample: tokens.
  private let rowsPerSample: Int

  init(_ product: DenseProduct, _ input: View, _ output: View) {
    self.product = product
    self.input = Consumer(input)
    self.output = output
    rowsPerSample = input.shape.count / product.inputs
  }

  /// Tasks depend on the problem's size only, never on the number of threads.
  private static func part(_ task: Int, of tasks: Int, _ count: Int) -> Range<Int> {
    count * task / tasks..<count * (task + 1) / tasks
  }

  /// A product of many rows (tokens) is divided by rows, one of few rows (a batch) by columns: each task then packs
  /// the smaller matrix again, not the larger one.
  private func isDividedByRows(_ run: Run, columns: Int) -> Bool {
    run.count * rowsPerSample > columns
  }

  /// Small products are not worth dividing.
  private func productTasks(_ run: Run) -> Int {
    run.count * rowsPerSample * product.inputs * product.outputs < 1 << 22 ? 1 : 4
  }

  private var weightTasks: Int { min(max(product.outputs * product.inputs / 65536, 1), 8) }

  func forwardTasks(_ run: Run) -> Int? { productTasks(run) }
  func backwardTasks(_ run: Run) -> Int? { productTasks(run) + weightTasks }

  /// Rows and columns of a task's part of a product with `columns` columns.
  private func tile(_ run: Run, _ task: Int, columns: Int) -> (
    rows: Range<Int>, columns: Range<Int>
  ) {
    let rows = run.count * rowsPerSample
    return isDividedByRows(run, columns: columns)
      ? (DenseStep.part(task, of: productTasks(run), rows), 0..<columns)
      : (0..<rows, DenseStep.part(task, of: productTasks(run), columns))
  }

  private func weight(_ base: UnsafeMutablePointer<Float>) -> UnsafeMutablePointer<Float> {
    base + product.firstRow * product.inputs
  }

  func forward(_ run: Run, block: Int, worker: Int) {
    let (rows, columns) = tile(run, block, columns: product.outputs)
    guard !rows.isEmpty && !columns.isEmpty else { return }
    let target = output.data(0) + rows.lowerBound * product.outputs + columns.lowerBound
    for row in 0..<rows.count {
      let line = target + row * product.outputs
      if let bias = product.bias {
        let values = run.store.value(bias) + product.firstRow + columns.lowerBound
        line.update(from: values, count: columns.count)
      } else {
        line.update(repeating: 0, count: columns.count)
      }
    }
    let start = columns.lowerBound * (product.isTransposed ? 1 : product.inputs)
    BLAS.multiply(
      m: rows.count, n: columns.count, k: product.inputs,
      input.view.data(0) + rows.lowerBound * product.inputs, lda: product.inputs, .none,
      weight(run.store.value(product.weight)) + start,
      ldb: product.isTransposed ? product.outputs : product.inputs,
      product.isTransposed ? .none : .transpose, into: target, ldc: product.outputs, beta: 1)
  }

  func backward(_ run: Run, block: Int, worker: Int) {
    guard output.wantsGradient else { return }
    if block < productTasks(run) {
      inputGradient(run, block)
    } else {
      weightGradient(
        run, DenseStep.part(block - productTasks(run), of: weightTasks, product.outputs))
    }
  }

  private func inputGradient(_ run: Run, _ task: Int) {
    let (rows, columns) = tile(run, task, columns: product.inputs)
    guard input.view.wantsGradient, !rows.isEmpty, !columns.isEmpty else { return }
    let start = columns.lowerBound * (product.isTransposed ? product.outputs : 1)
    BLAS.multiply(
      m: rows.count, n: columns.count, k: product.outputs,
      output.gradient(0) + rows.lowerBound * product.outputs, lda: product.outputs, .none,
      weight(run.store.value(product.weight)) + start,
      ldb: product.isTransposed ? product.outputs : product.inputs,
      product.isTransposed ? .transpose : .none,
      into: input.view.gradient(0) + rows.lowerBound * product.inputs + columns.lowerBound,
      ldc: product.inputs, beta: input.isFirstInBackward ? 0 : 1)
  }

  private func weightGradient(_ run: Run, _ outputs: Range<Int>) {
    guard !outputs.isEmpty else { return }
    let rows = run.count * rowsPerSample
    let gradient = output.gradient(0) + outputs.lowerBound
    let target = weight(run.store.gradient(product.weight))
    if product.isTransposed {
      BLAS.multiply(
        m: product.inputs, n: outputs.count, k: rows, input.view.data(0), lda: product.inputs,
        .transpose, gradient, ldb: product.outputs, into: target + outputs.lowerBound,
        ldc: product.outputs, beta: 1)
    } else {
      BLAS.multiply(
        m: outputs.count, n: product.inputs, k: rows, gradient, lda: product.outputs, .transpose,
        input.view.data(0), ldb: product.inputs,
        into: target + outputs.lowerBound * product.inputs, ldc: product.inputs, beta: 1)
    }
    guard let bias = product.bias else { return }
    let sums = run.store.gradient(bias) + product.firstRow + outputs.lowerBound
    for row in 0..<rows {
      run.kernels.table.axpy(1, gradient + row * product.outputs, sums, outputs.count)
    }
  }
}
