import Foundation

/// One column of TR 38.901 Table 7.5-6 (with 7.5-7 to 7.5-10): a scenario with or without a line of sight.
///
/// Frequencies in GHz, levels in dB, angles in degrees, `lg` of seconds or degrees.
package struct TR38901Table: Sendable, Hashable {
  /// Mean and standard deviation that follow the carrier, `a + b x` with `x = lg fc` or `lg(1 + fc)`.
  package struct FrequencyLaw: Sendable, Hashable {
    /// a and b of the mean, a and b of the standard deviation.
    package var constant, slope, deviationConstant, deviationSlope: Double
    /// Whether x is `lg(1 + fc)` and not `lg fc`.
    package var isShifted: Bool

    init(
      _ constant: Double, _ slope: Double, deviation: Double, _ deviationSlope: Double,
      shifted: Bool = false
    ) {
      (self.constant, self.slope) = (constant, slope)
      (deviationConstant, self.deviationSlope) = (deviation, deviationSlope)
      isShifted = shifted
    }

    private func argument(_ carrierGHz: Double) -> Double {
      log10(isShifted ? 1 + carrierGHz : carrierGHz)
    }
    /// The mean at a carrier.
    package func mean(_ carrierGHz: Double) -> Double { constant + slope * argument(carrierGHz) }
    /// The standard deviation at a carrier.
    package func deviation(_ carrierGHz: Double) -> Double {
      deviationConstant + deviationSlope * argument(carrierGHz)
    }
  }

  /// Mean and standard deviation.
  package struct Normal: Sendable, Hashable {
    /// Mean, and standard deviation.
    package let mean, deviation: Double
    init(_ mean: Double, _ deviation: Double) { (self.mean, self.deviation) = (mean, deviation) }
  }

  /// `μ_lgZSD = max(floor, perKilometre d2D + 0.01 height term + constant)` (Tables 7.5-7 to 7.5-10).
  package struct ZenithDeparture: Sendable, Hashable {
    /// What the height term counts, in metres.
    package enum HeightTerm: Sendable {
      /// `|hUT - hBS|`, `max(hUT - hBS, 0)`, `-(hUT - 1.5)`, nothing.
      case difference, aboveStation, aboveStreet, none
    }
    /// Least value, and change for each kilometre of horizontal distance.
    package let floor, perKilometre: Double
    /// What the height term counts.
    package let height: HeightTerm
    /// The constant of the mean, which may follow the carrier, and the standard deviation.
    package let law: FrequencyLaw

    init(floor: Double, perKilometre: Double, height: HeightTerm, _ law: FrequencyLaw) {
      (self.floor, self.perKilometre) = (floor, perKilometre)
      (self.height, self.law) = (height, law)
    }

    /// Mean of lg ZSD at a place, degrees.
    package func mean(_ link: LinkGeometry, carrierGHz: Double) -> Double {
      let metres =
        switch height {
        case .difference: abs(link.ueHeight - link.bsHeight)
        case .aboveStation: max(link.ueHeight - link.bsHeight, 0)
        case .aboveStreet: -(link.ueHeight - 1.5)
        case .none: 0.0
        }
      return max(
        floor, perKilometre * link.distance2D / 1000 + 0.01 * metres + law.mean(carrierGHz))
    }
  }

  /// Offset of the departure zenith angles in degrees (Tables 7.5-7 to 7.5-9).
  package enum ZenithOffset: Sendable {
    /// The formula by scenario; none for InH and for lines of sight.
    case none, umi, uma, rma

    /// The offset at a place.
    package func degrees(_ link: LinkGeometry, carrierGHz: Double) -> Double {
      let d = link.distance2D
      let lg = log10(carrierGHz)
      switch self {
      case .none: return 0
      case .umi: return -pow(10, -1.5 * log10(max(10, d)) + 3.3)
      case .uma:
        let exponent =
          (0.208 * lg - 0.782) * log10(max(25, d)) + (-0.13 * lg + 2.03)
          - 0.07 * (link.ueHeight - 1.5)
        return 7.66 * lg - 5.96 - pow(10, exponent)
      case .rma: return (atan((35 - 3.5) / d) - atan((35 - 1.5) / d)) * 180 / .pi
      }
    }
  }

  /// Spreads within a cluster: of delays in nanoseconds, of angles in degrees.
  package struct ClusterSpreads: Sendable, Hashable {
    /// `max(floor, a + b lg fc)` nanoseconds.
    package struct Delay: Sendable, Hashable {
      /// a, b and the floor.
      package let constant, slope, floor: Double
      init(_ constant: Double, _ slope: Double = 0, floor: Double = 0) {
        (self.constant, self.slope, self.floor) = (constant, slope, floor)
      }
      /// The spread c_DS at a carrier.
      package func nanoseconds(_ carrierGHz: Double) -> Double {
        max(floor, constant + slope * log10(carrierGHz))
      }
    }
    /// c_DS.
    package let delay: Delay
    /// c_ASD, degrees.
    package var asd: Double
    /// c_ASA and c_ZSA, degrees.
    package let asa, zsa: Double
  }

  /// Below this carrier the formulas are evaluated at it.
  package let floorGHz: Double
  /// Standard deviation of the shadow fading, dB.
  package let shadowDB: Double
  /// Of the shadow fading beyond the break point, where it differs.
  package var shadowBeyondDB: Double? = nil
  /// Ricean K-factor; nil without a line of sight.
  package let kDB: Normal?
  /// Laws of lg DS in seconds, and of lg ASD, lg ASA and lg ZSA in degrees.
  package var lgDS, lgASD, lgASA, lgZSA: FrequencyLaw
  /// Law of lg ZSD in degrees.
  package let lgZSD: ZenithDeparture
  /// Offset μ_offset,ZOD.
  package let zodOffset: ZenithOffset
  /// Cross-polarisation ratio, dB.
  package let xprDB: Normal
  /// r_τ, and the shadowing ζ of each cluster.
  package let delayScaling, clusterShadowDB: Double
  /// Number of clusters N.
  package let clusterCount: Int
  /// Spreads within a cluster.
  package var clusterSpreads: ClusterSpreads
  /// Rows 1 to 6 of the lower triangle of the cross-correlations.
  package let correlations: [[Double]]
  /// Correlation distances in metres.
  package let distances: [Double]

  /// Table 7.5-2, by number of clusters.
  package static let azimuthScaling: [Int: Double] = [
    4: 0.779, 5: 0.86, 6: 0.921, 7: 0.973, 8: 1.018, 10: 1.09, 11: 1.123, 12: 1.146, 14: 1.19,
    15: 1.211, 16: 1.226, 19: 1.273, 20: 1.289, 25: 1.358,
  ]
  /// Table 7.5-4, by number of clusters.
  package static let zenithScaling: [Int: Double] = [
    6: 0.788, 7: 0.847, 8: 0.889, 10: 0.957, 11: 1.031, 12: 1.104, 14: 1.1072, 15: 1.1088,
    16: 1.1276, 19: 1.184, 20: 1.178, 25: 1.282,
  ]

  /// Table 7.5-5: rays of each sub-cluster of the two strongest clusters (counted from zero) and its delay offset in
  /// cluster delay spreads.
  package static let subclusters: [(rays: [Int], delay: Double)] = [
    ([0, 1, 2, 3, 4, 5, 6, 7, 18, 19], 0), ([8, 9, 10, 11, 16, 17], 1.28),
    ([12, 13, 14, 15], 2.56),
  ]
}

/// Where a UE is as seen from the BS: heights and distances in metres.
package struct LinkGeometry: Sendable, Hashable {
  /// Place of the UE in a plane with the BS at the origin; x is the array's boresight.
  package var x, y: Double
  /// Heights of BS and UE above the ground.
  package let bsHeight, ueHeight: Double

  /// A place of a UE.
  package init(x: Double, y: Double, bsHeight: Double, ueHeight: Double) {
    (self.x, self.y, self.bsHeight, self.ueHeight) = (x, y, bsHeight, ueHeight)
  }

  /// Horizontal distance d2D.
  package var distance2D: Double { (x * x + y * y).squareRoot() }
  /// Distance d3D of the antennas.
  package var distance3D: Double {
    let drop = bsHeight - ueHeight
    return (x * x + y * y + drop * drop).squareRoot()
  }
  /// Azimuth in radians of the straight line from BS to UE.
  package var azimuth: Double { atan2(y, x) }
  /// Zenith angle in radians of the straight line from BS to UE.
  package var zenith: Double { atan2(distance2D, ueHeight - bsHeight) }
}
