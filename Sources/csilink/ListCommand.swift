import ArgumentParser
import Parts
import Simulation

struct ListCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list",
    abstract: "Show every part a scenario can name, with its keys, units and defaults.")

  @Argument(help: "Show only this section, such as channel or codec.")
  var section: String?

  func run() throws {
    let catalogue = PartRegistry.standard
    guard let section else {
      print(catalogue.listing())
      return
    }
    let names = catalogue.sections.map(\.rawValue)
    guard let chosen = Section(rawValue: section), catalogue.sections.contains(chosen) else {
      let hint = nearestWord(to: section, among: names).map { "; did you mean '\($0)'?" } ?? ""
      throw ValidationError(
        "no section '\(section)'\(hint) Known: \(names.joined(separator: ", "))")
    }
    print(catalogue.listing(of: chosen))
  }
}
