import Foundation
import LinkMath
import Parts

/// The COST 2100 channel model: clusters at fixed places, seen through visibility regions, and what scatters around the UE.
///
/// `H[n][m] = Σ_p a_p exp(-j 2π f_n τ_p) exp(-j 2π d m cos φ_p)`, f_n being the tones and φ_p the azimuth of departure. A drop has a
/// UE position, the clusters it sees (`VisibilityRegions`), the scatterers of these and of the local clusters, and
/// outdoors a line of sight. Clusters, BS and UE lie in one plane. Amplitudes hold the free-space loss of the carrier.
///
/// The carrier of the grid sets wavelength and phases; an environment was measured in its own band, 5.29 to 5.31 GHz
/// indoors and 275 to 295 MHz outdoors, and its numbers are kept elsewhere. A moving UE changes the phases of its rays,
/// `f_D = (r · v) / λ` with r towards the ray's last scatterer; delays, directions and visible clusters stay those of time 0.
///
/// References: L. Liu et al., IEEE Wireless Commun. 19(6), 2012, doi:10.1109/MWC.2012.6393523; M. Zhu et al., IEEE Trans.
/// Wireless Commun. 12, 2013 (300 MHz); J. Poutanen et al., EuCAP 2011 (5.3 GHz).
public struct COST2100Channel: PathChannelModel, Part {
  static let environment = Parameter<COST2100Environment>.choice(
    "environment",
    """
    indoor: hall at 5.3 GHz (IndoorHall_5GHz); outdoor and outdoor_nlos: semi-urban at 285 MHz with and without line of sight \
    (SemiUrban_300MHz). It sets the defaults of the other keys.
    """)
  static let ports = Parameter<Int>.integer(
    "ports", default: 32, in: 1...1024, "Ports Nt of the linear array at the BS.")
  static let travelAzimuth = UEMotion.travelAzimuth
  static let delayReference = DelayReference.parameter()
  static let normalise = PowerScaling.parameter(default: .sample)

  public static let schema = PartSchema(
    .channel, "cost2100", "COST 2100: visible clusters around a BS with a linear array.",
    reference: "L. Liu et al., IEEE Wireless Commun. 19 (2012) 92",
    parameters: [
      environment.declaration, ports.declaration, AntennaArray.spacing.declaration,
    ] + COST2100Parameters.declarations + [
      travelAzimuth.declaration, delayReference.declaration, normalise.declaration,
      PowerScaling.fitDrops.declaration,
    ])

  public let portCount: Int
  public let synthesis: WidebandSynthesis
  let parameters: COST2100Parameters
  let regions: VisibilityRegions
  let spreads: ClusterSpreads
  let spacing: Double
  public var lineSpacing: Double? { spacing }
  let wavelength: Double
  /// Frequency of the lowest tone.
  let lowestHz: Double
  let dopplerHz: Double
  let travelAzimuth: Double?
  private let slotSeconds: Double

  public init(_ settings: Settings, in context: LinkContext, fitted: Artefact?) throws {
    portCount = settings[Self.ports]
    spacing = settings[AntennaArray.spacing]
    synthesis = WidebandSynthesis(
      grid: context.grid, normalisation: settings[Self.normalise],
      delayReference: settings[Self.delayReference])
    parameters = try COST2100Parameters(settings[Self.environment], settings)
    wavelength = speedOfLight / context.grid.carrierHz
    regions = VisibilityRegions(parameters, wavelength: wavelength)
    spreads = try ClusterSpreads(parameters, part: settings.part)
    let grid = context.grid
    lowestHz = grid.carrierHz - Double(grid.toneCount - 1) / 2 * grid.spacingHz
    dopplerHz = context.dopplerHz
    travelAzimuth = settings[Self.travelAzimuth]
    slotSeconds = context.slotSeconds
  }

  /// A carrier far from the band that the environment was measured in; path loss against SNRs of unit power.
  public static func warnings(_ settings: Settings, in context: LinkContext) -> [SettingsError] {
    let environment = settings[Self.environment]
    let (band, grid) = (environment.bandHz, context.grid)
    var warnings = settings[Self.normalise].warnings(settings.part)
    if !(0.9 * band.lowerBound...1.1 * band.upperBound).contains(grid.carrierHz) {
      func text(_ hertz: Double) -> String { Dimension.frequency.format(hertz) }
      warnings.append(
        SettingsError(
          part: settings.part, key: Self.environment.key,
          reason: "'\(environment.rawValue)' was measured at \(text(band.lowerBound)) to "
            + "\(text(band.upperBound)), and grid.carrier_frequency is \(text(grid.carrierHz))",
          hint: "wavelength and path loss are those of the carrier, all else is kept"))
    }
    return warnings
  }

  public static func largestDelay(_ settings: Settings, in context: LinkContext) -> LargestDelay? {
    guard let model = try? COST2100Channel(settings, in: context, fitted: nil) else { return nil }
    return .ofDrops(key: environment.key, settings[delayReference]) {
      [model.paths($0, $1, slots: [0])]
    }
  }

  public func paths(_ block: DropBlock, _ index: Int, slots: [Int]) -> PathSet {
    let drop = COST2100Drop(self, block, index)
    let count = drop.delays.count
    var amplitudes = slots.map { _ in ComplexArray(uninitialized: [count, portCount]) }
    withUnsafeTemporaryAllocation(of: Float.self, capacity: 2 * portCount) { steering in
      let (re, im) = (steering.baseAddress!, steering.baseAddress! + portCount)
      for ray in 0..<count {
        Phasors.fill(turns: drop.steps[ray], count: portCount, re: re, im: im)
        for (position, slot) in slots.enumerated() {
          let gain = drop.gain(ray, time: Double(slot) * slotSeconds)
          amplitudes[position].withUnsafeMutableElements { target in
            Self.write(gain, re, im, portCount, to: target.baseAddress! + ray * portCount)
          }
        }
      }
    }
    return PathSet(delays: drop.delays, amplitudes: amplitudes)
  }

  private static func write(
    _ gain: ComplexFloat, _ re: UnsafePointer<Float>, _ im: UnsafePointer<Float>, _ count: Int,
    to target: UnsafeMutablePointer<ComplexFloat>
  ) {
    let (a, b) = (gain.real, gain.imaginary)
    for m in 0..<count {
      target[m] = ComplexFloat(a * re[m] - b * im[m], a * im[m] + b * re[m])
    }
  }
}
