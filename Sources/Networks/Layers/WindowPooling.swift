/// The mean or the largest value of windows that move over each channel.
public struct WindowPooling: CustomOperation {
  /// What is made of the values in a window.
  public enum Kind: Sendable {
    /// Their mean; zeros beyond the edge count among them, or do not.
    case mean(countsEdge: Bool)
    /// The largest; the gradient goes to the first of equal ones.
    case maximum
  }

  let kind: Kind
  let shape: Shape
  /// Rows and columns of a window, steps from one to the next, and steps within it.
  let size, strides, dilations: [Int]
  /// Rows and columns before the edge, then behind it.
  let padding: [Int]

  public var summary: String {
    if case .maximum = kind { "max pool" } else { "mean pool" }
  }

  public func outputShape(_ inputs: [Shape]) -> Shape { shape }

  /// Calls `body` with each output's place, those of the values in its window, and how many places of the padded map the window has.
  private func windows(
    _ input: Shape, _ body: (_ output: Int, _ places: [Int], _ reached: Int) -> Void
  ) {
    var output = 0
    for channel in 0..<shape.channels {
      for row in 0..<shape.height {
        let (rows, high) = span(row, 0, input.height)
        for column in 0..<shape.width {
          let (columns, wide) = span(column, 1, input.width)
          body(
            output,
            rows.flatMap { y in
              columns.map { (channel * input.height + y) * input.width + $0 }
            }, high * wide)
          output += 1
        }
      }
    }
  }

  /// Places of a window along an axis, those beyond the edge left out, and their number with those of the pads.
  private func span(_ index: Int, _ axis: Int, _ length: Int) -> ([Int], Int) {
    let places = (0..<size[axis]).map {
      index * strides[axis] + $0 * dilations[axis] - padding[axis]
    }
    return (
      places.filter { (0..<length).contains($0) },
      places.count { $0 < length + padding[2 + axis] }
    )
  }

  private func share(_ count: Int, _ reached: Int) -> Float {
    if case .mean(countsEdge: true) = kind { return 1 / Float(reached) }
    return 1 / Float(count)
  }

  public func forward(_ sample: CustomSample, into output: UnsafeMutableBufferPointer<Float>) {
    let x = sample.inputs[0]
    windows(sample.shapes[0]) { i, places, reached in
      if case .maximum = kind {
        output[i] = places.reduce(-.infinity) { max($0, x[$1]) }
      } else {
        output[i] = places.reduce(0) { $0 + x[$1] } * share(places.count, reached)
      }
    }
  }

  public func backward(
    _ sample: CustomSample, gradient: UnsafeBufferPointer<Float>,
    inputs: [UnsafeMutableBufferPointer<Float>], parameters: [UnsafeMutableBufferPointer<Float>]
  ) {
    let x = sample.inputs[0]
    inputs[0].update(repeating: 0)
    windows(sample.shapes[0]) { i, places, reached in
      if case .maximum = kind {
        guard let first = places.first else { return }
        let largest = places.reduce(first) { x[$1] > x[$0] ? $1 : $0 }
        inputs[0][largest] += gradient[i]
      } else {
        for place in places { inputs[0][place] += gradient[i] * share(places.count, reached) }
      }
    }
  }
}
