import Networks
import Parts

/// A quantiser that a network is trained through; scenarios name it below `training.quantizer`.
public protocol QuantizerStepPart: TrainingPart, CodewordStep {
  /// Whether it depends on the number of epochs, so that a longer training does not start with a shorter one.
  static var dependsOnEpochs: Bool { get }

  /// - Parameters:
  ///   - settings: those of `training:`.
  ///   - network: whose codewords it quantises.
  ///   - seed: of random first values.
  /// - Throws: `SettingsError` for settings that do not go together or with the network.
  init(_ settings: Settings, for network: NetworkChoice, seed: UInt64) throws(SettingsError)
}

extension QuantizerStepPart {
  /// False.
  public static var dependsOnEpochs: Bool { false }
}

/// Keys that quantisers inside a training share.
enum QuantizerKeys {
  static let bits = Parameter.integer(
    "quantizer.bits", default: 4, in: 1...8,
    "Bits B for each real of the codeword, on average where they are allocated (all quantisers but none)."
  )
  static let samples = Parameter.integer(
    "quantizer.samples", default: 2000, in: 2...10_000_000,
    "First samples of the training set that codebooks and bits are fitted on (quantizer: codebooks, lloyd)."
  )

  /// Refuses fewer samples than levels.
  static func checkSamples(_ settings: Settings, bits: Int) throws(SettingsError) {
    guard settings[samples] >= 1 << bits else {
      throw SettingsError(
        part: settings.part, key: samples.key,
        reason: "must be at least the \(1 << bits) levels of \(bits) bits, got \(settings[samples])"
      )
    }
  }
}

extension TrainableValues {
  /// Refuses values that are not finite.
  ///
  /// - Throws: ``TrainingError``.
  func requireFinite() throws(TrainingError) {
    guard values.allSatisfy(\.isFinite) else {
      throw TrainingError(
        description: """
          training diverged: a codebook has values that are not finite
            hint: lower training.learning_rate
          """)
    }
  }
}
