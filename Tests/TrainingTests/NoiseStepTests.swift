import Coding
import Foundation
import LinkMath
import Networks
import Parts
import Synchronization
import TestSupport
import Testing
import Training

/// Noise and bit errors on codewords inside a training.
@Suite struct NoiseStepTests {
  private func network() throws -> NetworkChoice {
    try NetworkChoice("csinet {codeword: sigmoid}", compression: 64)
  }

  private func steps(_ given: [String: Setting]) throws -> [any CodewordStep] {
    try settings(given).codewordSteps(network(), seed: 3)
  }

  /// What a step makes of 400 codewords of 32 reals, of which the second half has ten times the amplitude.
  private func noise(
    _ given: [String: Setting], domain: StreamKey.Domain = .train, epoch: Int = 1, first: Int = 800
  ) throws -> (sent: [Float], received: [Float]) {
    var stream = testStream(9)
    let sent = stream.normal(count: 400 * 32).enumerated().map { $0 < 200 * 32 ? $1 : 10 * $1 }
    var received = sent
    let steps = try steps(given)
    received.withUnsafeMutableBufferPointer { values in
      _ = steps.forward(values.baseAddress!, count: values.count) {
        CodewordPass(
          domain: domain, epoch: epoch, first: first, samples: 400, length: 32, power: $0)
      }
    }
    return (sent, received)
  }

  /// SNR in dB of each codeword against a power.
  private func levels(_ pair: (sent: [Float], received: [Float]), power: Double? = nil) -> [Double]
  {
    (0..<400).map { sample in
      let places = sample * 32..<(sample + 1) * 32
      let error = places.reduce(0.0) {
        $0 + pow(Double(pair.received[$1]) - Double(pair.sent[$1]), 2)
      }
      let own = places.reduce(0.0) { $0 + pow(Double(pair.sent[$1]), 2) } / 32
      return 10 * log10((power ?? own) / (error / 32))
    }
  }

  private func mean(_ values: some Collection<Double>) -> Double {
    values.reduce(0, +) / Double(values.count)
  }

  /// 200 estimates of a level from 32 values each: 1.1 dB of deviation each, and a bias of -10 log10 e / 32 = 0.14 dB.
  @Test func powerOfTheBatchOrOfTheSample() throws {
    let batch = try noise(["codeword_snr_db": .number(10)])
    let power = batch.sent.reduce(0.0) { $0 + Double($1) * Double($1) } / Double(400 * 32)
    let total = levels(batch, power: power)
    #expect(abs(mean(total) - 10.14) < 0.4)
    let own = levels(batch)
    #expect(mean(own.prefix(200)) < -5 && mean(own.suffix(200)) > 12)
    let sample = try noise([
      "codeword_snr_db": .number(10), "codeword_power_of": .text("sample"),
    ])
    #expect(abs(mean(levels(sample).prefix(200)) - 10.14) < 0.5)
    #expect(abs(mean(levels(sample).suffix(200)) - 10.14) < 0.5)
  }

  /// Levels of a list and of a range, each sample its own or one for the batch.
  @Test func levelsAreDrawn() throws {
    let power = ["codeword_power_of": Setting.text("sample")]
    let list = power.merging(["codeword_snr_db": .list([.number(-10), .number(30)])]) { $1 }
    let found = levels(try noise(list))
    #expect(found.allSatisfy { abs($0 + 10) < 6 || abs($0 - 30) < 6 })
    let low = found.count { $0 < 10 }
    #expect((150...250).contains(low), "\(low) of 400 at a half")
    let range = power.merging(["codeword_snr_range_db": .list([.number(0), .number(40)])]) { $1 }
    let uniform = levels(try noise(range)).sorted()
    // Quartiles of a uniform level, within 4 deviations of sqrt(3) / 4 / sqrt(400) · 40 dB.
    for quarter in 1...3 {
      #expect(abs(uniform[100 * quarter] - 10 * Double(quarter)) < 4)
    }
    // One level for each batch, another one in the next.
    let shared = range.merging(["codeword_snr_of": .text("batch")]) { $1 }
    let one = try noise(shared)
    let (a, b) = (levels(one), levels(try noise(shared, first: 1200)))
    #expect(a.max()! - a.min()! < 12 && b.max()! - b.min()! < 12)
    #expect(abs(mean(a) - mean(b)) > 0.5)
    // The same again, and another one in another epoch; where a set is judged each has its own.
    #expect(try noise(shared).received == one.received)
    #expect(try noise(shared, epoch: 2).received != one.received)
    let judged = levels(try noise(shared, domain: .test))
    #expect(judged.max()! - judged.min()! > 25)
  }

  /// A single level of a list is that level.
  @Test func oneLevelInAList() throws {
    let one = try noise(["codeword_snr_db": .number(7)])
    #expect(try noise(["codeword_snr_db": .list([.number(7)])]).received == one.received)
  }

  /// Bits flip at the rate, in symbols of the quantiser; none flip at 0, all at 1, and the flips of a small rate are among those of a larger one.
  @Test func bitErrors() throws {
    let quantizer: [String: Setting] = [
      "quantizer.type": .text("uniform"), "quantizer.bits": .integer(3),
    ]
    func indices(_ rate: Double?) throws -> [Int] {
      let given = rate.map { quantizer.merging(["codeword_bit_error_rate": .number($0)]) { $1 } }
      let step = try steps(quantizer)[0]
      let table = TrainedQuantizer(of: step, length: 32)
      let values = try noise(given ?? quantizer).received
      return (0..<400).flatMap { sample -> [Int] in
        let row = Array(values[sample * 32..<(sample + 1) * 32])
        var symbols = [UInt32](repeating: 0, count: 32)
        row.withUnsafeBufferPointer { row in
          symbols.withUnsafeMutableBufferPointer { _ = table.symbols(of: row, into: $0) }
        }
        return symbols.map { Int($0) }
      }
    }
    let clean = try indices(nil)
    #expect(try indices(0) == clean)
    #expect(try indices(1) == clean.map { 7 - $0 })
    let some = zip(try indices(0.1), clean).map { $0 ^ $1 }
    let more = zip(try indices(0.3), clean).map { $0 ^ $1 }
    #expect(zip(some, more).allSatisfy { $0 & ~$1 == 0 })
    // 38 400 bits: 4 deviations are 0.6 %.
    let rate = Double(some.reduce(0) { $0 + $1.nonzeroBitCount }) / Double(3 * some.count)
    #expect(abs(rate - 0.1) < 0.006)
    for bit in 0..<3 {
      let share = Double(some.count { $0 & 1 << bit != 0 }) / Double(some.count)
      #expect(abs(share - 0.1) < 0.011, "bit \(bit)")
    }
  }

  /// With noise and errors that do not move, the gradient of the encoder is that of the whole by differences: the noise is a
  /// constant, and a quantiser passes what its rounded values do not show.
  @Test func gradientsPassTheNoise() throws {
    let network = try network()
    let pool = WorkerPool(threadCount: 1)
    let steps = try steps(["codeword_snr_range_db": .list([.number(0), .number(10)])])
    let start = TrainingLoop.initialWeights(network.autoencoder, seed: 4)
    let inputs = SampleFolder.values(4, seed: 8)
    /// Noise of the start, added as a constant.
    var constant: [Float] = []
    func loss(_ weights: Weights, _ gradients: inout [String: [Float]], fixed: Bool) throws
      -> Double
    {
      let trainer = try AutoencoderTrainer(
        network.autoencoder, weights: weights, capacity: 4, pool: pool)
      let value = inputs.withUnsafeBufferPointer { inputs in
        trainer.differentiate(inputs.baseAddress!, count: 4) { codewords in
          if fixed {
            for i in constant.indices { codewords[i] += constant[i] }
          } else {
            let before = Array(UnsafeBufferPointer(start: codewords, count: 128))
            _ = steps.forward(codewords, count: 128) {
              CodewordPass(
                domain: .train, epoch: 0, first: 0, samples: 4, length: 32, power: $0)
            }
            constant = (0..<128).map { codewords[$0] - before[$0] }
          }
        }
      }
      gradients = trainer.gradients
      return value
    }
    var (gradients, other): ([String: [Float]], [String: [Float]]) = ([:], [:])
    _ = try loss(start, &gradients, fixed: false)
    #expect(constant.contains { abs($0) > 1e-3 })
    let key = try #require(
      network.autoencoder.encoder.parameters.map(\.key).filter { gradients[$0] != nil }.max {
        a, b in
        gradients[a]!.map(abs).max()! < gradients[b]!.map(abs).max()!
      })
    let place = gradients[key]!.indices.max { abs(gradients[key]![$0]) < abs(gradients[key]![$1]) }!
    let h: Float = 1e-2 * max(abs(start[key]![place]), 0.1)
    let sides = try [h, -h].map { step in
      var moved = start
      moved[key]![place] += step
      return try loss(moved, &other, fixed: true)
    }
    let slope = (sides[0] - sides[1]) / Double(2 * h)
    #expect(abs(slope / Double(gradients[key]![place]) - 1) < 0.03, "\(key) \(slope)")
  }

  /// A codeword that does not arrive: its gradient is zero everywhere, and it is judged as CSI without energy.
  @Test func lostCodewordsMoveNothing() throws {
    final class Losing: CodewordStep {
      func forward(_ codewords: UnsafeMutablePointer<Float>, _ pass: CodewordPass) -> Double {
        for sample in 0..<pass.samples where (pass.first + sample) % 3 == 0 {
          (codewords + sample * pass.length).update(
            repeating: CodewordPass.lost, count: pass.length)
        }
        return 0
      }
    }
    let network = try network()
    let pool = WorkerPool(threadCount: 1)
    let weights = TrainingLoop.initialWeights(network.autoencoder, seed: 4)
    let folder = try SampleFolder()
    let set = try folder.set("test", 12, seed: 3)
    let all = try #require(
      try Evaluation.of(
        network.autoencoder, weights, on: set, steps: [], domain: .test, pool: pool,
        shouldStop: { false }))
    let lossy = try #require(
      try Evaluation.of(
        network.autoencoder, weights, on: set, steps: [Losing()], domain: .test, pool: pool,
        shouldStop: { false }))
    // The other eight by themselves, and four of ratio 1.
    let inputs = SampleFolder.values(12, seed: 3)
    var kept: [Float] = []
    for sample in 0..<12 where sample % 3 != 0 {
      kept += inputs[sample * 2048..<(sample + 1) * 2048]
    }
    try folder.write("kept", kept)
    let eight = try #require(
      try Evaluation.of(
        network.autoencoder, weights,
        on: SampleSet(inputs: folder.file("kept"), shape: [2, 32, 32]),
        steps: [], domain: .test, pool: pool, shouldStop: { false }))
    let expected = (8 * eight.nmse + 4) / 12
    #expect(abs(lossy.nmse - expected) < 1e-9)
    #expect(all.nmse != lossy.nmse)
    // A mark is no number like any other: a diverged training is not taken for losses.
    var values = [Float](repeating: .nan, count: 4) + [CodewordPass.lost, 1, 2, 3]
    values.withUnsafeMutableBufferPointer {
      #expect(CodewordPass.clearLost($0.baseAddress!, samples: 2, length: 4) == [1])
    }
    #expect(values[0].isNaN && Array(values[4...]) == [0, 0, 0, 0])
    // The output's gradient of a lost sample is zero.
    let trainer = try AutoencoderTrainer(
      network.autoencoder, weights: weights, capacity: 3, pool: pool)
    func gradients(_ lost: [Int]) -> [String: [Float]] {
      inputs.withUnsafeBufferPointer {
        _ = trainer.differentiate($0.baseAddress!, count: 3, lost: { lost })
      }
      return trainer.gradients
    }
    #expect(gradients([0, 1, 2]).values.allSatisfy { $0.allSatisfy { $0 == 0 } })
    #expect(gradients([0]).values.contains { $0.contains { $0 != 0 } })
  }

  @Test func badSettings() throws {
    func reason(_ given: [String: Setting]) throws -> String {
      do {
        _ = try steps(given)
        return ""
      } catch let error as SettingsError {
        return "\(error)"
      }
    }
    let range: Setting = .list([.number(0), .number(10)])
    #expect(
      try reason(["codeword_snr_range_db": .list([.number(5), .number(5)])])
        .contains("codeword_snr_range_db must be two levels, the lower one first, got 5.0 and 5.0"))
    #expect(
      try reason(["codeword_snr_db": .number(5), "codeword_snr_range_db": range])
        .contains("codeword_snr_range_db cannot stand beside codeword_snr_db"))
    #expect(
      try reason(["codeword_bit_error_rate": .number(0.1)])
        .contains("codeword_bit_error_rate flips bits, and there is no quantizer"))
    #expect(
      try reason([
        "codeword_bit_error_rate": .number(0.1), "codeword_snr_db": .number(5),
        "quantizer.type": .text("uniform"),
      ]).contains("cannot stand beside noise on the codeword"))
    #expect(throws: SettingsError.self) { try settings(["mix": .list([.integer(0)])]) }
    #expect(throws: SettingsError.self) { try settings(["pilot_snr_db": .number(0)]) }
    #expect(throws: SettingsError.self) {
      try settings([
        "source": .text("estimate"), "pilot_snr_db": .number(0), "pilot_snr_range_db": range,
      ])
    }
  }
}
