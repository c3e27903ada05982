import ArgumentParser
import Foundation
import LinkMath
import Networks

/// Speed of the network engine: the csilink side of `Benchmarks/peers/networks.py`.
@main
struct NetworkBenchmark: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "network-benchmark",
    subcommands: [Train.self, Infer.self, Single.self, Layers.self, LowPrecision.self])
}

/// Options of every mode.
struct Common: ParsableArguments {
  @Argument(help: "Network, e.g. csinet, crnet, acrnet-1x, cllwcsinet, transnet.") var network:
    String
  @Option(name: .shortAndLong, help: "The n of compression ratio 1/n.") var compression = 4
  @Option(help: "Samples of a batch.") var batch = 200
  @Option(help: "Measured time, after a warm-up of a quarter of it.") var seconds = 3.0
  @Option(help: "File of 32-bit floats in [0, 1], [batch, 2, 32, 32] each; random ones without.")
  var data: String?
  @Flag(help: "Print one line of JSON.") var json = false

  func validate() throws {
    guard batch > 0, seconds > 0 else {
      throw ValidationError("--batch and --seconds are positive")
    }
  }

  func autoencoder() throws -> Autoencoder {
    try NetworkZoo.autoencoder(network, compression: compression)
  }

  /// Initial weights from a fixed seed; ranges of 8-bit layers are those of one batch.
  func weights(_ autoencoder: Autoencoder) throws -> Weights {
    var stream = StreamKey(seed: 1, domain: .initialisation, purpose: .initialisation)
      .stream(drop: 0)
    let weights = Weights.initial(autoencoder.encoder, using: &stream)
      .merging(Weights.initial(autoencoder.decoder, using: &stream))
    guard weights.values.keys.contains(where: { $0.hasSuffix("input_range") }) else {
      return weights
    }
    return try weights.calibrated(
      for: autoencoder, samples: batches()[0], by: .extremes, pool: WorkerPool(threadCount: 1))
  }

  /// Batches `[sample, 2, 32, 32]`.
  func batches() throws -> [[Float]] {
    let size = batch * 2048
    var values: [Float]
    if let data {
      values = try Data(contentsOf: URL(fileURLWithPath: data)).withUnsafeBytes {
        Array($0.bindMemory(to: Float.self))
      }
    } else {
      var stream = StreamKey(seed: 1, domain: .test, purpose: .channel).stream(drop: 0)
      values = (0..<8 * size).map { _ in Float(stream.uniform()) }
    }
    guard values.count >= size else {
      throw ValidationError("\(data ?? "") holds \(values.count) values, a batch needs \(size)")
    }
    return (0..<values.count / size).map { Array(values[$0 * size..<($0 + 1) * size]) }
  }

  /// Calls `body` until the time is over, after a warm-up.
  ///
  /// - Returns: seconds per call, on average and at best.
  func time(_ body: () -> Void) -> (mean: Double, best: Double) {
    Common.time(seconds: seconds, body)
  }

  static func time(seconds: Double, _ body: () -> Void) -> (mean: Double, best: Double) {
    let clock = ContinuousClock()
    for _ in 0..<3 { body() }
    let warm = clock.now
    while (clock.now - warm).inSeconds < seconds / 4 { body() }
    var (calls, best) = (0, Double.infinity)
    let begin = clock.now
    while true {
      let start = clock.now
      body()
      let now = clock.now
      calls += 1
      best = min(best, (now - start).inSeconds)
      let elapsed = (now - begin).inSeconds
      if elapsed >= seconds { return (elapsed / Double(calls), best) }
    }
  }

  func report(
    mode: String, part: String, threads: Int, batch: Int, _ time: (mean: Double, best: Double)
  ) {
    let rate = Double(batch) / time.mean
    let peak = peakMegabytes()
    if json {
      print(
        String(
          format: """
            {"peer": "csilink", "network": "\(network)", "mode": "\(mode)", "part": "\(part)", \
            "threads": \(threads), "batch": \(batch), "samples_per_second": %.1f, \
            "best_samples_per_second": %.1f, "microseconds": %.2f, "peak_rss_mb": %.1f}
            """, rate, Double(batch) / time.best, time.mean * 1e6, peak))
    } else {
      print(
        String(
          format:
            "\(network) \(mode) \(part): %.0f samples/s (best %.0f), %.1f us a call, peak memory %.0f MB",
          rate, Double(batch) / time.best, time.mean * 1e6, peak))
    }
  }
}

/// Largest resident set of this process.
func peakMegabytes() -> Double {
  var usage = rusage()
  getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
  return Double(usage.ru_maxrss) / 1024
}

extension Duration {
  var inSeconds: Double {
    Double(components.seconds) + Double(components.attoseconds) * 1e-18
  }
}

struct Train: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Training steps: forward, mean square error, backward, Adam.")
  @OptionGroup var common: Common
  @Option(help: "Worker threads.") var threads = 2

  func run() throws {
    let autoencoder = try common.autoencoder()
    let pool = WorkerPool(threadCount: threads)
    let trainer = try AutoencoderTrainer(
      autoencoder, weights: try common.weights(autoencoder), capacity: common.batch, pool: pool)
    let adam = Adam(trainer.groups, pool: pool)
    let batches = try common.batches()
    var turn = 0
    let time = common.time {
      batches[turn % batches.count].withUnsafeBufferPointer {
        _ = trainer.differentiate($0.baseAddress!, count: common.batch)
      }
      adam.update(rate: 1e-3)
      turn += 1
    }
    common.report(mode: "train", part: "whole", threads: threads, batch: common.batch, time)
  }
}

struct Infer: ParsableCommand {
  static let configuration = CommandConfiguration(abstract: "Encoder and decoder over batches.")
  @OptionGroup var common: Common
  @Option(help: "Worker threads.") var threads = 2

  func run() throws {
    let autoencoder = try common.autoencoder()
    let weights = try common.weights(autoencoder)
    let encoder = try InferencePlan(autoencoder.encoder, weights: weights)
    let decoder = try InferencePlan(autoencoder.decoder, weights: weights)
    let pool = WorkerPool(threadCount: threads)
    let batches = try common.batches()
    var turn = 0
    let time = common.time {
      let codewords = encoder.run(
        [batches[turn % batches.count]], count: common.batch, pool: pool)
      _ = decoder.run(codewords, count: common.batch, pool: pool)
      turn += 1
    }
    common.report(mode: "infer", part: "whole", threads: threads, batch: common.batch, time)
  }
}

struct Single: ParsableCommand {
  static let configuration = CommandConfiguration(abstract: "One sample on one thread.")
  @OptionGroup var common: Common

  func run() throws {
    let autoencoder = try common.autoencoder()
    let weights = try common.weights(autoencoder)
    let encoder = try InferencePlan(autoencoder.encoder, weights: weights)
    let decoder = try InferencePlan(autoencoder.decoder, weights: weights)
    var one = common
    one.batch = 1
    let samples = try one.batches()
    var codeword = [Float](repeating: 0, count: autoencoder.codewordLength)
    var output = [Float](repeating: 0, count: 2048)
    var turn = 0
    let encode = {
      samples[turn % samples.count].withUnsafeBufferPointer { x in
        codeword.withUnsafeMutableBufferPointer {
          encoder.run([x.baseAddress!], count: 1, into: [$0.baseAddress!])
        }
      }
      turn += 1
    }
    let decode = {
      codeword.withUnsafeBufferPointer { s in
        output.withUnsafeMutableBufferPointer {
          decoder.run([s.baseAddress!], count: 1, into: [$0.baseAddress!])
        }
      }
    }
    let parts: [(String, () -> Void)] = [
      ("encoder", encode), ("decoder", decode),
      (
        "whole",
        {
          encode()
          decode()
        }
      ),
    ]
    for (name, body) in parts {
      common.report(mode: "infer", part: name, threads: 1, batch: 1, common.time(body))
    }
  }
}
