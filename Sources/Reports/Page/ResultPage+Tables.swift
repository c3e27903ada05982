import Foundation
import LinkMath
import Simulation

extension ResultPage {
  /// What a cell of the table shows.
  private struct PageColumn {
    let heading: String
    let text: (Int) -> String
  }

  func table() -> PageContent.Section {
    let columns = tableColumns().filter { column in
      recorded.rows.indices.contains { !column.text($0).isEmpty }
    }
    let names = AxisName.names(of: recorded.axes)
    let heads = names.map { name in name.unit.map { "\(name.short) (\($0))" } ?? name.short }
    let rows = recorded.rows.indices.map { row in
      PageContent.Row(
        heads: recorded.axes.map { (recorded.field(row, $0) ?? "-").onOneLine },
        cells: columns.map { $0.text(row).isEmpty ? "-" : $0.text(row) })
    }
    var section = PageContent.Section(id: "table", heading: "Table")
    section.tables.append(
      PageContent.Table(
        caption: "Each row is an operating point; 95 % intervals in brackets",
        keys: heads, columns: columns.map(\.heading), rows: rows))
    if recorded.rows.indices.contains(where: isDoubtful) {
      section.texts.append(
        "A question mark: the drops do not determine the interval; the mean rests on few of them or may be infinite."
      )
    }
    section.texts.append(
      "All columns with all digits stand in \(ReportCSV.fileName) beside this page.")
    return section
  }

  private func tableColumns() -> [PageColumn] {
    let further = recorded.columns.filter { name in
      !Self.usualNames.contains(name) && !name.hasSuffix("_low") && !name.hasSuffix("_high")
    }
    return [
      plain(Column.drops.name, 0, "drops"), plain(Column.payloadBits.name, 0, "bits"),
      mean(Column.nmseDB.name, ends: "nmse_db", reliable: Column.Interval.nmse.isReliable.name, 2),
      plain(Column.nmseRatioOfSumsDB.name, 2), plain(Column.nmseFullDB.name, 2),
      plain(Column.cosineSimilarity.name, 4),
      mean(Column.rate.name, ends: "rate", reliable: Column.Interval.rate.isReliable.name, 3),
      plain(Column.perfectRate.name, 3),
    ] + further.map { plain($0, 3) }
  }

  private static let usualNames = Set(Column.standard.map(\.name)).union([
    "seed", "scenario_digest", "data_digest", "weights_digest",
  ])

  private func heading(_ name: String) -> String {
    FigureKey.keys([name], columns: [name])[name]?.label() ?? name
  }

  private func plain(_ name: String, _ decimals: Int, _ heading: String? = nil) -> PageColumn {
    PageColumn(heading: heading ?? self.heading(name)) { row in
      recorded.number(row, name).map { fixed($0, decimals) } ?? recorded.field(row, name) ?? ""
    }
  }

  private func mean(_ name: String, ends: String, reliable: String, _ decimals: Int) -> PageColumn {
    PageColumn(heading: heading(name)) { row in
      guard let value = recorded.number(row, name) else { return "" }
      let mark = recorded.field(row, reliable) == "no" ? " ?" : ""
      guard let low = recorded.number(row, "\(ends)_low"),
        let high = recorded.number(row, "\(ends)_high")
      else { return fixed(value, decimals) }
      return "\(fixed(value, decimals)) [\(fixed(low, decimals)), \(fixed(high, decimals))]\(mark)"
    }
  }

  private func isDoubtful(_ row: Int) -> Bool {
    [Column.Interval.nmse, .rate].contains { recorded.field(row, $0.isReliable.name) == "no" }
  }

  private func fixed(_ value: Double, _ decimals: Int) -> String {
    guard value.isFinite else { return numberText(value) }
    let text = String(format: "%.\(decimals)f", value)
    return text.hasPrefix("-") && Double(text) == 0 ? String(text.dropFirst()) : text
  }

  func definitions() -> PageContent.Section {
    let known = Dictionary(FigureKey.columns.map { ($0.name, $0) }) { first, _ in first }
    let terms = recorded.columns.compactMap { name in
      known[name].map { column in
        let unit = column.unit.isEmpty ? "" : " (\(column.unit))"
        return PageContent.Term(name: name + unit, text: column.documentation)
      }
    }
    var section = PageContent.Section(id: "definitions", heading: "Definitions")
    section.texts = [
      "NMSE is ‖A − Â‖² / ‖A‖² of each drop; its mean over drops is taken first, decibels once at the end. The columns that say so are ratios of sums over drops.",
      "Every interval is 95 %, computed on the linear mean of independent drops, corrected for skewness and widened for the tail that so many drops cannot show; it is for the parts as they were fitted.",
      "pilots.snr_db is the power unit of the pilots over the noise variance of a received pilot sample, precoder.snr_db that of the downlink data.",
    ]
    section.glossaries.append(PageContent.Glossary(terms: terms))
    return section
  }

  func provenance() -> PageContent.Section {
    var section = PageContent.Section(id: "provenance", heading: "Provenance")
    guard let manifest = recorded.manifest else {
      section.texts.append("The result has no manifest.json.")
      return section
    }
    let origin = manifest.provenance
    let entries: [(String, String?)] = [
      ("program", "csilink \(origin.version)"), ("build", origin.build),
      ("kernels", origin.kernel), ("seed", String(manifest.seed)),
      ("scenario", origin.scenarioDigest), ("data", origin.dataDigest),
      ("weights", origin.weightsDigest),
      ("shards", manifest.shards.flatMap { $0.isEmpty ? nil : $0.joined(separator: ", ") }),
      ("page", "written by csilink \(ProgramIdentity.version)"),
    ]
    section.texts.append(
      "Digests are the first 16 digits of SHA-256. The same program, scenario, seed and data give the same bytes of report.csv for any number of threads."
    )
    section.glossaries.append(
      PageContent.Glossary(
        terms: entries.compactMap { name, text in
          text.flatMap { $0.isEmpty ? nil : PageContent.Term(name: name, text: $0) }
        }))
    return section
  }
}
