/// Plain loops in Double for the convolution and its gradients, against which the kernels are tested.
package struct ReferenceConvolution: Sendable {
  /// Channels, groups, and size of the map.
  package let inputs, outputs, groups, height, width: Int
  /// Rows and columns of the kernel.
  package let kernel: KernelSize
  /// Rows and columns from one tap to the next.
  package let dilation: Int

  /// A convolution that keeps the size of the map.
  ///
  /// - Precondition: groups divide both numbers of channels.
  package init(
    inputs: Int, outputs: Int, groups: Int, height: Int, width: Int, kernel: KernelSize,
    dilation: Int = 1
  ) {
    precondition(inputs % groups == 0 && outputs % groups == 0)
    self.inputs = inputs
    self.outputs = outputs
    self.groups = groups
    self.height = height
    self.width = width
    self.kernel = kernel
    self.dilation = dilation
  }

  /// Number of weights.
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
              let row = r + dilation * (p - kernel.height / 2)
              guard row >= 0 && row < height else { continue }
              for c in 0..<width {
                let column = c + dilation * (q - kernel.width / 2)
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

  /// Whether the kernels compute it by minimal filters: three kernel rows, groups of four rows of at most 64 columns, at
  /// most 64 inputs, no dilation.
  package var isFilter: Bool {
    kernel.height == 3 && dilation == 1 && height % 4 == 0 && width <= 64 && inputs / groups <= 64
  }

  /// The same in single precision by minimal filters F(4, 3) along the columns, rounded like `forwardChain`.
  package func forwardFilter(
    _ x: [Float], _ weight: [Float], _ fma: (Float, Float, Float) -> Float
  ) -> [Float] {
    var y = [Float](repeating: 0, count: outputs * height * width)
    let (groupInputs, groupOutputs) = (inputs / groups, outputs / groups)
    for o in 0..<outputs {
      for row in stride(from: 0, to: height, by: 4) {
        for column in 0..<width {
          var sums = [Float](repeating: 0, count: 6)
          for i in 0..<groupInputs {
            let channel = o / groupOutputs * groupInputs + i
            for q in 0..<kernel.width {
              let g = (0..<3).map {
                Double(weight[((o * groupInputs + i) * 3 + $0) * kernel.width + q])
              }
              let d = (row - 1..<row + 5).map {
                value(x, channel, $0, column + q - kernel.width / 2)
              }
              for (k, (g, d)) in zip(Self.transformed(kernel: g), Self.transformed(rows: d, fma))
                .enumerated()
              {
                sums[k] = fma(g, d, sums[k])
              }
            }
          }
          for (r, value) in Self.rows(sums, fma).enumerated() {
            y[(o * height + row + r) * width + column] = value
          }
        }
      }
    }
    return y
  }

  private func value(_ x: [Float], _ channel: Int, _ row: Int, _ column: Int) -> Float {
    guard (0..<height).contains(row) && (0..<width).contains(column) else { return 0 }
    return x[(channel * height + row) * width + column]
  }

  private static func transformed(kernel g: [Double]) -> [Float] {
    [
      g[0] / 4, -(g[0] + g[1] + g[2]) / 6, -(g[0] - g[1] + g[2]) / 6,
      (g[0] + 2 * g[1] + 4 * g[2]) / 24, (g[0] - 2 * g[1] + 4 * g[2]) / 24, g[2],
    ].map { Float($0) }
  }

  private static func transformed(rows d: [Float], _ fma: (Float, Float, Float) -> Float) -> [Float]
  {
    let (even, odd) = (fma(-4, d[2], d[4]), fma(-4, d[1], d[3]))
    let (outer, inner) = (d[4] - d[2], 2 * (d[3] - d[1]))
    return [
      fma(4, d[0], fma(-5, d[2], d[4])), even + odd, even - odd, outer + inner, outer - inner,
      fma(4, d[1], fma(-5, d[3], d[5])),
    ]
  }

  private static func rows(_ m: [Float], _ fma: (Float, Float, Float) -> Float) -> [Float] {
    let (a, b, d, e) = (m[1] + m[2], m[1] - m[2], m[3] + m[4], m[3] - m[4])
    return [a + (m[0] + d), fma(2, e, b), fma(4, d, a), fma(8, e, b + m[5])]
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
