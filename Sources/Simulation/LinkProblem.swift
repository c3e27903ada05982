import DataFiles
import Parts
import Scenarios

/// Files that a scenario names and that cannot be read, at their places in it.
public struct FileErrors: Error, CustomStringConvertible {
  let errors: ScenarioErrors
  /// Place, message, source line and hint of each.
  public var description: String { "\(errors)" }
}

/// What keeps the link of an operating point from being made: settings that do not go together, or a file.
struct LinkProblem {
  private enum Cause {
    case settings(SettingsError)
    case file(any Error)
  }

  private let cause: Cause
  private let section: Section
  private let point: Int

  /// - Parameters:
  ///   - error: a complaint of a part, or of a file that it reads.
  ///   - section: the section that was made, unless the complaint has its own.
  ///   - point: the first point that has it.
  init(_ error: any Error, section: Section, point: Int) {
    if let placed = error as? PlacedError {
      (cause, self.section, self.point) = (.settings(placed.error), placed.section, placed.point)
    } else {
      (cause, self.section, self.point) = (.file(error), section, point)
    }
  }

  private var isOfFile: Bool {
    if case .file = cause { true } else { false }
  }

  /// All problems as one error, each place told once; nil without problems.
  static func error(_ problems: [LinkProblem], in scenario: Scenario) -> (any Error)? {
    guard !problems.isEmpty else { return nil }
    var seen: Set<String> = []
    let told = problems.filter { problem in
      seen.insert("\(problem.section) \(problem.text)").inserted
    }
    let errors = ScenarioErrors(told.map { $0.diagnostic(in: scenario) })
    return problems.allSatisfy(\.isOfFile) ? FileErrors(errors: errors) : errors
  }

  private var text: String {
    switch cause {
    case .settings(let error): "\(error)"
    case .file(let error): "\(error)"
    }
  }

  /// The problem at its place in the scenario.
  func diagnostic(in scenario: Scenario) -> Diagnostic {
    switch cause {
    case .settings(let error):
      return scenario.diagnostic(for: error, section: section, point: point)
    case .file(let error):
      let file = error as? DataFileError
      return scenario.diagnostic(
        forFile: file?.file, section: section, point: point, file?.complaint ?? "\(error)",
        hint: file?.hint)
    }
  }
}
