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

/// Settings of families whose layers can be computed in less than 32 bits; ``NetworkChoice`` carries them out by replacement.
enum LowPrecision {
  static let binary = Parameter<SideChoice>.choice(
    "binary", default: SideChoice.none,
    "Sides whose fully connected layer at the codeword has binary weights with one scale: none, encoder, decoder, both."
  )

  /// Keys of all families with a fully connected layer.
  static let parameters = [binary.declaration]

  /// The autoencoder with its layers replaced as the settings say.
  ///
  /// - Throws: ``NetworkError/unfitSettings(_:)`` if there is nothing to replace.
  static func applied(_ settings: Settings, to autoencoder: Autoencoder) throws(NetworkError)
    -> Autoencoder
  {
    guard settings.values[binary.key] != nil, settings[binary] != SideChoice.none else {
      return autoencoder
    }
    guard let binarised = autoencoder.binarised(settings[binary]) else {
      throw .unfitSettings(
        SettingsError(
          part: settings.part, key: binary.key,
          reason: "\(autoencoder.name) has no fully connected layer at the codeword",
          hint: "leave 'bottleneck: convolutional' out"))
    }
    return binarised
  }
}
