import Foundation
import LinkMath
import Parts

/// Independent Rayleigh taps on every port.
///
/// `h_i(τ) = Σ_l α_{i,l} δ(τ - τ_l)`, `α_{i,l} ~ CN(0, σ_l²)`, independent over ports i and taps l, `Σ σ_l² = 1`; delays in
/// samples of `1/(Nc Δf)`. The taps are spread evenly over all angles: there is no angular sparsity unless a correlation
/// is imposed.
public struct RayleighChannel: PathChannelModel, Part {
  enum Profile: String, Choice { case uniform, exponential }
  enum Fading: String, Choice { case jakes, ar1 }

  static let ports = Parameter<Int>.integer(
    "ports", default: 32, in: 1...1024, "BS antenna ports Nt.")
  static let taps = Parameter<Int?>.optional(
    "taps", .integer(1...4096),
    "Number of taps L at delays 0, spacing, 2 spacing, ...; 8 if neither taps nor delays is given.")
  static let tapSpacing = Parameter<Double?>.optional(
    "tap_spacing", .number(.plain, 1e-6...1e6),
    "Distance of the taps in samples, may be fractional; 1 if left out.")
  static let delays = Parameter<[Double]?>.optional(
    "delays", .list(.number(.plain, 0...1e6), count: 1...4096),
    "Delays of the taps in samples, may be fractional, in place of taps.")
  static let profile = Parameter<Profile>.choice(
    "profile", default: .uniform,
    "Mean powers of the taps: uniform, or exponential, σ² ∝ exp(-τ/τ_rms).")
  static let decay = Parameter<Double?>.optional(
    "tau_rms", .number(.plain, 1e-3...1e6),
    "Decay constant τ_rms in samples; needed by profile: exponential.")
  static let fading = Parameter<Fading>.choice(
    "fading", default: .jakes,
    """
    Evolution over slots: jakes, a sum of sinusoids with autocorrelation J0(2π fD t); ar1, \
    α(t+1) = ρ α(t) + sqrt(1-ρ²) e with ρ = J0(2π fD Ts), which gives ρ^k at lag k.
    """)
  static let sinusoids = Parameter<Int?>.optional(
    "sinusoids", .integer(8...1024),
    "Sinusoids Ns of each tap; 32 if left out (fading: jakes).")
  static let delayReference = DelayReference.parameter()
  static let normalise = PowerScaling.parameter(default: .none)

  public static let schema = PartSchema(
    .channel, "rayleigh", "Independent Rayleigh taps on every port, optionally correlated.",
    parameters: [
      ports.declaration, taps.declaration, tapSpacing.declaration, delays.declaration,
      profile.declaration, decay.declaration, fading.declaration, sinusoids.declaration,
    ] + SpatialCorrelation.parameters + [
      delayReference.declaration, normalise.declaration, PowerScaling.fitDrops.declaration,
    ])

  public let portCount: Int
  public var lineSpacing: Double? { correlation.lineSpacing }
  public let synthesis: WidebandSynthesis
  /// Delays and mean powers of the taps.
  package let profile: PowerDelayProfile
  private let correlation: SpatialCorrelation
  private let fading: Fading
  private let jakes: JakesFading

  public init(_ settings: Settings, in context: LinkContext, fitted: Artefact?) throws {
    portCount = settings[Self.ports]
    synthesis = WidebandSynthesis(
      grid: context.grid, normalisation: settings[Self.normalise],
      delayReference: settings[Self.delayReference])
    profile = try Self.makeProfile(settings, sampleSeconds: 1 / context.grid.bandwidthHz)
    correlation = try SpatialCorrelation(settings, ports: portCount)
    fading = settings[Self.fading]
    try settings.refuse(Self.sinusoids, unless: fading == .jakes, "fading: jakes")
    jakes = JakesFading(
      dopplerHz: context.dopplerHz, slotSeconds: context.slotSeconds,
      sinusoidCount: settings[Self.sinusoids] ?? 32)
  }

  private static func makeProfile(_ settings: Settings, sampleSeconds: Double) throws
    -> PowerDelayProfile
  {
    let explicit = settings[delays]
    try settings.refuse(taps, unless: explicit == nil, "no delays")
    try settings.refuse(tapSpacing, unless: explicit == nil, "no delays")
    let spacing = settings[tapSpacing] ?? 1
    let samples = explicit ?? (0..<(settings[taps] ?? 8)).map { Double($0) * spacing }
    let powers: [Double]
    switch settings[profile] {
    case .uniform:
      try settings.refuse(decay, unless: false, "profile: exponential")
      powers = samples.map { _ in 1 }
    case .exponential:
      let decay = try settings.require(decay, because: "the profile is exponential")
      // Relative to the first tap, so that a late start does not underflow.
      let first = samples.min() ?? 0
      powers = samples.map { exp(-($0 - first) / decay) }
    }
    return PowerDelayProfile(delays: samples.map { $0 * sampleSeconds }, powers: powers)
  }

  public static func largestDelay(_ settings: Settings, in context: LinkContext) -> LargestDelay? {
    let profile = try? makeProfile(settings, sampleSeconds: 1 / context.grid.bandwidthHz)
    let keys = [delays.key, tapSpacing.key].filter { settings.values[$0] != nil }
    return profile?.largestDelay(after: settings[delayReference], key: keys.first ?? taps.key)
  }

  public func paths(_ block: DropBlock, _ index: Int, slots: [Int]) -> PathSet {
    let scales = profile.powers.map { Float($0.squareRoot()) }
    let gains =
      switch fading {
      case .jakes:
        jakes.gains(block, index, taps: scales.count, ports: portCount, slots: slots)
      case .ar1: regression(block, index, slots: slots)
      }
    let amplitudes = gains.map { gains in
      var scaled = gains
      scaled.scaleRows(scales)
      return correlation.apply(to: scaled)
    }
    return PathSet(delays: profile.delays, amplitudes: amplitudes)
  }

  /// First-order autoregression from slot 0, with one innovation stream for each slot.
  ///
  /// - Complexity: O(last slot · taps · ports), whatever slots are asked for.
  private func regression(_ block: DropBlock, _ index: Int, slots: [Int]) -> [ComplexArray] {
    let shape = [profile.powers.count, portCount]
    var state = ComplexArray.normal(shape, block.stream(index, .channel))
    guard jakes.dopplerHz > 0 else { return slots.map { _ in state } }
    let rho = j0(2 * .pi * jakes.dopplerHz * jakes.slotSeconds)
    let (keep, fresh) = (Float(rho), Float((1 - rho * rho).squareRoot()))
    var time = 0
    return slots.map { slot in
      precondition(slot >= time, "slots must ascend")
      while time < slot {
        time += 1
        let innovation = ComplexArray.normal(shape, block.stream(index, slot: time, .doppler))
        state.combine(keep, innovation, fresh)
      }
      return state
    }
  }
}

extension Tensor where Element == ComplexFloat {
  /// `a · self + b · other`.
  fileprivate mutating func combine(_ a: Float, _ other: ComplexArray, _ b: Float) {
    let floats = 2 * count
    withUnsafeMutableFloats { x in
      other.withUnsafeFloats { y in for i in 0..<floats { x[i] = a * x[i] + b * y[i] } }
    }
  }
}
