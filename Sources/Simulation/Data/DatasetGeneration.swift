import DataFiles
import Datasets
import Foundation
import LinkMath
import Parts
import Scenarios

/// Writes the channels of a scenario to files: in shards to a folder, or to one file.
///
/// Blocks are drawn in parallel and written in drop order; what a drop is depends on the seed, the domain and its number
/// alone, so files have the same bytes for any number of threads, and the same drops for any size of shards. A shard
/// appears whole, and then the manifest with its digest: what was stopped goes on after its last finished shard.
public struct DatasetGeneration: Sendable {
  /// How far a generation is.
  public struct Progress: Sendable {
    public let done: Int
    public let total: Int
    /// Drops of shards that were there before.
    public let kept: Int
    public let elapsed: Duration
  }

  let source: DatasetSource
  let request: DatasetRequest
  /// A folder or, if it ends in a format's extension, a file.
  let output: String
  private let isFile: Bool
  let shardSize: Int
  private let pool: WorkerPool

  /// Bytes of a shard and of a block, about.
  private static let shardByteCount = 256 << 20
  private static let blockByteCount = 4 << 20

  /// - Throws: ``ScenarioErrors`` if the data has too few drops, `DataFileError` for a format that cannot hold the layout.
  public init(
    _ source: DatasetSource, _ request: DatasetRequest, output: String, pool: WorkerPool
  ) throws {
    self.source = source
    self.request = request
    self.output = output
    self.pool = pool
    let suffix = output.split(separator: "/").last?.split(separator: ".").dropFirst().last
    isFile = suffix.flatMap { DatasetRequest.Format(rawValue: $0.lowercased()) } != nil
    let drops = request.first..<request.first + request.drops
    try source.require(drops, in: request.domain)
    let rowSize = Self.rowByteCount(source, request)
    shardSize =
      isFile ? request.drops : request.shardSize ?? max(1, Self.shardByteCount / rowSize)
  }

  private static func rowByteCount(_ source: DatasetSource, _ request: DatasetRequest) -> Int {
    let (grid, rows) = (source.grid, request.layout == .frequency)
    return 8 * (rows ? grid.tones : grid.taps) * grid.ports * (request.slots ?? 1)
  }

  /// Makes the shards that are missing.
  ///
  /// - Parameters:
  ///   - progress: called after each group of blocks.
  ///   - shouldStop: looked at between groups of blocks.
  /// - Returns: the complete manifest; nil if stopped.
  /// - Throws: errors of the channel and of the files; finished shards are kept.
  public func execute(
    progress: (Progress) -> Void = { _ in }, shouldStop: () -> Bool = { false }
  ) throws -> DatasetManifest? {
    let clock = ContinuousClock()
    let began = clock.now
    if !isFile {
      try FileManager.default.createDirectory(atPath: output, withIntermediateDirectories: true)
    }
    let manifestPath = DatasetManifest.path(of: output)
    var manifest = try plan()
    let old = try found(manifestPath, manifest)
    var kept = 0
    var done = 0
    for start in stride(from: 0, to: request.drops, by: shardSize) {
      let drops =
        request.first + start..<request.first + min(start + shardSize, request.drops)
      if let shard = old.first(where: { $0.first == drops.lowerBound && $0.drops == drops.count }),
        try isIntact(shard)
      {
        manifest.shards.append(shard)
        kept += drops.count
      } else {
        let base = done
        let shard = try write(drops) { more in
          progress(
            Progress(
              done: base + more, total: request.drops, kept: kept, elapsed: clock.now - began))
          return shouldStop()
        }
        guard let shard else { return nil }
        manifest.shards.append(shard)
        try manifest.write(to: manifestPath)
      }
      done += drops.count
    }
    manifest.isComplete = true
    try manifest.write(to: manifestPath)
    return manifest
  }

  /// Shards of an earlier call with the same recipe.
  private func found(_ path: String, _ plan: DatasetManifest) throws -> [DatasetManifest.Shard] {
    guard let old = try DatasetManifest.read(path) else { return [] }
    guard old.recipe == plan.recipe, old.drops <= plan.drops else {
      throw DataFileError(
        file: path,
        expected: old.recipe == plan.recipe
          ? "at most the \(plan.drops) drops that are asked for"
          : "a data set of this scenario and these options",
        found: old.recipe == plan.recipe ? "\(old.drops)" : "another one",
        hint: "choose another output, or replace it with --fresh")
    }
    removeLeftovers()
    return old.shards
  }

  private func isIntact(_ shard: DatasetManifest.Shard) throws -> Bool {
    for file in shard.files {
      let path = folder + "/" + file.name
      guard FileManager.default.fileExists(atPath: path) else { return false }
      if try FileDigest.whole(path).sha256 != file.sha256 { return false }
    }
    return true
  }

  /// Removes the manifest and the files that it names, and what a killed process left.
  public func discard() {
    let path = DatasetManifest.path(of: output)
    // A manifest that cannot be read goes too.
    let old = try? DatasetManifest.read(path)
    for shard in old?.shards ?? [] {
      for file in shard.files {
        try? FileManager.default.removeItem(atPath: folder + "/" + file.name)
      }
    }
    try? FileManager.default.removeItem(atPath: path)
    removeLeftovers()
  }

  /// Temporary files of a process that was killed.
  private func removeLeftovers() {
    let prefix = isFile ? (output as NSString).lastPathComponent + "." : "drops-"
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    for name in names where name.hasPrefix(prefix) && name.hasSuffix(".tmp") {
      try? FileManager.default.removeItem(atPath: "\(folder)/\(name)")
    }
  }

  /// Where the files lie.
  private var folder: String {
    guard isFile else { return output }
    let parent = (output as NSString).deletingLastPathComponent
    return parent.isEmpty ? "." : parent
  }

  /// Draws and writes one shard.
  ///
  /// - Parameter next: told the drops done; true stops.
  /// - Returns: nil if stopped.
  private func write(_ drops: Range<Int>, next: (Int) -> Bool) throws -> DatasetManifest.Shard? {
    let files = try ShardFiles(
      folder: folder, stem: isFile ? fileStem : Self.stem(drops.lowerBound),
      format: request.format, infos: arrays(drops.count))
    let rowSize = Self.rowByteCount(source, request)
    let blocks = DropBlock(drops, domain: request.domain, seed: source.seed)
      .parts(of: max(1, min(16, Self.blockByteCount / rowSize)))
    let group = 4 * pool.threadCount
    for first in stride(from: 0, to: blocks.count, by: group) {
      let members = Array(blocks[first..<min(first + group, blocks.count)])
      let drawn = Slots<DatasetSource.Rows>(members.count)
      let (source, request) = (source, request)
      try pool.forEach(members.count) { index, _ in
        drawn[index] = try source.rows(members[index], request.layout, slots: request.slots)
      }
      for index in members.indices { try files.append(drawn[index]!) }
      if next(members.last!.drops.upperBound - drops.lowerBound) { return nil }
    }
    let names = try files.finish()
    return DatasetManifest.Shard(
      first: drops.lowerBound, drops: drops.count,
      files: try names.map { name in
        let (digest, bytes) = try FileDigest.whole(folder + "/" + name)
        return .init(name: name, bytes: bytes, sha256: digest)
      })
  }

  private var fileStem: String {
    ((output as NSString).lastPathComponent as NSString).deletingPathExtension
  }

  private static func stem(_ first: Int) -> String {
    let digits = String(first)
    return "drops-" + String(repeating: "0", count: max(0, 9 - digits.count)) + digits
  }
}
