import Foundation
import LinkMath

/// Checks the networks, or weights and results brought from another program, against a file of expected results.
///
/// The file names network, ratio and mode (`eval` if absent) in its metadata and holds parameters, input and expected
/// tensors; README.md lists the tensors and tolerances.
public enum GoldenVector {
  /// How a network is evaluated in `eval` files.
  public enum Path: String, Sendable, CaseIterable {
    /// The training plan with running statistics.
    case training
    /// The inference plan.
    case inference
  }

  /// The value of a tensor that is nearest to its limit, or farthest beyond.
  public struct Deviation: Sendable {
    /// Its name in the file.
    public let tensor: String
    /// Distance from the expected value.
    public let largest: Double
    /// What is allowed at that value.
    public let allowed: Double
    /// `largest / allowed`.
    public let ratio: Double
    /// Whether it is within what is allowed.
    public var passes: Bool { ratio <= 1 }
  }

  /// What came of a file by one path.
  public struct Report: Sendable {
    /// Network, ratio, mode and path.
    public let title: String
    /// One for each expected tensor.
    public let deviations: [Deviation]
    /// Groups of expected values that nothing here computes.
    public let unchecked: [String]
    /// Whether something was checked and all of it is within tolerance.
    public var passes: Bool { !deviations.isEmpty && deviations.allSatisfy(\.passes) }

    /// One line per tensor, and one for what was not checked.
    public var text: String {
      let table = TextTable(
        header: ["tensor", "deviation", "allowed", ""],
        rows: deviations.map { row in
          [
            row.tensor, String(format: "%.1e", row.largest), String(format: "%.1e", row.allowed),
            row.passes ? "ok" : "FAIL",
          ]
        }, rightAligned: [1, 2])
      let rest =
        unchecked.isEmpty ? "" : "\n# not implemented here: \(unchecked.joined(separator: ", "))"
      return table.text + rest
    }
  }

  /// Runs the network named by a file and compares every expected tensor.
  ///
  /// - Parameters:
  ///   - path: the file.
  ///   - paths: those wanted; of a `train` file only the training path is checked.
  ///   - pool: threads that the network is run on.
  /// - Returns: one report for each path.
  /// - Throws: ``NetworkError`` for unknown networks, unfit or missing tensors, and if only the inference path of a
  ///   `train` file is wanted; `DataFileError` for unreadable files.
  public static func verify(
    _ path: String, by paths: [Path] = Path.allCases, pool: WorkerPool
  ) throws -> [Report] {
    let file = try TensorFile(path: path)
    if file.metadata["network"] == nil, let report = try methods(file) { return [report] }
    let name = try text(file, "network")
    let mode = file.metadata["mode"] ?? "eval"
    let ratio = file.metadata["cr"].map { " 1/\($0)" } ?? ""
    func report(_ path: Path, _ body: (inout Comparison) throws -> Void) throws -> Report {
      var comparison = Comparison(file: file)
      try body(&comparison)
      return Report(
        title: "\(name)\(ratio), \(mode), \(path.rawValue) path",
        deviations: comparison.deviations, unchecked: [])
    }
    switch mode {
    case "eval":
      return try paths.map { path in
        try report(path) {
          name == "DNNet"
            ? try denoiser(file, &$0, path, pool)
            : try evaluate(file, network(file.metadata).autoencoder, &$0, path, pool)
        }
      }
    case "train":
      guard paths.contains(.training) else { throw NetworkError.needsTrainingPath }
      return [
        try report(.training) { try train(file, network(file.metadata).autoencoder, &$0, pool) }
      ]
    default: throw NetworkError.unknownMode(mode)
    }
  }

  static func text(_ file: TensorFile, _ key: String) throws(NetworkError) -> String {
    guard let value = file.metadata[key] else { throw .missingMetadata(key) }
    return value
  }

  /// The network that a file's metadata tell: `network`, `cr`, and `image` if it is not the public one.
  ///
  /// - Parameter given: settings of the family in place of those of the metadata.
  static func network(_ metadata: [String: String], given: String? = nil) throws(NetworkError)
    -> NetworkChoice
  {
    guard let name = metadata["network"] else { throw .missingMetadata("network") }
    guard let compression = metadata["cr"].flatMap({ Int($0) }) else {
      throw .missingMetadata("cr")
    }
    var image = Shape.publicImage
    if let text = metadata["image"] {
      guard let size = Shape(image: text) else {
        throw .unfitMetadata("image", expected: "angles and taps such as 32x64")
      }
      image = size
    }
    let axis =
      name.lowercased() == CsiNet.schema.name ? metadata["bn_axis"].map { "bn_axis: \($0)" } : nil
    let settings = (given ?? axis).map { " {\($0)}" } ?? ""
    return try NetworkChoice(name + settings, compression: compression, image: image)
  }

  /// Noise on the codewords of a file; nil if it has none.
  static func noise(
    _ file: TensorFile, _ autoencoder: Autoencoder, count: Int
  ) throws(NetworkError) -> [Float]? {
    guard file.tensors["noise"] != nil else { return nil }
    let shape = autoencoder.encoder.graph.outputShapes[0]
    let noise = try file.samples("noise", of: shape)
    guard noise.count == count * shape.count else {
      throw .unexpectedShape(
        "noise", expected: [count] + shape.axes, found: file.tensors["noise"]!.shape)
    }
    return noise
  }

  private static func denoiser(
    _ file: TensorFile, _ comparison: inout Comparison, _ path: Path, _ pool: WorkerPool
  ) throws {
    // Sizes come from a tensor, which the file really holds.
    guard let first = file.tensors["layers.0.weight"] else {
      throw NetworkError.missingTensor("layers.0.weight")
    }
    guard first.shape.count == 2, first.shape.allSatisfy({ $0 > 0 }) else {
      throw NetworkError.unexpectedShape(
        "layers.0.weight", expected: [1024, 128], found: first.shape)
    }
    let network = DNNet.network(codewordLength: first.shape[1], hidden: [first.shape[0]])
    let results = try run(
      network, try file.weights(for: network),
      [try file.samples("input", of: network.graph.inputShapes[0])], path, pool)
    try comparison.compare("noise_estimate", results[1], .codeword)
    try comparison.compare("output", results[0], .codeword)
  }

  private static func evaluate(
    _ file: TensorFile, _ autoencoder: Autoencoder, _ comparison: inout Comparison, _ path: Path,
    _ pool: WorkerPool
  ) throws {
    if let count = file.metadata["params"].flatMap({ Double($0) }) {
      comparison.add("params", [Double(autoencoder.parameterCount)], [count], .exact)
    }
    let shape = autoencoder.encoder.graph.inputShapes[0]
    let input = try file.samples("input", of: shape)
    let (encoder, decoder) = (autoencoder.encoder, autoencoder.decoder)
    let encoderWeights = try file.weights(for: encoder)
    let decoderWeights = try file.weights(for: decoder)
    let kind = Tolerance.output(of: autoencoder.name)
    let codeword = try run(encoder, encoderWeights, [input], path, pool)[0]
    try comparison.compare("codeword", codeword, .codeword)
    let output = try run(decoder, decoderWeights, [codeword], path, pool)[0]
    let noise = try noise(file, autoencoder, count: input.count / shape.count)
    // Files with noise hold outputs with and without it instead.
    if noise == nil || file.tensors["output"] != nil {
      try comparison.compare("output", output, kind)
    }
    if let noise {
      let noisy = zip(codeword, noise).map { $0 + $1 }
      try comparison.compare("output_noise_free", output, kind)
      try comparison.compare(
        "output_noisy_both", run(decoder, decoderWeights, [noisy], path, pool)[0], kind)
      let split = try network(file.metadata, given: "noise_wiring: denoiser_only")
        .autoencoder.decoder
      try comparison.compare(
        "output_clean_main", run(split, decoderWeights, [noisy, codeword], path, pool)[0], kind)
    }
    if file.tensors["codeword_binary"] != nil {
      guard let binary = autoencoder.binarised(.encoder) else {
        throw NetworkError.unfitMetadata("network", expected: "one with a fully connected layer")
      }
      let packed = encoderWeights.packed(for: binary.encoder)
      let scales = packed.packed.values.compactMap { packed in
        if case .signs(let signs) = packed { signs.scale } else { nil }
      }
      try comparison.compare("binary_alpha", scales, .codeword)
      let codeword = try run(binary.encoder, packed, [input], path, pool)[0]
      try comparison.compare("codeword_binary", codeword, .codeword)
      try comparison.compare(
        "output_binary", run(decoder, decoderWeights, [codeword], path, pool)[0], kind)
    }
    if file.tensors["codeword_cross_batch"] != nil {
      // Attention across the batch needs all samples at once, which only a training plan has.
      let other = try network(file.metadata, given: "cross_batch: true").autoencoder
      let codeword = try run(other.encoder, encoderWeights, [input], .training, pool)[0]
      try comparison.compare("codeword_cross_batch", codeword, .codeword)
      try comparison.compare(
        "output_cross_batch",
        run(other.decoder, decoderWeights, [codeword], .training, pool)[0], kind)
    }
  }

  /// Outputs of a network in inference mode.
  private static func run(
    _ network: Network, _ weights: Weights, _ inputs: [[Float]], _ path: Path, _ pool: WorkerPool
  ) throws -> [[Float]] {
    let count = inputs[0].count / network.graph.inputShapes[0].count
    switch path {
    case .training:
      let plan = try TrainingPlan(
        network, weights: weights, capacity: count, needsInputGradient: false, pool: pool)
      for (index, values) in inputs.enumerated() { plan.write(values, toInput: index) }
      plan.forward(count: count, isTraining: false)
      return network.graph.outputShapes.indices.map { plan.output($0) }
    case .inference:
      let plan = try InferencePlan(network, weights: weights)
      return plan.run(inputs, count: count, pool: pool)
    }
  }
}
