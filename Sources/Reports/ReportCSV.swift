import DataFiles
import Simulation

/// `report.csv`: one row per operating point.
///
/// The first line names the columns: the swept paths, then the columns of the result, and among them the seed and what the
/// result depends on. Fields follow RFC 4180, lines end in a line feed. Missing values are empty. Every interval is 95 %.
/// The bytes depend on the result alone. The version of the format stands in the manifest beside it (`report_format`).
public enum ReportCSV {
  /// Name of the file in the folder of results.
  public static let fileName = "report.csv"
  /// Raised when a column changes its meaning; columns that are appended leave it. Version 1 had a comment line before
  /// the names of the columns.
  public static let formatVersion = 2

  /// Names of the columns behind the swept keys.
  public static func columns(of result: RunResult) -> [String] { fields(of: result).map(\.name) }

  /// The content of the file.
  ///
  /// - Complexity: O(points · columns).
  public static func text(of result: RunResult) -> String {
    records(of: result).map { line($0) + "\n" }.joined()
  }

  /// Names of the columns, then the fields of each point.
  static func records(of result: RunResult) -> [[String]] {
    let fields = fields(of: result)
    return [result.axes + fields.map(\.name)]
      + result.points.map { point in
        point.coordinates.map { $0 ?? "" } + fields.map { $0.text(point) }
      }
  }

  /// Writes the file into a folder, as a whole or not at all.
  ///
  /// - Throws: `DataFileError` if the folder cannot be written to.
  public static func write(_ result: RunResult, toFolder folder: String) throws(DataFileError) {
    try AtomicFile.write(text(of: result), to: "\(folder)/\(fileName)")
  }

  static func line(_ fields: [String]) -> String {
    fields.map(quoted).joined(separator: ",")
  }

  /// RFC 4180, section 2, rules 5 to 7.
  private static func quoted(_ field: String) -> String {
    // Scalars, because a Character holds "\r\n" as one.
    let needsQuotes = field.unicodeScalars.contains { ",\"\r\n".unicodeScalars.contains($0) }
    // A swept text that starts the line with '#' would be taken for a comment.
    guard needsQuotes || field.hasPrefix("#") else { return field }
    // A quote with a combining accent is one Character too.
    let doubled = field.unicodeScalars.flatMap { $0 == "\"" ? [$0, $0] : [$0] }
    return "\"" + String(String.UnicodeScalarView(doubled)) + "\""
  }

  private typealias Field = (name: String, text: (PointSummary) -> String)

  private static func fields(of result: RunResult) -> [Field] {
    let constants: [Field] = [
      ("seed", String(result.seed)), ("scenario_digest", result.provenance.scenarioDigest),
      ("data_digest", result.provenance.dataDigest),
      ("weights_digest", result.provenance.weightsDigest),
    ].map { name, text in (name, { _ in text }) }
    var fields: [Field] = result.columns.map { column in
      (column.name, { text(of: $0.value(column)) })
    }
    // Columns that came later stand behind them.
    let place = fields.firstIndex { $0.name == Column.zeroEnergyDrops.name } ?? fields.count
    fields.insert(contentsOf: constants, at: place)
    return fields
  }

  private static func text(of value: Column.Value?) -> String {
    switch value {
    case .number(let number): numberText(number)
    case .count(let count): String(count)
    case .answer(let answer): answer ? "yes" : "no"
    case .word(let word): word
    case nil: ""
    }
  }
}
