/// Sums over products with named axes.
extension ONNXTracer {
  /// Einstein's sums.
  static let sums: [String: Operator] = ["Einsum": { [try $0.einsum($1)] }]

  /// A value whose axes have letters.
  private struct Lettered {
    var value: Value
    var letters: [Character]

    var isSignal: Bool { if case .signal = value { true } else { false } }

    /// The length of a letter's axis.
    func length(_ letter: Character) -> Int { value.shape[letters.firstIndex(of: letter)!] }
  }

  /// Operand by operand: what neither the result nor a later operand has is summed as soon as it can be.
  private mutating func einsum(_ node: ONNXNode) throws -> Value {
    let equation = try text(node, "equation", default: "").filter { $0 != " " }
    let sides = equation.split(separator: "-", maxSplits: 1)
    let terms = sides.first?.split(separator: ",", omittingEmptySubsequences: false).map(Array.init)
    guard let terms, sides.count == 2, sides[1].first == ">", terms.count == node.inputs.count,
      (terms.joined() + sides[1].dropFirst()).allSatisfy({ $0.isLetter })
    else { throw fail(node, "an equation such as 'bij,bjk->bik'", "'\(onScreen(equation))'") }
    let output = Array(sides[1].dropFirst())
    var operands = try terms.enumerated().map { index, letters -> Lettered in
      let value = try value(node, index)
      guard letters.count == value.shape.count, Set(letters).count == letters.count else {
        throw fail(
          node, "different letters for \(value.shape.count) axes", "'\(String(letters))'")
      }
      return Lettered(value: value, letters: letters)
    }
    guard let batch = operands.first(where: \.isSignal)?.letters[0], output.first == batch,
      operands.allSatisfy({ $0.isSignal ? $0.letters[0] == batch : !$0.letters.contains(batch) })
    else { throw fail(node, "samples that stay apart", "'\(onScreen(equation))'") }
    // Signals first, so that the result always is one.
    operands = operands.filter(\.isSignal) + operands.filter { !$0.isSignal }
    var result = operands[0]
    for (index, next) in operands.enumerated().dropFirst() {
      let needed = Set(output + operands[(index + 1)...].flatMap(\.letters))
      result = try product(node, result, next, keeping: needed)
    }
    result = try summed(node, result, keeping: Set(output))
    guard Set(result.letters) == Set(output), output.count == result.letters.count else {
      throw fail(node, "letters of the inputs behind '->'", "'\(onScreen(equation))'")
    }
    return try arranged(result, output).value
  }

  /// Sums the axes whose letters nothing needs.
  private func summed(_ node: ONNXNode, _ x: Lettered, keeping: Set<Character>) throws -> Lettered {
    let gone = x.letters.filter { !keeping.contains($0) }
    guard !gone.isEmpty else { return x }
    let kept = x.letters.filter { keeping.contains($0) }
    let turned = try arranged(x, kept + gone)
    let count = gone.reduce(1) { $0 * x.length($1) }
    guard case .signal(let rows, _) = turned.value else {
      throw fail(node, "constants without sums of their own", "'\(String(gone))'")
    }
    let axes = kept.dropFirst().map { x.length($0) }
    return Lettered(
      value: try signal(rows.applying(RowReduction(.sum, count: count)), axes), letters: kept)
  }

  private func arranged(_ x: Lettered, _ letters: [Character]) throws -> Lettered {
    if letters == x.letters { return x }
    let order = letters.map { x.letters.firstIndex(of: $0)! }
    return Lettered(value: try transposed(x.value, order), letters: letters)
  }

  /// A signal times another, or times a constant, as products of matrices.
  private mutating func product(
    _ node: ONNXNode, _ a: Lettered, _ b: Lettered, keeping: Set<Character>
  ) throws -> Lettered {
    for letter in a.letters.dropFirst() where b.letters.contains(letter) {
      guard a.length(letter) == b.length(letter) else {
        throw fail(
          node, "axes '\(letter)' of one length", "\(a.length(letter)) and \(b.length(letter))")
      }
    }
    let other = Set(b.letters)
    let a = try summed(node, a, keeping: keeping.union(other))
    let b = b.isSignal ? try summed(node, b, keeping: keeping.union(a.letters)) : b
    let inner = a.letters.filter { other.contains($0) && !keeping.contains($0) }
    let shared = a.letters.dropFirst().filter { other.contains($0) && keeping.contains($0) }
    let rows = a.letters.dropFirst().filter { !other.contains($0) }
    let columns = b.letters.filter { !a.letters.contains($0) }
    let count = { (letters: [Character], x: Lettered) in letters.reduce(1) { $0 * x.length($1) } }
    let (depth, height) = (count(inner, a), count(Array(rows), a))
    let (width, copies) = (count(columns, b), count(Array(shared), a))
    let letters = [a.letters[0]] + shared + rows + columns
    let left = try arranged(a, [a.letters[0]] + shared + rows + inner)
    let batch = b.isSignal ? [a.letters[0]] : []
    let right = try arranged(b, batch + shared + inner + columns)
    let axes = letters.dropFirst().map { a.letters.contains($0) ? a.length($0) : b.length($0) }
    guard case .signal(let x, _) = left.value else { preconditionFailure("a signal stays one") }
    let product: Value
    switch right.value {
    case .signal(let y, _):
      product = try signalProduct(
        node, x, [self.batch, copies, height, depth], y, [self.batch, copies, depth, width])
    case .constant(let tensor, let name) where shared.isEmpty:
      product = try dense(
        node, x, [self.batch, height, depth], tensor.reshaped([depth, width]),
        isOutputFirst: false, name: name)
    case .constant(let tensor, let name):
      // Each copy has weights of its own.
      let weights = tensor.reshaped([1, copies, depth, width])
      guard
        case .signal(let y, _) = try computed(
          node, .constant(weights, name: name), [left.value])
      else { preconditionFailure("a signal was asked for") }
      product = try signalProduct(
        node, x, [self.batch, copies, height, depth], y, [self.batch, copies, depth, width])
    }
    guard case .signal(let y, _) = product else { preconditionFailure("a signal stays one") }
    return Lettered(value: try signal(y, Array(axes)), letters: letters)
  }
}
