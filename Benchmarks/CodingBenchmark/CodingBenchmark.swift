import ArgumentParser
import Coding
import Foundation
import LinkMath

/// Measurements of the room of bits; `kmeans` is the csilink side of `Benchmarks/peers/kmeans.py`.
@main
struct CodingBenchmark: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "coding-benchmark", subcommands: [KMeans.self, Exchange.self])
}

/// Exact one-dimensional k-means on one thread, sorting included.
struct KMeans: ParsableCommand {
  static let configuration = CommandConfiguration(commandName: "kmeans")
  @Option(help: "Samples of an output.") var samples = 100_000
  @Option(help: "Levels.") var levels = 16
  @Option(help: "Outputs, one after the other.") var outputs = 8
  @Option(help: "File of 32-bit floats, [output, sample]; standard normal ones without.")
  var data: String?
  @Flag(help: "Print one line of JSON.") var json = false

  func run() throws {
    let rows = try rows()
    let start = clock()
    let errors = rows.map {
      ExactKMeans.clusters(of: SortedPoints($0), levelCount: levels).error
    }
    // Of the processor, so that a busy machine does not matter.
    let seconds = Double(clock() - start) / Double(CLOCKS_PER_SEC)
    if json {
      print("{\"seconds_per_output\": \(seconds / Double(outputs)), \"errors\": \(errors)}")
    } else {
      print("\(seconds / Double(outputs) * 1e3) ms an output, error of the first \(errors[0])")
    }
  }

  private func rows() throws -> [[Float]] {
    guard let data else {
      return (0..<outputs).map { output in
        var stream = StreamKey(seed: 1, domain: .test, purpose: .channel).stream(drop: output)
        return stream.normal(count: samples)
      }
    }
    let values = try Data(contentsOf: URL(fileURLWithPath: data)).withUnsafeBytes {
      Array($0.bindMemory(to: Float.self))
    }
    guard values.count >= outputs * samples else {
      throw ValidationError(
        "\(data) holds \(values.count) values, \(outputs * samples) are asked for")
    }
    return (0..<outputs).map { Array(values[$0 * samples..<($0 + 1) * samples]) }
  }
}
