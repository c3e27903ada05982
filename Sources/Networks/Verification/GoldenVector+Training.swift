import LinkMath

extension GoldenVector {
  /// Loss, gradients and statistics of one step in training mode, and three steps of Adam where the file has them.
  static func train(
    _ file: TensorFile, _ autoencoder: Autoencoder, _ comparison: inout Comparison,
    _ pool: WorkerPool
  ) throws {
    let shape = autoencoder.encoder.graph.inputShapes[0]
    let input = try file.samples("input", of: shape)
    let count = input.count / shape.count
    let weights = try file.weights(for: autoencoder.encoder)
      .merging(file.weights(for: autoencoder.decoder))
    let noise = try noise(file, autoencoder, count: count)
    let trainer = try AutoencoderTrainer(
      autoencoder, weights: weights, capacity: count, needsInputGradient: true, pool: pool)

    let loss = trainer.differentiate(input, target: input, noise: noise)
    try comparison.compare("loss", [Float(loss)], .loss)
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

    let adam = Adam(trainer.groups, pool: pool)
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
}
