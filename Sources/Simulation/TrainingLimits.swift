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

  /// The drops that a kind of a mix has, if it has fewer than its share.
  private static func shortage(
    _ mix: DropMix, _ domain: StreamKey.Domain, _ count: Int
  ) -> (drops: Int, isShare: Bool)? {
    for (index, kind) in mix.kinds.enumerated() {
      if let available = kind.front.channel.dropCount(in: domain),
        available < mix.count(of: index, among: count)
      {
        return (available, mix.kinds.count > 1)
      }
    }
    return nil
  }

  private static func error(
    _ found: (drops: Int, isShare: Bool), _ domain: StreamKey.Domain, _ count: Int,
    _ key: Parts.Parameter<Int>
  ) -> SettingsError {
    let share = found.isShare ? ", of which its share is too many" : ""
    return SettingsError(
      part: "training", key: key.key,
      reason:
        "must be at most the \(found.drops) drops that the data has for it, got \(count)\(share)",
      hint:
        "give the channel a larger 'split' for training, validation and test, as in channel: {split: "
        + "{\(domain): \(min(count, 1000))}}")
  }

  /// - Throws: the first size that cannot be.
  static func require(_ settings: TrainingSettings, _ mix: DropMix) throws(SettingsError) {
    if let error = TrainingLimits(settings, [mix], isWritten: { _ in true }).errors.first {
      throw error
    }
  }
}
