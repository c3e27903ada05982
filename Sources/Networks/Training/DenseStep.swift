import CKernels
import LinkMath

/// Matrix product on the last axis, divided into parts that depend on its size only.
final class DenseStep: Step, @unchecked Sendable {
  // Sendable: tasks write disjoint rows; what varies changes only while a plan is built.
  private let product: DenseProduct
  private let input: Consumer
  private let output: View
  /// Rows of one sample: tokens.
  private let rowsPerSample: Int
  /// No other step has written this gradient before.
  var overwritesWeight = false
  /// Slope of a LeakyReLU applied to the outputs in place; the step that reads them takes it back through
  /// ``View/rectifiedSlope``.
  private var slope: Float?
  /// What the weights of a layer of low precision stand for, made from the real ones before each pass.
  private let rounded: RoundedWeights?

  init(_ product: DenseProduct, _ input: View, _ output: View) {
    self.product = product
    self.input = Consumer(input)
    self.output = output
    rowsPerSample = input.shape.count / product.inputs
    rounded = RoundedWeights(.dense(product))
  }

  func prepare(_ run: Run) { rounded?.update(run.store.value(product.weight)) }

  /// The straight-through estimator of a binary layer: the gradient is kept where the shadow weight is in [-1, 1].
  func finishBackward(_ run: Run) {
    guard product.precision == .binary, output.wantsGradient else { return }
    let (shadow, gradient) = (run.store.value(product.weight), run.store.gradient(product.weight))
    for i in 0..<product.weight.count where !(shadow[i].magnitude <= 1) { gradient[i] = 0 }
  }

  /// The weights that are multiplied.
  private func factor(_ run: Run) -> UnsafeMutablePointer<Float> {
    rounded?.pointer ?? weight(run.store.value(product.weight))
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

  /// Small products are not worth dividing; of a product of many rows with a small matrix, parts stay in the cache
  /// for their activation.
  private func productTasks(_ run: Run, columns: Int) -> Int {
    let rows = run.count * rowsPerSample
    if rows * product.inputs * product.outputs < 1 << 22 { return 1 }
    guard isDividedByRows(run, columns: columns), product.inputs * product.outputs <= 1 << 18 else {
      return 4
    }
    return max(4, rows / 256)
  }

  /// Applies a LeakyReLU to the outputs, which must be read by a dense step alone.
  func rectify(slope: Float) {
    self.slope = slope
    output.rectifiedSlope = slope
  }

  private var weightTasks: Int { min(max(product.outputs * product.inputs / 65536, 1), 8) }

  func forwardTasks(_ run: Run) -> Int? { productTasks(run, columns: product.outputs) }
  func backwardTasks(_ run: Run) -> Int? {
    productTasks(run, columns: product.inputs) + weightTasks
  }

  /// Rows and columns of a task's part of a product with `columns` columns.
  private func tile(_ run: Run, _ task: Int, columns: Int) -> (
    rows: Range<Int>, columns: Range<Int>
  ) {
    let rows = run.count * rowsPerSample
    let tasks = productTasks(run, columns: columns)
    return isDividedByRows(run, columns: columns)
      ? (DenseStep.part(task, of: tasks, rows), 0..<columns)
      : (0..<rows, DenseStep.part(task, of: tasks, columns))
  }

  private func weight(_ base: UnsafeMutablePointer<Float>) -> UnsafeMutablePointer<Float> {
    base + product.firstRow * product.inputs
  }

  /// Place of the weights among the parameters.
  func weightRange(_ store: ParameterStore) -> Range<Int> {
    let start = store.offset(product.weight) + product.firstRow * product.inputs
    return start..<start + product.inputs * product.outputs
  }

  /// The layer for an optimiser that centres its inputs.
  ///
  /// - Parameters:
  ///   - frozen: parameters that are not trained.
  ///   - count: samples of the last pass.
  /// - Returns: nil if weights are not real or not all its own, and if weights or bias are frozen or missing.
  func layer(
    _ store: ParameterStore, frozen: Set<ObjectIdentifier>, count: @escaping () -> Int
  ) -> ParameterGroup.DenseLayer? {
    guard product.precision == .real, product.ownsWeight, let bias = product.bias,
      bias.count == product.outputs,
      !frozen.contains(ObjectIdentifier(product.weight)), !frozen.contains(ObjectIdentifier(bias))
    else { return nil }
    return ParameterGroup.DenseLayer(
      inputs: product.inputs, outputs: product.outputs, isTransposed: product.isTransposed,
      weights: store.value(product.weight), gradients: store.gradient(product.weight),
      bias: store.value(bias), biasGradients: UnsafePointer(store.gradient(bias)),
      mean: { [self] in inputMean(rows: count() * rowsPerSample, into: $0) })
  }

  private func inputMean(rows: Int, into mean: UnsafeMutablePointer<Float>) {
    mean.update(repeating: 0, count: product.inputs)
    let share = 1 / Float(rows)
    for row in 0..<rows {
      let values = input.view.data(0) + row * product.inputs
      for i in 0..<product.inputs { mean[i] += share * values[i] }
    }
  }

  func forward(_ run: Run, block: Int, worker: Int) {
    let (rows, columns) = tile(run, block, columns: product.outputs)
    guard !rows.isEmpty && !columns.isEmpty else { return }
    let target = output.data(0) + rows.lowerBound * product.outputs + columns.lowerBound
    let source = input.view.data(0) + rows.lowerBound * product.inputs
    let start = columns.lowerBound * (product.isTransposed ? 1 : product.inputs)
    let pitch = product.isTransposed ? product.outputs : product.inputs
    let operation = product.isTransposed ? MatrixProduct.Operation.none : .transpose
    if let bias = product.bias {
      MatrixProduct.multiply(
        m: rows.count, n: columns.count, k: product.inputs, source, lda: product.inputs,
        factor(run) + start, ldb: pitch, operation,
        bias: run.store.value(bias) + product.firstRow + columns.lowerBound, into: target,
        ldc: product.outputs)
    } else {
      MatrixProduct.multiply(
        m: rows.count, n: columns.count, k: product.inputs, source, lda: product.inputs, .none,
        factor(run) + start, ldb: pitch, operation, into: target, ldc: product.outputs)
    }
    guard let slope else { return }
    for row in 0..<rows.count {
      var job = plane_job()
      job.height = 1
      job.width = columns.count
      job.target = target + row * product.outputs
      job.source = UnsafePointer(job.target)
      job.scale = 1
      job.slope = slope
      run.kernels.table.stage(&job)
    }
  }

  func backward(_ run: Run, block: Int, worker: Int) {
    guard output.wantsGradient else { return }
    let first = productTasks(run, columns: product.inputs)
    if block < first {
      inputGradient(run, block)
    } else {
      weightGradient(run, block - first)
    }
  }

  private func inputGradient(_ run: Run, _ task: Int) {
    let (rows, columns) = tile(run, task, columns: product.inputs)
    guard input.view.wantsGradient, !rows.isEmpty, !columns.isEmpty else { return }
    let start = columns.lowerBound * (product.isTransposed ? product.outputs : 1)
    let place = rows.lowerBound * product.inputs + columns.lowerBound
    MatrixProduct.multiply(
      m: rows.count, n: columns.count, k: product.outputs,
      output.gradient(0) + rows.lowerBound * product.outputs, lda: product.outputs, .none,
      factor(run) + start,
      ldb: product.isTransposed ? product.outputs : product.inputs,
      product.isTransposed ? .transpose : .none,
      into: input.view.gradient(0) + place, ldc: product.inputs,
      adding: !input.isFirstInBackward)
    guard let slope = input.view.rectifiedSlope else { return }
    var unused = backward_sums()
    for row in 0..<rows.count {
      let at = place + row * product.inputs
      // The activation keeps the sign, so its output tells the slope.
      run.kernels.table.backward(
        input.view.gradient(0) + at, input.view.data(0) + at, columns.count, 1, 0, 0, slope,
        &unused)
    }
  }

  /// The larger side is divided: each task then packs the smaller matrix again, not the larger one.
  private func weightGradient(_ run: Run, _ task: Int) {
    let isDividedByOutputs = product.outputs >= product.inputs
    let outputs =
      isDividedByOutputs
      ? DenseStep.part(task, of: weightTasks, product.outputs) : 0..<product.outputs
    let inputs =
      isDividedByOutputs
      ? 0..<product.inputs : DenseStep.part(task, of: weightTasks, product.inputs)
    guard !outputs.isEmpty, !inputs.isEmpty else { return }
    let rows = run.count * rowsPerSample
    let gradient = output.gradient(0) + outputs.lowerBound
    let source = input.view.data(0) + inputs.lowerBound
    let target = weight(run.store.gradient(product.weight))
    if product.isTransposed {
      MatrixProduct.multiply(
        m: inputs.count, n: outputs.count, k: rows, source, lda: product.inputs, .transpose,
        gradient, ldb: product.outputs,
        into: target + inputs.lowerBound * product.outputs + outputs.lowerBound,
        ldc: product.outputs, adding: !overwritesWeight)
    } else {
      MatrixProduct.multiply(
        m: outputs.count, n: inputs.count, k: rows, gradient, lda: product.outputs, .transpose,
        source, ldb: product.inputs,
        into: target + outputs.lowerBound * product.inputs + inputs.lowerBound,
        ldc: product.inputs, adding: !overwritesWeight)
    }
    guard let bias = product.bias, inputs.lowerBound == 0 else { return }
    let sums = run.store.gradient(bias) + product.firstRow + outputs.lowerBound
    for row in 0..<rows {
      run.kernels.table.axpy(1, gradient + row * product.outputs, sums, outputs.count)
    }
  }
}
