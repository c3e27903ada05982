import LinkMath
import Parts

/// One codebook for all groups of L neighbouring reals: 2^(L·B) vectors, of which the nearest is sent in L·B bits.
///
/// The codebook is fitted to the codewords (``VectorCodebook``). The first `sent` groups may be sent alone; the others then decode
/// as zeros, for codewords that were trained to be ordered.
///
/// Reference: A. van den Oord, O. Vinyals and K. Kavukcuoglu, NeurIPS 30 (2017), arXiv:1711.00937, for codebooks inside
/// autoencoders.
public struct VectorQuantizer: Quantizer, Part {
  static let bits = Parameter.integer(
    "bits", default: 2, in: 1...12, "Bits B for each real of the codeword.")
  static let length = Parameter.integer(
    "length", default: 2, in: 1...4,
    "Reals of a vector, L: it divides the length of the codeword, and L·B is at most 12.")
  static let sent = Parameter<Int?>.optional(
    "sent_vectors", .integer(0...Int.max),
    "Vectors that are sent, from the first on; the others decode as zeros. All, if it is not given."
  )

  public static let schema = PartSchema(
    .quantizer, "vector", "One codebook of 2^(L·B) vectors for all groups of L reals, fitted.",
    reference: "Y. Linde, A. Buzo, R. M. Gray, IEEE Trans. Commun. 28 (1980) 84",
    parameters: [bits.declaration, length.declaration, sent.declaration]
      + FitParameters.declarations)

  private let count: Int
  private let sentCount: Int
  private let codebook: VectorCodebook

  /// A quantiser of the fitted `codebook` [vector, axis].
  ///
  /// - Throws: `SettingsError` if more vectors are to be sent than there are.
  public init(_ settings: Settings, in context: LinkContext, fitted: Artefact?) throws {
    let (length, bits) = try Self.size(settings, context)
    count = context.codewordLength
    sentCount = settings[Self.sent] ?? count / length
    guard sentCount <= count / length else {
      throw SettingsError(
        part: settings.part, key: Self.sent.key,
        reason: "must be at most the \(count / length) vectors of the codeword, got \(sentCount)")
    }
    let vectors = try fitted.array("codebook", shape: [1 << bits, length], for: settings.part)
    codebook = VectorCodebook(vectors.elements, length: length)
  }

  /// L and the bits of a vector.
  private static func size(_ settings: Settings, _ context: LinkContext) throws(SettingsError)
    -> (length: Int, bits: Int)
  {
    let (count, length, bits) = (context.codewordLength, settings[length], settings[bits])
    precondition(count > 0, "a quantiser is made after the codec")
    guard count % length == 0 else {
      throw SettingsError(
        part: settings.part, key: Self.length.key,
        reason: "must divide the \(count) reals of the codeword, got \(length)")
    }
    guard length * bits <= 12 else {
      throw SettingsError(
        part: settings.part, key: Self.bits.key,
        reason: "must be at most \(12 / length) for vectors of \(length) reals, got \(bits)",
        hint: "a codebook holds 2^(length · bits) vectors")
    }
    return (length, length * bits)
  }

  /// Learns `codebook` [vector, axis], of some 64 samples for each vector, and of 32 768 at least if there are so many.
  public static func fitting(_ settings: Settings, in context: LinkContext) throws -> Fitting? {
    let (length, bits) = try size(settings, context)
    let count = context.codewordLength
    return FitParameters.fitting(
      settings, signature: "length=\(length) bits=\(bits) codeword=\(count)",
      shapes: ["codebook": [1 << bits, length]]
    ) {
      VectorFitter(outputCount: count, length: length, bits: bits)
    }
  }

  public var alphabets: [Int]? { [Int](repeating: codebook.count, count: sentCount) }

  /// - Returns: zero; the outer cells are open.
  public func symbols(
    of values: UnsafeBufferPointer<Float>, into symbols: UnsafeMutableBufferPointer<UInt32>
  ) -> Int {
    precondition(values.count == count, "\(values.count) reals for \(count) components")
    let length = codebook.length
    withUnsafeTemporaryAllocation(of: Float.self, capacity: codebook.count) { scratch in
      scratch.initialize(repeating: 0)
      for i in 0..<sentCount {
        let vector = UnsafeBufferPointer(rebasing: values[i * length..<(i + 1) * length])
        symbols.initializeElement(
          at: i, to: UInt32(codebook.nearest(vector, scratch: scratch)))
      }
    }
    return 0
  }

  public func values(
    of symbols: UnsafeBufferPointer<UInt32>, into values: UnsafeMutableBufferPointer<Float>
  ) {
    precondition(values.count == count, "\(values.count) reals for \(count) components")
    values.update(repeating: 0)
    for i in 0..<sentCount {
      let first = Int(symbols[i]) * codebook.length
      for axis in 0..<codebook.length {
        values[i * codebook.length + axis] = codebook.vectors[first + axis]
      }
    }
  }
}

/// Gathers groups of neighbouring reals, evenly over the drops.
private struct VectorFitter: Fitter {
  let outputCount: Int
  let length: Int
  let bits: Int
  /// [vector, axis].
  private var samples: [Float] = []

  init(outputCount: Int, length: Int, bits: Int) {
    (self.outputCount, self.length, self.bits) = (outputCount, length, bits)
  }

  mutating func add(_ input: StageInput) {
    guard case .codeword(let codewords) = input else {
      preconditionFailure("a quantiser is fitted on codewords")
    }
    codewords.requireShape([nil, outputCount], "[drop, M]")
    codewords.withUnsafeElements { samples.append(contentsOf: $0) }
  }

  func finish() throws -> Artefact {
    let part = VectorQuantizer.schema.name
    let vectors = samples.count / length
    guard vectors >= 1 << bits else {
      throw FittingError(
        part: part, reason: "\(vectors) vectors are too few, \(1 << bits) are needed")
    }
    guard samples.allSatisfy(\.isFinite) else {
      throw FittingError(part: part, reason: "a fitted codeword holds a non-finite value")
    }
    // An odd step, so that all places of the codeword are seen.
    let step = max(1, vectors / max(64 << bits, 1 << 15)) | 1
    let chosen = stride(from: 0, to: vectors, by: step).flatMap {
      samples[$0 * length..<($0 + 1) * length]
    }
    let codebook = VectorCodebook.fitted(chosen, length: length, bits: bits)
    return Artefact([
      "codebook": RealArray(codebook.vectors, shape: [codebook.count, length])
    ])
  }
}
