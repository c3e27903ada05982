import ArgumentParser
import Channels
import Foundation
import LinkMath
import Parts
import Scenarios
import Simulation
import Synchronization

/// Drops per second of channels on one thread, frequency response of one slot included.
struct ChannelBenchmark: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "channels",
    abstract: "Drops per second of the channels of scenarios, frequency response included.")

  @Argument(help: "Scenario files; a swept channel is measured at each of its values.")
  var scenarios: [String]
  @Option(
    parsing: .singleValue, help: "As of csilink: a value for a key, in all scenarios.")
  var set: [String] = []
  @Option(help: "Measured time of each channel, after a warm-up of a quarter of it.")
  var seconds = 2.0
  @Option(help: "Drops computed together.") var block = 4

  func run() throws {
    for path in scenarios {
      let (scenario, _) = try ScenarioReader.standard.read(path, overrides: set)
      let channels = Mutex<[any ChannelModel]>([])
      _ = try PreparedRun(
        scenario, pool: WorkerPool(threadCount: 1), artefactFolder: nil, isDry: true,
        channels: { channel in
          channels.withLock { $0.append(channel) }
          return channel
        })
      for channel in channels.withLock({ $0 }) {
        _ = try measure(channel, seconds: seconds / 4, first: 1 << 20)
        let rate = try measure(channel, seconds: seconds, first: 0)
        print(
          String(
            format: """
              {"scenario": "%@", "channel": "%@", "drops_per_second": %.1f, "microseconds": %.1f}
              """,
            scenario.name, "\(type(of: channel))", rate, 1e6 / rate))
      }
    }
  }

  private func measure(_ channel: any ChannelModel, seconds: Double, first: Int) throws -> Double {
    let start = ContinuousClock().now
    var drops = 0
    var elapsed = 0.0
    repeat {
      for _ in 0..<8 {
        let block = DropBlock(first + drops..<first + drops + block, seed: 1)
        _ = try channel.frequencyResponse(block, slots: [0])
        drops += block.drops.count
      }
      elapsed = (ContinuousClock().now - start) / .seconds(1)
    } while elapsed < seconds
    return Double(drops) / elapsed
  }
}
