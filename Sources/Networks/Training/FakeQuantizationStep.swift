import CKernels

/// Rounding of activations to what 8-bit integers stand for, behind a range that follows the batches.
///
/// The range moves before the batch is rounded, so the rounding waits for all blocks.
final class FakeQuantizationStep: Step, @unchecked Sendable {
  // Sendable: ranges are per block, scratch memory per worker.
  private let quantization: FakeQuantization
  private let input: Consumer
  private let output: View
  private let scratch: [FloatMemory]
  /// Smallest and largest value of each block.
  private let ranges: FloatMemory
  private var quantizer = ActivationQuantizer(0, 0, levels: FakeQuantization.levels)

  init(_ quantization: FakeQuantization, _ input: View, _ output: View, batch: Int, workers: Int) {
    self.quantization = quantization
    self.input = Consumer(input)
    self.output = output
    scratch = (0..<workers).map { _ in FloatMemory(input.shape.count) }
    ranges = FloatMemory((batch + Run.blockSize - 1) / Run.blockSize * 2)
  }

  var endsForwardRegion: Bool { true }

  func forward(_ run: Run, block: Int, worker: Int) {
    let range = ranges.pointer + 2 * block
    (range[0], range[1]) = (0, 0)
    for sample in run.samples(block) {
      csk_float_range(input.view.shape.count, input.view.data(sample), range)
    }
  }

  func finishForward(_ run: Run) {
    let range = run.store.value(quantization.range)
    if run.isTraining, !run.frozen.contains(ObjectIdentifier(quantization.range)) {
      FakeQuantization.move(
        &range[0], &range[1], towards: batchRange(run), share: FakeQuantization.momentum)
    }
    quantizer = ActivationQuantizer(range[0], range[1], levels: FakeQuantization.levels)
    csk_int8_round(
      run.count * output.shape.count, input.view.data(0), quantizer.scale, Int32(quantizer.zero),
      Int32(quantizer.levels), output.data(0))
  }

  private func batchRange(_ run: Run) -> (Float, Float) {
    (0..<run.blockCount).reduce((0, 0)) { range, block in
      (min(range.0, ranges.pointer[2 * block]), max(range.1, ranges.pointer[2 * block + 1]))
    }
  }

  /// The gradient passes inside the range.
  func backward(_ run: Run, block: Int, worker: Int) {
    guard output.wantsGradient, input.view.wantsGradient else { return }
    let passed = scratch[worker].pointer
    let (low, high) = quantizer.bounds
    for sample in run.samples(block) {
      let (x, gradient) = (input.view.data(sample), output.gradient(sample))
      for i in 0..<output.shape.count {
        passed[i] = x[i] >= low && x[i] <= high ? gradient[i] : 0
      }
      input.pass(run.kernels, passed, sample, count: output.shape.count)
    }
  }
}

extension FakeQuantization {
  /// A range moved towards another one; one of a single point takes the other.
  static func move(
    _ low: inout Float, _ high: inout Float, towards other: (Float, Float), share: Float
  ) {
    if low == high {
      (low, high) = other
    } else {
      low += share * (other.0 - low)
      high += share * (other.1 - high)
    }
  }
}
