import ComplexModule
import LinkMath
import Parts

/// Linear MMSE estimate over tones and ports, `JointWiener`.
///
/// What it knows of the channel is learned from drops, in the channel's own scale: either the powers by delay and by port
/// mode, or only the mean power p of an entry. In the second case all entries within a delay window of L rows count as
/// independent; with N pilot tones the least-squares estimate is cut to the window and scaled by `p / (p + s L / N)`,
/// `p / (p + s)` without a window.
/// Reference: S. M. Kay, *Estimation Theory*, 1993, ch. 12.
public struct LMMSEEstimator: ChannelEstimator, Part {
  /// What is learned of the channel.
  public enum Covariance: String, Choice {
    /// Powers by delay and by port mode.
    case fitted
    /// Only the mean power of an entry; entries count as independent.
    case iid
  }

  static let covariance = Parameter<Covariance>.choice(
    "covariance", default: .fitted,
    """
    What is learned from drops: fitted, the powers of tones and ports together; iid, only the mean power, independent entries.
    """)
  static let window = DelayWindowSettings.window
  static let guardRows = DelayWindowSettings.guardRows
  static let fitDrops = Parameter.integer(
    "fit.drops", default: 500, in: 2...1_000_000, "Drops that the covariance is learned from.")

  public static let schema = PartSchema(
    .estimator, "lmmse", "Linear MMSE over tones and ports.",
    reference: "S. M. Kay, Estimation Theory, 1993, ch. 12",
    parameters: [
      covariance.declaration, window.declaration, guardRows.declaration, fitDrops.declaration,
    ])

  private enum Method: Sendable {
    case joint(JointWiener)
    case scaled(ToneInterpolator, gain: Float, errorVariance: Double)
  }
  private let method: Method

  public init(_ settings: Settings, in context: LinkContext, fitted: Artefact?) throws {
    let (s, spacing) = (context.pilots.errorVariance, context.pilots.toneSpacing)
    guard let fitted else { preconditionFailure("lmmse made without its fitted statistics") }
    let window = try DelayWindowSettings(
      settings, context, unless: settings[Self.covariance] == .fitted ? "covariance: iid" : nil)
    if settings[Self.covariance] == .fitted {
      let statistics = JointWiener.Statistics(fitted, ports: context.portCount)
      method = .joint(JointWiener(statistics, toneSpacing: spacing, errorVariance: s))
    } else {
      let interpolator = window.interpolator(context).map(ToneInterpolator.delayWindow) ?? .none
      let noise = s * interpolator.noiseGain
      let gain = JointWiener.gain(Double(fitted["mean_power"]![0]), noise)
      method = .scaled(interpolator, gain: Float(gain), errorVariance: gain * noise)
    }
  }

  /// An estimator for a known port covariance, Nt × Nt row-major, on tones that are all pilots and independent.
  package init(covariance: [Complex<Double>], tones: Int, leastSquaresErrorVariance: Double) throws
  {
    method = .joint(
      JointWiener(
        try .init(portCovariance: covariance, tones: tones), toneSpacing: 1,
        errorVariance: leastSquaresErrorVariance))
  }

  public static func fitting(_ settings: Settings, in context: LinkContext) throws -> Fitting? {
    let drops = settings[fitDrops]
    guard settings[covariance] == .fitted else {
      return Fitting(dropCount: drops, signature: "mean power", shapes: ["mean_power": [1]]) {
        MeanPowerFitter()
      }
    }
    return JointWienerFitter.fitting("joint powers", in: context, dropCount: drops, jointly: true)
  }

  public func estimate(_ observation: PilotObservation) -> ChannelEstimate {
    let pilots = leastSquares(observation)
    switch method {
    case .joint(let filter):
      return filter.estimate(pilots)
    case .scaled(let interpolator, let gain, let errorVariance):
      let raw = interpolator.interpolate(pilots, observation.errorVariance)
      return ChannelEstimate(response: raw.response.scaled(by: gain), errorVariance: errorVariance)
    }
  }
}

/// Learns R[i, j] = E[H_i* H_j], the covariance of the row vector of a tone, averaged over tones and drops.
struct PortCovarianceSum: Sendable {
  private var sums: [Complex<Double>]
  private var rows = 0

  init(portCount: Int) {
    sums = Array(repeating: .zero, count: portCount * portCount)
  }

  /// Adds the response [tone, port] of a drop.
  mutating func add(_ response: ComplexArray) {
    let product = response.adjoint.times(response)
    for (i, value) in product.elements.enumerated() { sums[i] += value.inDouble }
    rows += response[dimension: 0]
  }

  /// [port, port], row-major.
  var mean: [Complex<Double>] { sums.map { $0.multiplied(by: 1 / Double(rows)) } }
}

/// Learns the mean power of an entry.
struct MeanPowerFitter: Fitter {
  private var energy = 0.0
  private var count = 0

  mutating func add(_ input: StageInput) {
    guard case .response(let response) = input else {
      preconditionFailure("a mean power is learned from frequency responses")
    }
    energy += response.energy
    count += response.count
  }

  func finish() throws -> Artefact {
    Artefact(["mean_power": RealArray([Float(energy / Double(count))], shape: [1])])
  }
}
