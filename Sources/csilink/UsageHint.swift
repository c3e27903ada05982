import Foundation
import Parts
import Simulation

/// What somebody who called the program wrongly may have meant, where the parser of arguments cannot know it.
enum UsageHint {
  /// - Parameters:
  ///   - arguments: of the program, without its name.
  ///   - message: the parser's.
  /// - Returns: a line to follow the message; nil if nothing is known.
  static func text(_ arguments: [String], _ message: String) -> String? {
    if let file = arguments.first, [".yaml", ".yml"].contains(where: file.hasSuffix) {
      return "'csilink run \(file)' runs a scenario, 'csilink check \(file)' only looks at it"
    }
    let commands = CSILink.configuration.subcommands.compactMap { $0._commandName }
    if let word = arguments.first, !word.hasPrefix("-"), !commands.contains(word),
      let near = nearestWord(to: word, among: commands)
    {
      return "did you mean 'csilink \(near)'?"
    }
    guard let match = message.firstMatch(of: /Unknown option '--([A-Za-z][\w-]*)/) else {
      return nil
    }
    let key = String(match.output.1).replacing("-", with: "_")
    let catalogue = PartRegistry.standard
    let places = (Section.besides.reversed() + Section.stages).filter { section in
      catalogue.parts(of: section).contains { $0.parameter(key) != nil }
    }
    guard !places.isEmpty else { return nil }
    let sets = places.prefix(3).map { "--set \($0.rawValue).\(key)=..." }
    return "a key of the scenario is changed by \(sets.joined(separator: " or "))"
  }
}
