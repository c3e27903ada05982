import Parts
import Yams

extension Scenario {
  /// The resolved scenario as a scenario file: extended files, presets and overrides merged, every default written out.
  ///
  /// Reading it from the same folder gives a scenario with the same points and the same ``canonical`` text.
  ///
  /// - Throws: if the emitter fails, which valid texts do not cause.
  public func resolvedYAML() throws -> String {
    var top: [(Node, Node)] = [(Node("name"), .text(name))]
    if !description.isEmpty { top.append((Node("description"), .text(description))) }
    top.append((Node("link"), Node(link())))
    if !axes.isEmpty { top.append((Node("sweep"), Node(sweep()))) }
    for section in Section.besides {
      if let reading = sources.readings[section]?.first {
        top.append((Node(section.rawValue), .mapping(reading, without: [])))
      }
    }
    return try Yams.serialize(node: Node(top), width: 100, allowUnicode: true, sortKeys: false)
  }

  /// The sections that are not swept as a whole; swept keys are left to the sweep.
  private func link() -> [(Node, Node)] {
    let sweptSections = Set(sources.axes.filter { $0.key == nil }.map(\.section))
    return sources.readings.keys.sorted().compactMap { section in
      guard Section.stages.contains(section), !sweptSections.contains(section),
        let reading = sources.readings[section]?.first
      else { return nil }
      return (Node(section.rawValue), .mapping(reading, without: sweptKeys(of: section)))
    }
  }

  private func sweep() -> [(Node, Node)] {
    let grouped = sources.axes.indices.filter { sources.axes[$0].group != nil }
    let groups = Dictionary(grouping: grouped) { sources.axes[$0].group! }
    return sources.axes.indices.compactMap { index in
      if sources.axes[index].group == nil { return swept(index) }
      // All groups stand where the first of their axes does.
      guard index == grouped[0] else { return nil }
      let lists = groups.sorted { $0.key < $1.key }.map { Node($0.value.map(swept)) }
      return (Node(SweepReader.zip), Node(lists, .implicit, .block))
    }
  }

  private func swept(_ index: Int) -> (Node, Node) {
    let axis = sources.axes[index]
    let nodes = axes[index].values.indices.compactMap { i in
      // Lists that advance together keep their lengths.
      value(axis, index, i) ?? (axis.group == nil ? nil : .written(axis.values[i].node))
    }
    return (Node(axis.path), Node(nodes, .implicit, axis.key == nil ? .block : .flow))
  }

  /// One value of an axis, resolved at the first point that has it; nil if no point does.
  private func value(_ axis: Axis, _ index: Int, _ i: Int) -> Node? {
    let text = axes[index].values[i]
    guard let point = points.first(where: { $0.coordinates[index] == text }),
      let reading = sources.readings[axis.section]?.first(where: {
        $0.settings == point.settings[axis.section]
      })
    else { return nil }
    guard let key = axis.key else {
      let label = (Node("label"), Node.text(text))
      return .mapping(reading, without: sweptKeys(of: axis.section), and: [label])
    }
    guard let kind = reading.part?.parameter(key)?.kind, let setting = reading.settings?.values[key]
    else { return nil }
    // As it was written, so that the result table looks the same; but files start from the folder of this scenario.
    let node = axis.values[i].node
    return node.position.source.folder.isEmpty ? .written(node) : .setting(setting, kind)
  }

  private func sweptKeys(of section: Section) -> Set<String> {
    Set(sources.axes.filter { $0.section == section }.compactMap(\.key))
  }
}

extension YAMLNode {
  /// The value on one line of YAML that is read back as it is: what stands behind the `=` of `--set`.
  var overrideText: String {
    let text = try? Yams.serialize(node: .written(self), width: -1, allowUnicode: true)
    return text.map { String($0.prefix { $0 != "\n" }) } ?? flowText
  }
}

extension Node {
  /// A text that is read back as it is: quoted unless it is a plain word.
  fileprivate static func text(_ text: String) -> Node {
    let isWord =
      text.first?.isLetter == true && !["null", "true", "false"].contains(text.lowercased())
      && text.unicodeScalars.allSatisfy {
        $0.isASCII && ($0.properties.isAlphabetic || $0.properties.numericType != nil)
          || "-_./".unicodeScalars.contains($0)
      }
    return .scalar(Scalar(text, isWord ? .implicit : Tag(.str), isWord ? .plain : .doubleQuoted))
  }

  /// A section as a mapping from `type` to its last key; keys with dots are read back as they are.
  fileprivate static func mapping(
    _ reading: SectionReading, without swept: Set<String>, and extra: [(Node, Node)] = []
  ) -> Node {
    guard let part = reading.part, let settings = reading.settings else {
      return Node([(Node, Node)]())
    }
    var entries = [(Node("type"), Node.text(part.name))] + extra
    for parameter in part.parameters where !swept.contains(parameter.key) {
      guard let setting = settings.values[parameter.key] else { continue }
      entries.append((Node(parameter.key), .setting(setting, parameter.kind)))
    }
    return Node(entries, .implicit, .block)
  }

  /// A setting in the unit that its kind is read in.
  fileprivate static func setting(_ setting: Setting, _ kind: ValueKind) -> Node {
    switch (kind, setting) {
    case (.list(let element, _), .list(let values)):
      Node(values.map { .setting($0, element) }, .implicit, .flow)
    case (.either(let kinds), _):
      .setting(setting, kinds.first { $0.accepts(setting) } ?? .text)
    case (_, .text(let text)): .text(text)
    default: Node(kind.format(setting))
    }
  }

  /// A value as the scenario wrote it.
  fileprivate static func written(_ node: YAMLNode) -> Node {
    switch node.content {
    case .null: Node("null")
    case .scalar(let text): ExactDecimal(text) == nil ? .text(text) : Node(text)
    case .list(let nodes): Node(nodes.map { .written($0) }, .implicit, .flow)
    case .mapping(let mapping):
      Node(mapping.entries.map { (Node($0.key), .written($0.value)) }, .implicit, .flow)
    }
  }
}
