import Foundation
import LinkMath
import Networks
import Parts
import Scenarios
import Simulation
import TestSupport
import Testing
import Training

/// A family of a program of its own, composed of public layers: one fully connected layer on each side.
private enum Linear: NetworkFamily {
  static let bias = Parameter.flag("bias", default: true, "Whether the encoder adds a bias.")
  static let schema = PartSchema(
    .codec, "linear", "One layer on each side.", parameters: [bias.declaration])
  static let shortForms: [(name: String, settings: [String: Setting])] = [
    ("linear-plain", ["bias": .flag(false)])
  ]

  static func autoencoder(_ settings: Settings, image: Shape, compression: Int)
    throws(NetworkError) -> Autoencoder
  {
    let length = image.count / compression
    return Autoencoder(
      name: "Linear", compression: compression, image: image,
      encoder: Sequential.keyed(
        ("flatten", Reshape(.vector(image.count))),
        ("down", Dense(image.count, length, bias: settings[bias]))),
      decoder: Sequential([
        ("up", Dense(length, image.count)), ("map", Reshape(image)), ("sigmoid", Pointwise.sigmoid),
      ]))
  }
}

/// Mean modulus of the error.
private struct AbsoluteLoss: LossPart {
  static let word = "absolute"
  static let summary = "mean modulus of the error"
  init(_ settings: Settings) throws(SettingsError) {}

  func evaluate(_ batch: LossBatch, _ gradients: LossGradients, pool: WorkerPool?) -> Double {
    let size = batch.samples * batch.count
    var sum = 0.0
    for i in 0..<size {
      let error = batch.output[i] - batch.target[i]
      sum += Double(abs(error))
      gradients.output[i] = (error < 0 ? -1 : 1) / Float(size)
    }
    return sum / Double(size)
  }
}

/// Another program brings a network and a loss: scenarios name them, train them and run the link with the weights.
@Suite struct OwnLearningTests {
  private static let zoo = NetworkZoo.standard.adding(Linear.self)
  private static let reader = ScenarioReader(
    registry: PartRegistry.standard.with(zoo)
      .with(TrainingRegistry.standard.adding(AbsoluteLoss.self)))
  private static func yaml(_ network: String, _ loss: String) -> String {
    """
    link:
      grid: {tones: 64}
      channel: {type: rayleigh, ports: 8, taps: 3}
      transform: {taps: 8}
      codec: {network: \(network), compression: 16}
    training: {samples: 20, validation_samples: 6, test_samples: 5, epochs: 2, batch: 8, loss: \(loss)}
    run: {seed: 3, drops: 4}
    """
  }

  @Test(arguments: [("linear", "linear", true), ("'linear {bias: false}'", "linear-plain", false)])
  func trainsAndRuns(network: String, name: String, hasBias: Bool) throws {
    try withTemporaryFolder { folder in
      let text = Self.yaml(network, "absolute")
      let scenario = try Self.reader.read(text: text, path: "\(folder)/own.yaml").scenario
      let pool = WorkerPool(threadCount: 1)
      let trained = try #require(
        try TrainingRun(scenario, pool: pool).execute(
          in: folder, progress: { _ in }, shouldStop: { false }))
      #expect(trained.map(\.stem) == ["\(name)-8x8-16"])
      #expect(trained[0].parameterCount == 2 * 128 * 8 + 128 + (hasBias ? 8 : 0))
      // |0.5 - x| of images around 0.5; a squared error would be far smaller.
      #expect(trained[0].result.curve.epochs[0].trainingLoss > 0.02)
      let link = try Self.reader.read(
        text: text, path: "\(folder)/own.yaml", overrides: ["codec.weights=\(folder)"]
      ).scenario
      let result = try execute(PreparedRun(link, pool: pool, artefactFolder: nil))
      #expect(result.points.count == 1)
    }
  }

  /// Families that are composed of others find those of the program.
  @Test func composedOfThem() throws {
    for (text, base, more) in [
      ("'dnnet {base: linear, hidden: [4]}'", "linear", 2 * 8 * 4 + 4 + 8),
      ("'pair {encoder: linear, decoder: csinet}'", "linear", nil),
    ] as [(String, String, Int?)] {
      try withTemporaryFolder { folder in
        let scenario = try Self.reader.read(
          text: Self.yaml(text, "mse"), path: "\(folder)/own.yaml"
        ).scenario
        let trained = try #require(
          try TrainingRun(scenario, pool: WorkerPool(threadCount: 1)).execute(
            in: folder, progress: { _ in }, shouldStop: { false }))
        let plain = try NetworkChoice(
          base, compression: 16, image: .image(angles: 8, taps: 8), zoo: Self.zoo)
        if let more {
          #expect(trained[0].parameterCount == plain.autoencoder.parameterCount + more)
        } else {
          #expect(
            trained[0].network.autoencoder.encoder.parameterCount
              == plain.autoencoder.encoder.parameterCount)
        }
      }
      #expect(throws: ScenarioErrors.self) {
        let scenario = try ScenarioReader.standard.read(
          text: Self.yaml(text, "mse"), path: "own.yaml"
        ).scenario
        _ = try TrainingRun(scenario, pool: WorkerPool(threadCount: 1))
      }
    }
  }

  @Test func standardReadersDoNotKnowThem() throws {
    for (text, word) in [
      (Self.yaml("linear", "mse"), "linear"), (Self.yaml("csinet", "absolute"), "absolute"),
    ] {
      let error = #expect(throws: ScenarioErrors.self) {
        try ScenarioReader.standard.read(text: text, path: "own.yaml")
      }
      #expect(error.map { "\($0)".contains("'\(word)'") || "\($0)".contains(word) } == true)
    }
    #expect(Self.zoo.words.suffix(2) == ["linear", "linear-plain"])
    #expect(try Self.zoo.variant("linear {bias: false}").name == "linear-plain")
    #expect(throws: NetworkError.self) { try NetworkZoo.standard.variant("linear") }
  }
}
