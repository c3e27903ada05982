import Codecs
import DataFiles
import Foundation
import LinkMath
import Networks
import Parts
import Training

/// Draws the samples of a training from the stages before the codec and keeps them as .npy files.
///
/// A file holds `[sample, 2, angle, delay]`, float32: real and imaginary part of the normalised CSI, each as
/// `0.5 + 0.5 h`. Its name has a digest of everything that it is drawn from, the program included, so that equal scenarios
/// find it again; `SHA256SUMS` beside it has the digest of its bytes, so that a changed file is not trained on. A file
/// appears whole or not at all.
package struct TrainingDraw: Sendable {
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

  /// What draws the samples of a training; the parameters are the properties.
  package init(
    task: TrainingRun.Task, sees: Fitting.Source, seed: UInt64, folder: String, pool: WorkerPool,
    progress: @escaping @Sendable (String, _ done: Int, _ total: Int) -> Void,
    leftOut: @escaping @Sendable (String, _ count: Int, _ total: Int) -> Void
  ) {
    (self.task, self.sees, self.seed, self.folder) = (task, sees, seed, folder)
    (self.pool, self.progress, self.leftOut) = (pool, progress, leftOut)
  }

  /// Drops that are drawn together.
  private static let block = 16

  /// Draws the three sets, or finds them.
  ///
  /// - Returns: nil if stopped.
  /// - Throws: ``SettingsError`` if recorded data has too few drops; errors of the stages and of the files.
  package func data(_ settings: TrainingSettings, shouldStop: @escaping @Sendable () -> Bool) throws
    -> TrainingData?
  {
    let wanted: [(StreamKey.Domain, Int)] = [
      (.train, settings.trainingCount), (.validation, settings.validationCount),
      (.test, settings.testCount),
    ]
    let isFresh = settings.data.renewal == .fresh
    if isFresh { try refuseRecords(settings) }
    try TrainingLimits.require(settings, task.drops)
    var sets: [SampleSet] = []
    var digests: [String] = []
    for (domain, count) in isFresh ? Array(wanted.dropFirst()) : wanted {
      guard let set = try set(domain, count, name(domain, count), shouldStop, &digests) else {
        return nil
      }
      sets.append(set)
    }
    if isFresh { digests.append("fresh " + name(.train, settings.trainingCount)) }
    return TrainingData(
      training: isFresh ? stream(settings) : sets[0], validation: sets[sets.count - 2],
      test: sets[sets.count - 1],
      digest: String(Digest.sha256(digests.joined(separator: " ")).prefix(16)))
  }

  private func refuseRecords(_ settings: TrainingSettings) throws(SettingsError) {
    for kind in task.drops.kinds {
      guard let available = kind.front.channel.dropCount(in: .train) else { continue }
      throw SettingsError(
        part: "training", key: DataSettings.renewal.key,
        reason:
          "cannot be fresh: the channel has only the \(available) recorded drops of its split",
        hint: "write 'data: fixed', or choose a channel model")
    }
    guard settings.trainingCount <= (1 << 32) / settings.epochs else {
      throw SettingsError(
        part: "training", key: DataSettings.renewal.key,
        reason: "can be fresh for at most 2^32 drops in all epochs")
    }
  }

  /// New drops in every epoch.
  private func stream(_ settings: TrainingSettings) -> SampleStream {
    let (drops, sees, seed) = (task.drops, self.sees, self.seed)
    return SampleStream(
      count: settings.trainingCount, shape: shape, hasTargets: sees == .estimate,
      // With one thread in all, the training draws when it needs to.
      ahead: pool.threadCount > 1 ? 2 * settings.batchSize : 0
    ) { samples in
      let images = try drops.images(samples, domain: .train, seed: seed, sees: sees)
      if let silent = images.hasEnergy.firstIndex(of: false) {
        throw TrainingError(
          description: """
            sample \(samples.lowerBound + silent) of the training has no energy
              hint: write 'training: {data: fixed}', which leaves such drops out
            """)
      }
      return (images.seen, sees == .estimate ? images.truth : nil)
    }
  }

  /// Of a sample.
  private var shape: [Int] { [2, task.context.portCount, task.context.tapCount] }

  /// Names the content of a set: what it is drawn from, not the bytes, so that it is known before it is drawn.
  private func name(_ domain: StreamKey.Domain, _ count: Int) -> String {
    let description = [
      "csilink samples 2", ProgramIdentity.text, "seed \(seed)", "\(domain) \(count)",
      sees.rawValue, task.drops.key,
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
    var sums = try Checksums(folder)
    if !files.allSatisfy({ sums.has($0) && FileManager.default.fileExists(atPath: $0) }) {
      try AtomicFile.createFolder(folder)
      guard try draw(domain, count, inputs, targets, shouldStop) else { return nil }
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
    _ domain: StreamKey.Domain, _ count: Int, _ inputs: String, _ targets: String?,
    _ shouldStop: @escaping @Sendable () -> Bool
  ) throws -> Bool {
    let seenWriter = try NPYWriter(inputs, rowShape: shape)
    let truthWriter = try targets.map { path throws(DataFileError) in
      try NPYWriter(path, rowShape: shape)
    }
    let size = shape.reduce(1, *)
    let blocks = stride(from: 0, to: count, by: Self.block).map {
      $0..<min($0 + Self.block, count)
    }
    let group = 4 * pool.threadCount
    let (drops, sees, seed) = (task.drops, self.sees, self.seed)
    for first in stride(from: 0, to: blocks.count, by: group) {
      if shouldStop() { return false }
      let members = Array(blocks[first..<min(first + group, blocks.count)])
      let drawn = try pool.map(members.count) { index, _ in
        try drops.images(members[index], domain: domain, seed: seed, sees: sees)
      }
      for images in drawn {
        for row in images.hasEnergy.indices where images.hasEnergy[row] {
          let values = row * size..<(row + 1) * size
          try seenWriter.append(Array(images.seen[values]))
          try truthWriter?.append(Array(images.truth[values]))
        }
      }
      progress("\(domain)", members.last!.upperBound, count)
    }
    try truthWriter?.finish()
    try seenWriter.finish()
    return true
  }
}
