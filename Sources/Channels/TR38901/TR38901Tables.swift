/// Large-scale parameters of TR 38.901 Table 7.5-6 as printed in releases 14 to 18.
///
/// Order of correlations and distances: SF, K, DS, ASD, ASA, ZSD, ZSA; without a line of sight K is not used.
extension TR38901Table {
  /// TR 38.901 Table 7.5-6, UMi LOS.
  package static let umiLOS = TR38901Table(
    floorGHz: 2, shadowDB: 4,
    kDB: .init(9, 5),
    lgDS: FrequencyLaw(-7.14, -0.24, deviation: 0.38, 0, shifted: true),
    lgASD: FrequencyLaw(1.21, -0.05, deviation: 0.41, 0, shifted: true),
    lgASA: FrequencyLaw(1.73, -0.08, deviation: 0.28, 0.014, shifted: true),
    lgZSA: FrequencyLaw(0.73, -0.1, deviation: 0.34, -0.04, shifted: true),
    lgZSD: .init(
      floor: -0.21, perKilometre: -14.8, height: .difference,
      FrequencyLaw(0.83, 0, deviation: 0.35, 0)),
    zodOffset: .none,
    xprDB: .init(9, 3), delayScaling: 3, clusterShadowDB: 3, clusterCount: 12,
    clusterSpreads: .init(delay: .init(5), asd: 3, asa: 17, zsa: 7),
    correlations: [
      [0.5],
      [-0.4, -0.7],
      [-0.5, -0.2, 0.5],
      [-0.4, -0.3, 0.8, 0.4],
      [0, 0, 0, 0.5, 0],
      [0, 0, 0.2, 0.3, 0, 0],
    ],
    distances: [10, 15, 7, 8, 8, 12, 12])

  /// TR 38.901 Table 7.5-6, UMi NLOS.
  package static let umiNLOS = TR38901Table(
    floorGHz: 2, shadowDB: 7.82,
    kDB: nil,
    lgDS: FrequencyLaw(-6.83, -0.24, deviation: 0.28, 0.16, shifted: true),
    lgASD: FrequencyLaw(1.53, -0.23, deviation: 0.33, 0.11, shifted: true),
    lgASA: FrequencyLaw(1.81, -0.08, deviation: 0.3, 0.05, shifted: true),
    lgZSA: FrequencyLaw(0.92, -0.04, deviation: 0.41, -0.07, shifted: true),
    lgZSD: .init(
      floor: -0.5, perKilometre: -3.1, height: .aboveStation,
      FrequencyLaw(0.2, 0, deviation: 0.35, 0)),
    zodOffset: .umi,
    xprDB: .init(8, 3), delayScaling: 2.1, clusterShadowDB: 3, clusterCount: 19,
    clusterSpreads: .init(delay: .init(11), asd: 10, asa: 22, zsa: 7),
    correlations: [
      [0],
      [-0.7, 0],
      [0, 0, 0],
      [-0.4, 0, 0.4, 0],
      [0, 0, -0.5, 0.5, 0],
      [0, 0, 0, 0.5, 0.2, 0],
    ],
    distances: [13, 13, 10, 10, 9, 10, 10])

  /// TR 38.901 Table 7.5-6, UMa LOS.
  package static let umaLOS = TR38901Table(
    floorGHz: 6, shadowDB: 4,
    kDB: .init(9, 3.5),
    lgDS: FrequencyLaw(-6.955, -0.0963, deviation: 0.66, 0),
    lgASD: FrequencyLaw(1.06, 0.1114, deviation: 0.28, 0),
    lgASA: FrequencyLaw(1.81, 0, deviation: 0.2, 0),
    lgZSA: FrequencyLaw(0.95, 0, deviation: 0.16, 0),
    lgZSD: .init(
      floor: -0.5, perKilometre: -2.1, height: .aboveStreet,
      FrequencyLaw(0.75, 0, deviation: 0.4, 0)),
    zodOffset: .none,
    xprDB: .init(8, 4), delayScaling: 2.5, clusterShadowDB: 3, clusterCount: 12,
    clusterSpreads: .init(delay: .init(6.5622, -3.4084, floor: 0.25), asd: 5, asa: 11, zsa: 7),
    correlations: [
      [0],
      [-0.4, -0.4],
      [-0.5, 0, 0.4],
      [-0.5, -0.2, 0.8, 0],
      [0, 0, -0.2, 0.5, -0.3],
      [-0.8, 0, 0, 0, 0.4, 0],
    ],
    distances: [37, 12, 30, 18, 15, 15, 15])

  /// TR 38.901 Table 7.5-6, UMa NLOS.
  package static let umaNLOS = TR38901Table(
    floorGHz: 6, shadowDB: 6,
    kDB: nil,
    lgDS: FrequencyLaw(-6.28, -0.204, deviation: 0.39, 0),
    lgASD: FrequencyLaw(1.5, -0.1144, deviation: 0.28, 0),
    lgASA: FrequencyLaw(2.08, -0.27, deviation: 0.11, 0),
    lgZSA: FrequencyLaw(1.512, -0.3236, deviation: 0.16, 0),
    lgZSD: .init(
      floor: -0.5, perKilometre: -2.1, height: .aboveStreet,
      FrequencyLaw(0.9, 0, deviation: 0.49, 0)),
    zodOffset: .uma,
    xprDB: .init(7, 3), delayScaling: 2.3, clusterShadowDB: 3, clusterCount: 20,
    clusterSpreads: .init(delay: .init(6.5622, -3.4084, floor: 0.25), asd: 2, asa: 15, zsa: 7),
    correlations: [
      [0],
      [-0.4, 0],
      [-0.6, 0, 0.4],
      [0, 0, 0.6, 0.4],
      [0, 0, -0.5, 0.5, 0],
      [-0.4, 0, 0, -0.1, 0, 0],
    ],
    distances: [50, 50, 40, 50, 50, 50, 50])

  /// TR 38.901 Table 7.5-6, RMa LOS.
  package static let rmaLOS = TR38901Table(
    floorGHz: 0, shadowDB: 4, shadowBeyondDB: 6,
    kDB: .init(7, 4),
    lgDS: FrequencyLaw(-7.49, 0, deviation: 0.55, 0),
    lgASD: FrequencyLaw(0.9, 0, deviation: 0.38, 0),
    lgASA: FrequencyLaw(1.52, 0, deviation: 0.24, 0),
    lgZSA: FrequencyLaw(0.47, 0, deviation: 0.4, 0),
    lgZSD: .init(
      floor: -1, perKilometre: -0.17, height: .aboveStreet,
      FrequencyLaw(0.22, 0, deviation: 0.34, 0)),
    zodOffset: .none,
    xprDB: .init(12, 4), delayScaling: 3.8, clusterShadowDB: 3, clusterCount: 11,
    clusterSpreads: .init(delay: .init(3.91), asd: 2, asa: 3, zsa: 3),
    correlations: [
      [0],
      [-0.5, 0],
      [0, 0, 0],
      [0, 0, 0, 0],
      [0.01, 0, -0.05, 0.73, -0.2],
      [-0.17, -0.02, 0.27, -0.14, 0.24, -0.07],
    ],
    distances: [37, 40, 50, 25, 35, 15, 15])

  /// TR 38.901 Table 7.5-6, RMa NLOS.
  package static let rmaNLOS = TR38901Table(
    floorGHz: 0, shadowDB: 8,
    kDB: nil,
    lgDS: FrequencyLaw(-7.43, 0, deviation: 0.48, 0),
    lgASD: FrequencyLaw(0.95, 0, deviation: 0.45, 0),
    lgASA: FrequencyLaw(1.52, 0, deviation: 0.13, 0),
    lgZSA: FrequencyLaw(0.58, 0, deviation: 0.37, 0),
    lgZSD: .init(
      floor: -1, perKilometre: -0.19, height: .aboveStreet, FrequencyLaw(0.28, 0, deviation: 0.3, 0)
    ),
    zodOffset: .rma,
    xprDB: .init(7, 3), delayScaling: 1.7, clusterShadowDB: 3, clusterCount: 10,
    clusterSpreads: .init(delay: .init(3.91), asd: 2, asa: 3, zsa: 3),
    correlations: [
      [0],
      [-0.5, 0],
      [0.6, 0, -0.4],
      [0, 0, 0, 0],
      [-0.04, 0, -0.1, 0.42, -0.18],
      [-0.25, 0, -0.4, -0.27, 0.26, -0.27],
    ],
    distances: [120, 120, 36, 30, 40, 50, 50])

  /// TR 38.901 Table 7.5-6, InH LOS.
  package static let inhLOS = TR38901Table(
    floorGHz: 6, shadowDB: 3,
    kDB: .init(7, 4),
    lgDS: FrequencyLaw(-7.692, -0.01, deviation: 0.18, 0, shifted: true),
    lgASD: FrequencyLaw(1.6, 0, deviation: 0.18, 0),
    lgASA: FrequencyLaw(1.781, -0.19, deviation: 0.119, 0.12, shifted: true),
    lgZSA: FrequencyLaw(1.44, -0.26, deviation: 0.264, -0.04, shifted: true),
    lgZSD: .init(
      floor: -.infinity, perKilometre: 0, height: .none,
      FrequencyLaw(2.228, -1.43, deviation: 0.3, 0.13, shifted: true)),
    zodOffset: .none,
    xprDB: .init(11, 4), delayScaling: 3.6, clusterShadowDB: 6, clusterCount: 15,
    clusterSpreads: .init(delay: .init(3.91), asd: 5, asa: 8, zsa: 9),
    correlations: [
      [0.5],
      [-0.8, -0.5],
      [-0.4, 0, 0.6],
      [-0.5, 0, 0.8, 0.4],
      [0.2, 0, 0.1, 0.5, 0],
      [0.3, 0.1, 0.2, 0, 0.5, 0],
    ],
    distances: [10, 4, 8, 7, 5, 4, 4])

  /// TR 38.901 Table 7.5-6, InH NLOS.
  package static let inhNLOS = TR38901Table(
    floorGHz: 6, shadowDB: 8.03,
    kDB: nil,
    lgDS: FrequencyLaw(-7.173, -0.28, deviation: 0.055, 0.1, shifted: true),
    lgASD: FrequencyLaw(1.62, 0, deviation: 0.25, 0),
    lgASA: FrequencyLaw(1.863, -0.11, deviation: 0.059, 0.12, shifted: true),
    lgZSA: FrequencyLaw(1.387, -0.15, deviation: 0.746, -0.09, shifted: true),
    lgZSD: .init(
      floor: -.infinity, perKilometre: 0, height: .none, FrequencyLaw(1.08, 0, deviation: 0.36, 0)),
    zodOffset: .none,
    xprDB: .init(10, 4), delayScaling: 3, clusterShadowDB: 3, clusterCount: 19,
    clusterSpreads: .init(delay: .init(3.91), asd: 5, asa: 11, zsa: 9),
    correlations: [
      [0],
      [-0.5, 0],
      [0, 0, 0.4],
      [-0.4, 0, 0, 0],
      [0, 0, -0.27, 0.35, -0.08],
      [0, 0, -0.06, 0.23, 0.43, 0.42],
    ],
    distances: [6, 6, 5, 3, 3, 4, 4])
}
