import ArgumentParser
import Foundation
import Networks
import Parts
import Scenarios
import Simulation

struct ListCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list",
    abstract: "Show every part a scenario can name, with its keys, units and defaults.")

  @Argument(help: "Show only this section, such as channel, or this part, such as pca.")
  var section: String?

  func run() throws {
    let catalogue = PartRegistry.standard
    guard let section else {
      print(catalogue.listing())
      return
    }
    let names = catalogue.sections.map(\.rawValue)
    if let chosen = Section(rawValue: section), catalogue.sections.contains(chosen) {
      print(catalogue.listing(of: chosen))
      return
    }
    if let parts = catalogue.listing(ofParts: section) {
      print(parts)
      return
    }
    if ["preset", "presets"].contains(section) {
      for preset in ScenarioReader.standard.presets {
        print("\(preset.name): \(preset.summary)")
        for line in preset.link.split(separator: "\n") { print("    \(line)") }
      }
      return
    }
    throw ValidationError(
      "no section or part '\(section)'; \(hint(for: section, catalogue))sections: "
        + (names + ["preset"]).joined(separator: ", "))
  }

  /// Where a word belongs, or the nearest one.
  private func hint(for word: String, _ catalogue: PartRegistry) -> String {
    if (try? NetworkZoo.standard.variant(word)) != nil {
      return "'\(word)' is a network: 'csilink inspect \(word)' shows it,"
        + " 'csilink list network' the codec that runs it; "
    }
    if let place = catalogue.whereabouts(of: word) { return place + "; " }
    if Column.isKnown(word) { return "'\(word)' is a column of report.csv; " }
    if word.contains("/") || FileManager.default.fileExists(atPath: word) {
      return "'\(word)' is a file: 'csilink inspect' shows networks and weights,"
        + " 'csilink data describe' channels, 'csilink config' scenarios; "
    }
    let known =
      catalogue.sections.map(\.rawValue)
      + catalogue.sections.flatMap { catalogue.parts(of: $0).map(\.name) }
    return nearestWord(to: word, among: known).map { "did you mean '\($0)'? " } ?? ""
  }
}
