import Parts

/// What the text of a resolved scenario says, without reading it against the parts: results of other builds too.
public enum ScenarioText {
  /// The values by their path, `pilots.snr_db` or `run.drops`, as they are written; a section by itself has the name of its part,
  /// or what that chooses (`codec` is `crnet` for `{type: network, network: crnet}`), and swept values stand below `sweep.`.
  ///
  /// - Returns: nothing for a text that is no scenario.
  public static func settings(_ yaml: String) -> [String: String] {
    let source = SourceText(yaml, name: "scenario", layer: 0)
    guard let root = YAMLNode.parse(source, log: DiagnosticLog())?.mapping else { return [:] }
    var settings: [String: String] = [:]
    for entry in root.entries {
      guard let mapping = entry.value.mapping else { continue }
      switch entry.key {
      case "link":
        for section in mapping.entries { add(section, below: section.key, to: &settings) }
      case "sweep":
        for axis in mapping.entries { settings["sweep.\(axis.key)"] = axis.value.flowText }
      default: add(entry, below: entry.key, to: &settings)
      }
    }
    return settings
  }

  /// The parts that a sweep lists as mappings, by section, label and key: `["quantizer": ["uniform bits=4": ["type": "uniform", "bits": "4"]]]`.
  ///
  /// - Returns: nothing for a text that is no scenario.
  public static func listedParts(_ yaml: String) -> [String: [String: [String: String]]] {
    let source = SourceText(yaml, name: "scenario", layer: 0)
    guard let root = YAMLNode.parse(source, log: DiagnosticLog())?.mapping,
      let sweep = root["sweep"]?.value.mapping
    else { return [:] }
    let groups = sweep[SweepReader.zip].map { $0.value.list ?? [$0.value] } ?? []
    let zipped = groups.flatMap { $0.mapping?.entries ?? [] }
    var parts: [String: [String: [String: String]]] = [:]
    for axis in sweep.entries + zipped {
      for part in axis.value.list?.compactMap(\.mapping) ?? [] {
        guard let label = part["label"]?.value.scalar, let type = part.type else { continue }
        let settings = part.leaves.mapValues { $0.value.flowText }
        parts[axis.key, default: [:]][label] = settings.merging(["type": type]) { $1 }
      }
    }
    return parts
  }

  private static func add(
    _ section: YAMLEntry, below path: String, to settings: inout [String: String]
  ) {
    guard let mapping = section.value.mapping else {
      settings[path] = section.value.flowText
      return
    }
    let leaves = mapping.leaves
    for (key, leaf) in leaves { settings["\(path).\(key)"] = leaf.value.flowText }
    guard let type = mapping.type else { return }
    settings[path] = leaves[type]?.value.scalar ?? type
  }
}
