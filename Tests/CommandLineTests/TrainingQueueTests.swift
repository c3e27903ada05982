import Foundation
import Testing

/// `csilink train --queue`: several trainings in one command.
@Suite struct TrainingQueueTests {
  private static let small = """
    name: small
    link:
      grid: {tones: 32}
      channel: {type: rayleigh, ports: 8, taps: 3}
      transform: {taps: 8, guard_rows: 0}
      codec: {network: cl-acrnet-1x, compression: 16}
    training:
      {samples: 24, validation_samples: 4, test_samples: 4, epochs: 2, batch: 4}
    run: {seed: 3, drops: 4}

    """

  private func folder(_ more: [String: String] = [:]) throws -> TestFolder {
    let other = Self.small.replacing("name: small", with: "name: other").replacing(
      "taps: 3", with: "taps: 2")
    return try TestFolder(
      ["set/small.yaml": Self.small, "set/other.yaml": other].merging(more) { $1 })
  }

  private static let weights = "cl-acrnet-1x-8x8-16-encoder.safetensors"

  @Test func trainsEachLineAsTheCommandWould() throws {
    let folder = try folder([
      "queue.txt": """
      # comments and empty lines are skipped

      set/small.yaml --output 'a folder' --set "training.learning_rate=2e-3"   # with quotes
      set/other.yaml --output b\\ c
      set/other.yaml
      """
    ])
    let result = try Program.run("train", "--queue", "queue.txt", in: folder)
    try #require(result.status == 0, "\(result)")
    #expect(result.errors.contains("# 3 of 3: set/other.yaml"), "\(result)")
    let alone = try Program.run(
      "train", "set/small.yaml", "--set", "training.learning_rate=2e-3", "--output", "alone",
      in: folder)
    try #require(alone.status == 0, "\(alone)")
    let (queued, single) = (
      try folder.read("a folder/\(Self.weights)"), try folder.read("alone/\(Self.weights)")
    )
    #expect(queued == single)
    #expect(
      try folder.read("b c/\(Self.weights)") == folder.read("results/other/\(Self.weights)"))
  }

  /// Scenarios without a training are no part of it, options hold for all.
  @Test func trainsTheScenariosOfAFolder() throws {
    let folder = try folder([
      "set/plain.yaml": Self.small.replacing("name: small", with: "name: plain")
        .split(separator: "training:")[0] + "run: {drops: 4}\n",
      "set/notes.txt": "no scenario",
    ])
    let result = try Program.run(
      "train", "--queue", "set", "--output", "all", "--set", "training.epochs=1", in: folder)
    try #require(result.status == 0, "\(result)")
    #expect(result.errors.contains("# 1 of 2: set/other.yaml"), "\(result)")
    #expect(!folder.has("all/plain"))
    for name in ["small", "other"] {
      let rows = try folder.text("all/\(name)/training.csv").split(separator: "\n")
      #expect(rows.last!.split(separator: ",")[4] == "1")
    }
  }

  /// All mistakes are told at once, before anything is trained.
  @Test func allLinesAreCheckedFirst() throws {
    let folder = try folder([
      "queue.txt": """
      set/small.yaml
      set/small.yaml --set training.epochs=none
      set/nothing.yaml
      set/other.yaml --bogus
      set --queue
      set/small.yaml --set codec=none
      """
    ])
    let result = try Program.run("train", "--queue", "queue.txt", in: folder)
    #expect(result.status == 2)
    for text in [
      "queue.txt:2:", "training.epochs", "queue.txt:3:", "queue.txt:4:", "--bogus", "queue.txt:5:",
      "queue.txt:6:",
    ] {
      #expect(result.errors.contains(text), "\(text): \(result)")
    }
    #expect(!folder.has("results"))
    for text in ["set/small.yaml 'open", "", "set/small.yaml \\"] {
      let folder = try self.folder(["queue.txt": text])
      let result = try Program.run("train", "--queue", "queue.txt", in: folder)
      #expect(result.status == 2 && result.output.isEmpty, "\(text): \(result)")
    }
    #expect(try Program.run("train", "--queue", "nowhere", in: folder).status == 2)
  }

  /// What a training lacks when its turn comes does not keep the others from theirs; the same command goes on.
  @Test func oneFailureLeavesTheOthers() throws {
    let folder = try folder([
      "queue.txt": """
      set/small.yaml --set training.start=[late.safetensors]
      set/other.yaml
      """
    ])
    let result = try Program.run("train", "--queue", "queue.txt", in: folder)
    #expect(result.status == 1)
    #expect(result.errors.contains("late.safetensors"), "\(result)")
    #expect(result.errors.contains("# failed: set/small.yaml"), "\(result)")
    try #require(folder.has("results/other/\(Self.weights)"), "\(result)")
    // What it lacked is there now; what was trained is not trained again.
    let stored = try folder.read("results/other/\(Self.weights)")
    try folder.write(stored, to: "set/late.safetensors")
    let again = try Program.run("train", "--queue", "queue.txt", in: folder)
    #expect(again.status == 0, "\(again)")
    #expect(try folder.read("results/other/\(Self.weights)") == stored)
  }
}
