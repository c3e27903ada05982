import Parts

/// The keys that move and stretch the cluster angles of a CDL (TR 38.901 clause 7.7.5.1).
struct AngleScaling {
  private static let kinds: [(word: String, meaning: String, isZenith: Bool)] = [
    ("aod", "departure azimuths", false), ("aoa", "arrival azimuths", false),
    ("zod", "departure zeniths", true), ("zoa", "arrival zeniths", true),
  ]
  private static let means = kinds.map { kind in
    Parameter<Double?>.optional(
      "\(kind.word)_mean", .number(.angle, kind.isZenith ? 0...180 : -360...360),
      "Wanted power-weighted mean of the \(kind.meaning) in degrees; the table's if left out.")
  }
  private static let spreads = kinds.map { kind in
    Parameter<Double?>.optional(
      "\(kind.word)_spread", .number(.angle, 0...360),
      """
      Wanted power-weighted circular spread of the \(kind.meaning) of the clusters in degrees, the table's if left out; the \
      rays of a cluster spread around it as in the table, unless scale_ray_offsets.
      """)
  }
  static let parameters = zip(means, spreads).flatMap { [$0.declaration, $1.declaration] }

  private let settings: Settings

  /// - Throws: if ray offsets are to be scaled but no spread is wanted.
  init(_ settings: Settings) throws(SettingsError) {
    self.settings = settings
    if settings[CDLChannel.scalesRays] && Self.spreads.allSatisfy({ settings[$0] == nil }) {
      throw SettingsError(
        part: settings.part, key: CDLChannel.scalesRays.key,
        reason: "only has a meaning with a wanted angle spread",
        hint: "set one of \(Self.spreads.map(\.key).joined(separator: ", "))")
    }
  }

  func apply(to profile: inout CDLProfile) {
    let powers = profile.profile.powers
    let paths: [WritableKeyPath<CDLProfile, CDLProfile.Angles>] = [\.aod, \.aoa, \.zod, \.zoa]
    for (i, path) in paths.enumerated() {
      profile[keyPath: path].scale(
        mean: settings[Self.means[i]], spread: settings[Self.spreads[i]], powers: powers,
        includingRays: settings[CDLChannel.scalesRays])
    }
  }
}
