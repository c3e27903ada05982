extension PartRegistry {
  /// The catalogue as plain text for `csilink list`: sections in the order of the link, each with its parts, their
  /// references and parameters.
  ///
  /// - Parameters:
  ///   - section: only this section; nil lists all.
  ///   - width: columns that the texts are wrapped to.
  public func listing(of section: Section? = nil, width: Int = 100) -> String {
    sections.filter { section == nil || $0 == section }
      .map { listing(section: $0, width: width) }
      .joined(separator: "\n")
  }

  /// The parts of a name, whatever their section; nil if there are none.
  public func listing(ofParts name: String, width: Int = 100) -> String? {
    let found = sections.flatMap { section in
      parts(of: section).filter { $0.name.lowercased() == name.lowercased() }
    }
    guard !found.isEmpty else { return nil }
    return found.map { "\($0.section.rawValue)\n" + $0.listing(width: width) }
      .joined(separator: "\n")
  }

  /// Where a word belongs that names neither a section nor a part: `section.key`, a key, or a value of one.
  ///
  /// - Returns: a clause that ends a message, such as `'umi' is a value of 'scenario' of channel tr38901: 'csilink list
  ///   tr38901'`; nil if no part knows the word.
  public func whereabouts(of word: String) -> String? {
    let lower = word.lowercased()
    let all = sections.flatMap { parts(of: $0) }
    let keys = all.flatMap { part in part.parameters.map { (part, $0) } }
    let isKey = { (part: PartSchema, key: ParameterDeclaration) in
      [key.key, "\(part.section).\(key.key)", "\(part.name).\(key.key)"]
        .contains { $0.lowercased() == lower }
    }
    if let (part, key) = keys.first(where: isKey) {
      return "'\(word)' is the key '\(key.key)' of \(part.section) \(part.name):"
        + " 'csilink list \(part.name)'"
    }
    guard
      let (part, key) = keys.first(where: { $0.1.kind.words.contains { $0.lowercased() == lower } })
    else { return nil }
    return "'\(word)' is a value of '\(key.key)' of \(part.section) \(part.name):"
      + " 'csilink list \(part.name)'"
  }

  private func listing(section: Section, width: Int) -> String {
    let fallback =
      defaultPart(of: section).map { "default: \($0.name)" }
      ?? (section == .metric ? "columns of the report" : "must be given")
    let parts = parts(of: section).map { $0.listing(width: width) }
    return (["\(section.rawValue) (\(fallback))\n"] + parts).joined()
  }
}

extension PartSchema {
  /// Name, summary, reference and parameters, indented below the section.
  fileprivate func listing(width: Int) -> String {
    var lines = wrapped("\(name): \(summary)", indent: 2, width: width)
    if !reference.isEmpty { lines += wrapped("Reference: \(reference)", indent: 6, width: width) }
    for parameter in parameters {
      let heading = "\(parameter.key): \(parameter.kind.expectation); \(parameter.absenceText)"
      lines += wrapped(heading, indent: 4, width: width)
      lines += wrapped(parameter.documentation, indent: 8, width: width)
    }
    return lines.joined(separator: "\n") + "\n"
  }

  /// The lines of a text, continuation lines indented by four more columns.
  private func wrapped(_ text: String, indent: Int, width: Int) -> [String] {
    var lines: [String] = []
    var line = String(repeating: " ", count: indent)
    var isFresh = true
    for word in text.split(whereSeparator: \.isWhitespace) {
      if !isFresh, line.count + 1 + word.count > width {
        lines.append(line)
        line = String(repeating: " ", count: indent + 4)
        isFresh = true
      }
      line += (isFresh ? "" : " ") + word
      isFresh = false
    }
    return lines + [line]
  }
}

extension ValueKind {
  /// The words that a value may be or begin with.
  fileprivate var words: [String] {
    switch self {
    case .choice(let words), .name(let words): words
    case .list(let element, _): element.words
    case .either(let kinds): kinds.flatMap(\.words)
    default: []
    }
  }
}

extension ParameterDeclaration {
  fileprivate var absenceText: String {
    switch absence {
    case .required: "required"
    case .unset: "optional"
    case .value(let setting): "default \(kind.format(setting))"
    }
  }
}
