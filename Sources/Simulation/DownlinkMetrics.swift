import CKernels
import ComplexModule
import Foundation
import LinkMath

/// Squared error and energy of each drop of two arrays [drop, ...]: the reference and an estimate of it.
package struct ErrorEnergies: Sendable {
  /// `‖A - Â‖²` of each drop.
  package let error: [Double]
  /// `‖A‖²` of each drop.
  package let reference: [Double]

  /// The energies of equal-shaped arrays [drop, ...], summed in double precision.
  package init(_ reference: ComplexArray, _ estimate: ComplexArray) {
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
}

extension ErrorEnergies {
  /// The drops of several arrays, one after the other.
  static func concatenated(_ parts: [ErrorEnergies]) -> ErrorEnergies {
    ErrorEnergies(error: parts.flatMap(\.error), reference: parts.flatMap(\.reference))
  }

  private init(error: [Double], reference: [Double]) {
    self.error = error
    self.reference = reference
  }

  /// Error over energy of a drop; NaN for one without energy.
  package func ratio(_ drop: Int) -> Double {
    error[drop] / (reference[drop] > 0 ? reference[drop] : .nan)
  }

  /// Share of each drop's energy that an array [drop, ...] has lost; NaN for a drop without energy. Round-off below
  /// nothing counts as nothing.
  package func lostShares(_ kept: ComplexArray) -> [Double] {
    zip(reference, ErrorEnergies(kept, kept).reference).map { energy, kept in
      energy > 0 ? max(1 - kept / energy, 0) : .nan
    }
  }
}

/// What the downlink of one slot makes of the precoder, for each drop of a block.
package struct DownlinkMetrics {
  /// The metrics that are averaged over the served slots.
  package static let recorded: [DropMetric] = [
    .fullRatio, .cosineSimilarity, .squaredCosineSimilarity, .beamformingGain, .gainFraction, .rate,
    .perfectRate,
  ]

  private let portCount: Int
  private let toneCount: Int
  private let knowsScale: Bool
  private let cosineToneCount: Int
  private let snr: Double
  private let reconstruction: ToneProducts
  /// Of the precoding directions; nil if they are the reconstruction.
  private let directions: ToneProducts?

  /// - Parameters:
  ///   - channel: true response of the slot [drop, subcarrier, port].
  ///   - reconstruction: what the BS believes it is.
  ///   - directions: g of the weights w = gᴴ / ‖g‖; nil if they are the reconstruction.
  ///   - knowsScale: whether the reconstruction has the channel's scale.
  ///   - cosineToneCount: tones, from the first, of the similarities; nil for all.
  package init(
    channel: ComplexArray, reconstruction: ComplexArray, directions: ComplexArray?, snr: Double,
    knowsScale: Bool, cosineToneCount: Int? = nil
  ) {
    self.cosineToneCount = cosineToneCount ?? channel[dimension: 1]
    (toneCount, portCount) = (channel[dimension: 1], channel[dimension: 2])
    self.snr = snr
    self.knowsScale = knowsScale
    self.reconstruction = ToneProducts(channel, reconstruction)
    self.directions = directions.map { ToneProducts(channel, $0) }
  }

  /// Adds this slot to the metrics of one drop.
  ///
  /// - Parameters:
  ///   - index: of the drop in the arrays.
  ///   - drop: of the drop in the metrics.
  /// - Returns: whether the channel has energy in this slot.
  @discardableResult
  package func add(_ index: Int, to metrics: inout BlockMetrics, point: Int, drop: Int) -> Bool {
    let similarity = reconstruction.sums(index, snr: snr)
    let beam = directions?.sums(index, snr: snr) ?? similarity
    let tones = Double(toneCount)
    let hasReference = knowsScale && similarity.energy > 0
    metrics[point, drop, .fullRatio] += hasReference ? similarity.error / similarity.energy : .nan
    let cosine =
      cosineToneCount < toneCount
      ? reconstruction.sums(index, snr: snr, tones: cosineToneCount) : similarity
    metrics[point, drop, .cosineSimilarity] += cosine.cosine / Double(cosineToneCount)
    metrics[point, drop, .squaredCosineSimilarity] += cosine.squared / Double(cosineToneCount)
    metrics[point, drop, .beamformingGain] += beam.power * Double(portCount) / beam.energy
    metrics[point, drop, .gainFraction] += beam.fraction / tones
    metrics[point, drop, .rate] += beam.rate / tones
    metrics[point, drop, .perfectRate] += beam.perfect / tones
    return beam.energy > 0
  }
}

/// Inner products of channel and direction on every tone: c = ⟨h, g⟩, ‖h‖², ‖g‖², ‖h − g‖².
private struct ToneProducts {
  private let toneCount: Int
  private let portCount: Int
  private let channel: ComplexArray
  /// One after the other for all tones of all drops: c (re, im), ‖h‖², ‖g‖², ‖h − g‖².
  private var values: RealArray
  private let rows: Int

  init(_ channel: ComplexArray, _ direction: ComplexArray) {
    precondition(channel.shape == direction.shape)
    self.channel = channel
    (toneCount, portCount) = (channel[dimension: 1], channel[dimension: 2])
    let rows = channel[dimension: 0] * toneCount
    self.rows = rows
    values = RealArray(uninitialized: [5 * rows])
    values.withUnsafeMutableElements { values in
      let base = values.baseAddress!
      channel.withUnsafeFloats { h in
        direction.withUnsafeFloats { g in
          csk_row_products(
            rows, portCount, h, g, base, base + 2 * rows, base + 3 * rows, base + 4 * rows)
        }
      }
    }
  }

  /// The sums over the first tones of one drop; over all if no number is given.
  func sums(_ drop: Int, snr: Double, tones: Int? = nil) -> csk_tone_sums {
    let tones = tones ?? toneCount
    let sums = sums(drop, snr: snr, tones: tones, fallback: nil)
    guard sums.undirected != 0 else { return sums }
    return self.sums(drop, snr: snr, tones: tones, fallback: equalWeightPowers(drop))
  }

  private func sums(
    _ drop: Int, snr: Double, tones: Int, fallback: [Float]?
  ) -> csk_tone_sums {
    var sums = csk_tone_sums()
    values.withUnsafeElements { values in
      let first = values.baseAddress! + drop * toneCount
      csk_tone_metrics(
        tones, first + drop * toneCount, first + 2 * rows, first + 3 * rows, first + 4 * rows,
        fallback, Float(snr), &sums)
    }
    return sums
  }

  /// |h w|² for equal weights on all ports.
  private func equalWeightPowers(_ drop: Int) -> [Float] {
    channel.withUnsafeElements { h in
      (0..<toneCount).map { tone in
        let row = (drop * toneCount + tone) * portCount
        return h[row..<row + portCount].reduce(ComplexFloat.zero, +).lengthSquared
          / Float(portCount)
      }
    }
  }
}
