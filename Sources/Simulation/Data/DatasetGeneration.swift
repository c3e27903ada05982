import DataFiles
import Datasets
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
    /// Drops that are in the files so far, those that were there before included.
    public let done: Int
    /// Drops of the whole data set.
    public let total: Int
    /// Drops of shards that were there before.
    public let kept: Int
    /// Time since this call began.
    public let elapsed: Duration
  }

  let source: DatasetSource
  let request: DatasetRequest
  /// A folder or, if it ends in a format's extension, a file.
  let output: String
  let isFile: Bool
  let shardSize: Int
  private let pool: WorkerPool

  /// Bytes of a shard and of a block, about.
  private static let shardByteCount = 256 << 20
  private static let blockByteCount = 4 << 20
  /// Largest drop, and bytes of the drops that are drawn before they are written, about.
  private static let largestDropByteCount = 2 << 30
  private static let groupByteCount = 512 << 20

  /// - Throws: `ScenarioErrors` if the data has too few drops, `DataFileError` for drops that are too large.
  public init(
    _ source: DatasetSource, _ request: DatasetRequest, output: String, pool: WorkerPool
  ) throws {
    self.source = source
    self.request = request
    isFile = DatasetRequest.Format(of: output) != nil
    let end = output.lastIndex { $0 != "/" }
    self.output = end.map { String(output[...$0]) } ?? output
    self.pool = pool
    let drops = request.first..<request.first + request.drops
    try source.require(drops, in: request.domain)
    let rowSize = Self.rowByteCount(source, request)
    guard rowSize <= Self.largestDropByteCount else {
      throw DataFileError(
        file: output, expected: "drops of at most 2 GiB", found: "\(rowSize) bytes",
        hint: "make fewer --slots, tones or ports")
    }
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
  ///   - fresh: replaces what an earlier call left, and a single file whatever it is.
  ///   - progress: called after each group of blocks.
  ///   - shouldStop: looked at between groups of blocks.
  /// - Returns: the complete manifest; nil if stopped.
  /// - Throws: errors of the channel and of the files; finished shards are kept.
  public func execute(
    fresh: Bool = false, progress: (Progress) -> Void = { _ in }, shouldStop: () -> Bool = { false }
  ) throws -> DatasetManifest? {
    let clock = ContinuousClock()
    let began = clock.now
    if fresh { try discard() }
    if !isFile { try AtomicFile.createFolder(output) }
    var manifest = try plan()
    let old = Dictionary(
      try found(manifest, replacing: fresh).map { ($0.first, $0) }, uniquingKeysWith: { $1 })
    removeLeftovers()
    var isAnnounced = false
    var kept = 0
    var done = 0
    for start in stride(from: 0, to: request.drops, by: shardSize) {
      let drops =
        request.first + start..<request.first + min(start + shardSize, request.drops)
      if let shard = old[drops.lowerBound], shard.drops == drops.count, try isIntact(shard) {
        manifest.shards.append(shard)
        kept += drops.count
      } else {
        let base = done
        let files = try ShardFiles(
          folder: folder, stem: stem(drops.lowerBound), suffix: suffix, format: request.format,
          infos: arrays(drops.count))
        // From here on the files are in change, and nobody shall take them for a finished set.
        if !isAnnounced { try manifest.write(to: manifestPath) }
        isAnnounced = true
        let shard = try write(drops, files) { more in
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

  /// Draws and writes one shard.
  ///
  /// - Parameter next: told the drops done; true stops.
  /// - Returns: nil if stopped.
  private func write(
    _ drops: Range<Int>, _ files: ShardFiles, next: (Int) -> Bool
  ) throws -> DatasetManifest.Shard? {
    let rowSize = Self.rowByteCount(source, request)
    let size = max(1, min(16, Self.blockByteCount / rowSize))
    let group = max(1, min(4 * pool.threadCount, Self.groupByteCount / (size * rowSize)))
    for first in stride(from: drops.lowerBound, to: drops.upperBound, by: size * group) {
      let part = first..<min(first + size * group, drops.upperBound)
      let members = DropBlock(part, domain: request.domain, seed: source.seed).parts(of: size)
      let (source, request) = (source, request)
      let drawn = try pool.map(members.count) { index, _ in
        try source.rows(members[index], request.layout, slots: request.slots)
      }
      for rows in drawn { try files.append(rows) }
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
}
