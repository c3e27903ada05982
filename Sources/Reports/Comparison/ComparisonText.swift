import Foundation

extension Comparison {
  /// How a comparison is written.
  public enum Format: String, CaseIterable, Sendable {
    /// Columns for the terminal.
    case table
    /// For programs.
    case json
    /// For documents.
    case markdown
  }

  /// The comparison as a text without a line break at its end.
  public func text(_ format: Format) throws -> String {
    switch format {
    case .table: return table
    case .json:
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
      encoder.keyEncodingStrategy = .convertToSnakeCase
      encoder.nonConformingFloatEncodingStrategy = .convertToString(
        positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
      return String(decoding: try encoder.encode(Content(self)), as: UTF8.self)
    case .markdown: return markdown
    }
  }

  private struct Content: Encodable {
    let results: [String]
    let changes: [Change]
    let rows: [Row]
    let notes: [String]

    init(_ comparison: Comparison) {
      (results, changes) = (comparison.results, comparison.changes)
      (rows, notes) = (comparison.rows, comparison.notes)
    }
  }

  private var heading: [String] {
    keys + [
      "reference", "compared", "column", "from", "to", "difference", "95 % interval", "verdict",
    ]
  }

  private var cells: [[String]] {
    rows.map { row in
      keys.map { row.point[$0]?.onOneLine ?? "-" } + [
        row.reference.onOneLine, row.compared.onOneLine, row.column, short(row.referenceValue),
        short(row.value), signed(row.difference) + (row.unit.isEmpty ? "" : " \(row.unit)"),
        interval(row), row.verdict.rawValue,
      ]
    }
  }

  private func interval(_ row: Row) -> String {
    guard let low = row.low, let high = row.high else { return "-" }
    return "\(signed(low)) to \(signed(high))" + (row.paired ? "" : " (unpaired)")
  }

  private func short(_ value: Double?) -> String { value.map { String(format: "%.4g", $0) } ?? "-" }

  private func signed(_ value: Double) -> String {
    value.isNaN ? "-" : String(format: "%+.3g", value)
  }

  private var summary: String {
    "\(count(.better)) better, \(count(.worse)) worse, "
      + [Verdict.equal, .different].filter { count($0) > 0 }.map { "\(count($0)) \($0.rawValue), " }
      .joined() + "\(count(.undecided)) undecided"
  }

  private var changeLines: [String] {
    changes.map { change in
      "\(change.result): \(change.key) \(change.reference ?? "(none)") -> \(change.value ?? "(none)")"
        .onOneLine
    }
  }

  private var table: String {
    let all = [heading] + cells
    let widths = heading.indices.map { column in all.map { $0[column].count }.max() ?? 0 }
    let line = { (cells: [String]) in
      zip(cells, widths).map { String(repeating: " ", count: $1 - $0.count) + $0 }
        .joined(separator: "  ")
    }
    return
      (changeLines.map { "# changed in \($0)" } + ["# \(line(heading))"]
      + cells.map { "  \(line($0))" } + ["# \(summary)"]).joined(separator: "\n")
  }

  private var markdown: String {
    let line = { (cells: [String]) in
      "| \(cells.map { $0.replacing("|", with: "\\|") }.joined(separator: " | ")) |"
    }
    let changes = changeLines.map { "- \($0)" }
    return
      (changes + (changes.isEmpty ? [] : [""]) + [
        line(heading), line(heading.map { _ in "---" }),
      ] + cells.map(line) + ["", "\(summary)."]).joined(separator: "\n")
  }
}
