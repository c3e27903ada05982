import Parts

/// Reads scenario files: layers, schema, sweep.
///
/// The steps are in `ScenarioLayers` (extended files, presets), `OverrideReader` (`--set`), `SweepReader` and
/// `SweepExpansion` (operating points), `SectionReader` (one section against the schema of its part).
public struct ScenarioReader: Sendable {
  private let registry: PartRegistry
  /// The presets that a scenario can name.
  public let presets: [Preset]

  /// A reader that knows some parts and presets.
  public init(registry: PartRegistry, presets: [Preset] = []) {
    self.registry = registry
    self.presets = presets
  }

  /// Reads a scenario file.
  ///
  /// - Parameters:
  ///   - path: the file.
  ///   - overrides: the values of `--set`, each `path=value`; later ones win.
  ///   - origins: where overrides come from that nobody wrote, for complaints.
  /// - Returns: the scenario, and warnings about legal but suspicious input.
  /// - Throws: ``ScenarioErrors`` with everything that is wrong.
  public func read(
    _ path: String, overrides: [String] = [], origins: [String: String] = [:]
  ) throws(ScenarioErrors) -> (scenario: Scenario, warnings: [Diagnostic]) {
    let log = DiagnosticLog()
    let layers = ScenarioLayers(catalogue: registry, presets: presets, log: log)
    return try scenario(layers.document(path: path), path, overrides, layers, origins)
  }

  /// Reads a scenario from a text, as if it were in a file at `path`.
  public func read(text: String, path: String, overrides: [String] = [])
    throws(ScenarioErrors) -> (scenario: Scenario, warnings: [Diagnostic])
  {
    let log = DiagnosticLog()
    let layers = ScenarioLayers(catalogue: registry, presets: presets, log: log)
    return try scenario(layers.document(text: text, path: path), path, overrides, layers)
  }

  private func scenario(
    _ file: ScenarioDocument?, _ path: String, _ overrides: [String], _ layers: ScenarioLayers,
    _ origins: [String: String] = [:]
  ) throws(ScenarioErrors) -> (scenario: Scenario, warnings: [Diagnostic]) {
    let log = layers.log
    guard let file else {
      try log.throwErrors()
      preconditionFailure("a document is missing only after an error")
    }
    let overridden = OverrideReader(catalogue: registry, log: log, origins: origins).apply(
      overrides, to: file)
    let document = layers.addingPreset(to: overridden)
    warnAboutHiddenValues(document, log)
    let axes = SweepReader(catalogue: registry, log: log).axes(document.sweep)
    let name = name(document, path, log)
    let expansion = SweepExpansion(catalogue: registry, log: log, document: document, axes: axes)
    let result = try expansion.expand()
    let folder = path.folderPart
    let scenario = Scenario(
      name: name, description: description(document, overrides, log), path: path,
      directory: folder.count > 1 ? String(folder.dropLast()) : folder.isEmpty ? "." : folder,
      run: result.sources.readings[.run]?.first?.settings,
      report: result.sources.readings[.report]?.first?.settings,
      training: result.sources.readings[.training]?.first?.settings,
      paper: document.paper.flatMap { PaperTableReader(log: log).table($0) },
      axes: result.axes, points: result.points, registry: registry, sources: result.sources)
    try log.throwErrors()
    return (scenario, log.warnings)
  }

  /// The name of the scenario: it becomes a folder, so not every text will do.
  private func name(_ document: ScenarioDocument, _ path: String, _ log: DiagnosticLog) -> String {
    let file = path.dropFirst(path.folderPart.count)
    let stem = file.lastIndex(of: ".").map { $0 > file.startIndex ? file[..<$0] : file } ?? file
    let name = document.name.map { $0.value.scalar ?? "" } ?? String(stem)
    let isValid =
      !name.isEmpty && name.utf8.count <= 100 && name.first != "."
      && name.unicodeScalars.allSatisfy {
        $0.isASCII && ($0.properties.isAlphabetic || $0.properties.numericType != nil)
          || "-_.".unicodeScalars.contains($0)
      }
    if !isValid {
      log.error(
        document.name?.value.position ?? document.position,
        document.name == nil
          ? "the file name '\(stem)' cannot be the name of the scenario"
          : "'name' cannot be \(document.name?.value.summary ?? "empty")",
        hint: "a name has letters, digits and - _ . and does not start with a dot; "
          + "for example 'name: quickstart'")
    }
    return name
  }

  /// The description, which tells what was changed behind its back.
  private func description(
    _ document: ScenarioDocument, _ overrides: [String], _ log: DiagnosticLog
  ) -> String {
    let text = text(document.description, log)
    let changes = overrides.filter { change in
      !["run.", "report.", "name=", "description="].contains { change.hasPrefix($0) }
    }
    let isNew = document.description?.keyPosition.source.hasLines == false
    return text.isEmpty || changes.isEmpty || isNew
      ? text : text + "\nchanged: " + changes.joined(separator: ", ")
  }

  private func text(_ entry: YAMLEntry?, _ log: DiagnosticLog) -> String {
    guard let entry, !entry.value.isNull else { return "" }
    if let text = entry.value.scalar { return text }
    log.error(
      entry.value.position, "'\(entry.key)' must be a text, got \(entry.value.summary)",
      hint: "put it in quotes, or write '\(entry.key): |' and the text indented below")
    return ""
  }

  /// A file that sets a key which a file it extends sweeps would be surprised.
  private func warnAboutHiddenValues(_ document: ScenarioDocument, _ log: DiagnosticLog) {
    for axis in document.sweep.entries {
      let path = axis.key.split(separator: ".").map(String.init)
      // A section that is swept as a whole hides the part that the link names.
      let whole = path.count == 1 ? path + ["type"] : path
      guard let value = document.sections.node(at: whole), value.mapping == nil,
        value.position.source.layer < axis.keyPosition.source.layer
      else { continue }
      log.warning(
        value.position, "'\(axis.key)' has no effect: \(axis.keyPosition.source.name) sweeps it",
        hint: "to fix it, write '\(axis.key): \(value.flowText)' below 'sweep:'")
    }
  }
}
