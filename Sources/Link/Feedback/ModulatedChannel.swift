import Codecs
import Foundation
import LinkMath
import Parts

/// How the gain of the uplink varies.
public enum FeedbackFading: String, Choice {
  /// Gain one: additive white Gaussian noise only.
  case none
  /// A new Rayleigh gain for every symbol.
  case iid
  /// One Rayleigh gain for each report and branch.
  case block
}

/// Bits over an antipodal modulation with coherent maximum-ratio combining.
///
/// Branch l of symbol k receives `y = h s + n`, with h = 1 or CN(0, 1) and n CN(0, N0); the BS decides on the signs of
/// `sum_l h* y`. A bit is an amplitude ±1 on the real axis (BPSK) or on one of both axes (QPSK, Gray: each axis carries one
/// bit), so its energy is Eb = 1 and `N0 = 1/g` with g = Eb/N0 of one branch, averaged over the fading. The error rate of a
/// bit is the same for both modulations: `Q(sqrt(2 L g))` without fading, and with Rayleigh fading
/// `((1-m)/2)^L sum_{k<L} C(L-1+k, k) ((1+m)/2)^k`, `m = sqrt(g/(1+g))`. Block fading has the same mean rate as fading of
/// each symbol, but its errors share few reports.
///
/// Random streams: noise and gains of branch l are instance l of `.feedbackNoise` and `.fading`, of unit power whatever the
/// SNR.
///
/// Reference: J. G. Proakis and M. Salehi, *Digital Communications*, 5th ed., 2008, chapters 4 and 13.
struct ModulatedChannel: Sendable {
  static let snr = Parameter<Double?>.optional(
    "snr_db", .number(.level, -100...200),
    "Eb/N0 of a receive branch: energy of a bit that is sent over the noise density, mean over fading."
  )
  static let fading = Parameter<FeedbackFading>.choice(
    "fading", default: FeedbackFading.none,
    "Gain of the uplink: none, constant; iid, Rayleigh for each symbol; block, Rayleigh for each report."
  )
  static let branches = Parameter.integer(
    "branches", default: 1, in: 1...64, "Receive branches L of the BS, combined by maximum ratio.")

  static let declarations = [
    snr.declaration, UplinkLevel.energy.declaration, fading.declaration, branches.declaration,
  ]

  private let bitsPerSymbol: Int
  /// Eb/N0 of a branch.
  private let level: UplinkLevel
  private let fading: FeedbackFading
  private let branchCount: Int

  /// - Parameter bitsPerSymbol: 1 for BPSK, 2 for QPSK.
  init(_ settings: Settings, bitsPerSymbol: Int) throws(SettingsError) {
    self.bitsPerSymbol = bitsPerSymbol
    level = try UplinkLevel(settings, snr: Self.snr)
    fading = settings[Self.fading]
    branchCount = settings[Self.branches]
  }

  /// The closed forms above, for each of so many bits that are sent together.
  func bitErrorRate(bits count: Int) -> Double {
    let snr = level.ratio(bits: count)
    guard fading != .none else { return erfc((Double(branchCount) * snr).squareRoot()) / 2 }
    let root = (snr / (1 + snr)).squareRoot()
    // 1 - m without cancellation.
    let wrong = 1 / (1 + snr) / (1 + root) / 2
    var (term, sum) = (1.0, 0.0)
    for k in 0..<branchCount {
      sum += term
      term *= Double(branchCount + k) / Double(k + 1) * (1 + root) / 2
    }
    return pow(wrong, Double(branchCount)) * sum
  }

  /// About how many blocks of k bits in E are lost behind a good code, when `count` bits are sent in all.
  func blockErrorRate(_ k: Int, in E: Int, of count: Int, margin: Double) -> Double {
    BlockErrorEstimate(fading: fading, branchCount: branchCount, margin: margin)
      .rate(k, in: E, ratio: level.ratio(bits: count))
  }

  /// Uncoded payloads with hard decisions.
  func transmit(_ reports: [Report], _ block: DropBlock, slot: Int) -> [Delivery] {
    reports.enumerated().map { drop, report in
      let payload = report.bits
      let soft = receive(payload.count, block, drop, slot: slot) { payload[$0] }
      var received = payload
      for i in 0..<payload.count where (soft.amplitude(i) < 0) != payload[i] { received.flip(i) }
      return .bits(received, soft: soft)
    }
  }

  /// What the BS knows of bits that are sent: `4 g Re(...)` of the combined amplitude with g = Eb/N0, the log-likelihood
  /// ratio of each, positive for a zero.
  func receive(
    _ count: Int, _ block: DropBlock, _ drop: Int, slot: Int, isOne: (Int) -> Bool
  ) -> SoftBits {
    let snr = level.ratio(bits: count)
    // Standard deviation of a real noise dimension, sqrt(N0 / 2).
    let deviation = Float((0.5 / snr).squareRoot())
    let symbolCount = (count + bitsPerSymbol - 1) / bitsPerSymbol
    let sent = modulated(count, symbolCount, isOne)
    var combined = [Float](repeating: 0, count: 2 * symbolCount)
    var noise = combined
    for branch in 0..<branchCount {
      var noiseStream = block.stream(drop, slot: slot, .feedbackNoise, instance: branch)
      noise.withUnsafeMutableBufferPointer { noiseStream.fillNormal($0, scale: deviation) }
      let gains = gains(block.stream(drop, slot: slot, .fading, instance: branch), symbolCount)
      for re in stride(from: 0, to: 2 * symbolCount, by: 2) {
        let im = re + 1
        let (a, b) = (gains[re], gains[im])
        let x = a * sent[re] - b * sent[im] + noise[re]
        let y = a * sent[im] + b * sent[re] + noise[im]
        combined[re] += a * x + b * y
        combined[im] += a * y - b * x
      }
    }
    return SoftBits(combined, count: count, stride: 2 / bitsPerSymbol, scale: Float(4 * snr))
  }

  /// Symbols as re, im side by side: +1 for a zero bit, -1 for a one; an axis without a bit is silent or, in the last
  /// symbol of QPSK, carries a zero.
  private func modulated(_ count: Int, _ symbolCount: Int, _ isOne: (Int) -> Bool) -> [Float] {
    var symbols = [Float](repeating: bitsPerSymbol == 2 ? 1 : 0, count: 2 * symbolCount)
    for i in 0..<count { symbols[2 / bitsPerSymbol * i] = isOne(i) ? -1 : 1 }
    return symbols
  }

  /// h of each symbol, re and im side by side.
  private func gains(_ stream: RandomStream, _ symbolCount: Int) -> [Float] {
    var stream = stream
    var gains = [Float](repeating: 0, count: 2 * symbolCount)
    let scale = Float(0.5).squareRoot()
    switch fading {
    case .none:
      for k in 0..<symbolCount { gains[2 * k] = 1 }
    case .iid:
      gains.withUnsafeMutableBufferPointer { stream.fillNormal($0, scale: scale) }
    case .block:
      let gain = stream.normal(count: 2)
      for i in gains.indices { gains[i] = scale * gain[i & 1] }
    }
    return gains
  }
}
