import CKernels

/// Values of one node for the whole batch and their gradient.
final class Storage: @unchecked Sendable {
  // Sendable: see FloatMemory; what varies changes only while a plan is built.
  let sampleCount: Int
  let data: FloatMemory
  /// Gradient of the loss with respect to what the consumers see, where wanted; shared with storages whose gradients
  /// are not needed at the same time, see ``GradientMemory``.
  var gradient: FloatMemory?
  let wantsGradient: Bool
  /// Size of data and gradient.
  let count: Int
  fileprivate(set) var consumerCount = 0

  init(sampleCount: Int, batch: Int, wantsGradient: Bool) {
    self.sampleCount = sampleCount
    self.wantsGradient = wantsGradient
    count = sampleCount * batch
    data = FloatMemory(count)
  }
}

/// How a step reads a value: `f(scale z + shift)` per channel of stored values z, so that normalisation and
/// LeakyReLU cost no pass of their own.
final class View: @unchecked Sendable {
  // Sendable: coefficients are written between the parallel regions that read them.
  enum Slope {
    case identity
    case constant(Float)
    /// One for each channel from the given one on.
    case parameter(NetworkParameter, first: Int)

    /// That of the channels behind some others.
    func from(_ channel: Int) -> Slope {
      guard case .parameter(let slopes, let first) = self else { return self }
      return .parameter(slopes, first: first + channel)
    }
  }

  let storage: Storage
  let shape: Shape
  var normalization: BatchNorm?
  var slopeKind = Slope.identity
  /// Slope of a LeakyReLU already applied to the stored values; their only reader applies its derivative to the
  /// gradient it writes.
  var rectifiedSlope: Float?
  /// Already followed by a ``ViewStep``.
  var hasStep = false

  /// Per channel: the view itself.
  let scale, shift, slope, mean: FloatMemory
  /// Per channel, after the backward pass of the view: gradient of z = a g + b z + c.
  let a, b, c: FloatMemory

  init(_ storage: Storage, _ shape: Shape) {
    self.storage = storage
    self.shape = shape
    scale = FloatMemory(shape.channels)
    shift = FloatMemory(shape.channels)
    slope = FloatMemory(shape.channels)
    mean = FloatMemory(shape.channels)
    a = FloatMemory(shape.channels)
    b = FloatMemory(shape.channels)
    c = FloatMemory(shape.channels)
    scale.fill(1)
    slope.fill(1)
    a.fill(1)
  }

  /// True if the stored values are the values.
  var isPlain: Bool {
    if case .identity = slopeKind { return normalization == nil }
    return false
  }

  var wantsGradient: Bool { storage.wantsGradient }

  func data(_ sample: Int) -> UnsafeMutablePointer<Float> {
    storage.data.pointer + sample * storage.sampleCount
  }

  func gradient(_ sample: Int) -> UnsafeMutablePointer<Float> {
    storage.gradient!.pointer + sample * storage.sampleCount
  }

  /// Writes the values of one channel, with rows `pitch` apart.
  func stage(
    _ kernels: Kernels, _ sample: Int, _ channel: Int, to target: UnsafeMutablePointer<Float>,
    pitch: Int
  ) {
    var job = plane(sample, channel, target, pitch)
    kernels.table.stage(&job)
  }

  /// Adds `sign` times the values of one channel.
  func add(
    _ kernels: Kernels, _ sample: Int, _ channel: Int, sign: Float,
    to target: UnsafeMutablePointer<Float>
  ) {
    var job = plane(sample, channel, target, shape.width)
    kernels.table.stage_add(&job, sign)
  }

  private func plane(
    _ sample: Int, _ channel: Int, _ target: UnsafeMutablePointer<Float>, _ pitch: Int
  ) -> plane_job {
    plane_job(
      height: shape.height, width: shape.width,
      source: UnsafePointer(data(sample) + channel * shape.plane), source_pitch: shape.width,
      target: target, target_pitch: pitch, scale: scale.pointer[channel],
      shift: shift.pointer[channel], slope: slope.pointer[channel])
  }
}

/// One use of a view; the use that comes first in the backward pass writes the gradient, the others add.
struct Consumer: Sendable {
  let view: View
  private let index: Int

  init(_ view: View) {
    self.view = view
    index = view.storage.consumerCount
    view.storage.consumerCount += 1
  }

  var isFirstInBackward: Bool { index == view.storage.consumerCount - 1 }

  /// Adds `sign` times a gradient of `count` values of one sample, `offset` values into it.
  func pass(
    _ kernels: Kernels, _ gradient: UnsafePointer<Float>, _ sample: Int, offset: Int = 0,
    count: Int, sign: Float = 1
  ) {
    guard view.wantsGradient else { return }
    let target = view.gradient(sample) + offset
    if isFirstInBackward {
      if sign == 1 {
        target.update(from: gradient, count: count)
        return
      }
      target.update(repeating: 0, count: count)
    }
    kernels.table.axpy(sign, gradient, target, count)
  }
}
