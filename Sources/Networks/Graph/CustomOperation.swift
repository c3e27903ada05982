/// An operation that is not built into the plans: its file holds the forward pass, the backward pass, its counts and its name.
///
/// A definition applies it with ``Signal/applying(_:_:)``; every plan, the printed layers and the counts follow. Its passes
/// work on plain maps of one sample, so it costs a copy where the built-in operations share memory.
public protocol CustomOperation: Sendable {
  /// The word in the printed layers.
  var summary: String { get }

  /// The parameters it reads; the layer that applies it lists them too.
  var reads: [NetworkParameter] { get }

  /// Shape of the output for inputs of the given shapes.
  ///
  /// - Precondition: the shapes suit the operation.
  func outputShape(_ inputs: [Shape]) -> Shape

  /// Writes the output of one sample, row-major.
  func forward(_ sample: CustomSample, into output: UnsafeMutableBufferPointer<Float>)

  /// Writes the gradients of one sample's inputs, and adds to those of the parameters.
  ///
  /// - Parameters:
  ///   - sample: inputs and parameters.
  ///   - gradient: of the loss with respect to the output.
  ///   - inputs: written whole, one for each input; any that ``CustomSample/wantsGradient(_:)`` denies may be left as it is.
  ///   - parameters: added to, one for each parameter.
  func backward(
    _ sample: CustomSample, gradient: UnsafeBufferPointer<Float>,
    inputs: [UnsafeMutableBufferPointer<Float>], parameters: [UnsafeMutableBufferPointer<Float>])

  /// Operations of one sample by the rules of ``Costs``.
  func costs(_ inputs: [Shape]) -> Costs

  /// Where the outputs lie; nil if they can be anything.
  var outputRange: ClosedRange<Float>? { get }
}

extension CustomOperation {
  /// None.
  public var reads: [NetworkParameter] { [] }

  /// None, as for the activations that no rule counts.
  public func costs(_ inputs: [Shape]) -> Costs { Costs() }

  /// Anywhere.
  public var outputRange: ClosedRange<Float>? { nil }
}

/// A custom operation that is a complex matrix made of its parameters, `y = [Re z, Im z]` with `z = (P + i Q) h` of the complex map
/// `h = (2 x_0 - 1) + i (2 x_1 - 1)`, whatever structure its own forward pass uses.
///
/// Training writes the matrix once for each batch and runs all samples through the kernels of dense layers; the gradient of the
/// matrix goes back to the parameters once for each batch too. Inference runs ``CustomOperation/forward(_:into:)``.
public protocol ComplexMatrixOperation: CustomOperation {
  /// Rows of P and Q; their columns are the values of a plane of the map.
  var rowCount: Int { get }

  /// Whether Q is zero; then it is neither written nor given.
  var isReal: Bool { get }

  /// Writes rows of P and Q, `[row, column]`.
  ///
  /// - Parameters:
  ///   - parameters: values of ``CustomOperation/reads``.
  ///   - rows: which rows.
  ///   - real: their P, written whole.
  ///   - imaginary: their Q, written whole.
  func write(
    _ parameters: [UnsafePointer<Float>], rows: Range<Int>, real: UnsafeMutablePointer<Float>,
    imaginary: UnsafeMutablePointer<Float>)

  /// Adds to the gradients of the parameters what rows of the matrix contribute; other rows may be added at the same time, so these must
  /// have parameters of their own.
  ///
  /// - Parameters:
  ///   - parameters: values of ``CustomOperation/reads``.
  ///   - rows: which rows.
  ///   - real: gradient of their P.
  ///   - imaginary: gradient of their Q.
  ///   - gradients: added to, one for each parameter.
  func addGradients(
    _ parameters: [UnsafePointer<Float>], rows: Range<Int>, real: UnsafePointer<Float>,
    imaginary: UnsafePointer<Float>, to gradients: [UnsafeMutablePointer<Float>])
}

extension ComplexMatrixOperation {
  /// Never called: plans differentiate the matrix.
  public func backward(
    _ sample: CustomSample, gradient: UnsafeBufferPointer<Float>,
    inputs: [UnsafeMutableBufferPointer<Float>], parameters: [UnsafeMutableBufferPointer<Float>]
  ) { preconditionFailure("a matrix operation is differentiated as its matrix") }
}

/// What a ``CustomOperation`` reads of one sample.
public struct CustomSample {
  /// Values of each input, row-major.
  public let inputs: [UnsafeBufferPointer<Float>]
  /// `[channel, row, column]` of each input.
  public let shapes: [Shape]
  /// Values of each parameter.
  public let parameters: [UnsafeBufferPointer<Float>]
  /// Inputs whose gradient nothing reads.
  var withoutGradient: [Bool] = []

  /// Whether the gradient of an input is read; not that of the network's own input, in most trainings.
  public func wantsGradient(_ input: Int) -> Bool {
    withoutGradient.isEmpty || !withoutGradient[input]
  }
}

extension Signal {
  /// The output of an operation on this value and others.
  public func applying(_ operation: some CustomOperation, _ others: [Signal] = []) -> Signal {
    let shape = operation.outputShape(([self] + others).map(\.shape))
    return applying(.custom(operation), others, shape: shape)
  }
}
