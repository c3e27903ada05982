import LinkMath
import Parts

/// A scalar quantiser whose codeword may be cut after any number of reals: the most useful ones are sent first, and those
/// that are not sent take their mean.
///
/// Each real has 2^B levels by ``ExactKMeans``, and reals are sent in the order of the error that their levels spare,
/// `l_m[0] - l_m[B]`. One fit serves every length, so a sweep over `sent` shows error against bits of one codec.
public struct PrefixQuantizer: Quantizer, Part {
  static let bits = Parameter.integer(
    "bits", default: 4, in: 1...8, "Bits B for each real of the codeword.")
  static let sent = Parameter<Int?>.optional(
    "sent", .integer(0...Int.max),
    "Reals that are sent, the most useful ones; the others take their mean. All, if it is not given."
  )

  public static let schema = PartSchema(
    .quantizer, "prefix",
    "Codebooks by exact k-means, the most useful reals first: the codeword may be cut after any number of reals.",
    parameters: [bits.declaration, sent.declaration] + FitParameters.declarations)

  private let codebooks: ScalarCodebooks
  private let means: [Float]
  /// The components in the order in which they are sent.
  private let order: [Int]
  private let sentCount: Int
  private let levelCount: Int

  /// A quantiser of the fitted `gains` and `means` [component, 1] and `levels` [component, 2^B].
  ///
  /// - Throws: `SettingsError` if more reals are to be sent than there are.
  public init(_ settings: Settings, in context: LinkContext, fitted: Artefact?) throws {
    let count = context.codewordLength
    precondition(count > 0, "a quantiser is made after the codec")
    levelCount = 1 << settings[Self.bits]
    sentCount = settings[Self.sent] ?? count
    guard sentCount <= count else {
      throw SettingsError(
        part: settings.part, key: Self.sent.key,
        reason: "must be at most the \(count) reals of the codeword, got \(sentCount)")
    }
    let gains = try fitted.array("gains", shape: [count, 1], for: settings.part).elements
    means = try fitted.array("means", shape: [count, 1], for: settings.part).elements
    codebooks = try ScalarCodebooks(
      fitted: fitted, "levels", outputCount: count, levelCount: levelCount, for: settings.part)
    order = gains.indices.sorted { gains[$0] > gains[$1] || gains[$0] == gains[$1] && $0 < $1 }
  }

  /// Learns `gains`, `means` and `levels`.
  ///
  /// - Throws: `SettingsError` for fewer drops than levels.
  public static func fitting(_ settings: Settings, in context: LinkContext) throws -> Fitting? {
    let (count, bits) = (context.codewordLength, settings[bits])
    try CodebookFitter.requireDrops(1 << bits, settings)
    return FitParameters.fitting(
      settings, signature: "bits=\(bits) length=\(count)",
      shapes: ["gains": [count, 1], "means": [count, 1], "levels": [count, 1 << bits]]
    ) {
      CodebookFitter(
        part: schema.name, outputCount: count, minimumDrops: 1 << bits, bits: bits...bits
      ) { table in
        let outputs = 0..<count
        let gains = outputs.map { Float(table.loss($0, bits: 0) - table.loss($0, bits: bits)) }
        let means = outputs.map { Float(table.levels($0, bits: 0)[0]) }
        let levels = outputs.flatMap { table.levels($0, bits: bits).map(Float.init) }
        return Artefact([
          "gains": RealArray(gains, shape: [count, 1]),
          "means": RealArray(means, shape: [count, 1]),
          "levels": RealArray(levels, shape: [count, 1 << bits]),
        ])
      }
    }
  }

  public var alphabets: [Int]? { [Int](repeating: levelCount, count: sentCount) }

  /// - Returns: zero; the outer cells are open.
  public func symbols(
    of values: UnsafeBufferPointer<Float>, into symbols: UnsafeMutableBufferPointer<UInt32>
  ) -> Int {
    precondition(values.count == means.count, "\(values.count) reals for \(means.count) components")
    for (place, component) in order.prefix(sentCount).enumerated() {
      symbols.initializeElement(
        at: place, to: UInt32(codebooks.nearest(values[component], output: component)))
    }
    return 0
  }

  public func values(
    of symbols: UnsafeBufferPointer<UInt32>, into values: UnsafeMutableBufferPointer<Float>
  ) {
    precondition(values.count == means.count, "\(values.count) reals for \(means.count) components")
    for (place, component) in order.enumerated() {
      values[component] =
        place < sentCount
        ? codebooks.levels[codebooks.starts[component] + Int(symbols[place])] : means[component]
    }
  }
}
