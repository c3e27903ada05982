import LinkMath
import Parts

/// What an encoder sends: real values for the quantiser and, for some codecs, side information that is bits already.
public struct Codeword: Sendable {
  /// [drop, M].
  public var values: RealArray
  /// Side information of each drop, all of ``CodewordCodec/sideBitCount`` bits; empty if there is none.
  public var side: [BitString]

  /// Codewords [drop, M] and the side information of each drop, if there is any.
  public init(values: RealArray, side: [BitString] = []) {
    self.values = values
    self.side = side
  }
}

/// Compression of the angular-delay CSI: the encoder runs at the UE, the decoder at the BS.
public protocol CodewordCodec: Sendable {
  /// Reals in a codeword, M.
  var codewordLength: Int { get }
  /// Bits of side information in each report, fixed.
  var sideBitCount: Int { get }
  /// What the codec is, in a few words.
  var summary: String { get }
  /// The tables that its training left for the quantiser `TrainedQuantizer`; nil if it was not trained through one.
  var trainedQuantizer: Artefact? { get }
  /// Bytes of tables and weights, which all threads share, and of scratch memory, which each has.
  var memoryBytes: (shared: Int, perThread: Int) { get }

  /// - Parameter csi: normalised angular-delay CSI [drop, delay, angle].
  /// - Returns: codeword [drop, M]; a drop's values do not depend on the other drops.
  func encode(_ csi: ComplexArray) throws -> Codeword

  /// - Parameter codeword: what arrived: any values and any side bits are legal and decode to something.
  /// - Returns: reconstruction [drop, delay, angle].
  func decode(_ codeword: Codeword) throws -> ComplexArray
}

extension CodewordCodec {
  /// No side information.
  public var sideBitCount: Int { 0 }
  /// None.
  public var trainedQuantizer: Artefact? { nil }
  /// Nothing worth counting.
  public var memoryBytes: (shared: Int, perThread: Int) { (0, 0) }
}

extension CodewordCodec where Self: Part {
  /// The name of the part.
  public var summary: String { Self.schema.name }
}
