/// A step that keeps gradients of parameters block by block, to be summed after the backward pass.
protocol BlockSummingStep: Step {
  /// The parameters; nil in the place of one that has no gradient.
  var summed: [NetworkParameter?] { get }

  /// Adds a range of the gradient of a parameter, block after block.
  func addGradient(_ run: Run, of index: Int, _ range: Range<Int>)
}

/// The sum over blocks of a piece of one parameter's gradient, a task of its own at the end of the backward pass.
struct GradientReduction: Sendable {
  /// Steps that share the parameter, each with the place that it has there.
  private let sharing: [(step: any BlockSummingStep, index: Int)]
  private let range: Range<Int>

  private static let piece = 2048

  static func all(_ steps: [any Step]) -> [GradientReduction] {
    var parameters: [NetworkParameter] = []
    var sharing: [ObjectIdentifier: [(step: any BlockSummingStep, index: Int)]] = [:]
    for case let step as any BlockSummingStep in steps {
      for case (let index, let parameter?) in step.summed.enumerated() {
        if sharing[ObjectIdentifier(parameter)] == nil { parameters.append(parameter) }
        sharing[ObjectIdentifier(parameter), default: []].append((step, index))
      }
    }
    return parameters.flatMap { parameter in
      stride(from: 0, to: parameter.count, by: piece).map {
        GradientReduction(
          sharing: sharing[ObjectIdentifier(parameter)]!,
          range: $0..<min($0 + piece, parameter.count))
      }
    }
  }

  func perform(_ run: Run) {
    for (step, index) in sharing { step.addGradient(run, of: index, range) }
  }
}
