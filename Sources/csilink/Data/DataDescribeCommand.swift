import ArgumentParser
import DataFiles
import Datasets
import Foundation
import LinkMath
import Reports
import Scenarios
import Simulation

struct DataDescribeCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "describe", abstract: "Show what is in a file of channels and what they are like.",
    discussion: """
      Shape, values and checksum of the array; per drop: energy, delay and angle spread, K-factor, how many angular-delay \
      coefficients hold 90, 95 and 99 %; energy by delay row and angle column; NMSE of principal components. Files may be \
      larger than the memory. A folder of 'data generate' tells its layout and grid itself; real values in [0, 1] are taken \
      for csinet. A scenario (.yaml) with --drops is drawn and described without writing it, with the energy that the \
      truncation loses. Delay spread from tones: circular, from the correlation of neighbouring tones; from delay rows: \
      power-weighted, leakage included. K-factor: from mean and variance of the power over a drop's tones and ports.
      """)

  @Argument(help: "File, folder of a generated data set, or scenario.") var input: String
  @OptionGroup var record: RecordOptionGroup
  @OptionGroup var threads: ThreadOption

  @Option(help: "csinet, frequency or delay.") var layout: RecordOptions.Layout?
  @Option(help: "Drops that are drawn of a scenario.") var drops = 1000
  @Option(help: "Random domain of a scenario's drops.") var domain = DataDomain.run
  @Option(
    name: .customLong("set"), parsing: .singleValue,
    help: ArgumentHelp("Override a key of a scenario.", valueName: "path=value"))
  var overrides: [String] = []
  @Option(help: "Drops the principal components are fitted on at most; 0 for none.")
  var pca = 20_000
  @Option(help: ArgumentHelp("Write pictures to this folder.", valueName: "folder"))
  var plot: String?
  @Flag(help: "Print JSON.") var json = false

  private var isScenario: Bool { [".yaml", ".yml"].contains { input.lowercased().hasSuffix($0) } }

  func validate() throws {
    guard drops > 0, drops <= 1 << 40 else { throw ValidationError("--drops must be positive") }
    guard (0...1_000_000).contains(pca) else {
      throw ValidationError("--pca must be in 0...1000000, got \(pca)")
    }
    if !isScenario && !overrides.isEmpty { throw ValidationError("--set needs a scenario") }
  }

  func run() throws {
    let line = ProgressLine()
    let interrupt = InterruptFlag()
    let pool = WorkerPool(threadCount: threads.count)
    let found = try namingOptions {
      isScenario
        ? try describeScenario(pool, line, interrupt) : try describeFile(pool, line, interrupt)
    }
    line.finish()
    guard let found else {
      printError("# interrupted")
      throw ExitCode(130)
    }
    print(json ? try found.json() : found.text)
    guard let plot else { return }
    let warnings = try DatasetPlots.write(found, toFolder: plot)
    for warning in warnings { printError("warning: \(warning)") }
    if !json && found.channels != nil { print("# plots: \(plot)") }
  }

  private func describeFile(_ pool: WorkerPool, _ line: ProgressLine, _ interrupt: InterruptFlag)
    throws -> DatasetDescription?
  {
    let source = try RecordSource(input, variable: record.variable)
    if let warning = source.warning { printError("warning: \(warning)") }
    return try DatasetDescription.of(
      source, record.options(layout), pcaLimit: pca, pool: pool,
      progress: { done, all in line.show { "# \(done) of \(all) rows" } },
      shouldStop: { interrupt.isRaised })
  }

  private func describeScenario(
    _ pool: WorkerPool, _ line: ProgressLine, _ interrupt: InterruptFlag
  ) throws -> DatasetDescription? {
    let (scenario, warnings) = try ScenarioReader.standard.read(input, overrides: overrides)
    for warning in warnings + ChannelWarnings.of(scenario) { printError("\(warning)") }
    let source = try DatasetSource(scenario, pool: pool) { printError("# \($0)") }
    return try source.describe(
      drops: 0..<drops, domain: domain.key, path: input, pcaLimit: pca, pool: pool,
      progress: { done in line.show { "# \(done) of \(drops) drops" } },
      shouldStop: { interrupt.isRaised })
  }
}
