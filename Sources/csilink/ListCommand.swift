import ArgumentParser
import Parts
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
    let known = names + catalogue.sections.flatMap { catalogue.parts(of: $0).map(\.name) }
    let hint = nearestWord(to: section, among: known).map { "did you mean '\($0)'? " } ?? ""
    throw ValidationError(
      "no section or part '\(section)'; \(hint)sections: \(names.joined(separator: ", "))")
  }
}
