import LinkMath
import Parts

/// How strong the uplink is: an SNR of what travels, or the energy of a whole report.
///
/// With E/N0 a report has the same energy whatever it consists of: each of n bits has Eb = E/n, and each of n reals, on one
/// axis of a complex channel whose noise has the variance N0/2 there, the SNR `2 E / (n N0)`. Links that are compared at
/// equal energy differ only in what they make of it.
enum UplinkLevel: Sendable {
  /// Of a bit or a real, in dB.
  case ratio(Double)
  /// E/N0 of a report, in dB.
  case energy(Double)

  static let energy = Parameter<Double?>.optional(
    "energy_db", .number(.level, -100...300),
    "In place of snr_db: energy of a whole report over the noise density, E/N0, split evenly over what is sent."
  )

  /// The one of both keys that is given.
  init(_ settings: Settings, snr: Parameter<Double?>) throws(SettingsError) {
    switch (settings[snr], settings[Self.energy]) {
    case (let level?, nil): self = .ratio(level)
    case (nil, let level?): self = .energy(level)
    case (let snr, _):
      throw SettingsError(
        part: settings.part, key: snr == nil ? "snr_db" : "energy_db",
        reason: snr == nil
          ? "is missing: the link must be told how strong it is"
          : "cannot be given together with 'snr_db'",
        hint: "give either 'snr_db' or 'energy_db', the energy of a whole report")
    }
  }

  /// Energy of a bit over N0 when so many are sent.
  func ratio(bits count: Int) -> Double {
    switch self {
    case .ratio(let level): linear(decibels: level)
    case .energy(let level): linear(decibels: level) / Double(max(count, 1))
    }
  }

  /// Variance of the noise over the mean square of a real when so many are sent.
  func noise(reals count: Int) -> Double {
    switch self {
    case .ratio(let level): linear(decibels: -level)
    case .energy(let level): Double(count) / 2 * linear(decibels: -level)
    }
  }
}
