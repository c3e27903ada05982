import Foundation

/// A gain in a few bits: log-uniform cells over a range, cell centres.
public struct GainQuantizer: Sendable {
  /// Bits of a gain.
  public let bitCount: Int
  private let lowestDB: Double
  private let highestDB: Double

  package init(bitCount: Int, lowestDB: Double, highestDB: Double) {
    self.bitCount = bitCount
    self.lowestDB = lowestDB
    self.highestDB = highestDB
  }

  /// The cell of a gain; gains outside the range take the outermost ones.
  public func index(of gain: Float) -> UInt32 {
    let cells = Double(1 << bitCount)
    let position = (20 * log10(Double(gain)) - lowestDB) / (highestDB - lowestDB)
    return UInt32(min(max((position * cells).rounded(.down), 0), cells - 1))
  }

  /// The gain at the centre of a cell.
  public func gain(index: UInt32) -> Float {
    let cells = Double(1 << bitCount)
    let level = lowestDB + (highestDB - lowestDB) * (Double(index) + 0.5) / cells
    return Float(pow(10, level / 20))
  }
}
