import Coding
import Foundation
import LinkMath
import Networks
import Parts
import TestSupport
import Testing
import Training

/// Results of an independent program for quantisers, codebooks and bits.
private struct Vectors {
  private let file: TensorFile

  init() throws {
    file = try TensorFile(path: fixtures.appending(path: "training/methods.safetensors").path)
  }

  func callAsFunction(_ key: String) throws -> [Double] {
    try #require(file.tensors[key], "\(key)").doubles()
  }
}

/// A network of M = 32 whose codeword has a range.
private func network(_ range: String = "linear") throws -> NetworkChoice {
  try NetworkChoice("csinet {codeword: \(range)}", compression: 64)
}

private func given(_ values: [String: Setting]) throws -> Settings {
  try TrainingSettings.schema.settings(values)
}

extension CodewordStep {
  /// Passes codewords of a batch of samples.
  fileprivate func passed(
    _ values: [Float], length: Int, epoch: Int = 0, domain: StreamKey.Domain = .train
  ) -> (values: [Float], added: Double) {
    var values = values
    let pass = pass(values.count, length, epoch, domain)
    let added = values.withUnsafeMutableBufferPointer { forward($0.baseAddress!, pass) }
    return (values, added)
  }

  /// The gradient before the step, of one behind it.
  fileprivate func back(_ gradient: [Float], length: Int, epoch: Int = 0) -> [Float] {
    var gradient = gradient
    let pass = pass(gradient.count, length, epoch, .train)
    gradient.withUnsafeMutableBufferPointer { backward($0.baseAddress!, pass) }
    return gradient
  }

  private func pass(_ count: Int, _ length: Int, _ epoch: Int, _ domain: StreamKey.Domain)
    -> CodewordPass
  {
    CodewordPass(
      domain: domain, epoch: epoch, first: 0, samples: count / length, length: length)
  }
}

/// Quantisers whose cells never move.
@Suite struct FixedQuantizerTests {
  /// Values through the step, padded to whole codewords of 32.
  private func quantized(_ step: some CodewordStep, _ values: [Double]) -> [Double] {
    let padded = values + [Double](repeating: 0.5, count: (32 - values.count % 32) % 32)
    let floats = padded.map { Float($0) }
    let results = [StreamKey.Domain.train, .validation].map {
      step.passed(floats, length: 32, domain: $0).values
    }
    #expect(results[0] == results[1], "training and judging quantise alike")
    return results[0].prefix(values.count).map { Double($0) }
  }

  @Test(arguments: [1, 2, 3, 4, 8])
  func uniform(bits: Int) throws {
    let vectors = try Vectors()
    for (reconstruction, key) in [("centre", "mid"), ("lower", "low")] {
      let step = try FixedQuantizerStep<UniformCells>(
        given([
          "quantizer.bits": .integer(bits), "quantizer.reconstruction": .text(reconstruction),
        ]), for: network("sigmoid"), seed: 1)
      let found = quantized(step, try vectors("uniform.x"))
      #expect(
        try zip(found, vectors("uniform.\(key)_b\(bits)")).allSatisfy { abs($0 - $1) < 1e-6 })
      #expect(step.back([Float](repeating: 0.7, count: 416), length: 32).allSatisfy { $0 == 0.7 })
    }
  }

  @Test(arguments: [(50.0, 2), (50, 4), (50, 6), (200, 2), (200, 4), (200, 6)])
  func companded(mu: Double, bits: Int) throws {
    let vectors = try Vectors()
    let settings = try given([
      "quantizer.bits": .integer(bits), "quantizer.mu": .number(mu),
    ])
    let expected = try vectors("mulaw.mu\(Int(mu))_b\(bits)_value")
    let x = try vectors("mulaw.x")
    for (range, scale, offset) in [("tanh", 1.0, 0.0), ("sigmoid", 0.5, 0.5)] {
      let step = try FixedQuantizerStep<CompandedCells>(settings, for: network(range), seed: 1)
      let found = quantized(step, x.map { scale * $0 + offset })
      let wrong = zip(found, expected).filter { abs(($0 - offset) / scale - $1) > 1e-5 }
      #expect(wrong.isEmpty, "\(range) \(wrong)")
    }
  }

  /// Indices on [0, 1] by levels of the logit, and the slope: the bump by the independent program, the sigmoid and its inverse by
  /// differences.
  @Test func rounded() throws {
    let vectors = try Vectors()
    let step = try FixedQuantizerStep<RoundedCells>(
      given(["quantizer.bits": .integer(4)]), for: network(), seed: 1)
    let (x, indices, bumps) = try (
      vectors("uniform.x"), vectors("round.b4_index"), vectors("round.b4_surrogate_a2")
    )
    for (value, bump) in zip(x, bumps) {
      #expect(abs(SigmoidRounding(bits: 4).slope(value) - bump) < 1e-6)
    }
    func logit(_ a: Double) -> Double { log(a / (1 - a)) }
    let inside = x.indices.filter { x[$0] > 1e-6 && x[$0] < 1 - 1e-6 }
    let z = inside.map { logit(x[$0]) }
    let found = quantized(step, z)
    let padded = z.map { Float($0) } + [Float](repeating: 0, count: (32 - z.count % 32) % 32)
    _ = step.passed(padded, length: 32)
    let slopes = step.back(padded.map { _ in 1 }, length: 32)
    for (place, i) in inside.enumerated() {
      // Values on a threshold may round either way in single precision.
      let distance = (16 * x[i]).rounded() - 16 * x[i]
      guard abs(distance) > 1e-5 else { continue }
      let centre = (indices[i] + 0.5) / 16
      #expect(abs(found[place] - logit(centre)) < 1e-5)
      let sigmoid = { (z: Double) in 1 / (1 + exp(-z)) }
      let inner = (sigmoid(z[place] + 1e-4) - sigmoid(z[place] - 1e-4)) / 2e-4
      let outer = (logit(centre + 1e-5) - logit(centre - 1e-5)) / 2e-5
      let expected = bumps[i] * inner * outer
      #expect(abs(Double(slopes[place]) - expected) < 1e-3 * (0.05 + expected))
    }
  }

  /// The mu-law cells of a training are those of the link's law, of both kinds and on both ranges.
  @Test(arguments: ["mid_rise", "sign_magnitude"], ["tanh", "sigmoid"])
  func companded(levels: String, range: String) throws {
    for bits in [1, 2, 3, 5] {
      let step = try FixedQuantizerStep<CompandedCells>(
        given([
          "quantizer.bits": .integer(bits), "quantizer.levels": .text(levels),
          "quantizer.mu": .number(50),
        ]), for: network(range), seed: 1)
      let law = MuLaw(mu: 50, bits: bits, levels: try #require(MuLaw.Levels(rawValue: levels)))
      let u = (0..<64).map { sin(0.7 + 1.3 * Double($0)) * 1.05 }
      let isSigned = range == "tanh"
      let found = step.passed(u.map { Float(isSigned ? $0 : ($0 + 1) / 2) }, length: 32).values
      for (value, found) in zip(u, found) {
        let expected = law.value(law.index(value))
        #expect(abs(Double(found) - (isSigned ? expected : (expected + 1) / 2)) < 1e-6)
      }
      let width = levels == "mid_rise" ? bits : bits + 1
      #expect(step.tables["bits"]?.elements == [Float](repeating: Float(width), count: 32))
    }
  }

  @Test(arguments: [
    ("uniform", "linear", "needs codewords in [0, 1]"),
    ("uniform", "tanh", "write 'network: csinet {codeword: sigmoid}'"),
    ("mu_law", "linear", "write 'network: csinet {codeword: tanh}'"),
  ])
  func rangesThatDoNotFit(word: String, range: String, complaint: String) throws {
    let settings = try TrainingSettings(given(["quantizer.type": .text(word)]))
    let error = #expect(throws: SettingsError.self) {
      try settings.codewordSteps(network(range), seed: 1)
    }
    #expect(error?.description.contains(complaint) == true, "\(String(describing: error))")
  }

  /// The sigmoid stands behind the encoder's last layer, in training and inference, and the decoder gets its values.
  @Test func theRangeOfACodeword() throws {
    let (plain, bounded) = try (network(), network("sigmoid"))
    #expect(bounded.name == "csinet {codeword: sigmoid}")
    #expect(bounded.stem == "csinet-codeword-sigmoid-64" && plain.stem == "csinet-64")
    #expect(
      bounded.autoencoder.encoder.parameters.map(\.key)
        == plain.autoencoder.encoder.parameters.map(\.key))
    let weights = TrainingLoop.initialWeights(plain.autoencoder, seed: 3)
    #expect(weights == TrainingLoop.initialWeights(bounded.autoencoder, seed: 3))
    let input = SampleFolder.values(5, seed: 9)
    let pool = WorkerPool(threadCount: 1)
    let codewords = try [plain, bounded].map {
      try InferencePlan($0.autoencoder.encoder, weights: weights)
        .run([input], count: 5, pool: pool)[0]
    }
    for (z, v) in zip(codewords[0], codewords[1]) { #expect(abs(1 / (1 + exp(-z)) - v) < 1e-6) }
    let trainer = try AutoencoderTrainer(
      bounded.autoencoder, weights: weights, capacity: 5, pool: pool)
    let inside = input.withUnsafeBufferPointer { trainer.codewords($0.baseAddress!, count: 5) }
    #expect(inside.allSatisfy { $0 > 0 && $0 < 1 })
    for text in ["crnet {codeword: tanh}", "acrnet {expansion: 2, codeword: sigmoid}"] {
      #expect(try NetworkChoice(text, compression: 64).name == text)
    }
  }
}

/// Codebooks that are trained, and bits that move between the outputs.
@Suite struct CodebookStepTests {
  /// The five outputs of the vectors.
  private func step(_ vectors: Vectors) throws -> CodebookStep {
    let bits = try vectors("adabeta.bits").map { Int($0) }
    let step = CodebookStep(bits: bits, limit: 4, beta: 0.25)
    step.set(
      ScalarCodebooks(
        try bits.indices.map { try vectors("adabeta.codebook\($0)").map { Float($0) } }))
    return step
  }

  @Test func lossesAndGradients() throws {
    let vectors = try Vectors()
    let step = try step(vectors)
    let z = try vectors("adabeta.z").map { Float($0) }
    let (quantized, added) = step.passed(z, length: 5)
    #expect(try zip(quantized, vectors("adabeta.zq")).allSatisfy { abs(Double($0) - $1) < 1e-6 })
    #expect(try abs(added - vectors("adabeta.quant_term")[0]) < 1e-6)
    let (weights, indices) = try (vectors("adabeta.beta_m"), vectors("adabeta.index"))
    for i in weights.indices {
      let weight = step.weight(of: Int(indices[i]), output: i % 5)
      #expect(abs(Double(weight) - weights[i]) < 1e-6)
    }
    let gradient = step.back([Float](repeating: 0, count: z.count), length: 5)
    for (found, expected) in zip(gradient, try vectors("adabeta.quant_term_grad_z")) {
      #expect(abs(Double(found) - expected) < 1e-6)
    }
    // Straight through: what comes from behind is added.
    let through = step.back([Float](repeating: 0.3, count: z.count), length: 5)
    #expect(zip(through, gradient).allSatisfy { abs($0 - $1 - 0.3) < 1e-6 })
    for output in 0..<5 {
      let expected = try vectors("adabeta.codebook_grad\(output)")
      for (j, value) in expected.enumerated() {
        let found = step.parameters!.gradients[output << 4 + j]
        #expect(abs(Double(found) - value) < 1e-6, "\(output) \(j)")
      }
    }
  }

  /// Both gradients by central differences: of the error of the autoencoder with weights and codewords held, of that of the
  /// codebooks with the values held.
  @Test func gradientsByDifferences() throws {
    let step = CodebookStep(bits: [2, 0, 1], limit: 2, beta: 0.25, isAdaptive: false)
    step.set(ScalarCodebooks([[-1, -0.4, 0.3, 1.2], [0.25], [-0.5, 0.75]]))
    let z: [Float] = [-0.8, 0.1, 0.2, 0.5, 0.9, 0.7, 1.5, -0.3, -0.9]
    _ = step.passed(z, length: 3)
    let gradient = step.back([Float](repeating: 1, count: 9), length: 3)
    let codebooks = Array(step.parameters!.gradients)
    for i in 0..<9 {
      var (above, below) = (z, z)
      above[i] += 0.01
      below[i] -= 0.01
      let slope =
        (step.passed(above, length: 3).added - step.passed(below, length: 3).added) / 0.02
      // An output without bits blocks the gradient and adds nothing.
      #expect(abs(slope + (i % 3 == 1 ? 0 : 1) - Double(gradient[i])) < 1e-4, "\(i)")
    }
    func codebookLoss(_ codebooks: [[Float]]) -> Double {
      step.set(ScalarCodebooks(codebooks))
      let quantized = step.passed(z, length: 3, domain: .test).values
      return zip(quantized, z).reduce(0.0) { $0 + pow(Double($1.0 - $1.1), 2) } / 3
    }
    let books: [[Float]] = [[-1, -0.4, 0.3, 1.2], [0.25], [-0.5, 0.75]]
    for (output, book) in books.enumerated() {
      for j in book.indices {
        var (above, below) = (books, books)
        above[output][j] += 0.01
        below[output][j] -= 0.01
        let slope = (codebookLoss(above) - codebookLoss(below)) / 0.02
        #expect(abs(slope - Double(codebooks[output << 2 + j])) < 1e-4, "\(output) \(j)")
      }
    }
  }

  /// Codebooks, errors and bits of the vectors, from an equal start.
  @Test(arguments: [2, 3])
  func bitsMove(average: Int) throws {
    let vectors = try Vectors()
    let expected = try vectors("alloc.swap_bits_avg\(average)").map { Int($0) }
    let table = try vectors("alloc.loss_table")
    let total = expected.indices.reduce(0.0) { $0 + table[7 * $1 + expected[$1]] }
    #expect(try abs(total - vectors("alloc.swap_history_avg\(average)").last!) < 1e-9)
    #expect(try expected == vectors("alloc.greedy_bits_avg\(average)").map { Int($0) })
    let samples = RealArray(try vectors("alloc.samples").map { Float($0) }, shape: [400, 6])
    let step = CodebookStep(
      bits: [Int](repeating: average, count: 6), limit: 6, beta: 0.25, sampleCount: 400)
    try step.begin(samples)
    for output in 0..<6 {
      let expected = try vectors("alloc.codebook_m\(output)_b\(average)")
      #expect(zip(step.codebook(of: output), expected).allSatisfy { abs(Double($0) - $1) < 1e-5 })
    }
    let renewed = try step.endEpoch(samples)
    #expect(step.bits == expected)
    let moved = (0..<6).filter { expected[$0] != average }
    #expect(renewed == moved.map { $0 << 6..<($0 + 1) << 6 })
    for output in moved where step.bits[output] <= 3 {
      let expected = try vectors("alloc.codebook_m\(output)_b\(step.bits[output])")
      #expect(zip(step.codebook(of: output), expected).allSatisfy { abs(Double($0) - $1) < 1e-5 })
    }
    #expect(try step.endEpoch(samples).isEmpty, "an allocation that has settled stays")
  }

  /// What an optimiser put out of order is sorted, and the state is what was.
  @Test func sortingAndState() throws {
    let step = CodebookStep(bits: [2, 1], limit: 3, beta: 0.1)
    step.set(ScalarCodebooks([[0, 1, 2, 3], [-1, 1]]))
    step.parameters!.values[1] = 2.5
    step.parameters!.values[8] = 4
    try step.finishUpdate()
    #expect(step.codebook(of: 0) == [0, 2, 2.5, 3] && step.codebook(of: 1) == [1, 4])
    #expect(step.passed([2.4, 2.4], length: 2, domain: .test).values == [2.5, 1])
    step.parameters!.values[5] = .nan
    #expect(throws: TrainingError.self) { try step.finishUpdate() }
    step.parameters!.values[5] = 0
    let other = CodebookStep(bits: [3, 0], limit: 3, beta: 0.1)
    other.state = step.state
    #expect(other.bits == [2, 1] && other.codebook(of: 0) == [0, 2, 2.5, 3])
    #expect(other.tables == step.tables)
    #expect(Array(other.parameters!.values[0..<4]) == [0, 2, 2.5, 3])
  }

  @Test(arguments: [
    (["quantizer.max_bits": Setting.integer(3)], "must be at least quantizer.bits = 4"),
    (["quantizer.samples": .integer(500)], "at least the 1024 levels of 10 bits"),
    (
      ["quantizer.type": .text("vector"), "quantizer.length": .integer(5)], "divide the 32 outputs"
    ),
    (["quantizer.type": .text("vector"), "quantizer.length": .integer(4)], "L · bits at most 14"),
    (["quantizer.type": .text("lloyd"), "quantizer.samples": .integer(7)], "the 16 levels"),
  ])
  func unfitKeys(_ keys: [String: Setting], _ complaint: String) throws {
    let settings = try TrainingSettings(
      given(["quantizer.type": .text("codebooks")].merging(keys) { $1 }))
    let error = #expect(throws: SettingsError.self) {
      try settings.codewordSteps(network(), seed: 1)
    }
    #expect(error?.description.contains(complaint) == true, "\(String(describing: error))")
  }
}

/// One codebook for groups of outputs.
@Suite struct VectorStepTests {
  private func nearest(_ vectors: [[Float]], _ z: ArraySlice<Float>) -> [Float] {
    vectors.min { a, b in
      zip(a, z).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
        < zip(b, z).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
    }!
  }

  /// The nearest vectors by exhaustion; gradients of commitment and codebook by central differences.
  @Test func lossesAndGradients() {
    let step = VectorStep(length: 2, bits: 3, beta: 0.25, orderedFrom: 100, seed: 4)
    let vectors = (0..<8).map { [step.vectors[$0, 0], step.vectors[$0, 1]] }
    #expect(vectors.joined().allSatisfy { abs($0) <= 0.5 })
    #expect(Set(vectors.joined()).count == 16)
    let z = testStreamValues(6 * 4)
    let (values, added) = step.passed(z, length: 4)
    for first in stride(from: 0, to: 24, by: 2) {
      #expect(Array(values[first..<first + 2]) == nearest(vectors, z[first..<first + 2]))
    }
    let error = zip(values, z).reduce(0.0) { $0 + pow(Double($1.0 - $1.1), 2) } / 24
    #expect(abs(added - 1.25 * error) < 1e-6)
    #expect(step.passed(z, length: 4, domain: .validation).values == values)
    let gradient = step.back([Float](repeating: 2, count: 24), length: 4)
    for i in z.indices {
      #expect(abs(gradient[i] - 2 - 0.5 * (z[i] - values[i]) / 24) < 1e-6)
    }
    let codebook = Array(step.parameters!.gradients)
    for i in 0..<16 {
      let sum = stride(from: 0, to: 24, by: 2).reduce(Float(0)) { sum, first in
        guard Array(values[first..<first + 2]) == vectors[i / 2] else { return sum }
        return sum + 2 * (vectors[i / 2][i % 2] - z[first + i % 2]) / 24
      }
      #expect(abs(codebook[i] - sum) < 1e-6)
    }
  }

  private func testStreamValues(_ count: Int) -> [Float] {
    var stream = testStream(3)
    return (0..<count).map { _ in Float(stream.uniform() - 0.5) }
  }

  /// In ordered epochs a prefix of vectors is kept, whose length is uniform; the rest is zero and gets no gradient. Judged
  /// codewords are whole.
  @Test func prefixes() {
    let step = VectorStep(length: 2, bits: 4, beta: 0.25, orderedFrom: 3, seed: 4)
    let z = testStreamValues(400 * 8).map { $0 + ($0 < 0 ? -0.6 : 0.6) }
    #expect(step.passed(z, length: 8, epoch: 2).values.allSatisfy { $0 != 0 })
    let (values, _) = step.passed(z, length: 8, epoch: 3)
    let gradient = step.back(z.map { _ in 1 }, length: 8, epoch: 3)
    var counts = [0, 0, 0, 0, 0]
    for sample in 0..<400 {
      let zeros = (0..<8).map { values[8 * sample + $0] == 0 }
      let kept = zeros.firstIndex(of: true) ?? 8
      #expect(zeros == (0..<8).map { $0 >= kept } && kept > 0 && kept % 2 == 0)
      #expect((0..<8).allSatisfy { (gradient[8 * sample + $0] == 0) == zeros[$0] })
      counts[kept / 2] += 1
    }
    // Four lengths of probability 1/4: a standard deviation is 8.7.
    #expect(counts[0] == 0 && counts[1...].allSatisfy { abs($0 - 100) < 45 }, "\(counts)")
    #expect(step.passed(z, length: 8, epoch: 4).values != values, "other lengths in each epoch")
    #expect(step.passed(z, length: 8, epoch: 3, domain: .test).values.allSatisfy { $0 != 0 })
  }
}
