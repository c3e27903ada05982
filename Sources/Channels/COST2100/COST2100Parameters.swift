import Parts

/// The published environments that a drop can be drawn in.
enum COST2100Environment: String, Choice {
  /// Indoor hall at 5.3 GHz; it has no line-of-sight ray.
  case indoor
  /// Semi-urban at 285 MHz with line of sight.
  case outdoor
  /// Semi-urban at 285 MHz without line of sight.
  case outdoor_nlos

  var parameters: COST2100Parameters {
    switch self {
    case .indoor: .indoor
    case .outdoor: .outdoor
    case .outdoor_nlos: .outdoorNLOS
    }
  }

  /// Where it was measured.
  var bandHz: ClosedRange<Double> {
    self == .indoor ? 5.29e9...5.31e9 : 275e6...295e6
  }
}

/// Which terminals have a cluster of scatterers around them.
enum LocalClusters: String, Choice { case ue, both }

/// Where in the square of UE positions the BS stands.
enum BSPlace: String, Choice { case corner, centre }

/// The numbers of an environment; lengths in metres, delays in seconds, angles in degrees.
///
/// A cluster's delay and angle spreads are log-normal: `mean · 10^(0.1 deviation g)`, g standard normal, correlated within
/// the cluster.
struct COST2100Parameters: Sendable {
  /// A log-normal spread.
  struct Spread: Sendable {
    var median: Double
    var deviationDB: Double
  }

  var side: Double
  var place: BSPlace
  var cellRadius: Double
  var clusterRange: Double
  /// Radius r_c and transition length l_c of a visibility region.
  var regionRadius: Double
  var transition: Double
  /// Mean number of clusters that a UE far from the cell's border sees through its full-gain areas.
  var farClusters: Double
  /// Whether that number is max(1, Poisson) in each drop.
  var drawsFarClusters: Bool
  /// Mean number of regions beyond the first that see the same cluster.
  var sharedRegions: Double
  /// Power decay over excess delay in natural units per microsecond, and the delay beyond which it stops.
  var decay: Double
  var decayLimit: Double
  var singleBounceShare: Double
  var azimuthOffset: Double
  var azimuthOffsetDeviation: Double
  var scattererCount: Int
  var delaySpread: Spread
  var departureAzimuth: Spread
  var departureElevation: Spread
  var arrivalAzimuth: Spread
  var arrivalElevation: Spread
  var shadowingDB: Double
  var linkDelayMean: Double
  var linkDelayMinimum: Double
  /// Correlation between delay, departure azimuth and arrival azimuth spread; and of shadowing with each of the three.
  var spreadCorrelation: Double
  var shadowingCorrelation: Double
  var localClusters: LocalClusters
  /// Largest distance with a line of sight, and radius of its visibility region.
  var losCutoff: Double
  var losRadius: Double
  var kFactorDB: Double
  var kFactorDeviationDB: Double

  /// `R² / (r_c - l_c)²`.
  var regionsPerFarCluster: Double { (cellRadius / (regionRadius - transition)).squared }
}

extension COST2100Parameters {
  /// J. Poutanen et al., EuCAP 2011.
  static let indoor = COST2100Parameters(
    side: 20, place: .corner, cellRadius: 30, clusterRange: 30, regionRadius: 2.72, transition: 1,
    farClusters: 3.8, drawsFarClusters: true, sharedRegions: 4, decay: 16, decayLimit: 0.1,
    singleBounceShare: 0, azimuthOffset: 43, azimuthOffsetDeviation: 39, scattererCount: 3,
    delaySpread: Spread(median: 2.9417e-9, deviationDB: 0.860),
    departureAzimuth: Spread(median: 2.4962, deviationDB: 2.634),
    departureElevation: Spread(median: 1.0607, deviationDB: 3.616),
    arrivalAzimuth: Spread(median: 3.5777, deviationDB: 2.052),
    arrivalElevation: Spread(median: 0.7071, deviationDB: 3.616), shadowingDB: 0,
    linkDelayMean: 107e-9, linkDelayMinimum: 33.6e-9, spreadCorrelation: 0,
    shadowingCorrelation: 0, localClusters: .both, losCutoff: 30, losRadius: 0, kFactorDB: -10,
    kFactorDeviationDB: 7.2)

  /// M. Zhu, G. Eriksson, F. Tufvesson, IEEE Trans. Wireless Commun. 12 (2013), line of sight.
  static let outdoor = COST2100Parameters(
    side: 400, place: .centre, cellRadius: 500, clusterRange: 500, regionRadius: 32.8,
    transition: 16.8, farClusters: 6, drawsFarClusters: false, sharedRegions: 0, decay: 2.786,
    decayLimit: 2.4e-6, singleBounceShare: 0.1, azimuthOffset: 43, azimuthOffsetDeviation: 39,
    scattererCount: 27, delaySpread: Spread(median: 139e-9, deviationDB: 3.66),
    departureAzimuth: Spread(median: 14.610, deviationDB: 2.43),
    departureElevation: Spread(median: 90.413, deviationDB: 0),
    arrivalAzimuth: Spread(median: 14.754, deviationDB: 2.68),
    arrivalElevation: Spread(median: 1.578, deviationDB: 0), shadowingDB: 2.05,
    linkDelayMean: 854e-9, linkDelayMinimum: 47.9e-9, spreadCorrelation: 0.9,
    shadowingCorrelation: 0, localClusters: .ue, losCutoff: 350, losRadius: 343, kFactorDB: -4.7,
    kFactorDeviationDB: 2)

  /// The same, no line of sight.
  static let outdoorNLOS = COST2100Parameters(
    side: 400, place: .centre, cellRadius: 500, clusterRange: 500, regionRadius: 24.5,
    transition: 12.2, farClusters: 6, drawsFarClusters: false, sharedRegions: 0, decay: 1.658,
    decayLimit: 4.2e-6, singleBounceShare: 0.2, azimuthOffset: 43, azimuthOffsetDeviation: 39,
    scattererCount: 48, delaySpread: Spread(median: 317e-9, deviationDB: 2.5),
    departureAzimuth: Spread(median: 18.644, deviationDB: 2.02),
    departureElevation: Spread(median: 90.413, deviationDB: 0),
    arrivalAzimuth: Spread(median: 19.011, deviationDB: 2.03),
    arrivalElevation: Spread(median: 1.578, deviationDB: 0), shadowingDB: 2.27,
    linkDelayMean: 1020e-9, linkDelayMinimum: 52.4e-9, spreadCorrelation: 0.9,
    shadowingCorrelation: -0.1, localClusters: .ue, losCutoff: 0, losRadius: 0, kFactorDB: 0,
    kFactorDeviationDB: 0)
}
