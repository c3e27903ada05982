/// Squeeze-and-excite: channels scaled by `S(W2 ReLU(W1 mean(x)))`, Hu et al. 2018.
public struct SqueezeExcite: Layer {
  let squeeze: Dense
  let excite: Dense

  /// Gates of all channels through a hidden layer.
  public init(_ channels: Int, hidden: Int) {
    squeeze = Dense(channels, hidden, bias: false)
    excite = Dense(hidden, channels, bias: false)
  }

  public var children: [Child] { [("fc.0", squeeze), ("fc.2", excite)] }

  public func callAsFunction(_ x: Signal) -> Signal {
    let channels = x.shape.channels
    let mean = x.applying(.planeMean, shape: Shape(channels, 1, 1)).flattened
    let gate = Pointwise.sigmoid(excite(LeakyReLU(slope: 0)(squeeze(mean))))
    return x * gate.reshaped(Shape(channels, 1, 1))
  }
}

/// Spatial gate: the map scaled by `S(BN(conv([max over channels, mean over channels])))`, Woo et al. 2018.
public struct SpatialGate: Layer {
  let spatial = ConvBN(2, 1, KernelSize(3, 3), norm: .init(epsilon: 1e-5, momentum: 0.01))

  /// A 3×3 convolution over the two pooled planes.
  public init() {}

  public var children: [Child] { [("spatial", spatial)] }

  public func callAsFunction(_ x: Signal) -> Signal {
    let pooled = x.applying(.channelPool, shape: Shape(2, x.shape.height, x.shape.width))
    return x * Pointwise.sigmoid(spatial(pooled))
  }
}
