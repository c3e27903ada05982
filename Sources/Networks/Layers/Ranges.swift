import CKernels

/// `(tanh(s_c x + b_c) + 1) / 2` with a learned scale and shift for each channel: values in [0, 1].
public struct TanhRange: Layer, CustomOperation {
  let scale, shift: NetworkParameter

  /// Scales 1, shifts 0.
  public init(_ channels: Int) {
    scale = NetworkParameter([channels], .constant(1))
    shift = NetworkParameter([channels], .constant(0))
  }

  public var summary: String { "(tanh of scale and shift + 1) / 2" }
  public var parameters: [(key: String, parameter: NetworkParameter)] {
    [("scale", scale), ("bias", shift)]
  }
  public var reads: [NetworkParameter] { [scale, shift] }
  public var outputRange: ClosedRange<Float>? { 0...1 }

  public func callAsFunction(_ x: Signal) -> Signal { x.applying(self) }

  public func outputShape(_ inputs: [Shape]) -> Shape {
    precondition(inputs.count == 1 && inputs[0].channels == scale.count)
    return inputs[0]
  }

  /// By `(tanh z + 1) / 2 = 1 / (1 + exp(-2 z))`.
  public func forward(_ sample: CustomSample, into output: UnsafeMutableBufferPointer<Float>) {
    let (table, plane) = (Kernels.best.table, sample.shapes[0].plane)
    for channel in 0..<scale.count {
      var job = plane_job(
        height: 1, width: plane, source: sample.inputs[0].baseAddress! + channel * plane,
        source_pitch: plane, target: output.baseAddress! + channel * plane, target_pitch: plane,
        scale: 2 * sample.parameters[0][channel], shift: 2 * sample.parameters[1][channel],
        slope: 1)
      table.stage(&job)
    }
    table.sigmoid(UnsafePointer(output.baseAddress!), output.baseAddress!, output.count)
  }

  public func backward(
    _ sample: CustomSample, gradient: UnsafeBufferPointer<Float>,
    inputs: [UnsafeMutableBufferPointer<Float>], parameters: [UnsafeMutableBufferPointer<Float>]
  ) {
    let (table, plane) = (Kernels.best.table, sample.shapes[0].plane)
    let dx = inputs[0].baseAddress!
    forward(sample, into: inputs[0])
    for channel in 0..<scale.count {
      let (target, source) = (dx + channel * plane, gradient.baseAddress! + channel * plane)
      for i in 0..<plane { target[i] = 2 * source[i] * target[i] * (1 - target[i]) }
      // Sums of the gradient of s x + b alone and times x.
      var sums = backward_sums()
      table.backward(
        target, sample.inputs[0].baseAddress! + channel * plane, plane, 1, 0, 0, 1, &sums)
      parameters[0][channel] += Float(sums.gradient_centred)
      parameters[1][channel] += Float(sums.gradient)
      let factor = sample.parameters[0][channel]
      for i in 0..<plane { target[i] *= factor }
    }
  }
}

/// `min(max(x, low), high)`; the gradient passes where the value is not changed.
public struct Clip: Layer, CustomOperation {
  /// Smallest and largest value.
  public let range: ClosedRange<Float>

  /// Keeps values in a range.
  public init(_ range: ClosedRange<Float>) { self.range = range }

  public var summary: String { "Clip(\(range.lowerBound), \(range.upperBound))" }
  public var outputRange: ClosedRange<Float>? { range }

  public func callAsFunction(_ x: Signal) -> Signal { x.applying(self) }
  public func outputShape(_ inputs: [Shape]) -> Shape { inputs[0] }

  public func forward(_ sample: CustomSample, into output: UnsafeMutableBufferPointer<Float>) {
    let (x, low, high) = (sample.inputs[0], range.lowerBound, range.upperBound)
    for i in x.indices { output[i] = x[i] < low ? low : x[i] > high ? high : x[i] }
  }

  public func backward(
    _ sample: CustomSample, gradient: UnsafeBufferPointer<Float>,
    inputs: [UnsafeMutableBufferPointer<Float>], parameters: [UnsafeMutableBufferPointer<Float>]
  ) {
    let (x, low, high, dx) = (sample.inputs[0], range.lowerBound, range.upperBound, inputs[0])
    for i in x.indices { dx[i] = x[i] < low || x[i] > high ? 0 : gradient[i] }
  }
}

/// Normalisation of the last axis of each token without parameters: `(x - mean) / sqrt(var + eps)`, the biased variance.
public struct Standardization: Layer, CustomOperation {
  /// Added to the variance.
  public let epsilon: Double

  /// eps 1e-5.
  public init(epsilon: Double = 1e-5) { self.epsilon = epsilon }

  public var summary: String { "LayerNorm without parameters" }
  public func callAsFunction(_ x: Signal) -> Signal { x.applying(self) }
  public func outputShape(_ inputs: [Shape]) -> Shape { inputs[0] }

  private func statistics(_ x: UnsafePointer<Float>, _ count: Int) -> (
    mean: Double, inverse: Double
  ) {
    var (sum, squares) = (0.0, 0.0)
    Kernels.best.table.moments(x, count, &sum, &squares)
    return (sum / Double(count), 1 / (squares / Double(count) + epsilon).squareRoot())
  }

  public func forward(_ sample: CustomSample, into output: UnsafeMutableBufferPointer<Float>) {
    let count = sample.shapes[0].width
    for start in stride(from: 0, to: output.count, by: count) {
      let x = sample.inputs[0].baseAddress! + start
      let (mean, inverse) = statistics(x, count)
      let (shift, scale) = (Float(mean), Float(inverse))
      for i in 0..<count { output[start + i] = (x[i] - shift) * scale }
    }
  }

  /// `(g - mean g - y mean(g y)) / sqrt(var + eps)`.
  public func backward(
    _ sample: CustomSample, gradient: UnsafeBufferPointer<Float>,
    inputs: [UnsafeMutableBufferPointer<Float>], parameters: [UnsafeMutableBufferPointer<Float>]
  ) {
    let (table, count) = (Kernels.best.table, sample.shapes[0].width)
    for start in stride(from: 0, to: gradient.count, by: count) {
      let (x, dx) = (
        sample.inputs[0].baseAddress! + start, inputs[0].baseAddress! + start
      )
      let (mean, inverse) = statistics(x, count)
      dx.update(from: gradient.baseAddress! + start, count: count)
      var sums = backward_sums()
      table.backward(dx, x, count, 1, 0, Float(mean), 1, &sums)
      let (a, n) = (Float(inverse), Double(count))
      let b = Float(-inverse * inverse * inverse * sums.gradient_centred / n)
      let (c, shift) = (Float(-inverse * sums.gradient / n), Float(mean))
      for i in 0..<count { dx[i] = a * dx[i] + b * (x[i] - shift) + c }
    }
  }
}

/// Channels viewed as `[groups, channels / groups]` and transposed: each group of the next convolution reads of all groups.
/// X. Zhang, X. Zhou, M. Lin, J. Sun, ShuffleNet: An Extremely Efficient Convolutional Neural Network for Mobile Devices, 2018.
public struct ChannelShuffle: Layer, CustomOperation {
  /// Groups of the convolution before.
  public let groups: Int

  /// A shuffle of the channels of several groups.
  public init(groups: Int) { self.groups = groups }

  public var summary: String { "ChannelShuffle(\(groups))" }
  public func callAsFunction(_ x: Signal) -> Signal { groups == 1 ? x : x.applying(self) }

  public func outputShape(_ inputs: [Shape]) -> Shape {
    precondition(inputs[0].channels % groups == 0, "groups divide the channels")
    return inputs[0]
  }

  /// Calls `body` with the first value of each plane and of its place behind the shuffle.
  private func forEachPlane(_ shape: Shape, _ body: (_ from: Int, _ to: Int) -> Void) {
    let size = shape.channels / groups
    for channel in 0..<shape.channels {
      let (group, member) = channel.quotientAndRemainder(dividingBy: size)
      body(channel * shape.plane, (member * groups + group) * shape.plane)
    }
  }

  public func forward(_ sample: CustomSample, into output: UnsafeMutableBufferPointer<Float>) {
    let (x, y, shape) = (sample.inputs[0].baseAddress!, output.baseAddress!, sample.shapes[0])
    forEachPlane(shape) { (y + $1).update(from: x + $0, count: shape.plane) }
  }

  public func backward(
    _ sample: CustomSample, gradient: UnsafeBufferPointer<Float>,
    inputs: [UnsafeMutableBufferPointer<Float>], parameters: [UnsafeMutableBufferPointer<Float>]
  ) {
    let (dx, dy, shape) = (inputs[0].baseAddress!, gradient.baseAddress!, sample.shapes[0])
    forEachPlane(shape) { (dx + $0).update(from: dy + $1, count: shape.plane) }
  }
}
