/// The rows of TR 38.901 Table 7.5-6 that release 19 (v19.4.0) prints otherwise, for UMi and UMa.
extension TR38901Table {
  private func changed(_ change: (inout TR38901Table) -> Void) -> TR38901Table {
    var table = self
    change(&table)
    return table
  }

  /// UMi with a line of sight.
  package static let umiLOS19 = umiLOS.changed {
    $0.lgDS = FrequencyLaw(-7.28, -0.18, deviation: 0.39, 0, shifted: true)
    $0.lgASD.deviationConstant = 0.29
    $0.lgASD.deviationSlope = 0.08
    $0.lgASA = FrequencyLaw(1.66, -0.07, deviation: 0.26, 0.021, shifted: true)
    $0.lgZSA = FrequencyLaw(0.81, -0.11, deviation: 0.29, -0.03, shifted: true)
  }

  /// UMi without a line of sight.
  package static let umiNLOS19 = umiNLOS.changed {
    $0.lgDS = FrequencyLaw(-6.87, -0.22, deviation: 0.22, 0.19, shifted: true)
    $0.lgASD = FrequencyLaw(1.54, -0.24, deviation: 0.33, 0.10, shifted: true)
    $0.lgASA = FrequencyLaw(1.76, -0.07, deviation: 0.27, 0.05, shifted: true)
    $0.lgZSA = FrequencyLaw(0.92, -0.03, deviation: 0.35, -0.05, shifted: true)
  }

  /// UMa with a line of sight.
  package static let umaLOS19 = umaLOS.changed {
    $0.lgDS = FrequencyLaw(-7.067, -0.0794, deviation: 0.57, 0.026)
    $0.lgASD = FrequencyLaw(0.92, 0, deviation: 0.31, 0)
    $0.lgASA = FrequencyLaw(1.76, 0, deviation: 0.19, 0)
    $0.lgZSA = FrequencyLaw(0.96, 0, deviation: 0.15, 0)
    $0.clusterSpreads.asd = 3.58
  }

  /// UMa without a line of sight.
  package static let umaNLOS19 = umaNLOS.changed {
    $0.lgDS = FrequencyLaw(-6.47, -0.134, deviation: 0.39, 0)
    $0.lgASD = FrequencyLaw(1.09, 0, deviation: 0.44, 0)
    $0.lgASA = FrequencyLaw(2.04, -0.25, deviation: 0.17, -0.03)
    $0.lgZSA = FrequencyLaw(1.445, -0.2856, deviation: 0.17, 0)
    $0.clusterSpreads.asd = 1.8
  }
}
