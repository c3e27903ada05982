import LinkMath
import Networks
import Parts

/// White Gaussian noise on codewords, its power set by the mean square of the codewords of a batch, or of each by itself.
///
/// `s' = s + n`, `n ~ N(0, P / SNR)`, P the mean of `s²` over the batch or over the sample; the power counts as a
/// constant in back-propagation. The SNR is one level, one of a list, each as likely, or uniform in dB in a range, and is drawn for each
/// batch or for each sample; where a set is judged each sample draws its own, and the batch is the whole set.
public final class CodewordNoise: CodewordStepPart {
  /// What shares a power or an SNR.
  package enum Sharing: String, Choice {
    case batch, sample
  }

  static let levels = Parameter<LevelList?>.optional(
    "codeword_snr_db", LevelList.kind(-100...200),
    """
    White Gaussian noise on the codeword, power relative to the mean square of codewords (constant in \
    back-propagation): one level, or several that are drawn; none if left out.
    """)
  static let range = LevelRange.parameter(
    "codeword_snr_range_db", -100...200,
    "Lowest and highest SNR of noise on the codeword, between which it is drawn, uniform in dB.")
  static let drawn = Parameter<Sharing>.choice(
    "codeword_snr_of", default: .sample,
    "Whether the codewords of a batch share an SNR that is drawn, or each sample draws its own.")
  static let power = Parameter<Sharing>.choice(
    "codeword_power_of", default: .batch,
    "Whether noise on the codeword is relative to the mean square of a batch, so that weak codewords have a lower SNR, or of each sample."
  )

  public static let word = "noise"
  public static let summary = "white Gaussian noise"
  public static let keys = [
    levels.declaration, range.declaration, drawn.declaration, power.declaration,
  ]

  /// SNRs in dB.
  package enum Levels: Sendable {
    case list([Double])
    case range(ClosedRange<Double>)

    func draw(_ stream: () -> RandomStream) -> Double {
      switch self {
      case .list(let levels):
        guard levels.count > 1 else { return levels[0] }
        var stream = stream()
        return levels[stream.uniform(below: levels.count)]
      case .range(let range):
        var stream = stream()
        return range.lowerBound + stream.uniform() * (range.upperBound - range.lowerBound)
      }
    }
  }

  private let levels: Levels
  private let drawn, power: Sharing
  private let seed: UInt64

  package init(_ levels: Levels, of drawn: Sharing = .sample, power: Sharing = .batch, seed: UInt64)
  {
    self.levels = levels
    (self.drawn, self.power, self.seed) = (drawn, power, seed)
  }

  public static func make(_ settings: Settings, for network: NetworkChoice, seed: UInt64)
    throws(SettingsError) -> CodewordNoise?
  {
    try LevelRange.refuseBoth(settings, levels.key, range.key)
    let range = try LevelRange.read(settings, range).map { Levels.range($0) }
    guard let levels = range ?? settings[levels].map({ .list($0.decibels) }) else { return nil }
    return CodewordNoise(levels, of: settings[drawn], power: settings[power], seed: seed)
  }

  public var needsPower: Bool { power == .batch }

  /// Adds noise; each sample has a stream of its own.
  public func forward(_ codewords: UnsafeMutablePointer<Float>, _ pass: CodewordPass) -> Double {
    let key = StreamKey(seed: seed, domain: pass.domain, purpose: .feedbackNoise)
    let isShared = drawn == .batch && pass.isTraining
    for sample in 0..<pass.samples {
      let codeword = codewords + sample * pass.length
      let square =
        power == .batch ? pass.power! : Self.meanSquare(codeword, count: pass.length)
      let snr = linear(decibels: snrDB(pass, isShared ? 0 : sample))
      var stream = key.stream(drop: pass.first + sample, slot: pass.epoch)
      stream.addNormal(
        to: UnsafeMutableBufferPointer(start: codeword, count: pass.length),
        scale: Float((square / snr).squareRoot()))
    }
    return 0
  }

  /// The SNR of a sample of a pass, from a stream beside that of its noise.
  private func snrDB(_ pass: CodewordPass, _ sample: Int) -> Double {
    levels.draw {
      StreamKey(seed: seed, domain: pass.domain, purpose: .feedbackNoise, instance: 1)
        .stream(drop: pass.first + sample, slot: pass.epoch)
    }
  }

  static func meanSquare(_ codewords: UnsafePointer<Float>, count: Int) -> Double {
    var sum = 0.0
    for i in 0..<count { sum += Double(codewords[i]) * Double(codewords[i]) }
    return sum / Double(max(count, 1))
  }
}
