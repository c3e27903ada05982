import ComplexModule
import Foundation
import LinkMath
import Parts

/// Tapped delay line models TDL-A to TDL-E of TR 38.901 clause 7.7.2 and their quantised variants.
///
/// Rayleigh taps with the Jakes spectrum, independent over ports unless a correlation is imposed; D and E add a specular
/// tap `sqrt(P) exp(j(2π fD t cos 45° + φ_0 + φ_s))`, its Doppler shift 0.7 fD as in the TR. φ_0 is random in each drop; the
/// model has no angles, so φ_s is drawn for each port s, unless a correlation says what the ports have in common: it is zero
/// for an exponential one, a plane wave from the mean angle for one ring. Mean power per entry is 1.
public struct TDLChannel: PathChannelModel, Part {
  enum Profile: String, Choice {
    case a = "A"
    case b = "B"
    case c = "C"
    case d = "D"
    case e = "E"
    case a30 = "A30"
    case b100 = "B100"
    case c300 = "C300"

    var table: TDLTable {
      switch self {
      case .a: .tdlA
      case .b: .tdlB
      case .c: .tdlC
      case .d: .tdlD
      case .e: .tdlE
      case .a30: .tdlA30
      case .b100: .tdlB100
      case .c300: .tdlC300
      }
    }
  }

  static let profile = Parameter<Profile>.choice(
    "profile",
    """
    Table 7.7.2-1 to -5, D and E with a line of sight; A30, B100 and C300 are the variants with absolute delays of the \
    conformance tests.
    """)
  static let delaySpread = Parameter<Double?>.optional(
    "delay_spread", .number(.time, 0...1e-4),
    "Wanted delay spread DS, what the normalised delays are multiplied by; needed by A to E.")
  static let ports = Parameter<Int>.integer(
    "ports", default: 32, in: 1...1024, "BS antenna ports Nt.")
  static let sinusoids = Parameter<Int>.integer(
    "sinusoids", default: 32, in: 8...1024, "Sinusoids Ns of each tap.")
  static let delayReference = DelayReference.parameter()
  static let normalise = PowerScaling.parameter(default: .none)

  public static let schema = PartSchema(
    .channel, "tdl", "Tapped delay line TDL-A to TDL-E, optionally correlated over ports.",
    reference: "3GPP TR 38.901, clauses 7.7.2 and 7.7.3; TS 38.101-4",
    parameters: [
      profile.declaration, delaySpread.declaration, ports.declaration, sinusoids.declaration,
    ] + SpatialCorrelation.parameters + [
      delayReference.declaration, normalise.declaration, PowerScaling.fitDrops.declaration,
    ])

  public let portCount: Int
  public var lineSpacing: Double? { correlation.lineSpacing }
  public let synthesis: WidebandSynthesis
  /// Delays and mean powers of the taps, the specular one included.
  package let profile: PowerDelayProfile
  private let startsWithSpecularTap: Bool
  private let correlation: SpatialCorrelation
  private let jakes: JakesFading

  public init(_ settings: Settings, in context: LinkContext, fitted: Artefact?) throws {
    portCount = settings[Self.ports]
    synthesis = WidebandSynthesis(
      grid: context.grid, normalisation: settings[Self.normalise],
      delayReference: settings[Self.delayReference])
    startsWithSpecularTap = settings[Self.profile].table.startsWithSpecularTap
    profile = try Self.makeProfile(settings)
    correlation = try SpatialCorrelation(settings, ports: portCount)
    jakes = JakesFading(
      dopplerHz: context.dopplerHz, slotSeconds: context.slotSeconds,
      sinusoidCount: settings[Self.sinusoids])
  }

  private static func makeProfile(_ settings: Settings) throws -> PowerDelayProfile {
    let table = settings[profile].table
    try settings.refuse(delaySpread, unless: !table.delaysAreAbsolute, "profile: A to E")
    let scale =
      table.delaysAreAbsolute
      ? 1e-9
      : try settings.require(delaySpread, because: "the profile has normalised delays")
    return PowerDelayProfile(
      delays: table.delays.map { $0 * scale }, powers: table.powersDB.map { pow(10, $0 / 10) })
  }

  public static func largestDelay(_ settings: Settings, in context: LinkContext) -> LargestDelay? {
    let isAbsolute = settings[profile].table.delaysAreAbsolute
    return (try? makeProfile(settings))?.largestDelay(
      after: settings[delayReference], key: isAbsolute ? profile.key : delaySpread.key)
  }

  public func paths(_ block: DropBlock, _ index: Int, slots: [Int]) -> PathSet {
    let scales = profile.powers.map { Float($0.squareRoot()) }
    let gains = jakes.gains(block, index, taps: scales.count, ports: portCount, slots: slots)
    let phases = startsWithSpecularTap ? specularPhases(block, index) : []
    let amplitudes = zip(slots, gains).map { slot, gains in
      var taps = gains
      taps.scaleRows(scales)
      taps = correlation.apply(to: taps)
      if startsWithSpecularTap { writeSpecular(phases, slot: slot, into: &taps) }
      return taps
    }
    return PathSet(delays: profile.delays, amplitudes: amplitudes)
  }

  /// Initial phase of the specular tap on each port, in turns.
  private func specularPhases(_ block: DropBlock, _ index: Int) -> [Double] {
    var stream = block.stream(index, .channel, instance: 1)
    guard let turns = correlation.specularTurns else {
      return (0..<portCount).map { _ in stream.uniform() }
    }
    let common = stream.uniform()
    return turns.map { $0 + common }
  }

  /// Puts the specular tap into row 0.
  private func writeSpecular(_ phases: [Double], slot: Int, into taps: inout ComplexArray) {
    let amplitude = profile.powers[0].squareRoot()
    let turns = jakes.dopplerHz * cos(.pi / 4) * Double(slot) * jakes.slotSeconds
    taps.withUnsafeMutableElements { taps in
      for (port, phase) in phases.enumerated() {
        let wave = Complex<Double>(turns: turns + phase).scaled(amplitude)
        taps[port] = ComplexFloat(Float(wave.real), Float(wave.imaginary))
      }
    }
  }
}
