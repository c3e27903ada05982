/// The sum over blocks of a piece of one weight's gradient, a task of its own at the end of the backward pass.
struct GradientReduction: Sendable {
  /// Steps that share the weight.
  private let steps: [ConvolutionStep]
  private let weights: Range<Int>

  static func all(_ steps: [any Step]) -> [GradientReduction] {
    var sharing: [[ConvolutionStep]] = []
    for case let step as ConvolutionStep in steps {
      if let index = sharing.firstIndex(where: { $0[0].weight === step.weight }) {
        sharing[index].append(step)
      } else {
        sharing.append([step])
      }
    }
    let piece = 2048
    return sharing.flatMap { steps in
      stride(from: 0, to: steps[0].weightCount, by: piece).map {
        GradientReduction(steps: steps, weights: $0..<min($0 + piece, steps[0].weightCount))
      }
    }
  }

  func perform(_ run: Run) { for step in steps { step.addWeightGradient(run, weights) } }
}
