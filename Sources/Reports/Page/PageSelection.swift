/// Which operating points of many are shown one by one.
enum PageSelection {
  /// At most so many points: values of the swept keys are fixed, the first key first, at the middle of their list, until few
  /// points are left.
  ///
  /// - Returns: rows, and what was fixed, for the reader.
  static func few(_ result: RecordedResult, limit: Int) -> (rows: [Int], conditions: [String]) {
    var rows = Array(result.rows.indices)
    var conditions: [String] = []
    for axis in result.axes where rows.count > limit {
      let values = rows.compactMap { result.field($0, axis) }.uniqued
      guard values.count > 1 else { continue }
      let middle = values[values.count / 2]
      rows.removeAll { result.field($0, axis) != middle }
      conditions.append("\(axis)=\(middle.onOneLine)")
    }
    if rows.count > limit {
      conditions.append("the first \(limit) of \(rows.count)")
      rows.removeSubrange(limit...)
    }
    return (rows, conditions)
  }
}

/// The stages of a link for the reader of a page.
enum PageStages {
  private static let names = [
    "grid", "channel", "pilots", "estimator", "transform", "normaliser", "codec", "quantizer",
    "coder", "feedback", "timing", "prediction", "precoder",
  ]

  /// One row for each stage that the resolved scenario names; swept ones say so.
  static func of(_ result: RecordedResult) -> [PageContent.Row] {
    names.compactMap { name in
      let keys = result.settings.filter { $0.key.hasPrefix("\(name).") }
      let swept = result.axes.contains(name)
      let part = swept ? "swept" : result.settings["\(name).type"] ?? result.settings[name]
      guard let part else { return nil }
      let ownSwept = result.axes.filter { $0.hasPrefix("\(name).") }.map { "\($0.key) swept" }
      let values = keys.filter { $0.key.key != "type" }.sorted { $0.key < $1.key }
        .map { "\($0.key.key): \($0.value)" }
      return PageContent.Row(
        heads: [name], cells: [part, (ownSwept + values).joined(separator: "; ")])
    }
  }
}

extension String {
  /// The key behind the section of a path.
  fileprivate var key: String {
    firstIndex(of: ".").map { String(self[index(after: $0)...]) } ?? self
  }
}
