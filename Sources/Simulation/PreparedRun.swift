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
  ///   - journals: journals that must belong to this run; looked at before anything is fitted, if they exist.
  ///   - channels: puts another channel in the place of the scenario's, for benchmarks.
  ///   - isResolved: the scenario is that of a result, with its defaults written out: numbers of recorded drops that it writes are at most
  ///     what is there, as defaults are.
  ///   - isDry: fitted parts are replaced by placeholders of the right shape, for checking.
  ///   - progress: told what is fitted.
  /// - Throws: `ScenarioErrors` for settings that do not go together; ``JournalError`` for journals of another run; file errors; fitting errors.
  public init(
    _ scenario: Scenario, pool: WorkerPool, artefactFolder: String?,
    artefactSources: [String] = [], journals: [String] = [], isDry: Bool = false,
    isResolved: Bool = false,
    channels: (@Sendable (any ChannelModel) throws -> any ChannelModel)? = nil,
    progress: @escaping @Sendable (String) -> Void = { _ in }
  ) throws {
    let report = ReportSettings(scenario.report!)
    let (metrics, plots) = try report.contents(of: scenario)
    (self.metrics, self.plots) = (metrics, plots)
    do {
      /// The link with placeholders for what is not fitted yet, and their store.
      let look = { @Sendable (scenario: Scenario) in
        let store = FittingStore(
          folder: artefactFolder, sources: artefactSources, pool: pool, placeholdersOnly: true,
          isResolved: isResolved)
        let tree = try LinkTreeBuilder.build(
          scenario, metrics: metrics, store: store, channels: channels)
        return (tree, store)
      }
      let scenario = try RecordDivision.divided(
        scenario, isResolved: isResolved, progress: progress, look: look)
      self.scenario = scenario
      let settings = RunSettings(scenario.run!)
      self.settings = settings
      // Counted when the first part is fitted: a run that has all of them need not.
      let store = FittingStore(
        folder: artefactFolder, sources: artefactSources, pool: pool, placeholdersOnly: isDry,
        isResolved: isResolved, progress: progress
      ) {
        let (tree, store) = try look(scenario)
        let header = Self.header(scenario, settings, report, tree)
        for path in journals where FileManager.default.fileExists(atPath: path) {
          try JournalReader.require(header, at: path)
        }
        return store.missingCount
      }
      tree = try LinkTreeBuilder.build(
        scenario, metrics: metrics, store: store, channels: channels)
      pendingFits = store.pending
    } catch let error
      where error is PlacedError || error is DataFileError || error is SeveralErrors
    {
      throw Self.allErrors(scenario, report, isResolved: isResolved, pool, first: error)
    } catch let error as SettingsError where error.part == "report" {
      throw ScenarioErrors([scenario.diagnostic(for: error, section: .report)])
    }
    statistics = StageStatistics(tree.nodes)
    header = Self.header(self.scenario, settings, report, tree)
    blockSize = header.blockSize
  }

  /// All that keeps the links of a scenario from being made, looked for once a first thing is found.
  private static func allErrors(
    _ scenario: Scenario, _ report: ReportSettings, isResolved: Bool, _ pool: WorkerPool,
    first: any Error
  ) -> any Error {
    let store = FittingStore(
      folder: nil, sources: [], pool: pool, placeholdersOnly: true, isResolved: isResolved)
    var problems: [LinkProblem] = []
    if let metrics = try? report.metrics(of: scenario.registry) {
      problems = LinkTreeBuilder.problems(scenario, metrics: metrics, store: store)
    }
    if problems.isEmpty, let placed = first as? PlacedError {
      problems = [LinkProblem(placed, section: placed.section, point: placed.point)]
    }
    return LinkProblem.error(problems, in: scenario) ?? first
  }

  /// The scenario with the numbers of drops that its recorded data has, in place of larger defaults; as it is if that cannot be told.
  public static func withRecordedSizes(_ scenario: Scenario) -> Scenario {
    guard RecordDivision.readsRecords(scenario) else { return scenario }
    let pool = WorkerPool(threadCount: 1)
    if let run = try? PreparedRun(scenario, pool: pool, artefactFolder: nil, isDry: true) {
      return run.scenario
    }
    // Networks may have no weights yet: the channels alone tell how many drops there are.
    let store = FittingStore(folder: nil, pool: pool, placeholdersOnly: true)
    let records = scenario.points.compactMap { point in
      (try? StageMaker.frontEnd(point, scenario: scenario, store: store))?
        .front.channel.dropCount(in: .run)
    }
    guard let least = records.min(), least < RunSettings(scenario.run!).maximumDrops,
      !scenario.isWritten(RunSettings.drops.key, .run)
    else { return scenario }
    return scenario.setting(RunSettings.drops.key, of: .run, to: .integer(least)) { _ in true }
  }

  /// The metrics of one block. Pure: depends on the scenario and the block index alone.
  public func metrics(ofBlock index: Int) throws -> BlockMetrics {
    let drops = index * blockSize..<min((index + 1) * blockSize, settings.maximumDrops)
    let (metrics, timer) = try BlockWalk.run(tree, DropBlock(drops, seed: settings.seed))
    statistics.add(timer.entries)
    return metrics
  }
}
