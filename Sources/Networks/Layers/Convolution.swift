/// Height and width of a kernel, both odd.
public struct KernelSize: Hashable, Sendable, CustomStringConvertible {
  /// Rows, odd.
  public let height: Int
  /// Columns, odd.
  public let width: Int

  /// A kernel of odd height and width.
  public init(_ height: Int, _ width: Int) {
    precondition(height > 0 && width > 0 && height % 2 == 1 && width % 2 == 1, "odd kernels only")
    self.height = height
    self.width = width
  }

  /// Taps of one channel.
  public var area: Int { height * width }
  /// Height × width.
  public var description: String { "\(height)×\(width)" }
}

/// Cross-correlation of stride 1 whose zero padding keeps height and width.
///
/// `y[o, r, c] = b[o] + sum over i, p, q of w[o, i, p, q] x[i, r + d (p - (h-1)/2), c + d (q - (w-1)/2)]`, with i over
/// the input channels of o's group and the dilation d. Weight `[out, in / groups, h, w]`, bias `[out]`.
public struct Convolution: Layer {
  /// Input channels.
  public let inputs: Int
  /// Output channels.
  public let outputs: Int
  /// Height and width of the kernel.
  public let kernel: KernelSize
  /// Groups of channels that do not mix.
  public let groups: Int
  /// Rows and columns from one tap to the next, d.
  public let dilation: Int
  let weight: NetworkParameter
  let bias: NetworkParameter?
  /// What the sums are computed with.
  var precision = WeightPrecision.real

  /// Weights and biases are drawn by the usual rules unless told otherwise.
  public init(
    _ inputs: Int, _ outputs: Int, _ kernel: KernelSize, groups: Int = 1, dilation: Int = 1,
    bias: Bool = false, initialization: NetworkParameter.Initialization? = nil,
    zeroBias: Bool = false
  ) {
    precondition(dilation > 0, "taps are at least one apart")
    precondition(inputs % groups == 0 && outputs % groups == 0, "groups divide the channels")
    self.inputs = inputs
    self.outputs = outputs
    self.kernel = kernel
    self.groups = groups
    self.dilation = dilation
    let fanIn = inputs / groups * kernel.area
    weight = NetworkParameter(
      [outputs, inputs / groups, kernel.height, kernel.width],
      initialization ?? .xavierUniform(fanIn: fanIn, fanOut: outputs * kernel.area))
    self.bias =
      bias ? NetworkParameter([outputs], zeroBias ? .constant(0) : .biasUniform(fanIn: fanIn)) : nil
  }

  public var parameters: [(key: String, parameter: NetworkParameter)] {
    [("weight", weight)] + (bias.map { [("bias", $0)] } ?? [])
  }

  public var summary: String {
    (precision == .real ? "" : "Int8")
      + "Convolution(\(inputs) → \(outputs), \(kernel)"
      + (groups > 1 ? ", groups \(groups)" : "") + (dilation > 1 ? ", dilation \(dilation)" : "")
      + (bias != nil ? ", bias)" : ")")
  }

  /// Rows and columns around an output that it reads.
  var reach: (rows: Int, columns: Int) {
    (dilation * (kernel.height / 2), dilation * (kernel.width / 2))
  }

  /// Multiply-accumulates for one output position of one output channel.
  var tapCount: Int { inputs / groups * kernel.area }

  public func callAsFunction(_ x: Signal) -> Signal {
    precondition(x.shape.channels == inputs, "\(summary) applied to \(x.shape)")
    return x.applying(
      .convolution(self), shape: Shape(outputs, x.shape.height, x.shape.width))
  }
}

/// Convolution followed by batch normalisation, and optionally an activation.
public struct ConvBN: Layer {
  let convolution: Convolution
  let normalization: BatchNorm
  let convolutionKey: String

  /// A convolution under the key `conv` unless told otherwise, and its normalisation under `bn`.
  public init(
    _ inputs: Int, _ outputs: Int, _ kernel: KernelSize, groups: Int = 1, dilation: Int = 1,
    bias: Bool = false, norm: BatchNorm.Settings = .standard, key: String = "conv",
    initialization: NetworkParameter.Initialization? = nil, zeroBias: Bool = false
  ) {
    convolution = Convolution(
      inputs, outputs, kernel, groups: groups, dilation: dilation, bias: bias,
      initialization: initialization, zeroBias: zeroBias)
    normalization = BatchNorm(outputs, norm)
    convolutionKey = key
  }

  public var children: [Child] { [(convolutionKey, convolution), ("bn", normalization)] }

  public func callAsFunction(_ x: Signal) -> Signal { normalization(convolution(x)) }
}
