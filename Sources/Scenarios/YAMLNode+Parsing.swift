import Yams

extension YAMLNode {
  static let depthLimit = 24
  static let nodeLimit = 100_000
  static let aliasLimit = 16

  /// The tree of a YAML text, or nil after a complaint.
  static func parse(_ source: SourceText, log: DiagnosticLog) -> YAMLNode? {
    // Yams hashes the keys of mappings with their aliases expanded: enough aliases would keep it busy for hours.
    guard source.text.aliasCount <= aliasLimit else {
      log.error(
        SourcePosition(source), "more than \(aliasLimit) YAML aliases (*name)",
        hint: "write the values out, or share them with 'extends:'")
      return nil
    }
    do {
      let root = try Parser(yaml: source.text, encoding: .utf8).singleRoot()
      guard let root else {
        return YAMLNode(content: .null, position: SourcePosition(source))
      }
      var reader = YamsReader(source: source, log: log)
      return reader.node(root, depth: 0)
    } catch let error as YamlError {
      error.report(in: source, to: log)
    } catch {
      log.error(SourcePosition(source), "cannot be read as YAML: \(error)")
    }
    return nil
  }
}

extension String {
  /// At least the number of aliases: `*` in front of a name character.
  fileprivate var aliasCount: Int {
    zip(utf8, utf8.dropFirst()).count { star, next in
      star == UInt8(ascii: "*") && (Character(Unicode.Scalar(next)).isNameCharacter)
    }
  }
}

extension Character {
  fileprivate var isNameCharacter: Bool {
    isASCII && (isLetter || isNumber) || self == "_" || self == "-"
  }
}

/// Turns the nodes of Yams into ours, within limits.
private struct YamsReader {
  let source: SourceText
  let log: DiagnosticLog
  var nodeCount = 0

  mutating func node(_ node: Node, depth: Int) -> YAMLNode? {
    let position = SourcePosition(
      source, line: node.mark?.line ?? 0, column: node.mark?.column ?? 0)
    nodeCount += 1
    guard nodeCount <= YAMLNode.nodeLimit else {
      if nodeCount == YAMLNode.nodeLimit + 1 {
        log.error(position, "more than \(YAMLNode.nodeLimit) values, aliases expanded")
      }
      return nil
    }
    guard depth <= YAMLNode.depthLimit else {
      log.error(position, "nested more than \(YAMLNode.depthLimit) levels deep")
      return nil
    }
    switch node {
    case .scalar(let scalar):
      let isPlain = scalar.style == .plain
      if scalar.hasForeignTag { tagError(position) }
      let isNull = isPlain && ["", "~", "null", "Null", "NULL"].contains(scalar.string)
      return YAMLNode(content: isNull ? .null : .scalar(scalar.string), position: position)
    case .sequence(let sequence):
      let nodes = sequence.map { self.node($0, depth: depth + 1) }
      // The elements that could not be read were complained about.
      return YAMLNode(content: .list(nodes.compactMap { $0 }), position: position)
    case .mapping(let mapping):
      return YAMLNode(content: .mapping(entries(mapping, depth: depth)), position: position)
    case .alias:
      log.error(position, "YAML alias without its anchor")
      return nil
    }
  }

  private mutating func entries(_ mapping: Node.Mapping, depth: Int) -> YAMLMapping {
    var result = YAMLMapping()
    for (key, value) in mapping {
      guard let keyNode = node(key, depth: depth + 1) else { continue }
      let value = node(value, depth: depth + 1)
      guard let text = keyNode.scalar else {
        log.error(keyNode.position, "a key must be a word, got \(keyNode.summary)")
        continue
      }
      if text == "<<" {
        log.error(
          keyNode.position, "merge keys (<<) are not supported",
          hint: "share settings with 'extends: base.yaml'")
      } else if let first = result[text] {
        log.duplicateKey(text, at: keyNode.position, first: first.keyPosition)
      } else if let value {
        result.entries.append(
          YAMLEntry(key: text, keyPosition: keyNode.position, value: value))
      }
    }
    return result
  }

  private func tagError(_ position: SourcePosition) {
    log.error(position, "YAML tags (!...) are not supported")
  }
}

extension DiagnosticLog {
  func duplicateKey(_ key: String, at position: SourcePosition, first: SourcePosition) {
    let place = first.line == position.line ? "" : "; first in line \(first.line)"
    error(position, "key '\(key)' is given twice\(place)", hint: "remove one of the two")
  }
}

extension Node.Scalar {
  /// Whether the text carries a tag of another program; those of YAML itself say nothing that the schema does not.
  fileprivate var hasForeignTag: Bool {
    let name = tag.description
    return !name.isEmpty && name != "!" && !name.hasPrefix("tag:yaml.org,2002:")
  }
}

extension YamlError {
  /// Reports a syntax error in the form of every other error.
  fileprivate func report(in source: SourceText, to log: DiagnosticLog) {
    func position(_ mark: Mark) -> SourcePosition {
      SourcePosition(source, line: mark.line, column: mark.column)
    }
    switch self {
    case .scanner(let context, let problem, let mark, _),
      .parser(let context, let problem, let mark, _),
      .composer(let context, let problem, let mark, _):
      let context = context.map { " (\($0.text) from line \($0.mark.line))" } ?? ""
      log.error(position(mark), problem + context, hint: source.syntaxHint(mark))
    case .duplicatedKeysInMapping(let keys, let context):
      let names = keys.sorted().map { "'\($0)'" }.joined(separator: ", ")
      log.error(
        position(context.mark), "key \(names) is given twice in one mapping",
        hint: "remove one of the two")
    case .reader(let problem, _, _, _):
      log.error(SourcePosition(source), problem)
    default:
      log.error(SourcePosition(source), "cannot be read as YAML: \(self)")
    }
  }
}

extension SourceText {
  /// A way out of the mistakes that libyaml's wording does not explain.
  fileprivate func syntaxHint(_ mark: Mark) -> String? {
    guard let text = line(mark.line) else { return nil }
    let before = text.unicodeScalars.prefix(mark.column)
    if before.contains("\t") { return "indent with spaces, not tabs" }
    let at = text.unicodeScalars.dropFirst(mark.column - 1).first
    if let name = text.firstMatch(of: /[:\[,] *([A-Za-z][\w-]* ?\{[^'{}]*\})/)?.output.1 {
      return "a name with settings needs quotes: '\(name)'"
    }
    if at == "%" || at == "@" || at == "`" { return "put the text in quotes" }
    return nil
  }
}
