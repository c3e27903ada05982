import Foundation

/// Large-scale parameters of one link (TR 38.901 clause 7.5, step 4).
package struct LargeScaleParameters: Sendable, Hashable {
  /// Shadow fading in dB; positive is more power than the path loss says.
  package let shadowDB: Double
  /// Nil without a line of sight.
  package let kDB: Double?
  /// Seconds.
  package let delaySpread: Double
  /// Degrees.
  package let asd, asa, zsd, zsa: Double
  /// `10^μ` of the spread of departure zeniths, degrees: what the rays within a cluster follow.
  package let medianZSD: Double
}

/// What decides the large-scale parameters of a state: its table at a carrier, and the correlations.
struct LargeScaleModel: Sendable {
  static let parameterCount = 7

  let table: TR38901Table
  let scenario: TR38901Scenario
  /// Not below the table's floor.
  let tableGHz: Double
  let carrierGHz: Double
  /// Lower Cholesky factor of the cross-correlations, [parameter, parameter].
  private let factor: [Double]

  init(_ table: TR38901Table, _ scenario: TR38901Scenario, carrierGHz: Double) {
    self.table = table
    self.scenario = scenario
    self.carrierGHz = carrierGHz
    tableGHz = max(carrierGHz, table.floorGHz)
    factor = Self.cholesky(table.correlations)
  }

  /// L with L Lᵀ = R, R given by the rows below its unit diagonal.
  private static func cholesky(_ rows: [[Double]]) -> [Double] {
    let n = parameterCount
    var l = [Double](repeating: 0, count: n * n)
    for i in 0..<n {
      for j in 0...i {
        let wanted = i == j ? 1 : rows[i - 1][j]
        let rest = wanted - (0..<j).reduce(0) { $0 + l[i * n + $1] * l[j * n + $1] }
        precondition(i != j || rest > 0, "correlations are not positive definite")
        l[i * n + j] = i == j ? rest.squareRoot() : rest / l[j * n + j]
      }
    }
    return l
  }

  /// The parameters from independent standard normal values, one each.
  func parameters(_ normals: [Double], _ link: LinkGeometry) -> LargeScaleParameters {
    let n = Self.parameterCount
    let s = (0..<n).map { i in
      (0...i).reduce(0) { $0 + factor[i * n + $1] * normals[$1] }
    }
    func lognormal(_ law: TR38901Table.FrequencyLaw, _ s: Double) -> Double {
      pow(10, law.mean(tableGHz) + law.deviation(tableGHz) * s)
    }
    let isBeyond = link.distance2D > scenario.breakPoint(link, carrierGHz: carrierGHz)
    let shadow = isBeyond ? table.shadowBeyondDB ?? table.shadowDB : table.shadowDB
    let medianZSD = pow(10, table.lgZSD.mean(link, carrierGHz: tableGHz))
    return LargeScaleParameters(
      shadowDB: shadow * s[0], kDB: table.kDB.map { $0.mean + $0.deviation * s[1] },
      delaySpread: lognormal(table.lgDS, s[2]), asd: min(lognormal(table.lgASD, s[3]), 104),
      asa: min(lognormal(table.lgASA, s[4]), 104),
      zsd: min(medianZSD * pow(10, table.lgZSD.law.deviation(tableGHz) * s[5]), 52),
      zsa: min(lognormal(table.lgZSA, s[6]), 52), medianZSD: medianZSD)
  }
}
