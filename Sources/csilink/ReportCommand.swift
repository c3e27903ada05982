import ArgumentParser
import DataFiles
import Foundation
import LinkMath
import Reports
import Simulation

struct ReportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "report", abstract: "Write the page of a result or a training: one HTML file.",
    discussion: """
      What was run, curves, table, bits against NMSE, distribution over drops, CSI of single drops, learning curves, \
      costs, definitions and provenance, with all pictures inside. Curves need gnuplot, the distribution needs the journal of \
      the run; drops are run again with the fitted parts of the folder.
      """)

  @Argument(help: "Result folder of 'csilink run', or folder of 'csilink train'.")
  var result: String

  @Option(
    name: .shortAndLong,
    help: ArgumentHelp("The page; report.html in the folder if left out.", valueName: "file"))
  var output: String?

  @Flag(help: "Run no drops again, so that their CSI is not shown.")
  var noDrops = false

  @OptionGroup var threads: ThreadOption

  func run() throws {
    var folder = result
    while folder.count > 1, folder.hasSuffix("/") { folder.removeLast() }
    if folder.nameOfPath == "report.csv" {
      folder = folder.folderOfPath
      if folder.isEmpty { folder = "." }
    }
    let path = output ?? "\(folder)/\(ResultPage.fileName)"
    try ResultPage.write(
      folder, to: path, pool: WorkerPool(threadCount: threads.count), showsDrops: !noDrops
    ) { printError("# \($0)") }
    print("# page: \(path)")
  }
}
