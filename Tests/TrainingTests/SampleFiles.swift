import DataFiles
import Foundation
import LinkMath
import Parts
import TestSupport
import Training

/// A temporary folder with samples: a few bright entries on a background of 0.5.
final class SampleFolder {
  let path: String

  init() throws {
    path =
      FileManager.default.temporaryDirectory.appending(path: "csilink-\(UUID().uuidString)").path
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  static func values(_ count: Int, seed: UInt64) -> [Float] {
    var stream = testStream(seed)
    var values = [Float](repeating: 0.5, count: count * 2048)
    for sample in 0..<count {
      for _ in 0..<12 {
        values[sample * 2048 + stream.uniform(below: 2048)] = Float(stream.uniform())
      }
    }
    return values
  }

  func set(_ name: String, _ count: Int, seed: UInt64, targetSeed: UInt64? = nil) throws
    -> SampleSet
  {
    try write(name, Self.values(count, seed: seed))
    if let targetSeed { try write(name + "-target", Self.values(count, seed: targetSeed)) }
    return try SampleSet(
      inputs: file(name), targets: targetSeed.map { _ in file(name + "-target") },
      shape: [2, 32, 32])
  }

  func file(_ name: String) -> String { "\(path)/\(name).npy" }

  func write(_ name: String, _ values: [Float]) throws {
    try ArrayFile.write(
      [NumericArray(name: nil, shape: [values.count / 2048, 2, 32, 32], floats: values)],
      to: file(name))
  }

  /// Three sets of 22, 9 and 7 samples.
  func data() throws -> TrainingData {
    TrainingData(
      training: try set("train", 22, seed: 1), validation: try set("validation", 9, seed: 2),
      test: try set("test", 7, seed: 3), digest: "data")
  }

  func text(_ name: String) throws -> String {
    try String(contentsOfFile: "\(path)/\(name)", encoding: .utf8)
  }

  func bytes(_ name: String) throws -> Data {
    try Data(contentsOf: URL(filePath: "\(path)/\(name)"))
  }
}

/// Settings of a small training: 22 samples in batches of 8, the last of 6.
func settings(_ given: [String: Setting] = [:]) throws -> TrainingSettings {
  let base: [String: Setting] = [
    "samples": .integer(22), "validation_samples": .integer(9), "test_samples": .integer(7),
    "batch": .integer(8), "epochs": .integer(4),
  ]
  return try TrainingSettings(TrainingSettings.schema.settings(base.merging(given) { $1 }))
}
