import ComplexModule
import Foundation
import LinkMath

/// The figures of one drop.
///
/// References: power-weighted spreads and the circular angle spread sqrt(-2 ln |R|), 3GPP TR 38.901 annex A; K-factor from
/// the moments of the power, L. J. Greenstein, D. G. Michelson, V. Erceg, IEEE Commun. Lett. 3 (1999) 175,
/// doi:10.1109/4234.769521.
struct DropFigures: Sendable {
  /// Energy of all tones, and of the delay rows that are looked at.
  var energy = 0.0
  var keptEnergy = 0.0
  var peak: Float = 0
  /// In delay rows.
  var delaySpread: Double?
  /// In degrees.
  var angleSpread: Double?
  var portSpread: Double?
  /// Linear; nil where the power varies more than that of Rayleigh fading.
  var kFactor: Double?
  /// Coefficients, delay rows and angle columns with 90, 95 and 99 % of the kept energy.
  var coefficients = [0, 0, 0]
  var rows90 = 0
  var columns90 = 0
  /// Energies [delay, angle].
  var map: [Float] = []

  static let shares = [0.9, 0.95, 0.99]

  /// - Parameters:
  ///   - bins: [delay, angle] of one drop.
  ///   - response: [tone, port] of the same drop; of data in the delay domain, over as many tones as rows.
  init(
    bins: UnsafeBufferPointer<ComplexFloat>, response: UnsafeBufferPointer<ComplexFloat>,
    _ shape: ChannelShape
  ) {
    map = bins.map { $0.real * $0.real + $0.imaginary * $0.imaginary }
    let powers = map.map { Double($0) }
    keptEnergy = powers.reduce(0, +)
    peak = (map.max() ?? 0).squareRoot()
    energy =
      shape.domain == .delay
      ? keptEnergy
      : response.reduce(0) {
        $0 + Double($1.real * $1.real + $1.imaginary * $1.imaginary)
      }
    guard energy > 0, keptEnergy > 0 else { return }
    let columns = shape.columns
    var rowPowers = [Double](repeating: 0, count: shape.taps)
    var columnPowers = [Double](repeating: 0, count: columns)
    for (index, power) in powers.enumerated() {
      rowPowers[index / columns] += power
      columnPowers[index % columns] += power
    }
    coefficients = Self.counts(powers, Self.shares)
    rows90 = Self.counts(rowPowers, [0.9])[0]
    columns90 = Self.counts(columnPowers, [0.9])[0]
    delaySpread =
      shape.domain == .frequency
      ? Self.circularSpread(response, along: .tones, rows: shape.rows, columns: columns).map {
        $0 * Double(shape.rows) / (2 * .pi)
      } : Self.spread(rowPowers)
    angleSpread = Self.azimuthSpread(columnPowers, shape)
    portSpread = Self.circularSpread(response, along: .ports, rows: shape.rows, columns: columns)
      .map {
        $0 * 180 / .pi
      }
    kFactor = Self.kFactor(response)
  }

  /// How many of the largest powers hold each share of their sum.
  private static func counts(_ powers: [Double], _ shares: [Double]) -> [Int] {
    let sorted = powers.sorted(by: >)
    let total = sorted.reduce(0, +)
    var (sum, count) = (0.0, 0)
    return shares.map { share in
      while count < sorted.count, sum < share * total {
        sum += sorted[count]
        count += 1
      }
      return count
    }
  }

  /// Root of the power-weighted variance of the row number.
  private static func spread(_ powers: [Double]) -> Double? {
    let total = powers.reduce(0, +)
    guard total > 0 else { return nil }
    let mean = powers.enumerated().reduce(0) { $0 + Double($1.offset) * $1.element } / total
    let variance = powers.enumerated().reduce(0) {
      $0 + (Double($1.offset) - mean) * (Double($1.offset) - mean) * $1.element
    }
    return (variance / total).squareRoot()
  }

  /// Circular spread of the azimuths that a line of antennas sees in its DFT columns, degrees; nil without such a line.
  ///
  /// Column q of N stands for sin φ = q / (N d) at an antenna distance of d wavelengths, for d above one half the direction
  /// nearest to broadside.
  private static func azimuthSpread(_ powers: [Double], _ shape: ChannelShape) -> Double? {
    guard let spacing = shape.lineSpacing else { return nil }
    var sum = Complex<Double>.zero
    var total = 0.0
    for (column, power) in powers.enumerated() {
      let sine = Double(shape.bin(ofColumn: column)) / (Double(shape.columns) * spacing)
      let azimuth = asin(min(max(sine, -1), 1))
      sum += Complex(power * cos(azimuth), power * sin(azimuth))
      total += power
    }
    guard total > 0 else { return nil }
    return spread(ofLength: sum.length / total) * 180 / .pi
  }

  private enum Axis { case tones, ports }

  /// Circular spread of the phase between neighbouring tones or ports, radians; nil if there is but one.
  ///
  /// Of paths with phase steps ψ and powers p, |R| = |Σ p e^{jψ}| / Σ p up to their interference; one path gives zero
  /// wherever it lies between the bins of a DFT.
  private static func circularSpread(
    _ response: UnsafeBufferPointer<ComplexFloat>, along axis: Axis, rows: Int, columns: Int
  ) -> Double? {
    let (lastRow, lastColumn, lag) =
      axis == .tones ? (rows - 1, columns, columns) : (rows, columns - 1, 1)
    guard lastRow > 0, lastColumn > 0 else { return nil }
    var (re, im, before, after) = (0.0, 0.0, 0.0, 0.0)
    for row in 0..<lastRow {
      for column in 0..<lastColumn {
        let index = row * columns + column
        let (a, b) = (response[index], response[index + lag])
        let (ar, ai) = (Double(a.real), Double(a.imaginary))
        let (br, bi) = (Double(b.real), Double(b.imaginary))
        re += ar * br + ai * bi
        im += ar * bi - ai * br
        before += ar * ar + ai * ai
        after += br * br + bi * bi
      }
    }
    guard before > 0, after > 0 else { return nil }
    return spread(ofLength: hypot(re, im) / (before * after).squareRoot())
  }

  private static func spread(ofLength length: Double) -> Double {
    (-2 * log(min(length, 1))).squareRoot()
  }

  /// K = √(m² - v) / (m - √(m² - v)) with mean m and variance v of |h|² over the tones and ports of the drop.
  private static func kFactor(_ response: UnsafeBufferPointer<ComplexFloat>) -> Double? {
    guard response.count > 1 else { return nil }
    var (first, second) = (0.0, 0.0)
    for value in response {
      let power = Double(value.real * value.real + value.imaginary * value.imaginary)
      first += power
      second += power * power
    }
    let count = Double(response.count)
    let mean = first / count
    let variance = max(0, second / count - mean * mean)
    guard variance < mean * mean else { return nil }
    let fixed = (mean * mean - variance).squareRoot()
    // Of one path the rest is rounding; single precision cannot tell more than 60 dB.
    return min(fixed / max(mean - fixed, 1e-300), 1e6)
  }
}
