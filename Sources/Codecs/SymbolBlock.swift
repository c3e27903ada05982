import LinkMath

/// The symbols of the codewords of a block of drops.
public struct SymbolBlock: Sendable {
  /// [drop, symbol].
  public private(set) var elements: [UInt32]
  /// Symbols of a codeword.
  public let count: Int
  /// Values of each codeword that lay outside the quantiser's range.
  public private(set) var clippedCounts: [Int] = []

  /// What a quantiser makes of codewords [drop, M]; nil if it sends real numbers.
  public init?(_ codewords: RealArray, by quantizer: any Quantizer) {
    guard let alphabets = quantizer.alphabets else { return nil }
    let (drops, length) = (codewords[dimension: 0], codewords[dimension: 1])
    count = alphabets.count
    var clipped: [Int] = []
    elements = [UInt32](unsafeUninitializedCapacity: drops * alphabets.count) { symbols, filled in
      codewords.withUnsafeElements { values in
        for drop in 0..<drops {
          let row = UnsafeBufferPointer(rebasing: values[drop * length..<(drop + 1) * length])
          let place = drop * alphabets.count..<(drop + 1) * alphabets.count
          clipped.append(
            quantizer.symbols(
              of: row, into: UnsafeMutableBufferPointer(rebasing: symbols[place])))
        }
      }
      filled = drops * alphabets.count
    }
    clippedCounts = clipped
  }

  /// The symbols of each drop.
  public var codewords: [[UInt32]] {
    clippedCounts.indices.map { Array(elements[$0 * count..<($0 + 1) * count]) }
  }
}
