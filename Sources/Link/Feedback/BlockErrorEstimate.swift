import Foundation

/// About how many blocks of a good code are lost, before any is sent: the normal approximation
/// `Q((E C - k + log2(E) / 2) / sqrt(E V))` for k bits in E, C and V mean and variance of the information density of a bit.
///
/// On a Gaussian channel a bit sent as ±1 has the log-likelihood ratio L ~ N(4 g, 8 g), g = Eb/N0, and the density
/// `1 - log2(1 + exp(-L))`. Fading of each symbol mixes the densities, one gain for the block mixes the results. Polar codes
/// with lists need up to 1 dB more; `margin` makes the estimate a cautious one.
///
/// Reference: Y. Polyanskiy, H. V. Poor and S. Verdu, "Channel coding rate in the finite blocklength regime", IEEE Trans. Inf.
/// Theory 56 (2010) 2307, doi:10.1109/TIT.2010.2043769, eq. 296.
struct BlockErrorEstimate: Sendable {
  let fading: FeedbackFading
  let branchCount: Int
  /// By how much the channel is taken for worse, linear.
  let margin: Double

  /// Share of the blocks of k bits in E that are lost at g = Eb/N0 of a branch.
  func rate(_ k: Int, in E: Int, ratio: Double) -> Double {
    let mean = ratio / margin
    switch fading {
    case .none: return Self.rate(k, in: E, Self.density(mean * Double(branchCount)))
    case .iid:
      var (first, second) = (0.0, 0.0)
      for (gain, weight) in gains {
        let density = Self.density(mean * gain)
        first += weight * density.mean
        second += weight * (density.variance + density.mean * density.mean)
      }
      return Self.rate(k, in: E, (first, second - first * first))
    case .block:
      return gains.reduce(0) { $0 + $1.weight * Self.rate(k, in: E, Self.density(mean * $1.gain)) }
    }
  }

  private typealias Density = (mean: Double, variance: Double)

  private static func rate(_ k: Int, in E: Int, _ density: Density) -> Double {
    let length = Double(E)
    let room = length * density.mean - Double(k) + log2(length) / 2
    guard density.variance > 0 else { return room > 0 ? 0 : 1 }
    return erfc(room / (2 * length * density.variance).squareRoot()) / 2
  }

  /// Of one bit at g, by the trapezoidal rule over ten deviations.
  private static func density(_ g: Double) -> Density {
    var (sum, first, second) = (0.0, 0.0, 0.0)
    for i in -100...100 {
      let x = Double(i) / 10
      let weight = exp(-x * x / 2)
      let ratio = 4 * g + (8 * g).squareRoot() * x
      let lost = (max(-ratio, 0) + log1p(exp(-abs(ratio)))) / M_LN2
      sum += weight
      first += weight * (1 - lost)
      second += weight * (1 - lost) * (1 - lost)
    }
    let mean = first / sum
    return (mean, max(second / sum - mean * mean, 0))
  }

  /// The gain `sum_l |h_l|²` of all branches, Gamma(L, 1), by the trapezoidal rule over its logarithm.
  private var gains: [(gain: Double, weight: Double)] {
    let shape = Double(branchCount)
    let end = log(shape + 40 + 8 * shape.squareRoot())
    var values: [(gain: Double, weight: Double)] = []
    var sum = 0.0
    for exponent in stride(from: -14.0, to: end, by: 0.05) {
      let gain = exp(exponent)
      let weight = exp(shape * exponent - gain - lgamma(shape))
      values.append((gain, weight))
      sum += weight
    }
    return values.map { ($0.gain, $0.weight / sum) }
  }
}
