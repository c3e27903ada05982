import ArgumentParser
import Foundation
import LinkMath
import Scenarios
import Simulation

/// The command line: parses, calls, prints; no logic.
@main
struct CSILink: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "csilink",
    abstract: "Link-level simulation of CSI feedback in FDD massive MIMO.",
    discussion: """
      Exit codes: 0 done, 1 failed, 2 wrong usage or scenario, 130 interrupted (the same command continues).
      """,
    version: ProgramIdentity.version,
    subcommands: [
      RunCommand.self, TrainCommand.self, CheckCommand.self, ListCommand.self, MergeCommand.self,
      InspectCommand.self, ForwardCommand.self, VerifyCommand.self, DataCommand.self,
    ])

  static func main() {
    do {
      try requireKernelLevel()
      var command = try parseAsRoot()
      try command.run()
    } catch {
      exit(withStatusOf: error)
    }
  }

  private static func requireKernelLevel() throws {
    guard KernelLevel.isRefused else { return }
    let asked = ProcessInfo.processInfo.environment[KernelLevel.variable] ?? ""
    throw ValidationError(
      """
      \(KernelLevel.variable) must be one of \(KernelLevel.available.joined(separator: ", ")) on this machine, \
      got '\(asked)'
      """)
  }

  /// Prints the error where it belongs and ends with the exit code of its kind.
  private static func exit(withStatusOf error: any Error) -> Never {
    if let code = error as? ExitCode { Foundation.exit(code.rawValue) }
    if let errors = error as? ScenarioErrors {
      printError("\(errors)")
      Foundation.exit(2)
    }
    let code = exitCode(for: error)
    if code == .success {
      print(message(for: error))
      Foundation.exit(0)
    }
    let isUsage = code == .validationFailure
    printError(isUsage ? fullMessage(for: error) : "\(error)")
    Foundation.exit(isUsage ? 2 : 1)
  }
}

/// Writes a line to standard error.
func printError(_ text: String) {
  FileHandle.standardError.write(Data((text + "\n").utf8))
}
