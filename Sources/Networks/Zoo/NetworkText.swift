import Parts

/// A text that names a network, taken apart: `dnnet {base: csinet, hidden: [256, 512]}`.
struct NetworkText {
  /// In lower case.
  let name: String
  /// Keys and values between the braces, in their order.
  private(set) var given: [(key: String, value: String)] = []

  /// - Throws: ``NetworkError/unfitSettings(_:)`` for a text that is neither a name nor a name with settings in braces.
  init(_ text: String) throws(NetworkError) {
    let trimmed = text.trimmed
    guard let brace = trimmed.firstIndex(of: "{") else {
      name = trimmed.lowercased()
      return
    }
    let name = String(trimmed[..<brace]).trimmed.lowercased()
    self.name = name
    func unfit(_ key: String, _ reason: String) -> NetworkError {
      .unfitSettings(
        SettingsError(
          part: name, key: key, reason: reason, hint: "write it as 'acrnet {expansion: 4}'"))
    }
    guard trimmed.last == "}" else { throw unfit("settings", "must end with '}', got '\(text)'") }
    let inside = trimmed[trimmed.index(after: brace)...].dropLast()
    for item in Self.items(inside) {
      guard let colon = item.firstIndex(of: ":") else {
        throw unfit(item.trimmed, "needs a value after a colon")
      }
      let key = String(item[..<colon]).trimmed
      guard !given.contains(where: { $0.key == key }) else { throw unfit(key, "is given twice") }
      given.append((key, String(item[item.index(after: colon)...]).trimmed))
    }
  }

  /// Pieces between commas outside of brackets and braces.
  private static func items(_ text: Substring) -> [String] {
    var items: [String] = []
    var item = ""
    var depth = 0
    for character in text {
      if "[{".contains(character) { depth += 1 }
      if "]}".contains(character) { depth -= 1 }
      if character == ",", depth == 0 {
        items.append(item)
        item = ""
      } else {
        item.append(character)
      }
    }
    return item.trimmed.isEmpty && items.isEmpty ? [] : items + [item]
  }

  /// The setting that a value stands for; a text that does not fit the kind stays one, for the schema to refuse.
  func setting(_ value: String, of parameter: ParameterDeclaration?) -> Setting {
    if case .list(let element, _)? = parameter?.kind, value.hasPrefix("["), value.hasSuffix("]") {
      let values = Self.items(value.dropFirst().dropLast()).map(\.trimmed)
      return .list(values.map { element.parse($0) ?? .text($0) })
    }
    return parameter?.kind.parse(value) ?? .text(value)
  }
}

extension String {
  fileprivate var trimmed: String {
    String(
      drop { $0.isWhitespace }.reversed().drop { $0.isWhitespace }.reversed())
  }
}
