import Parts

/// Lays sections over sections, which may name another part: files over those that they extend, `--set` over files.
///
/// Keys that both parts have, with the same meaning, keep the values that are not given anew; those of the lower part alone
/// have no effect, about which there is a warning. A key that the lower part does not have stays, to be reported where the
/// section is read, or because it was meant for the upper part.
struct SectionOverlay {
  let catalogue: PartRegistry
  let log: DiagnosticLog

  /// All sections of a document with those of another over them.
  func overlaid(_ lower: YAMLMapping, by upper: YAMLMapping) -> YAMLMapping {
    var lower = lower
    for entry in upper.entries {
      guard let section = Section(rawValue: entry.key), let mapping = entry.value.mapping,
        let below = lower[entry.key]?.value.mapping,
        let change = PartChange(of: below, to: mapping, in: section, catalogue)
      else { continue }
      warn(change, at: mapping["type"]?.value.position ?? entry.keyPosition)
      lower[entry.key]?.value.content = .mapping(below.removing(change.lost))
    }
    return lower.overlaid(by: upper)
  }

  private func warn(_ change: PartChange, at place: SourcePosition) {
    let (old, new) = (change.old.name, change.new.name)
    let section = change.new.section
    if !change.foreign.isEmpty {
      log.warning(
        place,
        "\(section) '\(new)' has no \(change.foreign.quotedList); written for '\(old)', without effect now"
      )
    }
    if !change.ambiguous.isEmpty {
      log.warning(
        place,
        "\(change.ambiguous.quotedList) of \(section) '\(old)' means something else for '\(new)' and is not used",
        hint: "write it for '\(new)', or leave it to its default")
    }
  }
}

/// A section that becomes another part when a second one is laid over it.
struct PartChange {
  let old: PartSchema
  let new: PartSchema
  /// Full keys of the lower section that do not hold for the new part.
  let lost: Set<String>
  /// Of these the ones that somebody misses, because they were written and are not given anew: keys that the new part does
  /// not have, and those that it has for something else. Sorted.
  let foreign: [String]
  let ambiguous: [String]

  /// - Returns: nil if the part stays the same, or one of the two is not known.
  init?(
    of lower: YAMLMapping, to upper: YAMLMapping, in section: Section, _ catalogue: PartRegistry
  ) {
    guard let oldName = lower.type, let newName = upper.type, oldName != newName,
      let old = catalogue.part(oldName, of: section), let new = catalogue.part(newName, of: section)
    else { return nil }
    let given = upper.leaves
    var lost: Set<String> = []
    var (foreign, ambiguous): ([String], [String]) = ([], [])
    for (key, leaf) in lower.leaves.sorted(by: { $0.key < $1.key }) {
      guard let mine = old.parameter(key) else { continue }
      let other = new.parameter(key)
      if let other, mine.isSame(as: other) { continue }
      lost.insert(key)
      guard given[key] == nil, !leaf.value.position.source.isPreset else { continue }
      if other == nil { foreign.append(key) } else { ambiguous.append(key) }
    }
    (self.old, self.new) = (old, new)
    (self.lost, self.foreign, self.ambiguous) = (lost, foreign, ambiguous)
  }
}

extension [String] {
  /// `'a', 'b'`
  var quotedList: String { map { "'\($0)'" }.joined(separator: ", ") }
}
