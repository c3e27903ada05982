import Networks
import Parts

/// Equal cells of a codeword in [0, 1], straight-through in the backward pass.
///
/// `q = floor(v 2^B)`, clipped to 2^B - 1; the value becomes the centre of its cell, `(q + 1/2) / 2^B`, or its lower end.
///
/// Reference: Z. Lu et al., Binarized Aggregated Network with Quantization: Flexible Deep Learning Deployment for CSI Feedback in
/// Massive MIMO Systems, IEEE Trans. Wireless Commun. 2022, equations 12 and 13.
public struct UniformCells: FixedCells {
  /// What a cell becomes.
  public enum Reconstruction: String, Choice {
    /// The middle of the cell, or its lower end.
    case centre, lower
  }

  static let reconstruction = Parameter<Reconstruction>.choice(
    "quantizer.reconstruction", default: .centre,
    "Whether a cell becomes its centre or its lower end (quantizer: uniform).")

  public static let word = "uniform"
  public static let summary = "equal cells of a codeword in [0, 1], straight-through"
  public static let keys = [QuantizerKeys.bits.declaration, reconstruction.declaration]

  public let levels, thresholds: [Float]

  /// Reads `quantizer.bits`, `quantizer.reconstruction`.
  public init(_ settings: Settings, for network: NetworkChoice) throws(SettingsError) {
    guard network.autoencoder.encoder.outputRange == 0...1 else {
      throw SettingsError(
        part: settings.part, key: "quantizer.type",
        reason: "uniform needs codewords in [0, 1], which \(network.name) does not give",
        hint: "write 'network: \(network.familyName) {codeword: sigmoid}'")
    }
    let count = 1 << settings[QuantizerKeys.bits]
    let offset: Float = settings[Self.reconstruction] == .centre ? 0.5 : 0
    levels = (0..<count).map { (Float($0) + offset) / Float(count) }
    thresholds = (1..<count).map { Float($0) / Float(count) }
  }
}
