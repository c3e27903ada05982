import LinkMath

/// Adam on dense layers whose inputs are centred: `y = W (x - μ) + b'`, μ the mean of x over the batch.
///
/// The layer is the same one, `b = b' - W μ`, but its steps are others. A weight's gradient becomes `g - μ dL/db`, and the bias takes
/// back what the change of the weights adds in the mean, `b <- b - (ΔW) μ`. Where inputs have a mean, such as images around 0.5, each step of all
/// weights together is otherwise one of the bias, as many times larger as there are inputs, and a start that was good is lost in a few steps.
/// Steps of the weights are divided by the root of the number of inputs, so that those of n products change an output by as much as one would.
///
/// All other parameters, and dense layers inside of attention and of feed-forward blocks, move as with ``Adam``.
///
/// Reference: N. N. Schraudolph, Centering Neural Network Gradient Factors, 1998.
public final class CentredAdam: Optimizer, @unchecked Sendable {
  // Sendable: one owner updates at a time, whose tasks write disjoint parts.
  private let adam: Adam
  private let layers: [CentredLayer]
  private let pool: WorkerPool

  /// - Parameters:
  ///   - groups: updated together, e.g. those of an encoder and a decoder.
  ///   - settings: constants of Adam.
  ///   - pool: divides the values; the result does not depend on it.
  public init(_ groups: [ParameterGroup], settings: Adam.Settings, pool: WorkerPool) {
    adam = Adam(
      groups, settings: settings,
      factor: { range in range.denseInputs.map { 1 / Float($0).squareRoot() } ?? 1 }, pool: pool)
    layers = groups.flatMap(\.denseLayers).map { CentredLayer($0) }
    self.pool = pool
  }

  public var step: Int { adam.step }

  /// - Complexity: that of Adam, and four operations for each weight of the layers.
  public func update(rate: Double) {
    for layer in layers { layer.centre(pool) }
    adam.update(rate: rate)
    for layer in layers { layer.takeBack(pool) }
  }

  public func forget(_ values: Range<Int>, ofGroup group: Int) {
    adam.forget(values, ofGroup: group)
  }

  /// That of Adam.
  public var state: [String: [Float]] { adam.state }

  public func restore(_ state: [String: [Float]], step: Int) { adam.restore(state, step: step) }
}

/// A dense layer during an update.
private final class CentredLayer: @unchecked Sendable {
  // Sendable: tasks write disjoint outputs.
  private let layer: ParameterGroup.DenseLayer
  /// μ, and `W μ` before the update.
  private let mean, before: FloatMemory
  private static let outputsPerTask = 64

  init(_ layer: ParameterGroup.DenseLayer) {
    self.layer = layer
    mean = FloatMemory(layer.inputs)
    before = FloatMemory(layer.outputs)
  }

  private func forEachPart(_ pool: WorkerPool, _ body: @escaping @Sendable (Range<Int>) -> Void) {
    let (size, count) = (Self.outputsPerTask, layer.outputs)
    pool.forEach((count + size - 1) / size) { task, _ in
      body(task * size..<min((task + 1) * size, count))
    }
  }

  /// Centres the gradient.
  func centre(_ pool: WorkerPool) {
    layer.mean(mean.pointer)
    forEachPart(pool) { [layer, mean, before] outputs in
      layer.multiply(mean.pointer, outputs, into: before.pointer)
      layer.subtract(mean.pointer, outputs)
    }
  }

  /// Takes what the weights' change adds in the mean from the bias.
  func takeBack(_ pool: WorkerPool) {
    forEachPart(pool) { [layer, mean, before] outputs in
      withUnsafeTemporaryAllocation(of: Float.self, capacity: layer.outputs) { after in
        layer.multiply(mean.pointer, outputs, into: after.baseAddress!)
        for output in outputs { layer.bias[output] -= after[output] - before.pointer[output] }
      }
    }
  }
}

extension ParameterGroup {
  /// A dense layer of its own in a plan, with real weights and a bias that are both trained.
  public struct DenseLayer: @unchecked Sendable {
    // Sendable: an optimiser's tasks write disjoint parts; the plan outlives its groups.
    let inputs, outputs: Int
    /// Whether the weights are `[input, output]` instead of `[output, input]`.
    let isTransposed: Bool
    let weights, gradients, bias: UnsafeMutablePointer<Float>
    let biasGradients: UnsafePointer<Float>
    /// Writes the mean of the inputs over the rows of the last pass.
    let mean: (UnsafeMutablePointer<Float>) -> Void

    /// `(W vector)` of some outputs.
    func multiply(
      _ vector: UnsafePointer<Float>, _ rows: Swift.Range<Int>,
      into result: UnsafeMutablePointer<Float>
    ) {
      if isTransposed {
        (result + rows.lowerBound).update(repeating: 0, count: rows.count)
        for input in 0..<inputs {
          let factor = vector[input]
          let line = weights + input * outputs
          for output in rows { result[output] += factor * line[output] }
        }
      } else {
        for output in rows { result[output] = dot(weights + output * inputs, vector, inputs) }
      }
    }

    /// Takes the product of the bias' gradient and a vector from the gradient of some outputs' weights.
    func subtract(_ vector: UnsafePointer<Float>, _ rows: Swift.Range<Int>) {
      if isTransposed {
        for input in 0..<inputs {
          let factor = vector[input]
          let line = gradients + input * outputs
          for output in rows { line[output] -= factor * biasGradients[output] }
        }
      } else {
        for output in rows {
          let factor = biasGradients[output]
          let line = gradients + output * inputs
          for input in 0..<inputs { line[input] -= factor * vector[input] }
        }
      }
    }
  }
}

/// A scalar product in 16 partial sums.
private func dot(_ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, _ count: Int) -> Float {
  var sums = SIMD16<Float>()
  let (left, right) = (UnsafeRawPointer(a), UnsafeRawPointer(b))
  for start in stride(from: 0, to: count - 15, by: 16) {
    let place = start * MemoryLayout<Float>.stride
    sums +=
      left.loadUnaligned(fromByteOffset: place, as: SIMD16<Float>.self)
      * right.loadUnaligned(fromByteOffset: place, as: SIMD16<Float>.self)
  }
  var sum = sums.sum()
  for i in count / 16 * 16..<count { sum += a[i] * b[i] }
  return sum
}
