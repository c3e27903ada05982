import ArgumentParser
import Foundation
import LinkMath
import Scenarios
import Simulation

/// The arguments of every command that reads a scenario.
struct ScenarioOptions: ParsableArguments {
  @Argument(help: "Scenario file (YAML).", completion: .file(extensions: ["yaml", "yml"]))
  var scenario: String

  @Option(
    name: .customLong("set"), parsing: .singleValue,
    help: ArgumentHelp(
      "Override a key, such as pilots.snr_db=10 or run.drops=200; may be repeated.",
      valueName: "path=value"))
  var overrides: [String] = []

  /// Reads the scenario and prints its warnings.
  func read() throws -> Scenario {
    let (scenario, warnings) = try ScenarioReader.standard.read(scenario, overrides: overrides)
    for warning in warnings + ChannelWarnings.of(scenario) { printError("\(warning)") }
    return scenario
  }
}

/// The worker threads of every command that computes.
struct ThreadOption: ParsableArguments {
  @Option(help: "Worker threads; the processor's cores if left out. Results do not depend on it.")
  var threads: Int?

  func validate() throws {
    if let threads, !(1...1024).contains(threads) {
      throw ValidationError("--threads must be in 1...1024, got \(threads)")
    }
  }

  var count: Int { threads ?? ProcessInfo.processInfo.activeProcessorCount }
}

/// The arguments of every command that computes results of a scenario.
struct ComputeOptions: ParsableArguments {
  @OptionGroup var threads: ThreadOption

  @Option(help: "Result folder; results/<name of the scenario> if left out.")
  var output: String?

  var threadCount: Int { threads.count }

  func folder(_ scenario: Scenario) -> String { output ?? "results/\(scenario.name)" }
}
