import Channels
import DataFiles
import Foundation
import LinkMath
import Parts
import Scenarios

/// A scenario with all its parts made and fitted, ready to take blocks of drops.
public struct PreparedRun: Sendable {
  /// The scenario as it was read.
  public let scenario: Scenario
  /// Seed, number of drops and stop rule.
  public let settings: RunSettings
  /// Calls and time of the nodes of the tree.
  public let statistics: StageStatistics
  /// Drops computed together.
  public let blockSize: Int
  /// The metrics and the columns of the report.
  let metrics: MetricSelection
  /// The figures of the result; the usual ones if nil.
  let plots: [FigureRequest]?
  let tree: LinkTree
  /// Fits that placeholders stand for; none of a run that is not dry.
  let pendingFits: [FittingStore.Pending]
  let header: JournalHeader

  /// Blocks of the whole run.
  public var blockCount: Int { (settings.maximumDrops + blockSize - 1) / blockSize }
  /// Operating points.
  public var pointCount: Int { tree.points.count }

  /// - Parameters:
  ///   - scenario: what was read.
  ///   - pool: threads that parts are fitted on.
  ///   - artefactFolder: where fitted parts are kept; nil keeps them in memory.
  ///   - artefactSources: folders of fitted parts of other runs, which are only read.
  ///   - channels: puts another channel in the place of the scenario's, for benchmarks.
  ///   - isDry: fitted parts are replaced by placeholders of the right shape, for checking.
  ///   - progress: told what is fitted.
  /// - Throws: `ScenarioErrors` for settings that do not go together; file errors; fitting errors.
  public init(
    _ scenario: Scenario, pool: WorkerPool, artefactFolder: String?,
    artefactSources: [String] = [], isDry: Bool = false,
    channels: (@Sendable (any ChannelModel) throws -> any ChannelModel)? = nil,
    progress: @escaping @Sendable (String) -> Void = { _ in }
  ) throws {
    self.scenario = scenario
    var settings = RunSettings(scenario.run!)
    let report = ReportSettings(scenario.report!)
    do {
      let metrics = try report.metrics(of: scenario.registry)
      self.metrics = metrics
      // Counted when the first part is fitted: a run that has all of them need not.
      let store = FittingStore(
        folder: artefactFolder, sources: artefactSources, pool: pool, placeholdersOnly: isDry,
        progress: progress
      ) {
        let dry = FittingStore(
          folder: artefactFolder, sources: artefactSources, pool: pool, placeholdersOnly: true)
        _ = try LinkTreeBuilder.build(scenario, metrics: metrics, store: dry, channels: channels)
        return dry.missingCount
      }
      plots = try report.plots(of: scenario, columns: metrics.columns)
      if !isDry, Self.readsRecords(scenario) {
        // All that the data is too small for, before anything is fitted.
        let dry = FittingStore(
          folder: artefactFolder, sources: artefactSources, pool: pool, placeholdersOnly: true)
        let tree = try LinkTreeBuilder.build(
          scenario, metrics: metrics, store: dry, channels: channels)
        try Self.requireRecords(scenario, tree, settings.maximumDrops, dry.limits)
      }
      tree = try LinkTreeBuilder.build(
        scenario, metrics: metrics, store: store, channels: channels)
      try Self.requireRecords(scenario, tree, settings.maximumDrops, store.limits)
      pendingFits = store.pending
    } catch let placed as PlacedError {
      throw ScenarioErrors([
        scenario.diagnostic(for: placed.error, section: placed.section, point: placed.point)
      ])
    } catch let error as SettingsError where error.part == "report" {
      throw ScenarioErrors([scenario.diagnostic(for: error, section: .report)])
    }
    statistics = StageStatistics(tree.nodes)
    if let records = Self.records(tree), records < settings.maximumDrops {
      settings.maximumDrops = records
      progress("run.drops is \(records): the data has no more")
    }
    self.settings = settings
    blockSize = settings.blockSize ?? PreparedRun.defaultBlockSize(tree)
    let weights = tree.fileDigests[.codec] ?? [:]
    let data = tree.fileDigests.filter { $0.key != .codec }.reduce(into: [:]) {
      $0.merge($1.value) { $1 }
    }
    header = JournalHeader(
      physics: PreparedRun.physics(scenario, settings, report), blockSize: blockSize,
      numbers: tree.layout.numbers, users: tree.layout.users,
      provenance: Provenance(
        scenarioDigest: String(Digest.sha256(scenario.canonical).prefix(16)),
        dataDigest: PreparedRun.digest(ofFiles: data),
        weightsDigest: PreparedRun.digest(ofFiles: weights), build: ProgramIdentity.build,
        kernel: ProgramIdentity.kernel, version: ProgramIdentity.version))
  }

  /// One digest for several files by path, in the order of their paths; empty without files.
  private static func digest(ofFiles digests: [String: String]) -> String {
    let ordered = digests.sorted { $0.key < $1.key }.map(\.value)
    return ordered.isEmpty ? "" : String(Digest.sha256(ordered.joined()).prefix(16))
  }

  /// Everything that the numbers of a drop depend on, but for the files that the parts read.
  private static func physics(
    _ scenario: Scenario, _ settings: RunSettings, _ report: ReportSettings
  ) -> String {
    var digest = Digest()
    let add = { (text: String, digest: inout Digest) in
      var text = text
      text.withUTF8 { digest.update(UnsafeRawBufferPointer($0)) }
    }
    add("seed \(settings.seed)\n\(report.physics)\n", &digest)
    for point in scenario.points {
      for section in point.settings.keys.sorted() {
        add(point.settings[section]!.canonical + "\n", &digest)
      }
      add("\n", &digest)
    }
    return digest.finish()
  }

  /// Whether the channel of a point reads files.
  private static func readsRecords(_ scenario: Scenario) -> Bool {
    scenario.points.contains { point in
      let settings = point.settings[.channel]!
      let context = LinkContext(
        grid: GridSection.grid(point.settings[.grid]!), directory: scenario.directory)
      return !scenario.registry.type(of: settings).files(settings, in: context).isEmpty
    }
  }

  /// Recorded drops that every point has; nil without recorded data.
  private static func records(_ tree: LinkTree) -> Int? {
    tree.channels.compactMap { $0.channel.dropCount(in: .run) }.min().map { $0 / tree.users }
  }

  /// Recorded data ends; asking for more is an error, not a repetition. The default number of drops is at most what is there.
  private static func requireRecords(
    _ scenario: Scenario, _ tree: LinkTree, _ drops: Int, _ limits: [PlacedError]
  ) throws {
    var complaints = limits.map {
      scenario.diagnostic(for: $0.error, section: $0.section, point: $0.point)
    }
    if let available = records(tree), available < drops,
      available < 2 || scenario.isWritten(RunSettings.drops.key, .run)
    {
      let users = tree.users > 1 ? " for \(tree.users) users" : ""
      complaints.append(
        scenario.diagnostic(
          for: SettingsError(
            part: "run", key: RunSettings.drops.key,
            reason:
              "must be at most the \(available) drops of the recorded data\(users), got \(drops)",
            hint: available < 2
              ? "a run needs two drops at least" : "write 'drops: \(available)'"),
          section: .run))
    }
    var seen: Set<Diagnostic> = []
    complaints = complaints.filter { seen.insert($0).inserted }
    if !complaints.isEmpty { throw ScenarioErrors(complaints) }
  }

  /// About 8 MiB for the channel of a block: enough drops for the products of the codecs, little memory.
  private static func defaultBlockSize(_ tree: LinkTree) -> Int {
    let bytes = tree.users * tree.channels.map { $0.responseByteCount * $0.slots.count }.max()!
    return max(1, min(64, (8 << 20) / bytes))
  }

  /// The metrics of one block. Pure: depends on the scenario and the block index alone.
  public func metrics(ofBlock index: Int) throws -> BlockMetrics {
    let drops = index * blockSize..<min((index + 1) * blockSize, settings.maximumDrops)
    let (metrics, timer) = try BlockWalk.run(tree, DropBlock(drops, seed: settings.seed))
    statistics.add(timer.entries)
    return metrics
  }
}

/// Digests of files, as the first 16 digits of SHA-256.
enum FileDigest {
  static func of(_ path: String) throws -> String { String(try whole(path).sha256.prefix(16)) }

  /// All digits, and the size of the file.
  static func whole(_ path: String) throws -> (sha256: String, bytes: Int) {
    guard let digest = Digest.sha256(ofFile: path) else {
      throw DataFileError(file: path, expected: "a readable file", found: "none")
    }
    return digest
  }
}
