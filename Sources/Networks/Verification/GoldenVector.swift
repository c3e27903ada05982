import LinkMath

/// Checks an implementation of the networks against a file of expected results.
///
/// The file names network, ratio and mode (`eval` if absent) in its metadata and holds parameters, input and expected tensors; the format
/// and the tolerances are those of the golden vectors' README.
public enum GoldenVector {
  /// How a network is evaluated in `eval` files.
  public enum Path: String, Sendable, CaseIterable {
    /// The training plan with running statistics.
    case training
    /// The inference plan.
    case inference
  }

  /// Largest deviation of one tensor from its expected values.
  public struct Deviation: Sendable {
    public let tensor: String
    public let largest: Float
    /// Largest ratio of a deviation to what is allowed at that element.
    public let ratio: Float
    public var passes: Bool { ratio <= 1 }
  }

  public struct Report: Sendable {
    public let network: String
    public let mode: String
    public let deviations: [Deviation]
    public var passes: Bool { !deviations.isEmpty && deviations.allSatisfy(\.passes) }
  }

  /// Runs the network named by a file and compares every expected tensor.
  ///
  /// - Throws: ``NetworkError`` for unknown networks or missing tensors, `DataFileError` for unreadable files.
  public static func verify(_ path: String, by evaluation: Path = .training, pool: WorkerPool)
    throws
    -> Report
  {
    let file = try TensorFile(path: path)
    let name = try text(file, "network")
    let mode = file.metadata["mode"] ?? "eval"
    var comparison = Comparison(file: file)
    switch (name, mode) {
    case ("DNNet", "eval"): try denoiser(file, &comparison, evaluation, pool)
    case (_, "eval"):
      try evaluate(file, autoencoder(file), &comparison, evaluation, pool)
    case (_, "train"): try train(file, autoencoder(file), &comparison, pool)
    default: throw NetworkError.unknownMode(mode)
    }
    return Report(network: name, mode: mode, deviations: comparison.deviations)
  }

  static func text(_ file: TensorFile, _ key: String) throws(NetworkError) -> String {
    guard let value = file.metadata[key] else { throw .missingMetadata(key) }
    return value
  }

  /// The autoencoder a file's metadata names.
  static func autoencoder(_ file: TensorFile, suffix: String = "") throws(NetworkError)
    -> Autoencoder
  {
    guard let compression = Int(try text(file, "cr")) else { throw .missingMetadata("cr") }
    var name = try text(file, "network").lowercased()
    if name == "csinet", file.metadata["bn_axis"] == "width" { name = "csinet-width" }
    return try NetworkZoo.autoencoder(name + suffix, compression: compression)
  }

  private static func denoiser(
    _ file: TensorFile, _ comparison: inout Comparison, _ path: Path, _ pool: WorkerPool
  ) throws {
    guard let length = Int(try text(file, "codeword")) else {
      throw NetworkError.missingMetadata("codeword")
    }
    guard let first = file.tensors["layers.0.bias"] else {
      throw NetworkError.missingTensor("layers.0.bias")
    }
    let network = DNNet.network(codewordLength: length, hidden: [first.shape[0]])
    let results = try run(
      network, try file.weights(for: network), [try file.values("input")], path, pool)
    try comparison.compare("noise_estimate", results[1], .codeword)
    try comparison.compare("output", results[0], .codeword)
  }

  private static func evaluate(
    _ file: TensorFile, _ autoencoder: Autoencoder, _ comparison: inout Comparison, _ path: Path,
    _ pool: WorkerPool
  ) throws {
    if let count = file.metadata["params"].flatMap({ Float($0) }) {
      comparison.add("params", [Float(autoencoder.parameterCount)], [count], .exact)
    }
    let input = try file.values("input")
    let (encoder, decoder) = (autoencoder.encoder, autoencoder.decoder)
    let encoderWeights = try file.weights(for: encoder)
    let decoderWeights = try file.weights(for: decoder)
    let kind = Tolerance.output(of: autoencoder.name)
    let codeword = try run(encoder, encoderWeights, [input], path, pool)[0]
    try comparison.compare("codeword", codeword, .codeword)
    let output = try run(decoder, decoderWeights, [codeword], path, pool)[0]
    if file.tensors["output"] != nil { try comparison.compare("output", output, kind) }
    if file.tensors["noise"] != nil {
      let noise = try file.values("noise")
      let noisy = zip(codeword, noise).map { $0 + $1 }
      try comparison.compare("output_noise_free", output, kind)
      try comparison.compare(
        "output_noisy_both", run(decoder, decoderWeights, [noisy], path, pool)[0], kind)
      let split = try Self.autoencoder(file, suffix: "-clean").decoder
      try comparison.compare(
        "output_clean_main", run(split, decoderWeights, [noisy, codeword], path, pool)[0], kind)
    }
    if file.tensors["codeword_binary"] != nil {
      let (binary, alpha) = try encoderWeights.binarizing("encoder_binary_fc.weight")
      try comparison.compare("binary_alpha", [alpha], .codeword)
      let codeword = try run(encoder, binary, [input], path, pool)[0]
      try comparison.compare("codeword_binary", codeword, .codeword)
      try comparison.compare(
        "output_binary", run(decoder, decoderWeights, [codeword], path, pool)[0], kind)
    }
    if file.tensors["codeword_cross_batch"] != nil {
      // Attention across the batch needs all samples at once, which only a training plan has.
      let other = try Self.autoencoder(file, suffix: "-cross-batch")
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
    for (values, shape) in zip(inputs, network.graph.inputShapes) {
      guard values.count == count * shape.count else {
        throw NetworkError.unexpectedShape(
          "input", expected: [count, shape.count], found: [values.count])
      }
    }
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
