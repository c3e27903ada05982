import Parts

/// One section read against the schema of its part.
struct SectionReading: Sendable {
  let part: PartSchema?
  /// Nil if something was wrong with the section.
  let settings: Settings?
  /// Where the section, and every key that was given, is written.
  let place: SourcePosition
  let places: [String: SourcePosition]
  /// Where the values of each list are written.
  let elements: [String: [SourcePosition]]
  /// The swept keys that the part knows.
  let appliedKeys: Set<String>

  /// Where a key, or a value of its list, is written; the section if the key is not.
  func place(of key: String, _ element: Int?) -> SourcePosition {
    if let element, let elements = elements[key], elements.indices.contains(element) {
      return elements[element]
    }
    return places[key] ?? place
  }

  /// The files that the value of a key names, in their order.
  func files(of key: String) -> [String] {
    guard let kind = part?.parameter(key)?.kind, let setting = settings?.values[key] else {
      return []
    }
    return kind.files(setting)
  }
}

/// A parameter with the value that the sweep gives it.
struct SweptValue {
  let key: String
  let keyPosition: SourcePosition
  let value: YAMLNode
}

/// Reads a section: chooses the part, parses every value by the kind of its parameter, fills in defaults.
struct SectionReader {
  let catalogue: PartRegistry
  let log: DiagnosticLog

  /// - Parameters:
  ///   - mapping: the section after merging, nil if the scenario does not mention it.
  ///   - place: where the section is written, or where its absence is reported.
  ///   - swept: values that win over those of the mapping; keys that the part lacks are left out.
  func read(
    _ section: Section, _ mapping: YAMLMapping?, at place: SourcePosition, swept: [SweptValue]
  ) -> SectionReading {
    guard let part = part(of: section, mapping, at: place) else {
      return SectionReading(
        part: nil, settings: nil, place: place, places: [:], elements: [:], appliedKeys: [])
    }
    var values = GivenValues()
    let isComplete = collect(mapping ?? YAMLMapping(), below: "", of: part, into: &values)
    let applied = swept.filter { part.parameter($0.key) != nil }
    var isValid = isComplete
    for (key, node) in values.nodes {
      isValid = parse(node, key, of: part, into: &values) && isValid
    }
    for value in applied {
      values.note(value.value, of: value.key)
      isValid = parse(value.value, value.key, of: part, into: &values) && isValid
    }
    isValid = reportMissing(part, values, at: place) && isValid
    return SectionReading(
      part: part, settings: isValid ? try? part.settings(values.settings) : nil, place: place,
      places: values.places, elements: values.elements,
      appliedKeys: Set(applied.map(\.key)))
  }

  private struct GivenValues {
    var nodes: [String: YAMLNode] = [:]
    var settings: [String: Setting] = [:]
    private(set) var places: [String: SourcePosition] = [:]
    private(set) var elements: [String: [SourcePosition]] = [:]

    /// Notes where the value of a key is written.
    mutating func note(_ value: YAMLNode, of key: String) {
      places[key] = value.position
      elements[key] = value.list?.map(\.position)
    }
  }

  /// The part that a section names, or its default.
  private func part(of section: Section, _ mapping: YAMLMapping?, at place: SourcePosition)
    -> PartSchema?
  {
    let names = catalogue.parts(of: section).map(\.name)
    let known = "known: \(names.joined(separator: ", "))"
    guard let type = mapping?["type"]?.value else {
      if let part = catalogue.defaultPart(of: section) { return part }
      log.error(
        place, mapping == nil ? "the link has no \(section)" : "\(section) needs a 'type'",
        hint: "\(known); for example '\(section): \(names[0])'")
      return nil
    }
    if let name = type.scalar, let part = catalogue.part(name, of: section) { return part }
    log.error(
      type.position, "unknown \(section) \(type.summary); \(known)",
      hint: type.scalar.flatMap { word in
        choice(word, of: section) ?? nearestWord(to: word, among: names).didYouMean
      })
    return nil
  }

  /// What a word that is no part was meant for: a part or a value in other capitals, or a value of a part's key, as in
  /// `codec: crnet` for `codec: {network: crnet}` and `channel: umi` for `channel: {type: tr38901, scenario: umi}`.
  private func choice(_ word: String, of section: Section) -> String? {
    let parts = catalogue.parts(of: section)
    let lower = word.lowercased()
    if let part = parts.first(where: { $0.name.lowercased() == lower }) {
      return "write '\(section): \(part.name)'"
    }
    if let part = parts.first(where: {
      $0.parameter($0.name)?.kind.accepts(.text(word)) ?? false
    }) {
      // Settings behind a name need quotes of their own.
      return word.contains("{")
        ? "write \(section): {\(part.name): '\(word)'}"
        : "write '\(section): {\(part.name): \(word)}'"
    }
    // The key that is called as its part comes first.
    let keys = parts.flatMap { part in
      part.parameters.sorted { ($0.key == part.name ? 0 : 1) < ($1.key == part.name ? 0 : 1) }
        .map { (part, $0) }
    }
    for (part, key) in keys {
      guard let value = key.kind.word(like: lower) else { continue }
      return key.key == part.name
        ? "write '\(section): {\(key.key): \(value)}'"
        : "write '\(section): {type: \(part.name), \(key.key): \(value)}'"
    }
    return joined(lower, parts)
  }

  /// What `tdl-a` or `CDL C` was meant for: a part and a value of one of its keys in one word.
  private func joined(_ lower: String, _ parts: [PartSchema]) -> String? {
    let flat = lower.filter { $0.isLetter || $0.isNumber }
    for part in parts where flat.count > part.name.count && flat.hasPrefix(part.name) {
      let rest = String(flat.dropFirst(part.name.count))
      for key in part.parameters {
        guard let value = key.kind.word(like: rest) else { continue }
        return "write '\(part.section): {type: \(part.name), \(key.key): \(value)}'"
      }
    }
    return nil
  }

  /// Collects the values below a mapping by the full key of their parameter; false after a complaint.
  private func collect(
    _ mapping: YAMLMapping, below prefix: String, of part: PartSchema,
    into values: inout GivenValues
  ) -> Bool {
    var isComplete = true
    for entry in mapping.entries where prefix + entry.key != "type" {
      let key = prefix + entry.key
      let longer = part.parameters.filter { $0.key.hasPrefix(key + ".") }
      if !longer.isEmpty, let below = entry.value.mapping {
        isComplete = collect(below, below: key + ".", of: part, into: &values) && isComplete
      } else if part.parameter(key) != nil {
        values.nodes[key] = entry.value
        values.note(entry.value, of: key)
      } else if !longer.isEmpty {
        isComplete = false
        log.error(
          entry.value.position,
          "\(part.section).\(key) must be a mapping, got \(entry.value.summary)",
          hint: "its keys: \(longer.map(\.key).joined(separator: ", "))")
      } else {
        isComplete = false
        unknownKey(key, of: [part], at: entry.keyPosition)
      }
    }
    return isComplete
  }

  /// Complains about a key that none of the parts has.
  func unknownKey(_ key: String, of parts: [PartSchema], at position: SourcePosition) {
    let section = parts[0].section
    let keys = parts.flatMap { $0.parameters.map(\.key) }
    let others = catalogue.parts(of: section).filter { $0.parameter(key) != nil }.map(\.name)
    let hint =
      !others.isEmpty
      ? "'\(key)' belongs to \(others.joined(separator: ", "))"
      : catalogue.isChoice(key, of: section)
        ? "'\(key)' has no value: write '\(section): \(key)'"
        : nearestWord(to: key, among: keys).didYouMean
          ?? (keys.isEmpty ? "it has no keys" : "known keys: \(keys.joined(separator: ", "))")
    let names = parts.map { "'\($0.name)'" }.joined(separator: ", ")
    log.error(position, "\(section) \(names) has no key '\(key)'", hint: hint)
  }

  private func parse(
    _ node: YAMLNode, _ key: String, of part: PartSchema, into values: inout GivenValues
  ) -> Bool {
    guard let parameter = part.parameter(key) else { return false }
    if let setting = parameter.kind.setting(from: node) {
      values.settings[key] = setting
      return true
    }
    let (culprit, kind) = parameter.kind.culprit(in: node)
    let expectation = parameter.kind.expectation
    let isElement = culprit.position != node.position
    log.error(
      culprit.position,
      "\(part.section).\(key) must be \(expectation), got \(kind.found(culprit))"
        + (isElement ? " in the list" : ""),
      hint: hint(for: culprit, kind, key, of: part))
    return false
  }

  private func hint(for node: YAMLNode, _ kind: ValueKind, _ key: String, of part: PartSchema)
    -> String?
  {
    switch (kind, node.content) {
    case (.choice(let words), .scalar(let word)), (.name(let words), .scalar(let word)):
      nearestWord(to: word, among: words).didYouMean
    case (.name, .mapping(let mapping)) where mapping.entries.contains { $0.key.contains("{") }:
      "a name with settings needs quotes, as in 'acrnet {binary: encoder}'"
    case (.list, .scalar(let text)):
      "write it as [\(text.contains(",") ? text : text.split(separator: " ").joined(separator: ", "))]"
    case (.integer, .scalar(let text)) where text.hasPrefix("1/") && Int(text.dropFirst(2)) != nil:
      "write \(text.dropFirst(2)) for 1/\(text.dropFirst(2))"
    // Of the wrong number of values, none of them wrong.
    case (.list, .list): nil
    case (_, .list(let nodes)):
      sweepHint("[\(nodes.map(\.flowText).joined(separator: ", "))]", key, part, node)
    case (_, .scalar(let text)) where DecimalRange.matlab(text) != nil:
      sweepHint(DecimalRange.matlab(text)!, key, part, node)
    case (_, .scalar(let text)) where kind.values(between: text) != nil:
      sweepHint("[\(kind.values(between: text)!)]", key, part, node)
    case (_, .scalar(let text)):
      kind.quantity.flatMap { dimension, range in
        dimension.hint(
          for: text, in: range, near: part.parameter(key)?.usualNumber)
      }
    default: nil
    }
  }

  /// How to compare several values: below `sweep:`, or on the command line.
  private func sweepHint(_ values: String, _ key: String, _ part: PartSchema, _ node: YAMLNode)
    -> String
  {
    let path = "\(part.section).\(key)"
    return node.position.source.hasLines
      ? "to compare several values, write '\(path): \(values)' below 'sweep:'"
      : "to compare several values, write --set 'sweep.\(path)=\(values)'"
  }

  /// Complains about required keys that nobody gave; false if there are any.
  private func reportMissing(_ part: PartSchema, _ values: GivenValues, at place: SourcePosition)
    -> Bool
  {
    let missing = part.problems(values.settings).filter { values.places[$0.key] == nil }
    for problem in missing {
      log.error(
        place, "\(part.section).\(problem.key) \(problem.reason)",
        hint: problem.hint ?? part.parameter(problem.key)?.documentation)
    }
    return missing.isEmpty
  }
}

extension ParameterDeclaration {
  /// A number of usual size in the base unit: the default.
  fileprivate var usualNumber: Double? {
    guard case .value(let setting) = absence else { return nil }
    return setting.asNumber
  }
}

extension ValueKind {
  /// What a number of this kind measures, and its range; nil if it takes none.
  fileprivate var quantity: (Dimension, ClosedRange<Double>)? {
    switch self {
    case .number(let dimension, let range): (dimension, range)
    case .either(let kinds): kinds.lazy.compactMap(\.quantity).first
    default: nil
    }
  }

  /// The values of this kind that a text has with commas between them, as a list would; nil for a single one and for others.
  fileprivate func values(between text: String) -> String? {
    let values = text.split(separator: ",", omittingEmptySubsequences: false)
      .map { $0.drop { $0 == " " } }
    guard values.count > 1, values.allSatisfy({ parse(String($0)) != nil }) else { return nil }
    return values.joined(separator: ", ")
  }

  /// The word of a choice that is equal but for capitals.
  fileprivate func word(like lower: String) -> String? {
    switch self {
    case .choice(let words), .name(let words): words.first { $0.lowercased() == lower }
    case .list(let element, _): element.word(like: lower)
    case .either(let kinds): kinds.lazy.compactMap { $0.word(like: lower) }.first
    default: nil
    }
  }

  /// The setting that a YAML value stands for, or nil if it does not fit the kind.
  func setting(from node: YAMLNode) -> Setting? {
    switch (self, node.content) {
    case (.list(let element, let count), .list(let nodes)):
      let settings = nodes.compactMap { element.setting(from: $0) }
      return settings.count == nodes.count && count.contains(nodes.count) ? .list(settings) : nil
    case (.either(let kinds), _): return kinds.lazy.compactMap { $0.setting(from: node) }.first
    case (.file, .scalar(let text)) where !text.isEmpty:
      // A file that an extended scenario names is found from that scenario's folder.
      return .text(text.relative(to: node.position.source.folder))
    case (_, .scalar(let text)): return parse(text)
    default: return nil
    }
  }

  /// What stands there; of a list where one is expected, its length is what is wrong.
  fileprivate func found(_ node: YAMLNode) -> String {
    guard case .list = self, let nodes = node.list, !nodes.isEmpty else { return node.summary }
    return "\(nodes.count)"
  }

  /// The innermost value that does not fit, with the kind it should have.
  fileprivate func culprit(in node: YAMLNode) -> (YAMLNode, ValueKind) {
    guard case .list(let element, _) = self,
      let bad = node.list?.first(where: { element.setting(from: $0) == nil })
    else { return (node, self) }
    return element.culprit(in: bad)
  }
}
