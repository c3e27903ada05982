/// The channel code of uplink control information: A bits become E bits for a channel of soft bits.
///
/// Up to 11 bits take a ``SmallBlockCode``. Longer messages take CRC and polar code: 6 check bits up to A = 19, else 11; two
/// code blocks of equal size if `A >= 1013`, or `A >= 360` and `E >= 1088`, after a zero if A is odd, each with its own check
/// bits and floor(E / 2) of the coded bits. Bits that are left over are zeros.
///
/// Reference: 3GPP TS 38.212, clauses 5.2.1, 6.3.1.2 to 6.3.1.5.
public struct UplinkControlCode: Sendable {
  private enum Coder: Sendable {
    case small(SmallBlockCode)
    case polar(PolarCode, CyclicCode, syndromes: [UInt32])
  }

  /// Bits A of a message.
  public let messageCount: Int
  /// Bits E on the channel.
  public let codedCount: Int
  /// Code blocks, 1 or 2.
  public let blockCount: Int
  private let coder: Coder

  /// The most bits of a message.
  public static let messageLimit = 1706

  /// The code for A bits in E bits.
  ///
  /// - Returns: nil if there is none: A outside 1...1706, or E below ``leastCodedCount(messageCount:)``, or above 65536 for
  ///   a block.
  /// - Complexity: O(N + E).
  public init?(messageCount A: Int, codedCount E: Int) {
    guard (1...Self.messageLimit).contains(A), E >= A else { return nil }
    (messageCount, codedCount) = (A, E)
    if A < 12 {
      guard let code = SmallBlockCode(messageCount: A, codedCount: E) else { return nil }
      (blockCount, coder) = (1, .small(code))
      return
    }
    blockCount = A >= 1013 || A >= 360 && E >= 1088 ? 2 : 1
    let check = A < 20 ? CyclicCode.crc6 : .crc11
    let size = (A + blockCount - 1) / blockCount + check.degree
    guard let code = PolarCode(messageCount: size, codedCount: E / blockCount) else { return nil }
    coder = .polar(code, check, syndromes: check.syndromes(length: size))
  }

  /// The least E for A bits; nil if there is none.
  public static func leastCodedCount(messageCount A: Int) -> Int? {
    guard (1...messageLimit).contains(A) else { return nil }
    // The check bits of at most two blocks, the bit that an odd message gets, and parity-check bits.
    return (A...A + 2 * 11 + 4).first { UplinkControlCode(messageCount: A, codedCount: $0) != nil }
  }

  /// Bits of a code block, check bits included, bits on the channel for it, and the number of blocks.
  public var block: (message: Int, coded: Int, count: Int) {
    switch coder {
    case .small: (messageCount, codedCount, 1)
    case .polar(let code, _, _): (code.messageCount, code.codedCount, blockCount)
    }
  }

  /// Whether a receiver can tell that a message did not arrive.
  public var hasCheck: Bool { if case .polar = coder { true } else { false } }

  /// The bits on the channel [E] of a message [A], each a byte of 0 or 1.
  public func encode(_ message: [UInt8]) -> [UInt8] {
    precondition(message.count == messageCount, "\(message.count) bits for \(messageCount)")
    switch coder {
    case .small(let code): return code.encode(message)
    case .polar(let code, let check, _):
      let size = code.messageCount - check.degree
      let padded = Array(repeating: 0, count: size * blockCount - messageCount) + message
      var coded: [UInt8] = []
      for block in 0..<blockCount {
        coded += code.encode(check.appended(to: padded[block * size..<(block + 1) * size]))
      }
      return coded + Array(repeating: 0, count: codedCount - coded.count)
    }
  }

  /// The message that soft bits tell.
  ///
  /// - Parameters:
  ///   - received: log P(0)/P(1) of each bit on the channel [E]; values that are not numbers count as zero.
  ///   - decoder: its memory is used.
  ///   - message: the bits, each 0 or 1 [A].
  /// - Returns: whether the check bits of all blocks fit; true for messages that have none.
  public func decode(
    _ received: UnsafeBufferPointer<Float>, with decoder: PolarListDecoder,
    into message: UnsafeMutableBufferPointer<UInt8>
  ) -> Bool {
    precondition(received.count == codedCount && message.count == messageCount)
    switch coder {
    case .small(let code):
      code.decode(received, into: message)
      return true
    case .polar(let code, let check, let syndromes):
      let (size, share) = (code.messageCount - check.degree, code.codedCount)
      let padding = size * blockCount - messageCount
      return withUnsafeTemporaryAllocation(of: UInt8.self, capacity: code.messageCount) { bits in
        var fits = true
        for block in 0..<blockCount {
          let values = UnsafeBufferPointer(
            rebasing: received[block * share..<(block + 1) * share])
          if !decoder.decode(code, syndromes: syndromes, received: values, into: bits) {
            fits = false
          }
          for k in 0..<size where block * size + k >= padding {
            message[block * size + k - padding] = bits[k]
          }
        }
        return fits
      }
    }
  }
}
