import LinkMath
import Parts

/// Stochastic channel of TR 38.901 clause 7.5: urban micro and macro, rural macro, indoor office.
///
/// Each drop has a UE at a place of its own. Large-scale parameters with the standard's correlations, clusters of twenty rays,
/// sub-clusters of the two strongest, coupling, XPR (steps 1 to 11); with ``Key/environment`` `cell` all of them are smooth
/// functions of place. UE: one vertical omnidirectional antenna, outdoors (or in the office). BS boresight: azimuth 0.
/// Mean power per entry is 1 for vertical omnidirectional elements, without path loss and normalisation.
public struct TR38901Channel: ChannelModel {
  public static let schema = PartSchema(
    .channel, "tr38901",
    "3GPP stochastic channels UMi, UMa, RMa and InH, a UE at a random place in each drop.",
    reference: "3GPP TR 38.901, clauses 7.2, 7.4.1, 7.4.2, 7.5, 7.6.3",
    parameters: Key.model + AntennaArray.parameters + DropArea.parameters + Key.behaviour)

  public var portCount: Int { array.portCount }
  let array: AntennaArray
  let synthesis: WidebandSynthesis
  package let scenario: TR38901Scenario
  let state: Key.State
  let isOpenOffice: Bool
  let area: DropArea
  /// Without and with a line of sight.
  let models: [StateModel]
  let environment: Environment?
  let hasPathLoss: Bool
  let hasSphericalWaves: Bool
  let travelAzimuth: Double?
  package let carrierHz: Double
  let speed: Double
  let slotSeconds: Double

  var wavelength: Double { speedOfLight / carrierHz }
  var dopplerHz: Double { speed / wavelength }

  public init(_ settings: Settings, in context: LinkContext, fitted: Artefact?) throws {
    array = try AntennaArray(settings)
    let scenario = settings[Key.scenario]
    self.scenario = scenario
    state = settings[Key.state]
    let isMixedOffice = scenario == .inh && state == .mixed
    try settings.refuse(Key.office, unless: isMixedOffice, "scenario: inh and state: mixed")
    isOpenOffice = settings[Key.office] == .open
    area = try DropArea(settings, scenario)
    hasPathLoss = settings[Key.pathLoss]
    hasSphericalWaves = settings[Key.sphericalWaves]
    travelAzimuth = settings[Key.travelAzimuth]
    (carrierHz, speed) = (context.grid.carrierHz, context.speed)
    slotSeconds = context.slotSeconds
    synthesis = WidebandSynthesis(
      grid: context.grid, normalisation: settings[Key.normalise],
      delayReference: settings[Key.delayReference])
    if hasPathLoss && settings[Key.normalise] != .none {
      throw SettingsError(
        part: settings.part, key: Key.pathLoss.key,
        reason: "has no effect when each drop is scaled to unit power",
        hint: "write 'normalise: none'")
    }
    let isCell = settings[Key.environment] == .cell
    try settings.refuse(Key.environmentSeed, unless: isCell, "environment: cell")
    let release19 = settings[Key.table] == .rel19
    let (mode, carrierGHz) = (state, context.grid.carrierHz / 1e9)
    models = [false, true].map { hasLineOfSight in
      StateModel(
        scenario.table(hasLineOfSight: hasLineOfSight, release19: release19), scenario,
        carrierGHz: carrierGHz, isContinuous: isCell)
    }
    environment =
      isCell
      ? Environment(
        seed: settings[Key.environmentSeed].map(UInt64.init) ?? context.seed, scenario: scenario,
        states: models.filter { mode == .mixed || $0.hasLineOfSight == (mode == .los) }.map {
          ($0.table, $0.hasLineOfSight)
        }) : nil
  }

  /// A carrier for which the standard's figures were not made.
  public static func warnings(_ settings: Settings, in context: LinkContext) -> [SettingsError] {
    let scenario = settings[Key.scenario]
    let carriers = scenario.carriersGHz
    guard !carriers.contains(context.grid.carrierHz / 1e9) else { return [] }
    let floor = scenario.table(hasLineOfSight: true, release19: false).floorGHz
    let use = floor > 0 ? "; below \(floor) GHz its tables are used at \(floor) GHz" : ""
    return [
      SettingsError(
        part: settings.part, key: Key.scenario.key,
        reason:
          "\(scenario.rawValue) is made for carriers of \(carriers.lowerBound) to \(carriers.upperBound) GHz, "
          + "and the grid has \(context.grid.carrierHz / 1e9) GHz",
        hint: "results are an extrapolation\(use)")
    ]
  }

  /// - Complexity: O(clusters · 20 · ports) for each slot, and the synthesis; in a cell also O(fields · waves).
  public func frequencyResponse(_ block: DropBlock, slots: [Int]) -> [ComplexArray] {
    normalisedResponse(block, slots: slots).responses
  }

  public func normalisedResponse(_ block: DropBlock, slots: [Int]) -> NormalisedResponse {
    synthesis.responses(
      drops: block.drops.count, ports: portCount, slotCount: slots.count
    ) { paths(block, $0, slots: slots) }
  }

  /// The paths of a drop, in sets that cover the slots in order: one set if the delays stay.
  package func paths(_ block: DropBlock, _ index: Int, slots: [Int]) -> [PathSet] {
    let times = slots.map { Double($0) * slotSeconds }
    let drop = drop(block, index)
    guard environment != nil, speed > 0 else {
      let link = environment == nil ? independentLink(drop, block, index) : link(drop, time: 0)
      return [
        paths(link.rays, times: environment == nil ? times : times.map { _ in 0 }, link.geometry)
      ]
    }
    return times.map { time in
      let link = link(drop, time: time)
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
