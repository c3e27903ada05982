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
  /// Axes of one group advance together; nil for an axis of its own.
  var group: Int?
}

extension [Axis] {
  /// For each step of the sweep the place of each axis among its values; the first axis varies slowest, those of a group
  /// advance together.
  var combinations: [[Int]] {
    // One dimension for each group and each other axis, where the first of its axes stands.
    var dimensions: [(length: Int, axes: [Int])] = []
    for (index, axis) in enumerated() {
      if let group = axis.group,
        let place = dimensions.firstIndex(where: { self[$0.axes[0]].group == group })
      {
        dimensions[place].axes.append(index)
      } else {
        dimensions.append((axis.values.count, [index]))
      }
    }
    return Counter(dimensions.map(\.length)).map { choice in
      var combination = map { _ in 0 }
      for (dimension, place) in zip(dimensions, choice) {
        for axis in dimension.axes { combination[axis] = place }
      }
      return combination
    }
  }
}

/// Reads the `sweep:` section into axes.
struct SweepReader {
  static let pointLimit = 100_000

  let catalogue: PartRegistry
  let log: DiagnosticLog

  func axes(_ sweep: YAMLMapping) -> [Axis] {
    let axes = sweep.entries.flatMap { entry in
      entry.key == Self.zip ? zipped(entry) : [axis(entry)].compactMap { $0 }
    }
    var paths: Set<String> = []
    for axis in axes where !paths.insert(axis.path).inserted {
      log.error(axis.place, "'\(axis.path)' is swept twice", hint: "remove one of the two")
    }
    var count = 1
    var groups: Set<Int> = []
    for axis in axes where axis.group.map({ groups.insert($0).inserted }) ?? true {
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

  /// The key of lists that advance together.
  static let zip = "zip"

  /// Lists that advance together: a mapping of them, or a list of such mappings, each a group.
  private func zipped(_ entry: YAMLEntry) -> [Axis] {
    let groups = entry.value.list ?? [entry.value]
    return groups.enumerated().flatMap { group, node -> [Axis] in
      guard let mapping = node.mapping, mapping.entries.count > 1 else {
        log.error(
          node.position, "'zip' needs lists that advance together, got \(node.summary)",
          hint: "for example zip: {codec.compression: [4, 8], quantizer.bits: [2, 4]}")
        return []
      }
      let axes = mapping.entries.compactMap { axis($0, mayRepeat: true) }
      if let first = axes.first,
        let other = axes.first(where: { $0.values.count != first.values.count })
      {
        log.error(
          other.place,
          "'\(other.path)' has \(other.values.count) values and '\(first.path)' \(first.values.count), but they advance together",
          hint:
            "give both the same number of values, or write them below 'sweep:' for all combinations"
        )
        return []
      }
      return axes.map { axis in
        var axis = axis
        axis.group = group
        return axis
      }
    }
  }

  /// - Parameter mayRepeat: whether a value may stand several times.
  private func axis(_ entry: YAMLEntry, mayRepeat: Bool = false) -> Axis? {
    let head = String(entry.key.prefix { $0 != "." })
    guard let section = Section(rawValue: head), catalogue.stageNames.contains(head) else {
      unknownSection(entry, head)
      return nil
    }
    let key = head == entry.key ? nil : String(entry.key.dropFirst(head.count + 1))
    guard let values = values(entry, of: key == nil ? section : nil) else { return nil }
    return Axis(
      path: entry.key, place: entry.keyPosition, section: section, key: key,
      values: mayRepeat ? values : distinct(values, of: entry.key))
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
