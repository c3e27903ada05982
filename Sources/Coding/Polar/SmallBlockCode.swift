/// Channel codes of uplink control information of 1 to 11 bits, without check bits.
///
/// One bit is repeated; two bits are sent with their sum; 3 to 11 bits are a word of the (32, A) code, a Reed-Muller code of
/// first order with five masks: `d_i = sum_k c_k M(i, k)`. The E bits on the channel are the word again and again, and its
/// start. Words are decided with maximum likelihood: for the (32, A) code by a fast Hadamard transform for each mask.
///
/// Reference: 3GPP TS 38.212, clauses 5.3.3 and 5.4.3 (Table 5.3.3.3-1); R. R. Green, "A serial orthogonal decoder", JPL
/// Space Programs Summary 37-39-IV (1966) 247, for the decoder.
public struct SmallBlockCode: Sendable {
  /// Bits A of a message, 1 to 11.
  public let messageCount: Int
  /// Bits E that are sent.
  public let codedCount: Int
  /// Of each bit of the code word before repetition: which bits of the message it sums, bit k for c_k.
  private let masks: [UInt16]

  /// The code for A bits in E bits.
  ///
  /// - Returns: nil unless `1 <= A <= 11`, `E <= 65536`, and any two messages differ in some of the E bits.
  public init?(messageCount A: Int, codedCount E: Int) {
    guard (1...11).contains(A), A <= E, E <= PolarCode.codedLimit else { return nil }
    (messageCount, codedCount) = (A, E)
    masks =
      switch A {
      case 1: [1]
      case 2: [1, 2, 3]
      default: Self.table.map { $0 & (1 << UInt16(A) - 1) }
      }
    guard Self.rank(masks.prefix(E)) == A else { return nil }
  }

  /// Of a matrix over two elements with these rows.
  private static func rank(_ rows: ArraySlice<UInt16>) -> Int {
    var basis: [UInt16] = []
    for row in rows {
      let rest = basis.reduce(row) { min($0, $0 ^ $1) }
      if rest != 0 { basis.append(rest) }
    }
    return basis.count
  }

  /// Rows of M, column k in bit k.
  static let table: [UInt16] = [
    "11000000001", "11100000011", "10010010111", "10110000101", "11110001001", "11001011101",
    "10101010111", "10011001101", "11011001011", "10111010011", "10100111011", "11100110101",
    "10010101111", "11010101011", "10001101001", "11001111011", "11101110010", "10011100100",
    "11011111000", "10000110000", "10100010001", "11010000011", "10001001101", "11101000111",
    "11111011110", "11000111001", "10110100110", "11110101110", "10101110100", "10111111100",
    "11111111111", "10000000000",
  ].map { UInt16(String($0.reversed()), radix: 2)! }

  /// The bits on the channel [E] of a message [A], each a byte of 0 or 1.
  public func encode(_ message: [UInt8]) -> [UInt8] {
    precondition(message.count == messageCount, "\(message.count) bits for \(messageCount)")
    let word = message.enumerated().reduce(UInt16(0)) { $0 | UInt16($1.element) << $1.offset }
    return (0..<codedCount).map {
      UInt8((masks[$0 % masks.count] & word).nonzeroBitCount & 1)
    }
  }

  /// The likeliest message.
  ///
  /// - Parameters:
  ///   - received: log P(0)/P(1) of each bit on the channel [E]; values that are not numbers count as zero.
  ///   - message: the bits, each 0 or 1 [A].
  /// - Complexity: O(E + 32 · 5 · 2^max(0, A - 6)).
  public func decode(
    _ received: UnsafeBufferPointer<Float>, into message: UnsafeMutableBufferPointer<UInt8>
  ) {
    precondition(received.count == codedCount && message.count == messageCount)
    var values = [Float](repeating: 0, count: masks.count)
    for i in received.indices { values[i % masks.count] += SoftValue.finite(received[i]) }
    let word = messageCount < 3 ? likeliestOfFew(values) : likeliest(values)
    for k in message.indices { message[k] = UInt8(word >> UInt16(k) & 1) }
  }

  /// By trying all messages.
  private func likeliestOfFew(_ values: [Float]) -> UInt16 {
    (0..<UInt16(1) << UInt16(messageCount)).map { word in
      (word, correlation(values, word))
    }.reduce((0, -Float.infinity)) { $1.1 > $0.1 ? $1 : $0 }.0
  }

  private func correlation(_ values: [Float], _ word: UInt16) -> Float {
    zip(values, masks).reduce(0) { $0 + ($1.1 & word).signed(of: $1.0) }
  }

  /// The Hadamard transform of the values, with the signs of a mask, has at index j the correlation with the word whose bits
  /// 1 to 5 are j; its sign is bit 0.
  private func likeliest(_ values: [Float]) -> UInt16 {
    let maskCount = 1 << max(0, messageCount - 6)
    let indices = 1 << min(5, messageCount - 1)
    var (best, word) = (-Float.infinity, UInt16(0))
    withUnsafeTemporaryAllocation(of: Float.self, capacity: 32) { row in
      for mask in 0..<maskCount {
        row.update(repeating: 0)
        for i in 0..<32 {
          // Bits 1 to 5 of the rows are all 32 numbers once.
          let place = Int(masks[i] >> 1 & 31)
          row[place] += (masks[i] >> 6 & UInt16(mask)).signed(of: values[i])
        }
        Self.hadamard(row)
        for index in 0..<indices where abs(row[index]) > best {
          best = abs(row[index])
          word = UInt16(mask) << 6 | UInt16(index) << 1 | (row[index] < 0 ? 1 : 0)
        }
      }
    }
    return word
  }

  private static func hadamard(_ x: UnsafeMutableBufferPointer<Float>) {
    var half = 1
    while half < x.count {
      for i in 0..<x.count where i & half == 0 {
        (x[i], x[i + half]) = (x[i] + x[i + half], x[i] - x[i + half])
      }
      half *= 2
    }
  }
}

extension UInt16 {
  /// A value with the sign that the parity of these bits gives it.
  fileprivate func signed(of value: Float) -> Float {
    nonzeroBitCount & 1 == 0 ? value : -value
  }
}
