import LinkMath
import Parts

/// A codebook of its own for each real of the codeword, with as many bits as it deserves: M reals share M·B bits.
///
/// Codebooks are the best ones for the fitted codewords (``ExactKMeans``), in 2^b levels for every number of bits b that is
/// tried, and their errors decide who gets how many bits (``BitAllocation``): as many for each, moved one by one from an even
/// start, or given one by one in the codec's order, as suits principal components. An output without bits always takes its
/// mean. So networks and principal components meet at equal bits.
///
/// Reference: the iterative allocation and the codebooks by output are those of a quantisation design for learned CSI
/// feedback; J.-J. Y. Huang and P. M. Schultheiss, IEEE Trans. Commun. Syst. 11 (1963) 289,
/// doi:10.1109/TCOM.1963.1088759, allocate bits to principal components.
public struct KMeansQuantizer: Quantizer, Part {
  /// Who gets how many bits.
  enum Allocation: String, Choice {
    case equal, swap
    case growth = "pca_growth"
  }

  static let bits = Parameter.integer(
    "bits", default: 4, in: 1...10, "Bits B for each real of the codeword.")
  static let allocation = Parameter<Allocation>.choice(
    "allocation", default: .swap,
    "Who gets the M·B bits: equal; swap, moved one by one while the error falls; pca_growth, given one by one in the codec's order."
  )
  static let limit = Parameter.integer(
    "max_bits", default: 10, in: 1...12, "Most bits of one real, for swap and pca_growth.")

  public static let schema = PartSchema(
    .quantizer, "kmeans",
    "Codebooks by exact k-means for each real, and B bits on average, allocated by the errors they leave.",
    reference:
      "J.-J. Y. Huang and P. M. Schultheiss, IEEE Trans. Commun. Syst. 11 (1963) 289, for the allocation",
    parameters: [bits.declaration, allocation.declaration, limit.declaration]
      + FitParameters.declarations)

  private let codebooks: ScalarCodebooks

  /// A quantiser of the fitted `shares` [component, 1], bits of each over B, and `levels` [component, 2^b], of which those
  /// that its bits can name are used.
  public init(_ settings: Settings, in context: LinkContext, fitted: Artefact?) throws {
    let count = context.codewordLength
    precondition(count > 0, "a quantiser is made after the codec")
    let (mean, most) = (settings[Self.bits], Self.mostBits(settings))
    let shares = try fitted.array("shares", shape: [count, 1], for: settings.part).elements
    let bits = shares.map { Int(($0 * Float(mean)).rounded()) }
    guard bits.allSatisfy((0...most).contains), bits.reduce(0, +) == count * mean else {
      throw FittingError(
        part: settings.part, reason: "the fitted 'shares' are not those of \(count * mean) bits")
    }
    let table = try ScalarCodebooks(
      fitted: fitted, "levels", outputCount: count, levelCount: 1 << most, for: settings.part)
    codebooks = ScalarCodebooks(bits.indices.map { Array(table[$0].prefix(1 << bits[$0])) })
  }

  /// The most bits that any component can get.
  private static func mostBits(_ settings: Settings) -> Int {
    settings[allocation] == .equal ? settings[bits] : max(settings[limit], settings[bits])
  }

  /// Learns `shares` and `levels`, rows of which repeat their last level.
  ///
  /// - Throws: `SettingsError` for fewer drops than levels at B bits, and if B exceeds the limit.
  public static func fitting(_ settings: Settings, in context: LinkContext) throws -> Fitting? {
    let (count, mean, rule) = (context.codewordLength, settings[bits], settings[allocation])
    try CodebookFitter.requireDrops(1 << mean, settings)
    guard rule == .equal || mean <= settings[limit] else {
      throw SettingsError(
        part: settings.part, key: limit.key,
        reason: "must be at least the \(mean) bits of each real, got \(settings[limit])")
    }
    let most = mostBits(settings)
    // Levels of their own for fewer samples than levels would not be fitted but remembered.
    let useful = min(most, Int.bitWidth - 1 - settings[FitParameters.drops].leadingZeroBitCount)
    return FitParameters.fitting(
      settings, signature: "bits=\(mean) \(rule) most=\(most) length=\(count)",
      shapes: ["shares": [count, 1], "levels": [count, 1 << most]]
    ) {
      CodebookFitter(
        part: schema.name, outputCount: count, minimumDrops: 1 << mean,
        bits: rule == .swap ? max(mean - 1, 0)...min(mean + 1, useful) : mean...mean
      ) { table in
        let bits = allocated(rule, mean, limit: useful, table)
        let levels = bits.enumerated().flatMap { output, bits in
          let levels = table.levels(output, bits: bits).map(Float.init)
          return levels
            + [Float](repeating: levels[levels.count - 1], count: 1 << most - levels.count)
        }
        return Artefact([
          "shares": RealArray(bits.map { Float($0) / Float(mean) }, shape: [count, 1]),
          "levels": RealArray(levels, shape: [count, 1 << most]),
        ])
      }
    }
  }

  private static func allocated(
    _ rule: Allocation, _ mean: Int, limit: Int, _ table: CodebookTable
  ) -> [Int] {
    let equal = [Int](repeating: mean, count: table.outputCount)
    switch rule {
    case .equal: return equal
    case .swap:
      return BitAllocation.swapped(from: equal, limit: limit) { table.loss($0, bits: $1) }
    case .growth:
      return BitAllocation.grown(
        total: mean * table.outputCount, outputCount: table.outputCount, limit: limit
      ) { table.loss($0, bits: $1) }
    }
  }

  public var alphabets: [Int]? { codebooks.bits.map { 1 << $0 } }

  /// - Returns: zero; the outer cells are open.
  public func symbols(
    of values: UnsafeBufferPointer<Float>, into symbols: UnsafeMutableBufferPointer<UInt32>
  ) -> Int {
    codebooks.indices(of: values, into: symbols)
    return 0
  }

  public func values(
    of symbols: UnsafeBufferPointer<UInt32>, into values: UnsafeMutableBufferPointer<Float>
  ) {
    codebooks.values(of: symbols, into: values)
  }
}
