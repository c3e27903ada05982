import LinkMath
import Parts
import Training

/// What recorded data allows of the sets of a training: sizes by default are at most what is there, those that are written
/// are refused if they are more.
struct TrainingLimits {
  /// The settings with the sizes that are used.
  let settings: TrainingSettings
  /// Sizes that were lowered, for the user.
  let notes: [String]
  /// Sizes that cannot be, all of them.
  let errors: [SettingsError]

  /// - Parameters:
  ///   - given: the settings of the scenario.
  ///   - mixes: the drops of each training.
  ///   - isWritten: whether a key has a value of the scenario and not its default.
  init(_ given: TrainingSettings, _ mixes: [DropMix], isWritten: (String) -> Bool) {
    var (notes, errors): ([String], [SettingsError]) = ([], [])
    func size(_ domain: StreamKey.Domain, _ count: Int, _ key: Parts.Parameter<Int>) -> Int {
      let fewest = mixes.compactMap { Self.shortage($0, domain, count) }.min { $0.drops < $1.drops }
      guard let fewest else { return count }
      if fewest.drops > 0, !fewest.isShare, !isWritten(key.key) {
        notes.append(
          "training.\(key.key) is \(fewest.drops) in place of \(count): the data has no more for it"
        )
        return fewest.drops
      }
      errors.append(Self.error(fewest, domain, count, key))
      return count
    }
    let isFresh = given.data.renewal == .fresh
    settings = given.with(
      training: isFresh
        ? given.trainingCount : size(.train, given.trainingCount, TrainingSettings.samples),
      validation: size(.validation, given.validationCount, TrainingSettings.validation),
      test: size(.test, given.testCount, TrainingSettings.test))
    (self.notes, self.errors) = (notes, errors)
  }

  /// A kind of a mix with fewer drops than its share.
  private struct Shortage {
    let drops: Int
    let isShare: Bool
    /// Drops of the data for all uses.
    let records: Int
  }

  /// The drops that a kind of a mix has, if it has fewer than its share.
  private static func shortage(
    _ mix: DropMix, _ domain: StreamKey.Domain, _ count: Int
  ) -> Shortage? {
    for (index, kind) in mix.kinds.enumerated() {
      if let available = kind.front.channel.dropCount(in: domain),
        available < mix.count(of: index, among: count)
      {
        let all = [.fit, .train, .validation, .test, .run].compactMap {
          kind.front.channel.dropCount(in: $0)
        }
        return Shortage(
          drops: available, isShare: mix.kinds.count > 1, records: all.reduce(0, +))
      }
    }
    return nil
  }

  private static func error(
    _ found: Shortage, _ domain: StreamKey.Domain, _ count: Int, _ key: Parts.Parameter<Int>
  ) -> SettingsError {
    let (train, some) = (found.records * 7 / 10, max(1, found.records / 10))
    let share = found.isShare ? ", of which its share is too many" : ""
    return SettingsError(
      part: "training", key: key.key,
      reason:
        "must be at most the \(found.drops) drops that the data has for it, got \(count)\(share)",
      hint:
        "the data has \(found.records) drops; divide them, such as channel: {split: {train: \(train), validation: \(some), "
        + "test: \(some)}}; a run takes those that are left")
  }

  /// - Throws: the first size that cannot be.
  static func require(_ settings: TrainingSettings, _ mix: DropMix) throws(SettingsError) {
    if let error = TrainingLimits(settings, [mix], isWritten: { _ in true }).errors.first {
      throw error
    }
  }
}
