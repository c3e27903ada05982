import Coding
import LinkMath
import Networks
import Parts

/// Codebooks for the codewords of a network that is trained without a quantiser.
///
/// In training codewords pass unchanged. After each epoch every output gets the 2^B levels of least squared error on a sample of
/// codewords, by exact one-dimensional k-means; validation, test and link quantise with them.
///
/// Reference: S. P. Lloyd, IEEE Trans. Inf. Theory 28 (1982) 129, doi:10.1109/TIT.1982.1056489.
public final class LloydStep: QuantizerStepPart, @unchecked Sendable {
  // Sendable: one owner trains; judging only reads the codebooks, which change between epochs.

  public static let word = "lloyd"
  public static let summary =
    "codebooks fitted to each output after each epoch, which the training does not see"
  public static let keys = [QuantizerKeys.bits.declaration, QuantizerKeys.samples.declaration]

  public let sampleCount: Int
  private let width: Int
  private var codebooks: ScalarCodebooks

  /// Reads `quantizer.bits`, `quantizer.samples`.
  public init(_ settings: Settings, for network: NetworkChoice, seed: UInt64) throws(SettingsError)
  {
    width = settings[QuantizerKeys.bits]
    try QuantizerKeys.checkSamples(settings, bits: width)
    sampleCount = settings[QuantizerKeys.samples]
    codebooks = ScalarCodebooks(
      [Float](repeating: 0, count: 1 << width), outputCount: network.autoencoder.codewordLength)
  }

  /// Quantises where the network is judged.
  ///
  /// - Returns: zero.
  public func forward(_ codewords: UnsafeMutablePointer<Float>, _ pass: CodewordPass) -> Double {
    if !pass.isTraining { codebooks.quantize(codewords, samples: pass.samples) }
    return 0
  }

  /// - Complexity: of one exact k-means for each output.
  public func endEpoch(_ sample: RealArray) throws -> [Range<Int>] {
    codebooks = try sample.codebookTable().codebooks(bits: codebooks.bits)
    return []
  }

  public var state: [String: [Float]] {
    get { ["levels": codebooks.levels] }
    set {
      let levels = newValue["levels"]!
      codebooks = ScalarCodebooks(
        codebooks.bits.indices.map { Array(levels[$0 << width..<($0 + 1) << width]) })
    }
  }

  public var tables: [String: RealArray] { codebooks.tables }
}

extension RealArray {
  /// The best codebooks of each output of codewords `[sample, M]`.
  ///
  /// - Throws: ``TrainingError`` for codewords that are not finite.
  func codebookTable() throws(TrainingError) -> CodebookTable {
    guard withUnsafeElements({ $0.allSatisfy(\.isFinite) }) else {
      throw TrainingError(
        description: """
          training diverged: the encoder gives values that are not finite
            hint: lower training.learning_rate
          """)
    }
    return CodebookTable(self)
  }
}
