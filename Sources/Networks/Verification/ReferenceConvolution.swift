/// Plain loops in Double for the convolution and its gradients, against which the kernels are tested.
package struct ReferenceConvolution: Sendable {
  package let inputs, outputs, groups, height, width: Int
  package let kernel: KernelSize

  package init(
    inputs: Int, outputs: Int, groups: Int, height: Int, width: Int, kernel: KernelSize
  ) {
    precondition(inputs % groups == 0 && outputs % groups == 0)
    self.inputs = inputs
    self.outputs = outputs
    self.groups = groups
    self.height = height
    self.width = width
    self.kernel = kernel
  }

  package var weightCount: Int { outputs * inputs / groups * kernel.area }

  /// Calls `body(output index, weight index, input index)` for every product of the convolution.
  private func forEachProduct(_ body: (Int, Int, Int) -> Void) {
    let (groupInputs, groupOutputs) = (inputs / groups, outputs / groups)
    for o in 0..<outputs {
      for i in 0..<groupInputs {
        let channel = o / groupOutputs * groupInputs + i
        for p in 0..<kernel.height {
          for q in 0..<kernel.width {
            let w = ((o * groupInputs + i) * kernel.height + p) * kernel.width + q
            for r in 0..<height {
              let row = r + p - kernel.height / 2
              guard row >= 0 && row < height else { continue }
              for c in 0..<width {
                let column = c + q - kernel.width / 2
                guard column >= 0 && column < width else { continue }
                body((o * height + r) * width + c, w, (channel * height + row) * width + column)
              }
            }
          }
        }
      }
    }
  }

  /// Output `[out, row, column]` of one sample.
  package func forward(_ x: [Float], _ weight: [Float]) -> [Double] {
    var y = [Double](repeating: 0, count: outputs * height * width)
    forEachProduct { y[$0] += Double(weight[$1]) * Double(x[$2]) }
    return y
  }

  /// The same in single precision, each output one chain over input channel and tap in order.
  ///
  /// - Parameter multiplyAdd: `(a, b, c)` to a · b + c, rounded as the level under test does.
  package func forwardChain(
    _ x: [Float], _ weight: [Float], _ multiplyAdd: (Float, Float, Float) -> Float
  ) -> [Float] {
    var y = [Float](repeating: 0, count: outputs * height * width)
    forEachProduct { y[$0] = multiplyAdd(weight[$1], x[$2], y[$0]) }
    return y
  }

  /// Gradient with respect to the input.
  package func inputGradient(_ dy: [Float], _ weight: [Float]) -> [Double] {
    var dx = [Double](repeating: 0, count: inputs * height * width)
    forEachProduct { dx[$2] += Double(weight[$1]) * Double(dy[$0]) }
    return dx
  }

  /// Gradient with respect to the weight.
  package func weightGradient(_ x: [Float], _ dy: [Float]) -> [Double] {
    var dw = [Double](repeating: 0, count: weightCount)
    forEachProduct { dw[$1] += Double(dy[$0]) * Double(x[$2]) }
    return dw
  }
}
