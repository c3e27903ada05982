import DataFiles
import Foundation
import LinkMath
import Networks
import Scenarios
import Simulation

/// The page of a training: table, learning curves, costs, scenario.
struct TrainingPage {
  private let folder: String
  private let records: [[String]]
  private let scenarioText: String
  private let pool: WorkerPool

  init(_ folder: String, pool: WorkerPool) throws {
    self.folder = folder
    self.pool = pool
    let file = "\(folder)/\(TrainingFolder.reportName)"
    let data = FileManager.default.contents(atPath: file) ?? Data()
    var records = try CSVRecords.parse(String(decoding: data, as: UTF8.self), file: file)
    records.removeAll { $0.first?.hasPrefix("#") == true }
    guard records.count > 1, records.allSatisfy({ $0.count == records[0].count }) else {
      throw DataFileError(
        file: file, expected: "the table of a training, with equally long rows",
        found: "another table")
    }
    self.records = records
    let scenario = FileManager.default.contents(
      atPath: "\(folder)/\(TrainingFolder.scenarioName)")
    scenarioText = scenario.map { String(decoding: $0, as: UTF8.self) } ?? ""
  }

  func content() -> PageContent {
    let path = "\(folder)/\(TrainingFolder.scenarioName)"
    let scenario = try? ScenarioReader.standard.read(text: scenarioText, path: path).scenario
    var table = PageContent.Section(id: "table", heading: "What was trained")
    table.tables.append(
      PageContent.Table(
        caption: "Each row is a network at one ratio", keys: [records[0][0]],
        columns: records[0].dropFirst().map(\.inWords),
        rows: records.dropFirst().map {
          PageContent.Row(heads: [$0[0]], cells: $0.dropFirst().map(Self.cell))
        }))
    if !scenarioText.isEmpty {
      table.listings.append(
        PageContent.Listing(caption: "Scenario with all defaults", text: scenarioText))
    }
    let networks = scenario.flatMap { PageNetworks($0, pool: pool) }
    return PageContent(
      title: scenario?.name ?? folder.nameOfPath,
      description: scenario?.description ?? "", version: ProgramIdentity.version,
      sections: [table, curves(), networks?.costs].compactMap { $0 })
  }

  private static func cell(_ text: String) -> String {
    guard text.contains("."), let value = Double(text) else { return text }
    return String(format: "%.4g", value)
  }

  private func curves() -> PageContent.Section {
    var section = PageContent.Section(id: "training", heading: "Training")
    let ending = "-curve.csv"
    let names = ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? [])
      .filter { $0.hasSuffix(ending) }.sorted()
    let files = names.map { (String($0.dropLast(ending.count)), "\(folder)/\($0)") }
    do {
      guard let curves = LearningCurves.table(files) else {
        section.texts.append("No learning curves lie in the folder.")
        return section
      }
      let figure = try Figure(LearningCurves.request, of: [curves])
      section.pictures.append(
        try PagePicture(figure, caption: "Validation NMSE after each epoch.", index: 1))
    } catch {
      section.texts.append("No figure: \(error)")
    }
    return section
  }
}

extension Sequence {
  /// The first of all elements with an equal key.
  func uniqued<Key: Hashable>(_ key: (Element) -> Key) -> [Element] {
    var seen: Set<Key> = []
    return filter { seen.insert(key($0)).inserted }
  }
}
