import DataFiles
import Foundation
import LinkMath
import Networks
import Parts
import Synchronization
import TestSupport
import Testing
import Training

/// One network for codewords of several lengths.
@Suite struct CodewordMaskTests {
  private static let network = "cl-acrnet-1x"

  private func choice() throws -> NetworkChoice {
    try NetworkChoice(Self.network, compression: 64)
  }

  private func mask(_ lengths: [Int]) throws -> any CodewordStep {
    let steps = try settings(["codeword_lengths": .list(lengths.map { .integer($0) })])
      .codewordSteps(choice(), seed: 5)
    return try #require(steps.first)
  }

  /// Reals that are left of each codeword of ones.
  private func kept(_ step: any CodewordStep, _ pass: CodewordPass) -> [Int] {
    var values = [Float](repeating: 1, count: pass.samples * pass.length)
    var gradient = values
    values.withUnsafeMutableBufferPointer { _ = step.forward($0.baseAddress!, pass) }
    gradient.withUnsafeMutableBufferPointer { step.backward($0.baseAddress!, pass) }
    #expect(values == gradient)
    return (0..<pass.samples).map { sample in
      let row = values[sample * pass.length..<(sample + 1) * pass.length]
      let count = row.prefix { $0 == 1 }.count
      #expect(row.dropFirst(count).allSatisfy { $0 == 0 })
      return count
    }
  }

  /// In training all lengths come as often as another, anew in each epoch and whatever the batches; else they take turns.
  @Test func lengths() throws {
    let lengths = [8, 16, 32]
    let step = try mask(lengths)
    func pass(_ domain: StreamKey.Domain, epoch: Int, first: Int, _ samples: Int) -> CodewordPass {
      CodewordPass(domain: domain, epoch: epoch, first: first, samples: samples, length: 32)
    }
    let drawn = kept(step, pass(.train, epoch: 0, first: 0, 3000))
    for length in lengths {
      let share = drawn.filter { $0 == length }.count
      // Five standard deviations of a binomial count.
      #expect(abs(share - 1000) < 130, "\(length) \(share)")
    }
    #expect(kept(step, pass(.train, epoch: 0, first: 1000, 7)) == Array(drawn[1000..<1007]))
    #expect(kept(step, pass(.train, epoch: 1, first: 0, 3000)) != drawn)
    #expect(kept(step, pass(.validation, epoch: 0, first: 1, 5)) == [16, 32, 8, 16, 32])
    #expect(throws: SettingsError.self) { try mask([8, 33]) }
  }

  @Test(arguments: [1, 5])
  func continuesToTheSameBytes(stepsAtATime: Int) throws {
    let folder = try SampleFolder()
    let given: [String: Setting] = [
      "codeword_lengths": .list([.integer(4), .integer(32)]), "codeword_snr_db": .number(12),
    ]
    func advance(_ stem: String, steps: Int, threads: Int = 1) throws -> TrainingResult? {
      let done = Atomic(0)
      return try TrainingLoop(
        choice(), settings: settings(given), data: folder.data(), seed: 5,
        stem: "\(folder.path)/\(stem)", pool: WorkerPool(threadCount: threads)
      ).run(
        progress: { _ in done.wrappingAdd(1, ordering: .relaxed) },
        shouldStop: { done.load(ordering: .relaxed) >= steps })
    }
    let whole = try #require(try advance("whole", steps: .max, threads: 2))
    var result: TrainingResult?
    var parts = 0
    while result == nil {
      result = try advance("parts", steps: stepsAtATime)
      parts += 1
      try #require(parts < 60)
    }
    #expect(result?.weights == whole.weights && result?.test == whole.test)
    #expect(
      try folder.bytes("parts-checkpoint.safetensors")
        == folder.bytes("whole-checkpoint.safetensors"))
  }

  /// The gradient behind a mask, by differences: of what was cut it is zero.
  @Test func gradients() throws {
    let network = try NetworkZoo.autoencoder("csinet", compression: 64)
    var weights = TrainingLoop.initialWeights(network, seed: 4)
    let input = SampleFolder.values(6, seed: 4)
    let step = try mask([20])
    let pass = CodewordPass(domain: .train, epoch: 0, first: 0, samples: 6, length: 32)
    func loss() throws -> (Double, [String: [Float]]) {
      let trainer = try AutoencoderTrainer(
        network, weights: weights, capacity: 6, pool: WorkerPool(threadCount: 1))
      let value = input.withUnsafeBufferPointer { input in
        trainer.differentiate(
          input.baseAddress!, count: 6, link: { _ = step.forward($0, pass) },
          linkBack: { step.backward($0, pass) })
      }
      return (value, trainer.gradients)
    }
    let gradient = try #require(try loss().1["enc_fc.bias"])
    #expect(gradient[20...].allSatisfy { $0 == 0 })
    for i in [0, 19] {
      let value = weights["enc_fc.bias"]![i]
      weights["enc_fc.bias"]![i] = value + 0.01
      let above = try loss().0
      weights["enc_fc.bias"]![i] = value - 0.01
      let slope = (above - (try loss().0)) / 0.02
      weights["enc_fc.bias"]![i] = value
      #expect(abs(slope - Double(gradient[i])) < 5e-2 * abs(slope) + 2e-6, "\(i) \(slope)")
    }
  }
}
