import LinkMath
import Parts

/// Clustered delay line models CDL-A to CDL-E of TR 38.901 clause 7.7.1.
///
/// `a_n[s](t) = sqrt(P_n/20) Σ_m F_rxᵀ M_{n,m} F_tx,s exp(j 2π r_tx·d_s/λ) exp(j 2π (r_rx·v) t/λ)` (eq. 7.5-22), the specular
/// row of CDL-D and E as one ray (eq. 7.5-29) with a random phase. UE: one vertical omnidirectional antenna. Cluster angles
/// are fixed by the table; drops differ in ray phases, in the coupling of ray angles and, if asked for, in rotation.
/// Mean power per entry is 1 for vertical omnidirectional elements.
public struct CDLChannel: PathChannelModel, Part {
  enum Profile: String, Choice {
    case a = "A"
    case b = "B"
    case c = "C"
    case d = "D"
    case e = "E"

    var table: CDLTable {
      switch self {
      case .a: .cdlA
      case .b: .cdlB
      case .c: .cdlC
      case .d: .cdlD
      case .e: .cdlE
      }
    }
  }

  static let profile = Parameter<Profile>.choice(
    "profile", "Table 7.7.1-1 to -5; D and E have a line of sight.")
  static let delaySpread = Parameter<Double>.number(
    "delay_spread", .time, in: 0...1e-4,
    "Wanted delay spread DS, what the normalised delays are multiplied by.")
  static let rotation = Parameter<Double>.number(
    "aod_rotation", .angle, default: 0, in: 0...180,
    "All departure azimuths of a drop are turned by one angle, uniform in ± this many degrees.")
  static let scalesRays = Parameter<Bool>.flag(
    "scale_ray_offsets", default: false,
    "Whether a wanted angle spread also scales the rays within a cluster, not only the clusters.")
  static let kFactor = Parameter<Double?>.optional(
    "k_factor", .number(.level, -100...100),
    """
    Wanted ratio of specular to scattered power in dB (clause 7.7.6); delays are stretched to keep the delay spread. D \
    and E only.
    """)
  static let travelAzimuth = UEMotion.travelAzimuth
  static let travelZenith = Parameter<Double>.number(
    "travel_zenith", .angle, default: 90, in: 0...180,
    "Zenith angle of the UE's velocity in degrees; 90 is horizontal.")
  static let delayReference = DelayReference.parameter()
  static let normalise = PowerScaling.parameter(default: .none)

  public static let schema = PartSchema(
    .channel, "cdl", "Clustered delay line CDL-A to CDL-E with a linear or planar array.",
    reference: "3GPP TR 38.901, clauses 7.5, 7.7.1, 7.7.3, 7.7.5.1, 7.7.6",
    parameters: [profile.declaration, delaySpread.declaration] + AntennaArray.parameters
      + [rotation.declaration] + AngleScaling.parameters + [
        scalesRays.declaration, kFactor.declaration, travelAzimuth.declaration,
        travelZenith.declaration, delayReference.declaration, normalise.declaration,
        PowerScaling.fitDrops.declaration,
      ])

  public var portCount: Int { array.portCount }
  public var lineSpacing: Double? { array.lineSpacing }
  public let synthesis: WidebandSynthesis
  /// The table scaled to the settings, before the rotation of a drop.
  package let profile: CDLProfile
  let array: AntennaArray
  let rays: CDLRays
  let rotationDegrees: Double
  let dopplerHz: Double
  let travelAzimuth: Double?
  let travelZenith: Double
  private let slotSeconds: Double

  public init(_ settings: Settings, in context: LinkContext, fitted: Artefact?) throws {
    array = try AntennaArray(settings)
    synthesis = WidebandSynthesis(
      grid: context.grid, normalisation: settings[Self.normalise],
      delayReference: settings[Self.delayReference])
    profile = try Self.makeProfile(settings)
    rays = CDLRays(profile)
    rotationDegrees = settings[Self.rotation]
    dopplerHz = context.dopplerHz
    travelAzimuth = settings[Self.travelAzimuth]
    travelZenith = settings[Self.travelZenith]
    slotSeconds = context.slotSeconds
  }

  /// K-factor first, then angles: the wanted angle spread counts the final powers.
  private static func makeProfile(_ settings: Settings) throws -> CDLProfile {
    let table = settings[profile].table
    let delaySpread = settings[Self.delaySpread]
    var profile = CDLProfile(table, delaySpread: delaySpread)
    try settings.refuse(kFactor, unless: table.startsWithSpecularRay, "profile: D or E")
    if let wanted = settings[kFactor] {
      guard delaySpread > 0 else {
        throw SettingsError(
          part: settings.part, key: kFactor.key,
          reason: "needs a positive delay_spread to scale the delays to")
      }
      profile.scale(kFactor: linear(decibels: wanted), delaySpread: delaySpread)
    }
    try AngleScaling(settings).apply(to: &profile)
    return profile
  }

  public static func largestDelay(_ settings: Settings, in context: LinkContext) -> LargestDelay? {
    (try? makeProfile(settings))?.profile.largestDelay(
      after: settings[delayReference], key: delaySpread.key)
  }

  public func paths(_ block: DropBlock, _ index: Int, slots: [Int]) -> PathSet {
    let waves = CDLDrop(self, block, index).waves
    var amplitudes = slots.map { _ in
      ComplexArray(uninitialized: [rays.rows.count, portCount])
    }
    let times = slots.map { Double($0) * slotSeconds }
    var sum = RaySum(array)
    for (row, range) in rays.rows.enumerated() {
      sum.steer(waves, range)
      for (slot, time) in times.enumerated() {
        amplitudes[slot].withUnsafeMutableElements { amplitudes in
          sum.write(waves, range, time: time, into: amplitudes.baseAddress! + row * portCount)
        }
      }
    }
    return PathSet(delays: profile.profile.delays, amplitudes: amplitudes)
  }
}
