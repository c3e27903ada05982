import LinkMath
import Parts

/// Codewords that a quantiser learns from, all of them.
///
/// Memory: 4 bytes for each of drops · M values (8 MB for 4000 drops of 512 reals).
struct CodewordSample: Sendable {
  let part: String
  let outputCount: Int
  /// Fewest drops that are enough.
  let minimumDrops: Int
  private var values: [Float] = []

  init(part: String, outputCount: Int, minimumDrops: Int) {
    self.part = part
    self.outputCount = outputCount
    self.minimumDrops = minimumDrops
  }

  /// Codewords of the next drops.
  mutating func add(_ input: StageInput) {
    guard case .codeword(let codewords) = input else {
      preconditionFailure("a quantiser is fitted on codewords")
    }
    codewords.requireShape([nil, outputCount], "[drop, M]")
    codewords.withUnsafeElements { values.append(contentsOf: $0) }
  }

  /// The codewords [drop, M].
  ///
  /// - Throws: `FittingError` for too few of them, and for values that are not finite.
  func checked() throws -> RealArray {
    let drops = values.count / outputCount
    guard drops >= minimumDrops else {
      throw FittingError(
        part: part, reason: "\(drops) drops are too few, \(minimumDrops) are needed")
    }
    guard values.allSatisfy(\.isFinite) else {
      throw FittingError(part: part, reason: "a fitted codeword holds a non-finite value")
    }
    return RealArray(values, shape: [drops, outputCount])
  }
}
