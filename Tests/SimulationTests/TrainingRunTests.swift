import Channels
import DataFiles
import Foundation
import LinkMath
import Networks
import Parts
import Scenarios
import Simulation
import Synchronization
import TestSupport
import Testing
import Training

/// From a scenario to trained weights: which networks, on which samples.
@Suite struct TrainingRunTests {
  private static let link = """
    link:
      grid: {tones: 64}
      channel: {type: rayleigh, ports: 32, taps: 3}
      pilots: {type: dft, snr_db: 10}
      transform: {taps: 32, guard_rows: 2}
      codec: {network: cl-acrnet-1x, compression: 64}
    """
  private static let training = """
    training: {samples: 20, validation_samples: 6, test_samples: 5, epochs: 2, batch: 8}
    run: {seed: 3}
    """

  private func run(_ yaml: String, _ folder: String, threads: Int = 1, set: [String] = []) throws
    -> [TrainedNetwork]
  {
    let run = try TrainingRun(
      scenario(yaml, set: set), pool: WorkerPool(threadCount: threads))
    return try #require(
      try run.execute(in: folder, progress: { _ in }, shouldStop: { false }))
  }

  private func complaint(_ yaml: String, set: [String] = []) -> String {
    do {
      let run = try TrainingRun(scenario(yaml, set: set), pool: WorkerPool(threadCount: 1))
      try withTemporaryFolder { folder in
        _ = try run.execute(in: folder, progress: { _ in }, shouldStop: { false })
      }
      return ""
    } catch {
      return "\(error)"
    }
  }

  private func samples(_ folder: String, _ prefix: String, target: Bool = false) throws
    -> NumericArray
  {
    let names = try FileManager.default.contentsOfDirectory(atPath: "\(folder)/data")
      .filter { $0.hasPrefix(prefix) && $0.hasSuffix("-target.npy") == target }
    try #require(names.count == 1, "\(names)")
    return try ArrayFile.read("\(folder)/data/\(names[0])")
  }

  /// The files hold `0.5 + 0.5 h` of the drops of their domain, transformed and normalised here by other code.
  @Test func samplesAreTheDropsOfTheirDomain() throws {
    try withTemporaryFolder { folder in
      _ = try run(Self.link + "\n" + Self.training, folder)
      var context = LinkContext(
        grid: .init(toneCount: 64, spacingHz: 20e6 / 1024, carrierHz: 2e9), seed: 3)
      let settings = try RayleighChannel.schema.settings([
        "ports": .integer(32), "taps": .integer(3),
      ])
      let channel = try RayleighChannel(settings, in: context, fitted: nil)
      context.portCount = 32
      for (name, domain, count) in [
        ("train", StreamKey.Domain.train, 20), ("validation", .validation, 6), ("test", .test, 5),
      ] {
        let array = try samples(folder, name)
        #expect(array.shape == [count, 2, 32, 32])
        let response = try channel.frequencyResponse(
          DropBlock(0..<count, domain: domain, seed: 3), slots: [0])[0]
        for drop in [0, count - 1] {
          let expected = directSample(response, drop)
          let found = array.floats()[drop * 2048..<(drop + 1) * 2048]
          let gap = zip(expected, found).map { abs($0 - Double($1)) }.max()!
          #expect(gap < 2e-6, "\(name) \(drop)")
        }
      }
    }
  }

  /// Angular-delay transform by its sums: unitary inverse DFT over tones and ports, two guard rows, largest modulus 1.
  private func directSample(_ response: ComplexArray, _ drop: Int) -> [Double] {
    var values = [(Double, Double)](repeating: (0, 0), count: 1024)
    for tap in 0..<32 {
      for angle in 0..<32 {
        var sum = (0.0, 0.0)
        for tone in 0..<64 {
          for port in 0..<32 {
            let h = response[drop, tone, port]
            let phase =
              2 * Double.pi
              * (Double(tone * (tap - 2)) / 64 + Double(angle * port) / 32 * Self.sign)
            sum.0 += Double(h.real) * cos(phase) - Double(h.imaginary) * sin(phase)
            sum.1 += Double(h.real) * sin(phase) + Double(h.imaginary) * cos(phase)
          }
        }
        values[angle * 32 + tap] = sum
      }
    }
    let peak = values.map { ($0.0 * $0.0 + $0.1 * $0.1).squareRoot() }.max()!
    return values.map { 0.5 + 0.5 * $0.0 / peak } + values.map { 0.5 + 0.5 * $0.1 / peak }
  }

  /// `angle_dft: forward`, the default, is exp(-j...).
  private static let sign = -1.0

  @Test func equalScenariosShareSamplesAndBytes() throws {
    try withTemporaryFolder { one in
      try withTemporaryFolder { two in
        let yaml = Self.link + "\n" + Self.training
        let first = try run(yaml, one)[0]
        let second = try run(yaml, two, threads: 2)[0]
        #expect(first.dataDigest == second.dataDigest)
        #expect(try samples(one, "train") == samples(two, "train"))
        for (a, b) in zip(first.files, second.files) {
          #expect(try Data(contentsOf: URL(filePath: a)) == Data(contentsOf: URL(filePath: b)))
        }
        // Again: nothing is left to do, and the same files come out.
        let before = try Data(contentsOf: URL(filePath: first.files[0]))
        #expect(try run(yaml, one)[0].result.weights == first.result.weights)
        #expect(try Data(contentsOf: URL(filePath: first.files[0])) == before)
        // Another seed is other data, and another training: not in the same folder.
        #expect(throws: DataFileError.self) { try run(yaml, two, set: ["run.seed=4"]) }
        try withTemporaryFolder { three in
          let other = try run(yaml, three, set: ["run.seed=4", "training.epochs=1"])
          #expect(other[0].dataDigest != first.dataDigest)
        }
      }
    }
  }

  /// Weights are read back by the codec, with the rule of their data.
  @Test func trainedWeightsRunInTheLink() throws {
    try withTemporaryFolder { folder in
      let trained = try run(Self.link + "\n" + Self.training, folder)
      #expect(trained[0].files.count == 2)
      let encoder = try WeightsFile(
        folder, NetworkChoice("cl-acrnet-1x", compression: 64), .encoder)
      #expect(encoder.normaliser == "sample_max_modulus")
      let yaml = Self.link + "\nrun: {seed: 3, drops: 8}"
      let result = try execute(prepare(yaml, set: ["codec.weights=\(folder)"]))
      #expect(result.points[0][.nmseDB].isFinite)
      #expect(!result.provenance.weightsDigest.isEmpty)
    }
  }

  /// Networks of several families are trained and run on CSI of 13 taps and 64 ports.
  @Test func otherSizesOfCSI() throws {
    try withTemporaryFolder { folder in
      let link = """
        link:
          grid: {tones: 64}
          channel: {type: rayleigh, ports: 64, taps: 3}
          pilots: {type: dft, snr_db: 10}
          transform: {taps: 13}
          codec: {network: csinet, compression: 16}
        sweep: {codec.network: [csinet, "acrnet {expansion: 2}", cllwcsinet, transnet]}
        """
      let trained = try run(link + "\n" + Self.training, folder)
      #expect(
        trained.map(\.network.name) == ["csinet", "acrnet-2x", "cllwcsinet", "transnet"])
      #expect(trained.allSatisfy { $0.network.autoencoder.codewordLength == 2 * 13 * 64 / 16 })
      #expect(FileManager.default.fileExists(atPath: "\(folder)/csinet-64x13-16-curve.csv"))
      #expect(try samples(folder, "train").shape == [20, 2, 64, 13])
      let yaml = link + "\nrun: {seed: 3, drops: 8}"
      let points = try execute(prepare(yaml, set: ["codec.weights=\(folder)"])).points
      #expect(points.count == 4)
      #expect(points.allSatisfy { $0[.nmseDB].isFinite })
      #expect(Set(points.map { $0[.nmseDB] }).count == 4)
    }
  }

  /// Two trainings of one network lie side by side under their labels, and the second starts from the first.
  @Test func labelsAndWeightsToStartFrom() throws {
    try withTemporaryFolder { folder in
      let plain = try run(Self.link + "\n" + Self.training, folder)
      let files = plain[0].files.joined(separator: ", ")
      let tuned = try run(
        Self.link + "\n" + Self.training, folder,
        set: [
          "training.label=tuned", "training.optimizer=sgd",
          "training.method={type: two_stage, frozen: [encoder]}", "training.start=[\(files)]",
        ])
      #expect(tuned[0].files[0].hasSuffix("/cl-acrnet-1x-64-tuned-encoder.safetensors"))
      #expect(FileManager.default.fileExists(atPath: "\(folder)/cl-acrnet-1x-64-tuned-curve.csv"))
      // A folder stands for its files without a label: the same training once more.
      let again = try run(
        Self.link + "\n" + Self.training, folder,
        set: [
          "training.label=again", "training.optimizer=sgd",
          "training.method={type: two_stage, frozen: [encoder]}", "training.start=[\(folder)]",
        ])
      #expect(again[0].result.curve.epochs == tuned[0].result.curve.epochs)
      // The first epoch moved the decoder only; the encoder of the start is what the first training ended with.
      let yaml = Self.link + "\nrun: {seed: 3, drops: 8}"
      let results = try ["codec.label=tuned", "codec.compression=64"].map { label in
        try execute(prepare(yaml, set: ["codec.weights=\(folder)", label])).points[0][.nmseDB]
      }
      #expect(results[0].isFinite && results[0] != results[1])
      let encoder = try WeightsFile(
        folder, NetworkChoice("cl-acrnet-1x", compression: 64), label: "tuned", .encoder)
      #expect(encoder.metadata["recipe"] != nil)
    }
    #expect(
      complaint(
        Self.link + "\n" + Self.training,
        set: ["training.method={type: two_stage, frozen: [nothing]}"]
      ).contains("training.method.frozen must be 'encoder', 'decoder' or beginnings of keys"))
    #expect(
      complaint(
        Self.link + "\n" + Self.training,
        set: ["training.method={type: two_stage, frozen_epochs: 3}"]
      ).contains("training.method.frozen_epochs must be at most the 2 epochs"))
  }

  /// The estimate is what the encoder sees; the target is the truth on the estimate's scale.
  @Test func estimatesWithTrueTargets() throws {
    try withTemporaryFolder { folder in
      let yaml = Self.link + "\n" + Self.training
      _ = try run(yaml, folder, set: ["training.source=estimate", "training.epochs=1"])
      let seen = try samples(folder, "train").floats().map { Double($0) - 0.5 }
      let truth = try samples(folder, "train", target: true).floats().map { Double($0) - 0.5 }
      // At 10 dB of pilots the estimate differs, but not by more than its noise: 32 taps of 64 keep half of it.
      let error = zip(seen, truth).reduce(0.0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
      let ratio = error / truth.reduce(0.0) { $0 + $1 * $1 }
      #expect(ratio > 0.02 && ratio < 0.1, "\(ratio)")
      // The largest modulus of what is seen is 1.
      let plane = (0..<1024).map { hypot(seen[$0], seen[$0 + 1024]) }.max()!
      #expect(abs(2 * plane - 1) < 1e-6)
    }
  }

  /// A gain that is sent as bits needs bits behind it, which samples do not have.
  @Test func quantisedGain() throws {
    try withTemporaryFolder { folder in
      let yaml = Self.link + "\n" + Self.training
      let set = [
        "normaliser={type: sample_max_modulus, gain: quantized}",
        "quantizer={type: uniform, bits: 4}",
        "training.epochs=1",
      ]
      let trained = try run(yaml, folder, set: set)
      #expect(trained.count == 1)
    }
  }

  @Test func everyNetworkOfASweepOnce() throws {
    try withTemporaryFolder { folder in
      let yaml =
        Self.link
          + """

          sweep:
            pilots.snr_db: [0, 10]
            codec: [none, {network: cl-acrnet-1x}, {network: cl-crnet}]
            codec.compression: [32, 64]
            quantizer: [none, {type: uniform, range: [-1, 1]}]

          """ + Self.training
      let trained = try run(yaml, folder, set: ["training.epochs=1"])
      #expect(
        trained.map { "\($0.network.name) \($0.network.compression)" } == [
          "cl-acrnet-1x 32", "cl-acrnet-1x 64", "cl-crnet 32", "cl-crnet 64",
        ])
      #expect(Set(trained.map(\.dataDigest)).count == 1)
    }
  }

  @Test func scenariosThatCannotBeTrained() throws {
    let both = Self.link + "\n" + Self.training
    #expect(complaint(Self.link).contains("no 'training'"))
    #expect(complaint(both, set: ["codec=pca"]).contains("no point of the scenario has a network"))
    #expect(complaint(both, set: ["channel.ports=16"]).contains("test.yaml:"))
    #expect(complaint(both, set: ["normaliser=none"]).contains("sample_max_modulus"))
    #expect(
      complaint(
        both, set: ["sweep.pilots.snr_db=[0,10]", "training.source=estimate"]
      ).contains("two kinds of data"))
    #expect(complaint(both, set: ["training.epochs=0"]).contains("training.epochs"))
    #expect(
      complaint(both, set: ["training.schedule.type=warm_up_cosine"]).contains("schedule.warm_up"))
    #expect(complaint(both, set: ["training.epoch=3"]).contains("epochs"))
  }

  /// Samples without energy are counted and left out of the files; where they are most, there is no training.
  @Test func samplesWithoutEnergy() throws {
    try withTemporaryFolder { folder in
      func yaml(_ silent: [Int]) throws -> String {
        var values = [Float](repeating: 0, count: 32 * 2048)
        for i in values.indices where !silent.contains(i / 2048) {
          values[i] = 0.5 + Float((i * 7919) % 101 - 50) / 200
        }
        for i in values.indices where silent.contains(i / 2048) { values[i] = 0.5 }
        let file = "\(folder)/records-\(silent.count).npy"
        try ArrayFile.write([NumericArray(shape: [32, 2048], floats: values)], to: file)
        return """
          link:
            preset: csinet
            channel: {type: recorded, file: \(file), layout: csinet, split: {train: 20, validation: 6, test: 5}}
            codec: {network: cl-acrnet-1x, compression: 64}
            estimator: perfect

          """ + Self.training
      }
      let told = Mutex<[String]>([])
      let run = try TrainingRun(
        scenario(yaml([2, 3, 17, 22])), pool: WorkerPool(threadCount: 1))
      let trained = try #require(
        try run.execute(
          in: "\(folder)/four",
          progress: { event in
            guard case .leftOut(let set, let count, let total) = event else { return }
            told.withLock { $0.append("\(set) \(count) \(total)") }
          }, shouldStop: { false }))
      #expect(told.withLock { $0 } == ["train 3 20", "validation 1 6"])
      #expect(try samples("\(folder)/four", "train").shape == [17, 2, 32, 32])
      #expect(try samples("\(folder)/four", "test").shape == [5, 2, 32, 32])
      #expect(trained[0].result.test.emptySamples == 0)
      #expect(
        try complaint(yaml(Array(0..<11))).contains("11 of the 20 drops of the set 'train'"))
    }
  }

  /// Recorded data gives as many drops as its split says.
  @Test func recordedDataNeedsASplit() throws {
    let file = fixtures.appending(path: "datasets/umi_los_200_v73.mat").path
    let yaml = """
      link:
        preset: csinet
        channel: {type: recorded, file: \(file), variable: HT, layout: csinet, angle_shift: 16, split: {train: 20, validation: 5}}
        codec: {network: cl-acrnet-1x, compression: 64}

      """ + Self.training
    #expect(complaint(yaml).contains("training.validation_samples"))
    #expect(complaint(yaml, set: ["channel.split.validation=6"]).contains("training.test_samples"))
  }
}
