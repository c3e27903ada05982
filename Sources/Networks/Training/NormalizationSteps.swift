/// Layer normalisation of the last axis.
final class LayerNormStep: Step, @unchecked Sendable {
  // Sendable: partial sums are per block, scratch memory per worker.
  private let layer: LayerNorm
  private let input: Consumer
  private let output: View
  private let rows: Int
  /// Gradients of gamma and beta of each block.
  private let partial: FloatMemory
  private let scratch: [FloatMemory]

  init(_ layer: LayerNorm, _ input: View, _ output: View, batch: Int, workers: Int) {
    self.layer = layer
    self.input = Consumer(input)
    self.output = output
    rows = input.shape.count / layer.count
    partial = FloatMemory((batch + Run.blockSize - 1) / Run.blockSize * 2 * layer.count)
    scratch = (0..<workers).map { _ in FloatMemory(input.shape.count) }
  }

  func forward(_ run: Run, block: Int, worker: Int) {
    let n = layer.count
    for sample in run.samples(block) {
      for row in 0..<rows {
        layerNorm(
          input.view.data(sample) + row * n, output.data(sample) + row * n, layer,
          gamma: run.store.value(layer.gamma), beta: run.store.value(layer.beta))
      }
    }
  }

  func backward(_ run: Run, block: Int, worker: Int) {
    guard output.wantsGradient else { return }
    let n = layer.count
    let gamma = run.store.value(layer.gamma)
    let gammaGradient = partial.pointer + block * 2 * n
    let betaGradient = gammaGradient + n
    gammaGradient.update(repeating: 0, count: 2 * n)
    let dx = scratch[worker].pointer
    for sample in run.samples(block) {
      for row in 0..<rows {
        let x = input.view.data(sample) + row * n
        let dy = output.gradient(sample) + row * n
        let (mean, inverse) = layer.statistics(x)
        var (sum, centred) = (0.0, 0.0)
        for i in 0..<n {
          let unit = (Double(x[i]) - mean) * inverse
          let g = Double(dy[i] * gamma[i])
          sum += g
          centred += g * unit
          gammaGradient[i] += dy[i] * Float(unit)
          betaGradient[i] += dy[i]
        }
        for i in 0..<n {
          let unit = (Double(x[i]) - mean) * inverse
          let g = Double(dy[i] * gamma[i])
          dx[row * n + i] = Float(inverse * (g - (sum + unit * centred) / Double(n)))
        }
      }
      input.pass(run.kernels, dx, sample, count: input.view.shape.count)
    }
  }

  func finishBackward(_ run: Run) {
    guard output.wantsGradient else { return }
    let n = layer.count
    for block in 0..<run.blockCount {
      let sums = partial.pointer + block * 2 * n
      run.kernels.table.axpy(1, sums, run.store.gradient(layer.gamma), n)
      run.kernels.table.axpy(1, sums + n, run.store.gradient(layer.beta), n)
    }
  }
}

extension LayerNorm {
  /// Mean and 1 / sqrt(var + eps) of one token.
  func statistics(_ x: UnsafePointer<Float>) -> (mean: Double, inverse: Double) {
    var sum = 0.0
    for i in 0..<count { sum += Double(x[i]) }
    let mean = sum / Double(count)
    var squares = 0.0
    for i in 0..<count { squares += (Double(x[i]) - mean) * (Double(x[i]) - mean) }
    return (mean, 1 / (squares / Double(count) + epsilon).squareRoot())
  }
}

func layerNorm(
  _ x: UnsafePointer<Float>, _ y: UnsafeMutablePointer<Float>, _ layer: LayerNorm,
  gamma: UnsafePointer<Float>, beta: UnsafePointer<Float>
) {
  let (mean, inverse) = layer.statistics(x)
  let (shift, scale) = (Float(mean), Float(inverse))
  for i in 0..<layer.count { y[i] = (x[i] - shift) * scale * gamma[i] + beta[i] }
}

/// Batch normalisation whose statistics are per column (``BatchNorm/Axis/width``).
final class ColumnNormStep: Step, @unchecked Sendable {
  // Sendable: partial sums are per sample, coefficients are written between regions.
  private let layer: BatchNorm
  private let input: Consumer
  private let output: View
  private var mean, inverse, a, b, c: [Double]
  /// Per sample and column: two sums.
  private let sums: UnsafeMutablePointer<Double>
  private let scratch: [FloatMemory]

  init(_ layer: BatchNorm, _ input: View, _ output: View, batch: Int, workers: Int) {
    self.layer = layer
    self.input = Consumer(input)
    self.output = output
    mean = [Double](repeating: 0, count: layer.count)
    inverse = mean
    a = mean
    b = mean
    c = mean
    sums = .allocate(capacity: 2 * layer.count * batch)
    scratch = (0..<workers).map { _ in FloatMemory(input.shape.count) }
  }

  deinit { sums.deallocate() }

  // The statistics of the whole input are needed before any output, so the work is done at the region's end.
  var endsForwardRegion: Bool { true }
  var endsBackwardRegion: Bool { true }
  private var rows: Int { input.view.shape.count / layer.count }

  func forward(_ run: Run, block: Int, worker: Int) {
    guard run.usesBatch(layer) else { return }
    for sample in run.samples(block) {
      let x = input.view.data(sample)
      for column in 0..<layer.count {
        var (sum, squares) = (0.0, 0.0)
        for row in 0..<rows {
          let value = Double(x[row * layer.count + column])
          sum += value
          squares += value * value
        }
        sums[2 * (sample * layer.count + column)] = sum
        sums[2 * (sample * layer.count + column) + 1] = squares
      }
    }
  }

  private func total(_ run: Run, _ column: Int, _ which: Int) -> Double {
    (0..<run.count).reduce(0.0) { $0 + sums[2 * ($1 * layer.count + column) + which] }
  }

  func finishForward(_ run: Run) {
    let (runningMean, runningVariance) = (
      run.store.value(layer.runningMean), run.store.value(layer.runningVariance)
    )
    let m = layer.settings.momentum
    for column in 0..<layer.count {
      var variance = Double(runningVariance[column])
      mean[column] = Double(runningMean[column])
      if run.usesBatch(layer) {
        let n = Double(rows * run.count)
        mean[column] = total(run, column, 0) / n
        variance = max(0, total(run, column, 1) / n - mean[column] * mean[column])
        runningMean[column] = Float((1 - m) * Double(runningMean[column]) + m * mean[column])
        runningVariance[column] = Float(
          (1 - m) * Double(runningVariance[column]) + m * variance * n / max(n - 1, 1))
      }
      inverse[column] = 1 / (variance + layer.settings.epsilon).squareRoot()
    }
    let (gamma, beta) = (run.store.value(layer.gamma), run.store.value(layer.beta))
    for sample in 0..<run.count {
      let (x, y) = (input.view.data(sample), output.data(sample))
      for i in 0..<input.view.shape.count {
        let column = i % layer.count
        let unit = (Double(x[i]) - mean[column]) * inverse[column]
        y[i] = Float(unit * Double(gamma[column]) + Double(beta[column]))
      }
    }
  }

  func backward(_ run: Run, block: Int, worker: Int) {
    guard output.wantsGradient else { return }
    for sample in run.samples(block) {
      let (x, dy) = (input.view.data(sample), output.gradient(sample))
      for column in 0..<layer.count {
        var (sum, centred) = (0.0, 0.0)
        for row in 0..<rows {
          let i = row * layer.count + column
          sum += Double(dy[i])
          centred += Double(dy[i]) * (Double(x[i]) - mean[column])
        }
        sums[2 * (sample * layer.count + column)] = sum
        sums[2 * (sample * layer.count + column) + 1] = centred
      }
    }
  }

  func finishBackward(_ run: Run) {
    guard output.wantsGradient else { return }
    let n = Double(rows * run.count)
    for column in 0..<layer.count {
      let (sum, centred) = (total(run, column, 0), total(run, column, 1))
      run.store.gradient(layer.gamma)[column] += Float(centred * inverse[column])
      run.store.gradient(layer.beta)[column] += Float(sum)
      a[column] = Double(run.store.value(layer.gamma)[column]) * inverse[column]
      b[column] = -a[column] * inverse[column] * inverse[column] * centred / n
      c[column] = -a[column] * sum / n - b[column] * mean[column]
      // Running statistics do not depend on the values.
      if !run.usesBatch(layer) { (b[column], c[column]) = (0, 0) }
    }
    let dx = scratch[0].pointer
    for sample in 0..<run.count {
      let (x, dy) = (input.view.data(sample), output.gradient(sample))
      for i in 0..<input.view.shape.count {
        let column = i % layer.count
        dx[i] = Float(a[column] * Double(dy[i]) + b[column] * Double(x[i]) + c[column])
      }
      input.pass(run.kernels, dx, sample, count: input.view.shape.count)
    }
  }
}
