import CKernels

/// Batch statistics of a view going forward; derivative of its activation and normalisation going back.
final class ViewStep: Step, @unchecked Sendable {
  // Sendable: partial sums are per block, coefficients are written between regions.
  private let view: View
  private let channels: Int
  /// Per sample and channel: sum and centred sum of squares forward, the backward sums backward.
  private var inverses: [Double]
  private let momentPointer: UnsafeMutablePointer<Double>
  private let sumPointer: UnsafeMutablePointer<backward_sums>

  init(_ view: View, batch: Int) {
    self.view = view
    channels = view.shape.channels
    let samples = batch * channels
    momentPointer = .allocate(capacity: 2 * samples)
    sumPointer = .allocate(capacity: samples)
    inverses = [Double](repeating: 1, count: channels)
    view.hasStep = true
  }

  deinit {
    momentPointer.deallocate()
    sumPointer.deallocate()
  }

  var endsForwardRegion: Bool { view.normalization != nil }
  var endsBackwardRegion: Bool { view.normalization != nil }

  func prepare(_ run: Run) {
    switch view.slopeKind {
    case .identity: view.slope.fill(1)
    case .constant(let value): view.slope.fill(value)
    case .parameter(let slopes, let first):
      view.slope.pointer.update(from: run.store.value(slopes) + first, count: channels)
    }
    guard let norm = view.normalization, !run.usesBatch(norm) else { return }
    let variance = run.store.value(norm.runningVariance)
    let mean = run.store.value(norm.runningMean)
    for c in 0..<channels {
      setCoefficients(run, norm, c, mean: Double(mean[c]), variance: Double(variance[c]))
    }
  }

  private func setCoefficients(
    _ run: Run, _ norm: BatchNorm, _ c: Int, mean: Double, variance: Double
  ) {
    let inverse = 1 / (variance + norm.settings.epsilon).squareRoot()
    let scale = Double(run.store.value(norm.gamma)[c]) * inverse
    view.scale.pointer[c] = Float(scale)
    view.shift.pointer[c] = Float(Double(run.store.value(norm.beta)[c]) - mean * scale)
    view.mean.pointer[c] = Float(mean)
    inverses[c] = inverse
  }

  func forward(_ run: Run, block: Int, worker: Int) {
    guard let norm = view.normalization, run.usesBatch(norm) else { return }
    for sample in run.samples(block) {
      for c in 0..<channels {
        let at = 2 * (sample * channels + c)
        run.kernels.table.moments(
          view.data(sample) + c * view.shape.plane, view.shape.plane, momentPointer + at,
          momentPointer + at + 1)
      }
    }
  }

  /// Pools the samples' means and squares, Chan, Golub and LeVeque 1983.
  func finishForward(_ run: Run) {
    guard let norm = view.normalization, run.usesBatch(norm) else { return }
    let plane = Double(view.shape.plane)
    let total = plane * Double(run.count)
    let (mean, variance) = (
      run.store.value(norm.runningMean), run.store.value(norm.runningVariance)
    )
    let m = norm.settings.momentum
    for c in 0..<channels {
      var sum = 0.0
      for sample in 0..<run.count { sum += momentPointer[2 * (sample * channels + c)] }
      let average = sum / total
      var squares = 0.0
      for sample in 0..<run.count {
        let at = 2 * (sample * channels + c)
        let distance = momentPointer[at] / plane - average
        squares += momentPointer[at + 1] + plane * distance * distance
      }
      setCoefficients(run, norm, c, mean: average, variance: squares / total)
      mean[c] = Float((1 - m) * Double(mean[c]) + m * average)
      let unbiased = squares / max(total - 1, 1)
      variance[c] = Float((1 - m) * Double(variance[c]) + m * unbiased)
    }
  }

  func backward(_ run: Run, block: Int, worker: Int) {
    guard view.wantsGradient else { return }
    for sample in run.samples(block) {
      for c in 0..<channels {
        var sums = backward_sums()
        let offset = c * view.shape.plane
        run.kernels.table.backward(
          view.gradient(sample) + offset, view.data(sample) + offset, view.shape.plane,
          view.scale.pointer[c], view.shift.pointer[c], view.mean.pointer[c],
          view.slope.pointer[c], &sums)
        sumPointer[sample * channels + c] = sums
      }
    }
  }

  func finishBackward(_ run: Run) {
    guard view.wantsGradient else { return }
    let total = Double(view.shape.plane) * Double(run.count)
    for c in 0..<channels {
      var (gradient, centred, slope) = (0.0, 0.0, 0.0)
      for sample in 0..<run.count {
        let part = sumPointer[sample * channels + c]
        gradient += part.gradient
        centred += part.gradient_centred
        slope += part.slope
      }
      if case .parameter(let slopes, let first) = view.slopeKind {
        run.store.gradient(slopes)[first + c] += Float(slope)
      }
      guard let norm = view.normalization else { continue }
      let inverse = inverses[c]
      run.store.gradient(norm.gamma)[c] += Float(centred * inverse)
      run.store.gradient(norm.beta)[c] += Float(gradient)
      let a = Double(run.store.value(norm.gamma)[c]) * inverse
      view.a.pointer[c] = Float(a)
      guard run.usesBatch(norm) else {
        // Running statistics do not depend on the values.
        (view.b.pointer[c], view.c.pointer[c]) = (0, 0)
        continue
      }
      let b = -a * inverse * inverse * centred / total
      view.b.pointer[c] = Float(b)
      view.c.pointer[c] = Float(-a * gradient / total - b * Double(view.mean.pointer[c]))
    }
  }
}
