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
    for section in sources.readings.keys.sorted() where Section.stages.contains(section) {
      for (index, reading) in (sources.readings[section] ?? []).enumerated() {
        guard let settings = reading.settings else { continue }
        lines.append("variant \(section) \(index)")
        lines.append(settings.canonical)
      }
    }
    for variant in sources.variants {
      lines.append("point " + variant.map(String.init).joined(separator: " "))
    }
    return lines.joined(separator: "\n") + "\n"
  }
}
