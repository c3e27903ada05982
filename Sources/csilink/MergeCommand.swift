import ArgumentParser
import Foundation
import LinkMath
import Reports
import Simulation

struct MergeCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "merge", abstract: "Join the shards of a run into one report.",
    discussion: """
      The report has the same bytes as that of a whole run. Shards of other machines need the same build and AVX2 \
      or AVX-512 on all of them, or on none.
      """)

  @OptionGroup var scenario: ScenarioOptions
  @Argument(help: "Result folders of the shards; the scenario's own folder if none is named.")
  var folders: [String] = []
  @OptionGroup var compute: ComputeOptions
  @OptionGroup var output: OutputOptions

  func run() throws {
    let scenario = try scenario.readForRun()
    let folder = compute.folder(scenario)
    let sources = folders.isEmpty ? [folder] : folders
    let began = Date()
    // What columns and links know of a point may be fitted: the most bits of an entropy coder, the floor of Gaussian CSI.
    let pool = WorkerPool(threadCount: compute.threadCount)
    let prepared = try PreparedRun(
      scenario, pool: pool, artefactFolder: "\(folder)/fitted",
      artefactSources: sources.map { "\($0)/fitted" },
      journals: Merge.journals(in: sources),
      progress: { printError("# \($0)") })
    let result = try Merge.result(prepared, folders: sources)
    try output.present(
      result, of: prepared,
      Execution(
        startTime: began, wallSeconds: Date().timeIntervalSince(began),
        threads: compute.threadCount, commandLine: CommandLine.arguments,
        shards: sources.map { relativePath(of: $0, from: folder) }.filter { !$0.isEmpty }),
      in: folder, pool: pool, InterruptFlag())
  }
}
