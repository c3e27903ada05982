import Coding
import Foundation
import Networks
import Parts

/// Rounding of a squashed codeword, with a bump in place of the staircase's derivative.
///
/// `a = S(z)` with the logistic sigmoid S falls into one of 2^B equal cells of [0, 1]; the centre `â` becomes
/// `ẑ = ln(â / (1 - â))`. In the backward pass dâ/da is the bump of `SigmoidRounding`, whose mean over a cell is 1, also in the halves of
/// the outer cells that rounding clips; dẑ/dâ and da/dz are the true ones.
///
/// Reference: X. Liang et al., Changeable Rate and Novel Quantization for CSI Feedback Based on Deep Learning, IEEE Trans. Wireless
/// Commun. 2022, doi:10.1109/TWC.2022.3182216, for rounding with a smooth gradient.
public struct RoundedCells: FixedCells {
  /// What stands for the derivative of the staircase.
  public enum Surrogate: String, Choice {
    /// The bump, or 1.
    case bump, straight
  }

  static let surrogate = Parameter<Surrogate>.choice(
    "quantizer.surrogate", default: .bump,
    "Derivative of the rounding: a bump around the centres of the cells, or 1 (quantizer: round).")

  public static let word = "round"
  public static let summary = "rounding of a squashed codeword with a smooth surrogate"
  public static let keys = [QuantizerKeys.bits.declaration, surrogate.declaration]

  public let levels, thresholds: [Float]
  private let rounding: SigmoidRounding
  private let surrogate: Surrogate

  /// Reads `quantizer.bits`, `quantizer.surrogate`.
  public init(_ settings: Settings, for network: NetworkChoice) throws(SettingsError) {
    let rounding = SigmoidRounding(bits: settings[QuantizerKeys.bits])
    let count = 1 << rounding.bits
    self.rounding = rounding
    surrogate = settings[Self.surrogate]
    levels = (0..<count).map { Float(rounding.value(UInt32($0))) }
    thresholds = (1..<count).map { Float(log(Double($0) / Double(count - $0))) }
  }

  /// `bump · (da/dz) · (dẑ/dâ)`.
  public func slope(at value: Float, level: Float) -> Float {
    let a = SigmoidRounding.sigmoid(Double(value))
    let centre = SigmoidRounding.sigmoid(Double(level))
    let staircase = surrogate == .bump ? rounding.slope(a) : 1
    return Float(staircase * a * (1 - a) / (centre * (1 - centre)))
  }
}
