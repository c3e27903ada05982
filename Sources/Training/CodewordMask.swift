import LinkMath
import Networks
import Parts

/// Keeps the beginning of codewords and sets the rest to zero, so that one network serves several lengths.
///
/// In training each sample draws its length from the list; where a network is judged, the samples take the lengths in
/// turn. What was set to zero gets no gradient.
///
/// Reference: J. Guo, C.-K. Wen, S. Jin, G. Y. Li, Convolutional Neural Network-Based Multiple-Rate Compressive
/// Sensing for Massive MIMO CSI Feedback, IEEE Trans. Wireless Commun. 19 (2020) 2827 (networks of several rates); O.
/// Rippel, M. Gelbart, R. Adams, Learning Ordered Representations with Nested Dropout, ICML 2014 (a tail of random
/// length set to zero).
public final class CodewordMask: CodewordStepPart {
  static let lengths = Parameter<[Int]?>.optional(
    "codeword_lengths", .list(.integer(1...1_000_000), count: 1...64),
    """
    Lengths of codewords that the network is trained for at once: of each sample as many reals as one of them says are kept, \
    the others become zero. A link sends them by codec.codeword_length. The whole codeword if left out.
    """)
  public static let word = "masking"
  public static let summary = "codewords of several lengths"
  public static let keys = [lengths.declaration]

  private let lengths: [Int]
  private let key: StreamKey

  init(_ lengths: [Int], seed: UInt64) {
    self.lengths = lengths
    // Instance 0 gives the order of the samples.
    key = StreamKey(seed: seed, domain: .train, purpose: .selection, instance: 1)
  }

  public static func make(_ settings: Settings, for network: NetworkChoice, seed: UInt64)
    throws(SettingsError) -> CodewordMask?
  {
    guard let lengths = settings[lengths] else { return nil }
    let whole = network.autoencoder.codewordLength
    if let longest = lengths.max(), longest > whole {
      throw SettingsError(
        part: settings.part, key: Self.lengths.key,
        reason: "must be at most the \(whole) reals of \(network.title)'s codeword, got \(longest)")
    }
    return CodewordMask(lengths, seed: seed)
  }

  /// Reals of a sample's codeword that are kept.
  func kept(_ sample: Int, _ pass: CodewordPass) -> Int {
    guard pass.isTraining else { return lengths[(pass.first + sample) % lengths.count] }
    var stream = key.stream(drop: pass.first + sample, slot: pass.epoch)
    return lengths[stream.uniform(below: lengths.count)]
  }

  /// Sets the ends of codewords to zero.
  public func forward(_ codewords: UnsafeMutablePointer<Float>, _ pass: CodewordPass) -> Double {
    clear(codewords, pass)
    return 0
  }

  /// What was set to zero has no gradient.
  public func backward(_ gradient: UnsafeMutablePointer<Float>, _ pass: CodewordPass) {
    clear(gradient, pass)
  }

  private func clear(_ values: UnsafeMutablePointer<Float>, _ pass: CodewordPass) {
    for sample in 0..<pass.samples {
      let kept = kept(sample, pass)
      (values + sample * pass.length + kept).update(repeating: 0, count: pass.length - kept)
    }
  }
}
