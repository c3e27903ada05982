import LinkMath

/// Matrix product on the last axis, divided by rows forward and by weight rows for the weight gradient.
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

  private func rowTasks(_ run: Run) -> Int {
    min(max(run.count * rowsPerSample / 48, 1), 16)
  }

  private var weightTasks: Int { min(max(product.outputs * product.inputs / 65536, 1), 8) }

  func forwardTasks(_ run: Run) -> Int? { rowTasks(run) }
  func backwardTasks(_ run: Run) -> Int? { rowTasks(run) + weightTasks }

  private func weight(_ base: UnsafeMutablePointer<Float>) -> UnsafeMutablePointer<Float> {
    base + product.firstRow * product.inputs
  }

  func forward(_ run: Run, block: Int, worker: Int) {
    let rows = DenseStep.part(block, of: rowTasks(run), run.count * rowsPerSample)
    guard !rows.isEmpty else { return }
    let target = output.data(0) + rows.lowerBound * product.outputs
    for row in 0..<rows.count {
      let line = target + row * product.outputs
      if let bias = product.bias {
        line.update(from: run.store.value(bias) + product.firstRow, count: product.outputs)
      } else {
        line.update(repeating: 0, count: product.outputs)
      }
    }
    BLAS.multiply(
      m: rows.count, n: product.outputs, k: product.inputs,
      input.view.data(0) + rows.lowerBound * product.inputs, lda: product.inputs,
      .none, weight(run.store.value(product.weight)),
      ldb: product.isTransposed ? product.outputs : product.inputs,
      product.isTransposed ? .none : .transpose, into: target, ldc: product.outputs, beta: 1)
  }

  func backward(_ run: Run, block: Int, worker: Int) {
    guard output.wantsGradient else { return }
    let rowTasks = rowTasks(run)
    if block < rowTasks {
      inputGradient(run, DenseStep.part(block, of: rowTasks, run.count * rowsPerSample))
    } else {
      weightGradient(run, DenseStep.part(block - rowTasks, of: weightTasks, product.outputs))
    }
  }

  private func inputGradient(_ run: Run, _ rows: Range<Int>) {
    guard input.view.wantsGradient, !rows.isEmpty else { return }
    BLAS.multiply(
      m: rows.count, n: product.inputs, k: product.outputs,
      output.gradient(0) + rows.lowerBound * product.outputs, lda: product.outputs,
      .none, weight(run.store.value(product.weight)),
      ldb: product.isTransposed ? product.outputs : product.inputs,
      product.isTransposed ? .transpose : .none,
      into: input.view.gradient(0) + rows.lowerBound * product.inputs, ldc: product.inputs,
      beta: input.isFirstInBackward ? 0 : 1)
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
