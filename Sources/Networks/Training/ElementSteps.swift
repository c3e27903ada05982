import CKernels

/// Writes the values of one or more views as one plain map.
final class CopyStep: Step {
  private let inputs: [Consumer]
  private let output: View

  init(_ views: [View], _ output: View) {
    inputs = views.map { Consumer($0) }
    self.output = output
  }

  func forward(_ run: Run, block: Int, worker: Int) {
    for sample in run.samples(block) {
      var target = output.data(sample)
      for input in inputs {
        let shape = input.view.shape
        for channel in 0..<shape.channels {
          input.view.stage(run.kernels, sample, channel, to: target, pitch: shape.width)
          target += shape.plane
        }
      }
    }
  }

  func backward(_ run: Run, block: Int, worker: Int) {
    for sample in run.samples(block) {
      guard output.wantsGradient else { return }
      var gradient = output.gradient(sample)
      for input in inputs {
        input.pass(run.kernels, gradient, sample, count: input.view.shape.count)
        gradient += input.view.shape.count
      }
    }
  }
}

/// first + sign * second.
final class SumStep: Step {
  private let first, second: Consumer
  private let sign: Float
  private let output: View

  init(_ first: View, _ second: View, sign: Float, _ output: View) {
    self.first = Consumer(first)
    self.second = Consumer(second)
    self.sign = sign
    self.output = output
  }

  func forward(_ run: Run, block: Int, worker: Int) {
    let shape = output.shape
    for sample in run.samples(block) {
      for channel in 0..<shape.channels {
        let target = output.data(sample) + channel * shape.plane
        first.view.stage(run.kernels, sample, channel, to: target, pitch: shape.width)
        second.view.add(run.kernels, sample, channel, sign: sign, to: target)
      }
    }
  }

  func backward(_ run: Run, block: Int, worker: Int) {
    guard output.wantsGradient else { return }
    for sample in run.samples(block) {
      let gradient = output.gradient(sample)
      second.pass(run.kernels, gradient, sample, count: output.shape.count, sign: sign)
      first.pass(run.kernels, gradient, sample, count: output.shape.count)
    }
  }
}

/// Sigmoid, hard sigmoid or tanh of a plain map.
final class PointwiseStep: Step, @unchecked Sendable {
  // Sendable: scratch memory is per worker.
  private let function: Pointwise
  private let input: Consumer
  private let output: View
  private let scratch: [FloatMemory]

  init(_ function: Pointwise, _ input: View, _ output: View, workers: Int) {
    self.function = function
    self.input = Consumer(input)
    self.output = output
    scratch = (0..<workers).map { _ in FloatMemory(output.shape.count) }
  }

  func forward(_ run: Run, block: Int, worker: Int) {
    for sample in run.samples(block) {
      function.apply(
        run.kernels, input.view.data(sample), output.data(sample), output.shape.count)
    }
  }

  func backward(_ run: Run, block: Int, worker: Int) {
    guard input.view.wantsGradient else { return }
    let product = scratch[worker].pointer
    for sample in run.samples(block) {
      let (y, dy) = (output.data(sample), output.gradient(sample))
      for i in 0..<output.shape.count { product[i] = dy[i] * function.derivative(atOutput: y[i]) }
      input.pass(run.kernels, product, sample, count: output.shape.count)
    }
  }
}

extension Pointwise {
  func apply(
    _ kernels: Kernels, _ x: UnsafePointer<Float>, _ y: UnsafeMutablePointer<Float>, _ count: Int
  ) {
    switch self {
    case .sigmoid: kernels.table.sigmoid(x, y, count)
    case .tanh: kernels.table.tanh(x, y, count)
    case .hardSigmoid: for i in 0..<count { y[i] = min(max((x[i] + 3) / 6, 0), 1) }
    }
  }

  /// Derivative where the function takes the value y.
  func derivative(atOutput y: Float) -> Float {
    switch self {
    case .sigmoid: y * (1 - y)
    case .tanh: 1 - y * y
    case .hardSigmoid: y > 0 && y < 1 ? 1 / 6 : 0
    }
  }
}

/// Elementwise product with a map, a value per channel or a plane.
final class MultiplyStep: Step, @unchecked Sendable {
  // Sendable: scratch memory is per worker.
  private let first, factor: Consumer
  private let output: View
  private let strides: (channel: Int, position: Int)
  private let scratch: [(first: FloatMemory, factor: FloatMemory)]

  init(_ first: View, _ factor: View, _ output: View, workers: Int) {
    self.first = Consumer(first)
    self.factor = Consumer(factor)
    self.output = output
    let plane = output.shape.plane
    strides =
      factor.shape == output.shape
      ? (plane, 1) : factor.shape.channels == output.shape.channels ? (1, 0) : (0, 1)
    scratch = (0..<workers).map { _ in
      (FloatMemory(first.shape.count), FloatMemory(factor.shape.count))
    }
  }

  private func forEach(_ body: (_ index: Int, _ factor: Int) -> Void) {
    let shape = output.shape
    for channel in 0..<shape.channels {
      for position in 0..<shape.plane {
        body(
          channel * shape.plane + position,
          channel * strides.channel + position * strides.position)
      }
    }
  }

  func forward(_ run: Run, block: Int, worker: Int) {
    for sample in run.samples(block) {
      let (x, f, y) = (first.view.data(sample), factor.view.data(sample), output.data(sample))
      forEach { y[$0] = x[$0] * f[$1] }
    }
  }

  func backward(_ run: Run, block: Int, worker: Int) {
    guard output.wantsGradient else { return }
    let (dx, df) = (scratch[worker].first, scratch[worker].factor)
    for sample in run.samples(block) {
      let (x, f) = (first.view.data(sample), factor.view.data(sample))
      let dy = output.gradient(sample)
      df.fill(0)
      forEach {
        dx.pointer[$0] = dy[$0] * f[$1]
        df.pointer[$1] += dy[$0] * x[$0]
      }
      factor.pass(run.kernels, df.pointer, sample, count: factor.view.shape.count)
      first.pass(run.kernels, dx.pointer, sample, count: first.view.shape.count)
    }
  }
}

/// Product with one learned scalar.
final class ScaleStep: Step, @unchecked Sendable {
  // Sendable: sums are per sample, scratch memory per worker.
  private let factor: NetworkParameter
  private let input: Consumer
  private let output: View
  private let sums: FloatMemory
  private let scratch: [FloatMemory]

  init(_ factor: NetworkParameter, _ input: View, _ output: View, batch: Int, workers: Int) {
    self.factor = factor
    self.input = Consumer(input)
    self.output = output
    sums = FloatMemory(batch)
    scratch = (0..<workers).map { _ in FloatMemory(output.shape.count) }
  }

  func forward(_ run: Run, block: Int, worker: Int) {
    let value = run.store.value(factor)[0]
    for sample in run.samples(block) {
      let (x, y) = (input.view.data(sample), output.data(sample))
      for i in 0..<output.shape.count { y[i] = value * x[i] }
    }
  }

  func backward(_ run: Run, block: Int, worker: Int) {
    guard output.wantsGradient else { return }
    let value = run.store.value(factor)[0]
    let dx = scratch[worker].pointer
    for sample in run.samples(block) {
      let dy = output.gradient(sample)
      sums.pointer[sample] = run.kernels.table.dot(
        dy, input.view.data(sample), output.shape.count)
      for i in 0..<output.shape.count { dx[i] = value * dy[i] }
      input.pass(run.kernels, dx, sample, count: output.shape.count)
    }
  }

  func finishBackward(_ run: Run) {
    guard output.wantsGradient else { return }
    var total = 0.0
    for sample in 0..<run.count { total += Double(sums.pointer[sample]) }
    run.store.gradient(factor)[0] += Float(total)
  }
}
