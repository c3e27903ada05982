import Parts

extension Scenario {
  /// A text that is equal for scenarios that run the same link at the same points, whatever the order of their keys, of
  /// their sweep and its values, their comments, units and spellings, and however they are spread over files: what digests
  /// are made of.
  ///
  /// Name, description, paths, the texts of coordinates and keys that change no number are left out.
  ///
  /// - Complexity: O(points · log points · sections); every distinct section is written once.
  public var canonical: String {
    var lines = ["csilink scenario 2"]
    for settings in [run, report].compactMap({ $0 }) {
      lines.append(settings.canonical(without: Self.presentation[settings.section] ?? []))
    }
    lines += axes.map { "axis \($0.path)" }.sorted()
    let stages = registry.sections.filter { Section.stages.contains($0) }
    // Where each reading of a section stands in the order of their texts; the same place for all of a silent section.
    var ranks: [[Int]] = []
    for section in stages where !isSilent(section) {
      let texts = (sources.readings[section] ?? []).map { $0.settings?.canonical ?? "" }
      let order = texts.indices.sorted { texts[$0] < texts[$1] }
      var rank = texts.map { _ in 0 }
      for (place, index) in order.enumerated() {
        lines += ["variant \(section) \(place)", texts[index]]
        rank[index] = place
      }
      ranks.append(rank)
    }
    let written = stages.indices.filter { !isSilent(stages[$0]) }
    let points = sources.variants.map { variant in
      zip(written, ranks).map { column, ranks in ranks[variant[column]] }
    }
    lines += points.sorted { $0.lexicographicallyPrecedes($1) }.map { point in
      "point " + point.map(String.init).joined(separator: " ")
    }
    return lines.joined(separator: "\n") + "\n"
  }

  /// Keys that tell how results are shown or kept, and change none.
  private static let presentation: [Section: Set<String>] = [.report: ["plots"], .run: ["worst"]]

  /// Whether a section that the first scenarios did not have is as it would be without: their digests stay as they were.
  private func isSilent(_ section: Section) -> Bool {
    guard [.prediction, .coder].contains(section), let part = registry.defaultPart(of: section),
      let usual = try? part.settings()
    else { return false }
    return points.allSatisfy { $0.settings[section] == usual }
  }
}
