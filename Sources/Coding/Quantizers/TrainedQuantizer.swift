import LinkMath
import Parts

/// The quantiser that a network was trained through, as its training left it beside the weights.
///
/// Either scalar codebooks, B_m bits for output m, sent in natural binary, output by output; or one codebook of vectors for all groups of
/// L neighbouring outputs, of which the nearest one's index is sent.
public struct TrainedQuantizer: Quantizer, Part {
  public static let schema = PartSchema(
    .quantizer, "trained",
    "The quantiser that the network was trained through ('training.quantizer'), stored with its weights."
  )

  private enum Tables {
    case scalar(ScalarCodebooks)
    case vector(VectorCodebook)
  }

  private let tables: Tables
  private let length: Int

  /// - Throws: `SettingsError` for a codec that was not trained through a quantiser; ``FittingError`` for damaged tables.
  public init(_ settings: Settings, in context: LinkContext, fitted: Artefact?) throws {
    length = context.codewordLength
    guard let trained = context.trainedQuantizer else {
      throw SettingsError(
        part: settings.part, key: "",
        reason: "needs a network whose weights hold a quantiser, but the codec has none",
        hint: "train it with 'training: {quantizer: {type: codebooks}}', or take another quantizer")
    }
    tables = try Self.tables(trained, length, settings.part)
  }

  /// The quantiser of tables for codewords of so many reals.
  ///
  /// - Throws: ``FittingError`` for damaged tables.
  package init(_ trained: Artefact, length: Int) throws(FittingError) {
    self.length = length
    tables = try Self.tables(trained, length, Self.schema.name)
  }

  private static func tables(_ trained: Artefact, _ length: Int, _ part: String)
    throws(FittingError) -> Tables
  {
    let artefact = Artefact?.some(trained)
    if trained["codebook"] != nil {
      let codebook = try artefact.array("codebook", shape: [nil, nil], for: part)
      let count = codebook.shape[0]
      guard count > 0, count & (count - 1) == 0, codebook.shape[1] > 0,
        length % codebook.shape[1] == 0
      else {
        throw FittingError(
          part: part, reason: "a codebook \(codebook.shape) does not fit \(length) outputs")
      }
      return .vector(VectorCodebook(codebook.elements, length: codebook.shape[1]))
    }
    let widths = try artefact.array("bits", shape: [length], for: part).elements
    guard widths.allSatisfy({ (0...16).contains($0) && $0.rounded() == $0 }) else {
      throw FittingError(part: part, reason: "the bits of an output are not in 0...16")
    }
    let bits = widths.map { Int($0) }
    let count = bits.reduce(0) { $0 + 1 << $1 }
    let levels = try artefact.array("levels", shape: [count], for: part).elements
    let thresholds = try artefact.array("thresholds", shape: [count], for: part).elements
    let codebooks = ScalarCodebooks(bits: bits, levels: levels, thresholds: thresholds)
    for output in bits.indices {
      let levels = codebooks[output]
      guard zip(levels, levels.dropFirst()).allSatisfy({ $0 <= $1 }) else {
        throw FittingError(part: part, reason: "the levels of output \(output) do not ascend")
      }
    }
    return .scalar(codebooks)
  }

  public var alphabets: [Int]? {
    switch tables {
    case .scalar(let codebooks): codebooks.bits.map { 1 << $0 }
    case .vector(let codebook):
      [Int](repeating: codebook.count, count: length / codebook.length)
    }
  }

  /// - Returns: zero; the outer cells are open.
  public func symbols(
    of values: UnsafeBufferPointer<Float>, into symbols: UnsafeMutableBufferPointer<UInt32>
  ) -> Int {
    precondition(values.count == length, "\(values.count) reals for \(length) outputs")
    switch tables {
    case .scalar(let codebooks): codebooks.indices(of: values, into: symbols)
    case .vector(let codebook):
      for (i, first) in stride(from: 0, to: length, by: codebook.length).enumerated() {
        let group = UnsafeBufferPointer(rebasing: values[first..<first + codebook.length])
        symbols.initializeElement(at: i, to: UInt32(codebook.nearest(group)))
      }
    }
    return 0
  }

  public func values(
    of symbols: UnsafeBufferPointer<UInt32>, into values: UnsafeMutableBufferPointer<Float>
  ) {
    switch tables {
    case .scalar(let codebooks): codebooks.values(of: symbols, into: values)
    case .vector(let codebook):
      for (i, first) in stride(from: 0, to: length, by: codebook.length).enumerated() {
        for (axis, value) in codebook[Int(symbols[i])].enumerated() {
          values[first + axis] = value
        }
      }
    }
  }
}
