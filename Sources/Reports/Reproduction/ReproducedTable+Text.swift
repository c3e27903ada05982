import DataFiles
import Foundation

extension ReproducedTable {
  /// Name of the table of figures.
  public static let csvName = "cells.csv"
  /// Name of the file that a page of all tables is made from.
  public static let jsonName = "table.json"

  /// Writes both files into a folder.
  ///
  /// - Throws: `DataFileError` if the folder cannot be written to.
  public func write(to folder: String) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    encoder.keyEncodingStrategy = .convertToSnakeCase
    try AtomicFile.createFolder(folder)
    try AtomicFile.write(csv, to: "\(folder)/\(Self.csvName)")
    try AtomicFile.write(
      String(decoding: encoder.encode(self), as: UTF8.self) + "\n", to: "\(folder)/\(Self.jsonName)"
    )
  }

  /// Reads what ``write(to:)`` left.
  ///
  /// - Throws: `DataFileError` for a file that is none.
  public init(reading file: String) throws(DataFileError) {
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    guard let data = FileManager.default.contents(atPath: file),
      let table = try? decoder.decode(Self.self, from: data)
    else {
      throw DataFileError(
        file: file, expected: "a table that 'csilink reproduce' wrote", found: "something else",
        hint: "run 'csilink reproduce' again")
    }
    self = table
  }

  /// One row for each figure.
  var csv: String {
    let heading =
      keys + [
        "published", "obtained", "low", "high", "batch_mean_db", "difference", "tolerance",
        "verdict",
        "budget", "samples", "epochs",
      ]
    let rows = cells.map { cell in
      let numbers = [cell.obtained, cell.low, cell.high, cell.batchMeanDB, cell.difference]
      return ReportCSV.line(
        cell.values + ([cell.published] + numbers).map { $0.map(numberText) ?? "" }
          + [numberText(tolerance), cell.verdict.rawValue, cell.verdict == .quoted ? "" : budget]
          + [cell.samples, cell.epochs].map { $0.map(String.init) ?? "" })
    }
    return ([ReportCSV.line(heading)] + rows).joined(separator: "\n") + "\n"
  }

  private static let figures = [
    "published", "obtained", "interval", "batch dB", "difference", "verdict", "trained",
  ]

  private func figures(_ cell: Cell) -> [String] {
    let places = NetworkCount(column) == nil ? 2 : 0
    let text = { (number: Double?) in number.map { String(format: "%.\(places)f", $0) } ?? "-" }
    return [
      text(cell.published), text(cell.obtained),
      cell.low == nil ? "-" : "\(text(cell.low)) to \(text(cell.high))", text(cell.batchMeanDB),
      cell.difference.map { String(format: "%+.\(places)f", $0) } ?? "-", cell.verdict.rawValue,
      cell.training.map { "\($0.samples) x \($0.epochs)" } ?? "-",
    ]
  }

  /// What was spent beside what the paper spent.
  public var spent: String {
    let passes = { (training: (samples: Int, epochs: Int)) in training.samples * training.epochs }
    let trained = cells.compactMap(\.training)
    guard let most = trained.max(by: { passes($0) < passes($1) }) else { return "nothing trained" }
    let isSame = trained.allSatisfy { $0 == most }
    let own = "\(isSame ? "" : "at most ")\(most.samples) samples x \(most.epochs) epochs"
    guard let all = publishedPasses, all > 0 else { return own }
    let share = String(format: "%.2g", 100 * Double(passes(most)) / all)
    return "\(own), \(share) % of the paper's"
  }

  /// For the terminal, without a line break at its end.
  public var text: String {
    let rows = [keys + Self.figures] + cells.map { $0.values + figures($0) }
    let widths = rows[0].indices.map { column in rows.map { $0[column].count }.max()! }
    let lines = rows.enumerated().map { index, row in
      (index == 0 ? "# " : "  ")
        + zip(row, widths).map { String(repeating: " ", count: $1 - $0.count) + $0 }
        .joined(separator: "  ")
    }
    return
      (["# \(name): \(source), \(title); \(column)", "# budget \(budget): \(spent)"] + lines
      + claims.map { "# \(claim($0))" }).joined(separator: "\n")
  }

  private func claim(_ claim: Claim) -> String {
    "\(claim.text): \(claim.verdict) (\(String(format: "%+.2f", claim.meanDifference)) \(unit))"
  }

  /// A section of a page, with headings of the second level.
  var markdown: String {
    let line = { (cells: [String]) in
      "| \(cells.map { $0.replacing("|", with: "\\|") }.joined(separator: " | ")) |"
    }
    let heading = keys + Self.figures
    var lines = [
      "## \(name)", "", "\(source). \(title)." + (setting.isEmpty ? "" : " There: \(setting)."),
    ]
    lines += [
      "",
      "Budget `\(budget)`: \(spent). Column `\(column)`, tolerance "
        + "\(numberText(tolerance))\(unit.isEmpty ? "" : " \(unit)").",
    ]
    lines += ["", line(heading), line(heading.map { _ in "---" })]
    lines += cells.map { line($0.values + figures($0)) }
    if !claims.isEmpty { lines += [""] + claims.map { "- \(claim($0))" } }
    if !note.isEmpty { lines += ["", note] }
    return lines.joined(separator: "\n")
  }

  /// A page of all tables that lie below a folder, those without verdicts left out.
  ///
  /// - Throws: `DataFileError` for a file that cannot be read.
  public static func page(of folder: String) throws -> String {
    let files = FileManager.default.enumerator(atPath: folder)?.compactMap { $0 as? String } ?? []
    let tables = try files.filter { $0.nameOfPath == jsonName }.sorted()
      .map { try ReproducedTable(reading: "\(folder)/\($0)") }
      .filter { table in table.cells.contains { $0.verdict != .unjudged && $0.verdict != .quoted } }
    let count = { (verdict: Verdict) in tables.flatMap(\.cells).count { $0.verdict == verdict } }
    let summary =
      "\(count(.within)) figures within the tolerance, \(count(.better)) better, \(count(.missed)) missed, "
      + "\(count(.quoted)) quoted without a counterpart, \(count(.unprinted)) of curves without numbers in the paper."
    let trainings =
      FileManager.default.fileExists(atPath: "\(folder)/\(TrainingLog.fileName)")
      ? " What each training took, in seconds and samples/s, is in [\(TrainingLog.fileName)](\(TrainingLog.fileName))."
      : ""
    return """
      # Published tables, repeated

      Written by `csilink reproduce`. Each figure is that of the scenario of the same name below `scenarios/papers`, trained with the budget \
      that stands above its table, `trained` being samples x epochs; intervals are those of 95 % over drops, `batch dB` averages the decibels of batches of 200 drops as \
      some papers do. A difference is obtained less published.\(trainings)

      \(summary)

      \(tables.map(\.markdown).joined(separator: "\n\n"))

      """
  }
}
