import CKernels
import Codecs
import LinkMath

/// What the reports of one slot are, what became of them and what the BS makes of them; drops are counted from zero, and each
/// further user of a drop is a drop behind them.
public struct ReportedSlot: Sendable {
  /// Number of the slot in which the UE measured.
  public let slot: Int
  /// What each UE sent.
  public let reports: [Report]
  /// What arrived.
  public let deliveries: [Delivery]
  /// True CSI [drop, row, column] of the slot.
  public let truth: ComplexArray
  /// What the BS decodes, in the scale of the channel, [drop, row, column].
  public let reconstruction: ComplexArray
  /// Error of the UE's estimate, all tones.
  public let estimateEnergies: ErrorEnergies
  /// Error of the reconstruction.
  public let energies: ErrorEnergies

  init(
    slot: Int, reports: [Report], deliveries: [Delivery], truth: ComplexArray,
    reconstruction: ComplexArray, estimateEnergies: ErrorEnergies
  ) {
    self.slot = slot
    drops = reports.indices
    self.reports = reports
    self.deliveries = deliveries
    self.truth = truth
    self.reconstruction = reconstruction
    self.estimateEnergies = estimateEnergies
    energies = ErrorEnergies(truth, reconstruction)
  }

  /// Drops that count, the first ones of the arrays.
  public internal(set) var drops: Range<Int>

  /// Whether the channel of a drop has energy, in the band and in the kept rows.
  func hasEnergy(_ drop: Int) -> Bool {
    estimateEnergies.reference[drop] != 0 && energies.reference[drop] != 0
  }
}

/// Squared error and energy of each drop of two arrays [drop, ...]: the reference and an estimate of it.
public struct ErrorEnergies: Sendable {
  /// `‖A - Â‖²` of each drop.
  public let error: [Double]
  /// `‖A‖²` of each drop.
  public let reference: [Double]

  /// The energies of equal-shaped arrays [drop, ...], summed in double precision.
  public init(_ reference: ComplexArray, _ estimate: ComplexArray) {
    precondition(reference.shape == estimate.shape)
    let size = 2 * reference.rowStride
    let drops = reference[dimension: 0]
    var errors: [Double] = []
    var energies: [Double] = []
    reference.withUnsafeFloats { reference in
      estimate.withUnsafeFloats { estimate in
        for drop in 0..<drops {
          var (error, energy) = (0.0, 0.0)
          csk_error_energy(size, reference + drop * size, estimate + drop * size, &error, &energy)
          errors.append(error)
          energies.append(energy)
        }
      }
    }
    (error, self.reference) = (errors, energies)
  }

  private init(error: [Double], reference: [Double]) {
    self.error = error
    self.reference = reference
  }

  /// The drops of several arrays, one after the other.
  static func concatenated(_ parts: [ErrorEnergies]) -> ErrorEnergies {
    guard parts.count > 1 else { return parts[0] }
    return ErrorEnergies(error: parts.flatMap(\.error), reference: parts.flatMap(\.reference))
  }

  /// Error over energy of a drop; NaN for one without energy.
  public func ratio(_ drop: Int) -> Double {
    error[drop] / (reference[drop] > 0 ? reference[drop] : .nan)
  }
}
