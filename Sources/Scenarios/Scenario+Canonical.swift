import Parts

extension Scenario {
  /// A text that is equal for scenarios that run the same link at the same points, whatever the order of their keys, their
  /// comments, units and spellings, and however they are spread over files: what digests are made of.
  ///
  /// Name, description, paths and the texts of coordinates are left out.
  ///
  /// - Complexity: O(points · sections); every distinct section is written once.
  public var canonical: String {
    var lines = ["csilink scenario 1"]
    for settings in [run, report].compactMap({ $0 }) { lines.append(settings.canonical) }
    for axis in axes { lines.append("axis \(axis.path)") }
    let written = registry.sections.filter { Section.stages.contains($0) && !isSilent($0) }
    for section in written {
      for (index, reading) in (sources.readings[section] ?? []).enumerated() {
        guard let settings = reading.settings else { continue }
        lines.append("variant \(section) \(index)")
        lines.append(settings.canonical)
      }
    }
    let stages = registry.sections.filter { Section.stages.contains($0) }
    for variant in sources.variants {
      let indices = zip(stages, variant).filter { written.contains($0.0) }.map { "\($0.1)" }
      lines.append("point " + indices.joined(separator: " "))
    }
    return lines.joined(separator: "\n") + "\n"
  }

  /// Whether a section that the first scenarios did not have is as it would be without: their digests stay as they were.
  private func isSilent(_ section: Section) -> Bool {
    guard [.prediction, .coder].contains(section), let part = registry.defaultPart(of: section),
      let usual = try? part.settings()
    else { return false }
    return points.allSatisfy { $0.settings[section] == usual }
  }
}
