/// A value of a YAML text with the place where it was written.
struct YAMLNode: Sendable {
  enum Content: Sendable {
    /// Nothing after the colon, `~` or `null`.
    case null
    case scalar(String)
    case list([YAMLNode])
    case mapping(YAMLMapping)
  }

  var content: Content
  var position: SourcePosition

  var scalar: String? {
    if case .scalar(let text) = content { text } else { nil }
  }
  var list: [YAMLNode]? {
    if case .list(let nodes) = content { nodes } else { nil }
  }
  var mapping: YAMLMapping? {
    if case .mapping(let mapping) = content { mapping } else { nil }
  }
  var isNull: Bool {
    if case .null = content { true } else { false }
  }

  /// For "got ..." in messages.
  var summary: String {
    switch content {
    case .null: "nothing"
    case .scalar(let text): text.count <= 60 ? "'\(text)'" : "'\(text.prefix(60))...'"
    case .list(let nodes): nodes.isEmpty ? "an empty list" : "a list"
    case .mapping: "a mapping"
    }
  }

  /// The value on one line, as flow YAML without quotes: equal values give equal texts, whatever the order of keys.
  var flowText: String {
    switch content {
    case .null: "null"
    case .scalar(let text): text
    case .list(let nodes): "[" + nodes.map(\.flowText).joined(separator: ", ") + "]"
    case .mapping(let mapping):
      "{"
        + mapping.entries.map { "\($0.key): \($0.value.flowText)" }.sorted()
        .joined(separator: ", ") + "}"
    }
  }
}

/// A key with its value, both with their places.
struct YAMLEntry: Sendable {
  var key: String
  var keyPosition: SourcePosition
  var value: YAMLNode
}

/// The entries of a mapping in the order of the file; keys are unique.
struct YAMLMapping: Sendable {
  var entries: [YAMLEntry] = []

  subscript(_ key: String) -> YAMLEntry? {
    get { entries.first { $0.key == key } }
    set {
      let index = entries.firstIndex { $0.key == key }
      switch (index, newValue) {
      case (let index?, let entry?): entries[index] = entry
      case (let index?, nil): entries.remove(at: index)
      case (nil, let entry?): entries.append(entry)
      case (nil, nil): break
      }
    }
  }

  /// The value below a path of keys, if every step of it is a mapping.
  func node(at path: some Collection<String>) -> YAMLNode? {
    guard let first = path.first, let value = self[first]?.value else { return nil }
    let rest = path.dropFirst()
    return rest.isEmpty ? value : value.mapping?.node(at: Array(rest))
  }

  /// The part that a section names.
  var type: String? { self["type"]?.value.scalar }

  /// This mapping with another laid over it: mappings are merged key by key, everything else is replaced.
  func overlaid(by upper: YAMLMapping) -> YAMLMapping {
    var result = self
    for entry in upper.entries {
      guard let below = self[entry.key] else {
        result[entry.key] = entry
        continue
      }
      switch (below.value.content, entry.value.content) {
      case (.mapping(let lower), .mapping(let upper)):
        var merged = entry
        merged.value.content = .mapping(lower.overlaid(by: upper))
        result[entry.key] = merged
      case (.mapping, .null): break
      default: result[entry.key] = entry
      }
    }
    return result
  }

  /// The values below this mapping that are no mappings, by their full key (`fit.drops`), without the `type`.
  var leaves: [String: YAMLEntry] {
    var result: [String: YAMLEntry] = [:]
    collectLeaves(below: "", into: &result)
    result["type"] = nil
    return result
  }

  private func collectLeaves(below prefix: String, into result: inout [String: YAMLEntry]) {
    for entry in entries {
      if let below = entry.value.mapping {
        below.collectLeaves(below: "\(prefix)\(entry.key).", into: &result)
      } else {
        result[prefix + entry.key] = entry
      }
    }
  }

  /// This mapping without some of its ``leaves``, and without the mappings that they leave empty.
  func removing(_ keys: Set<String>, below prefix: String = "") -> YAMLMapping {
    var result = YAMLMapping()
    for var entry in entries where !keys.contains(prefix + entry.key) {
      if let below = entry.value.mapping {
        let rest = below.removing(keys, below: "\(prefix)\(entry.key).")
        if rest.entries.isEmpty && !below.entries.isEmpty { continue }
        entry.value.content = .mapping(rest)
      }
      result.entries.append(entry)
    }
    return result
  }
}
