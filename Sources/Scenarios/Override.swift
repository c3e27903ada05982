import Parts

/// Values given on the command line, laid over the scenario file: `--set path=value`.
///
/// A path starts below `link` (`pilots.snr_db`), or with `run`, `report`, `sweep`, `name` or `description`. Relative files
/// start from the folder of the scenario, as everywhere in it.
struct OverrideReader {
  let catalogue: PartRegistry
  let log: DiagnosticLog

  /// Lays overrides over a document, later ones over earlier ones.
  func apply(_ overrides: [String], to document: ScenarioDocument) -> ScenarioDocument {
    let overlay = SectionOverlay(catalogue: catalogue, log: log)
    var all = ScenarioDocument(position: document.position)
    var fixed: [YAMLEntry] = []
    for text in overrides {
      guard let entry = entry(text), let one = self.document(entry) else { continue }
      let name = one.name ?? all.name
      all = all.overlaid(by: one, overlay)
      all.name = name
      fixed.append(entry)
    }
    var result = document.overlaid(by: all, overlay)
    result.name = all.name ?? document.name
    for entry in fixed { release(entry, in: &result, sweptByOverride: all.sweep) }
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
    for path in given where document.sweep[path] != nil && sweptByOverride[path] == nil {
      document.sweep[path] = nil
      log.warning(entry.keyPosition, "'\(path)' is swept by the scenario; now it has one value")
    }
  }

  private func entry(_ text: String) -> YAMLEntry? {
    let name = "--set \(text)"
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
    let source = SourceText(String(parts[1]), name: name, layer: -1, hasLines: false)
    guard let value = YAMLNode.parse(source, log: log) else { return nil }
    guard !value.isNull else {
      log.error(place, "has no value after '='")
      return nil
    }
    return YAMLEntry(key: path, keyPosition: place, value: value)
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
      hint: nearestWord(to: head, among: known).didYouMean
        ?? "a path starts with one of \(known.joined(separator: ", "))")
  }
}
