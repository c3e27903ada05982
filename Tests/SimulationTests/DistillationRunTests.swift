import DataFiles
import Foundation
import LinkMath
import Networks
import Parts
import Scenarios
import Simulation
import TestSupport
import Testing
import Training

/// From scenarios to networks that learnt from others, and links that use them.
@Suite struct DistillationRunTests {
  private static let yaml = """
    link:
      grid: {tones: 64}
      channel: {type: rayleigh, ports: 32, taps: 3}
      transform: {taps: 32}
      codec: {network: kd-crnet-se, compression: 64}
    training: {samples: 20, validation_samples: 6, test_samples: 5, epochs: 2, batch: 8}
    run: {seed: 3, drops: 4}
    """

  private func train(_ folder: String, _ set: [String]) throws -> [TrainedNetwork] {
    let run = try TrainingRun(
      scenario(Self.yaml, set: set), pool: WorkerPool(threadCount: 2))
    return try #require(
      try run.execute(in: folder, progress: { _ in }, shouldStop: { false }))
  }

  private func export(_ folder: String, _ file: String, bits: Int?, _ set: [String]) throws
    -> PairsExport.Summary
  {
    try #require(
      try PairsExport(
        scenario(Self.yaml, set: set + ["codec.weights=\(folder)"]),
        pool: WorkerPool(threadCount: 2), progress: { _ in }
      ).write(to: file, in: folder, bits: bits, progress: { _ in }, shouldStop: { false }))
  }

  /// Teacher, students of every method and the two sides that exchange files; one link compares them.
  @Test func everyMethod() throws {
    try withTemporaryFolder { folder in
      _ = try train(folder, ["codec.network=kd-crnet", "training.label=teacher"])
      let teacher =
        "teacher: {network: kd-crnet, label: teacher, weights: \(folder)}"
      let methods = [
        "distillation", "encoder_distillation", "vendor_distillation", "sequential",
      ]
      for method in methods {
        let trained = try train(
          folder, ["training.label=\(method)", "training.method={type: \(method), \(teacher)}"])
        #expect(trained[0].files.count == 2)
      }
      // The BS gives pairs of its teacher, the UE trains an encoder and gives pairs of that, the BS tunes its decoder.
      let first = "\(folder)/bs.safetensors"
      let second = "\(folder)/ue.safetensors"
      let given = try export(
        folder, first, bits: 8, ["codec={network: kd-crnet, label: teacher, compression: 64}"])
      let digest = try #require(Digest.sha256(ofFile: first))
      #expect(given.sha256 == digest.sha256 && given.bytes == digest.bytes)
      #expect(given.counts == [20, 6, 5])
      let encoder = try train(
        folder,
        ["training.label=variant", "training.method={type: encoder_from_pairs, pairs: \(first)}"])
      #expect(
        encoder[0].files.map { ($0 as NSString).lastPathComponent } == [
          "kd-crnet-se-64-variant-encoder.safetensors"
        ])
      #expect(encoder[0].stem == "kd-crnet-se-64-variant-encoder")
      _ = try export(folder, second, bits: nil, ["codec.label=variant"])
      let decoder = try train(
        folder,
        [
          "training.label=variant",
          "training.method={type: decoder_from_pairs, pairs: \(second)}",
          "training.start=[\(folder)/kd-crnet-64-teacher-decoder.safetensors]",
        ])
      #expect(decoder[0].parameterCount < encoder[0].network.autoencoder.parameterCount)
      let labels = methods + ["variant"]
      let result = try execute(
        prepare(
          Self.yaml,
          set: [
            "codec.weights=\(folder)", "sweep.codec.label=[\(labels.joined(separator: ", "))]",
          ]))
      let errors = result.points.map { $0[.nmseDB] }
      #expect(errors.allSatisfy(\.isFinite) && Set(errors).count == labels.count)
    }
  }

  private func complaint(_ set: [String]) -> String {
    do {
      let run = try TrainingRun(scenario(Self.yaml, set: set), pool: WorkerPool(threadCount: 1))
      _ = run
      return ""
    } catch {
      return "\(error)"
    }
  }

  @Test func unfitSources() throws {
    try withTemporaryFolder { folder in
      _ = try train(
        folder, ["codec.network=kd-crnet", "training.label=teacher", "training.epochs=1"])
      #expect(
        complaint(["training.method={type: sequential}"]).contains("teacher.weights is needed"))
      #expect(
        complaint(["training.method={type: decoder_from_pairs}"]).contains("method.pairs is needed")
      )
      #expect(
        complaint([
          "training.method={type: distillation, teacher: {weights: \(folder)}}"
        ]).contains("no such file"))
      let teacher =
        "{type: sequential, teacher: {network: kd-crnet, label: teacher, weights: \(folder)}}"
      #expect(complaint(["training.method=\(teacher)"]).isEmpty)
      #expect(
        complaint(["training.method=\(teacher)", "codec.network=crnet"])
          .contains("has another decoder than crnet 1/64"))
      #expect(
        complaint([
          "training.method=\(teacher)", "codec.network='pair {encoder: crnet, decoder: kd-crnet}'",
        ]).isEmpty)
      let message = #expect(throws: ScenarioErrors.self) {
        try PairsExport(
          scenario(Self.yaml), pool: WorkerPool(threadCount: 1), progress: { _ in })
      }
      #expect(message.map { "\($0)".contains("codec.weights is needed") } == true)
    }
  }
}
