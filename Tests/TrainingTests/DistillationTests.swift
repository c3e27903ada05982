import Foundation
import LinkMath
import Networks
import Parts
import TestSupport
import Testing
import Training

/// Squared distance of the codewords to those of a teacher, as when an encoder alone is distilled.
private struct CodewordLoss: Loss {
  static let needs: Set<LossNeed> = [.codeword, .teacherCodeword]

  func evaluate(_ batch: LossBatch, _ gradients: LossGradients, pool: WorkerPool?) -> Double {
    let (own, theirs) = (batch.codeword!, batch.teacherCodeword!)
    var sum = 0.0
    for i in 0..<batch.samples * batch.count { gradients.output[i] = 0 }
    for i in 0..<batch.samples * own.length {
      let difference = own.values[i] - theirs.values[i]
      sum += Double(difference * difference)
      gradients.codeword![i] = 2 * difference
    }
    return sum
  }
}

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
    #expect(abs(value / expected - 1) < 1e-5)
    #expect(trainer.weights == weights, "statistics stay")
    let key = try #require(network.encoder.parameters.last { $0.parameter.isTrainable }?.key)
    weights[key]![0] += 0.02
    let above = try loss(weights).0
    weights[key]![0] -= 0.04
    let slope = (above - (try loss(weights).0)) / 0.04
    #expect(abs(slope - Double(gradients[key]![0])) < 1e-2 * abs(slope) + 1e-4)
    for key in network.decoder.parameters.map(\.key) where gradients[key] != nil {
      #expect(gradients[key]!.allSatisfy { $0 == 0 }, "\(key)")
    }
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
