import Foundation
import Simulation

/// The result as a table for the terminal.
///
/// Lines that are not data start with `#`. TableColumn widths follow from the content. `+-95%` is half the width of the 95 %
/// interval; `inf` if the interval of an NMSE reaches down to zero, with a question mark if the drops do not determine it.
public enum ResultTable {
  /// The lines, without a line break at the end.
  ///
  /// - Complexity: O(points · columns).
  public static func text(of result: RunResult) -> String {
    let groups = groups(of: result)
    var lines = heading(of: result)
    lines.append("# " + groups.map(\.banner).joined(separator: "||").dropFirst())
    lines.append("#" + line(groups) { $0.name })
    lines.append("#" + line(groups) { $0.unit })
    for row in result.points.indices {
      lines.append(" " + line(groups) { $0.cells[row] })
    }
    let empty = result.points.map { Int($0[.zeroEnergyDrops]) }.max() ?? 0
    if empty > 0 {
      lines.append("# up to \(empty) drops of a point have no energy and are left out of its means")
    }
    let clipped = result.points.compactMap { $0.number(.quantizerClipFraction) }.max() ?? 0
    if clipped > 1e-4 {
      let share = String(format: "%.2g", 100 * clipped)
      lines.append("# up to \(share) % of a point's quantised values lie outside the range")
    }
    if result.points.contains(where: { $0.hasDoubtfulInterval }) {
      lines.append(
        "# ?: more drops are needed to tell the interval, the mean rests on few or may be infinite")
    }
    if result.sharesEnvironment {
      lines.append(
        "# ?: or they are for the one environment that the seed drew; channel.environment_seed fixes it"
      )
    }
    return lines.map(\.withoutTrailingSpaces).joined(separator: "\n")
  }

  private static func heading(of result: RunResult) -> [String] {
    let provenance = result.provenance
    var line = "# csilink \(provenance.version)  scenario \(result.scenarioName)"
    line += " (\(provenance.scenarioDigest))  seed \(result.seed)"
    for (name, digest) in [
      ("data", provenance.dataDigest), ("weights", provenance.weightsDigest),
    ] where !digest.isEmpty {
      line += "  \(name) \(digest.prefix(16))"
    }
    let description = result.description.split(whereSeparator: \.isNewline)
    return [line.onOneLine] + description.map { "# " + String($0).onOneLine }
  }

  private static func line(_ groups: [Group], _ cell: (TableColumn) -> String) -> String {
    groups.map { group in
      group.columns.map { " " + cell($0).padded(to: $0.width) + " " }.joined(separator: "|")
    }.joined(separator: "||")
  }

  private static func groups(of result: RunResult) -> [Group] {
    let points = result.points
    let further = result.columns.dropFirst(Column.standard.count).map { column in
      TableColumn(column.name, unit: column.unit, points.map { fixed($0.number(column), 3) })
    }
    let swept = AxisName.names(of: result.axes).enumerated().map { i, name in
      TableColumn(
        name.short, unit: name.unit ?? "", points.map { $0.coordinates[i]?.onOneLine ?? "-" })
    }
    return [
      Group(
        "operating point",
        swept + [
          TableColumn(
            "bits", points.map { $0.number(.payloadBits).map { String(Int($0)) } ?? "-" }),
          TableColumn("FB BER", points.map { errorRate($0.number(.feedbackBitErrorRate)) }),
        ]),
      Group(
        "channel feedback quality",
        [
          TableColumn("drops", points.map { String($0.drops) }),
          TableColumn("NMSE", unit: "dB", points.map { fixed($0.number(.nmseDB), 2) }),
          TableColumn(
            "+-95%", unit: "dB",
            points.map { halfWidth($0, .nmse, 2) }),
          TableColumn("rho", points.map { fixed($0.number(.cosineSimilarity), 4) }),
        ]),
      Group(
        "link (bit/s/Hz)",
        [
          TableColumn("rate", points.map { fixed($0.number(.rate), 3) }),
          TableColumn("+-95%", points.map { halfWidth($0, .rate, 3) }),
          TableColumn("bound", points.map { fixed($0.number(.perfectRate), 3) }),
        ]),
    ] + (further.isEmpty ? [] : [Group("further", further)]) + [
      Group("run", [TableColumn("stop", points.map { $0.stopReason?.rawValue ?? "-" })])
    ]
  }

  private static func halfWidth(
    _ point: PointSummary, _ ends: Column.Interval, _ decimals: Int
  ) -> String {
    let half = point.interval(ends).map { ($0.upperBound - $0.lowerBound) / 2 }
    return fixed(half, decimals) + (point.isReliable(ends) == false ? "?" : "")
  }

  private static func fixed(_ value: Double?, _ decimals: Int) -> String {
    guard let value else { return "-" }
    let text = value.isNaN ? "nan" : String(format: "%.\(decimals)f", value)
    // "-0.00" is a rounded value, not a sign.
    return text.hasPrefix("-") && Double(text) == 0 ? String(text.dropFirst()) : text
  }

  private static func errorRate(_ value: Double?) -> String {
    guard let value else { return "-" }
    return value == 0 ? "0" : String(format: "%.1e", value)
  }
}

extension ResultTable {
  /// TableColumns below a common title, divided from their neighbours by a double bar.
  private struct Group {
    let banner: String
    private(set) var columns: [TableColumn]

    init(_ title: String, _ columns: [TableColumn]) {
      self.columns = columns
      let title = " \(title) "
      let width = columns.reduce(-1) { $0 + $1.width + 3 }
      let dashes = max(width - title.count, 4)
      self.columns[0].width += title.count + dashes - width
      banner =
        String(repeating: "-", count: dashes / 2) + title
        + String(repeating: "-", count: dashes - dashes / 2)
    }
  }

  /// A column of right-aligned cells.
  private struct TableColumn {
    let name: String
    let unit: String
    let cells: [String]
    var width: Int

    init(_ name: String, unit: String = "", _ cells: [String]) {
      self.name = name
      self.unit = unit.isEmpty ? "" : "(\(unit))"
      self.cells = cells
      width = ([name, self.unit] + cells).map(\.count).max() ?? 0
    }
  }
}

extension PointSummary {
  fileprivate var hasDoubtfulInterval: Bool {
    isReliable(.nmse) == false || isReliable(.rate) == false
  }
}

extension String {
  fileprivate func padded(to width: Int) -> String {
    String(repeating: " ", count: max(0, width - count)) + self
  }

  fileprivate var withoutTrailingSpaces: String {
    var text = self[...]
    while text.last == " " { text.removeLast() }
    return String(text)
  }
}
