import DataFiles
import Foundation
import Parts
import Scenarios
import Simulation

/// A result as it lies in a folder: the rows of `report.csv` as texts, and what the manifest beside it tells.
///
/// Results of older builds and other machines are read too; nothing is computed.
public struct RecordedResult: Sendable {
  /// What figures and tables call it among others.
  public var label: String
  /// Name of the scenario.
  public let name: String
  /// Swept paths.
  public let axes: [String]
  /// Columns behind them.
  public let columns: [String]
  /// Fields of each operating point, in the order of the axes and the columns.
  public let rows: [[String]]
  /// Values of the scenario by path, those that are not swept and run, report and training settings among them.
  public let settings: [String: String]
  /// The digest of the scenario and the seed, for the foot of a figure.
  let scenarioDigest, seed, version: String
  /// Folder of the journal; nil for a result in memory.
  let folder: String?
  /// Folders of the shards that it was merged from.
  let shards: [String]
  /// What lies beside the report; nil without one, and for a result in memory.
  let manifest: RecordedManifest?
  private let places: [String: Int]
  /// Settings of the parts that are listed below a swept section, by section, label and key.
  private let listed: [String: [String: [String: String]]]

  init(
    label: String, name: String, axes: [String], columns: [String], rows: [[String]],
    scenario: String, scenarioDigest: String, seed: String, version: String, folder: String?,
    shards: [String] = [], manifest: RecordedManifest? = nil
  ) {
    self.label = label
    self.name = name
    self.axes = axes
    self.columns = columns
    self.rows = rows
    settings = ScenarioText.settings(scenario)
    listed = ScenarioText.listedParts(scenario)
    (self.scenarioDigest, self.seed, self.version) = (scenarioDigest, seed, version)
    self.folder = folder
    self.shards = shards
    self.manifest = manifest
    places = Dictionary(zip(axes + columns, 0...)) { first, _ in first }
  }

  /// The same result with other columns behind the swept paths.
  init(_ other: RecordedResult, columns: [String], rows: [[String]]) {
    (label, name, axes, settings) = (other.label, other.name, other.axes, other.settings)
    (scenarioDigest, seed, version) = (other.scenarioDigest, other.seed, other.version)
    (folder, shards, manifest, listed) = (other.folder, other.shards, other.manifest, other.listed)
    (self.columns, self.rows) = (columns, rows)
    places = Dictionary(zip(axes + columns, 0...)) { first, _ in first }
  }

  /// A result that was just computed.
  public init(_ result: RunResult) {
    let records = ReportCSV.records(of: result)
    self.init(
      label: result.scenarioName, name: result.scenarioName, axes: result.axes,
      columns: Array(records[0].dropFirst(result.axes.count)), rows: Array(records.dropFirst()),
      scenario: result.resolvedScenario, scenarioDigest: result.provenance.scenarioDigest,
      seed: String(result.seed), version: result.provenance.version, folder: nil)
  }

  /// Reads `FOLDER`, `FOLDER/report.csv` or `LABEL=FOLDER`.
  ///
  /// - Throws: `DataFileError` for a folder without a report, or a report that cannot be read.
  public init(reading path: String) throws(DataFileError) {
    var (label, path) = (String?.none, path)
    if !FileManager.default.fileExists(atPath: path), let mark = path.firstIndex(of: "=") {
      (label, path) = (String(path[..<mark]), String(path[path.index(after: mark)...]))
    }
    while path.count > 1, path.hasSuffix("/") { path.removeLast() }
    var isFolder: ObjCBool = false
    _ = FileManager.default.fileExists(atPath: path, isDirectory: &isFolder)
    let file = isFolder.boolValue ? "\(path)/\(ReportCSV.fileName)" : path
    let folder = file.folderOfPath
    guard let data = FileManager.default.contents(atPath: file) else {
      throw DataFileError(
        file: file, expected: "a report of csilink", found: "none",
        hint: isFolder.boolValue
          ? "run the scenario first; a shard has its report after 'csilink merge'"
          : "name the folder of a result, such as results/quickstart, or LABEL=FOLDER")
    }
    var records = try CSVRecords.parse(String(decoding: data, as: UTF8.self), file: file)
    // Version 1 of the format.
    if records.first?.first?.hasPrefix("# csilink report") == true { records.removeFirst() }
    guard let header = records.first, let end = header.firstIndex(of: Column.drops.name) else {
      throw DataFileError(
        file: file, expected: "a report of csilink, with a column 'drops'", found: "another table")
    }
    if let row = records.firstIndex(where: { $0.count != header.count }) {
      throw DataFileError(
        file: file, place: .text(line: row + 1, column: 1), expected: "\(header.count) fields",
        found: "\(records[row].count)")
    }
    let manifest = try RecordedManifest(folder: folder)
    let name = manifest?.name ?? folder.nameOfPath
    self.init(
      label: label ?? folder.nameOfPath, name: name,
      axes: Array(header[..<end]), columns: Array(header[end...]),
      rows: Array(records.dropFirst()), scenario: manifest?.scenario ?? "",
      scenarioDigest: manifest?.provenance.scenarioDigest ?? "",
      seed: (manifest?.seed).map(String.init) ?? "", version: manifest?.provenance.version ?? "",
      folder: folder,
      shards: (manifest?.shards ?? []).map { Self.shard($0, of: folder) }, manifest: manifest)
  }

  /// The field of a row; nil if it is empty or there is none: a column, a swept path, `result`, or a value of the link that
  /// is the same for all rows.
  func field(_ row: Int, _ key: String) -> String? {
    if let place = places[key] { return rows[row][place].isEmpty ? nil : rows[row][place] }
    if let (section, rest) = listedKey(key) {
      return places[section].flatMap { listed[section]?[rows[row][$0]]?[rest] }
    }
    return key == Self.resultKey ? label : isSwept(key) ? nil : settings[key]
  }

  /// The swept section of a key such as `quantizer.bits`, and the rest, where a listed part has it.
  private func listedKey(_ key: String) -> (section: String, rest: String)? {
    guard places[key] == nil, let dot = key.firstIndex(of: ".") else { return nil }
    let (section, rest) = (String(key[..<dot]), String(key[key.index(after: dot)...]))
    guard listed[section]?.values.contains(where: { $0[rest] != nil }) ?? false else { return nil }
    return (section, rest)
  }

  /// The swept section whose listed parts have a key; nil for other keys.
  func listedSection(of key: String) -> String? { listedKey(key)?.section }

  /// Keys of the parts that are listed below a swept section, such as `quantizer.bits`.
  var listedKeys: [String] {
    listed.flatMap { section, parts in
      Set(parts.values.flatMap(\.keys)).map { "\(section).\($0)" }
    }.filter { places[$0] == nil }.sorted()
  }

  /// The number in a column of a row; nil if it is empty or no number.
  func number(_ row: Int, _ column: String) -> Double? {
    places[column].flatMap { Double(rows[row][$0]) }
  }

  /// Whether some row has a number in a column.
  func hasNumbers(in column: String) -> Bool {
    rows.indices.contains { number($0, column) != nil }
  }

  /// Whether rows may differ in a key that is no column.
  private func isSwept(_ key: String) -> Bool {
    axes.contains { $0 == key || (!$0.contains(".") && key.hasPrefix("\($0).")) }
  }

  /// Whether it has something under a key.
  func knows(_ key: String) -> Bool {
    places[key] != nil || key == Self.resultKey || settings[key] != nil || listedKey(key) != nil
  }

  /// Where a shard of a result lies: as seen from the result, or as it was named when earlier builds merged it.
  private static func shard(_ path: String, of folder: String) -> String {
    let beside = folder.isEmpty ? path : "\(folder)/\(path)"
    return path.hasPrefix("/") || !FileManager.default.fileExists(atPath: beside) ? path : beside
  }

  /// The folder that it lies in; the working directory for a result in memory.
  public var place: String { folder.flatMap { $0.isEmpty ? nil : $0 } ?? "." }

  /// The numbers of each drop, all or some, that the journals of the folder and its shards hold.
  ///
  /// - Throws: ``JournalError`` without a journal.
  func drops(_ numbers: [String]? = nil) throws -> RecordedDrops {
    let count = rows.indices.compactMap { number($0, Column.drops.name) }.max() ?? 0
    let others = shards.filter { $0 != folder && FileManager.default.fileExists(atPath: $0) }
    return try RecordedDrops(
      folders: [place] + others, drops: Int(count),
      numbers: numbers)
  }

  /// The only row with some values.
  ///
  /// - Throws: ``FigureError`` if no row has them, or several have.
  public func row(where conditions: [FigureRequest.Condition]) throws -> Int {
    var request = FigureRequest(y: Column.drops.name)
    request.conditions = conditions
    let selection = try FigureSelection([self], request)
    guard let first = selection.points.first, selection.points.count == 1 else {
      let examples = selection.varying(besides: []).map { key in
        let choice = "\(key)=\(selection.values(key).lazy.compactMap { $0 }.first ?? "")"
        let isPlain = !choice.contains { " {}[]*?'".contains($0) }
        return "--point " + (isPlain ? choice : "'\(choice)'")
      }
      throw FigureError(
        message: "\(selection.points.count) operating points are meant",
        hint: "choose one: \(examples.joined(separator: " "))")
    }
    return first.row
  }

  /// The key under which results are told apart.
  static let resultKey = "result"
}

extension [RecordedResult] {
  /// The results under labels that are not equal: those that are get the number of their place.
  public var distinguished: [RecordedResult] {
    enumerated().map { index, result in
      var other = result
      if contains(where: { $0.label == result.label && $0.folder != result.folder }) {
        other.label = result.folder ?? "\(result.label) \(index + 1)"
      }
      return other
    }
  }

  /// What tells where a figure comes from.
  public var footer: String {
    map { "\($0.name) \($0.scenarioDigest) seed \($0.seed)" }.joined(separator: "   ")
      + "   bars: 95 % intervals"
  }
}
