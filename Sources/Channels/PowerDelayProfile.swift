import Foundation

/// Powers of the paths of a channel by delay.
package struct PowerDelayProfile: Sendable, Hashable {
  /// Seconds.
  package var delays: [Double]
  /// Linear, sum 1.
  package private(set) var powers: [Double]

  /// - Parameter powers: linear, in any scale.
  package init(delays: [Double], powers: [Double]) {
    precondition(delays.count == powers.count)
    let total = powers.reduce(0, +)
    self.delays = delays
    self.powers = powers.map { $0 / total }
  }

  /// The largest delay; with another reference than the model's own, counted from the first.
  func largestDelay(after reference: DelayReference, key: String) -> LargestDelay? {
    guard let first = delays.min(), let last = delays.max() else { return nil }
    return LargestDelay(seconds: reference == .absolute ? last : last - first, key: key)
  }

  /// Power-weighted mean of the delays, seconds.
  package var meanDelay: Double { zip(delays, powers).reduce(0) { $0 + $1.0 * $1.1 } }

  /// Root of the power-weighted variance of the delays, seconds.
  package var rmsDelaySpread: Double {
    let mean = meanDelay
    return zip(delays, powers).reduce(0) { $0 + $1.1 * ($1.0 - mean) * ($1.0 - mean) }.squareRoot()
  }
}
