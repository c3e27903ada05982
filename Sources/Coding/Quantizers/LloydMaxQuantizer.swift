import LinkMath
import Parts

/// The scalar quantiser of least mean squared error for each real of the codeword, with 2^B levels.
///
/// Levels y_0 <= y_1 <= ... of each component satisfy the two conditions of Lloyd and Max on the fitted codewords: a value
/// takes its nearest level, thresholds `(y_k + y_{k+1}) / 2`, and each level is the mean of the values that take it. The
/// index is sent in natural binary. The outer cells are open, so no value lies outside.
///
/// Reference: S. P. Lloyd, IEEE Trans. Inf. Theory 28 (1982) 129, doi:10.1109/TIT.1982.1056489; J. Max, IRE Trans. Inf.
/// Theory 6 (1960) 7.
public struct LloydMaxQuantizer: Quantizer, Part {
  static let bits = Parameter.integer(
    "bits", default: 4, in: 1...8, "Bits B for each real of the codeword.")

  /// Whose levels are whose.
  enum Codebook: String, Choice {
    case each, shared
  }

  static let codebook = Parameter<Codebook?>.optional(
    "codebook", .choice(Codebook.allCases.map(\.rawValue)),
    "each, if it is not given: levels of its own for each real; shared: the same for all.")

  /// How levels are found.
  enum Rule: String, Choice {
    case lloyd, exact
  }

  static let rule = Parameter<Rule?>.optional(
    "fit.rule", .choice(Rule.allCases.map(\.rawValue)),
    "lloyd, if it is not given: Lloyd's iteration, with tails beyond a sample that is small for the levels; exact: the best levels for the sample."
  )

  public static let schema = PartSchema(
    .quantizer, "lloyd_max",
    "Lloyd-Max quantiser: the 2^B levels of least mean squared error, fitted for each real.",
    reference: "S. P. Lloyd, IEEE Trans. Inf. Theory 28 (1982) 129; J. Max, IRE Trans. (1960) 7",
    parameters: [bits.declaration, codebook.declaration] + FitParameters.declarations
      + [rule.declaration])

  private let codebooks: ScalarCodebooks

  /// A quantiser of the fitted `levels` [component, 2^B], ascending.
  public init(_ settings: Settings, in context: LinkContext, fitted: Artefact?) throws {
    let count = context.codewordLength
    precondition(count > 0, "a quantiser is made after the codec")
    codebooks = try ScalarCodebooks(
      fitted: fitted, "levels", outputCount: count, levelCount: 1 << settings[Self.bits],
      for: settings.part)
  }

  public var alphabets: [Int]? { codebooks.bits.map { 1 << $0 } }

  /// - Returns: zero; the outer cells are open.
  /// - Complexity: B comparisons for each value.
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

extension ScalarCodebooks {
  /// Codebooks of a fitted array [output, level].
  ///
  /// - Throws: ``FittingError`` if there is no such array, or if its rows do not ascend.
  init(
    fitted: Artefact?, _ name: String, outputCount: Int, levelCount: Int, for part: String
  ) throws(FittingError) {
    let table = try fitted.array(name, shape: [outputCount, levelCount], for: part).elements
    let rows = (0..<outputCount).map { Array(table[$0 * levelCount..<($0 + 1) * levelCount]) }
    guard rows.allSatisfy({ zip($0, $0.dropFirst()).allSatisfy { $0 <= $1 } }) else {
      throw FittingError(part: part, reason: "the fitted '\(name)' do not ascend")
    }
    self.init(rows)
  }
}
