/// Mean over each plane.
final class PlaneMeanStep: Step, @unchecked Sendable {
  // Sendable: scratch memory is per worker.
  private let input: Consumer
  private let output: View
  private let scratch: [FloatMemory]

  init(_ input: View, _ output: View, workers: Int) {
    self.input = Consumer(input)
    self.output = output
    scratch = (0..<workers).map { _ in FloatMemory(input.shape.count) }
  }

  func forward(_ run: Run, block: Int, worker: Int) {
    for sample in run.samples(block) {
      planeMean(input.view.data(sample), input.view.shape, output.data(sample))
    }
  }

  func backward(_ run: Run, block: Int, worker: Int) {
    guard output.wantsGradient else { return }
    let shape = input.view.shape
    let spread = scratch[worker].pointer
    for sample in run.samples(block) {
      let dy = output.gradient(sample)
      for channel in 0..<shape.channels {
        (spread + channel * shape.plane).update(
          repeating: dy[channel] / Float(shape.plane), count: shape.plane)
      }
      input.pass(run.kernels, spread, sample, count: shape.count)
    }
  }
}

func planeMean(_ x: UnsafePointer<Float>, _ shape: Shape, _ y: UnsafeMutablePointer<Float>) {
  for channel in 0..<shape.channels {
    var sum = 0.0
    for i in 0..<shape.plane { sum += Double(x[channel * shape.plane + i]) }
    y[channel] = Float(sum / Double(shape.plane))
  }
}

/// Maximum and mean over the channels at each position.
final class ChannelPoolStep: Step, @unchecked Sendable {
  // Sendable: scratch memory is per worker.
  private let input: Consumer
  private let output: View
  private let scratch: [FloatMemory]

  init(_ input: View, _ output: View, workers: Int) {
    self.input = Consumer(input)
    self.output = output
    scratch = (0..<workers).map { _ in FloatMemory(input.shape.count) }
  }

  func forward(_ run: Run, block: Int, worker: Int) {
    for sample in run.samples(block) {
      channelPool(input.view.data(sample), input.view.shape, output.data(sample))
    }
  }

  /// The maximum's gradient goes to the first channel that attains it.
  func backward(_ run: Run, block: Int, worker: Int) {
    guard output.wantsGradient else { return }
    let shape = input.view.shape
    let dx = scratch[worker].pointer
    for sample in run.samples(block) {
      let (x, y, dy) = (input.view.data(sample), output.data(sample), output.gradient(sample))
      for i in 0..<shape.plane {
        var isTaken = false
        for channel in 0..<shape.channels {
          let at = channel * shape.plane + i
          dx[at] = dy[shape.plane + i] / Float(shape.channels)
          if !isTaken && x[at] == y[i] {
            dx[at] += dy[i]
            isTaken = true
          }
        }
      }
      input.pass(run.kernels, dx, sample, count: shape.count)
    }
  }
}

func channelPool(_ x: UnsafePointer<Float>, _ shape: Shape, _ y: UnsafeMutablePointer<Float>) {
  for i in 0..<shape.plane {
    var largest = x[i]
    var sum: Float = 0
    for channel in 0..<shape.channels {
      let value = x[channel * shape.plane + i]
      largest = max(largest, value)
      sum += value
    }
    y[i] = largest
    y[shape.plane + i] = sum / Float(shape.channels)
  }
}
