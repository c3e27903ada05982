import DataFiles
import Foundation
import LinkMath
import Scenarios
import Synchronization

/// How far a run is; for the progress display.
public struct RunProgress: Sendable {
  /// Drops that are done, those of the journal included.
  public let finishedDrops: Int
  /// Drops that this process has to do at most.
  public let totalDrops: Int
  /// Of these, drops found in the journal.
  public let resumedDrops: Int
  /// Time since the call began.
  public let elapsed: Duration
}

/// How a run ended.
public enum RunOutcome: Sendable {
  /// The whole run is done.
  case finished(RunResult)
  /// All blocks of the shard are in the journal; `merge` makes the result.
  case shardFinished
  /// Interrupted after whole blocks; the same command continues.
  case interrupted
}

/// Works through the blocks of a prepared run, several at a time, with a journal.
public final class Runner {
  private let run: PreparedRun
  private let pool: WorkerPool
  private let shard: Shard
  private let folder: String
  private let clock = ContinuousClock()

  /// - Parameters:
  ///   - run: the scenario with its parts.
  ///   - pool: threads that blocks are worked on with.
  ///   - folder: result folder, made if missing.
  ///   - shard: the share of the blocks that is computed.
  public init(_ run: PreparedRun, pool: WorkerPool, folder: String, shard: Shard = .whole) {
    self.run = run
    self.pool = pool
    self.folder = folder
    self.shard = shard
  }

  /// The journal of a folder and shard.
  package static func journalPath(_ folder: String, _ shard: Shard) -> String {
    shard == .whole
      ? "\(folder)/journal.log" : "\(folder)/journal-\(shard.index)of\(shard.count).log"
  }

  /// Computes what the journal does not have yet.
  ///
  /// - Parameters:
  ///   - progress: called after each block, from any thread, one call at a time.
  ///   - shouldStop: looked at between blocks; true ends the run as resumable.
  /// - Throws: errors of the stages and of the journal; finished blocks are kept.
  public func execute(
    progress: @escaping @Sendable (RunProgress) -> Void = { _ in },
    shouldStop: @escaping @Sendable () -> Bool = { false }
  ) throws -> RunOutcome {
    try AtomicFile.createFolder(folder)
    let journal = try run.journal(at: Runner.journalPath(folder, shard))
    let work = try Work(
      run: run, journal: journal, shard: shard, start: clock.now, report: progress)
    // A few blocks a round, so that the stop rule is met soon after its block; idle workers at the end of a round cost
    // little because blocks take equally long.
    let group = 8 * pool.threadCount
    let run = self.run
    while !work.isStopped, !shouldStop() {
      let blocks = work.next(group)
      if blocks.isEmpty { break }
      try pool.forEach(blocks.count) { index, _ in
        if shouldStop() || work.isStopped { return }
        try work.finish(blocks[index], try run.metrics(ofBlock: blocks[index]))
      }
    }
    try journal.flush()
    guard work.isComplete else { return .interrupted }
    if shard != .whole { return .shardFinished }
    return .finished(try work.result())
  }
}

extension PreparedRun {
  /// The result for the reports.
  ///
  /// - Throws: ``SilentDropsError`` if most drops of a point have no energy.
  func result(_ fold: OrderedFold) throws(SilentDropsError) -> RunResult {
    let points = fold.summaries
    if let point = zip(points, tree.layout.users).first(where: { point, users in
      2 * Int(point[.zeroEnergyDrops]) > point.drops * users
    }) {
      throw SilentDropsError(
        silent: Int(point.0[.zeroEnergyDrops]), drops: point.0.drops * point.1, of: "the run")
    }
    return RunResult(
      scenarioName: scenario.name, description: scenario.description,
      axes: scenario.axes.map(\.path), columns: metrics.columns, points: points,
      seed: settings.seed,
      provenance: header.provenance,
      resolvedScenario: (try? scenario.resolvedYAML()) ?? "",
      sharesEnvironment: tree.channels.contains { $0.channel.sharesEnvironment },
      plots: plots, scenarioFolder: scenario.directory,
      worst: settings.worst > 0 ? fold.worst.map(\.drops) : [])
  }
}

/// The state that workers share: the journal, and the statistics of the blocks folded so far, in block order.
private final class Work: @unchecked Sendable {
  // Sendable: everything below is touched under `lock` only.
  private let lock = NSLock()
  private let run: PreparedRun
  private let journal: Journal
  private let shard: Shard
  private let report: @Sendable (RunProgress) -> Void
  private let start: ContinuousClock.Instant
  private let resumedDrops: Int
  private let totalDrops: Int
  private var fold: OrderedFold
  private var finishedDrops: Int
  /// Blocks before this one are in the journal, or were given out.
  private var cursor: Int

  init(
    run: PreparedRun, journal: Journal, shard: Shard, start: ContinuousClock.Instant,
    report: @escaping @Sendable (RunProgress) -> Void
  ) throws {
    self.run = run
    self.journal = journal
    self.shard = shard
    self.start = start
    self.report = report
    fold = OrderedFold(run)
    cursor = shard.firstBlock
    totalDrops = shard.dropCount(of: run)
    resumedDrops = journal.blocks.keys.reduce(0) {
      $0 + (shard.contains($1) && $1 < run.blockCount ? run.dropCount(ofBlock: $1) : 0)
    }
    finishedDrops = resumedDrops
    if shard == .whole { try fold.advance(journal) }
  }

  /// The next blocks of this process that the journal does not have, ascending; none if there are no more.
  func next(_ count: Int) -> [Int] {
    lock.withLock {
      var blocks: [Int] = []
      while cursor < run.blockCount, blocks.count < count {
        if journal.blocks[cursor] == nil { blocks.append(cursor) }
        cursor += shard.count
      }
      return blocks
    }
  }

  var isStopped: Bool { lock.withLock { shard == .whole && fold.reason != nil } }
  var isComplete: Bool {
    lock.withLock { shard == .whole ? fold.reason != nil : finishedDrops == totalDrops }
  }

  func finish(_ block: Int, _ metrics: BlockMetrics) throws {
    try lock.withLock {
      try journal.append(block, metrics)
      finishedDrops += metrics.dropCount
      if shard == .whole { try fold.advance(journal) }
      report(
        RunProgress(
          finishedDrops: finishedDrops,
          totalDrops: totalDrops,
          resumedDrops: resumedDrops, elapsed: ContinuousClock().now - start))
    }
  }

  func result() throws -> RunResult { try lock.withLock { try run.result(fold) } }
}

extension PreparedRun {
  /// Opens the journal of this run at a path, or starts one.
  func journal(at path: String) throws -> Journal {
    try Journal(path, header: header, dropsOfBlock: dropCount(ofBlock:))
  }

  func dropCount(ofBlock index: Int) -> Int {
    min((index + 1) * blockSize, settings.maximumDrops) - index * blockSize
  }
}

/// Folds blocks in block order and applies the stop rule after each: a pure function of the blocks 0, 1, 2, ...
struct OrderedFold {
  private var folds: [PointFold]
  /// The drops with the largest errors of each point.
  private(set) var worst: [WorstDrops]
  private var next = 0
  private var drops = 0
  private let run: PreparedRun
  /// Why the run has ended; nil while it has not.
  private(set) var reason: StopReason?

  init(_ run: PreparedRun) {
    self.run = run
    worst = run.tree.points.map { _ in WorstDrops(run.settings.worst) }
    folds = run.tree.points.map {
      PointFold($0, numbers: run.metrics.numbers, columns: run.metrics.columns)
    }
  }

  /// Adds all blocks that are there without a gap, up to the end of the run.
  mutating func advance(_ journal: Journal) throws {
    try advance { journal.blocks[$0] == nil ? nil : try journal.read($0) }
  }

  mutating func advance(_ block: (Int) throws -> BlockMetrics?) throws {
    while reason == nil, let metrics = try block(next) {
      for point in folds.indices {
        folds[point].add(metrics, point: point)
        worst[point].add(metrics, point: point, first: drops)
      }
      drops += metrics.dropCount
      next += 1
      if run.settings.stop.isMet(folds, drops: drops) {
        reason = .interval
      } else if next == run.blockCount {
        reason = .drops
      }
    }
  }

  /// The first block that is missing.
  var missingBlock: Int { next }
  var summaries: [PointSummary] { folds.map { $0.summary(reason ?? .drops) } }
}
