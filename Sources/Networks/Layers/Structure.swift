/// The same values, row-major, under another shape.
public struct Reshape: Layer {
  /// The new shape.
  public let shape: Shape

  /// Keeps the number of values.
  public init(_ shape: Shape) { self.shape = shape }

  public var summary: String { "Reshape(\(shape))" }

  public func callAsFunction(_ x: Signal) -> Signal { x.reshaped(shape) }
}

/// `f(x) + x`, then an optional activation.
public struct Residual: Layer {
  let branch: any Layer
  let activation: LeakyReLU?

  /// A branch, and an activation behind the sum.
  public init(_ branch: any Layer, activation: LeakyReLU? = nil) {
    self.branch = branch
    self.activation = activation
  }

  public var children: [Child] { branch.children }

  public func callAsFunction(_ x: Signal) -> Signal {
    let sum = x + branch(x)
    return activation?(sum) ?? sum
  }
}

/// Branches applied to the same input and stacked along the channel axis.
public struct ParallelConcat: Layer {
  let branches: [(key: String, layer: any Layer)]

  /// Branches under keys of their own.
  public init(_ branches: [(key: String, layer: any Layer)]) { self.branches = branches }

  public var children: [Child] { branches.map { ($0.key, $0.layer) } }

  public func callAsFunction(_ x: Signal) -> Signal {
    let parts = branches.map { $0.layer(x) }
    let channels = parts.reduce(0) { $0 + $1.shape.channels }
    return parts[0].applying(
      .concatenate, Array(parts.dropFirst()),
      shape: Shape(channels, x.shape.height, x.shape.width))
  }
}

extension Sequential {
  /// Layers under keys of their own.
  public static func keyed(_ layers: (String, any Layer)...) -> Sequential {
    Sequential(layers.map { (key: $0.0, layer: $0.1) })
  }
}
