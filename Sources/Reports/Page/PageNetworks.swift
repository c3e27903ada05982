import DataFiles
import Foundation
import LinkMath
import Networks
import Scenarios
import Simulation

/// The networks of a scenario: what they cost, and how they were trained.
struct PageNetworks {
  private let points: [NetworkPoint]

  /// - Returns: nil if no point has a network, or if the stages cannot be made.
  init?(_ scenario: Scenario, pool: WorkerPool) {
    guard let points = try? NetworkPoint.all(of: scenario, pool: pool), !points.isEmpty else {
      return nil
    }
    self.points = points.uniqued { "\($0.network.stem(label: $0.label)) \($0.weights?.text ?? "")" }
  }

  /// Sizes and operations of each side.
  var costs: PageContent.Section {
    let rows = points.uniqued { $0.network.title }.map { point in
      let autoencoder = point.network.autoencoder
      let sides = [autoencoder.encoder, autoencoder.decoder].map(SideDescription.init)
      return PageContent.Row(
        heads: [point.network.name],
        cells: [point.network.ratio]
          + sides.flatMap { side in
            [
              side.parameters, (side.parameterBits + 31) / 32, side.costs.multiplyAccumulates,
              side.costs.allProducts,
            ].map(\.grouped)
          })
    }
    let kinds = ["parameters", "values of 32 bits", "MAC", "MAC+"]
    var section = PageContent.Section(id: "costs", heading: "Cost of each side")
    section.texts.append(
      "Of one sample, as 'csilink inspect' counts: MAC are multiply-accumulates of convolutions and fully connected layers, MAC+ those of all matrix products."
    )
    section.tables.append(
      PageContent.Table(
        caption: "The encoder runs at the UE, the decoder at the BS",
        keys: ["network"],
        columns: ["ratio"] + kinds.map { "encoder: \($0)" }
          + kinds.map { "decoder: \($0)" }, rows: rows))
    return section
  }

  /// The learning curves beside the weights, as a table of (network, epoch); nil if there are none.
  var curves: RecordedResult? {
    let files = points.compactMap { point -> (String, String)? in
      guard let weights = point.weights?.paths[0] else { return nil }
      let name = point.network.stem(label: point.label)
      return (name, "\(weights)/\(name)-curve.csv")
    }
    return LearningCurves.table(files)
  }
}

/// Learning curves as `train` writes them, `STEM-curve.csv`.
enum LearningCurves {
  static let column = "validation_nmse_db"
  /// A curve is drawn with so many points at most.
  private static let limit = 150

  /// The curves as a table that figures are made of; nil if no file can be read.
  static func table(_ files: [(name: String, path: String)]) -> RecordedResult? {
    let rows = files.flatMap { file in
      thinned(read(file.path)).map { [file.name, $0.epoch, $0.value] }
    }
    guard !rows.isEmpty else { return nil }
    return RecordedResult(
      label: "training", name: "training", axes: ["network", "epoch"], columns: [column],
      rows: rows, scenario: "", scenarioDigest: "", seed: "", version: "", folder: nil)
  }

  private static func read(_ path: String) -> [(epoch: String, value: String)] {
    guard let data = FileManager.default.contents(atPath: path),
      var records = try? CSVRecords.parse(String(decoding: data, as: UTF8.self), file: path)
    else { return [] }
    records.removeAll { $0.first?.hasPrefix("#") == true }
    guard let header = records.first, let epoch = header.firstIndex(of: "epoch"),
      let value = header.firstIndex(of: column)
    else { return [] }
    return records.dropFirst().filter { $0.count == header.count && Double($0[value]) != nil }
      .map { ($0[epoch], $0[value]) }
  }

  /// Every n-th epoch and the last.
  private static func thinned(_ curve: [(epoch: String, value: String)])
    -> [(epoch: String, value: String)]
  {
    let step = (curve.count + limit - 1) / max(limit, 1)
    return curve.enumerated().filter { index, _ in
      index % max(step, 1) == 0 || index == curve.count - 1
    }.map(\.element)
  }

  /// The figure that shows the table.
  static var request: FigureRequest {
    var request = FigureRequest(y: column)
    request.x = "epoch"
    return request
  }
}

extension ResultPage {
  private var networks: PageNetworks? {
    scenario.flatMap { PageNetworks($0, pool: pool) }
  }

  mutating func training() -> PageContent.Section? {
    guard let networks else { return nil }
    var section = PageContent.Section(id: "training", heading: "Training")
    guard let curves = networks.curves else {
      section.texts.append("No learning curves lie beside the weights.")
      return section
    }
    draw(
      [
        (
          LearningCurves.request,
          "Validation NMSE after each epoch of the trainings behind the weights."
        )
      ],
      of: curves, into: &section)
    return section
  }

  func costs() -> PageContent.Section? { networks?.costs }
}
