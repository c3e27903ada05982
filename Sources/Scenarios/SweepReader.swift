import Parts

/// One swept path with its values, before they are checked against a part.
struct Axis: Sendable {
  struct Value: Sendable {
    /// Cell of the result table; for whole sections settled when the parts are known.
    var text: String
    var node: YAMLNode
    /// The `label:` of an entry of a whole section.
    var label: YAMLNode?
  }

  let path: String
  let place: SourcePosition
  let section: Section
  /// Nil if the whole section is swept.
  let key: String?
  var values: [Value]
}

/// Reads the `sweep:` section into axes.
struct SweepReader {
  static let pointLimit = 100_000

  let catalogue: PartRegistry
  let log: DiagnosticLog

  func axes(_ sweep: YAMLMapping) -> [Axis] {
    let axes = sweep.entries.compactMap(axis)
    var count = 1
    for axis in axes {
      let (product, overflow) = count.multipliedReportingOverflow(by: axis.values.count)
      guard !overflow, product <= Self.pointLimit else {
        log.error(
          axis.place, "the sweep has more than \(Self.pointLimit) combinations",
          hint: "split it over several scenarios with a common 'extends:'")
        return []
      }
      count = product
    }
    return axes
  }

  private func axis(_ entry: YAMLEntry) -> Axis? {
    let head = String(entry.key.prefix { $0 != "." })
    guard let section = Section(rawValue: head), catalogue.stageNames.contains(head) else {
      unknownSection(entry, head)
      return nil
    }
    let key = head == entry.key ? nil : String(entry.key.dropFirst(head.count + 1))
    guard let values = values(entry, of: key == nil ? section : nil) else { return nil }
    return Axis(
      path: entry.key, place: entry.keyPosition, section: section, key: key,
      values: distinct(values, of: entry.key))
  }

  private func unknownSection(_ entry: YAMLEntry, _ head: String) {
    let known = catalogue.stageNames
    let hint =
      switch head {
      case "link": "write '\(entry.key.dropFirst(5))', without 'link.'"
      case _ where head == "preset" || Section.besides.contains { $0.rawValue == head }:
        "only keys of the link can be swept"
      default:
        nearestWord(to: head, among: known).didYouMean
          ?? "a swept path starts with one of \(known.joined(separator: ", "))"
      }
    log.error(entry.keyPosition, "cannot sweep '\(entry.key)'", hint: hint)
  }

  /// - Parameter section: nil if a key is swept, not a whole section.
  private func values(_ entry: YAMLEntry, of section: Section?) -> [Axis.Value]? {
    switch entry.value.content {
    case .list(let nodes) where !nodes.isEmpty: return nodes.compactMap { value($0, of: section) }
    case .scalar: return [value(entry.value, of: section)].compactMap { $0 }
    case .mapping(let mapping) where section == nil:
      return range(mapping, at: entry.value.position)
    default:
      log.error(
        entry.value.isNull ? entry.keyPosition : entry.value.position,
        "'\(entry.key)' needs values to sweep, got \(entry.value.summary)",
        hint: section != nil
          ? "a list such as [a, {type: b, ...}]"
          : "a list such as [1, 2, 4] or a range such as {from: -5, to: 40, step: 5}")
      return nil
    }
  }

  /// A value of a key, or an entry of a swept section: a word or a mapping, which may carry a label; nil after a complaint.
  private func value(_ node: YAMLNode, of section: Section?) -> Axis.Value? {
    guard let section else { return Axis.Value(text: node.flowText, node: node) }
    let documents = DocumentReader(catalogue: catalogue, log: log)
    guard let whole = documents.sectionMapping(node, name: "an entry of '\(section)'") else {
      return nil
    }
    var mapping = documents.nested(whole)
    let label = mapping["label"]?.value
    mapping["label"] = nil
    if let label, label.scalar?.isEmpty ?? true {
      log.error(label.position, "a label must be a text, got \(label.summary)")
    }
    return Axis.Value(
      text: node.flowText,
      node: YAMLNode(
        content: .mapping(catalogue.withImpliedType(mapping, of: section)), position: node.position),
      label: label)
  }

  private func range(_ mapping: YAMLMapping, at place: SourcePosition) -> [Axis.Value]? {
    let roles = ["from", "to", "step"]
    for entry in mapping.entries where !roles.contains(entry.key) {
      log.error(
        entry.keyPosition, "a range has no '\(entry.key)'",
        hint: nearestWord(to: entry.key, among: roles).didYouMean
          ?? "write {from: -5, to: 40, step: 5}, or a list in brackets")
      return nil
    }
    var texts: [String] = []
    for role in roles {
      guard let text = mapping[role]?.value.scalar else {
        log.error(
          mapping[role]?.value.position ?? place, "a range needs a number '\(role)'",
          hint: "write {from: -5, to: 40, step: 5}")
        return nil
      }
      texts.append(text)
    }
    do {
      let range = try DecimalRange(
        from: texts[0], to: texts[1], step: texts[2], limit: Self.pointLimit)
      if !range.reachesEnd, let last = range.texts.last {
        log.warning(place, "the range ends at \(last); its step does not lead to \(texts[1])")
      }
      return range.texts.map {
        Axis.Value(text: $0, node: YAMLNode(content: .scalar($0), position: place))
      }
    } catch {
      log.error(place, error.message, hint: error.hint)
      return nil
    }
  }

  /// Leaves out repeated values.
  private func distinct(_ values: [Axis.Value], of path: String) -> [Axis.Value] {
    var seen: Set<String> = []
    return values.filter { value in
      // A label alone makes no other operating point.
      let isNew = seen.insert(value.node.flowText).inserted
      if !isNew {
        log.warning(
          value.node.position, "'\(path)' has the value \(value.text) twice; it is used once")
      }
      return isNew
    }
  }
}
