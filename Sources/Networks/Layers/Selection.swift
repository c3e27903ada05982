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

  private func values(_ sample: CustomSample) -> [UnsafeBufferPointer<Float>] {
    var (maps, parameters) = (sample.inputs[...], sample.parameters[...])
    return operands.map { $0.parameter == nil ? maps.removeFirst() : parameters.removeFirst() }
  }

  private func place(_ operand: Int, _ i: Int) -> Int {
    operands[operand].places.map { Int($0[i]) } ?? i
  }

  public func forward(_ sample: CustomSample, into output: UnsafeMutableBufferPointer<Float>) {
    let values = values(sample)
    for i in output.indices {
      let chosen = values[0][place(0, i)] != 0 ? 1 : 2
      output[i] = values[chosen][place(chosen, i)]
    }
  }

  public func backward(
    _ sample: CustomSample, gradient: UnsafeBufferPointer<Float>,
    inputs: [UnsafeMutableBufferPointer<Float>], parameters: [UnsafeMutableBufferPointer<Float>]
  ) {
    for input in inputs { input.update(repeating: 0) }
    let condition = values(sample)[0]
    var (maps, given) = (inputs[...], parameters[...])
    let targets = operands.map {
      $0.parameter == nil ? maps.removeFirst() : given.removeFirst()
    }
    for i in gradient.indices {
      let chosen = condition[place(0, i)] != 0 ? 1 : 2
      targets[chosen][place(chosen, i)] += gradient[i]
    }
  }
}
