import Coding
import Foundation
import Networks
import Parts

/// The μ-law quantiser of a codeword in [-1, 1] or [0, 1], straight-through in the backward pass.
///
/// `c = sign(u) ln(1 + μ |u|) / ln(1 + μ)` falls into one of 2^B equal cells of [-1, 1], whose centre is expanded by
/// `|u| = ((1 + μ)^|c| - 1) / μ`. With `sign_magnitude` a sign and the nearest of 2^B magnitudes `|c| = k / (2^B - 1)` are sent, B + 1 bits.
/// Codewords in [0, 1] are taken as `u = 2 v - 1`.
///
/// Reference: ITU-T G.711; J. Guo et al., Convolutional Neural Network-Based Multiple-Rate Compressive Sensing for Massive MIMO CSI
/// Feedback, IEEE Trans. Wireless Commun. 19 (2020) 2827, doi:10.1109/TWC.2020.2968430.
public struct CompandedCells: FixedCells {
  static let mu = Parameter.number(
    "quantizer.mu", default: 200, in: 1e-3...1e6, "μ of the compander (quantizer: mu_law).")
  static let law = Parameter<MuLaw.Levels>.choice(
    "quantizer.levels", default: .midRise,
    "mid_rise: 2^bits cells; sign_magnitude: a sign and 2^bits magnitudes, zero among them (quantizer: mu_law)."
  )

  public static let word = "mu_law"
  public static let summary = "mu-law cells of a codeword in [-1, 1] or [0, 1], straight-through"
  public static let keys = [QuantizerKeys.bits.declaration, mu.declaration, law.declaration]

  public let levels, thresholds: [Float]

  /// Reads `quantizer.bits`, `quantizer.mu`, `quantizer.levels`.
  public init(_ settings: Settings, for network: NetworkChoice) throws(SettingsError) {
    guard let range = network.autoencoder.encoder.outputRange else {
      throw SettingsError(
        part: settings.part, key: "quantizer.type",
        reason: "mu_law needs codewords in [-1, 1] or [0, 1], which \(network.name) does not give",
        hint: "write 'network: \(network.familyName) {codeword: tanh}'")
    }
    let law = MuLaw(
      mu: settings[Self.mu], bits: settings[QuantizerKeys.bits], levels: settings[Self.law])
    let count = 1 << law.width
    func inRange(_ u: Double) -> Float { Float(range.lowerBound < 0 ? u : (u + 1) / 2) }
    let isMidRise = law.levels == .midRise
    levels = (0..<count).map { level in
      // Ascending: negative magnitudes from the largest, then positive ones; zero is there with both signs.
      let magnitude = level < count / 2 ? count - 1 - level : level - count / 2
      return inRange(law.value(UInt32(isMidRise ? level : magnitude)))
    }
    thresholds = (1..<count).map { cell in
      // Cells of c are equal; magnitudes of c are rounded to the nearest.
      let steps = Double(cell - count / 2)
      let c: Double
      if isMidRise {
        c = 2 * steps / Double(count)
      } else {
        c = (steps - (steps == 0 ? 0 : steps < 0 ? -0.5 : 0.5)) / Double(count / 2 - 1)
      }
      let modulus = expm1(abs(c) * log1p(law.mu)) / law.mu
      return inRange(c < 0 ? -modulus : modulus)
    }
  }
}
