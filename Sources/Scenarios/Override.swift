import Parts

/// Values given on the command line, laid over the scenario file: `--set path=value`.
///
/// A path starts below `link` (`pilots.snr_db`), or with `run`, `report`, `sweep`, `name` or `description`. Relative files
/// start from the folder of the scenario, as everywhere in it.
struct OverrideReader {
  let catalogue: PartRegistry
  let log: DiagnosticLog
  /// What overrides are called that nobody wrote.
  var origins: [String: String] = [:]

  /// Lays overrides over a document, later ones over earlier ones.
  func apply(_ overrides: [String], to document: ScenarioDocument) -> ScenarioDocument {
    let overlay = SectionOverlay(catalogue: catalogue, log: log)
    var all = ScenarioDocument(position: document.position)
    var fixed: [YAMLEntry] = []
    var indexed: [(IndexedPath, YAMLEntry)] = []
    for text in overrides {
      guard let entry = entry(text) else { continue }
      if let path = IndexedPath(entry.key) {
        indexed.append((path, entry))
        continue
      }
      guard let one = self.document(entry) else { continue }
      let name = one.name ?? all.name
      all = all.overlaid(by: one, overlay)
      all.name = name
      fixed.append(entry)
    }
    var result = document.overlaid(by: all, overlay)
    result.name = all.name ?? document.name
    for entry in fixed { release(entry, in: &result, sweptByOverride: all.sweep) }
    for (path, entry) in indexed { change(path, to: entry, in: &result) }
    return result
  }

  /// A swept key that is given on the command line is swept no more.
  private func release(
    _ entry: YAMLEntry, in document: inout ScenarioDocument, sweptByOverride: YAMLMapping
  ) {
    let path = entry.key.hasPrefix("link.") ? String(entry.key.dropFirst(5)) : entry.key
    var given = [path]
    // Whoever names the part names the section.
    if let section = Section.stages.first(where: { path.hasPrefix("\($0.rawValue).") }) {
      let key = String(path.dropFirst(section.rawValue.count + 1))
      if key == "type" || catalogue.isChoice(key, of: section) { given.append(section.rawValue) }
    }
    for path in given where sweptByOverride[path] == nil && sweptByOverride[SweepReader.zip] == nil
    {
      guard unsweep(path, &document.sweep) else { continue }
      log.warning(entry.keyPosition, "'\(path)' is swept by the scenario; now it has one value")
    }
  }

  /// Takes a path out of a sweep, also out of lists that advance together; false if it is not swept.
  private func unsweep(_ path: String, _ sweep: inout YAMLMapping) -> Bool {
    if sweep[path] != nil {
      sweep[path] = nil
      return true
    }
    guard let zip = sweep[SweepReader.zip] else { return false }
    var groups = (zip.value.list ?? [zip.value]).compactMap(\.mapping)
    guard let place = groups.firstIndex(where: { $0[path] != nil }) else { return false }
    groups[place][path] = nil
    // A list that is left alone advances by itself.
    if groups[place].entries.count == 1 {
      sweep.entries.append(groups.remove(at: place).entries[0])
    }
    let nodes = groups.map { YAMLNode(content: .mapping($0), position: zip.value.position) }
    sweep[SweepReader.zip]?.value.content = .list(nodes)
    if nodes.isEmpty { sweep[SweepReader.zip] = nil }
    return true
  }

  /// Changes a key of one entry of a swept section.
  private func change(
    _ path: IndexedPath, to entry: YAMLEntry, in document: inout ScenarioDocument
  ) {
    let documents = DocumentReader(catalogue: catalogue, log: log)
    let nodes = document.sweep[path.section]?.value.list ?? []
    let names = nodes.map { self.names(of: $0, Section(rawValue: path.section)) }
    let places = nodes.indices.filter { place in
      // Paths of overrides have no spaces.
      names[place].contains { name in name.filter { !$0.isWhitespace } == path.name }
    }
    guard !places.isEmpty else {
      let known = names.compactMap(\.first)
      log.error(
        entry.keyPosition,
        nodes.isEmpty
          ? "'\(path.section)' is not swept"
          : "no entry of '\(path.section)' is called '\(path.name)'",
        hint: nodes.isEmpty
          ? "write --set \(path.section).\(path.key)=..."
          : nearestWord(to: path.name, among: known).didYouMean
            ?? "entries: \(known.joined(separator: ", "))")
      return
    }
    let value = YAMLEntry(key: path.key, keyPosition: entry.keyPosition, value: entry.value)
    let change = documents.nested(YAMLMapping(entries: [value]))
    var changed = nodes
    for place in places {
      guard let mapping = documents.sectionMapping(nodes[place], name: "an entry") else { continue }
      changed[place].content = .mapping(documents.nested(mapping).overlaid(by: change))
    }
    document.sweep[path.section]?.value.content = .list(changed)
  }

  /// What an entry of a swept section may be called: its label, its part, what that chooses.
  private func names(of node: YAMLNode, _ section: Section?) -> [String] {
    guard let mapping = node.mapping, let section else { return [node.scalar].compactMap { $0 } }
    let choices = mapping.entries.filter { catalogue.isChoice($0.key, of: section) }
    return ([mapping["label"]?.value.scalar] + choices.map { $0.value.scalar } + [mapping.type])
      .compactMap { $0 }
  }

  private func entry(_ text: String) -> YAMLEntry? {
    let name = origins[text] ?? "--set \(text)"
    let place = SourcePosition(SourceText(text, name: name, layer: -1, hasLines: false))
    guard text.utf8.count <= 16 * 1024 else {
      log.error(place, "the value is too long", hint: "write it into a file with 'extends:'")
      return nil
    }
    let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
    let path = String(parts[0]).filter { !$0.isWhitespace }
    guard parts.count == 2, !path.isEmpty else {
      log.error(place, "must be path=value", hint: "for example --set pilots.snr_db=10")
      return nil
    }
    do {
      _ = try SourceText.checked(Array(text.utf8))
    } catch {
      log.error(place, error.reason)
      return nil
    }
    let source = SourceText(
      Self.quoted(String(parts[1])), name: name, layer: -1, hasLines: false)
    guard let value = YAMLNode.parse(source, log: log) else { return nil }
    guard !value.isNull else {
      log.error(place, "has no value after '='")
      return nil
    }
    return YAMLEntry(key: path, keyPosition: place, value: value)
  }

  /// A name with settings, such as `acrnet {binary: encoder}`, in the quotes that YAML wants around it.
  private static func quoted(_ value: String) -> String {
    value.wholeMatch(of: /[A-Za-z][\w-]* ?\{[^'{}]*\}/) == nil ? value : "'\(value)'"
  }

  private func document(_ entry: YAMLEntry) -> ScenarioDocument? {
    let documents = DocumentReader(catalogue: catalogue, log: log)
    var result = ScenarioDocument(position: entry.keyPosition)
    var entry = entry
    let head = String(entry.key.prefix { $0 != "." })
    let rest = String(entry.key.dropFirst(head.count + 1))
    switch head {
    case "name" where rest.isEmpty: result.name = entry
    case "description" where rest.isEmpty: result.description = entry
    case _ where Section.besides.contains { $0.rawValue == head }:
      if rest.isEmpty, entry.value.mapping == nil {
        log.error(entry.keyPosition, "'\(head)' must be a mapping, got \(entry.value.summary)")
        return nil
      }
      result.sections = documents.nested(YAMLMapping(entries: [entry]))
    case "sweep" where !rest.isEmpty:
      entry.key = rest
      documents.addAxis(entry, to: &result)
    case "link" where !rest.isEmpty:
      entry.key = rest
      documents.addStage(entry, to: &result)
    default:
      if catalogue.stageNames.contains(head) || head == "preset" {
        documents.addStage(entry, to: &result)
      } else {
        unknownPath(entry, head)
        return nil
      }
    }
    return documents.withImpliedTypes(result)
  }

  private func unknownPath(_ entry: YAMLEntry, _ head: String) {
    let known =
      catalogue.stageNames + Section.besides.map(\.rawValue)
      + ["sweep", "name", "description", "preset"]
    log.error(
      entry.keyPosition, "a scenario has no '\(entry.key)'",
      hint: entry.key == "sweep"
        ? "name a key of it, such as 'sweep.pilots.snr_db=[0, 10]'"
        : nearestWord(to: head, among: known).didYouMean
          ?? "a path starts with one of \(known.joined(separator: ", "))")
  }
}

/// A key of one entry of a swept section: `codec[crnet].weights`.
private struct IndexedPath {
  let section, name, key: String

  /// - Returns: nil for any other path.
  init?(_ path: String) {
    guard let match = path.wholeMatch(of: /(?:link\.)?([a-z_]+)\[([^\]]+)\]\.([A-Za-z0-9_.]+)/)
    else {
      return nil
    }
    (section, name, key) = (String(match.1), String(match.2), String(match.3))
  }
}
