import Foundation
import LinkMath
import Parts

/// Uniform cells of a sigmoid, and the smooth stand-in for their rounding inside a training.
///
/// With `a = 1 / (1 + e^-z)` and `x` = a clipped to `[1/2, 2^B - 1/2] / 2^B`, the index is `q = round(2^B x - 1/2)`, and
/// `(q + 1/2) / 2^B` goes back through the inverse sigmoid. The derivative of the rounding is replaced by a bump of area 1 around
/// each cell's centre.
public struct SigmoidRounding: Sendable, Hashable {
  /// Bits B of an index.
  public let bits: Int

  /// The cells of 2^B values.
  public init(bits: Int) {
    precondition((1...16).contains(bits))
    self.bits = bits
  }

  private var cells: Double { Double(1 << bits) }

  /// The sigmoid.
  public static func sigmoid(_ z: Double) -> Double { 1 / (1 + exp(-z)) }

  /// The index of a value a of the sigmoid.
  public func index(_ a: Double) -> UInt32 {
    // The order of the comparisons sends a value that is not a number to the top cell.
    let below = a < 1 - 0.5 / cells ? a : 1 - 0.5 / cells
    return UInt32((max(below, 0.5 / cells) * cells - 0.5).rounded(.toNearestOrEven))
  }

  /// The value of the sigmoid at the centre of a cell.
  public func centre(_ index: UInt32) -> Double { (Double(index) + 0.5) / cells }

  /// What the cell's centre is before the sigmoid.
  public func value(_ index: UInt32) -> Double {
    let a = centre(index)
    return log(a / (1 - a))
  }

  /// The stand-in for `dq / d(2^B x)` at a value a of the sigmoid: `(s/C) exp(-1 / (1 - (s y)²))` for |s y| < 1 and 0 beyond, y the
  /// distance from the nearest centre in cells.
  ///
  /// - Parameters:
  ///   - a: value of the sigmoid.
  ///   - sharpness: s; with C = 0.443994, the area of e^(-1/(1-y²)), the bump has area 1.
  public func slope(_ a: Double, sharpness: Double = 2) -> Double {
    let place = cells * a - 0.5
    let y = sharpness * (place - place.rounded(.toNearestOrEven))
    guard abs(y) < 1 else { return 0 }
    return sharpness / 0.4439938161680794 * exp(-1 / (1 - y * y))
  }
}

/// Rounds the sigmoid of each real of the codeword, and undoes the sigmoid: a quantiser of fixed levels
/// `ln(a / (1 - a))`, `a = (q + 1/2) / 2^B`, for codewords that were trained with it.
public struct RoundQuantizer: Quantizer, Part {
  static let bits = Parameter.integer(
    "bits", default: 4, in: 1...16, "Bits B for each real of the codeword.")

  public static let schema = PartSchema(
    .quantizer, "round", "Rounding of the sigmoid of each real, in 2^B cells; nothing is fitted.",
    parameters: [bits.declaration])

  private let count: Int
  private let rounding: SigmoidRounding
  private let table: [Float]

  /// A quantiser of the context's codewords.
  public init(_ settings: Settings, in context: LinkContext, fitted: Artefact?) {
    count = context.codewordLength
    precondition(count > 0, "a quantiser is made after the codec")
    let rounding = SigmoidRounding(bits: settings[Self.bits])
    self.rounding = rounding
    table = (0..<UInt32(1) << UInt32(rounding.bits)).map { Float(rounding.value($0)) }
  }

  public var alphabets: [Int]? { [Int](repeating: table.count, count: count) }

  /// - Returns: zero; the outer cells are open.
  public func symbols(
    of values: UnsafeBufferPointer<Float>, into symbols: UnsafeMutableBufferPointer<UInt32>
  ) -> Int {
    precondition(values.count == count, "\(values.count) reals for \(count) components")
    for i in values.indices {
      symbols.initializeElement(
        at: i, to: rounding.index(SigmoidRounding.sigmoid(Double(values[i]))))
    }
    return 0
  }

  public func values(
    of symbols: UnsafeBufferPointer<UInt32>, into values: UnsafeMutableBufferPointer<Float>
  ) {
    precondition(values.count == count, "\(values.count) reals for \(count) components")
    for i in values.indices { values[i] = table[Int(symbols[i])] }
  }
}
