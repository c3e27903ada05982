import CKernels
import ComplexModule
import Foundation
import LinkMath

/// Squared error and energy of each drop of two arrays [drop, ...]: the reference and an estimate of it.
struct ErrorEnergies: Sendable {
  let error: [Double]
  let reference: [Double]

  init(_ reference: ComplexArray, _ estimate: ComplexArray) {
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

enum DropRatios {
  /// The ratio of each drop, averaged over slots; NaN for a drop that has a slot without energy.
  static func mean(_ slots: [ErrorEnergies]) -> [Double] {
    guard let first = slots.first else { return [] }
    return first.error.indices.map { drop in
      slots.reduce(0) { $0 + $1.error[drop] / ($1.reference[drop] > 0 ? $1.reference[drop] : .nan) }
        / Double(slots.count)
    }
  }
}

/// What the downlink of one slot makes of the precoder, for each drop of a block.
struct DownlinkMetrics {
  /// The metrics that are averaged over the served slots.
  static let recorded: [DropMetric] = [
    .fullRatio, .cosineSimilarity, .squaredCosineSimilarity, .beamformingGain, .gainFraction, .rate,
    .perfectRate,
  ]

  private let toneCount: Int
  private let portCount: Int
  private let snr: Double
  private let full: [Double]
  private let reconstruction: ToneProducts
  /// Of the precoding directions; the reconstruction's if they are the same.
  private let directions: ToneProducts

  /// - Parameters:
  ///   - channel: true response of the slot [drop, subcarrier, port].
  ///   - reconstruction: what the BS believes it is.
  ///   - directions: g of the weights w = gᴴ / ‖g‖; nil if they are the reconstruction.
  ///   - knowsScale: whether the reconstruction has the channel's scale.
  init(
    channel: ComplexArray, reconstruction: ComplexArray, directions: ComplexArray?, snr: Double,
    knowsScale: Bool
  ) {
    (toneCount, portCount) = (channel[dimension: 1], channel[dimension: 2])
    self.snr = snr
    full =
      knowsScale
      ? DropRatios.mean([ErrorEnergies(channel, reconstruction)])
      : Array(repeating: .nan, count: channel[dimension: 0])
    self.reconstruction = ToneProducts(channel, reconstruction)
    self.directions = directions.map { ToneProducts(channel, $0) } ?? self.reconstruction
  }

  /// Adds this slot to the metrics of one drop.
  func add(_ drop: Int, _ point: Int, to metrics: inout BlockMetrics) {
    let similarity = reconstruction.similarities(drop)
    let (received, fraction) = directions.receivedPowers(drop)
    let energies = reconstruction.channelEnergies(drop)
    let sum = energies.reduce(0) { $0 + Double($1) }
    let perPort = sum / Double(toneCount * portCount)
    let mean = received.reduce(0) { $0 + Double($1) } / Double(toneCount)
    metrics[point, drop, .fullRatio] += full[drop]
    metrics[point, drop, .cosineSimilarity] += similarity.cosine
    metrics[point, drop, .squaredCosineSimilarity] += similarity.squared
    metrics[point, drop, .beamformingGain] += mean / perPort
    metrics[point, drop, .gainFraction] += fraction
    metrics[point, drop, .rate] += rate(received)
    metrics[point, drop, .perfectRate] += rate(Array(energies))
  }

  /// Mean over tones of log2(1 + SNR p).
  private func rate(_ powers: [Float]) -> Double {
    let scaled = powers.map { $0 * Float(snr) }
    return csk_sum_log2_1p(scaled.count, scaled) / Double(toneCount)
  }
}

/// Inner products of channel and direction on every tone: c = ⟨h, g⟩, ‖h‖², ‖g‖².
private struct ToneProducts {
  private let toneCount: Int
  private let portCount: Int
  private var cross: [Float]
  private var channelEnergy: [Float]
  private var directionEnergy: [Float]
  private let channel: ComplexArray

  init(_ channel: ComplexArray, _ direction: ComplexArray) {
    precondition(channel.shape == direction.shape)
    self.channel = channel
    (toneCount, portCount) = (channel[dimension: 1], channel[dimension: 2])
    let rows = channel[dimension: 0] * toneCount
    cross = [Float](repeating: 0, count: 2 * rows)
    channelEnergy = [Float](repeating: 0, count: rows)
    directionEnergy = [Float](repeating: 0, count: rows)
    channel.withUnsafeFloats { h in
      direction.withUnsafeFloats { g in
        csk_row_products(rows, portCount, h, g, &cross, &channelEnergy, &directionEnergy)
      }
    }
  }

  func channelEnergies(_ drop: Int) -> ArraySlice<Float> {
    channelEnergy[drop * toneCount..<(drop + 1) * toneCount]
  }

  /// Mean over tones of |c| / (‖h‖ ‖g‖) and of its square; a tone where either is zero counts as 0.
  func similarities(_ drop: Int) -> (cosine: Double, squared: Double) {
    var (cosine, squared) = (0.0, 0.0)
    for tone in drop * toneCount..<(drop + 1) * toneCount {
      let energies = Double(channelEnergy[tone]) * Double(directionEnergy[tone])
      guard energies > 0 else { continue }
      let (re, im) = (Double(cross[2 * tone]), Double(cross[2 * tone + 1]))
      // Rounding may carry parallel vectors past 1.
      let square = min((re * re + im * im) / energies, 1)
      cosine += square.squareRoot()
      squared += square
    }
    return (cosine / Double(toneCount), squared / Double(toneCount))
  }

  /// |h w|² on every tone for w = gᴴ / ‖g‖, and the mean of |h w|² / ‖h‖²; equal weights where g is zero.
  func receivedPowers(_ drop: Int) -> (powers: [Float], fraction: Double) {
    var fraction = 0.0
    let first = drop * toneCount
    let powers = (first..<first + toneCount).map { tone -> Float in
      let power: Float
      if directionEnergy[tone] > 0 {
        let (re, im) = (cross[2 * tone], cross[2 * tone + 1])
        power = min((re * re + im * im) / directionEnergy[tone], channelEnergy[tone])
      } else {
        power = equalWeightPower(tone)
      }
      if channelEnergy[tone] > 0 { fraction += Double(power) / Double(channelEnergy[tone]) }
      return power
    }
    return (powers, fraction / Double(toneCount))
  }

  private func equalWeightPower(_ row: Int) -> Float {
    channel.withUnsafeElements { h in
      let sum = h[row * portCount..<(row + 1) * portCount].reduce(ComplexFloat.zero, +)
      return sum.lengthSquared / Float(portCount)
    }
  }
}
