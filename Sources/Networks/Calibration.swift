import DataFiles
import LinkMath

/// How the range of an 8-bit activation follows from samples.
public enum CalibrationRule: String, Sendable, CaseIterable {
  /// The smallest and the largest value of all.
  case extremes = "min_max"
  /// A moving average of those of batches of 50, `range <- range + 0.1 (batch - range)`.
  case movingAverage = "moving_average"
}

extension Weights {
  /// The weights of an autoencoder with 8-bit layers, from those of its real form and samples that tell the ranges of the
  /// activations.
  ///
  /// Every layer sees what the layers before it give on real numbers; the decoder sees codewords of the finished encoder. Equal
  /// samples give equal ranges, whatever the number of threads.
  ///
  /// - Parameters:
  ///   - autoencoder: with 8-bit layers.
  ///   - samples: `[sample, 2, angle, delay]`, at least one.
  ///   - rule: how ranges follow from samples.
  ///   - pool: threads that samples are run on.
  /// - Returns: these weights with the ranges.
  /// - Throws: ``NetworkError`` for missing or unfit weights.
  public func calibrated(
    for autoencoder: Autoencoder, samples: [Float], by rule: CalibrationRule, pool: WorkerPool
  ) throws(NetworkError) -> Weights {
    let count = samples.count / autoencoder.encoder.graph.inputShapes[0].count
    precondition(count > 0, "a calibration needs samples")
    var result = try calibrated(for: autoencoder.encoder, samples, count, rule, pool)
    let encoder = try InferencePlan(autoencoder.encoder, weights: result)
    let codewords = encoder.run([samples], count: count, pool: pool)[0]
    result = try result.calibrated(for: autoencoder.decoder, codewords, count, rule, pool)
    return result
  }

  private func calibrated(
    for network: Network, _ samples: [Float], _ count: Int, _ rule: CalibrationRule,
    _ pool: WorkerPool
  ) throws(NetworkError) -> Weights {
    guard let (probe, ranges) = network.probe() else { return self }
    let batch = min(50, count)
    let plan = try TrainingPlan(
      probe, weights: self, capacity: batch, needsInputGradient: false, pool: pool)
    var found: [ObjectIdentifier: (low: Float, high: Float)] = [:]
    let size = network.graph.inputShapes[0].count
    for start in stride(from: 0, to: count, by: batch) {
      let end = min(start + batch, count)
      plan.write(Array(samples[start * size..<end * size]))
      plan.forward(count: end - start, isTraining: false)
      for (range, other) in Self.extremes(plan, ranges) {
        var (low, high) = found[range] ?? (0, 0)
        switch rule {
        case .extremes: (low, high) = (min(low, other.low), max(high, other.high))
        case .movingAverage:
          FakeQuantization.move(&low, &high, towards: (other.low, other.high), share: 0.1)
        }
        found[range] = (low, high)
      }
    }
    var result = self
    for (key, parameter) in network.parameters {
      if let range = found[ObjectIdentifier(parameter)] { result[key] = [range.low, range.high] }
    }
    return result
  }

  /// Smallest and largest value of a batch for each range, 0 among them.
  private static func extremes(_ plan: TrainingPlan, _ ranges: [NetworkParameter])
    -> [ObjectIdentifier: (low: Float, high: Float)]
  {
    var extremes: [ObjectIdentifier: (low: Float, high: Float)] = [:]
    for (index, range) in ranges.enumerated() {
      let (low, high) = extremes[ObjectIdentifier(range)] ?? (0, 0)
      let values = plan.output(index)
      extremes[ObjectIdentifier(range)] = (
        values.reduce(low) { min($0, $1) }, values.reduce(high) { max($0, $1) }
      )
    }
    return extremes
  }
}

extension Network {
  /// The network with its 8-bit layers on real numbers, whose outputs are what these layers read, with the range of each.
  ///
  /// - Returns: nil if no layer has a stored range.
  fileprivate func probe() -> (network: Network, ranges: [NetworkParameter])? {
    var ranges: [NetworkParameter] = []
    let traced = Graph.trace(graph.inputShapes) { signals in
      var values: [Signal] = []
      var probes: [Signal] = []
      for node in graph.nodes {
        let sources = node.inputs.map { values[$0] }
        switch node.operation {
        case .input(let number): values.append(signals[number])
        case .fakeQuantization(let quantization):
          ranges.append(quantization.range)
          probes.append(sources[0])
          values.append(sources[0])
        default:
          values.append(
            sources[0].applying(
              node.operation.onRealNumbers, Array(sources.dropFirst()), shape: node.shape))
        }
      }
      return probes
    }
    return ranges.isEmpty ? nil : (Network(name, root, graph: traced), ranges)
  }
}

extension NetworkOperation {
  /// The operation without 8-bit integers.
  fileprivate var onRealNumbers: NetworkOperation {
    switch self {
    case .convolution(var layer):
      layer.precision = .real
      return .convolution(layer)
    case .dense(var product) where product.precision != .binary:
      product.precision = .real
      return .dense(product)
    default: return self
    }
  }
}

/// Files of weights of a network with 8-bit layers, made from those of its real form.
public struct Quantization: Sendable {
  /// What came of it.
  public struct Summary: Sendable {
    /// Files of the encoder's and the decoder's weights.
    public let files: [String]
    /// Samples that the ranges follow from and that the errors are of.
    public let sampleCount: Int
    /// Bytes of the files of both sides on real numbers, and of those written.
    public let bytes: (real: Int, quantised: Int)
    /// Errors of the reconstructions.
    public let real, quantised: ErrorTotals
  }

  private let target, source: NetworkChoice
  private let encoder, decoder: WeightsFile

  /// - Parameters:
  ///   - network: with 8-bit layers.
  ///   - weights: files or folders of the real form of the network; the first that has a side is used for it.
  /// - Throws: ``NetworkError`` for a network without 8-bit layers and for one that cannot be run sample by sample,
  ///   `DataFileError` for unfit weights.
  public init(_ network: NetworkChoice, weights: [String]) throws {
    target = network
    source = try network.unquantised
    guard source != target else { throw NetworkError.nothingToQuantise(network.name) }
    for side in WeightsFile.Side.allCases {
      let graph = side.network(of: network.autoencoder).graph
      if graph.inputShapes.count > 1 { throw NetworkError.needsCleanCodeword(network.name) }
      if graph.attendsAcrossBatch { throw NetworkError.needsWholeBatch(network.name) }
    }
    (encoder, decoder) = try WeightsFile.both(weights, source)
    try decoder.requireTraining(of: encoder)
  }

  /// Calibrates and writes both files.
  ///
  /// - Parameters:
  ///   - input: `[sample, 2, angle, delay]` or `[sample, 2 · angles · delays]`.
  ///   - limit: samples that are read at most.
  ///   - rule: how ranges follow from samples.
  ///   - folder: where the files appear, made if missing.
  ///   - label: word that tells several trainings of one network apart.
  ///   - pool: threads that samples are run on.
  /// - Throws: `DataFileError` for unfit samples and unwritable places.
  public func write(
    _ input: ArrayReader, limit: Int, by rule: CalibrationRule, in folder: String,
    label: String? = nil, pool: WorkerPool
  ) throws -> Summary {
    let samples = try samples(input, limit)
    let count = samples.count / target.image.count
    let real = encoder.weights.merging(decoder.weights)
    let weights = try real.calibrated(
      for: target.autoencoder, samples: samples, by: rule, pool: pool)
    var metadata = encoder.metadata.filter {
      !["format", "side", "network", "cr", "image"].contains($0.key)
    }
    metadata["calibration"] = "\(rule.rawValue) of \(count) samples"
    let files = try WeightsFile.store(
      weights, target, label: label, quantizer: encoder.quantizer, metadata: metadata, in: folder)
    return Summary(
      files: files, sampleCount: count,
      bytes: (bytes(source), bytes(target)),
      real: try error(source, real, samples, pool),
      quantised: try error(target, weights, samples, pool))
  }

  private func bytes(_ network: NetworkChoice) -> Int {
    SideDescription(network.autoencoder.encoder).weightBytes
      + SideDescription(network.autoencoder.decoder).weightBytes
  }

  private func samples(_ input: ArrayReader, _ limit: Int) throws -> [Float] {
    let (info, image) = (input.info, target.image)
    let shapes = [[image.channels, image.height, image.width], [image.count]]
    guard !info.isComplex, info.rowCount > 0, shapes.contains(Array(info.shape.dropFirst())) else {
      throw DataFileError(
        file: input.path, variable: info.name,
        expected: "a real array [samples, \(image.channels), \(image.height), \(image.width)]"
          + " or [samples, \(image.count)] with samples", found: info.description)
    }
    let values = try input.rows(0..<min(info.rowCount, limit)).floats()
    guard values.allSatisfy(\.isFinite) else {
      throw DataFileError(
        file: input.path, variable: info.name, expected: "finite values", found: "another one")
    }
    return values
  }

  private func error(
    _ network: NetworkChoice, _ weights: Weights, _ samples: [Float], _ pool: WorkerPool
  ) throws -> ErrorTotals {
    let (size, autoencoder) = (network.image.count, network.autoencoder)
    let count = samples.count / size
    let codewords = try InferencePlan(autoencoder.encoder, weights: weights)
      .run([samples], count: count, pool: pool)
    let output = try InferencePlan(autoencoder.decoder, weights: weights)
      .run(codewords, count: count, pool: pool)[0]
    var error = ErrorTotals()
    for start in stride(from: 0, to: samples.count, by: size) {
      error.add(samples[start..<start + size], output[start..<start + size])
    }
    return error
  }
}
