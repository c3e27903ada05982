import Coding
import LinkMath
import Networks
import Parts

/// Bits that flip behind the quantiser of a training, each by itself with the same probability.
///
/// A quantised codeword is brought to the symbols that stand for it, which are numbers of whole bits in natural binary; bits flip, and the
/// codeword becomes what the symbols now stand for. The gradient passes straight through. One random word is drawn for each bit and
/// the bit flips if the word is below `p 2^32`, so the flips at a smaller p are among those at a larger p.
///
/// Reference: T. M. Cover and J. A. Thomas, *Elements of Information Theory*, 2nd ed., 2006, section 7.1.4.
public final class CodewordBitErrors: CodewordStepPart {
  static let rate = Parameter<Double?>.optional(
    "codeword_bit_error_rate", .number(.plain, 0...1),
    "Probability with which each bit behind 'quantizer' flips; none if left out.")

  public static let word = "bit_errors"
  public static let summary = "bits that flip behind the quantizer"
  public static let keys = [rate.declaration]

  private let threshold: UInt64
  private let seed: UInt64
  private let quantizer: any CodewordStep

  init(rate: Double, seed: UInt64, behind quantizer: any CodewordStep) {
    threshold = UInt64((rate * 0x1p32).rounded())
    (self.seed, self.quantizer) = (seed, quantizer)
  }

  public static func make(_ settings: Settings, for network: NetworkChoice, seed: UInt64)
    throws(SettingsError) -> CodewordBitErrors?
  {
    guard settings[rate] != nil else { return nil }
    throw SettingsError(
      part: settings.part, key: rate.key, reason: "flips bits, and there is no quantizer",
      hint: "write 'quantizer: {type: uniform, bits: 4}', or 'codeword_snr_db' for noise on reals")
  }

  public static func make(
    _ settings: Settings, for network: NetworkChoice, seed: UInt64,
    behind quantizer: (any QuantizerStepPart)?
  ) throws(SettingsError) -> CodewordBitErrors? {
    guard let quantizer, let rate = settings[rate] else {
      return try make(settings, for: network, seed: seed)
    }
    if settings.values[CodewordNoise.levels.key] != nil
      || settings.values[CodewordNoise.range.key] != nil
    {
      throw SettingsError(
        part: settings.part, key: Self.rate.key,
        reason: "cannot stand beside noise on the codeword, which is then no level of the quantizer"
      )
    }
    return CodewordBitErrors(rate: rate, seed: seed, behind: quantizer)
  }

  /// Flips bits; each sample has a stream of its own.
  ///
  /// - Precondition: the codewords are levels of the quantiser.
  /// - Complexity: O(M B) random words for each codeword of M reals of B bits.
  public func forward(_ codewords: UnsafeMutablePointer<Float>, _ pass: CodewordPass) -> Double {
    let quantizer = TrainedQuantizer(of: quantizer, length: pass.length)
    let widths = quantizer.alphabets!.map { Int.bitWidth - ($0 - 1).leadingZeroBitCount }
    let key = StreamKey(seed: seed, domain: pass.domain, purpose: .feedbackNoise)
    var symbols = [UInt32](repeating: 0, count: widths.count)
    for sample in 0..<pass.samples {
      let codeword = UnsafeMutableBufferPointer(
        start: codewords + sample * pass.length, count: pass.length)
      var stream = key.stream(drop: pass.first + sample, slot: pass.epoch)
      symbols.withUnsafeMutableBufferPointer { symbols in
        _ = quantizer.symbols(of: UnsafeBufferPointer(codeword), into: symbols)
        for i in symbols.indices {
          for bit in (0..<widths[i]).reversed() where UInt64(stream.nextWord()) < threshold {
            symbols[i] ^= 1 << UInt32(bit)
          }
        }
        quantizer.values(of: UnsafeBufferPointer(symbols), into: codeword)
      }
    }
    return 0
  }
}

extension TrainedQuantizer {
  /// What a link would make of the tables that a quantiser of a training would leave now.
  ///
  /// - Precondition: the step is a quantiser, whose tables are whole.
  package init(of step: any CodewordStep, length: Int) {
    do {
      try self.init(Artefact(step.tables), length: length)
    } catch {
      preconditionFailure("a quantiser of a training left tables that no link can use: \(error)")
    }
  }
}
