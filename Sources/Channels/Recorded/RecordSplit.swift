import LinkMath
import Parts

/// Which records of a file belong to which domain: contiguous runs in file order fit, train, validation, test, run.
///
/// What is evaluated is `run`: by default all records, or all that the other parts leave.
package struct RecordSplit: Sendable {
  private static let parts: [(domain: StreamKey.Domain, key: Parameter<Int>)] = [
    (.fit, count("fit", "parts of the link are fitted on")),
    (.train, count("train", "networks are trained on")),
    (.validation, count("validation", "choose among trained networks")),
    (.test, count("test", "judge a finished training")),
  ]
  private static let run = Parameter<Int?>.optional(
    "split.run", .integer(1...Int.max),
    "Number of records after all others that are evaluated; all that are left if left out.")

  /// Keys of the split; where none is written, nobody has said who gets what.
  package static var keys: [String] { parameters.map(\.key) }
  /// Records that parts are fitted on.
  package static var fit: Parameter<Int> { parts[0].key }

  static let parameters = parts.map { $0.key.declaration } + [run.declaration]

  private static func count(_ word: String, _ use: String) -> Parameter<Int> {
    .integer(
      "split.\(word)", default: 0, in: 0...Int.max,
      "Number of records, in file order after the parts before, that \(use).")
  }

  private var ranges: [StreamKey.Domain: Range<Int>] = [:]

  /// - Throws: if the parts need more records than there are, or leave none to evaluate.
  init(_ settings: Settings, recordCount: Int) throws(SettingsError) {
    var next = 0
    for (domain, key) in Self.parts {
      let count = settings[key]
      guard count <= recordCount - next else {
        throw Self.shortage(
          settings, key.key, wanted: count, left: recordCount - next, of: recordCount)
      }
      ranges[domain] = next..<next + count
      next += count
    }
    let count = settings[Self.run] ?? recordCount - next
    guard count > 0 && count <= recordCount - next else {
      throw Self.shortage(
        settings, Self.run.key, wanted: max(count, 1), left: recordCount - next, of: recordCount)
    }
    ranges[.run] = next..<next + count
  }

  private static func shortage(
    _ settings: Settings, _ key: String, wanted: Int, left: Int, of all: Int
  )
    -> SettingsError
  {
    SettingsError(
      part: settings.part, key: key,
      reason: "needs \(wanted) records, but only \(left) are left of the file's \(all)",
      hint:
        "records are dealt out in file order: fit, train, validation, test, run; if the file has another number of drops, its axes "
        + "are named wrong ('axes')")
  }

  /// Records of a domain; empty if it has none.
  subscript(domain: StreamKey.Domain) -> Range<Int> { ranges[domain] ?? 0..<0 }
}
