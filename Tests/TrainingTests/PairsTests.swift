import DataFiles
import Foundation
import LinkMath
import Networks
import Parts
import Synchronization
import TestSupport
import Testing
import Training

/// Two sides that exchange a file of CSI and codewords and no weights.
@Suite struct PairsTests {
  private static let network = "cl-acrnet-1x"

  private func choice(_ name: String = Self.network, _ compression: Int = 64) throws
    -> NetworkChoice
  {
    try NetworkChoice(name, compression: compression)
  }

  private func teacher() throws -> Weights {
    try TrainingLoop.initialWeights(choice().autoencoder, seed: 21)
  }

  /// The file of a drawn encoder on the samples of the folder.
  @discardableResult
  private func write(_ folder: SampleFolder, bits: Int? = nil, threads: Int = 1) throws -> String {
    let path = "\(folder.path)/pairs-\(bits ?? 0)-\(threads).safetensors"
    let writer = try PairsWriter(
      choice(), weights: teacher(), data: folder.data(), bits: bits,
      pool: WorkerPool(threadCount: threads))
    #expect(
      try writer.write(
        to: path, normaliser: "none", progress: { _, _ in }, shouldStop: { false }))
    return path
  }

  private func loop(
    _ folder: SampleFolder, _ method: String, _ file: String, _ more: [String: Setting] = [:],
    stem: String = "net", threads: Int = 1
  ) throws -> TrainingLoop {
    let given: [String: Setting] = [
      "method.type": .text(method), "method.pairs": .text(file), "learning_rate": .number(0.005),
      "samples": .integer(22),
    ]
    let chosen = try settings(given.merging(more) { $1 })
    let side = try #require(chosen.pairs?.side)
    let data = try PairsFile(file, for: choice(), normaliser: "none").data(for: side)
    return try TrainingLoop(
      choice(), settings: chosen, data: data, seed: 5, stem: "\(folder.path)/\(stem)",
      pool: WorkerPool(threadCount: threads))
  }

  private func advance(_ loop: TrainingLoop, steps: Int = .max) throws -> TrainingResult? {
    let done = Atomic(0)
    return try loop.run(
      progress: { _ in done.wrappingAdd(1, ordering: .relaxed) },
      shouldStop: { done.load(ordering: .relaxed) >= steps })
  }

  /// CSI and codewords of each set, here computed again; on a grid they are the nearest of its points.
  @Test(arguments: [nil, 3, 12])
  func content(bits: Int?) throws {
    let folder = try SampleFolder()
    let path = try write(folder, bits: bits, threads: 2)
    let arrays = try ArrayFile.readAll(path).reduce(into: [String: NumericArray]()) {
      $0[$1.name!] = $1
    }
    let plan = try InferencePlan(choice().autoencoder.encoder, weights: teacher())
    let pool = WorkerPool(threadCount: 1)
    let training = plan.run([SampleFolder.values(22, seed: 1)], count: 22, pool: pool)[0]
    for (name, count, seed) in [("train", 22, 1), ("validation", 9, 2), ("test", 7, 3)] {
      let csi = SampleFolder.values(count, seed: UInt64(seed))
      #expect(arrays["\(name).csi"]?.floats() == csi)
      let codewords = plan.run([csi], count: count, pool: pool)[0]
      let found = try #require(arrays["\(name).codeword"])
      #expect(found.shape == [count, 32])
      guard let bits else {
        #expect(found.floats() == codewords)
        continue
      }
      #expect(found.elementType == (bits == 3 ? .uint8 : .uint16))
      let top = Float((1 << bits) - 1)
      let numbers = found.floats()
      #expect(numbers.allSatisfy { $0 >= 0 && $0 <= top })
      for place in 0..<32 {
        let column = stride(from: place, to: training.count, by: 32).map { training[$0] }
        let (low, high) = (column.min()!, column.max()!)
        for sample in 0..<count {
          let i = sample * 32 + place
          let value = low + (high - low) / top * numbers[i]
          let wanted = min(max(codewords[i], low), high)
          #expect(abs(value - wanted) <= (high - low) / top * 0.5001 + 1e-6)
        }
      }
    }
    // The same bytes for another number of threads.
    let again = try write(folder, bits: bits)
    #expect(try Data(contentsOf: URL(filePath: path)) == Data(contentsOf: URL(filePath: again)))
  }

  @Test(arguments: ["encoder_from_pairs", "decoder_from_pairs"], [1, 5])
  func continuesToTheSameBytes(method: String, stepsAtATime: Int) throws {
    let folder = try SampleFolder()
    let file = try write(folder, bits: 4)
    let whole = try #require(
      try advance(try loop(folder, method, file, stem: "whole", threads: 2)))
    var result: TrainingResult?
    var parts = 0
    while result == nil {
      result = try advance(try loop(folder, method, file, stem: "parts"), steps: stepsAtATime)
      parts += 1
      try #require(parts < 60)
    }
    #expect(result?.weights == whole.weights && result?.test == whole.test)
    #expect(
      try folder.bytes("parts-checkpoint.safetensors")
        == folder.bytes("whole-checkpoint.safetensors"))
    // One side alone, and it has learnt something.
    let network = try choice().autoencoder
    let side = method.hasPrefix("encoder") ? network.encoder : network.decoder
    #expect(Set(whole.weights.values.keys) == Set(side.parameters.map(\.key)))
    let losses = whole.curve.epochs.map(\.trainingLoss)
    #expect(losses.last! < losses[0])
  }

  /// The error that an encoder is judged by is that of codewords, that of a decoder is the NMSE of CSI.
  @Test func judgement() throws {
    let folder = try SampleFolder()
    let file = try write(folder)
    let pool = WorkerPool(threadCount: 1)
    let network = try choice().autoencoder
    let csi = SampleFolder.values(7, seed: 3)
    let wanted = try InferencePlan(network.encoder, weights: teacher())
      .run([csi], count: 7, pool: pool)[0]
    func ratio(_ found: [Float], _ target: [Float], _ centre: Float, _ size: Int) -> Double {
      (0..<7).reduce(0.0) { sum, sample in
        let range = sample * size..<(sample + 1) * size
        let error = range.reduce(0.0) { $0 + pow(Double(found[$1] - target[$1]), 2) }
        return sum + error / range.reduce(0.0) { $0 + pow(Double(target[$1] - centre), 2) }
      } / 7
    }
    let encoder = try #require(try advance(loop(folder, "encoder_from_pairs", file, stem: "e")))
    let own = try InferencePlan(network.encoder, weights: encoder.weights)
      .run([csi], count: 7, pool: pool)[0]
    #expect(abs(encoder.test.nmse / ratio(own, wanted, 0, 32) - 1) < 1e-5)
    let decoder = try #require(try advance(loop(folder, "decoder_from_pairs", file, stem: "d")))
    let images = try InferencePlan(network.decoder, weights: decoder.weights)
      .run([wanted], count: 7, pool: pool)[0]
    #expect(abs(decoder.test.nmse / ratio(images, csi, 0.5, 2048) - 1) < 1e-5)
  }

  /// The gradient of the decoder alone is that of the whole behind a frozen encoder.
  @Test func theDecodersGradient() throws {
    let network = try choice().autoencoder
    let pool = WorkerPool(threadCount: 1)
    let weights = try teacher()
    let csi = SampleFolder.values(6, seed: 9)
    let codewords = try InferencePlan(network.encoder, weights: weights)
      .run([csi], count: 6, pool: pool)[0]
    let alone = try AutoencoderTrainer(
      network.alone(.decoder), weights: weights, capacity: 6, pool: pool)
    let loss = alone.differentiate(codewords, target: csi)
    let whole = try AutoencoderTrainer(network, weights: weights, capacity: 6, pool: pool)
    whole.freeze { side, _ in side == .encoder }
    #expect(abs(whole.differentiate(csi, target: csi) / loss - 1) < 1e-6)
    for (key, values) in alone.decoder.gradients {
      let other = whole.decoder.gradients[key]!
      let scale = values.map(abs).max()! + 1e-6
      #expect(zip(values, other).allSatisfy { abs($0 - $1) < 1e-4 * scale }, "\(key)")
    }
  }

  @Test func brokenFiles() throws {
    let folder = try SampleFolder()
    let path = try write(folder, bits: 5)
    func complaint(
      _ path: String, network: String = Self.network, compression: Int = 64,
      normaliser: String = "none"
    ) -> String {
      do {
        _ = try PairsFile(path, for: choice(network, compression), normaliser: normaliser)
          .data(for: .encoder)
        return ""
      } catch {
        return "\(error)"
      }
    }
    #expect(complaint(path).isEmpty)
    #expect(complaint(path, compression: 32).contains("codeword_length = 64"))
    #expect(complaint(path, normaliser: "sample_max_modulus").contains("normaliser = sample"))
    let bytes = try Data(contentsOf: URL(filePath: path))
    // Any flipped bit is found: in the header, the numbers of the grid, CSI, codewords, the seal.
    for place in [9, 60, bytes.count / 3, bytes.count / 2, bytes.count - 700, bytes.count - 1] {
      var damaged = bytes
      damaged[place] ^= 4
      let file = "\(folder.path)/damaged.safetensors"
      try damaged.write(to: URL(filePath: file))
      #expect(!complaint(file).isEmpty, "byte \(place)")
    }
    try bytes.prefix(bytes.count - 40).write(to: URL(filePath: "\(folder.path)/cut.safetensors"))
    #expect(!complaint("\(folder.path)/cut.safetensors").isEmpty)
    // Weights are no pairs.
    let files = try WeightsFile.write(
      teacher(), choice(), metadata: ["normaliser": "none"], in: folder.path)
    #expect(complaint(files[0]).contains("csilink pairs"))
    // Neither noise nor another loss has a meaning for codewords alone.
    let given: [String: Setting] = [
      "method.type": .text("encoder_from_pairs"), "method.pairs": .text(path),
    ]
    for more in [["codeword_snr_db": Setting.number(5)], ["loss": .text("nmse")]] {
      #expect(throws: SettingsError.self) {
        try settings(given.merging(more) { $1 }).check(choice(), teacher: nil)
      }
    }
  }

  /// Sides that were trained alone go together; sides of two whole trainings do not.
  @Test func aloneSides() throws {
    let folder = try SampleFolder()
    let network = try choice()
    let whole = try WeightsFile.write(
      teacher(), network, label: "whole", metadata: ["normaliser": "none", "seed": "1"],
      in: folder.path)
    let alone = try WeightsFile.write(
      teacher(), network, label: "alone", metadata: ["normaliser": "none", "seed": "2"],
      sides: [.decoder], in: folder.path)
    #expect(alone.count == 1 && alone[0].hasSuffix("-alone-decoder.safetensors"))
    let encoder = try WeightsFile(whole[0], network, .encoder)
    try WeightsFile(alone[0], network, .decoder).requireTraining(of: encoder)
    let other = try WeightsFile.write(
      teacher(), network, label: "other", metadata: ["normaliser": "none", "seed": "2"],
      in: folder.path)
    #expect(throws: DataFileError.self) {
      try WeightsFile(other[1], network, .decoder).requireTraining(of: encoder)
    }
  }
}
