extension ValueKind {
  /// What is expected, for error messages and `csilink list`: `1...16`, `one of ls, lmmse`, `a time such as 100 ns`.
  public var expectation: String {
    switch self {
    case .flag: "true or false"
    case .integer(let range): "a whole number \(Self.describe(range))"
    case .number(let dimension, let range): Self.describe(dimension, range)
    case .choice(let words), .name(let words):
      words.count == 1 ? "'\(words[0])'" : "one of \(words.joined(separator: ", "))"
    case .text: "a text"
    case .file: "a file path"
    case .list(let element, let count):
      "a list of \(Self.describe(count: count))values, each \(element.expectation)"
    case .either(let kinds): kinds.map(\.expectation).joined(separator: ", or ")
    }
  }

  /// The setting that a scalar text of the scenario stands for, or nil if it does not fit the kind.
  ///
  /// Ranges are checked too, so a returned setting is valid.
  public func parse(_ text: String) -> Setting? {
    switch self {
    case .flag:
      return switch text {
      case "true", "True", "TRUE", "yes", "on": .flag(true)
      case "false", "False", "FALSE", "no", "off": .flag(false)
      default: nil
      }
    case .integer:
      return Self.wholeNumber(text).map(Setting.integer).flatMap { accepts($0) ? $0 : nil }
    case .number(let dimension, _):
      return dimension.parse(text).map(Setting.number).flatMap { accepts($0) ? $0 : nil }
    case .choice(let words): return words.contains(text) ? .text(text) : nil
    case .name: return accepts(.text(text)) ? .text(text) : nil
    case .text, .file: return text.isEmpty ? nil : .text(text)
    case .list: return nil
    case .either(let kinds): return kinds.lazy.compactMap { $0.parse(text) }.first
    }
  }

  /// Whether a setting is of this kind and inside its range.
  public func accepts(_ setting: Setting) -> Bool {
    switch (self, setting) {
    case (.flag, .flag): true
    case (.integer(let range), .integer(let value)): range.contains(value)
    case (.number(_, let range), _):
      setting.asNumber.map { $0.isFinite && range.contains($0) } ?? false
    case (.choice(let words), .text(let word)): words.contains(word)
    case (.name(let words), .text(let text)):
      words.contains(Self.word(before: text))
    case (.text, .text(let text)), (.file, .text(let text)): !text.isEmpty
    case (.list(let element, let count), .list(let values)):
      count.contains(values.count) && values.allSatisfy(element.accepts)
    case (.either(let kinds), _): kinds.contains { $0.accepts(setting) }
    default: false
    }
  }

  /// A text for a setting of this kind that ``parse(_:)`` reads back; lists are in brackets.
  public func format(_ setting: Setting) -> String {
    switch (self, setting) {
    case (.number(let dimension, _), _):
      setting.asNumber.map(dimension.format) ?? setting.canonical
    case (.list(let element, _), .list(let values)):
      "[" + values.map(element.format).joined(separator: ", ") + "]"
    case (.either(let kinds), _):
      kinds.first { $0.accepts(setting) }?.format(setting) ?? setting.canonical
    default: setting.canonical
    }
  }

  /// What stands before settings in braces.
  private static func word(before text: String) -> String {
    let word = text.prefix { $0 != "{" }
    return String(word.count < text.count ? word.prefix { !$0.isWhitespace } : word)
  }

  /// Also reads `1e6`, as long as it is exact.
  private static func wholeNumber(_ text: String) -> Int? {
    Int(text) ?? Double(text).flatMap { abs($0) <= 0x1p53 ? Int(exactly: $0) : nil }
  }

  private static func describe(count: ClosedRange<Int>) -> String {
    if count.lowerBound == count.upperBound { return "\(count.lowerBound) " }
    guard count.upperBound <= 100 else { return "" }
    return count.lowerBound > 1
      ? "\(count.lowerBound) to \(count.upperBound) " : "at most \(count.upperBound) "
  }

  private static func describe(_ range: ClosedRange<Int>) -> String {
    range.upperBound == Int.max
      ? "of at least \(range.lowerBound)" : "in \(range.lowerBound)...\(range.upperBound)"
  }

  private static func describe(_ dimension: Dimension, _ range: ClosedRange<Double>) -> String {
    let limit = Double.greatestFiniteMagnitude
    let bounds =
      switch (range.lowerBound > -limit, range.upperBound < limit) {
      case (true, true):
        " in \(dimension.format(range.lowerBound))...\(dimension.format(range.upperBound))"
      case (true, false): " of at least \(dimension.format(range.lowerBound))"
      case (false, true): " of at most \(dimension.format(range.upperBound))"
      case (false, false): ""
      }
    guard dimension.requiresUnit else {
      return dimension == .plain
        ? "a number\(bounds)" : "a number\(bounds) (\(dimension.units[0].name))"
    }
    let names = dimension.units.map(\.name).joined(separator: ", ")
    return "a \(dimension.rawValue)\(bounds) with its unit (\(names))"
  }
}
