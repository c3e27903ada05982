/// A file that cannot be read or written: where, what was expected, what was found and a way out.
public struct DataFileError: Error, Sendable, Equatable, CustomStringConvertible {
  /// Where in the file.
  public enum Place: Sendable, Equatable {
    /// The file as a whole.
    case file
    /// Offset from the start of the file.
    case byte(Int)
    /// Offset in the inflated data of a compressed variable.
    case inflatedByte(Int)
    /// Line and byte column, both from 1.
    case text(line: Int, column: Int)
  }

  /// Path of the file.
  public let file: String
  /// Name of the variable; nil if the complaint is about none.
  public let variable: String?
  /// Where in the file.
  public let place: Place
  /// What the reader or writer needed.
  public let expected: String
  /// What there was instead.
  public let found: String
  /// A way out, if one is known.
  public let hint: String?

  /// A complaint; the parameters are the properties.
  public init(
    file: String, variable: String? = nil, place: Place = .file, expected: String, found: String,
    hint: String? = nil
  ) {
    self.file = file
    self.variable = variable
    self.place = place
    self.expected = expected
    self.found = found
    self.hint = hint
  }

  /// `data.csv:3:17: expected a number, found 'abc'`, then the hint on a second line.
  public var description: String { complaint + (hint.map { "\n  hint: \($0)" } ?? "") }

  /// The description without the hint.
  public var complaint: String {
    var text = file
    if case .text(let line, let column) = place { text += ":\(line):\(column)" }
    if let variable { text += ": variable '\(printable(variable))'" }
    switch place {
    case .file, .text: break
    case .byte(let offset): text += ": byte \(offset)"
    case .inflatedByte(let offset): text += ": byte \(offset) of the inflated data"
    }
    return text + ": expected \(expected), found \(found)"
  }
}

/// Text from a file made fit for a terminal: at most 60 characters, control characters replaced.
func printable(_ text: some StringProtocol) -> String {
  let shown = text.unicodeScalars.prefix(60).map { scalar -> Character in
    switch scalar.properties.generalCategory {
    case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate: "\u{FFFD}"
    default: Character(scalar)
    }
  }
  return String(shown) + (text.unicodeScalars.count > 60 ? "..." : "")
}
