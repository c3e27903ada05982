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
    for (index, parameter) in operation.reads.enumerated() {
      let total = run.store.gradient(parameter)
      for block in 0..<run.blockCount {
        run.kernels.table.axpy(1, sums[block][index].pointer, total, parameter.count)
      }
    }
  }
}
