import Parts

/// Sides of an autoencoder that a setting applies to.
public enum SideChoice: String, Choice {
  /// Neither.
  case none
  /// The encoder at the UE, the decoder at the BS, or both.
  case encoder, decoder, both

  /// Whether a side is meant.
  public func contains(_ side: WeightsFile.Side) -> Bool {
    self == .both || rawValue == side.rawValue
  }
}

/// Settings of every family for layers that are computed in less than 32 bits; ``NetworkChoice`` carries them out by replacement.
enum LowPrecision {
  static let binary = Parameter<SideChoice>.choice(
    "binary", default: SideChoice.none,
    "Sides whose fully connected layer at the codeword has binary weights with one scale: none, encoder, decoder, both."
  )

  static let int8 = Parameter<SideChoice>.choice(
    "int8", default: SideChoice.none,
    "Sides whose convolutions and fully connected layers, unless binary, work on 8-bit integers: none, encoder, decoder, both."
  )

  /// Where the ranges of 8-bit activations come from.
  enum Ranges: String, Choice {
    /// From a calibration (`csilink quantize`) or a training.
    case stored
    /// From the sample at hand: fully connected layers only, 7 bits.
    case dynamic
  }

  static let ranges = Parameter<Ranges>.choice(
    "int8_ranges", default: .stored,
    "Ranges of 8-bit activations: of a calibration or training (stored), or of each sample, for fully connected layers alone (dynamic)."
  )

  /// Keys of 8-bit layers.
  static let integers = [int8.declaration, ranges.declaration]
  /// All keys.
  static let parameters = [binary.declaration] + integers

  /// The autoencoder with its layers replaced as the settings say.
  ///
  /// - Throws: ``NetworkError/unfitSettings(_:)`` if there is nothing to replace.
  static func applied(_ settings: Settings, to autoencoder: Autoencoder) throws(NetworkError)
    -> Autoencoder
  {
    var result = autoencoder
    let binarySides = settings[binary]
    if binarySides != .none {
      guard let binarised = result.binarised(binarySides) else {
        throw nothing(
          settings, binary.key, "\(autoencoder.name) has no fully connected layer at the codeword")
      }
      result = binarised
    }
    let integerSides = settings[int8]
    if integerSides != .none {
      let isDynamic = settings[ranges] == .dynamic
      guard let quantised = result.quantised(integerSides, isDynamic: isDynamic) else {
        throw nothing(
          settings, isDynamic ? ranges.key : int8.key,
          "\(autoencoder.name) has no real \(isDynamic ? "fully connected " : "")layer to replace")
      }
      result = quantised
    }
    return result
  }

  private static func nothing(_ settings: Settings, _ key: String, _ reason: String) -> NetworkError
  {
    .unfitSettings(SettingsError(part: settings.part, key: key, reason: reason))
  }
}
