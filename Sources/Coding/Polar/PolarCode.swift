/// A rate-matched polar code of the uplink: which inputs of the transform carry bits, and which outputs are sent.
///
/// The K bits of a code block (message and check bits) and up to three parity-check bits take the most reliable inputs u of
/// `d = u G`, G the n-fold Kronecker power of [[1, 0], [1, 1]], N = 2^n; all others are zero ("frozen"). Of the N outputs, in
/// the order of the sub-block interleaver, E are sent: some twice or more (repetition), or without the first N - E
/// (puncturing), or without the last N - E, which are zero (shortening); a triangular interleaver spreads them.
///
/// Reference: E. Arikan, "Channel polarization", IEEE Trans. Inf. Theory 55 (2009) 3051, doi:10.1109/TIT.2009.2021379; 3GPP
/// TS 38.212, clauses 5.3.1 and 5.4.1 with n_max = 10, I_IL = 0 and I_BIL = 1.
public struct PolarCode: Sendable {
  /// How N outputs become E bits.
  public enum RateMatching: String, Sendable {
    /// Outputs are sent in turn, more than once.
    case repetition
    /// Some outputs are not sent and unknown to the receiver.
    case puncturing
    /// Some outputs are not sent and known to be zero.
    case shortening
  }

  /// Bits K of a code block, check bits included.
  public let messageCount: Int
  /// Bits E that are sent.
  public let codedCount: Int
  /// n: the transform has 2^n inputs.
  public let stageCount: Int
  /// How the outputs of the transform become the bits that are sent.
  public let rateMatching: RateMatching
  /// Inputs of the transform that carry the block's bits, ascending [K].
  public let messagePositions: [Int]
  /// Inputs that carry parity-check bits, ascending.
  public let parityPositions: [Int]
  /// The output of the transform that each bit on the channel is [E].
  public let sentOutputs: [Int]
  /// Outputs that are zero and not sent.
  public let zeroOutputs: [Int]
  private(set) var schedule = PolarSchedule()

  /// N, inputs and outputs of the transform.
  public var length: Int { 1 << stageCount }

  /// The most bits E of one block that can be sent.
  public static let codedLimit = 1 << 16

  /// The code for blocks of K bits in E bits.
  ///
  /// - Returns: nil unless `0 < K <= E <= 65536` and there are inputs for all bits.
  /// - Complexity: O(N + E).
  public init?(messageCount K: Int, codedCount E: Int) {
    guard K > 0, K <= E, E <= Self.codedLimit else { return nil }
    let parityCount = (18...25).contains(K) ? 3 : 0
    let n = Self.stageCount(K, E)
    let N = 1 << n
    guard K + parityCount <= N else { return nil }
    let outputs = (0..<N).map { PolarTables.subBlocks[32 * $0 / N] * (N / 32) + $0 % (N / 32) }
    let matching: RateMatching = E >= N ? .repetition : 16 * K <= 7 * E ? .puncturing : .shortening
    var isUsable = [Bool](repeating: true, count: N)
    switch matching {
    case .repetition: break
    case .puncturing:
      for output in outputs[..<(N - E)] { isUsable[output] = false }
      // ceil(3N/4 - E/2) and ceil(9N/16 - E/4).
      let first = 4 * E >= 3 * N ? (3 * N - 2 * E + 3) / 4 : (9 * N - 4 * E + 15) / 16
      for input in 0..<max(first, 0) { isUsable[input] = false }
    case .shortening: for output in outputs[E...] { isUsable[output] = false }
    }
    let reliable = PolarTables.reliability.lazy.map(Int.init).filter { $0 < N && isUsable[$0] }
    let chosen = Array(Array(reliable).suffix(K + parityCount))
    guard chosen.count == K + parityCount else { return nil }
    let parity = Self.parityPositions(chosen, count: parityCount, far: E - K + 3 > 192)

    (messageCount, codedCount, stageCount, rateMatching) = (K, E, n, matching)
    parityPositions = parity.sorted()
    messagePositions = chosen.filter { !parity.contains($0) }.sorted()
    zeroOutputs = matching == .shortening ? Array(outputs[E...]) : []
    let skipped = matching == .puncturing ? N - E : 0
    sentOutputs = Self.channelOrder(E).map { outputs[(skipped + $0) % N] }
    schedule = PolarSchedule(self)
  }

  /// n of clause 5.3.1 with n_max = 10.
  private static func stageCount(_ K: Int, _ E: Int) -> Int {
    func ceilLog2(_ x: Int) -> Int { Int.bitWidth - (x - 1).leadingZeroBitCount }
    let high = ceilLog2(E)
    let fits = 8 * E <= 9 << (high - 1) && 16 * K < 9 * E
    return max(5, min(fits ? high - 1 : high, ceilLog2(8 * K), 10))
  }

  /// Of the chosen inputs, least reliable first, those with parity checks: the least reliable ones, of which one gives way,
  /// if many more bits are sent than the block has, to the most reliable of those whose row of G has the lowest weight.
  private static func parityPositions(_ chosen: [Int], count: Int, far: Bool) -> [Int] {
    guard count > 0 else { return [] }
    guard far else { return Array(chosen.prefix(count)) }
    let rest = chosen.dropFirst(count)
    let weight = rest.map(\.nonzeroBitCount).min()!
    return chosen.prefix(count - 1) + [rest.last { $0.nonzeroBitCount == weight }!]
  }

  /// The order in which selected bits are sent: written by rows into a triangle with a right angle at the top left, read by
  /// columns (clause 5.4.1.3).
  private static func channelOrder(_ E: Int) -> [Int] {
    var side = 1
    while side * (side + 1) / 2 < E { side += 1 }
    var order: [Int] = []
    order.reserveCapacity(E)
    for column in 0..<side {
      var k = column
      for row in 0..<side - column where k < E {
        order.append(k)
        k += side - row
      }
    }
    return order
  }

  /// The bits on the channel [E] of a block [K], each a byte of 0 or 1. O(N log N + E).
  ///
  /// - Precondition: the block has K bits.
  public func encode(_ block: [UInt8]) -> [UInt8] {
    precondition(block.count == messageCount, "\(block.count) bits for a code of \(messageCount)")
    var word = [UInt8](repeating: 0, count: length)
    for (position, bit) in zip(messagePositions, block) { word[position] = bit }
    setParity(&word)
    word.withUnsafeMutableBufferPointer { Self.transform($0.baseAddress!, count: $0.count) }
    return sentOutputs.map { word[$0] }
  }

  /// Parity-check bits: the sum of the block's bits before it at a distance of a multiple of five (a register of five
  /// stages, clause 5.3.1.2).
  private func setParity(_ word: inout [UInt8]) {
    for position in parityPositions {
      for before in messagePositions where before < position && (position - before) % 5 == 0 {
        word[position] ^= word[before]
      }
    }
  }

  /// `x G` in place, its own inverse. O(N log N).
  static func transform<Word: FixedWidthInteger>(_ x: UnsafeMutablePointer<Word>, count: Int) {
    var half = 1
    while half < count {
      var first = 0
      while first < count {
        let (a, b) = (x + first, x + first + half)
        for i in 0..<half { a[i] ^= b[i] }
        first += 2 * half
      }
      half *= 2
    }
  }
}
