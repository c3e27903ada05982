import CKernels
import LinkMath

/// One convolution layer run forward and backward on a chosen instruction level, for tests.
package enum ConvolutionProbe {
  /// What a convolution and its backward pass give.
  package struct Result: Sendable {
    /// Output, gradient of the input, gradient of the weights, row-major.
    package let output, inputGradient, weightGradient: [Float]
  }

  /// - Parameters: `input` `[sample, in, row, column]`, `gradient` `[sample, out, row, column]`.
  package static func run(
    _ shape: ReferenceConvolution, level: Int, samples: Int, input: [Float], weight: [Float],
    gradient: [Float]
  ) throws(NetworkError) -> Result {
    let layer = Convolution(
      shape.inputs, shape.outputs, shape.kernel, groups: shape.groups, dilation: shape.dilation)
    let network = Network(
      "probe", layer, input: Shape(shape.inputs, shape.height, shape.width))
    guard let table = kernels_at(level) else {
      preconditionFailure("this machine has no instruction level \(level)")
    }
    let plan = try TrainingPlan(
      network, weights: Weights(["weight": weight]), capacity: samples, needsInputGradient: true,
      pool: WorkerPool(threadCount: 1), kernels: Kernels(table))
    plan.write(input)
    plan.forward(count: samples, isTraining: true)
    plan.write(gradient: gradient)
    plan.backward()
    return Result(
      output: plan.output(), inputGradient: plan.inputGradient(),
      weightGradient: plan.gradients["weight"]!)
  }
}
