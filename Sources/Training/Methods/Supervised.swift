import Networks
import Parts

/// Encoder and decoder together, in one stage.
public struct SupervisedMethod: TrainingMethod {
  public static let word = "supervised"
  public static let summary = "encoder and decoder together"

  /// Reads nothing.
  public init(_ settings: Settings) throws(SettingsError) {}

  public func stages(_ task: TrainingTask) throws(SettingsError) -> [TrainingStage] {
    [task.whole]
  }
}

/// Some parameters stay as they are in the first epochs, then all are trained.
///
/// With `start` this adapts a decoder, or a denoiser before one, to an encoder in use before both are tuned.
public struct TwoStageMethod: TrainingMethod {
  static let frozen = Parameter<[String]>(
    "method.frozen", .list(.text, count: 1...64), default: ["encoder"],
    """
    What two_stage does not train in its first stage: 'encoder', 'decoder', or beginnings of parameter keys; with '!' \
    before it, everything but that.
    """)
  static let epochs = Parameter<Int?>.optional(
    "method.frozen_epochs", .integer(1...1_000_000),
    "Epochs of two_stage's first stage, all of them for no second one; half of them if left out.")
  public static let word = "two_stage"
  public static let summary = "first with some parameters frozen, then all"
  public static let keys = [frozen.declaration, epochs.declaration]

  private let words: [String]
  private let frozenEpochs: Int?
  private let part: String

  /// Reads `method.frozen`, `method.frozen_epochs`.
  public init(_ settings: Settings) throws(SettingsError) {
    words = settings[Self.frozen]
    frozenEpochs = settings[Self.epochs]
    part = settings.part
  }

  public func stages(_ task: TrainingTask) throws(SettingsError) -> [TrainingStage] {
    let epochs = frozenEpochs ?? task.whole.epochs / 2
    guard epochs <= task.whole.epochs, epochs > 0 else {
      throw SettingsError(
        part: part, key: Self.epochs.key,
        reason: "must be at most the \(task.whole.epochs) epochs of the training, got \(epochs)")
    }
    try check(task.network.autoencoder)
    var (first, second) = (task.whole, task.whole)
    first.epochs = epochs
    second.epochs -= epochs
    let words = words
    first.isFrozen = { side, key in words.contains { Self.matches($0, side, key) } }
    return second.epochs > 0 ? [first, second] : [first]
  }

  private static func matches(_ word: String, _ side: WeightsFile.Side, _ key: String) -> Bool {
    if word.hasPrefix("!") { return !matches(String(word.dropFirst()), side, key) }
    return word == side.rawValue || key == word || key.hasPrefix(word + ".")
  }

  /// Refuses words that freeze nothing, and words that freeze everything.
  private func check(_ network: Autoencoder) throws(SettingsError) {
    let keys = WeightsFile.Side.allCases.flatMap { side in
      side.network(of: network).parameters.filter(\.parameter.isTrainable).map { (side, $0.key) }
    }
    for word in words where !keys.contains(where: { Self.matches(word, $0.0, $0.1) }) {
      throw SettingsError(
        part: part, key: Self.frozen.key,
        reason:
          "must be 'encoder', 'decoder' or beginnings of keys of \(network.name), got \(word)",
        hint: "'csilink inspect' shows the keys")
    }
    guard keys.contains(where: { key in !words.contains { Self.matches($0, key.0, key.1) } }) else {
      throw SettingsError(
        part: part, key: Self.frozen.key, reason: "must leave something to train")
    }
  }
}
