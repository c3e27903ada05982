import ArgumentParser
import LinkMath
import Reports
import Simulation

struct ReplayCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "replay",
    abstract: "Run one drop of a result again and write the data of every stage.",
    discussion: """
      The scenario is read from the manifest, file names in it start from where the run was started: work in the same folder. The \
      numbers of the drop are compared bit by bit with the journal of the run; nothing is written if they differ. The \
      arrays: channel, observation, estimate [subcarrier, port]; truth, csi, gain, normalised [delay, angle]; codeword, \
      symbols, payload (bits, -1 behind the end), received, reconstruction; then the numbers of the metrics. Axes of slots \
      or reports and of users stand first where there are several.
      """)

  @Argument(help: "Result folder of 'csilink run'.")
  var result: String

  @Option(help: ArgumentHelp("Number of the drop, from 0.", valueName: "n"))
  var drop: Int

  @Option(
    parsing: .singleValue,
    help: ArgumentHelp(
      "Swept value of the operating point; repeated until only one is left.",
      valueName: "key=value"))
  var point: [String] = []

  @Option(
    name: .shortAndLong,
    help: ArgumentHelp(
      "File (.npz, .mat, .safetensors); replay-<row>-<drop>.npz in the folder if left out.",
      valueName: "file"))
  var output: String?

  @OptionGroup var threads: ThreadOption

  func validate() throws { _ = try conditions() }

  func run() throws {
    let recorded = try RecordedResult(reading: result)
    let row = try recorded.row(where: conditions())
    let pool = WorkerPool(threadCount: threads.count)
    // Told before anything is fitted.
    try Replay.require(recorded.preparedRun(pool: pool, isDry: true), point: row, drop: drop)
    let prepared = try recorded.preparedRun(pool: pool) { printError("# \($0)") }
    let replay = try Replay(prepared, point: row, drop: drop)
    let isConfirmed = try recorded.confirms(replay, row: row, drop: drop)
    let path = output ?? "\(recorded.place)/replay-\(row)-\(drop).npz"
    try replay.write(to: path)
    for array in replay.arrays { print("  \(array.info)") }
    printError(
      isConfirmed
        ? "# the numbers of the drop are those of the journal, bit by bit"
        : "# no journal has the drop, so nothing could be compared")
    print("# drop: \(path)")
  }

  private func conditions() throws -> [FigureRequest.Condition] {
    do {
      return try FigureRequest.Condition.list(parsing: point)
    } catch {
      throw ValidationError("--point: \(error)")
    }
  }
}
