import Foundation
import Parts

/// Deployment scenarios of TR 38.901 clause 7.2 with the formulas of clause 7.4; lengths in metres, carriers in GHz.
package enum TR38901Scenario: String, Choice {
  /// Urban micro, street canyon.
  case umi
  /// Urban macro.
  case uma
  /// Rural macro.
  case rma
  /// Indoor hotspot, office.
  case inh

  var bsHeight: Double {
    switch self {
    case .umi: 10
    case .uma: 25
    case .rma: 35
    case .inh: 3
    }
  }
  var ueHeight: Double { self == .inh ? 1 : 1.5 }
  /// Largest and smallest horizontal distance that UEs are dropped at.
  var radius: Double {
    switch self {
    case .umi: 100
    case .uma: 250
    case .rma: 1000
    case .inh: 20
    }
  }
  var minimumDistance: Double {
    switch self {
    case .umi: 10
    case .uma, .rma: 35
    case .inh: 1
    }
  }
  /// Carriers the model was made for (Table 7.4.1-1, note 4).
  var carriersGHz: ClosedRange<Double> { self == .rma ? 0.5...30 : 0.5...100 }

  /// Correlation distance of the LOS state and of the variables of clusters and rays (Table 7.6.3.1-2).
  var stateDistance: Double {
    switch self {
    case .umi, .uma: 50
    case .rma: 60
    case .inh: 10
    }
  }
  func clusterDistance(hasLineOfSight: Bool) -> Double {
    switch self {
    case .umi: hasLineOfSight ? 12 : 15
    case .uma: hasLineOfSight ? 40 : 50
    case .rma: hasLineOfSight ? 50 : 60
    case .inh: 10
    }
  }

  /// The column of Table 7.5-6; RMa and InH have one for all releases.
  package func table(hasLineOfSight: Bool, release19: Bool) -> TR38901Table {
    switch (self, hasLineOfSight) {
    case (.umi, true): release19 ? .umiLOS19 : .umiLOS
    case (.umi, false): release19 ? .umiNLOS19 : .umiNLOS
    case (.uma, true): release19 ? .umaLOS19 : .umaLOS
    case (.uma, false): release19 ? .umaNLOS19 : .umaNLOS
    case (.rma, true): .rmaLOS
    case (.rma, false): .rmaNLOS
    case (.inh, true): .inhLOS
    case (.inh, false): .inhNLOS
    }
  }

  /// Probability of a line of sight at horizontal distance d (Table 7.4.2-1), outdoor UEs.
  package func lineOfSightProbability(_ d: Double, ueHeight: Double, isOpenOffice: Bool) -> Double {
    switch self {
    case .umi: return d <= 18 ? 1 : 18 / d + exp(-d / 36) * (1 - 18 / d)
    case .uma:
      guard d > 18 else { return 1 }
      let tall = ueHeight <= 13 ? 0 : pow((ueHeight - 13) / 10, 1.5)
      return (18 / d + exp(-d / 63) * (1 - 18 / d))
        * (1 + tall * 1.25 * pow(d / 100, 3) * exp(-d / 150))
    case .rma: return d <= 10 ? 1 : exp(-(d - 10) / 1000)
    case .inh where isOpenOffice:
      if d <= 5 { return 1 }
      return d <= 49 ? exp(-(d - 5) / 70.8) : 0.54 * exp(-(d - 49) / 211.7)
    case .inh:
      if d <= 1.2 { return 1 }
      return d < 6.5 ? exp(-(d - 1.2) / 4.7) : 0.32 * exp(-(d - 6.5) / 32.6)
    }
  }

  /// Horizontal distance of the break point, with an effective environment height of 1 m (UMi, UMa); infinite indoors.
  package func breakPoint(_ link: LinkGeometry, carrierGHz: Double) -> Double {
    let perMetre = carrierGHz * 1e9 / speedOfLight
    return switch self {
    case .umi, .uma: 4 * (link.bsHeight - 1) * (link.ueHeight - 1) * perMetre
    case .rma: 2 * .pi * link.bsHeight * link.ueHeight * perMetre
    case .inh: .infinity
    }
  }

  /// Path loss in dB (Table 7.4.1-1); RMa with buildings of 5 m and streets of 20 m.
  package func pathLoss(_ link: LinkGeometry, carrierGHz: Double, hasLineOfSight: Bool) -> Double {
    let (lgD, lgF) = (log10(link.distance3D), log10(carrierGHz))
    let free = lineOfSightLoss(link, carrierGHz: carrierGHz)
    if hasLineOfSight { return free }
    let above = link.ueHeight - 1.5
    switch self {
    case .umi: return max(free, 35.3 * lgD + 22.4 + 21.3 * lgF - 0.3 * above)
    case .uma: return max(free, 13.54 + 39.08 * lgD + 20 * lgF - 0.6 * above)
    case .inh: return max(free, 38.3 * lgD + 17.3 + 24.9 * lgF)
    case .rma:
      let (h, w, lgBS) = (5.0, 20.0, log10(link.bsHeight))
      let ratio = h / link.bsHeight
      let blocked =
        161.04 - 7.1 * log10(w) + 7.5 * log10(h) - (24.37 - 3.7 * ratio * ratio) * lgBS
        + (43.42 - 3.1 * lgBS) * (lgD - 3) + 20 * lgF
        - (3.2 * pow(log10(11.75 * link.ueHeight), 2) - 4.97)
      return max(free, blocked)
    }
  }

  private func lineOfSightLoss(_ link: LinkGeometry, carrierGHz: Double) -> Double {
    let lgF = log10(carrierGHz)
    let d = link.distance3D
    let knee = breakPoint(link, carrierGHz: carrierGHz)
    let isBeyond = link.distance2D > knee
    let drop = link.bsHeight - link.ueHeight
    let lgKnee = log10(knee * knee + drop * drop)
    switch self {
    case .umi where isBeyond: return 32.4 + 40 * log10(d) + 20 * lgF - 9.5 * lgKnee
    case .umi: return 32.4 + 21 * log10(d) + 20 * lgF
    case .uma where isBeyond: return 28 + 40 * log10(d) + 20 * lgF - 9 * lgKnee
    case .uma: return 28 + 22 * log10(d) + 20 * lgF
    case .inh: return 32.4 + 17.3 * log10(d) + 20 * lgF
    case .rma:
      func near(_ d: Double) -> Double {
        let height = pow(5.0, 1.72)
        return 20 * log10(40 * .pi * d * carrierGHz / 3) + min(0.03 * height, 10) * log10(d)
          - min(0.044 * height, 14.77) + 0.002 * log10(5.0) * d
      }
      return isBeyond ? near(knee) + 40 * log10(d / knee) : near(d)
    }
  }
}
