import ArgumentParser
import LinkMath
import Networks

/// One fully connected layer on one thread in each precision: real, signs, 8 bits with stored and with dynamic ranges.
struct LowPrecision: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "low-precision",
    abstract: "A fully connected layer on one thread: real, binary, 8 bits.")
  @Option(help: "Inputs.") var inputs = 2048
  @Option(help: "Outputs.") var outputs = 512
  @Option(help: "Samples of a call.") var batch = 1
  @Option(help: "Measured time of each, after a warm-up of a quarter of it.") var seconds = 1.0
  @Option(help: "Rounds, in which the precisions take turns.") var rounds = 3

  func run() throws {
    let real = Network("layer", Dense(inputs, outputs), input: .vector(inputs))
    var stream = StreamKey(seed: 1, domain: .test, purpose: .initialisation).stream(drop: 0)
    let x = stream.normal(count: batch * inputs)
    var weights = Weights.initial(real, using: &stream)
    weights["input_range"] = [-4, 4]
    let networks: [(String, Network)] = [
      ("real", real),
      ("binary", real.replacing { _, operation in operation.binary }),
      ("int8", real.replacing { Int8Layer($1) }),
      ("int8 dynamic", real.replacing { Int8Layer($1, isDynamic: true) }),
    ]
    let plans = try networks.map { name, network in
      (name, try InferencePlan(network, weights: weights.keyed(for: network)))
    }
    var y = [Float](repeating: 0, count: batch * outputs)
    var best = [String: Double]()
    for _ in 0..<rounds {
      for (name, plan) in plans {
        let time = Common.time(seconds: seconds) {
          x.withUnsafeBufferPointer { x in
            y.withUnsafeMutableBufferPointer {
              plan.run([x.baseAddress!], count: batch, into: [$0.baseAddress!])
            }
          }
        }
        best[name] = min(best[name] ?? .infinity, time.best)
      }
    }
    print("\(inputs) inputs, \(outputs) outputs, \(batch) samples, \(KernelLevel.name)")
    for (name, _) in plans {
      let time = best[name]!
      print(
        "\(name): \((time * 1e7).rounded() / 10) us, \((best["real"]! / time * 100).rounded() / 100) of real's speed"
      )
    }
  }
}

extension NetworkOperation {
  /// The binary form of a dense layer; nil for all others.
  fileprivate var binary: (any Layer)? {
    guard case .dense(let product) = self else { return nil }
    return BinaryDense(product)
  }
}

extension Weights {
  /// With the range under the key that the network gives it.
  fileprivate func keyed(for network: Network) -> Weights {
    var result = self
    for (key, _) in network.parameters where key.hasSuffix("input_range") {
      result[key] = self["input_range"]
    }
    return result
  }
}
