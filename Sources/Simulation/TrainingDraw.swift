import Codecs
import DataFiles
import Foundation
import LinkMath
import Networks
import Parts
import Synchronization
import Training

/// Draws the samples of a training from the stages before the codec and keeps them as .npy files.
///
/// A file holds `[sample, 2, angle, delay]`, float32: real and imaginary part of the normalised CSI, each as
/// `0.5 + 0.5 h`. Its name has a digest of everything that it is drawn from, the program included, so that equal scenarios
/// find it again; `SHA256SUMS` beside it has the digest of its bytes, so that a changed file is not trained on. A file
/// appears whole or not at all.
struct TrainingDraw: Sendable {
  let task: TrainingRun.Task
  /// What the encoder sees.
  let sees: Fitting.Source
  let seed: UInt64
  /// Where the files are kept.
  let folder: String
  let pool: WorkerPool
  let progress: @Sendable (String, _ done: Int, _ total: Int) -> Void
  /// Told how many drops of a set have no energy.
  let leftOut: @Sendable (String, _ count: Int, _ total: Int) -> Void

  /// Drops that are drawn together.
  private static let block = 16

  /// Draws the three sets, or finds them.
  ///
  /// - Returns: nil if stopped.
  /// - Throws: ``SettingsError`` if recorded data has too few drops; errors of the stages and of the files.
  func data(_ settings: TrainingSettings, shouldStop: @escaping @Sendable () -> Bool) throws
    -> TrainingData?
  {
    let wanted: [(StreamKey.Domain, Int, Parts.Parameter<Int>)] = [
      (.train, settings.trainingCount, TrainingSettings.samples),
      (.validation, settings.validationCount, TrainingSettings.validation),
      (.test, settings.testCount, TrainingSettings.test),
    ]
    for (domain, count, key) in wanted {
      guard let available = task.front.channel.dropCount(in: domain), available < count else {
        continue
      }
      throw SettingsError(
        part: "training", key: key.key,
        reason: "must be at most the \(available) drops that the data has for it, got \(count)",
        hint: "give the channel a larger 'split' for training, validation and test")
    }
    var sets: [SampleSet] = []
    var digests: [String] = []
    for (domain, count, _) in wanted {
      guard let set = try set(domain, count, name(domain, count), shouldStop, &digests) else {
        return nil
      }
      sets.append(set)
    }
    return TrainingData(
      training: sets[0], validation: sets[1], test: sets[2],
      digest: String(Digest.sha256(digests.joined(separator: " ")).prefix(16)))
  }

  /// Names the content of a set: what it is drawn from, not the bytes, so that it is known before it is drawn.
  private func name(_ domain: StreamKey.Domain, _ count: Int) -> String {
    let description = [
      "csilink samples 2", ProgramIdentity.text, "seed \(seed)", "\(domain) \(count)",
      sees.rawValue, task.key,
    ].joined(separator: "\n")
    return "\(domain)-\(Digest.sha256(description).prefix(16))"
  }

  /// - Parameter digests: gets those of the set's bytes.
  private func set(
    _ domain: StreamKey.Domain, _ count: Int, _ name: String,
    _ shouldStop: @escaping @Sendable () -> Bool, _ digests: inout [String]
  ) throws -> SampleSet? {
    let inputs = "\(folder)/\(name).npy"
    let targets = sees == .estimate ? "\(folder)/\(name)-target.npy" : nil
    let files = [inputs] + [targets].compactMap { $0 }
    let shape = [2, task.context.portCount, task.context.tapCount]
    var sums = try Checksums(folder)
    if !files.allSatisfy({ sums.has($0) && FileManager.default.fileExists(atPath: $0) }) {
      try AtomicFile.createFolder(folder)
      guard try draw(domain, count, inputs, targets, shape, shouldStop) else { return nil }
      try sums.note(files)
    } else {
      try sums.check(files)
    }
    digests += files.map { sums[$0]! }
    let set = try SampleSet(inputs: inputs, targets: targets, shape: shape)
    guard set.count <= count else {
      throw DataFileError(
        file: inputs, expected: "at most \(count) samples", found: "\(set.count)",
        hint: "delete the file; it is drawn again")
    }
    guard 2 * set.count >= count, set.count > 0 else {
      throw SilentDropsError(
        silent: count - set.count, drops: count, of: "the set '\(domain)'")
    }
    if set.count < count { leftOut("\(domain)", count - set.count, count) }
    return set
  }

  /// Blocks are drawn in parallel, a few at a time, and written in drop order without the drops that have no energy;
  /// false if stopped.
  private func draw(
    _ domain: StreamKey.Domain, _ count: Int, _ inputs: String, _ targets: String?, _ shape: [Int],
    _ shouldStop: @escaping @Sendable () -> Bool
  ) throws -> Bool {
    let seenWriter = try NPYWriter(inputs, rowShape: shape)
    let truthWriter = try targets.map { path throws(DataFileError) in
      try NPYWriter(path, rowShape: shape)
    }
    let blocks = DropBlock(0..<count, domain: domain, seed: seed).parts(of: Self.block)
    let group = 4 * pool.threadCount
    let isEstimate = sees == .estimate
    for first in stride(from: 0, to: blocks.count, by: group) {
      if shouldStop() { return false }
      let members = Array(blocks[first..<min(first + group, blocks.count)])
      let drawn = Mutex([(seen: [Float], truth: [Float])?](repeating: nil, count: members.count))
      let (front, sees) = (task.front, self.sees)
      try pool.forEach(members.count) { index, _ in
        let sample = try front.sample(members[index], sees: sees)
        let (seen, truth) = (sample.seen, isEstimate ? try front.truth(sample) : sample.seen)
        let hasEnergy = truth.rowsWithEnergy
        let rows = hasEnergy.indices.filter { hasEnergy[$0] }
        let maps = (
          seen: rows.isEmpty ? [] : CSIImages.images(seen.rows(rows)).elements,
          truth: isEstimate && !rows.isEmpty ? CSIImages.images(truth.rows(rows)).elements : []
        )
        drawn.withLock { $0[index] = maps }
      }
      for maps in drawn.withLock({ $0 }) {
        try seenWriter.append(maps!.seen)
        try truthWriter?.append(maps!.truth)
      }
      progress("\(domain)", members.last!.drops.upperBound, count)
    }
    try truthWriter?.finish()
    try seenWriter.finish()
    return true
  }
}
