import ArgumentParser
import Channels
import Foundation
import LinkMath
import Parts
import Scenarios
import Simulation

@main
struct Benchmarks: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "link-benchmark", subcommands: [LinkBenchmark.self, ChannelBenchmark.self],
    defaultSubcommand: LinkBenchmark.self)
}

/// Drops per second through the whole link at one operating point: the csilink side of `Benchmarks/peers/link.py`.
///
/// Pilots, AWGN, least squares, angular-delay transform, inverse, MRT rate and all metrics of the report, by the same
/// engine that runs scenarios, on a pool of channels made beforehand; with `--with-channel`, synthesis included.
struct LinkBenchmark: ParsableCommand {
  static let configuration = CommandConfiguration(commandName: "link")

  @Option(help: "Worker threads.") var threads = 2
  @Option(help: "Measured time, after a warm-up of a quarter of it.") var seconds = 5.0
  @Option(help: "Drops computed together, a power of two.") var block = 4
  @Flag(help: "Make the channels inside the measurement.") var withChannel = false
  @Flag(help: "Print the time of each stage.") var stats = false

  static let scenario = """
    name: link-benchmark
    link:
      grid: {tones: 1024, spacing: 19.53125 kHz}
      channel: {type: rayleigh, ports: 32, taps: 32, profile: exponential, tau_rms: 8}
      pilots: {type: dft, snr_db: 10}
      estimator: ls
      transform: {taps: 32}
      normaliser: none
      codec: none
      quantizer: none
      precoder: {type: mrt, snr_db: 10}
    run: {drops: 1000000000}
    """

  func run() throws {
    let (scenario, _) = try ScenarioReader.standard.read(
      text: Self.scenario, path: "link-benchmark.yaml", overrides: ["run.block=\(block)"])
    let pool = WorkerPool(threadCount: threads)
    let pooled: @Sendable (any ChannelModel) throws -> any ChannelModel = {
      try PooledChannel($0, count: 32, seed: 1)
    }
    let prepared = try PreparedRun(
      scenario, pool: pool, artefactFolder: nil,
      channels: withChannel ? nil : pooled)
    _ = try measure(prepared, pool, seconds: seconds / 4, firstBlock: 0)
    let result = try measure(prepared, pool, seconds: seconds, firstBlock: 1 << 20)
    if stats {
      for stage in prepared.statistics.stages {
        let drops = Double(max(stage.entry.calls, 1) * block)
        let microseconds = stage.entry.seconds / drops * 1e6
        print("# \(stage.section.rawValue) \((microseconds * 10).rounded() / 10) us/drop")
      }
    }
    print(result)
  }

  /// Runs rounds of blocks until the time is over.
  ///
  /// - Returns: one line of JSON, as the peers print it.
  private func measure(
    _ run: PreparedRun, _ pool: WorkerPool, seconds: Double, firstBlock: Int
  ) throws -> String {
    let clock = ContinuousClock()
    let start = clock.now
    let totals = Totals()
    var rounds = 0
    let perRound = 128 * threads
    repeat {
      let first = firstBlock + rounds * perRound
      try pool.forEach(perRound) { index, _ in
        totals.add(try run.metrics(ofBlock: first + index))
      }
      rounds += 1
    } while (clock.now - start).seconds < seconds
    let elapsed = (clock.now - start).seconds
    let drops = rounds * perRound * block
    return totals.line(threads: threads, drops: drops, seconds: elapsed, withChannel: withChannel)
  }
}

/// A fixed set of channels, used in turn.
struct PooledChannel: ChannelModel {
  private let parts: [Range<Int>: ComplexArray]
  private let count: Int
  let portCount: Int

  init(_ model: any ChannelModel, count: Int, seed: UInt64) throws {
    self.count = count
    portCount = model.portCount
    let all = try model.frequencyResponse(
      DropBlock(0..<count, domain: .train, seed: seed), slots: [0])[0]
    // Every range that a block of a power of two drops can ask for.
    var parts: [Range<Int>: ComplexArray] = [:]
    for size in [1, 2, 4, 8, 16, 32] {
      for first in stride(from: 0, to: count, by: size) {
        parts[first..<first + size] = all.slice(first..<first + size)
      }
    }
    self.parts = parts
  }

  func frequencyResponse(_ block: DropBlock, slots: [Int]) throws -> [ComplexArray] {
    let first = block.drops.lowerBound % count
    guard let part = parts[first..<first + block.drops.count] else {
      preconditionFailure("the block size must be a power of two")
    }
    return [part]
  }
}

/// Sums of the metrics, so that the results of the measured work are seen to be right.
private final class Totals: @unchecked Sendable {
  // Sendable: touched under `lock` only.
  private let lock = NSLock()
  private var sums: [DropNumber: Double] = [:]
  private var drops = 0

  func add(_ block: BlockMetrics) {
    lock.withLock {
      for drop in 0..<block.dropCount {
        for metric in [DropNumber.errorRatio, .fullRatio, .rate, .perfectRate] {
          sums[metric, default: 0] += block[0, drop, metric]
        }
      }
      drops += block.dropCount
    }
  }

  func line(threads: Int, drops measured: Int, seconds: Double, withChannel: Bool) -> String {
    let mean = { (metric: DropNumber) in self.sums[metric]! / Double(self.drops) }
    return String(
      format: """
        {"peer": "csilink", "threads": %d, "drops": %d, "seconds": %.3f, "drops_per_second": %.1f, \
        "nmse_db": %.3f, "nmse_full_db": %.3f, "rate": %.4f, "rate_perfect": %.4f, "with_channel": %@}
        """,
      threads, measured, seconds, Double(measured) / seconds, decibels(mean(.errorRatio)),
      decibels(mean(.fullRatio)), mean(.rate), mean(.perfectRate), withChannel ? "true" : "false")
  }
}
