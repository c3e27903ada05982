import Foundation
import Parts

/// The correlated log-normal spreads of a cluster.
///
/// With z = g U, g six independent standard normal values and Uᵀ U the correlation matrix: shadowing `10^(0.1 σ z)` (power),
/// then delay, departure elevation and azimuth, arrival elevation and azimuth spread, each `median · 10^(0.1 σ z)`.
struct ClusterSpreads: Sendable {
  static let drawCount = 6

  /// One cluster's spreads.
  struct Drawn {
    /// Shadowing as a power ratio.
    let shadowing: Double
    let delaySeconds: Double
    /// Tangents of half the angle spreads.
    let departureElevation, departureAzimuth, arrivalElevation, arrivalAzimuth: Double
  }

  private let medians: [Double]
  private let deviationsDB: [Double]
  /// Rows of U, [6, 6].
  private let factor: [Double]

  /// - Throws: `SettingsError` if the correlations contradict each other.
  init(_ parameters: COST2100Parameters, part: String) throws(SettingsError) {
    let all = [
      parameters.delaySpread, parameters.departureElevation, parameters.departureAzimuth,
      parameters.arrivalElevation, parameters.arrivalAzimuth,
    ]
    medians = [1] + all.map(\.median)
    deviationsDB = [parameters.shadowingDB] + all.map(\.deviationDB)
    let related = [1, 3, 5]
    var correlation = [Double](repeating: 0, count: 36)
    for i in 0..<6 { correlation[7 * i] = 1 }
    for i in related {
      correlation[i] = parameters.shadowingCorrelation
      correlation[6 * i] = parameters.shadowingCorrelation
      for j in related where i != j { correlation[6 * i + j] = parameters.spreadCorrelation }
    }
    guard let factor = Self.upperFactor(correlation) else {
      throw SettingsError(
        part: part, key: "spread_correlation",
        reason: "must leave the correlations positive definite:"
          + " got \(parameters.spreadCorrelation) with shadowing_correlation"
          + " \(parameters.shadowingCorrelation)")
    }
    self.factor = factor
  }

  /// U with Uᵀ U = matrix [6, 6]; nil if the matrix is not positive definite.
  private static func upperFactor(_ matrix: [Double]) -> [Double]? {
    var factor = [Double](repeating: 0, count: 36)
    for i in 0..<6 {
      for j in i..<6 {
        let rest = (0..<i).reduce(matrix[6 * i + j]) {
          $0 - factor[6 * $1 + i] * factor[6 * $1 + j]
        }
        if i == j {
          guard rest > 1e-12 else { return nil }
          factor[7 * i] = rest.squareRoot()
        } else {
          factor[6 * i + j] = rest / factor[7 * i]
        }
      }
    }
    return factor
  }

  /// - Parameter normals: six standard normal values.
  func draw(_ normals: UnsafeBufferPointer<Float>) -> Drawn {
    func value(_ j: Int) -> Double {
      var z = 0.0
      for i in 0...j { z += Double(normals[i]) * factor[6 * i + j] }
      return deviationsDB[j] == 0 ? medians[j] : medians[j] * exp(Self.scale * deviationsDB[j] * z)
    }
    /// Angles are kept from 0.01 to 175 degrees: a draw of some 4.5 deviations would open a cluster beyond a half circle.
    func tangent(_ j: Int) -> Double { tan(min(max(value(j), 0.01), 175) * .pi / 360) }
    return Drawn(
      shadowing: value(0), delaySeconds: value(1), departureElevation: tangent(2),
      departureAzimuth: tangent(3), arrivalElevation: tangent(4), arrivalAzimuth: tangent(5))
  }

  /// ln 10 / 10.
  private static let scale = 0.1 * log(10.0)
}
