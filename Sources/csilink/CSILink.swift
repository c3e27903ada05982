import ArgumentParser
import DataFiles
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
      Exit codes: 0 done, 1 failed, 2 wrong usage or scenario, 3 a published figure was missed, 130 interrupted (the same command continues).
      """,
    version: ProgramIdentity.version,
    subcommands: [
      RunCommand.self, TrainCommand.self, ReproduceCommand.self, CheckCommand.self,
      ListCommand.self, MergeCommand.self,
      PlotCommand.self, CompareCommand.self, ReportCommand.self, ReplayCommand.self,
      ConfigCommand.self,
      InspectCommand.self, ForwardCommand.self, QuantizeCommand.self, VerifyCommand.self,
      WeightsCommand.self, PairsCommand.self, ChooseCommand.self,
      DataCommand.self,
    ])

  static func main() {
    StandardStreams.prepare()
    do {
      try requireKernelLevel()
      var command = try parseAsRoot()
      try command.run()
    } catch {
      exit(withStatusOf: error)
    }
    if !StandardStreams.finishOutput() { Foundation.exit(1) }
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
    if let code = error as? ExitCode {
      _ = StandardStreams.finishOutput()
      Foundation.exit(code.rawValue)
    }
    let errors = (error as? SeveralErrors)?.errors ?? [error]
    if errors.allSatisfy({ $0 is ScenarioErrors }) {
      printError("\(error)")
      Foundation.exit(2)
    }
    let code = exitCode(for: error)
    if code == .success {
      print(message(for: error))
      Foundation.exit(StandardStreams.finishOutput() ? 0 : 1)
    }
    let isUsage = code == .validationFailure
    let text = isUsage ? fullMessage(for: error) : "\(error)"
    let hint = isUsage ? UsageHint.text(Array(CommandLine.arguments.dropFirst()), text) : nil
    printError(text + (hint.map { "\n  hint: \($0)" } ?? ""))
    Foundation.exit(isUsage ? 2 : 1)
  }
}
