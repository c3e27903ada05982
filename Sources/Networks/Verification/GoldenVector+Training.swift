import LinkMath

extension GoldenVector {
  /// Loss, gradients and statistics of one step in training mode, and three steps of Adam where the file has them.
  static func train(
    _ file: TensorFile, _ autoencoder: Autoencoder, _ comparison: inout Comparison,
    _ pool: WorkerPool
  ) throws {
    let input = try file.values("input")
    let count = input.count / autoencoder.encoder.graph.inputShapes[0].count
    let weights = try file.weights(for: autoencoder.encoder)
      .merging(file.weights(for: autoencoder.decoder))
    let noise = file.tensors["noise"] == nil ? nil : try file.values("noise")
    let trainer = try AutoencoderTrainer(
      autoencoder, weights: weights, capacity: count, needsInputGradient: true, pool: pool)

    let loss = trainer.differentiate(input, target: input, noise: noise)
    comparison.add("loss", [Float(loss)], try file.values("loss"), .loss)
    try comparison.compare("codeword", trainer.encoder.output(), .codeword)
    try comparison.compare(
      "output", trainer.decoder.output(), .output(of: autoencoder.name))
    try comparison.compare("grad_input", trainer.encoder.inputGradient(), .gradient)
    for (key, gradient) in trainer.gradients.sorted(by: { $0.key < $1.key }) {
      try comparison.compare("grad." + key, gradient, .gradient)
    }
    let after = trainer.weights
    for key in after.values.keys.sorted() where file.tensors["after." + key] != nil {
      try comparison.compare("after." + key, after[key]!, .statistics)
    }
    guard file.tensors["adam3.losses"] != nil else { return }

    let adam = Adam([trainer.encoder, trainer.decoder], pool: pool)
    var losses = [Float(loss)]
    adam.update(rate: 1e-3)
    for _ in 0..<2 {
      losses.append(Float(trainer.differentiate(input, target: input, noise: noise)))
      adam.update(rate: 1e-3)
    }
    try comparison.compare("adam3.losses", losses, .adam)
    let moved = trainer.weights
    for key in moved.values.keys.sorted() where file.tensors["adam3." + key] != nil {
      try comparison.compare("adam3." + key, moved[key]!, .adam)
    }
  }

  /// How far a value may be from the expected one.
  enum Tolerance {
    case exact, sigmoidOutput, plainOutput, codeword, loss, gradient, statistics, adam

    static func output(of network: String) -> Tolerance {
      ["TransNet", "CsiNetPlus"].contains(network) ? .plainOutput : .sigmoidOutput
    }

    /// Absolute and relative part.
    var parts: (absolute: Float, relative: Float) {
      switch self {
      case .exact: (0, 0)
      case .sigmoidOutput: (1e-5, 0)
      case .plainOutput: (5e-5, 1e-4)
      case .codeword: (2e-5, 1e-4)
      case .loss: (0, 1e-5)
      case .gradient: (1e-8, 2e-4)
      case .statistics: (1e-5, 1e-5)
      case .adam: (2e-5, 0)
      }
    }
  }

  /// Collects deviations from the tensors of a file.
  struct Comparison {
    let file: TensorFile
    private(set) var deviations: [Deviation] = []

    init(file: TensorFile) { self.file = file }

    mutating func compare(_ key: String, _ values: [Float], _ tolerance: Tolerance) throws {
      add(key, values, try file.values(key), tolerance)
    }

    mutating func add(
      _ key: String, _ values: [Float], _ expected: [Float], _ tolerance: Tolerance
    ) {
      let (absolute, relative) = tolerance.parts
      let peak = expected.reduce(0) { max($0, abs($1)) }
      var (largest, ratio): (Float, Float) = (0, 0)
      if values.count != expected.count { (largest, ratio) = (.infinity, .infinity) }
      for (value, wanted) in zip(values, expected) {
        let distance = abs(value - wanted)
        // Gradients are compared against the largest entry of their tensor.
        let size: Float = if case .gradient = tolerance { peak } else { abs(wanted) }
        let allowed = absolute + relative * size
        largest = max(largest, distance)
        ratio = max(ratio, distance == 0 ? 0 : allowed > 0 ? distance / allowed : .infinity)
        if !distance.isFinite { (largest, ratio) = (.infinity, .infinity) }
      }
      deviations.append(Deviation(tensor: key, largest: largest, ratio: ratio))
    }
  }
}
