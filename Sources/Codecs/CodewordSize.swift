import Parts

/// The length of a codeword as scenarios give it: by compression ratio or directly.
package enum CodewordSize {
  /// The key that gives the length as a ratio n : 1.
  package static let compression = Parameter<Int?>.optional(
    "compression", .integer(1...Int.max),
    "Compression n: the codeword has M = 2 · taps · angles / n reals; n divides. 4 if no length is given."
  )
  /// The key that gives the length in reals.
  package static let length = Parameter<Int?>.optional(
    "length", .integer(1...Int.max), "Codeword length M in reals, instead of 'compression'.")

  /// The ratio if neither key is given.
  package static let defaultCompression = 4

  /// M from `compression`, which must divide the number of reals (of complex coefficients, if `even`).
  package static func compressed(
    _ realCount: Int, by compression: Int, part: String, even: Bool = false
  ) throws(SettingsError) -> Int {
    let unit = even ? 2 : 1
    guard realCount / unit % compression == 0 else {
      throw SettingsError(
        part: part, key: Self.compression.key,
        reason: "must divide the \(realCount / unit) \(even ? "coefficients" : "reals") of the CSI,"
          + " got \(compression)",
        hint: "\(Self.divisors(of: realCount / unit, near: compression)) do")
    }
    return realCount / compression
  }

  /// The divisors on both sides of a number.
  private static func divisors(of count: Int, near number: Int) -> String {
    let below = stride(from: min(number, count), to: 0, by: -1).first { count % $0 == 0 }
    let above = number < count ? (number...count).first { count % $0 == 0 } : nil
    return [below, above].compactMap { $0 }.map(String.init).joined(separator: " and ")
  }

  /// M from `compression` or `length`.
  package static func read(_ settings: Settings, realCount: Int) throws(SettingsError) -> Int {
    guard let length = settings[length] else {
      let compression = settings[compression] ?? defaultCompression
      return try compressed(realCount, by: compression, part: settings.part)
    }
    guard settings[compression] == nil else {
      throw SettingsError(
        part: settings.part, key: Self.length.key, reason: "cannot be given with 'compression'")
    }
    guard length <= realCount else {
      throw SettingsError(
        part: settings.part, key: Self.length.key,
        reason: "must be at most the \(realCount) reals of the CSI, got \(length)")
    }
    return length
  }
}
