import Codecs
import LinkMath
import Parts

/// Analogue feedback: the reals of the codeword are sent as amplitudes and arrive with Gaussian noise.
///
/// `s' = s + n`, n independent N(0, σ²) with `σ² = P / SNR`. P is the mean square of the codeword, of each one by
/// itself or a constant fitted over drops. The mean of `|s' - s|² / M P` is exactly 1/SNR. Two reals can share a
/// complex channel use at the same SNR for each real. No codec reaches less than `(1 + SNR)^(-M/K)` NMSE for a white
/// Gaussian source of K reals. Side bits travel unharmed.
///
/// Reference: T. J. Goblick, IEEE Trans. Inf. Theory 11 (1965) 558, for the bound.
public struct AnalogueFeedback: FeedbackLink, Part {
  /// What the SNR refers to.
  public enum Reference: String, Choice {
    /// The mean square of each codeword by itself.
    case sample
    /// The mean square over the fitted drops.
    case dataset
  }

  static let snr = Parameter<Double?>.optional(
    "snr_db", .number(.level, -100...200),
    "Mean square of a codeword real over the noise variance.")
  static let reference = Parameter<Reference>.choice(
    "snr_reference", default: .sample,
    "Whose mean square the SNR refers to: each codeword's own, or the mean over fitted drops.")

  public static let schema = PartSchema(
    .feedback, "analogue", "Analogue feedback: codeword reals plus white Gaussian noise.",
    reference: "T. J. Goblick, IEEE Trans. Inf. Theory 11 (1965) 558",
    parameters: [snr.declaration, UplinkLevel.energy.declaration, reference.declaration]
      + FitParameters.declarations)

  public static let carries: Set<FeedbackKind> = [.codeword]

  private let level: UplinkLevel
  /// The fitted P; nil if each codeword has its own.
  private let power: Double?

  /// A link; `snr_reference: dataset` takes the fitted `power` [1].
  public init(_ settings: Settings, in context: LinkContext, fitted: Artefact?) throws {
    level = try UplinkLevel(settings, snr: Self.snr)
    switch settings[Self.reference] {
    case .sample: power = nil
    case .dataset:
      power = Double(try fitted.array("power", shape: [1], for: settings.part).elements[0])
    }
  }

  /// Learns the mean square of the codewords for `snr_reference: dataset`.
  public static func fitting(_ settings: Settings, in context: LinkContext) throws -> Fitting? {
    guard settings[reference] == .dataset else { return nil }
    return FitParameters.fitting(settings, signature: "power", shapes: ["power": [1]]) {
      CodewordPowerFitter(part: schema.name)
    }
  }

  /// - Complexity: one normal deviate for each real.
  public func transmit(_ reports: [Report], _ block: DropBlock, slot: Int) -> [Delivery] {
    reports.enumerated().map { drop, report in
      guard var reals = report.reals else {
        preconditionFailure("an analogue link carries real codewords")
      }
      reals.withUnsafeMutableBufferPointer { codeword in
        let signal = power ?? Self.meanSquare(UnsafeBufferPointer(codeword))
        var stream = block.stream(drop, slot: slot, .feedbackNoise)
        let variance = signal * level.noise(reals: codeword.count)
        stream.addNormal(to: codeword, scale: Float(variance.squareRoot()))
      }
      return .reals(reals, side: report.bits)
    }
  }

  private static func meanSquare(_ values: UnsafeBufferPointer<Float>) -> Double {
    values.reduce(0) { $0 + Double($1) * Double($1) } / Double(values.count)
  }
}

/// Mean square over all reals of all fitted codewords.
struct CodewordPowerFitter: Fitter {
  let part: String
  private var energy = 0.0
  private var count = 0

  init(part: String) { self.part = part }

  mutating func add(_ input: StageInput) {
    guard case .codeword(let codewords) = input else {
      preconditionFailure("the power of analogue feedback is fitted on codewords")
    }
    energy = codewords.withUnsafeElements { $0.reduce(energy) { $0 + Double($1) * Double($1) } }
    count += codewords.count
  }

  func finish() throws -> Artefact {
    let power = energy / Double(count)
    guard power.isFinite, power > 0 else {
      throw FittingError(part: part, reason: "the fitted codewords have the mean square \(power)")
    }
    return Artefact(["power": RealArray([Float(power)], shape: [1])])
  }
}
