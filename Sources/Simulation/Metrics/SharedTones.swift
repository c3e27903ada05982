import ComplexModule
import Foundation
import LinkMath

/// Tones on which several users are served at the same time.
enum SharedTones {
  /// Sums over tones of `log2(1 + SINR)` of a user, [drop], with `SINR = s |h w_k|² / (1 + s Σ_{j≠k} |h w_j|²)`.
  ///
  /// - Parameters:
  ///   - channel: true response of the user [drop, subcarrier, port].
  ///   - user: k.
  ///   - directions: g of the weights w = gᴴ / ‖g‖ of all users; none is zero on a tone.
  ///   - snr: s, the power of one user over the noise.
  static func rates(
    _ channel: ComplexArray, _ user: Int, _ directions: [ComplexArray], snr: Double
  ) -> [Double] {
    let tones = channel[dimension: 1]
    let own = ToneProducts(channel, directions[user]).powers
    var interference = [Double](repeating: 0, count: own.count)
    for (other, direction) in directions.enumerated() where other != user {
      for (tone, power) in ToneProducts(channel, direction).powers.enumerated() {
        interference[tone] += power
      }
    }
    return (0..<channel[dimension: 0]).map { drop in
      (drop * tones..<(drop + 1) * tones).reduce(0) { sum, tone in
        sum + log1p(snr * own[tone] / (1 + snr * interference[tone])) / M_LN2
      }
    }
  }

  /// Directions [drop, subcarrier, port] with equal weights on the tones where they are zero.
  static func pointed(_ directions: ComplexArray) -> ComplexArray {
    let ports = directions[dimension: 2]
    var result = directions
    result.withUnsafeMutableElements { values in
      for first in stride(from: 0, to: values.count, by: ports) {
        let tone = first..<first + ports
        if values[tone].allSatisfy({ $0 == .zero }) {
          for i in tone { values[i] = ComplexFloat(1) }
        }
      }
    }
    return result
  }
}
