import Parts

/// Foreign files that do not hold the weights of a network: every parameter that is missing and every tensor that is left, with the nearest.
public struct ForeignWeightsError: Error, CustomStringConvertible, Sendable {
  enum Problem: Sendable {
    /// Several levels hold the whole side.
    case ambiguous(WeightsFile.Side, [String])
    /// No tensor stands below a level that was asked for; those that there are.
    case unknownLevel(String, [String])
    /// Parameters without tensor, tensors of another shape, tensors without parameter.
    case unfit(missing: [Item], misshapen: [(Item, found: [Int])], unmatched: [Item])
    /// One side is whole, and of the other one there is nothing.
    case halved(WeightsFile.Side)
    /// No network has these tensors; the nearest, and how the tensors differ from its own where most are the same.
    case unknownNetwork(nearest: String?, differences: String?)
  }

  /// A name with its shape.
  struct Item: Sendable {
    let name: String
    let shape: [Int]
  }

  private static let longestList = 400
  /// Names that a nearest one is looked for, and among which.
  private static let searched = 100
  private static let longestName = 120

  /// Description of the files.
  public let files: String
  private let network: String
  private let arguments, option: String
  let problem: Problem
  /// Whether tensors were also matched by order and shape, in vain.
  private let triedOrder: Bool
  /// A network that has these tensors.
  struct Identity: Sendable {
    let choice: NetworkChoice
    /// Whether it has all of them, rather than most.
    let isWhole: Bool
  }

  private let identity: Identity?

  init(
    _ files: ForeignFiles, _ choice: NetworkChoice?, problem: Problem, triedOrder: Bool = false,
    identity: Identity? = nil
  ) {
    self.triedOrder = triedOrder
    self.identity = identity
    self.files = files.text
    network = choice?.title ?? "a network"
    arguments = choice?.arguments ?? ""
    option = choice.map { "--network '\($0.name)' -c \($0.compression)" } ?? ""
    self.problem = problem
  }

  /// The files, then a line for each name.
  public var description: String {
    switch problem {
    case .ambiguous(let side, let levels):
      return """
        \(files): expected one set of weights of \(network)'s \(side.rawValue), found \(levels.count):
        \(levels.map { "  \($0)".onOneLine }.joined(separator: "\n"))
          hint: name the level with 'csilink weights import ... --level NAME', or fewer files
        """
    case .unknownLevel(let level, let levels):
      return """
        \(files): expected tensors below the level '\(level.onOneLine)', found none
          hint: \(levelHint(level, levels))
        """
    case .halved(let side):
      let other = side == .encoder ? WeightsFile.Side.decoder : .encoder
      return """
        \(files): expected the tensors of \(network), found those of its \(side.rawValue) alone
          hint: name the \(other.rawValue)'s file as well: 'weights: [\(side.rawValue).pth, \(other.rawValue).pth]' in a scenario, \
        'csilink weights import FILE FILE -o FOLDER' to join them
        """
    case .unknownNetwork(let nearest?, let differences?):
      return """
        \(files): expected the weights of a known network, found others; nearest is \(nearest): \(differences)
          hint: save the tensors under the names of 'csilink inspect'; if only names differ, 'csilink weights import' with --network and -c \
        matches tensors by order and shapes
        """
    case .unknownNetwork(let nearest, _):
      return """
        \(files): expected the weights of a known network, found others
          hint: name both the network and its ratio (--network, -c), and the differences are listed (channels are shown by 'csilink data describe')\(nearest.map { "; the nearest is \($0)" } ?? "")
        """
    case .unfit(let missing, let misshapen, let unmatched):
      var lines = missing.map { item in
        "  missing \(text(item))\(nearest(item, unmatched))"
      }
      lines += misshapen.map { item, found in
        "  '\(item.name.onOneLine)' has shape \(shape(found)), expected \(shape(item.shape))"
      }
      lines += unmatched.map { item in
        "  not used \(text(item))\(nearest(item, missing))"
      }
      if lines.count > Self.longestList {
        let more = lines.count - Self.longestList
        lines = lines.prefix(Self.longestList) + ["  and \(more) more"]
      }
      let hint =
        identity.map { identity in
          let choice = identity.choice
          return "these are \(identity.isWhole ? "the" : "mostly") tensors of \(choice.title): "
            + "'network: \(choice.name)', 'compression: \(choice.compression)'"
        } ?? unfitHint(missing, misshapen, unmatched)
      return "\(files): expected the tensors of \(network), found others\n"
        + lines.joined(separator: "\n") + "\n  hint: \(hint)"
    }
  }

  /// What is missing and what is unknown, in a few words; nil for other problems.
  var differences: String? {
    guard case .unfit(let missing, let misshapen, let unmatched) = problem else { return nil }
    func listed(_ word: String, _ items: [String]) -> String? {
      guard !items.isEmpty else { return nil }
      let more = items.count > 3 ? " and \(items.count - 3) more" : ""
      return "\(word) \(items.prefix(3).joined(separator: ", "))\(more)"
    }
    let parts = [
      listed("missing", missing.map(text)),
      listed("of another shape", misshapen.map { text($0.0) }),
      listed("unknown", unmatched.map(text)),
    ].compactMap { $0 }
    return parts.isEmpty ? nil : parts.joined(separator: "; ")
  }

  private func levelHint(_ level: String, _ levels: [String]) -> String {
    guard !levels.isEmpty else { return "the tensors stand at no level: leave out --level" }
    let near = nearestWord(to: level, among: levels).map { "did you mean '\($0)'? " } ?? ""
    let shown = levels.prefix(20).joined(separator: ", ") + (levels.count > 20 ? ", ..." : "")
    return "\(near)levels of the files: \(shown)".onOneLine
  }

  private func unfitHint(
    _ missing: [Item], _ misshapen: [(Item, found: [Int])], _ unmatched: [Item]
  ) -> String {
    misshapen.isEmpty && unmatched.isEmpty
      ? "no other tensors were found: NumPy arrays and objects of classes in checkpoints are not read; save {key: torch.from_numpy(value)}, or the state_dict itself"
      : missing.isEmpty && misshapen.isEmpty
        ? "tensors that the network has no use for are a sign of another network; 'csilink weights import ... --ignore NAME' leaves them out"
        : !misshapen.isEmpty || missing.count != unmatched.count
          ? "'csilink inspect \(arguments)' shows keys and shapes; is the ratio right?"
          : triedOrder
            ? "the names are unknown, and the tensors do not have the order and shapes of 'csilink inspect \(arguments)' either: save them under the names above"
            : "if only the names differ, 'csilink weights import FILE... \(option)' matches them by order and shapes"
  }

  private func shape(_ shape: [Int]) -> String {
    shape.isEmpty ? "scalar" : shape.map(String.init).joined(separator: "x")
  }

  private func text(_ item: Item) -> String {
    "'\(item.name.onOneLine)' (\(shape(item.shape)))"
  }

  /// The most similar name of the other list; one of the same shape if there is none.
  private func nearest(_ item: Item, _ others: [Item]) -> String {
    let others = others.prefix(Self.searched).filter { $0.name.utf8.count <= Self.longestName }
    guard item.name.utf8.count <= Self.longestName else { return "" }
    let word =
      nearestWord(to: item.name, among: others.map(\.name))
      ?? others.first { $0.shape == item.shape }?.name
    return word.map { "; nearest '\($0.onOneLine)'" } ?? ""
  }
}
