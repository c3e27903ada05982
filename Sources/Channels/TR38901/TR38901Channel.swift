import LinkMath
import Parts

/// Stochastic channel of TR 38.901 clause 7.5: urban micro and macro, rural macro, indoor office.
///
/// Each drop has a UE at a place of its own. Large-scale parameters with the standard's correlations, clusters of twenty rays,
/// sub-clusters of the two strongest, coupling, XPR (steps 1 to 11); with `environment: cell` all of them are smooth
/// functions of place. UE: one vertical omnidirectional antenna, outdoors (or in the office). BS boresight: azimuth 0.
/// Mean power per entry is 1 for vertical omnidirectional elements, without path loss and normalisation.
public struct TR38901Channel: ChannelModel, Part {
  public static let schema = PartSchema(
    .channel, "tr38901",
    "3GPP stochastic channels UMi, UMa, RMa and InH, a UE at a random place in each drop.",
    reference: "3GPP TR 38.901, clauses 7.2, 7.4.1, 7.4.2, 7.5, 7.6.3",
    parameters: TR38901Keys.model + AntennaArray.parameters + DropArea.parameters
      + TR38901Keys.behaviour)

  public var portCount: Int { array.portCount }
  public var lineSpacing: Double? { array.lineSpacing }
  let array: AntennaArray
  let synthesis: WidebandSynthesis
  /// Deployment that settings name.
  package let scenario: TR38901Scenario
  let state: TR38901Keys.State
  let isOpenOffice: Bool
  let area: DropArea
  /// Without and with a line of sight.
  let models: [StateModel]
  let environment: SharedEnvironment?
  let hasPathLoss: Bool
  let hasSphericalWaves: Bool
  let travelAzimuth: Double?
  /// Carrier frequency in hertz.
  package let carrierHz: Double
  let speed: Double
  let slotSeconds: Double

  public let sharesEnvironment: Bool
  var wavelength: Double { speedOfLight / carrierHz }
  var dopplerHz: Double { speed / wavelength }

  public init(_ settings: Settings, in context: LinkContext, fitted: Artefact?) throws {
    array = try AntennaArray(settings)
    let scenario = settings[TR38901Keys.scenario]
    self.scenario = scenario
    state = settings[TR38901Keys.state]
    let isMixedOffice = scenario == .inh && state == .mixed
    try settings.refuse(TR38901Keys.office, unless: isMixedOffice, "scenario: inh and state: mixed")
    isOpenOffice = settings[TR38901Keys.office] == .open
    area = try DropArea(settings, scenario)
    hasPathLoss = settings[TR38901Keys.pathLoss]
    hasSphericalWaves = settings[TR38901Keys.sphericalWaves]
    travelAzimuth = settings[TR38901Keys.travelAzimuth]
    (carrierHz, speed) = (context.grid.carrierHz, context.speed)
    slotSeconds = context.slotSeconds
    synthesis = WidebandSynthesis(
      grid: context.grid, normalisation: settings[TR38901Keys.normalise],
      delayReference: settings[TR38901Keys.delayReference])
    if hasPathLoss && settings[TR38901Keys.normalise] == .sample {
      throw SettingsError(
        part: settings.part, key: TR38901Keys.pathLoss.key,
        reason: "has no effect when each drop is scaled to unit power",
        hint: "write 'normalise: dataset', or none")
    }
    let place = area.at(0, 0)
    if hasPathLoss, scenario == .umi || scenario == .uma, min(place.ueHeight, place.bsHeight) <= 1 {
      throw SettingsError(
        part: settings.part, key: DropArea.ueHeight.key,
        reason: "and bs_height must be above 1 m with path_loss: the break point counts from there")
    }
    let isCell = settings[TR38901Keys.environment] == .cell
    try settings.refuse(TR38901Keys.environmentSeed, unless: isCell, "environment: cell")
    let release19 = settings[TR38901Keys.table] == .rel19
    sharesEnvironment = isCell && settings[TR38901Keys.environmentSeed] == nil
    let (mode, carrierGHz) = (state, context.grid.carrierHz / 1e9)
    models = [false, true].map { hasLineOfSight in
      StateModel(
        scenario.table(hasLineOfSight: hasLineOfSight, release19: release19), scenario,
        carrierGHz: carrierGHz, isContinuous: isCell)
    }
    environment =
      isCell
      ? SharedEnvironment(
        seed: settings[TR38901Keys.environmentSeed].map(UInt64.init) ?? context.seed,
        scenario: scenario,
        states: models.filter { mode == .mixed || $0.hasLineOfSight == (mode == .los) }.map {
          ($0.table, $0.hasLineOfSight)
        }) : nil
  }

  /// A carrier for which the standard's figures were not made; path loss against SNRs of unit power.
  public static func warnings(_ settings: Settings, in context: LinkContext) -> [SettingsError] {
    let power = settings[TR38901Keys.normalise].warnings(settings.part)
    return carrierWarnings(settings, context.grid) + (settings[TR38901Keys.pathLoss] ? power : [])
  }

  public static func largestDelay(_ settings: Settings, in context: LinkContext) -> LargestDelay? {
    guard let model = try? TR38901Channel(settings, in: context, fitted: nil) else { return nil }
    return .ofDrops(key: TR38901Keys.scenario.key, settings[TR38901Keys.delayReference]) {
      model.paths($0, $1, slots: [0])
    }
  }

  private static func carrierWarnings(_ settings: Settings, _ grid: LinkContext.Grid)
    -> [SettingsError]
  {
    let scenario = settings[TR38901Keys.scenario]
    let (carriers, carrierGHz) = (scenario.carriersGHz, grid.carrierHz / 1e9)
    guard !carriers.contains(carrierGHz) else { return [] }
    let floor = scenario.table(hasLineOfSight: true, release19: false).floorGHz
    func text(_ gigahertz: Double) -> String { Dimension.frequency.format(gigahertz * 1e9) }
    return [
      SettingsError(
        part: settings.part, key: TR38901Keys.scenario.key,
        reason: "'\(scenario.rawValue)' is made for carriers of \(text(carriers.lowerBound)) to "
          + "\(text(carriers.upperBound)), and grid.carrier_frequency is \(text(carrierGHz))",
        hint: carrierGHz < floor
          ? "the large-scale tables are evaluated at \(text(floor)), everything else at the carrier"
          : "the large-scale tables are extrapolated")
    ]
  }

  /// - Complexity: O(clusters · 20 · ports) for each slot, and the synthesis; in a cell also O(fields · waves).
  public func frequencyResponse(_ block: DropBlock, slots: [Int]) -> [ComplexArray] {
    normalisedResponse(block, slots: slots).responses
  }

  public func normalisedResponse(_ block: DropBlock, slots: [Int]) -> NormalisedResponse {
    synthesis.responses(drops: block.drops.count, ports: portCount, slots: slots) {
      paths(block, $0, slots: $1)
    }
  }

  /// The paths of a drop, in sets that cover the slots in order: one set if the delays stay.
  package func paths(_ block: DropBlock, _ index: Int, slots: [Int]) -> [PathSet] {
    let times = slots.map { Double($0) * slotSeconds }
    guard environment != nil else {
      let link = independentLink(block, index)
      return [paths(link.rays, times: times, link.geometry)]
    }
    let drop = drop(block, index)
    var arrivals: CornerArrivals = [:]
    guard speed > 0 else {
      let link = link(drop, time: 0, &arrivals)
      return [paths(link.rays, times: times.map { _ in 0 }, link.geometry)]
    }
    return times.map { time in
      let link = link(drop, time: time, &arrivals)
      return paths(link.rays, times: [0], link.geometry)
    }
  }

  /// Coefficients of a bundle of rays at times in seconds after the place it is for was reached.
  package func paths(_ rays: RayBundle, times: [Double], _ geometry: LinkGeometry) -> PathSet {
    let (rows, delays) = rays.rows()
    let waves = rays.waves(array, wavelength: wavelength)
    let ports = portCount
    var amplitudes = times.map { _ in ComplexArray(uninitialized: [rows.count, ports]) }
    var sum = RaySum(array)
    for (row, range) in rows.enumerated() {
      sum.steer(waves, range)
      for (slot, time) in times.enumerated() {
        amplitudes[slot].withUnsafeMutableElements { amplitudes in
          sum.write(waves, range, time: time, into: amplitudes.baseAddress! + row * ports)
        }
      }
    }
    let direct = geometry.distance3D / speedOfLight
    return PathSet(delays: delays.map { $0 + direct }, amplitudes: amplitudes)
  }
}
