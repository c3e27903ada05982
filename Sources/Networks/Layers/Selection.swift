/// One of two values by a third, elementwise: the first where the condition is not 0, else the second. The condition has no
/// gradient, and neither has the value that is not taken.
public struct Selection: CustomOperation {
  /// Condition and the two values.
  let operands: [Arithmetic.Operand]
  let shape: Shape

  /// - Precondition: three operands, one of them a map at least.
  public init(_ operands: [Arithmetic.Operand], shape: Shape) {
    precondition(operands.count == 3, "a condition and two values")
    (self.operands, self.shape) = (operands, shape)
  }

  public var summary: String { "where" }
  public var reads: [NetworkParameter] { operands.compactMap(\.parameter) }
  public func outputShape(_ inputs: [Shape]) -> Shape { shape }

  /// Which of the values a place takes: operand 1 or 2.
  private func chosen(_ i: Int, _ condition: UnsafeBufferPointer<Float>) -> Int {
    condition[operands[0].place(i)] != 0 ? 1 : 2
  }

  public func forward(_ sample: CustomSample, into output: UnsafeMutableBufferPointer<Float>) {
    let values = operands.buffers(sample.inputs, sample.parameters)
    for i in output.indices {
      let chosen = chosen(i, values[0])
      output[i] = values[chosen][operands[chosen].place(i)]
    }
  }

  public func backward(
    _ sample: CustomSample, gradient: UnsafeBufferPointer<Float>,
    inputs: [UnsafeMutableBufferPointer<Float>], parameters: [UnsafeMutableBufferPointer<Float>]
  ) {
    for input in inputs { input.update(repeating: 0) }
    let condition = operands.buffers(sample.inputs, sample.parameters)[0]
    let targets = operands.buffers(inputs, parameters)
    for i in gradient.indices {
      let chosen = chosen(i, condition)
      targets[chosen][operands[chosen].place(i)] += gradient[i]
    }
  }
}
