/// Quantisation to whole numbers of 8 bits and back, as networks that were trained for it are exported.
extension ONNXTracer {
  /// The pair that stands for a quantiser in a graph of single precision.
  static let quantization: [String: Operator] = [
    "DequantizeLinear": { try $0.dequantized($1) },
    "QuantizeLinear": { try $0.quantized($1) },
  ]

  /// Smallest and largest number of ONNX's types uint8 and int8.
  private static let ranges: [Int: ClosedRange<Float>] = [2: 0...255, 3: -128...127]

  /// Step and zero point of a node for each value of a shape, and their type.
  private struct Steps {
    let steps: [Float]
    let zeros: [Float]
    /// ONNX's number of the type of the zero points; uint8 without them.
    let type: Int

    /// The numbers for a value of the shape: one for all, or one for each place along an axis.
    func places(_ shape: [Int], _ axis: Int) -> @Sendable (Int) -> Int {
      guard steps.count > 1 else { return { _ in 0 } }
      let (inner, count) = (shape[(axis + 1)...].reduce(1, *), steps.count)
      return { $0 / inner % count }
    }
  }

  private func steps(_ node: ONNXNode, _ shape: [Int]) throws -> (Steps, axis: Int) {
    let steps = try constant(node, 1)
    let zeros = try optional(node, 2) == nil ? nil : try constant(node, 2)
    guard zeros.map({ $0.count == steps.count }) ?? true, steps.shape.count <= 1,
      steps.floats.allSatisfy({ $0 > 0 && $0.isFinite })
    else {
      throw fail(node, "positive steps and as many zero points", "the axes \(steps.shape)")
    }
    var place = 0
    if steps.count > 1 {
      place = try axis(node, try integer(node, "axis", default: 1), rank: shape.count)
      guard shape[place] == steps.count else {
        throw fail(node, "a step for each of \(shape[place]) places", "\(steps.count)")
      }
    }
    let found = Steps(
      steps: steps.floats, zeros: zeros?.floats ?? [Float](repeating: 0, count: steps.count),
      type: zeros.map(\.type) ?? 2)
    return (found, place)
  }

  /// `clamp(round(x / step) + zero)`, rounded half to even. Its gradient is that of x / step where nothing is clamped, the straight-through estimator
  /// of B. Jacob et al., Quantization and Training of Neural Networks, CVPR 2018.
  private mutating func quantized(_ node: ONNXNode) throws -> [Value] {
    let input = try value(node, 0)
    let (steps, axis) = try steps(node, input.shape)
    guard let range = Self.ranges[steps.type] else {
      throw fail(node, "zero points of 8 bits", "numbers of ONNX's type \(steps.type)")
    }
    let function = { @Sendable (x: Float, i: Int) in
      let q = (x / steps.steps[i]).rounded(.toNearestOrEven) + steps.zeros[i]
      return min(max(q, range.lowerBound), range.upperBound)
    }
    let slope = { @Sendable (x: Float, i: Int) -> Float in
      let q = (x / steps.steps[i]).rounded(.toNearestOrEven) + steps.zeros[i]
      return range.contains(q) ? 1 / steps.steps[i] : 0
    }
    return [try stepwise(node, input, steps, axis, "quantize", function, slope)]
  }

  /// `step (q - zero)`.
  private mutating func dequantized(_ node: ONNXNode) throws -> [Value] {
    let input = try value(node, 0)
    let (steps, axis) = try steps(node, input.shape)
    return [
      try stepwise(
        node, input, steps, axis, "dequantize",
        { ($0 - steps.zeros[$1]) * steps.steps[$1] }, { _, i in steps.steps[i] })
    ]
  }

  private func stepwise(
    _ node: ONNXNode, _ input: Value, _ steps: Steps, _ axis: Int, _ summary: String,
    _ function: @escaping @Sendable (Float, Int) -> Float,
    _ slope: @escaping @Sendable (Float, Int) -> Float
  ) throws -> Value {
    switch input {
    case .constant(let tensor, let name):
      let place = steps.places(tensor.shape, axis)
      let values = tensor.floats.enumerated().map { function($1, place($0)) }
      return .constant(ONNXTensor(tensor.shape, floats: values), name: name)
    case .signal(let x, let shape):
      guard steps.steps.count == 1 || axis > 0 else {
        throw fail(node, "samples that stay apart", "steps along the batch")
      }
      let operation = PlaceFunction(
        summary, place: steps.places(Array(shape.dropFirst()), axis - 1), function, slope: slope)
      return .signal(x.applying(operation), shape)
    }
  }
}

/// A function applied value by value that differs by place.
private struct PlaceFunction: CustomOperation {
  let summary: String
  /// Which of its functions a place has.
  private let place: @Sendable (Int) -> Int
  private let value: @Sendable (Float, Int) -> Float
  private let slope: @Sendable (Float, Int) -> Float

  init(
    _ summary: String, place: @escaping @Sendable (Int) -> Int,
    _ value: @escaping @Sendable (Float, Int) -> Float,
    slope: @escaping @Sendable (Float, Int) -> Float
  ) {
    (self.summary, self.place, self.value, self.slope) = (summary, place, value, slope)
  }

  func outputShape(_ inputs: [Shape]) -> Shape { inputs[0] }

  func forward(_ sample: CustomSample, into output: UnsafeMutableBufferPointer<Float>) {
    let x = sample.inputs[0]
    for i in x.indices { output[i] = value(x[i], place(i)) }
  }

  func backward(
    _ sample: CustomSample, gradient: UnsafeBufferPointer<Float>,
    inputs: [UnsafeMutableBufferPointer<Float>], parameters: [UnsafeMutableBufferPointer<Float>]
  ) {
    let x = sample.inputs[0]
    for i in x.indices { inputs[0][i] = gradient[i] * slope(x[i], place(i)) }
  }
}
