import ArgumentParser
import Scenarios
import Simulation

struct ConfigCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "config",
    abstract: "Print a scenario with everything it extends, presets, overrides and all defaults.",
    discussion: "The text is a scenario again: read from the same folder it gives the same points.")

  @OptionGroup var scenario: ScenarioOptions

  func run() throws {
    let text = try PreparedRun.withRecordedSizes(scenario.read()).resolvedYAML()
    print(text.hasSuffix("\n") ? String(text.dropLast()) : text)
  }
}
