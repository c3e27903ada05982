import Foundation

/// Frequencies of the symbols of an alphabet as shares of 2^16, each at least one.
public struct FrequencyTable: Sendable, Hashable {
  /// Where the shares of each symbol start; one more entry holds 2^16.
  public let starts: [UInt32]

  /// Number of symbols.
  public var count: Int { starts.count - 1 }

  /// Shares in proportion to counts, as near as 2^16 allows; symbols that were never counted get the least share.
  ///
  /// - Precondition: 1 to 2^15 symbols, counts not negative, their sum below 2^47.
  public init(counts: [Int]) {
    let total = 1 << RangeEncoder.precision
    precondition((1...total / 2).contains(counts.count))
    let sum = counts.reduce(0, +)
    // One share each, the others in proportion, and what rounding leaves to the most frequent symbol.
    let free = total - counts.count
    var shares = counts.map { 1 + (sum > 0 ? $0 * free / sum : free / counts.count) }
    let largest = counts.indices.max { counts[$0] < counts[$1] }!
    shares[largest] += total - shares.reduce(0, +)
    var starts: [UInt32] = [0]
    for share in shares { starts.append(starts[starts.count - 1] + UInt32(share)) }
    self.starts = starts
  }

  /// The share of a symbol.
  public func frequency(_ symbol: Int) -> UInt32 { starts[symbol + 1] - starts[symbol] }

  /// The symbol that covers a share.
  ///
  /// - Complexity: O(log K).
  public func symbol(at share: UInt32) -> Int {
    var (low, high) = (0, count - 1)
    while low < high {
      let middle = (low + high + 1) / 2
      if starts[middle] <= share { low = middle } else { high = middle - 1 }
    }
    return low
  }

  /// Bits that a symbol takes, -log2 of its share.
  public func cost(_ symbol: Int) -> Double {
    Double(RangeEncoder.precision) - log2(Double(frequency(symbol)))
  }

  /// Mean cost of a symbol of these frequencies in bits.
  public var entropy: Double {
    (0..<count).reduce(0) { $0 + cost($1) * Double(frequency($1)) } / 65536
  }
}
