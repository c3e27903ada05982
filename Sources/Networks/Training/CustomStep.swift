import LinkMath

/// A ``CustomOperation`` over the batch; gradients of its parameters are summed block by block.
final class CustomStep: Step {
  private let operation: any CustomOperation
  private let inputs: [Consumer]
  private let output: View
  private let shapes: [Shape]
  /// For each worker: gradients of the inputs of one sample.
  private let scratch: [[FloatMemory]]
  /// For each block and parameter: the sum over the samples of the block.
  private let sums: [[FloatMemory]]

  init(
    _ operation: any CustomOperation, _ sources: [View], _ output: View, batch: Int, workers: Int
  ) {
    self.operation = operation
    self.output = output
    inputs = sources.map { Consumer($0) }
    shapes = sources.map(\.shape)
    scratch = (0..<workers).map { _ in sources.map { FloatMemory($0.shape.count) } }
    let blocks = (batch + Run.blockSize - 1) / Run.blockSize
    sums = (0..<blocks).map { _ in operation.reads.map { FloatMemory($0.count) } }
  }

  private func sample(_ run: Run, _ index: Int) -> CustomSample {
    CustomSample(
      inputs: inputs.map {
        UnsafeBufferPointer(start: $0.view.data(index), count: $0.view.shape.count)
      }, shapes: shapes,
      parameters: operation.reads.map {
        UnsafeBufferPointer(start: run.store.value($0), count: $0.count)
      }, withoutGradient: inputs.map { !$0.view.wantsGradient })
  }

  func forward(_ run: Run, block: Int, worker: Int) {
    for index in run.samples(block) {
      operation.forward(
        sample(run, index),
        into: UnsafeMutableBufferPointer(start: output.data(index), count: output.shape.count))
    }
  }

  func backward(_ run: Run, block: Int, worker: Int) {
    guard output.wantsGradient, !sums[block].isEmpty || inputs.contains(where: \.view.wantsGradient)
    else { return }
    for sum in sums[block] { sum.fill(0) }
    for index in run.samples(block) {
      operation.backward(
        sample(run, index),
        gradient: UnsafeBufferPointer(start: output.gradient(index), count: output.shape.count),
        inputs: scratch[worker].map(\.buffer), parameters: sums[block].map(\.buffer))
      for (input, gradient) in zip(inputs, scratch[worker]) {
        input.pass(run.kernels, gradient.pointer, index, count: gradient.count)
      }
    }
  }

  func finishBackward(_ run: Run) {
    guard output.wantsGradient else { return }
    // Constants and statistics have no gradient.
    for (index, parameter) in operation.reads.enumerated() where parameter.isTrainable {
      let total = run.store.gradient(parameter)
      for block in 0..<run.blockCount {
        run.kernels.table.axpy(1, sums[block][index].pointer, total, parameter.count)
      }
    }
  }
}

/// A ``MatrixOperation`` over the batch: one product with its matrix forward, two back, in parts that depend on its size only.
final class MatrixStep: Step, @unchecked Sendable {
  // Sendable: tasks write disjoint parts of memory.
  private let operation: any MatrixOperation
  private let input: Consumer
  private let output: View
  private let matrix, shift, matrixGradient, shiftGradient: FloatMemory

  private static let parts = 4

  init(_ operation: any MatrixOperation, _ input: View, _ output: View) {
    self.operation = operation
    self.input = Consumer(input)
    self.output = output
    let (inputs, outputs) = (input.shape.count, output.shape.count)
    matrix = FloatMemory(inputs * outputs)
    matrixGradient = FloatMemory(inputs * outputs)
    shift = FloatMemory(outputs)
    shiftGradient = FloatMemory(outputs)
  }

  private var inputs: Int { input.view.shape.count }
  private var outputs: Int { output.shape.count }

  private func part(_ index: Int, of count: Int) -> Range<Int> {
    count * index / MatrixStep.parts..<count * (index + 1) / MatrixStep.parts
  }

  private func parameters(_ run: Run) -> [UnsafePointer<Float>] {
    operation.reads.map { UnsafePointer(run.store.value($0)) }
  }

  func prepare(_ run: Run) {
    operation.write(parameters(run), matrix: matrix.pointer, shift: shift.pointer)
  }

  func forwardTasks(_ run: Run) -> Int? { MatrixStep.parts }
  func backwardTasks(_ run: Run) -> Int? { MatrixStep.parts * (input.view.wantsGradient ? 2 : 1) }

  func forward(_ run: Run, block: Int, worker: Int) {
    let columns = part(block, of: outputs)
    guard !columns.isEmpty else { return }
    let target = output.data(0) + columns.lowerBound
    for sample in 0..<run.count {
      (target + sample * outputs).update(
        from: shift.pointer + columns.lowerBound, count: columns.count)
    }
    MatrixProduct.multiply(
      m: run.count, n: columns.count, k: inputs, input.view.data(0), lda: inputs, .none,
      matrix.pointer + columns.lowerBound * inputs, ldb: inputs, .transpose, into: target,
      ldc: outputs, adding: true)
  }

  func backward(_ run: Run, block: Int, worker: Int) {
    guard output.wantsGradient else { return }
    if block < MatrixStep.parts {
      weightGradient(run, part(block, of: outputs))
    } else {
      inputGradient(run, part(block - MatrixStep.parts, of: inputs))
    }
  }

  private func weightGradient(_ run: Run, _ rows: Range<Int>) {
    guard !rows.isEmpty else { return }
    let gradient = output.gradient(0) + rows.lowerBound
    MatrixProduct.multiply(
      m: rows.count, n: inputs, k: run.count, gradient, lda: outputs, .transpose,
      input.view.data(0), ldb: inputs, into: matrixGradient.pointer + rows.lowerBound * inputs,
      ldc: inputs)
    let sums = shiftGradient.pointer + rows.lowerBound
    sums.update(repeating: 0, count: rows.count)
    for sample in 0..<run.count {
      run.kernels.table.axpy(1, gradient + sample * outputs, sums, rows.count)
    }
  }

  private func inputGradient(_ run: Run, _ columns: Range<Int>) {
    guard !columns.isEmpty else { return }
    MatrixProduct.multiply(
      m: run.count, n: columns.count, k: outputs, output.gradient(0), lda: outputs, .none,
      matrix.pointer + columns.lowerBound, ldb: inputs,
      into: input.view.gradient(0) + columns.lowerBound, ldc: inputs,
      adding: !input.isFirstInBackward)
  }

  func finishBackward(_ run: Run) {
    guard output.wantsGradient else { return }
    operation.addGradients(
      parameters(run), matrix: matrixGradient.pointer, shift: shiftGradient.pointer,
      to: operation.reads.map { run.store.gradient($0) })
  }
}
