import LinkMath
import Parts

/// Entropy coding of the symbols of a codeword: frequent ones take fewer bits, by a model that is fitted.
///
/// A report has as many bits as the code takes, which both sides know as they know the length of any report; a report that would
/// have more than `max_bits` is not sent. The code overruns the model's cost by less than 2 bits.
public struct RangeCoder: SymbolCoder, Part {
  /// What is expected of a symbol.
  enum Model: String, Choice {
    /// A table for each symbol of the codeword.
    case fixed = "static"
    /// Tables, corrected by the symbols before.
    case adaptive
  }

  static let model = Parameter<Model>.choice(
    "model", default: .adaptive,
    "static: a table of frequencies for each symbol; adaptive: corrected by the symbols before it in the codeword."
  )
  static let limit = Parameter<Int?>.optional(
    "max_bits", .integer(1...1_000_000),
    "Most bits of a codeword: a report of which it would take more is lost. No limit, if it is not given."
  )

  public static let schema = PartSchema(
    .coder, "range", "Range coder: as many bits as a fitted model of the symbols makes of them.",
    reference:
      "G. N. N. Martin, Video & Data Recording Conf. (1979); I. H. Witten, R. M. Neal, J. G. Cleary, Commun. ACM 30 (1987) 520",
    parameters: [model.declaration, limit.declaration] + FitParameters.declarations)

  /// The largest alphabet that frequencies can be learned of.
  private static let largestAlphabet = 4096

  private let symbols: any SymbolModel
  private let limit: Int?
  private let symbolCount: Int

  /// A coder of the fitted `counts` [symbol, level], and of `observed` and `expected` [context, class].
  public init(_ settings: Settings, in context: LinkContext, fitted: Artefact?) throws {
    let alphabets = context.alphabets
    let part = settings.part
    let width = alphabets.max() ?? 1
    let counts = try fitted.array("counts", shape: [max(alphabets.count, 1), width], for: part)
      .elements
    let sums = [AdaptiveModel.contextCount, AdaptiveModel.classCount]
    let observed = try fitted.array("observed", shape: sums, for: part).elements
    let expected = try fitted.array("expected", shape: sums, for: part).elements
    let limits = Float(0)...Float(1 << 40)
    guard (counts + observed).allSatisfy(limits.contains),
      expected.allSatisfy({ $0 >= 1 && limits.contains($0) })
    else {
      throw FittingError(part: part, reason: "the fitted frequencies are not those of symbols")
    }
    let tables = alphabets.enumerated().map { symbol, levels in
      FrequencyTable(counts: (0..<levels).map { Int(counts[symbol * width + $0]) })
    }
    switch settings[Self.model] {
    case .fixed: symbols = StaticModel(tables)
    case .adaptive:
      var prior = AdaptiveModel.Statistics()
      (prior.observed, prior.expected) = (observed.map { Int($0) }, expected.map { Int($0) })
      symbols = AdaptiveModel(tables, prior: prior)
    }
    symbolCount = alphabets.count
    limit = settings[Self.limit]
  }

  /// Learns `counts`, and `observed` and `expected`.
  ///
  /// - Throws: `SettingsError` for alphabets of more than 4096 levels.
  public static func fitting(_ settings: Settings, in context: LinkContext) throws -> Fitting? {
    let alphabets = context.alphabets
    let width = alphabets.max() ?? 1
    guard width <= largestAlphabet else {
      throw SettingsError(
        part: settings.part, key: "",
        reason: "cannot learn the frequencies of \(width) levels, \(largestAlphabet) are the most",
        hint: "give the quantizer fewer bits, or write 'coder: fixed_width'")
    }
    let sums = [AdaptiveModel.contextCount, AdaptiveModel.classCount]
    return FitParameters.fitting(
      settings, signature: "alphabets=\(Digest.sha256("\(alphabets)"))",
      shapes: [
        "counts": [max(alphabets.count, 1), width], "observed": sums, "expected": sums,
      ]
    ) {
      SymbolFitter(alphabets: alphabets)
    }
  }

  public var size: ReportSize {
    .atMostBits(limit ?? Int(symbols.largestCost.rounded(.up)) + 2)
  }

  public func write(_ symbols: UnsafeBufferPointer<UInt32>, to bits: inout BitString) {
    var context = self.symbols.start()
    var encoder = RangeEncoder(bits)
    for symbol in symbols { context.write(Int(symbol), to: &encoder) }
    bits = encoder.finished()
  }

  public func read(_ bits: inout BitReader, into symbols: UnsafeMutableBufferPointer<UInt32>) {
    precondition(symbols.count == symbolCount)
    var context = self.symbols.start()
    var decoder = RangeDecoder(bits)
    for i in symbols.indices { symbols[i] = UInt32(context.read(&decoder)) }
  }
}

/// Counts symbols.
///
/// Memory: all fitted symbols are kept, 4 bytes each.
private struct SymbolFitter: Fitter {
  let alphabets: [Int]
  /// [drop, symbol].
  private var symbols: [UInt32] = []
  private var drops = 0

  init(alphabets: [Int]) { self.alphabets = alphabets }

  mutating func add(_ input: StageInput) {
    guard case .symbols(let codewords) = input else {
      preconditionFailure("a coder is fitted on symbols")
    }
    for codeword in codewords {
      precondition(codeword.count == alphabets.count)
      symbols += codeword
    }
    drops += codewords.count
  }

  func finish() throws -> Artefact {
    let width = alphabets.max() ?? 1
    var counts = [[Int]](repeating: [Int](repeating: 0, count: width), count: alphabets.count)
    for drop in 0..<drops {
      for i in alphabets.indices { counts[i][Int(symbols[drop * alphabets.count + i])] += 1 }
    }
    let tables = zip(counts, alphabets).map { FrequencyTable(counts: Array($0.prefix($1))) }
    let prior = AdaptiveModel.prior(of: alphabets.isEmpty ? [] : symbols, tables: tables)
    if counts.isEmpty { counts = [[Int](repeating: 0, count: width)] }
    let sums = [AdaptiveModel.contextCount, AdaptiveModel.classCount]
    return Artefact([
      "counts": RealArray(counts.joined().map(Float.init), shape: [counts.count, width]),
      "observed": RealArray(prior.observed.map { Float($0) }, shape: sums),
      "expected": RealArray(prior.expected.map { Float($0) }, shape: sums),
    ])
  }
}
