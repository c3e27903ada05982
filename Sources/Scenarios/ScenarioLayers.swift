import Foundation
import Parts

/// Puts a scenario together from its layers: preset, extended files, the file itself, overrides.
struct ScenarioLayers {
  let catalogue: PartRegistry
  let presets: [Preset]
  let log: DiagnosticLog

  private var documents: DocumentReader { DocumentReader(catalogue: catalogue, log: log) }
  private var overlay: SectionOverlay { SectionOverlay(catalogue: catalogue, log: log) }

  /// The document of a file with everything it extends below it.
  func document(path: String) -> ScenarioDocument? {
    let place = SourcePosition(SourceText("", name: path, layer: 0))
    return document(path: path, folder: "", layer: 0, chain: [], mentionedAt: place)
  }

  /// The document of a text that stands for a file at `path`.
  func document(text: String, path: String) -> ScenarioDocument? {
    document(
      SourceText(text, name: path, layer: 0), path: path, folder: "",
      chain: [Self.identity(path)])
  }

  private func document(
    path: String, folder: String, layer: Int, chain: [String], mentionedAt place: SourcePosition
  ) -> ScenarioDocument? {
    let text: String
    do {
      text = try SourceText.load(path)
    } catch {
      let here = SourceText("", name: path, layer: layer)
      let isInFile = error.line > 0
      log.error(
        isInFile ? SourcePosition(here, line: error.line, column: error.column) : place,
        layer == 0 || isInFile ? error.reason : "'\(path)' \(error.reason)",
        hint: layer == 0 || isInFile ? nil : "the path starts from the folder of this file")
      return nil
    }
    return document(
      SourceText(text, name: path, folder: folder, layer: layer), path: path, folder: folder,
      chain: chain + [Self.identity(path)])
  }

  private func document(_ source: SourceText, path: String, folder: String, chain: [String])
    -> ScenarioDocument?
  {
    guard let root = YAMLNode.parse(source, log: log), let document = documents.document(root)
    else { return nil }
    guard let extends = document.extends else { return document }
    guard let base = extends.value.scalar, !base.isEmpty else {
      log.error(
        extends.value.position, "'extends' must be one file path, got \(extends.value.summary)")
      return nil
    }
    let basePath = base.relative(to: path.folderPart)
    guard !chain.contains(Self.identity(basePath)) else {
      log.error(
        extends.value.position, "'\(base)' extends itself: \(cycle(chain, closedBy: basePath))",
        hint: "remove one of the 'extends:' lines")
      return nil
    }
    let below = self.document(
      path: basePath, folder: base.relative(to: folder).folderPart, layer: source.layer + 1,
      chain: chain, mentionedAt: extends.value.position)
    // Without its base a file lacks so much that further complaints would mislead.
    return below?.overlaid(by: document, overlay)
  }

  /// One text per file, however its path is written.
  private static func identity(_ path: String) -> String {
    URL(fileURLWithPath: path).resolvingSymlinksInPath().path
  }

  private func cycle(_ chain: [String], closedBy path: String) -> String {
    let start = chain.firstIndex(of: Self.identity(path)) ?? 0
    let names = (chain[start...] + [Self.identity(path)]).map {
      URL(fileURLWithPath: $0).lastPathComponent
    }
    return names.joined(separator: " -> ")
  }

  /// Lays the preset that a document names below it.
  func addingPreset(to document: ScenarioDocument) -> ScenarioDocument {
    guard let entry = document.preset else { return document }
    guard let name = entry.value.scalar, let preset = presets.first(where: { $0.name == name })
    else {
      let names = presets.map(\.name)
      log.error(
        entry.value.position, "unknown preset \(entry.value.summary)",
        hint: entry.value.scalar.flatMap { nearestWord(to: $0, among: names) }.didYouMean
          ?? "known presets: \(names.joined(separator: ", "))")
      return document
    }
    let source = SourceText(preset.link, name: "preset \(name)", layer: SourceText.presetLayer)
    guard let root = YAMLNode.parse(source, log: log), let link = root.mapping else {
      return document
    }
    var below = ScenarioDocument(position: root.position)
    for stage in link.entries { documents.addStage(stage, to: &below) }
    return documents.withImpliedTypes(below).overlaid(by: document, overlay)
  }
}

extension String {
  /// The folder of a path: empty, or ending in a slash.
  var folderPart: String {
    lastIndex(of: "/").map { String(self[...$0]) } ?? ""
  }

  /// A path that starts from a folder, seen from where the folder is named.
  func relative(to folder: String) -> String { hasPrefix("/") ? self : folder + self }
}
