import ArgumentParser
import DataFiles
import Datasets
import Foundation
import LinkMath
import Simulation

extension DatasetRequest.Layout: ExpressibleByArgument {}
extension DatasetRequest.Format: ExpressibleByArgument {}

/// The random domains that data are drawn from.
enum DataDomain: String, ExpressibleByArgument, CaseIterable {
  case run, train, validation, test, fit

  var key: StreamKey.Domain {
    switch self {
    case .run: .run
    case .train: .train
    case .validation: .validation
    case .test: .test
    case .fit: .fit
    }
  }
}

struct DataGenerateCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "generate", abstract: "Write the true channels of a scenario to files.",
    discussion: """
      Layouts: csinet, real [drop, 2, angle, delay] as the networks of the link are given them; frequency, complex \
      [drop, (slot,) subcarrier, port]; delay, complex [drop, (slot,) delay, angle], truncated. Beside the channels stands \
      'gain_db', the level that the channel's 'normalise' took out of each drop. A folder gets shards and manifest.json, a \
      file FILE.json. What was stopped in any way continues with the same command after its last finished shard, and a \
      larger --drops continues a smaller one in a folder.
      """)

  @OptionGroup var scenario: ScenarioOptions
  @OptionGroup var threads: ThreadOption

  @Option(help: "Number of drops.") var drops: Int

  @Option(
    name: .shortAndLong,
    help: "Folder, or a file .npy, .npz, .mat, .csv or .safetensors.")
  var output: String

  @Option(help: "csinet, frequency or delay.") var layout = DatasetRequest.Layout.csinet
  @Option(help: "Random domain: run, train, validation, test or fit.") var domain = DataDomain.run
  @Option(help: "Number of the first drop.") var first = 0
  @Option(help: "Drops of a file; about 256 MiB if left out.") var shardSize: Int?
  @Option(help: "Format in a folder: npy, npz, mat, csv or safetensors.")
  var format: DatasetRequest.Format?
  @Option(help: "Slots of each drop; adds a slot axis.") var slots: Int?
  @Flag(help: "Replace what is there.") var fresh = false

  private var fileFormat: DatasetRequest.Format? { DatasetRequest.Format(of: output) }

  func validate() throws {
    for (name, value, range) in [
      ("drops", drops, 1...(1 << 40)), ("first", first, 0...(1 << 40)),
      ("shard-size", shardSize ?? 1, 1...(1 << 40)), ("slots", slots ?? 1, 1...100_000),
    ] where !range.contains(value) {
      throw ValidationError(
        "--\(name) must be in \(range.lowerBound)...\(range.upperBound), got \(value)")
    }
    if slots != nil && layout == .csinet {
      throw ValidationError("layout csinet has no slots; choose frequency or delay")
    }
    if (format ?? fileFormat) == .csv && layout != .csinet {
      throw ValidationError(
        "csv holds no complex numbers with axes; choose another format than csv, or layout csinet")
    }
    if fileFormat == nil, let suffix = ArrayFormat.suffix(of: output),
      suffix.first?.isLetter == true
    {
      throw ValidationError(
        "--output: '.\(suffix)' is none of .npy, .npz, .mat, .csv and .safetensors; "
          + "end the name of a folder in /")
    }
    if let fileFormat {
      if shardSize != nil { throw ValidationError("--shard-size needs a folder as --output") }
      if let format, format != fileFormat {
        throw ValidationError("--format \(format.rawValue) does not fit the name \(output)")
      }
    }
  }

  func run() throws {
    let pool = WorkerPool(threadCount: threads.count)
    let source = try DatasetSource(scenario.read(), pool: pool) { printError("# \($0)") }
    let request = DatasetRequest(
      layout: layout, domain: domain.key, first: first, drops: drops, slots: slots,
      shardSize: shardSize, format: format ?? fileFormat ?? .npy)
    let generation = try DatasetGeneration(source, request, output: output, pool: pool)
    let line = ProgressLine()
    let interrupt = InterruptFlag()
    let clock = ContinuousClock()
    let began = clock.now
    var made = 0
    let manifest = try generation.execute(
      fresh: fresh,
      progress: { progress in
        made = progress.done - progress.kept
        line.show { Self.text(progress) }
      }, shouldStop: { interrupt.isRaised })
    line.finish()
    guard let manifest else {
      printError("# interrupted; the same command continues")
      throw ExitCode(130)
    }
    let seconds = (clock.now - began) / .seconds(1)
    let files = manifest.shards.flatMap(\.files)
    print("drops    \(manifest.drops), \(made) of them drawn now")
    print("files    \(files.count), \(files.reduce(0) { $0 + $1.bytes }) bytes")
    print(String(format: "drops/s  %.0f", Double(made) / max(seconds, 1e-9)))
    print("# manifest: \(generation.manifestPath)")
  }

  private static func text(_ progress: DatasetGeneration.Progress) -> String {
    let rate = Double(progress.done - progress.kept) / max(progress.elapsed.seconds, 1e-9)
    let left = Double(progress.total - progress.done) / max(rate, 1e-9)
    return
      "# \(progress.done) of \(progress.total) drops, \(String(format: "%.0f", rate)) drops/s, "
      + "\(ProgressLine.clock(left)) left"
  }
}
