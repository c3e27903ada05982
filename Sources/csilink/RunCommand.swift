import ArgumentParser
import Foundation
import LinkMath
import Reports
import Simulation

extension StageDump: ExpressibleByArgument {}

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

  @Option(help: "What goes to standard output: table, csv (as report.csv) or json.")
  var format = ResultFormat.table

  @Option(
    help: ArgumentHelp("Also write the numbers of each drop to a .npz file.", valueName: "file"))
  var perDrop: String?

  @Option(
    parsing: .singleValue,
    help: ArgumentHelp(
      "Also write the data of a stage for each drop, to the folder dump of the result: estimate, codeword or reconstruction; may be repeated.",
      valueName: "stage"))
  var dump: [StageDump] = []

  func validate() throws {
    if !dump.isEmpty, shard != nil {
      throw ValidationError("--dump needs a whole run, not --shard; it computes the drops again")
    }
    if let shard, Shard(shard) == nil {
      throw ValidationError("--shard must be i/n with 1 <= i <= n, such as 2/3, got \(shard)")
    }
  }

  func run() throws {
    let scenario = try scenario.readForRun()
    let folder = compute.folder(scenario)
    let shard = self.shard.flatMap { Shard($0) } ?? .whole
    if fresh { try ResultFolder.discard(folder) }
    let began = Date()
    let pool = WorkerPool(threadCount: compute.threadCount)
    let prepared = try PreparedRun(
      scenario, pool: pool, artefactFolder: "\(folder)/fitted", progress: compute.note)
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
      try ResultFolder.present(
        result,
        Execution(
          startTime: began, wallSeconds: Date().timeIntervalSince(began),
          threads: compute.threadCount, commandLine: CommandLine.arguments, shards: []), in: folder,
        as: format)
      if let perDrop {
        try DropFile.write(RecordedResult(reading: folder), to: perDrop)
        printError("# drops: \(perDrop)")
      }
      for stage in dump {
        let path = "\(folder)/\(DumpFolder.name)"
        guard
          try DumpFolder.write(
            stage, of: prepared, result, to: path, pool: pool, shouldStop: { interrupt.isRaised })
        else {
          printError("# interrupted; the same command continues")
          throw ExitCode(130)
        }
        printError("# \(stage.rawValue): \(path)/\(stage.rawValue).csv names the files")
      }
    }
  }
}
