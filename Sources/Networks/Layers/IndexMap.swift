/// Values picked by place, `y[i] = x[p_i]`, or a constant where p_i is -1: transposes, slices, paddings, repetitions.
public struct IndexMap: Layer, CustomOperation {
  /// Place of each output in the row-major input; -1 for the constant.
  public let places: [Int32]
  /// Where no input is taken.
  public let fill: Float
  let shape: Shape
  public let summary: String

  /// - Parameters:
  ///   - places: one for each output, row-major.
  ///   - shape: of the output.
  ///   - fill: the value for places of -1.
  ///   - summary: what it does, in a word.
  public init(_ places: [Int32], shape: Shape, fill: Float = 0, summary: String) {
    precondition(places.count == shape.count, "one place for each output")
    (self.places, self.shape, self.fill, self.summary) = (places, shape, fill, summary)
  }

  public func callAsFunction(_ x: Signal) -> Signal { x.applying(self) }

  public func outputShape(_ inputs: [Shape]) -> Shape {
    precondition(places.allSatisfy { $0 >= -1 && $0 < inputs[0].count }, "places of the input")
    return shape
  }

  public func forward(_ sample: CustomSample, into output: UnsafeMutableBufferPointer<Float>) {
    let x = sample.inputs[0]
    for (i, place) in places.enumerated() { output[i] = place < 0 ? fill : x[Int(place)] }
  }

  /// The gradient of an input is the sum of those of the outputs that took it.
  public func backward(
    _ sample: CustomSample, gradient: UnsafeBufferPointer<Float>,
    inputs: [UnsafeMutableBufferPointer<Float>], parameters: [UnsafeMutableBufferPointer<Float>]
  ) {
    inputs[0].update(repeating: 0)
    for (i, place) in places.enumerated() where place >= 0 { inputs[0][Int(place)] += gradient[i] }
  }

  /// Places of a row-major array with other strides: `offset + sum_k i_k stride_k`.
  ///
  /// - Parameters:
  ///   - shape: axes of the output.
  ///   - strides: of the input, for each of them; 0 repeats.
  ///   - offset: place of the first output.
  /// - Complexity: O(outputs).
  static func places(_ shape: [Int], strides: [Int], offset: Int = 0) -> [Int32] {
    var places = [Int32(offset)]
    for (size, stride) in zip(shape, strides) {
      places = places.flatMap { place in (0..<size).map { place + Int32($0 * stride) } }
    }
    return places
  }

  /// Strides of a row-major array.
  static func strides(_ shape: [Int]) -> [Int] {
    var strides = [Int](repeating: 1, count: shape.count)
    for axis in shape.indices.dropLast().reversed() {
      strides[axis] = strides[axis + 1] * shape[axis + 1]
    }
    return strides
  }
}
