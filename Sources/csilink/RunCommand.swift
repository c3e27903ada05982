import ArgumentParser
import Foundation
import LinkMath
import Reports
import Simulation

struct RunCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "run", abstract: "Run a scenario and write report.csv, plots and manifest.json.",
    discussion: """
      The table goes to standard output, progress to standard error. Finished blocks of drops are kept in a journal: \
      a run that was stopped in any way continues with the same command, and a larger run.drops continues a smaller one.
      """)

  @OptionGroup var scenario: ScenarioOptions
  @OptionGroup var compute: ComputeOptions

  @Option(
    help: ArgumentHelp("Compute only the i-th of n shares; 'merge' joins them.", valueName: "i/n"))
  var shard: String?

  @Flag(help: "Discard earlier results of the folder.")
  var fresh = false

  @Flag(help: "Print calls and time of each stage.")
  var stats = false

  @OptionGroup var output: OutputOptions

  func validate() throws {
    if let option = output.wantsMore, shard != nil {
      throw ValidationError("\(option) needs a whole run, not --shard: give it to 'csilink merge'")
    }
    if let shard, Shard(shard) == nil {
      throw ValidationError("--shard must be i/n with 1 <= i <= n, such as 2/3, got \(shard)")
    }
  }

  func run() throws {
    let scenario = try scenario.readForRun()
    let folder = compute.folder(scenario)
    let shard = self.shard.flatMap { Shard($0) } ?? .whole
    let began = Date()
    let pool = WorkerPool(threadCount: compute.threadCount)
    if fresh {
      // Nothing is given up for a run that cannot be made.
      _ = try PreparedRun(scenario, pool: pool, artefactFolder: nil, isDry: true)
      try ResultFolder.discard(folder)
    }
    let prepared = try PreparedRun(
      scenario, pool: pool, artefactFolder: "\(folder)/fitted",
      journals: [Runner.journalPath(folder, shard)], progress: compute.note)
    let display = ProgressDisplay(points: prepared.pointCount, isQuiet: compute.quiet)
    let interrupt = InterruptFlag()
    let outcome = try Runner(prepared, pool: pool, folder: folder, shard: shard).execute(
      progress: { display.show($0) }, shouldStop: { interrupt.isRaised })
    display.finish()
    if stats { print(StatisticsTable.text(prepared.statistics)) }
    switch outcome {
    case .interrupted:
      printError("# interrupted; the same command continues")
      throw ExitCode(130)
    case .shardFinished:
      printError(
        "# shard \(shard) finished; join all with: csilink merge \(self.scenario.scenario) \(folder)"
      )
    case .finished(let result):
      try output.present(
        result, of: prepared,
        Execution(
          startTime: began, wallSeconds: Date().timeIntervalSince(began),
          threads: compute.threadCount, commandLine: CommandLine.arguments, shards: []), in: folder,
        pool: pool, interrupt)
    }
  }
}
