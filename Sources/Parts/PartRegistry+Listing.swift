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

extension ParameterDeclaration {
  fileprivate var absenceText: String {
    switch absence {
    case .required: "required"
    case .unset: "optional"
    case .value(let setting): "default \(kind.format(setting))"
    }
  }
}
