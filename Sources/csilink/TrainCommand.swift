import ArgumentParser
import Foundation
import LinkMath
import Reports
import Scenarios
import Simulation

struct TrainCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "train", abstract: "Train the networks that a scenario names.",
    discussion: """
      Draws training, validation and test sets from the scenario's channel, trains every network and compression of its \
      points, and writes the weights of the best epoch, learning curves and training.csv. An interrupted training goes \
      on with the same command.
      """)

  @OptionGroup var scenario: ScenarioOptions
  @OptionGroup var compute: ComputeOptions

  @Flag(help: "Discard checkpoints and drawn samples of the folder.")
  var fresh = false

  @Flag(
    help: """
      The argument is a queue of trainings: a folder of scenarios, or a file with the arguments of one training on each \
      line. --set, --fresh, --threads and --quiet hold for all; --output is where the results of those without one go.
      """)
  var queue = false

  func run() throws {
    if queue {
      return try TrainingQueue(scenario.scenario, shared: self).run(quiet: compute.quiet)
    }
    let scenario = try scenario.read()
    try train(
      scenario, in: compute.folder(scenario), TrainingDisplay(isQuiet: compute.quiet),
      InterruptFlag())
  }

  /// Trains the networks of a scenario and prints what came of it.
  ///
  /// - Throws: `ExitCode` 130 if it was interrupted, errors of scenario, data and files.
  func train(
    _ scenario: Scenario, in folder: String, _ display: TrainingDisplay, _ interrupt: InterruptFlag
  ) throws {
    let pool = WorkerPool(threadCount: compute.threadCount)
    let training = try TrainingRun(scenario, pool: pool, progress: compute.note)
    // Nothing is given up for a training that cannot be made.
    if fresh { try TrainingFolder.discard(folder) }
    let trained = try training.execute(
      in: folder, progress: { display.show($0) }, shouldStop: { interrupt.isRaised })
    display.finish()
    guard let trained else {
      printError("# interrupted; the same command continues")
      throw ExitCode(130)
    }
    let warnings = try TrainingFolder.write(trained, of: training, to: folder)
    print(TrainingTable.text(trained))
    for file in trained.flatMap(\.files) { print("# weights: \(file)") }
    print("# report: \(folder)/\(TrainingFolder.reportName)")
    for warning in warnings + TrainingTable.warnings(trained) { printError("warning: \(warning)") }
  }
}
