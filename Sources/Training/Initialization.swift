import LinkMath
import Networks
import Parts

/// What the parameters of a network have before its first step.
public enum Initialization: String, Choice {
  /// Values drawn as each layer declares them.
  case drawn
  /// `PrincipalStart` of Networks: the principal components of the training set.
  case principal_components
  /// The same after a random rotation that gives all reals of a codeword one variance.
  case rotated_components

  static let parameter = Parameter<Initialization>.choice(
    "initialization", default: .drawn,
    """
    What the parameters have before the first step: values drawn as each layer declares them, or the principal components of \
    the images in the dense layers at the codeword, all other layers handing the image on (a binary encoder has their signs, its decoder the best linear estimate from them); \
    rotated_components are turned at random until all reals of a codeword have the variance 1, for quantisers with the same cells for all of them and codewords \
    in [0, 1] or [-1, 1]. Weights of 'start' replace all.
    """)

  /// The start of a network of which the decoder is trained too.
  ///
  /// Components have signs of their own, and those of nearly equal variance mix: an encoder that starts as them does not suit a decoder that
  /// stays as it is, and has more to unlearn than one that is drawn.
  ///
  /// - Throws: `SettingsError` for a network that has no such start, and for a method that keeps a decoder.
  static func principalStart(
    _ network: NetworkChoice, _ settings: TrainingSettings, seed: UInt64 = 0
  ) throws(SettingsError) -> PrincipalStart {
    if settings.method.keepsDecoder {
      throw settings.error(
        parameter.key, "an encoder of other components does not suit the decoder that is there",
        hint: hint(.drawn))
    }
    let autoencoder = settings.autoencoder(network)
    let isRotated = settings.initialization == .rotated_components
    do {
      return try PrincipalStart(
        autoencoder, axes: isRotated ? .rotated(seed: seed) : .components)
    } catch {
      let canBeRotated = (try? PrincipalStart(autoencoder, axes: .rotated(seed: seed))) != nil
      throw settings.error(
        parameter.key, "\(error)", hint: hint(canBeRotated ? .rotated_components : .drawn))
    }
  }

  private static func hint(_ other: Initialization) -> String {
    "write '\(parameter.key): \(other.rawValue)'"
  }

  /// Samples that the components are taken from, for each value of an image.
  private static let samplesPerValue = 10
  private static let batch = 256

  /// The initial weights of a training.
  ///
  /// - Parameters:
  ///   - network: what is trained.
  ///   - settings: what they start as.
  ///   - data: principal components are those of the targets of the first epoch, of 10 for each value of an image at most.
  ///   - given: values that replace the initial ones; nothing but drawing is done if it has all.
  ///   - seed: of drawn values.
  ///   - pool: divides the loading of samples; the result does not depend on it.
  ///   - progress: samples that are done, and all of them.
  ///   - shouldStop: looked at between batches of samples.
  /// - Returns: nil if stopped.
  /// - Throws: `SettingsError` for fewer samples than components and for a network that has no such start, errors of the data.
  public static func weights(
    _ network: NetworkChoice, _ settings: TrainingSettings, _ data: TrainingData,
    start given: Weights = Weights(), seed: UInt64, pool: WorkerPool,
    progress: (_ done: Int, _ total: Int) -> Void = { _, _ in },
    shouldStop: () -> Bool = { false }
  ) throws -> Weights? {
    let autoencoder = settings.autoencoder(network)
    let drawn = TrainingLoop.initialWeights(
      autoencoder, seed: seed, outputGain: settings.outputGain)
    guard settings.initialization != .drawn,
      !drawn.values.keys.allSatisfy({ given[$0] != nil })
    else { return drawn }
    let start = try principalStart(network, settings, seed: seed)
    let source = data.training
    guard source.count >= start.componentCount else {
      throw settings.error(
        parameter.key,
        "needs at least \(start.componentCount) samples, the reals of a codeword of \(network.title), "
          + "but an epoch has \(source.count)")
    }
    let count = min(source.count, samplesPerValue * source.targetSize)
    let order = source.order(ofEpoch: 0, seed: seed).prefix(count)
    let samples = SampleBatch(source, capacity: batch)
    var moment = SecondMoment(size: source.targetSize)
    var first: [Float] = []
    for place in stride(from: order.startIndex, to: order.endIndex, by: batch) {
      if shouldStop() { return nil }
      let numbers = order[place..<min(place + batch, order.endIndex)]
      try samples.load(numbers, pool)
      let values = UnsafeBufferPointer(
        start: samples.targets, count: numbers.count * source.targetSize)
      if first.isEmpty { first = Array(values) }
      values.map { $0 - 0.5 }.withUnsafeBufferPointer { moment.add($0) }
      progress(moment.count, count)
    }
    return try start.weights(drawn, moment: moment.mean(), samples: first, pool: pool)
  }
}
