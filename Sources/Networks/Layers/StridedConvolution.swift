/// A convolution with strides, dilations and any padding, or its transpose.
///
/// With a small map s and a large map l, kernel w, strides (S_h, S_w), dilations D and padding P before the first row and column, the convolution is
/// `s[o, r, c] = b[o] + sum_{i, p, q} w[o, i, p, q] l[i, S_h r + D_h p - P_h, S_w c + D_w q - P_w]`, zeros outside, over the i of o's group;
/// the transpose adds `w[i, o, p, q] s[i, r, c]` at the same places of l. ``Convolution`` is faster for stride 1 and maps that keep
/// their size.
public struct StridedConvolution: Layer, CustomOperation {
  /// What both directions have in common.
  public struct Geometry: Sendable, Hashable {
    /// Channels, rows and columns of the small and of the large map.
    public var small, large: [Int]
    /// Rows and columns of the kernel, strides, dilations, padding before the first row and column.
    public var size, strides, dilations, padding: [Int]
    /// Groups of channels that do not mix.
    public var groups: Int

    /// Sizes of all; the parameters are the properties.
    public init(
      small: [Int], large: [Int], size: [Int], strides: [Int], dilations: [Int], padding: [Int],
      groups: Int
    ) {
      (self.small, self.large, self.size) = (small, large, size)
      (self.strides, self.dilations, self.padding, self.groups) =
        (strides, dilations, padding, groups)
    }

    var weightShape: [Int] { [small[0], large[0] / groups, size[0], size[1]] }
    /// Weights times places of the small map.
    var productCount: Int { weightShape.reduce(1, *) * small[1] * small[2] }

    /// Calls `body` for each weight and row: weight, first value in the small and in the large map, number of values; they are
    /// 1 and ``strides``[1] apart.
    func forEachRun(_ body: (_ weight: Int, _ small: Int, _ large: Int, _ count: Int) -> Void) {
      let (inputs, outputs) = (large[0] / groups, small[0] / groups)
      var weight = 0
      for s in 0..<small[0] {
        for i in 0..<inputs {
          let l = s / outputs * inputs + i
          for p in 0..<size[0] {
            for q in 0..<size[1] {
              let columns = inside(1, tap: q)
              if !columns.isEmpty {
                for r in inside(0, tap: p) {
                  let row = strides[0] * r + dilations[0] * p - padding[0]
                  let column =
                    strides[1] * columns.lowerBound + dilations[1] * q - padding[1]
                  body(
                    weight, (s * small[1] + r) * small[2] + columns.lowerBound,
                    (l * large[1] + row) * large[2] + column, columns.count)
                }
              }
              weight += 1
            }
          }
        }
      }
    }

    /// Rows or columns of the small map whose tap lies in the large one.
    private func inside(_ axis: Int, tap: Int) -> Range<Int> {
      let (step, shift) = (strides[axis], padding[axis] - dilations[axis] * tap)
      let lower = max(0, (max(shift, 0) + step - 1) / step)
      // The last r with step r - shift <= large - 1.
      let last = large[1 + axis] - 1 + shift
      let upper = last < 0 ? 0 : min(small[1 + axis], last / step + 1)
      return lower < upper ? lower..<upper : 0..<0
    }
  }

  let geometry: Geometry
  let isTransposed: Bool
  let weight: NetworkParameter
  let bias: NetworkParameter?

  /// A convolution, from the large to the small map, or its transpose.
  public init(_ geometry: Geometry, isTransposed: Bool = false, bias: Bool = true) {
    precondition(
      geometry.small[0] % geometry.groups == 0 && geometry.large[0] % geometry.groups == 0,
      "groups divide the channels")
    (self.geometry, self.isTransposed) = (geometry, isTransposed)
    let fanIn =
      (isTransposed ? geometry.small[0] : geometry.large[0]) / geometry.groups
      * geometry.size[0] * geometry.size[1]
    weight = NetworkParameter(geometry.weightShape, .biasUniform(fanIn: fanIn))
    let outputs = isTransposed ? geometry.large[0] : geometry.small[0]
    self.bias = bias ? NetworkParameter([outputs], .biasUniform(fanIn: fanIn)) : nil
  }

  public var parameters: [(key: String, parameter: NetworkParameter)] {
    [("weight", weight)] + (bias.map { [("bias", $0)] } ?? [])
  }
  public var reads: [NetworkParameter] { [weight] + (bias.map { [$0] } ?? []) }

  public var summary: String {
    let (from, to) =
      isTransposed ? (geometry.small[0], geometry.large[0]) : (geometry.large[0], geometry.small[0])
    return (isTransposed ? "TransposedConvolution" : "StridedConvolution")
      + "(\(from) → \(to), \(geometry.size[0])×\(geometry.size[1]), strides"
      + " \(geometry.strides[0])×\(geometry.strides[1])"
      + (geometry.groups > 1 ? ", groups \(geometry.groups)" : "")
      + (bias != nil ? ", bias)" : ")")
  }

  private var input: [Int] { isTransposed ? geometry.small : geometry.large }
  private var output: [Int] { isTransposed ? geometry.large : geometry.small }

  public func callAsFunction(_ x: Signal) -> Signal { x.applying(self) }

  public func outputShape(_ inputs: [Shape]) -> Shape {
    precondition(inputs[0] == Shape(input[0], input[1], input[2]), "\(summary) on \(inputs[0])")
    return Shape(output[0], output[1], output[2])
  }

  public func costs(_ inputs: [Shape]) -> Costs {
    var costs = Costs()
    let (products, outputs) = (geometry.productCount, output.reduce(1, *))
    costs.multiplyAccumulates = products
    costs.profiler = products + (bias == nil ? 0 : outputs)
    costs.distillation = 2 * (products + outputs)
    return costs
  }

  public func forward(_ sample: CustomSample, into output: UnsafeMutableBufferPointer<Float>) {
    let plane = self.output[1] * self.output[2]
    for i in output.indices { output[i] = bias == nil ? 0 : sample.parameters[1][i / plane] }
    let (x, w, step) = (sample.inputs[0], sample.parameters[0], geometry.strides[1])
    geometry.forEachRun { weight, small, large, count in
      let factor = w[weight]
      if isTransposed {
        for i in 0..<count { output[large + i * step] += factor * x[small + i] }
      } else {
        for i in 0..<count { output[small + i] += factor * x[large + i * step] }
      }
    }
  }

  public func backward(
    _ sample: CustomSample, gradient: UnsafeBufferPointer<Float>,
    inputs: [UnsafeMutableBufferPointer<Float>], parameters: [UnsafeMutableBufferPointer<Float>]
  ) {
    let plane = output[1] * output[2]
    if bias != nil { for i in gradient.indices { parameters[1][i / plane] += gradient[i] } }
    let (x, dx, w, step) = (
      sample.inputs[0], inputs[0], sample.parameters[0], geometry.strides[1]
    )
    dx.update(repeating: 0)
    geometry.forEachRun { weight, small, large, count in
      var sum: Float = 0
      let factor = w[weight]
      for i in 0..<count {
        let (s, l) = (small + i, large + i * step)
        let (from, to) = isTransposed ? (s, l) : (l, s)
        sum += gradient[to] * x[from]
        dx[from] += factor * gradient[to]
      }
      parameters[0][weight] += sum
    }
  }
}
