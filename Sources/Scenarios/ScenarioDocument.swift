import Parts

/// The content of a scenario before it is checked against the parts: one file, or several laid over each other.
struct ScenarioDocument: Sendable {
  var name: YAMLEntry?
  var description: YAMLEntry?
  var extends: YAMLEntry?
  var preset: YAMLEntry?
  /// The sections below `link:`, and `run` and `report`, each a mapping.
  var sections = YAMLMapping()
  /// The published table that it repeats.
  var paper: YAMLEntry?
  /// Swept paths with their values.
  var sweep = YAMLMapping()
  /// Where something that the link lacks is reported: the key `link`, or the start of the file.
  var linkPosition: SourcePosition?
  var position: SourcePosition

  static let keys =
    ["name", "description", "extends", "link", "sweep", "paper"] + Section.besides.map(\.rawValue)

  /// This document with another laid over it. A name is not inherited: two scenarios would share their results.
  func overlaid(by upper: ScenarioDocument, _ overlay: SectionOverlay) -> ScenarioDocument {
    var result = upper
    result.description = upper.description ?? description
    result.preset = upper.preset ?? preset
    if let below = paper?.value.mapping {
      let over = upper.paper?.value.mapping ?? YAMLMapping()
      result.paper = upper.paper ?? paper
      result.paper?.value.content = .mapping(below.overlaid(by: over))
    }
    result.linkPosition = upper.linkPosition ?? linkPosition
    result.sections = overlay.overlaid(sections, by: upper.sections)
    // The values of a swept key are replaced as a whole: half of a range makes no sense.
    result.sweep = sweep
    for entry in upper.sweep.entries { result.sweep[entry.key] = entry }
    return result
  }
}

/// Sorts the top level of a YAML tree into a ``ScenarioDocument`` and brings short forms into one shape.
struct DocumentReader {
  let catalogue: PartRegistry
  let log: DiagnosticLog

  /// - Returns: nil, after a complaint, if the text is not a mapping at all.
  func document(_ root: YAMLNode) -> ScenarioDocument? {
    var document = ScenarioDocument(position: root.position)
    guard let mapping = root.mapping else {
      let message = root.isNull ? "is empty" : "must be a mapping, got \(root.summary)"
      log.error(
        root.position, "the scenario \(message)",
        hint: "a scenario starts with 'link:', the stages of the link; see 'csilink list'")
      return nil
    }
    for entry in mapping.entries {
      switch entry.key {
      case "name": document.name = entry
      case "description": document.description = entry
      case "extends": document.extends = entry
      case "paper": document.paper = entry
      case "link":
        document.linkPosition = entry.keyPosition
        let link = entries(entry, "the stages of the link")
        for stage in link.entries { addStage(stage, to: &document) }
      case _ where Section.besides.contains { $0.rawValue == entry.key }:
        let settings = entries(entry, "its settings")
        var section = entry
        section.value.content = .mapping(nested(settings))
        document.sections.entries.append(section)
      case "sweep":
        for axis in entries(entry, "swept keys and their values").entries {
          addAxis(axis, to: &document)
        }
      default: unknownTopLevelKey(entry)
      }
    }
    return withImpliedTypes(document)
  }

  /// The document with the `type` of every section whose keys imply one: done when all keys of a file are together, so
  /// that laying files over each other sees the type.
  func withImpliedTypes(_ document: ScenarioDocument) -> ScenarioDocument {
    var result = document
    for entry in document.sections.entries {
      guard let section = Section(rawValue: entry.key), let mapping = entry.value.mapping
      else { continue }
      result.sections[entry.key]?.value.content = .mapping(
        catalogue.withImpliedType(mapping, of: section))
    }
    return result
  }

  /// The mapping of an entry; a key without a value counts as an empty one.
  private func entries(_ entry: YAMLEntry, _ content: String) -> YAMLMapping {
    if entry.value.isNull { return YAMLMapping() }
    guard let mapping = entry.value.mapping else {
      log.error(
        entry.value.position,
        "'\(entry.key)' must be a mapping with \(content), got \(entry.value.summary)")
      return YAMLMapping()
    }
    return mapping
  }

  func addAxis(_ axis: YAMLEntry, to document: inout ScenarioDocument) {
    var axis = axis
    // 'codec.type' and 'codec' are the same question.
    for section in Section.stages where axis.key == "\(section.rawValue).type" {
      axis.key = section.rawValue
    }
    if let first = document.sweep[axis.key] {
      log.duplicateKey(axis.key, at: axis.keyPosition, first: first.keyPosition)
    } else {
      document.sweep.entries.append(axis)
    }
  }

  /// Adds an entry of `link:`; its key may be a path such as `pilots.snr_db`.
  func addStage(_ entry: YAMLEntry, to document: inout ScenarioDocument) {
    let path = entry.key.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
    if entry.key == "preset" {
      document.preset = entry
    } else if path.contains("") {
      log.error(entry.keyPosition, "the path '\(entry.key)' has an empty step")
    } else if let section = Section(rawValue: path[0]), Section.stages.contains(section),
      !catalogue.parts(of: section).isEmpty
    {
      let below = nested(YAMLMapping(entries: [stage(entry, path)]))
      merge(below, into: &document.sections)
    } else {
      unknownStage(entry, path[0])
    }
  }

  /// An entry whose value is a mapping of keys, whether it was written as a word, as nothing or as a mapping.
  private func stage(_ entry: YAMLEntry, _ path: [String]) -> YAMLEntry {
    guard path.count == 1 else { return entry }
    var entry = entry
    entry.value.content = .mapping(sectionMapping(entry.value, name: entry.key) ?? YAMLMapping())
    return entry
  }

  /// The mapping that a section's value stands for: a bare word is short for its `type`; nil after a complaint.
  func sectionMapping(_ value: YAMLNode, name: String) -> YAMLMapping? {
    switch value.content {
    case .mapping(let mapping): return mapping
    case .null: return YAMLMapping()
    case .scalar:
      return YAMLMapping(entries: [
        YAMLEntry(key: "type", keyPosition: value.position, value: value)
      ])
    case .list:
      log.error(
        value.position, "\(name) must be one part, got \(value.summary)",
        hint: "to compare several, write them below 'sweep:'")
      return nil
    }
  }

  /// Turns keys with dots into nested mappings: `fit.drops: 10` becomes `fit: {drops: 10}`.
  func nested(_ mapping: YAMLMapping) -> YAMLMapping {
    var result = YAMLMapping()
    for entry in mapping.entries {
      var value = entry.value
      if let inner = value.mapping { value.content = .mapping(nested(inner)) }
      let keys = entry.key.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
      // A key such as '.x' stays as it is and is reported as unknown.
      let path = keys.contains("") ? [entry.key] : keys
      let leaf = YAMLEntry(key: path.last!, keyPosition: entry.keyPosition, value: value)
      let whole = path.dropLast().reversed().reduce(leaf) { below, key in
        YAMLEntry(
          key: key, keyPosition: entry.keyPosition,
          value: YAMLNode(
            content: .mapping(YAMLMapping(entries: [below])), position: entry.keyPosition))
      }
      merge(YAMLMapping(entries: [whole]), into: &result)
    }
    return result
  }

  /// Merges mappings of one file, where the same key must not come twice.
  private func merge(_ addition: YAMLMapping, into mapping: inout YAMLMapping) {
    for entry in addition.entries {
      guard let present = mapping[entry.key] else {
        mapping.entries.append(entry)
        continue
      }
      guard var merged = present.value.mapping, let other = entry.value.mapping else {
        log.duplicateKey(entry.key, at: entry.keyPosition, first: present.keyPosition)
        continue
      }
      merge(other, into: &merged)
      mapping[entry.key]?.value.content = .mapping(merged)
    }
  }

  private func unknownTopLevelKey(_ entry: YAMLEntry) {
    let head = String(entry.key.prefix { $0 != "." })
    let isStage = Section.stages.contains { $0.rawValue == head } || head == "preset"
    log.error(
      entry.keyPosition, "unknown key '\(entry.key)'",
      hint: isStage
        ? "'\(entry.key)' belongs below 'link:'"
        : nearestWord(to: entry.key, among: ScenarioDocument.keys).didYouMean
          ?? "known keys: \(ScenarioDocument.keys.joined(separator: ", "))")
  }

  func unknownStage(_ entry: YAMLEntry, _ head: String) {
    let known = catalogue.stageNames
    log.error(
      entry.keyPosition, "the link has no section '\(head)'",
      hint: ScenarioDocument.keys.contains(head)
        ? "'\(head)' belongs at the left margin, outside 'link:'"
        : nearestWord(to: head, among: known + ["preset"]).didYouMean
          ?? "known sections: \(known.joined(separator: ", "))")
  }
}

extension PartRegistry {
  /// A section's mapping where `{network: crnet}` has become `{type: network, network: crnet}`: without a `type`, a key
  /// that is the name of one of the section's parts means that part.
  func withImpliedType(_ mapping: YAMLMapping, of section: Section) -> YAMLMapping {
    guard mapping["type"] == nil,
      let entry = mapping.entries.first(where: { isChoice($0.key, of: section) })
    else { return mapping }
    let name = YAMLNode(content: .scalar(entry.key), position: entry.keyPosition)
    let type = YAMLEntry(key: "type", keyPosition: entry.keyPosition, value: name)
    return YAMLMapping(entries: [type] + mapping.entries)
  }

  /// Whether a key is the name of one of several parts of a section.
  func isChoice(_ key: String, of section: Section) -> Bool {
    parts(of: section).count > 1 && part(key, of: section) != nil
  }

  /// The sections below `link:` by name.
  var stageNames: [String] {
    sections.filter { Section.stages.contains($0) }.map(\.rawValue)
  }
}

extension String? {
  var didYouMean: String? { map { "did you mean '\($0)'?" } }
}
