import CKernels

/// Two dense layers with a LeakyReLU between them, for many tokens: `y = W2 f(W1 x + b1) + b2`.
///
/// Hidden values exist only for a block of tokens and of hidden units at a time, which stays in the cache; the backward
/// pass computes them again, for a sixth more multiplications than keeping them would need.
final class FeedForwardStep: Step, @unchecked Sendable {
  // Sendable: scratch memory is per worker, partial sums per part, packed weights are written between regions.
  private let layers: FeedForward
  private let input: Consumer
  private let output: View
  private let tokens, samplesPerChunk: Int
  /// W1 and W2 for the forward pass, their transposes for the gradients.
  private let packedFirst, packedSecond, packedFirstTransposed, packedSecondTransposed: FloatMemory
  private let zeros: FloatMemory
  private let scratch: [Scratch]
  private let partial: [Gradients]

  /// Tokens taken at once.
  private static let rows = 64
  /// Divisions of the batch in the backward pass, each with gradients of its own; they do not depend on the threads.
  private static let parts = 8

  /// Hidden values, their gradient and the gradient of the input for one block of samples.
  private struct Scratch {
    let hidden, gradient, inputGradient: FloatMemory
  }

  /// Gradients of one part; those of the weights in blocks of hidden units, `[block, input or output, pitch]`.
  private struct Gradients {
    let first, second, firstBias, secondBias: FloatMemory
  }

  private var first: DenseProduct { layers.first }
  private var second: DenseProduct { layers.second }

  init(_ layers: FeedForward, _ input: View, _ output: View, workers: Int) {
    self.layers = layers
    let (first, second) = (layers.first, layers.second)
    self.input = Consumer(input)
    self.output = output
    let tokens = input.shape.count / first.inputs
    self.tokens = tokens
    let size = first.inputs * first.outputs
    packedFirst = FloatMemory(size)
    packedFirstTransposed = FloatMemory(size)
    packedSecond = FloatMemory(second.inputs * second.outputs)
    packedSecondTransposed = FloatMemory(second.inputs * second.outputs)
    zeros = FloatMemory(max(first.inputs, first.outputs))
    samplesPerChunk = max(1, FeedForwardStep.rows / tokens)
    let rows = samplesPerChunk * tokens
    scratch = (0..<workers).map { _ in
      Scratch(
        hidden: FloatMemory(rows * FeedForward.pitch),
        gradient: FloatMemory(rows * FeedForward.pitch),
        inputGradient: FloatMemory(rows * first.inputs))
    }
    let blocks = (first.outputs + FeedForward.width - 1) / FeedForward.width
    partial = (0..<FeedForwardStep.parts).map { _ in
      Gradients(
        first: FloatMemory(blocks * first.inputs * FeedForward.pitch),
        second: FloatMemory(blocks * second.outputs * FeedForward.pitch),
        firstBias: FloatMemory(first.outputs), secondBias: FloatMemory(second.outputs))
    }
  }

  func backwardTasks(_ run: Run) -> Int? { FeedForwardStep.parts }

  func prepare(_ run: Run) {
    pack(run, first, packedFirst)
    pack(run, second, packedSecond)
  }

  func prepareBackward(_ run: Run) {
    packTransposed(run, first, packedFirstTransposed)
    packTransposed(run, second, packedSecondTransposed)
  }

  /// The matrix of `y = x Wᵀ`, of W as it is stored, `[output, input]`.
  private func pack(_ run: Run, _ product: DenseProduct, _ packed: FloatMemory) {
    csk_product_pack(
      product.inputs, product.outputs, run.store.value(product.weight), product.inputs, 1,
      packed.pointer)
  }

  /// The matrix of `dx = dy W`.
  private func packTransposed(_ run: Run, _ product: DenseProduct, _ packed: FloatMemory) {
    csk_product_pack(
      product.outputs, product.inputs, run.store.value(product.weight), product.inputs, 0,
      packed.pointer)
  }

  /// `f(W1 x + b1)` of some hidden units.
  private func activate(
    _ run: Run, _ x: UnsafePointer<Float>, rows: Int, _ start: Int, _ count: Int,
    _ hidden: UnsafeMutablePointer<Float>
  ) {
    layers.activate(
      x, rows: rows, start, count, packed: packedFirst.pointer,
      bias: run.store.value(first.bias!), hidden, run.kernels)
  }

  /// Calls `body` with the parts of a range of samples that are taken at once.
  private func forEachChunk(_ samples: Range<Int>, _ body: (_ samples: Range<Int>) -> Void) {
    for start in stride(from: samples.lowerBound, to: samples.upperBound, by: samplesPerChunk) {
      body(start..<min(start + samplesPerChunk, samples.upperBound))
    }
  }

  func forward(_ run: Run, block: Int, worker: Int) {
    let hidden = scratch[worker].hidden.pointer
    forEachChunk(run.samples(block)) { samples in
      let rows = samples.count * tokens
      let x = input.view.data(samples.lowerBound)
      let y = output.data(samples.lowerBound)
      layers.forEachBlock { start, count in
        activate(run, x, rows: rows, start, count, hidden)
        layers.collect(
          hidden, rows: rows, start, count, packed: packedSecond.pointer,
          bias: run.store.value(second.bias!), into: y)
      }
    }
  }

  func backward(_ run: Run, block part: Int, worker: Int) {
    guard output.wantsGradient else { return }
    let gradients = partial[part]
    for memory in [gradients.first, gradients.second, gradients.firstBias, gradients.secondBias] {
      memory.fill(0)
    }
    let range =
      run.count * part / FeedForwardStep.parts..<run.count * (part + 1) / FeedForwardStep.parts
    forEachChunk(range) { differentiate(run, $0, scratch[worker], gradients) }
  }

  /// Where a block of hidden units starts in the gradient of a weight with `size` inputs or outputs.
  private func block(_ start: Int, _ size: Int) -> Int {
    start / FeedForward.width * size * FeedForward.pitch
  }

  private func differentiate(
    _ run: Run, _ samples: Range<Int>, _ scratch: Scratch, _ gradients: Gradients
  ) {
    let table = run.kernels.table
    let rows = samples.count * tokens
    let (pitch, panel) = (FeedForward.pitch, csk_product_panel())
    let x = input.view.data(samples.lowerBound)
    let dy = output.gradient(samples.lowerBound)
    let (h, dh) = (scratch.hidden.pointer, scratch.gradient.pointer)
    let dx = scratch.inputGradient.pointer
    var unused = backward_sums()
    layers.forEachBlock { start, count in
      activate(run, x, rows: rows, start, count, h)
      csk_product_unpacked(
        second.outputs, count, rows, dy, second.outputs, 1, h, pitch,
        gradients.second.pointer + block(start, second.outputs), pitch, 1)
      csk_product_part(
        rows, count, second.outputs, dy, second.outputs,
        packedSecondTransposed.pointer + start * second.outputs, second.outputs, zeros.pointer, dh,
        pitch)
      for row in 0..<rows {
        // The activation keeps the sign, so its output tells the slope.
        table.backward(dh + row * pitch, h + row * pitch, count, 1, 0, 0, layers.slope, &unused)
        table.axpy(1, dh + row * pitch, gradients.firstBias.pointer + start, count)
      }
      csk_product_unpacked(
        first.inputs, count, rows, x, first.inputs, 1, dh, pitch,
        gradients.first.pointer + block(start, first.inputs), pitch, 1)
      csk_product_part(
        rows, first.inputs, count, dh, pitch, packedFirstTransposed.pointer + start * panel,
        first.outputs, start == 0 ? UnsafePointer(zeros.pointer) : nil, dx, first.inputs)
    }
    for row in 0..<rows {
      table.axpy(1, dy + row * second.outputs, gradients.secondBias.pointer, second.outputs)
    }
    for sample in samples {
      input.pass(
        run.kernels, dx + (sample - samples.lowerBound) * input.view.shape.count, sample,
        count: input.view.shape.count)
    }
  }

  /// Adds the gradients of the parts in their order.
  func finishBackward(_ run: Run) {
    guard output.wantsGradient else { return }
    let table = run.kernels.table
    let sums = partial[0]
    for part in partial.dropFirst() {
      for (source, sum) in [
        (part.first, sums.first), (part.second, sums.second), (part.firstBias, sums.firstBias),
        (part.secondBias, sums.secondBias),
      ] { table.axpy(1, source.pointer, sum.pointer, sum.count) }
    }
    table.axpy(1, sums.firstBias.pointer, run.store.gradient(first.bias!), first.outputs)
    table.axpy(1, sums.secondBias.pointer, run.store.gradient(second.bias!), second.outputs)
    let (firstTarget, secondTarget) = (
      run.store.gradient(first.weight), run.store.gradient(second.weight)
    )
    layers.forEachBlock { start, count in
      for o in 0..<second.outputs {
        table.axpy(
          1, sums.second.pointer + block(start, second.outputs) + o * FeedForward.pitch,
          secondTarget + o * second.inputs + start, count)
      }
      for hidden in 0..<count {
        let column = sums.first.pointer + block(start, first.inputs) + hidden
        let row = firstTarget + (start + hidden) * first.inputs
        for i in 0..<first.inputs { row[i] += column[i * FeedForward.pitch] }
      }
    }
  }
}
