import Channels
import LinkMath
import Parts
import Scenarios

/// Who gets the drops of recorded data, which end: fits and the run.
enum RecordDivision {
  /// Whether the channel of a point reads files.
  static func readsRecords(_ scenario: Scenario) -> Bool {
    scenario.points.contains { point in
      let settings = point.settings[.channel]!
      let context = LinkContext(
        grid: GridSection.grid(point.settings[.grid]!), directory: scenario.directory)
      return !scenario.registry.type(of: settings).files(settings, in: context).isEmpty
    }
  }

  /// Recorded drops that every point has; nil without recorded data.
  static func records(_ tree: LinkTree) -> Int? {
    tree.channels.compactMap { $0.channel.dropCount(in: .run) }.min().map { $0 / tree.users }
  }

  /// The scenario with the numbers of drops that recorded data has.
  ///
  /// Where it has fits and nothing says which records they get, these are as many as they ask for, but at most half of all; the others are
  /// evaluated. Numbers of drops that are not written become what is there.
  ///
  /// - Parameters:
  ///   - isResolved: as for ``PreparedRun``.
  ///   - progress: told of each number.
  ///   - look: the link of a scenario with placeholders, and the store of its fits.
  /// - Throws: `ScenarioErrors` for all that the data is too small for.
  static func divided(
    _ scenario: Scenario, isResolved: Bool, progress: (String) -> Void,
    look: (Scenario) throws -> (LinkTree, FittingStore)
  ) throws -> Scenario {
    guard readsRecords(scenario) else { return scenario }
    var (scenario, notes) = (scenario, [String]())
    var (tree, store) = try look(scenario)
    if let count = shareOfFits(scenario, tree, store.limits, isResolved: isResolved) {
      scenario = scenario.setting(RecordSplit.fit.key, of: .channel, to: .integer(count)) { _ in
        true
      }
      (tree, store) = try look(scenario)
      notes.append(
        "channel.\(RecordSplit.fit.key) is \(count): the first drops of the data are for fitting, the others are evaluated"
      )
    }
    try require(scenario, tree, isResolved: isResolved, store.limits)
    for (section, lowered) in Dictionary(grouping: store.lowered, by: \.section).sorted(by: {
      $0.key < $1.key
    }) {
      notes += lowered.map(\.note)
      // Where files differ in length there is no one number; each fit then takes what its file has.
      guard let drops = lowered.first?.drops, lowered.allSatisfy({ $0.drops == drops }) else {
        continue
      }
      scenario = scenario.setting("fit.drops", of: section, to: .integer(drops)) {
        $0.values["fit.drops"].flatMap(Int.init(setting:)).map { $0 > drops } ?? false
      }
    }
    if let records = records(tree), records < RunSettings(scenario.run!).maximumDrops {
      scenario = scenario.setting(RunSettings.drops.key, of: .run, to: .integer(records)) { _ in
        true
      }
      notes.append("run.drops is \(records): the data has no more")
    }
    notes.forEach(progress)
    return scenario
  }

  /// Records for fits that have none, where nothing says who gets which; nil if none is needed.
  private static func shareOfFits(
    _ scenario: Scenario, _ tree: LinkTree, _ shortages: [FittingStore.Shortage], isResolved: Bool
  ) -> Int? {
    let isSplit = scenario.points.contains { point in
      RecordSplit.keys.contains { key in
        let value = point.settings[.channel]!.values[key]
        return isResolved
          ? value != nil && value != .integer(0)
          : scenario.isWritten(key, .channel, point: point.index)
      }
    }
    guard let wanted = shortages.map(\.wanted).max(), !isSplit,
      let all = tree.channels.compactMap({ $0.channel.dropCount(in: .run) }).min(), all >= 2
    else { return nil }
    return min(wanted, all / 2)
  }

  /// Recorded data ends; asking for more is an error, not a repetition. The default number of drops is at most what is there.
  private static func require(
    _ scenario: Scenario, _ tree: LinkTree, isResolved: Bool,
    _ shortages: [FittingStore.Shortage]
  ) throws {
    let drops = RunSettings(scenario.run!).maximumDrops
    var complaints = shortages.map(\.error).map {
      scenario.diagnostic(for: $0.error, section: $0.section, point: $0.point)
    }
    if let available = records(tree), available < drops,
      available < 2 || (scenario.isWritten(RunSettings.drops.key, .run) && !isResolved)
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
}
