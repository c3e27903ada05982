import DataFiles
import Foundation
import LinkMath
import Networks
import Parts
import Synchronization
import TestSupport
import Testing
import Training

/// Methods that learn from a trained network.
@Suite struct TeacherTests {
  private static let teacher = "cl-acrnet-1x"
  private static let student = "pair {encoder: cl-crnet, decoder: cl-acrnet-1x}"
  private static let methods = [
    "distillation", "encoder_distillation", "vendor_distillation", "sequential",
  ]

  private func choice(_ name: String) throws -> NetworkChoice {
    try NetworkChoice(name, compression: 64)
  }

  /// Files of a teacher with drawn weights; its running statistics are not those of a start.
  private func teach(_ folder: SampleFolder, normaliser: String = "none") throws -> Weights {
    let network = try choice(Self.teacher)
    var weights = TrainingLoop.initialWeights(network.autoencoder, seed: 21)
    for key in weights.values.keys.sorted() where key.hasSuffix("running_mean") {
      weights[key] = weights[key]!.map { _ in 0.2 }
    }
    try WeightsFile.write(weights, network, metadata: ["normaliser": normaliser], in: folder.path)
    return weights
  }

  private func methodSettings(
    _ folder: SampleFolder, _ method: String, _ more: [String: Setting] = [:]
  )
    throws -> TrainingSettings
  {
    try settings(
      [
        "method.type": .text(method), "method.teacher.weights": .text(folder.path),
        "method.teacher.network": .text(Self.teacher), "learning_rate": .number(0.003),
      ].merging(more) { $1 })
  }

  private func loop(
    _ folder: SampleFolder, _ method: String, _ more: [String: Setting] = [:],
    network: String = Self.student, stem: String = "net", threads: Int = 1
  ) throws -> TrainingLoop {
    let chosen = try methodSettings(folder, method, more)
    let network = try choice(network)
    let teacher = try chosen.teacher.map {
      try TrainedTeacher($0, of: network, normaliser: "none")
    }
    return try TrainingLoop(
      network, settings: chosen, data: folder.data(), seed: 5, teacher: teacher,
      stem: "\(folder.path)/\(stem)", pool: WorkerPool(threadCount: threads))
  }

  private func advance(_ loop: TrainingLoop, steps: Int = .max) throws -> TrainingResult? {
    let done = Atomic(0)
    return try loop.run(
      progress: { _ in done.wrappingAdd(1, ordering: .relaxed) },
      shouldStop: { done.load(ordering: .relaxed) >= steps })
  }

  private func stored(_ folder: SampleFolder) throws -> [String: [Float]] {
    try ArrayFile.readAll("\(folder.path)/net-checkpoint.safetensors").reduce(into: [:]) {
      guard let name = $1.name, name.hasPrefix("weights.") else { return }
      $0[String(name.dropFirst("weights.".count))] = $1.floats()
    }
  }

  /// Interrupted after every step or few, with two threads or one: the same bytes.
  @Test(arguments: methods, [1, 5])
  func continuesToTheSameBytes(method: String, stepsAtATime: Int) throws {
    let folder = try SampleFolder()
    _ = try teach(folder)
    let whole = try #require(try advance(try loop(folder, method, stem: "whole", threads: 2)))
    var result: TrainingResult?
    var parts = 0
    while result == nil {
      result = try advance(try loop(folder, method, stem: "parts"), steps: stepsAtATime)
      parts += 1
      try #require(parts < 60)
    }
    #expect(parts >= 12 / stepsAtATime)
    #expect(result?.weights == whole.weights && result?.test == whole.test)
    #expect(
      try folder.bytes("parts-checkpoint.safetensors")
        == folder.bytes("whole-checkpoint.safetensors"))
  }

  /// The student's decoder is the teacher's, with its statistics, until a second stage tunes it; the encoder comes closer
  /// to the teacher's codewords, and stays as it is where the decoder alone is tuned.
  @Test(arguments: ["encoder_distillation", "vendor_distillation", "sequential"])
  func theTeachersDecoderStays(method: String) throws {
    let folder = try SampleFolder()
    let theirs = try teach(folder)
    let more: [String: Setting] = ["epochs": .integer(16)]
    let training = try loop(folder, method, more)
    let decoder = try choice(Self.student).autoencoder.decoder.parameters.map(\.key)
    #expect(try advance(training, steps: 24) == nil)
    let between = try stored(folder)
    for (key, values) in between {
      #expect((values == theirs[key]) == decoder.contains(key), "\(key)")
    }
    let result = try #require(try advance(try loop(folder, method, more)))
    let epochs = result.curve.epochs
    #expect(epochs[7].trainingLoss < 0.7 * epochs[0].trainingLoss)
    let after = try stored(folder)
    let changed = after.keys.filter { after[$0] != between[$0] }
    let tuned = Set(changed.map { decoder.contains($0) })
    let expected: [String: Set<Bool>] = [
      "encoder_distillation": [true, false], "vendor_distillation": [true], "sequential": [false],
    ]
    #expect(tuned == expected[method])
  }

  /// The loss of the first step is the mixture of the drawn student with the teacher's reconstructions.
  @Test func distillationMixesBoth() throws {
    let folder = try SampleFolder()
    let theirs = try teach(folder)
    let network = try choice("cl-crnet")
    let more: [String: Setting] = [
      "batch": .integer(22), "epochs": .integer(1), "method.alpha": .number(0.6),
      "method.temperature": .number(2),
    ]
    let training = try loop(folder, "distillation", more, network: "cl-crnet")
    let trainer = try AutoencoderTrainer(
      network.autoencoder, weights: training.initialWeights, capacity: 22,
      pool: WorkerPool(threadCount: 1))
    trainer.teacher = try Teacher(choice(Self.teacher).autoencoder, weights: theirs)
    let input = SampleFolder.values(22, seed: 1)
    let expected = trainer.differentiate(
      input, target: input, loss: DistillationLoss(share: 0.6, temperature: 2))
    let result = try #require(try advance(training))
    #expect(abs(result.curve.epochs[0].trainingLoss / expected - 1) < 1e-6)
  }

  @Test func unfitTeachers() throws {
    let folder = try SampleFolder()
    _ = try teach(folder, normaliser: "sample_power")
    func complaint(_ method: String, _ more: [String: Setting], _ network: String = Self.student)
      -> String
    {
      do {
        _ = try loop(folder, method, more, network: network)
        return ""
      } catch {
        return "\(error)"
      }
    }
    #expect(
      complaint("distillation", [:]).contains(
        "was trained with normaliser sample_power, but the student's data has none"))
    _ = try teach(folder)
    #expect(
      complaint("sequential", [:], "cl-crnet").contains(
        "has another decoder than cl-crnet 1/64, which takes it over"))
    #expect(
      complaint("distillation", ["method.teacher.network": .text("nonet")]).contains(
        "method.teacher.network is unfit"))
    #expect(
      complaint("distillation", ["method.teacher.compression": .integer(32)])
        .contains("no such file"))
    #expect(
      complaint("encoder_distillation", ["method.encoder_epochs": .integer(4)])
        .contains("must be below the 4 epochs"))
    let error = #expect(throws: SettingsError.self) {
      try settings(["method.type": .text("sequential")])
    }
    #expect(error?.description.contains("method.teacher.weights is needed") == true)
    // A teacher at another ratio has other codewords, but reconstructs the same CSI.
    let other = try NetworkChoice(Self.teacher, compression: 32)
    try WeightsFile.write(
      TrainingLoop.initialWeights(other.autoencoder, seed: 3), other,
      metadata: ["normaliser": "none"], in: folder.path)
    let more: [String: Setting] = [
      "method.teacher.compression": .integer(32), "epochs": .integer(2),
    ]
    #expect(complaint("sequential", more).contains("gives codewords of 64 reals"))
    #expect(try advance(loop(folder, "distillation", more)) != nil)
  }

  /// Weights of another ratio start what has the same shape; the rest is drawn and told.
  @Test func startPartly() throws {
    let folder = try SampleFolder()
    let small = try choice("csinet")
    let large = try NetworkChoice("csinet", compression: 32)
    let weights = TrainingLoop.initialWeights(large.autoencoder, seed: 3)
    let files = try WeightsFile.write(
      weights, large, metadata: ["normaliser": "none"], in: folder.path)
    #expect(throws: DataFileError.self) { try StartWeights.read(files, for: small) }
    let read = try StartWeights.read(files, for: small, partly: true)
    #expect(read.drawn == ["dec_fc.weight", "enc_fc.bias", "enc_fc.weight"])
    let keys = small.autoencoder.encoder.parameters + small.autoencoder.decoder.parameters
    #expect(read.weights.values.count == keys.count - 3)
    for (key, values) in read.weights.values { #expect(values == weights[key], "\(key)") }
    // A file that has the rest fills it, whatever the order.
    let own = TrainingLoop.initialWeights(small.autoencoder, seed: 4)
    let rest = try WeightsFile.write(
      own, small, metadata: ["normaliser": "none"], in: folder.path)
    let both = try StartWeights.read(rest + files, for: small, partly: true)
    #expect(both.drawn.isEmpty && both.weights["enc_fc.bias"] == own["enc_fc.bias"])
  }
}
