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

  /// The scenario with records for its fits, where it has fits and nothing says which records they get: as many as they ask for, but at
  /// most half of all; the others are evaluated.
  ///
  /// - Parameters:
  ///   - isResolved: as for ``PreparedRun``.
  ///   - drops: that the run asks for.
  ///   - progress: told of the division.
  ///   - look: the link of a scenario with placeholders, and the fits that lack drops.
  /// - Throws: `ScenarioErrors` for all that the data is too small for.
  static func divided(
    _ scenario: Scenario, isResolved: Bool, drops: Int, progress: (String) -> Void,
    look: (Scenario) throws -> (LinkTree, [FittingStore.Shortage])
  ) throws -> Scenario {
    guard readsRecords(scenario) else { return scenario }
    let (tree, shortages) = try look(scenario)
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
    else {
      try require(scenario, tree, isResolved: isResolved, drops, shortages)
      return scenario
    }
    let count = min(wanted, all / 2)
    let divided = try scenario.settingPoints { point in
      let channel = point.settings[.channel]!
      guard channel.part == RecordedChannel.schema.name else { return point }
      return point.replacing(
        try RecordedChannel.schema.settings(
          channel.values.merging([RecordSplit.fit.key: .integer(count)]) { $1 }))
    }
    let (rest, lacking) = try look(divided)
    try require(divided, rest, isResolved: isResolved, drops, lacking)
    progress(
      "channel.\(RecordSplit.fit.key) is \(count): the first drops of the data are for fitting, the others are evaluated"
    )
    return divided
  }

  /// Recorded data ends; asking for more is an error, not a repetition. The default number of drops is at most what is there.
  private static func require(
    _ scenario: Scenario, _ tree: LinkTree, isResolved: Bool, _ drops: Int,
    _ shortages: [FittingStore.Shortage]
  ) throws {
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
