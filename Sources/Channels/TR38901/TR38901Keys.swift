import Parts

/// What a scenario can say about a ``TR38901Channel``.
enum TR38901Keys {
  enum State: String, Choice { case los, nlos, mixed }
  enum Office: String, Choice { case mixed, open }
  enum Table: String, Choice { case rel18, rel19 }
  enum Environment: String, Choice { case independent, cell }

  static let scenario = Parameter<TR38901Scenario>.choice(
    "scenario", "Urban micro, urban macro, rural macro or indoor office (clause 7.2).")
  static let state = Parameter<State>.choice(
    "state", default: .mixed,
    "los: line of sight in every drop; nlos: in none; mixed: with the probability of Table 7.4.2-1."
  )
  static let office = Parameter<Office?>.optional(
    "office", .choice(Office.allCases.map(\.rawValue)),
    "Kind of office, which decides the probability of a line of sight; mixed if left out (scenario: inh, state: mixed)."
  )
  static let table = Parameter<Table>.choice(
    "table", default: .rel18,
    "Large-scale parameters as in releases 14 to 18, or as reprinted in release 19 (other for UMi and UMa)."
  )
  static let environment = Parameter<Environment>.choice(
    "environment", default: .independent,
    """
    independent: each drop has an environment of its own, and only ray phases change as the UE moves; cell: the drops of \
    all data sets share one, in which everything is a smooth function of the UE's place, also along its way.
    """)
  static let environmentSeed = Parameter<Int?>.optional(
    "environment_seed", .integer(0...Int.max),
    """
    Seed of the shared environment; the run's if left out, and then intervals are marked: other seeds have other \
    environments (environment: cell).
    """)
  static let travelAzimuth = UEMotion.travelAzimuth
  static let sphericalWaves = Parameter<Bool>.flag(
    "spherical_waves", default: false,
    """
    Exact distances from each element: to the UE for the direct ray, and to a scatterer halfway along a scattered ray's \
    path for the others; plane waves otherwise.
    """)
  static let pathLoss = Parameter<Bool>.flag(
    "path_loss", default: false,
    "Whether path loss and shadow fading are in the channel (needs normalise: dataset or none).")
  static let delayReference = DelayReference.parameter(default: .first)
  static let normalise = PowerScaling.parameter(default: .sample)

  static let model = [
    scenario.declaration, state.declaration, office.declaration, table.declaration,
  ]
  static let behaviour = [
    environment.declaration, environmentSeed.declaration, travelAzimuth.declaration,
    sphericalWaves.declaration, pathLoss.declaration, delayReference.declaration,
    normalise.declaration, PowerScaling.fitDrops.declaration,
  ]
}
