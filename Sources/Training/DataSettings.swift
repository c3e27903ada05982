import Parts

/// One level in dB or several.
package struct LevelList: SettingValue, Hashable {
  package let decibels: [Double]

  static func kind(_ range: ClosedRange<Double>) -> ValueKind {
    .either([.number(.level, range), .list(.number(.level, range), count: 1...256)])
  }

  package init?(setting: Setting) {
    let values: [Setting] = if case .list(let values) = setting { values } else { [setting] }
    decibels = values.compactMap(\.asNumber)
    guard decibels.count == values.count, !decibels.isEmpty else { return nil }
  }

  package var setting: Setting { .list(decibels.map { .number($0) }) }
}

/// A key of two levels in dB, between which others are drawn uniformly.
enum LevelRange {
  static func parameter(
    _ key: String, _ range: ClosedRange<Double>, _ text: String
  ) -> Parameter<[Double]?> {
    .optional(key, .list(.number(.level, range), count: 2...2), text)
  }

  /// - Throws: `SettingsError` unless the first level is below the second.
  static func read(_ settings: Settings, _ key: Parameter<[Double]?>) throws(SettingsError)
    -> ClosedRange<Double>?
  {
    guard let limits = settings[key] else { return nil }
    guard limits[0] < limits[1] else {
      throw SettingsError(
        part: settings.part, key: key.key,
        reason: "must be two levels, the lower one first, got \(limits[0]) and \(limits[1])")
    }
    return limits[0]...limits[1]
  }

  /// - Throws: `SettingsError` if both ways to give levels are used.
  static func refuseBoth(
    _ settings: Settings, _ list: String, _ range: String
  ) throws(SettingsError) {
    guard settings.values[list] != nil, settings.values[range] != nil else { return }
    throw SettingsError(
      part: settings.part, key: range, reason: "cannot stand beside \(list)",
      hint: "give levels or a range of them")
  }
}

/// What a training takes its samples from, beside the scenario's link.
public struct DataSettings: Sendable, Hashable {
  /// Whether every epoch has the same drops.
  public enum Renewal: String, Choice {
    /// The same drops in every epoch, in another order.
    case fixed
    /// New drops in every epoch.
    case fresh
  }

  /// SNRs of the pilots that estimates are made from.
  public enum PilotLevels: Sendable, Hashable {
    /// As the link says.
    case scenario
    /// Each one in turn.
    case list([Double])
    /// Drawn for each drop, uniform in dB.
    case range(ClosedRange<Double>)
  }

  /// The key that chooses between a fixed set and new drops.
  package static let renewal = Parameter<Renewal>.choice(
    "data", default: .fixed,
    """
    fixed: the same drops in every epoch, in a random order; fresh: new drops in every epoch, drawn while the training \
    works ('samples' is their number in an epoch; validation and test sets stay).
    """)
  /// The key of the weights of several kinds of drops.
  package static let mix = Parameter<[Int]?>.optional(
    "mix", .list(.integer(0...1000), count: 1...64),
    """
    Trains on drops of all points that differ before the codec, such as several channels, files, grids or pilot SNRs: how \
    many of each kind follow each other, in the order of the points; 0 leaves a kind out. Validation and test sets are mixed alike.
    """)
  /// The key of the pilot SNRs.
  package static let pilotLevels = Parameter<LevelList?>.optional(
    "pilot_snr_db", LevelList.kind(-100...300),
    "Pilot SNRs in place of the link's, taken in turn by the drops (source: estimate).")
  /// The key of a range of pilot SNRs.
  package static let pilotRange = LevelRange.parameter(
    "pilot_snr_range_db", -100...300,
    "Lowest and highest pilot SNR, between which each drop draws its own, uniform in dB (source: estimate)."
  )

  static let declarations = [
    renewal.declaration, mix.declaration, pilotLevels.declaration, pilotRange.declaration,
  ]

  /// Whether every epoch has the same drops.
  public let renewal: Renewal
  /// Weights of the kinds of drops; nil if there is one kind.
  public let mix: [Int]?
  /// SNRs of the pilots.
  public let pilots: PilotLevels

  /// - Throws: `SettingsError` for keys that do not go together.
  init(_ settings: Settings, source: TrainingSettings.Source) throws(SettingsError) {
    renewal = settings[Self.renewal]
    mix = settings[Self.mix]
    if let mix, mix.allSatisfy({ $0 == 0 }) {
      throw SettingsError(
        part: settings.part, key: Self.mix.key, reason: "must have a weight above zero")
    }
    try LevelRange.refuseBoth(settings, Self.pilotLevels.key, Self.pilotRange.key)
    let range = try LevelRange.read(settings, Self.pilotRange)
    let list = settings[Self.pilotLevels]?.decibels
    pilots = range.map { .range($0) } ?? list.map { .list($0) } ?? .scenario
    guard source == .estimate || pilots == .scenario else {
      throw SettingsError(
        part: settings.part,
        key: range == nil ? Self.pilotLevels.key : Self.pilotRange.key,
        reason: "has no effect on the true channel", hint: "write 'source: estimate'")
    }
  }
}
