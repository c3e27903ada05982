import ArgumentParser
import LinkMath
import Simulation

struct CheckCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "check",
    abstract:
      "Check a scenario without running or training it: shapes, payload bits, memory, estimated time."
  )

  @OptionGroup var scenario: ScenarioOptions
  @OptionGroup var threads: ThreadOption

  func run() throws {
    let scenario = try scenario.read()
    print(try ScenarioCheck.text(scenario, threads: threads.count))
  }
}
