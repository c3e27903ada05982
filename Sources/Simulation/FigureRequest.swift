/// Which figure to draw of results: a column against a swept key or another column, one curve for each combination of the
/// series' values, one panel for each value of the facet.
///
/// In scenarios it is a text, `Y over X by SERIES, ... per FACET where KEY=VALUE as NAME`, in which all but Y may be left out:
/// `nmse_full_db over payload_bits by codec per channel.profile where pilots.snr_db=20 as bits`. A key is a swept path,
/// another path of the link with one value in each result, `result` (the results themselves), or a column of `report.csv`.
public struct FigureRequest: Sendable, Hashable {
  /// Values of a key that the points of the figure have.
  public struct Condition: Sendable, Hashable {
    /// A key.
    public var key: String
    /// One of these, as they are written in the report, or equal as numbers.
    public var values: [String]
    /// A key and its values.
    public init(key: String, values: [String]) {
      self.key = key
      self.values = values
    }

    /// Reads `key=value` or `key=value,value`.
    ///
    /// - Throws: ``Problem`` for anything else.
    public init(parsing text: String) throws(Problem) {
      let parts = text.split(separator: "=", maxSplits: 1).map { $0.trimmed }
      guard parts.count == 2, !parts[0].isEmpty else {
        throw Problem(
          message: "a condition must be key=value, got '\(text)'",
          hint: "for example pilots.snr_db=20, or codec=pca,csinet")
      }
      let values = parts[1].split(separator: ",").map { $0.trimmed }
      // The whole text too: a label may hold a comma.
      self.init(key: parts[0], values: values.count > 1 ? [parts[1]] + values : values)
    }

    /// Reads several conditions, which hold together.
    ///
    /// - Throws: ``Problem`` for a text that is no condition, and for two about one key: a point has one value of it.
    public static func list(parsing texts: [String]) throws(Problem) -> [Condition] {
      var conditions: [Condition] = []
      for text in texts {
        let condition = try Condition(parsing: text)
        if let other = conditions.firstIndex(where: { $0.key == condition.key }) {
          let values = [texts[other], text].map { String($0.split(separator: "=").last!).trimmed }
          throw Problem(
            message: "'\(condition.key)' stands twice, and no point has two values of it",
            hint: "for points with one of several values, write "
              + "\(condition.key)=\(values.joined(separator: ","))")
        }
        conditions.append(condition)
      }
      return conditions
    }
  }

  /// How the values of an axis are spread.
  public enum Scale: String, Sendable, Hashable, CaseIterable {
    /// By differences.
    case linear
    /// By factors.
    case log
  }

  /// What is wrong with a text.
  public struct Problem: Error, Sendable, CustomStringConvertible {
    /// What was expected and found.
    public let message: String
    /// A way out, if one is known.
    public let hint: String?
    /// Message and hint as a terminal shows them.
    public var description: String { message + (hint.map { "\n  hint: \($0)" } ?? "") }

    /// A complaint.
    public init(message: String, hint: String? = nil) {
      self.message = message
      self.hint = hint
    }
  }

  /// The column that is drawn upwards.
  public var y: String
  /// The key that runs to the right; the first swept key that varies if nil.
  public var x: String?
  /// Keys whose combinations make curves, the first by colour; all that vary if nil.
  public var series: [String]?
  /// The key whose values make panels.
  public var facet: String?
  /// What all points of the figure have.
  public var conditions: [Condition] = []
  /// Scales of the axes; chosen from the values where nil.
  public var xScale, yScale: Scale?
  /// Name of the files; made of the axes if nil.
  public var name: String?

  /// A column over the first swept key that varies.
  public init(y: String) { self.y = y }

  /// Reads the text of a scenario.
  ///
  /// - Throws: ``Problem`` for a text of another form.
  public init(parsing text: String) throws(Problem) {
    var clauses: [(word: String, text: String)] = [("", "")]
    for word in text.split(whereSeparator: \.isWhitespace) {
      if Self.words.contains(String(word)) {
        clauses.append((String(word), ""))
      } else {
        clauses[clauses.count - 1].text += (clauses.last!.text.isEmpty ? "" : " ") + word
      }
    }
    let form =
      "write 'Y over X by KEY, ... per KEY where KEY=VALUE as NAME'; all but Y may be left out"
    y = clauses[0].text
    guard !y.isEmpty, !y.contains(" ") else {
      throw Problem(message: "a plot must begin with a column, got '\(text)'", hint: form)
    }
    for (index, clause) in clauses.enumerated().dropFirst() {
      let isRepeated = clauses[..<index].contains { $0.word == clause.word }
      guard !clause.text.isEmpty, !isRepeated || clause.word == "where" else {
        throw Problem(
          message:
            "'\(clause.word)' \(isRepeated ? "stands twice" : "has nothing behind it") in '\(text)'",
          hint: form)
      }
      try read(clause.word, clause.text)
    }
    let conditions = clauses.filter { $0.word == "where" }
      .flatMap { $0.text.split(separator: " and ").map { String($0) } }
    self.conditions = try Condition.list(parsing: conditions)
  }

  private static let words: Set = ["over", "by", "per", "where", "as"]

  private mutating func read(_ word: String, _ text: String) throws(Problem) {
    switch word {
    case "over": x = text
    case "by": series = Self.list(text)
    case "per": facet = text
    case "where": break
    default:
      guard text.allSatisfy({ $0.isASCII && ($0.isLetter || $0.isNumber || "-_.".contains($0)) }),
        text.first != "."
      else {
        throw Problem(
          message: "the name of a plot has letters, digits and - _ . only, got '\(text)'")
      }
      name = text
    }
  }

  /// Words divided by commas.
  public static func list(_ text: String) -> [String] {
    text.split(separator: ",").map { $0.trimmed }.filter { !$0.isEmpty }
  }

  /// What the files are called: the name, or the column with the key it is drawn over.
  public var fileName: String {
    name
      ?? ([y] + [x.map { "over-\($0)" }, facet.map { "per-\($0)" }].compactMap { $0 }
      + conditions.map { "\($0.key)-\($0.values[0])" }).joined(separator: "-")
      .map { $0.isASCII && ($0.isLetter || $0.isNumber || "-_.".contains($0)) ? String($0) : "_" }
      .joined()
  }

  /// All keys that are named.
  public var keys: [String] {
    [x, facet].compactMap { $0 } + (series ?? []) + conditions.map(\.key)
  }
}

extension StringProtocol {
  fileprivate var trimmed: String {
    String(drop(while: \.isWhitespace).reversed().drop(while: \.isWhitespace).reversed())
  }
}
