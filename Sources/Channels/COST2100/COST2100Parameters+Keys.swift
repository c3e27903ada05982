import RealModule
import Parts

/// The keys of a scenario, one for each number of an environment.
extension COST2100Parameters {
  /// An optional key whose default is the environment's number.
  struct Key<Value: SettingValue>: Sendable {
    let parameter: Parameter<Value?>
    let path: WritableKeyPath<COST2100Parameters, Value> & Sendable

    func apply(_ settings: Settings, to parameters: inout COST2100Parameters) {
      if let value = settings[parameter] { parameters[keyPath: path] = value }
    }
  }

  private static func text(_ values: (COST2100Environment) -> String) -> String {
    let all = COST2100Environment.allCases.map { (name: $0.rawValue, value: values($0)) }
    guard Set(all.map(\.value)).count > 1 else { return "Default: \(all[0].value)." }
    return "Default: " + all.map { "\($0.value) (\($0.name))" }.joined(separator: ", ") + "."
  }

  private static func number(
    _ key: String, _ dimension: Dimension, in range: ClosedRange<Double>,
    _ path: WritableKeyPath<COST2100Parameters, Double> & Sendable, _ meaning: String
  ) -> Key<Double> {
    let defaults = text { environment in
      let value = dimension.format(environment.parameters[keyPath: path])
      return switch dimension {
      case .level: value + " dB"
      case .angle: value + " deg"
      default: value
      }
    }
    return Key(
      parameter: .optional(key, .number(dimension, range), "\(meaning) \(defaults)"), path: path)
  }

  private static func word<Value: Choice>(
    _ key: String, _ path: WritableKeyPath<COST2100Parameters, Value> & Sendable, _ meaning: String
  ) -> Key<Value> {
    let defaults = text { $0.parameters[keyPath: path].rawValue }
    return Key(
      parameter: .optional(
        key, .choice(Value.allCases.map(\.rawValue)), "\(meaning) \(defaults)"), path: path)
  }

  static let place = word(
    "bs_position", \.place, "Where in the square of UE positions the BS stands.")
  static let localClusters = word(
    "local_clusters", \.localClusters,
    "Around whom there is a cluster of scatterers that is always seen: the ue, or both ends.")
  static let drawsFarClusters = Key<Bool>(
    parameter: .optional(
      "draw_far_clusters", .flag,
      "Whether each drop draws max(1, Poisson(far_clusters)). "
        + text { $0.parameters.drawsFarClusters ? "true" : "false" }), path: \.drawsFarClusters)
  static let scattererCount = Key<Int>(
    parameter: .optional(
      "scatterers", .integer(1...1000),
      "Scatterers of a cluster. " + text { "\($0.parameters.scattererCount)" }),
    path: \.scattererCount)

  static let side = number(
    "square_side", .length, in: 0.1...1e5, \.side,
    "Side of the square in which the UE position is uniform.")

  /// Keys that are plain numbers, besides ``side``.
  static let numbers: [Key<Double>] = regionKeys + clusterKeys + spreadKeys + losKeys

  private static let regionKeys = [
    number(
      "cell_radius", .length, in: 1...1e6, \.cellRadius,
      "Radius R of the disc around the BS in which visibility regions lie."),
    number(
      "cluster_range", .length, in: 1...1e6, \.clusterRange,
      "Largest distance r_max of a cluster from the BS; uniform from 0 on."),
    number(
      "region_radius", .length, in: 0.01...1e5, \.regionRadius,
      "Radius r_c of a visibility region; a UE inside sees the region's cluster."),
    number(
      "region_transition", .length, in: 0.001...1e5, \.transition,
      "Width l_c of the region's rim over which the cluster fades."),
    number(
      "far_clusters", .plain, in: 0.01...1000, \.farClusters,
      "Mean number n_far of far clusters; N = n_far R² / (r_c - l_c)² regions."),
    number(
      "shared_regions", .plain, in: 0...100, \.sharedRegions,
      "Mean of the Poisson number of further regions that see the same cluster."),
  ]

  private static let clusterKeys = [
    number(
      "decay_per_us", .plain, in: 0...1000, \.decay,
      "Power decay k of a cluster, exp(-k · excess delay in microseconds)."),
    number(
      "decay_limit", .time, in: 0...1, \.decayLimit,
      "Excess delay from which on a cluster's power decays no more."),
    number(
      "single_bounce_share", .plain, in: 0...1, \.singleBounceShare,
      "Share of clusters seen in one place by both ends; the others are twins with a link delay."),
    number(
      "azimuth_offset", .angle, in: -360...360, \.azimuthOffset,
      "Mean of the normal angle between the directions to a cluster and to its region."),
    number(
      "azimuth_offset_deviation", .angle, in: 0...360, \.azimuthOffsetDeviation,
      "Standard deviation of the angle between the directions to a cluster and to its region."),
    number(
      "link_delay_mean", .time, in: 0...1e-3, \.linkDelayMean,
      "Mean of the exponential part of a twin cluster's link delay."),
    number(
      "link_delay_minimum", .time, in: 0...1e-3, \.linkDelayMinimum,
      "Smallest link delay of a twin cluster."),
    number(
      "shadowing_deviation", .level, in: 0...10, \.shadowingDB,
      "Standard deviation of the lognormal power of a cluster, its shadowing."),
  ]

  private static let spreadKeys =
    number(
      "delay_spread", .time, in: 0...1e-5, \.delaySpread.median,
      "Median delay spread of a cluster, which sets its depth.",
      deviation: \.delaySpread.deviationDB)
    + number(
      "departure_azimuth_spread", .angle, in: 0.01...175, \.departureAzimuth.median,
      "Median azimuth spread of a cluster seen from the BS.",
      deviation: \.departureAzimuth.deviationDB)
    + number(
      "departure_elevation_spread", .angle, in: 0.01...175, \.departureElevation.median,
      "Median elevation spread of a cluster seen from the BS.",
      deviation: \.departureElevation.deviationDB)
    + number(
      "arrival_azimuth_spread", .angle, in: 0.01...175, \.arrivalAzimuth.median,
      "Median azimuth spread of a cluster seen from the UE.",
      deviation: \.arrivalAzimuth.deviationDB)
    + number(
      "arrival_elevation_spread", .angle, in: 0.01...175, \.arrivalElevation.median,
      "Median elevation spread of a cluster seen from the UE.",
      deviation: \.arrivalElevation.deviationDB) + [
      number(
        "spread_correlation", .plain, in: -0.999...0.999, \.spreadCorrelation,
        "Correlation between the delay and the two azimuth spreads of a cluster, in dB."),
      number(
        "shadowing_correlation", .plain, in: -0.999...0.999, \.shadowingCorrelation,
        "Correlation of a cluster's shadowing with its delay spread and its two azimuth spreads, in dB."
      ),
    ]

  /// A spread: its median and its deviation in dB.
  private static func number(
    _ key: String, _ dimension: Dimension, in range: ClosedRange<Double>,
    _ path: WritableKeyPath<COST2100Parameters, Double> & Sendable, _ meaning: String,
    deviation: WritableKeyPath<COST2100Parameters, Double> & Sendable
  ) -> [Key<Double>] {
    [
      number(key, dimension, in: range, path, meaning),
      number(
        key + "_db", .level, in: 0...10, deviation,
        "Standard deviation of \(key) from cluster to cluster, which is lognormal."),
    ]
  }

  private static let losKeys = [
    number(
      "los_cutoff", .length, in: 0...1e6, \.losCutoff,
      "Largest distance d_co between BS and UE with a line of sight."),
    number(
      "los_radius", .length, in: 0...1e6, \.losRadius,
      "Radius of the line of sight's visibility region, whose centre is off the BS by up to los_cutoff - los_radius."
    ),
    number(
      "k_factor", .level, in: -100...100, \.kFactorDB,
      "Mean ratio of the line of sight's power to that of all other rays."),
    number(
      "k_factor_deviation", .level, in: 0...20, \.kFactorDeviationDB,
      "Standard deviation of k_factor from drop to drop, which is lognormal."),
  ]

  static let declarations: [ParameterDeclaration] =
    [place.parameter.declaration, side.parameter.declaration]
    + regionKeys.map(\.parameter.declaration)
    + [drawsFarClusters.parameter.declaration, scattererCount.parameter.declaration]
    + clusterKeys.map(\.parameter.declaration) + spreadKeys.map(\.parameter.declaration)
    + [localClusters.parameter.declaration] + losKeys.map(\.parameter.declaration)

  /// The environment's numbers with those of the scenario in their place.
  init(_ environment: COST2100Environment, _ settings: Settings) throws(SettingsError) {
    self = environment.parameters
    Self.place.apply(settings, to: &self)
    Self.localClusters.apply(settings, to: &self)
    Self.drawsFarClusters.apply(settings, to: &self)
    Self.scattererCount.apply(settings, to: &self)
    Self.side.apply(settings, to: &self)
    for key in Self.numbers { key.apply(settings, to: &self) }
    try check(settings.part)
  }

  /// - Throws: `SettingsError` for numbers that do not go together.
  private func check(_ part: String) throws(SettingsError) {
    guard transition < regionRadius else {
      throw SettingsError(
        part: part, key: "region_transition",
        reason: "must be below region_radius = \(regionRadius) m, got \(transition) m")
    }
    guard regionRadius < cellRadius else {
      throw SettingsError(
        part: part, key: "region_radius",
        reason: "must be below cell_radius = \(cellRadius) m, got \(regionRadius) m")
    }
    let farthest = side * (place == .corner ? 2.0 : 0.5).squareRoot()
    guard farthest <= cellRadius else {
      throw SettingsError(
        part: part, key: Self.side.parameter.key,
        reason: "must keep the UE within the cell: it may be \(farthest) m from the BS, but"
          + " cell_radius is \(cellRadius) m",
        hint: "make the square smaller or the cell larger")
    }
    guard losRadius <= losCutoff else {
      throw SettingsError(
        part: part, key: "los_radius",
        reason: "must be at most los_cutoff = \(losCutoff) m, got \(losRadius) m")
    }
    // A twin cluster may be shorter than the direct way, and its power then grows by up to this exponent.
    let gain = decay * farthest / speedOfLight * 1e6
    guard gain <= 50 else {
      throw SettingsError(
        part: part, key: "decay_per_us",
        reason: "times the delay to the farthest UE must be at most 50, got \(gain)")
    }
    // A drop is drawn again until a cluster is seen; on average this many are.
    // The mean of max(1, Poisson) is exp(-mean) above that of Poisson.
    let mean = farClusters + (drawsFarClusters ? Double.exp(-farClusters) : 0)
    let seen = mean * regionsPerFarCluster * (regionRadius / cellRadius).squared
    guard seen >= 0.5, seen <= 10_000 else {
      throw SettingsError(
        part: part, key: "far_clusters",
        reason: "gives the UE \(seen) active regions on average, must be from 0.5 to 10000",
        hint: "region_radius and region_transition matter too")
    }
    guard regionsPerFarCluster * farClusters <= 1e6 else {
      throw SettingsError(
        part: part, key: "cell_radius",
        reason: "gives \(regionsPerFarCluster * farClusters) regions, must be at most 1000000",
        hint: "make the cell smaller or the regions larger")
    }
  }
}

extension Double {
  var squared: Double { self * self }
}
