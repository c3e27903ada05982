import LinkMath

/// A ``CustomOperation`` over the batch; gradients of its parameters are summed block by block.
final class CustomStep: BlockSummingStep {
  private let operation: any CustomOperation
  private let inputs: [Consumer]
  private let output: View
  private let shapes: [Shape]
  private let withoutGradient: [Bool]
  /// For each worker: gradients of the inputs of one sample, where they cannot be written in place.
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
    withoutGradient = sources.map { !$0.wantsGradient }
    scratch = (0..<workers).map { _ in sources.map { FloatMemory($0.shape.count) } }
    let blocks = (batch + Run.blockSize - 1) / Run.blockSize
    sums = (0..<blocks).map { _ in operation.reads.map { FloatMemory($0.count) } }
  }

  private func parameters(_ run: Run) -> [UnsafeBufferPointer<Float>] {
    operation.reads.map { UnsafeBufferPointer(start: run.store.value($0), count: $0.count) }
  }

  private func sample(_ index: Int, _ parameters: [UnsafeBufferPointer<Float>]) -> CustomSample {
    CustomSample(
      inputs: inputs.map {
        UnsafeBufferPointer(start: $0.view.data(index), count: $0.view.shape.count)
      }, shapes: shapes, parameters: parameters, withoutGradient: withoutGradient)
  }

  func forward(_ run: Run, block: Int, worker: Int) {
    let parameters = parameters(run)
    for index in run.samples(block) {
      operation.forward(
        sample(index, parameters),
        into: UnsafeMutableBufferPointer(start: output.data(index), count: output.shape.count))
    }
  }

  func backward(_ run: Run, block: Int, worker: Int) {
    guard output.wantsGradient, !sums[block].isEmpty || inputs.contains(where: \.view.wantsGradient)
    else { return }
    for sum in sums[block] { sum.fill(0) }
    let (parameters, totals) = (parameters(run), sums[block].map(\.buffer))
    for index in run.samples(block) {
      let gradients = zip(inputs, scratch[worker]).map { input, own in
        input.isFirstInBackward && input.view.wantsGradient
          ? UnsafeMutableBufferPointer(start: input.view.gradient(index), count: own.count)
          : own.buffer
      }
      operation.backward(
        sample(index, parameters),
        gradient: UnsafeBufferPointer(start: output.gradient(index), count: output.shape.count),
        inputs: gradients, parameters: totals)
      for (input, own) in zip(inputs, scratch[worker]) where !input.isFirstInBackward {
        input.pass(run.kernels, own.pointer, index, count: own.count)
      }
    }
  }

  /// Constants and statistics have no gradient.
  var summed: [NetworkParameter?] { operation.reads.map { $0.isTrainable ? $0 : nil } }

  func addGradient(_ run: Run, of index: Int, _ range: Range<Int>) {
    guard output.wantsGradient else { return }
    let total = run.store.gradient(operation.reads[index]) + range.lowerBound
    for block in 0..<run.blockCount {
      run.kernels.table.axpy(
        1, sums[block][index].pointer + range.lowerBound, total, range.count)
    }
  }
}
