import ArgumentParser
import DataFiles
import Foundation
import LinkMath
import Networks
import Reports
import Scenarios
import Simulation

struct ReproduceCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "reproduce", abstract: "Repeat a published table and hold each figure against it.",
    discussion: """
      Trains the networks that are missing, runs the link, and prints published and obtained figures with intervals, \
      differences and verdicts. Tables are the scenarios below scenarios/papers with a 'paper' section, whose budgets say \
      how much is trained. Weights are kept by their recipe and shared by all tables. An interrupted command goes on. Ends \
      with 3 if a figure misses its tolerance.
      """)

  @Argument(help: "Tables, such as acrnet/table-1, or their scenario files.")
  var tables: [String] = []

  @Flag(help: "All tables below scenarios/papers.")
  var all = false

  @Option(help: "What may be spent: a budget of the files; their first if left out.")
  var budget: String?

  @Option(
    name: .customLong("set"), parsing: .singleValue,
    help: ArgumentHelp("Override a key of all scenarios; may be repeated.", valueName: "path=value")
  )
  var overrides: [String] = []

  @OptionGroup var threads: ThreadOption

  @Option(help: "Folder of tables and weights.")
  var output = "results/papers"

  @Flag(help: "Discard checkpoints and results of the tables, but no finished weights.")
  var fresh = false

  @Flag(help: "Print no progress.")
  var quiet = false

  func validate() throws {
    guard all != tables.isEmpty else { return }
    let known = ((try? ReproductionPlan.all()) ?? []).joined(separator: ", ")
    throw ValidationError("name tables, or write --all; there are: \(known)")
  }

  func run() throws {
    let names = all ? try ReproductionPlan.all() : tables
    let plans = try plans(names)
    let work = ReproductionWork(
      pool: WorkerPool(threadCount: threads.count), threads: threads.count, isQuiet: quiet)
    // Nothing is given up for a table that cannot be made, and no hour spent on those before it.
    _ = try plans.mapAll(work.require)
    var isMissed = false
    for plan in plans {
      if !quiet { printError("# \(plan.name), budget \(plan.budget.name)") }
      if fresh { try discard(plan) }
      let table = try work.table(plan)
      print(table.text)
      isMissed = isMissed || table.isMissed
      try AtomicFile.write(ReproducedTable.page(of: output), to: "\(output)/README.md")
    }
    if isMissed { throw ExitCode(3) }
  }

  private func discard(_ plan: ReproductionPlan) throws {
    for variant in plan.variants {
      if let trained = variant.trained { try TrainingFolder.discard(trained) }
      try ResultFolder.discard(variant.result)
    }
  }

  /// Files that are no tables are mistakes of the call, told before anything is trained.
  private func plans(_ names: [String]) throws -> [ReproductionPlan] {
    do {
      return try names.mapAll {
        try ReproductionPlan($0, budget: budget, overrides: overrides, output: output)
      }
    } catch {
      let errors = (error as? SeveralErrors)?.errors ?? [error]
      printError("\(error)")
      throw ExitCode(errors.contains { $0 is FigureError || $0 is ScenarioErrors } ? 2 : 1)
    }
  }
}

/// Trains and runs what a table needs, as far as it is not there.
private struct ReproductionWork {
  let pool: WorkerPool
  let threads: Int
  let isQuiet: Bool
  let interrupt = InterruptFlag()

  init(pool: WorkerPool, threads: Int, isQuiet: Bool) {
    (self.pool, self.threads, self.isQuiet) = (pool, threads, isQuiet)
  }

  func table(_ plan: ReproductionPlan) throws -> ReproducedTable {
    let results = try plan.variants.map { variant in
      if let trained = variant.trained { try train(variant, in: trained, plan) }
      try run(variant.scenarioForRun(plan.path), in: variant.result)
      return try RecordedResult(reading: variant.result)
    }
    let table = try ReproducedTable(plan, results)
    try table.write(to: plan.folder)
    return table
  }

  /// Looks at everything that a table reads, before anything is trained or run.
  ///
  /// - Throws: what would keep trainings or runs from being made. What waits for weights that the table trains itself is left for then.
  func require(_ plan: ReproductionPlan) throws {
    var (whole, partial): (Set<String>, Set<String>) = ([], [])
    _ = try plan.variants.mapAll { variant in
      var isWaiting = !variant.starts.allSatisfy { whole.contains($0) && !partial.contains($0) }
      if !isWaiting, let trained = variant.trained {
        let training = try TrainingRun(variant.scenario, pool: pool, isDry: true)
        isWaiting = !training.networks.allSatisfy { training.isTrained($0, in: trained) }
        if !isWaiting { whole.insert(trained) }
      }
      guard !isWaiting else {
        if let trained = variant.trained { partial.insert(trained) }
        return
      }
      _ = try PreparedRun(
        variant.scenarioForRun(plan.path), pool: pool, artefactFolder: nil, isDry: true)
    }
  }

  private func note(_ text: String) {
    if !isQuiet { printError("# \(text)") }
  }

  private func interrupted() -> ExitCode {
    printError("# interrupted; the same command continues")
    return ExitCode(130)
  }

  private func train(
    _ variant: ReproductionPlan.Variant, in folder: String, _ plan: ReproductionPlan
  ) throws {
    let training = try TrainingRun(variant.scenario, pool: pool, progress: note)
    let display = TrainingDisplay(isQuiet: isQuiet)
    for network in training.networks where !training.isTrained(network, in: folder) {
      let isWhole = !training.hasBegun(network, in: folder)
      let began = Date()
      let trained = try training.execute(
        in: folder, only: network, progress: { display.show($0) },
        shouldStop: { interrupt.isRaised })
      display.finish()
      guard let trained = trained?.first else { throw interrupted() }
      try TrainingLog.add(
        trained, of: training, seconds: Date().timeIntervalSince(began), isWhole: isWhole,
        folder: folder,
        to: "\(plan.output)/\(TrainingLog.fileName)")
    }
  }

  private func run(_ scenario: Scenario, in folder: String) throws {
    let began = Date()
    let prepared = try PreparedRun(
      scenario, pool: pool, artefactFolder: "\(folder)/fitted", progress: note)
    let display = ProgressDisplay(points: prepared.pointCount, isQuiet: isQuiet)
    let outcome = try Runner(prepared, pool: pool, folder: folder, shard: .whole).execute(
      progress: { display.show($0) }, shouldStop: { interrupt.isRaised })
    display.finish()
    guard case .finished(let result) = outcome else { throw interrupted() }
    let execution = Execution(
      startTime: began, wallSeconds: Date().timeIntervalSince(began), threads: threads,
      commandLine: CommandLine.arguments)
    try AtomicFile.createFolder(folder)
    for warning in try ResultFolder.write(result, execution, to: folder) {
      printError("warning: \(warning)")
    }
  }
}
