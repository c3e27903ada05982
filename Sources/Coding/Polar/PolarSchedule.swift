/// The steps by which a list decoder takes all its paths through the tree of a polar code.
///
/// A node at stage s stands for 2^s inputs of the transform. Nodes of these kinds are decided as a whole: all inputs frozen;
/// only the last one free (repetition); only the first one frozen (single parity check); none frozen. In each of them all
/// frozen inputs come before all free ones, and there the best L continuations of the whole node are those that deciding
/// bit by bit would keep: whoever is kept at a free input can go on without a penalty.
///
/// Reference: S. A. Hashemi, C. Condo and W. J. Gross, "Fast and flexible successive-cancellation list decoders for polar
/// codes", IEEE Trans. Signal Process. 65 (2017) 5756, doi:10.1109/TSP.2017.2740204.
struct PolarSchedule: Sendable {
  enum Action: Sendable {
    /// Soft values of the left child from those of a node.
    case left
    /// Soft values of the right child, given the bits of the left one.
    case right
    /// The same behind a left child whose inputs are all frozen.
    case rightOfFrozen
    /// Bits of a node from those of its children.
    case combine
    /// The same behind a left child whose inputs are all frozen.
    case combineFrozen
    /// All inputs frozen.
    case frozen
    /// One bit, repeated.
    case repetition
    /// Bits with an even sum.
    case parityCheck
    /// No input frozen.
    case free
    /// One input that is the sum of earlier ones.
    case dependent
  }

  struct Step: Sendable {
    var action: Action
    /// Of the node that the step writes.
    var stage: Int
    /// Whether the node is the left child of its parent.
    var isLeft: Bool
    /// Its first input.
    var first: Int
  }

  private(set) var steps: [Step] = []
  /// Whether inputs depend on others, so that decided bits have to be remembered.
  private(set) var hasDependent = false

  /// No steps.
  init() {}

  init(_ code: PolarCode) {
    hasDependent = !code.parityPositions.isEmpty
    var kinds = [Input](repeating: .frozen, count: code.length)
    for position in code.messagePositions { kinds[position] = .free }
    for position in code.parityPositions { kinds[position] = .dependent }
    visit(kinds[...], stage: code.stageCount, isLeft: false)
  }

  private enum Input { case frozen, free, dependent }

  private mutating func visit(_ inputs: ArraySlice<Input>, stage: Int, isLeft: Bool) {
    func add(_ action: Action, _ stage: Int, _ isLeft: Bool) {
      steps.append(
        Step(action: action, stage: stage, isLeft: isLeft, first: inputs.startIndex))
    }
    if let whole = Self.action(inputs) { return add(whole, stage, isLeft) }
    let middle = inputs.startIndex + inputs.count / 2
    let (left, right) = (inputs[..<middle], inputs[middle...])
    let skipsLeft = left.allSatisfy { $0 == .frozen }
    if skipsLeft {
      add(.rightOfFrozen, stage - 1, false)
    } else {
      add(.left, stage - 1, true)
      visit(left, stage: stage - 1, isLeft: true)
      add(.right, stage - 1, false)
    }
    visit(right, stage: stage - 1, isLeft: false)
    add(skipsLeft ? .combineFrozen : .combine, stage, isLeft)
  }

  /// How a node is decided as a whole; nil if its children are visited.
  private static func action(_ inputs: ArraySlice<Input>) -> Action? {
    if inputs.count == 1, inputs.first == .dependent { return .dependent }
    if inputs.contains(.dependent) { return nil }
    switch inputs.count(where: { $0 == .frozen }) {
    case inputs.count: return .frozen
    case 0: return .free
    case inputs.count - 1 where inputs.last == .free: return .repetition
    case 1 where inputs.first == .frozen: return .parityCheck
    default: return nil
    }
  }
}
