import Parts

/// Expands a merged document into operating points.
///
/// A section is read once per combination of the axes that touch it, so a sweep over one section does not reread the
/// others: the points are then put together from these readings.
struct SweepExpansion {
  struct Result {
    var axes: [SweepAxis]
    var points: [OperatingPoint]
    var sources: ScenarioSources
  }

  let catalogue: PartRegistry
  let log: DiagnosticLog
  let document: ScenarioDocument
  let axes: [Axis]

  private var place: SourcePosition { document.linkPosition ?? document.position }
  private var reader: SectionReader { SectionReader(catalogue: catalogue, log: log) }

  /// - Throws: ``ScenarioErrors`` with everything found so far, this expansion and before.
  func expand() throws(ScenarioErrors) -> Result {
    let stages = catalogue.sections.filter { Section.stages.contains($0) }
    let tables = stages.map { table($0) }
    for table in tables { checkBase(table) }
    for (index, axis) in axes.enumerated() { checkKey(axis, index, tables) }
    let named = axes.indices.map { labelled($0, tables) }
    let besides = Section.besides.map { ($0, single($0)) }
    try log.throwErrors()
    var result = points(tables, named)
    for (section, reading) in besides { result.sources.readings[section] = reading.map { [$0] } }
    return result
  }

  /// The readings of one section for every combination of the axes that touch it.
  private struct Table {
    let section: Section
    /// Indices of the axes that touch the section; the last one varies fastest.
    let axes: [Int]
    let lengths: [Int]
    var readings: [SectionReading]

    /// The position in `readings` of a combination of all axes.
    func row(_ combination: [Int]) -> Int {
      zip(axes, lengths).reduce(0) { $0 * $1.1 + combination[$1.0] }
    }
  }

  private func table(_ section: Section) -> Table {
    let touching = axes.indices.filter { axes[$0].section == section }
    let lengths = touching.map { axes[$0].values.count }
    let readings = Counter(lengths).map { reading(section, touching, $0) }
    return Table(section: section, axes: touching, lengths: lengths, readings: readings)
  }

  private func reading(_ section: Section, _ touching: [Int], _ choice: [Int]) -> SectionReading {
    let entry = document.sections[section.rawValue]
    var mapping = entry?.value.mapping
    var position =
      entry.map { $0.value.mapping?["type"]?.value.position ?? $0.keyPosition } ?? place
    var swept: [SweptValue] = []
    for (index, i) in zip(touching, choice) {
      let (axis, value) = (axes[index], axes[index].values[i])
      if let key = axis.key {
        swept.append(SweptValue(key: key, keyPosition: axis.place, value: value.node))
      } else if let upper = value.node.mapping {
        mapping = mapping.map { self.entry(upper, over: $0, section) } ?? upper
        position = value.node.position
      }
    }
    if mapping?["type"] == nil,
      let named = swept.first(where: { catalogue.isChoice($0.key, of: section) })
    {
      // A swept key implies the part as one in the mapping does.
      let type = YAMLNode(content: .scalar(named.key), position: named.keyPosition)
      if mapping == nil { position = named.keyPosition }
      mapping = mapping ?? YAMLMapping()
      mapping?["type"] = YAMLEntry(key: "type", keyPosition: named.keyPosition, value: type)
    }
    return reader.read(section, mapping, at: position, swept: swept)
  }

  /// An entry of a swept section laid over what the link says of the section: keys that only some of the swept parts have
  /// hold for these; ``checkBase(_:)`` reports those that hold for none.
  private func entry(_ upper: YAMLMapping, over lower: YAMLMapping, _ section: Section)
    -> YAMLMapping
  {
    var lower = lower
    if let change = PartChange(of: lower, to: upper, in: section, catalogue) {
      lower = lower.removing(change.lost)
      if let key = change.ambiguous.first {
        log.warning(
          lower["type"]?.value.position ?? place,
          "\(change.ambiguous.quotedList) of \(section) '\(change.old.name)' means something else for the swept '\(change.new.name)' and is not used there",
          hint: "write '{type: \(change.new.name), \(key): ...}' below 'sweep:'")
      }
    }
    let name = upper.type ?? lower.type
    let part =
      name.map { catalogue.part($0, of: section) } ?? catalogue.defaultPart(of: section)
    if let part { lower = lower.removing(Set(lower.leaves.keys.filter { !part.knows($0) })) }
    return lower.overlaid(by: upper)
  }

  /// What the link says of a section that is swept as a whole must be a key of at least one of the swept parts.
  private func checkBase(_ table: Table) {
    let section = table.section
    guard table.axes.contains(where: { axes[$0].key == nil }),
      let base = document.sections[section.rawValue]?.value.mapping
    else { return }
    var parts: [PartSchema] = []
    for part in table.readings.map(\.part) {
      guard let part else { return }
      if !parts.contains(where: { $0.name == part.name }) { parts.append(part) }
    }
    let own = base.type.flatMap { catalogue.part($0, of: section) }
    for (key, leaf) in base.leaves where !leaf.value.position.source.isPreset {
      if parts.contains(where: { $0.knows(key) }) { continue }
      if let own, own.knows(key) {
        log.warning(
          leaf.keyPosition,
          "'\(section).\(key)' of '\(own.name)' has no effect: none of the swept parts has it",
          hint: "remove it, or add '\(own.name)' to 'sweep: {\(section): ...}'")
      } else {
        reader.unknownKey(key, of: parts, at: leaf.keyPosition)
      }
    }
  }

  private func single(_ section: Section) -> SectionReading? {
    let entry = document.sections[section.rawValue]
    // A scenario that does not speak of training has none.
    if section == .training, entry == nil { return nil }
    guard !catalogue.parts(of: section).isEmpty else {
      if let entry { log.error(entry.keyPosition, "'\(section)' has no settings here") }
      return nil
    }
    return reader.read(
      section, entry?.value.mapping, at: entry?.keyPosition ?? document.position, swept: [])
  }

  /// A swept key must belong to the part of at least one point.
  private func checkKey(_ axis: Axis, _ index: Int, _ tables: [Table]) {
    guard let key = axis.key, let table = tables.first(where: { $0.axes.contains(index) })
    else { return }
    var parts: [PartSchema] = []
    for reading in table.readings {
      if reading.appliedKeys.contains(key) { return }
      if let part = reading.part, !parts.contains(where: { $0.name == part.name }) {
        parts.append(part)
      }
    }
    if !parts.isEmpty { reader.unknownKey(key, of: parts, at: axis.place) }
  }

  private func points(_ tables: [Table], _ named: [SweepAxis]) -> Result {
    var result = Result(
      axes: named, points: [],
      sources: ScenarioSources(readings: [:], variants: [], axes: axes, place: place))
    var seen: Set<[Int]> = []
    var variants = tables.map { _ in [Settings: Int]() }
    for combination in axes.combinations {
      let readings = tables.map { $0.readings[$0.row(combination)] }
      let choice = applied(combination, tables, readings)
      guard seen.insert(choice).inserted else { continue }
      var settings: [Section: Settings] = [:]
      var variant: [Int] = []
      for (t, reading) in readings.enumerated() {
        guard let value = reading.settings else { continue }
        let section = tables[t].section
        settings[section] = value
        if variants[t][value] == nil {
          variants[t][value] = variants[t].count
          result.sources.readings[section, default: []].append(reading)
        }
        variant.append(variants[t][value] ?? 0)
      }
      result.sources.variants.append(variant)
      let coordinates = zip(choice, named).map { i, axis in i < 0 ? nil : axis.values[i] }
      result.points.append(
        OperatingPoint(
          index: result.points.count, coordinates: coordinates, settings: settings))
    }
    return result
  }

  /// The combination with -1 for axes that the part at this point does not know.
  private func applied(_ combination: [Int], _ tables: [Table], _ readings: [SectionReading])
    -> [Int]
  {
    var result = combination
    for (table, reading) in zip(tables, readings) {
      for index in table.axes {
        if let key = axes[index].key, !reading.appliedKeys.contains(key) { result[index] = -1 }
      }
    }
    return result
  }
}

extension SweepExpansion {
  /// The axis with the texts of its values; entries of a whole section are called after their part or label.
  private func labelled(_ index: Int, _ tables: [Table]) -> SweepAxis {
    let axis = axes[index]
    guard axis.key == nil, let table = tables.first(where: { $0.axes.contains(index) }) else {
      return SweepAxis(path: axis.path, values: axis.values.map(\.text))
    }
    var combination = Array(repeating: 0, count: axes.count)
    let names = axis.values.indices.map { i in
      combination[index] = i
      return name(table.readings[table.row(combination)], of: table) ?? axis.values[i].text
    }
    let texts = zip(names, axis.values).map { name, value in
      value.label?.scalar ?? distinguished(name, value, among: zip(names, axis.values))
    }
    var owner: [String: Axis.Value] = [:]
    for (text, value) in zip(texts, axis.values) {
      let other = owner.updateValue(value, forKey: text)
      // The same entry may stand several times in lists that advance together.
      if let other, axis.group == nil || other.node.flowText != value.node.flowText {
        log.error(
          value.label?.position ?? value.node.position,
          "two entries of '\(axis.path)' are called '\(text)'",
          hint: "give one of them another 'label:'")
      }
    }
    return SweepAxis(path: axis.path, values: texts)
  }

  /// What an entry is called: its part, or for `{network: crnet}` the value, unless that is swept by itself.
  private func name(_ reading: SectionReading, of table: Table) -> String? {
    guard let part = reading.part else { return nil }
    let isSwept = table.axes.contains { axes[$0].key == part.name }
    guard !isSwept, case .text(let name)? = reading.settings?.values[part.name] else {
      return part.name
    }
    return name
  }

  /// The name of an entry; where a part comes several times, with the keys in which its entries differ.
  private func distinguished(
    _ name: String, _ value: Axis.Value, among all: Zip2Sequence<[String], [Axis.Value]>
  ) -> String {
    let rivals = Set(
      all.filter { $0.0 == name && $0.1.label == nil }.map { leaves($0.1.node) })
    guard rivals.count > 1 else { return name }
    let mine = leaves(value.node)
    let telling = mine.filter { key, text in rivals.contains { $0[key] != text } }
    return ([name] + telling.keys.sorted().map { "\($0)=\(mine[$0] ?? "")" })
      .joined(separator: " ")
  }

  /// The values below a mapping by their full key.
  private func leaves(_ node: YAMLNode) -> [String: String] {
    var result: [String: String] = [:]
    for entry in node.mapping?.entries ?? [] where entry.key != "type" {
      if entry.value.mapping == nil {
        result[entry.key] = entry.value.flowText
      } else {
        for (key, text) in leaves(entry.value) { result["\(entry.key).\(key)"] = text }
      }
    }
    return result
  }
}

/// Counts through all combinations of indices, the last one fastest; no lengths give one empty combination.
struct Counter: Sequence, IteratorProtocol {
  private let lengths: [Int]
  private var upcoming: [Int]?

  init(_ lengths: [Int]) {
    self.lengths = lengths
    upcoming = lengths.contains(0) ? nil : lengths.map { _ in 0 }
  }

  mutating func next() -> [Int]? {
    guard let current = upcoming else { return nil }
    var following = current
    upcoming = nil
    for i in lengths.indices.reversed() {
      following[i] += 1
      if following[i] < lengths[i] {
        upcoming = following
        break
      }
      following[i] = 0
    }
    return current
  }
}
