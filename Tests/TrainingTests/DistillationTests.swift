import Foundation
import LinkMath
import Networks
import Parts
import TestSupport
import Testing
import Training

/// Losses that compare with a teacher.
@Suite struct DistillationTests {
  private static let methods = Result {
    try TensorFile(path: fixtures.appending(path: "training/methods.safetensors").path)
  }

  private func numbers(_ key: String) throws -> [Double] {
    try #require(Self.methods.get().tensors[key]).doubles()
  }

  /// Loss and gradient of an independent program.
  @Test func valueAndGradient() throws {
    let student = try numbers("kd.student").map { Float($0) }
    let label = try numbers("kd.label").map { Float($0) }
    let teacher = try numbers("kd.teacher").map { Float($0) }
    var gradient = [Float](repeating: 9, count: student.count)
    func value(_ loss: DistillationLoss) -> Double {
      student.withUnsafeBufferPointer { student in
        label.withUnsafeBufferPointer { label in
          teacher.withUnsafeBufferPointer { teacher in
            var batch = LossBatch(student, label, samples: 3, count: 128)
            batch.teacherOutput = teacher.baseAddress!
            return gradient.withUnsafeMutableBufferPointer {
              loss.evaluate(batch, LossGradients($0.baseAddress!), pool: nil)
            }
          }
        }
      }
    }
    #expect(try abs(value(DistillationLoss(share: 0)) - numbers("kd.ce")[0]) < 1e-6)
    #expect(abs(gradient.reduce(0) { $0 + Double($1) }) < 1e-8, "a constant offset is not seen")
    #expect(try abs(value(DistillationLoss(share: 1)) - numbers("kd.mse")[0]) < 1e-7)
    #expect(try abs(value(DistillationLoss()) - numbers("kd.loss")[0]) < 1e-6)
    for (found, expected) in zip(gradient, try numbers("kd.grad_student")) {
      #expect(abs(Double(found) - expected) < 1e-8)
    }
  }

  /// The teacher runs in inference mode on the inputs of the student; the gradient at the codewords reaches the encoder, by
  /// differences.
  @Test func aTeacherOfCodewords() throws {
    let pool = WorkerPool(threadCount: 2)
    let network = try NetworkZoo.autoencoder("cl-acrnet-1x", compression: 64)
    let other = try NetworkZoo.autoencoder("crnet", compression: 64)
    let theirs = TrainingLoop.initialWeights(other, seed: 8)
    let input = SampleFolder.values(30, seed: 6)
    var weights = TrainingLoop.initialWeights(network, seed: 7)
    func loss(_ weights: Weights) throws -> (Double, [String: [Float]]) {
      let trainer = try AutoencoderTrainer(network, weights: weights, capacity: 30, pool: pool)
      trainer.teacher = try Teacher(other, weights: theirs)
      let value = trainer.differentiate(input, target: input, loss: CodewordLoss())
      return (value, trainer.gradients)
    }
    let (value, gradients) = try loss(weights)
    let trainer = try AutoencoderTrainer(network, weights: weights, capacity: 30, pool: pool)
    let own = input.withUnsafeBufferPointer { trainer.codewords($0.baseAddress!, count: 30) }
    let wanted = try InferencePlan(other.encoder, weights: theirs).run(
      [input], count: 30, pool: pool)[0]
    let expected = zip(own, wanted).reduce(0.0) { $0 + pow(Double($1.0) - Double($1.1), 2) }
    #expect(abs(value / (expected / Double(own.count)) - 1) < 1e-5)
    #expect(trainer.weights == weights, "statistics stay")
    let key = try #require(network.encoder.parameters.last { $0.parameter.isTrainable }?.key)
    weights[key]![0] += 0.02
    let above = try loss(weights).0
    weights[key]![0] -= 0.04
    let slope = (above - (try loss(weights).0)) / 0.04
    #expect(abs(slope - Double(gradients[key]![0])) < 1e-2 * abs(slope) + 1e-7)
    for key in network.decoder.parameters.map(\.key) where gradients[key] != nil {
      #expect(gradients[key]!.allSatisfy { $0 == 0 }, "\(key)")
    }
  }

  /// Loss and gradient of the whole mixture at the weights of the student, by differences.
  @Test func throughTheNetwork() throws {
    let pool = WorkerPool(threadCount: 2)
    let network = try NetworkZoo.autoencoder("cl-acrnet-1x", compression: 64)
    let theirs = TrainingLoop.initialWeights(network, seed: 8)
    let input = SampleFolder.values(10, seed: 6)
    var weights = TrainingLoop.initialWeights(network, seed: 7)
    // The cross-entropy of 2048 values is 7.6: less of it, and a low temperature, leave digits for the difference.
    let mixture = DistillationLoss(share: 0.4, temperature: 0.05)
    func loss(_ weights: Weights) throws -> (Double, [String: [Float]]) {
      let trainer = try AutoencoderTrainer(network, weights: weights, capacity: 10, pool: pool)
      trainer.teacher = try Teacher(network, weights: theirs)
      let value = trainer.differentiate(input, target: input, loss: mixture)
      return (value, trainer.gradients)
    }
    let gradients = try loss(weights).1
    for side in [network.encoder, network.decoder] {
      let key = try #require(side.parameters.last { $0.parameter.isTrainable }?.key)
      let value = weights[key]![0]
      weights[key]![0] = value + 0.01
      let above = try loss(weights).0
      weights[key]![0] = value - 0.01
      let slope = (above - (try loss(weights).0)) / 0.02
      weights[key]![0] = value
      #expect(abs(slope) > 1e-4, "the difference is not rounding")
      // Slopes of activations change within the step.
      #expect(abs(slope - Double(gradients[key]![0])) < 5e-2 * abs(slope), "\(key) \(slope)")
    }
  }

  /// Parts of the mixture are those of its base, for any number of threads.
  @Test func otherBases() throws {
    let student = SampleFolder.values(3, seed: 1)
    let target = SampleFolder.values(3, seed: 2)
    let teacher = SampleFolder.values(3, seed: 3)
    func evaluate(_ loss: any Loss, threads: Int) -> (Double, [Float]) {
      var gradient = [Float](repeating: 9, count: student.count)
      let value = gradient.withUnsafeMutableBufferPointer { gradient in
        student.withUnsafeBufferPointer { student in
          target.withUnsafeBufferPointer { target in
            teacher.withUnsafeBufferPointer { teacher in
              var batch = LossBatch(student, target, samples: 3, count: 2048)
              batch.teacherOutput = teacher.baseAddress!
              return loss.evaluate(
                batch, LossGradients(gradient.baseAddress!),
                pool: WorkerPool(threadCount: threads))
            }
          }
        }
      }
      return (value, gradient)
    }
    let whole = evaluate(
      DistillationLoss(share: 0.25, temperature: 2, base: LogMeanSquareLoss()), threads: 3)
    let base = evaluate(LogMeanSquareLoss(), threads: 1)
    let entropy = evaluate(DistillationLoss(share: 0, temperature: 2), threads: 1)
    #expect(abs(whole.0 - (0.25 * base.0 + 0.75 * entropy.0)) < 1e-12)
    for i in stride(from: 0, to: student.count, by: 37) {
      let expected = 0.25 * Double(base.1[i]) + 0.75 * Double(entropy.1[i])
      #expect(abs(Double(whole.1[i]) - expected) < 1e-6 * abs(expected) + 1e-10, "\(i)")
    }
    let one = evaluate(
      DistillationLoss(share: 0.25, temperature: 2, base: LogMeanSquareLoss()), threads: 1)
    #expect(one == whole)
  }

  /// The gradient of the codewords is the same whether or not the decoder is run for nothing.
  @Test func aFrozenDecoderIsNotRun() throws {
    let pool = WorkerPool(threadCount: 1)
    let network = try NetworkZoo.autoencoder("cl-acrnet-1x", compression: 64)
    let weights = TrainingLoop.initialWeights(network, seed: 7)
    let input = SampleFolder.values(9, seed: 6)
    let results = try [false, true].map { isFrozen in
      let trainer = try AutoencoderTrainer(network, weights: weights, capacity: 9, pool: pool)
      trainer.teacher = try Teacher(
        network, weights: TrainingLoop.initialWeights(network, seed: 8))
      trainer.freeze { side, _ in isFrozen && side == .decoder }
      let value = trainer.differentiate(input, target: input, loss: CodewordLoss())
      return (value, trainer.encoder.gradients, trainer.decoder.output())
    }
    #expect(results[0].0 == results[1].0 && results[0].1 == results[1].1)
    #expect(results[0].1.values.contains { $0.contains { $0 != 0 } })
    #expect(!results[0].2.isEmpty && results[1].2.isEmpty, "no pass of the decoder")
  }

  /// A loss that compares with a teacher is refused where the method has none.
  @Test func noTeacher() throws {
    let registry = TrainingRegistry.standard.adding(Registered.self)
    let settings = try TrainingSettings(
      TrainingSettings.schema(of: registry).settings(["loss": .text("distilled")]),
      registry: registry)
    let error = #expect(throws: SettingsError.self) {
      try settings.stages(NetworkChoice("csinet", compression: 64))
    }
    #expect(error?.description.contains("compares with a teacher") == true)
  }

  private struct Registered: LossPart {
    static let word = "distilled"
    static let summary = "of a test"
    static let needs = DistillationLoss.needs
    init(_ settings: Settings) throws(SettingsError) {}
    func evaluate(_ batch: LossBatch, _ gradients: LossGradients, pool: WorkerPool?) -> Double { 0 }
  }
}
