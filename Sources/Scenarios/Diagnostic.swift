/// A place in a scenario file, or in a value given on the command line.
public struct SourcePosition: Sendable, Hashable {
  /// The file, preset or command-line value that holds the place.
  public let source: SourceText
  /// Counted from one; zero means the source as a whole.
  public let line: Int
  /// Counted from one, in Unicode scalars.
  public let column: Int

  /// A place in a source; the source as a whole without a line.
  public init(_ source: SourceText, line: Int = 0, column: Int = 0) {
    self.source = source
    self.line = line
    self.column = column
  }
}

/// A complaint about a scenario: where, what was expected and found, and a way out.
///
/// ```
/// scenarios/acrnet.yaml:14:9: error: quantizer.bits must be a whole number in 1...16, got 0
///    14 |   bits: 0
///       |         ^
///   hint: to switch quantisation off, write 'quantizer: none'
/// ```
public struct Diagnostic: Sendable, Hashable, CustomStringConvertible {
  /// Whether the scenario can be run nevertheless: an error stops it, a warning does not.
  public enum Severity: String, Sendable {
    /// The scenario cannot be run.
    case error
    /// Legal, but suspicious.
    case warning
  }

  /// Whether it stops the run.
  public let severity: Severity
  /// Where the complaint is about.
  public let position: SourcePosition
  /// What was expected and found.
  public let message: String
  /// A way out, if one is known.
  public let hint: String?

  /// A complaint about a place, an error unless said otherwise.
  public init(
    _ severity: Severity = .error, at position: SourcePosition, _ message: String,
    hint: String? = nil
  ) {
    self.severity = severity
    self.position = position
    self.message = message
    self.hint = hint
  }

  /// The complaint as a terminal shows it: place, message, the source line with a caret, hint.
  public var description: String {
    var lines = ["\(place): \(severity.rawValue): \(message)"]
    if let text = position.source.line(position.line) {
      let number = String(position.line)
      let margin = String(repeating: " ", count: max(0, 5 - number.count))
      // Tabs stay tabs, so that the caret lines up however wide the terminal shows them.
      let indent = text.unicodeScalars.prefix(position.column - 1).map { $0 == "\t" ? "\t" : " " }
      lines.append("\(margin)\(number) | \(text)")
      lines.append("      | \(indent.joined())^")
    }
    if let hint { lines.append("  hint: \(hint)") }
    return lines.joined(separator: "\n")
  }

  private var place: String {
    position.source.hasLines && position.line > 0
      ? "\(position.source.name):\(position.line):\(position.column)" : position.source.name
  }
}

/// Everything that is wrong with a scenario, in the order of its lines.
public struct ScenarioErrors: Error, Sendable, CustomStringConvertible {
  /// The complaints.
  public let diagnostics: [Diagnostic]

  /// Errors in the order of their lines.
  public init(_ diagnostics: [Diagnostic]) { self.diagnostics = diagnostics }

  /// The complaints as a terminal shows them, one after the other.
  public var description: String {
    diagnostics.map(\.description).joined(separator: "\n")
  }
}

/// Collects the diagnostics of one reading; the same complaint about the same place is kept once.
final class DiagnosticLog {
  /// A sweep can repeat a mistake a hundred thousand times; nobody reads more than this.
  private static let limit = 100
  private var seen: Set<Diagnostic> = []
  private var hiddenErrorCount = 0

  func error(_ position: SourcePosition, _ message: String, hint: String? = nil) {
    add(Diagnostic(.error, at: position, message, hint: hint))
  }

  func warning(_ position: SourcePosition, _ message: String, hint: String? = nil) {
    add(Diagnostic(.warning, at: position, message, hint: hint))
  }

  private func add(_ diagnostic: Diagnostic) {
    // An error is never lost to a wealth of warnings.
    let sameSeverity = seen.count { $0.severity == diagnostic.severity }
    if sameSeverity < Self.limit {
      seen.insert(diagnostic)
    } else if diagnostic.severity == .error, !seen.contains(diagnostic) {
      hiddenErrorCount += 1
    }
  }

  var hasErrors: Bool { seen.contains { $0.severity == .error } }

  var warnings: [Diagnostic] { sorted.filter { $0.severity == .warning } }

  func throwErrors() throws(ScenarioErrors) {
    guard hasErrors else { return }
    var errors = sorted.filter { $0.severity == .error }
    if hiddenErrorCount > 0, let source = errors.last?.position.source {
      errors.append(
        Diagnostic(at: SourcePosition(source), "\(hiddenErrorCount) further errors are not shown"))
    }
    throw ScenarioErrors(errors)
  }

  /// The scenario file before the files it extends, then by line.
  private var sorted: [Diagnostic] {
    seen.sorted { a, b in
      let (p, q) = (a.position, b.position)
      return (p.source.layer, p.source.name, p.line, p.column, a.message)
        < (q.source.layer, q.source.name, q.line, q.column, b.message)
    }
  }
}
