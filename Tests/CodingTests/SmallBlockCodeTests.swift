import Coding
import Foundation
import Testing

struct SmallBlockCodeTests {
  private func words(_ A: Int) -> [[UInt8]] {
    (0..<1 << A).map { w in (0..<A).map { UInt8(w >> $0 & 1) } }
  }

  /// Weights of the (32, A) codes: first-order Reed-Muller up to A = 6, then with masks between which the distance is 12,
  /// and 10 for A = 11.
  @Test(arguments: [
    (6, [16: 62, 32: 1]), (7, [12: 16, 16: 94, 20: 16, 32: 1]),
    (10, [12: 240, 16: 542, 20: 240, 32: 1]),
    (11, [10: 64, 12: 240, 14: 448, 16: 542, 18: 448, 20: 240, 22: 64, 32: 1]),
  ])
  func weights(A: Int, expected: [Int: Int]) throws {
    let code = try #require(SmallBlockCode(messageCount: A, codedCount: 32))
    var counts: [Int: Int] = [:]
    for word in words(A) where word.contains(1) {
      counts[code.encode(word).count { $0 == 1 }, default: 0] += 1
    }
    #expect(counts == expected)
  }

  /// Some rows of Table 5.3.3.3-1: bit i of the word of message k is M(i, k).
  @Test func basis() throws {
    let code = try #require(SmallBlockCode(messageCount: 11, codedCount: 32))
    func row(_ i: Int) -> [UInt8] {
      (0..<11).map { k in code.encode((0..<11).map { $0 == k ? 1 : 0 })[i] }
    }
    #expect(row(0) == [1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1])
    #expect(row(15) == [1, 1, 0, 0, 1, 1, 1, 1, 0, 1, 1])
    #expect(row(29) == [1, 0, 1, 1, 1, 1, 1, 1, 1, 0, 0])
    #expect(row(31) == [1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0])
  }

  /// The start of a word can be too short to tell messages apart though it has as many bits as they: rows 0 to 4 of the first
  /// five columns are not independent.
  @Test func wordsMustDiffer() {
    #expect(SmallBlockCode(messageCount: 5, codedCount: 5) == nil)
    #expect(SmallBlockCode(messageCount: 5, codedCount: 6) != nil)
    for A in 3...11 {
      let least = UplinkControlCode.leastCodedCount(messageCount: A)!
      let code = SmallBlockCode(messageCount: A, codedCount: least)!
      #expect(Set(words(A).map(code.encode)).count == 1 << A)
    }
  }

  @Test func oneAndTwoBits() throws {
    #expect(SmallBlockCode(messageCount: 1, codedCount: 4)!.encode([1]) == [1, 1, 1, 1])
    #expect(
      SmallBlockCode(messageCount: 2, codedCount: 7)!.encode([1, 0]) == [1, 0, 1, 1, 0, 1, 1])
    #expect(SmallBlockCode(messageCount: 2, codedCount: 3)!.encode([1, 1]) == [1, 1, 0])
  }

  /// The decoder is the search over all words, also where only a part of a word or more than one is sent.
  @Test(arguments: [(1, 1), (1, 6), (2, 5), (3, 32), (5, 20), (6, 32), (8, 41), (11, 32), (11, 75)])
  func decisionsAreMaximumLikelihood(A: Int, E: Int) throws {
    let code = try #require(UplinkControlCode(messageCount: A, codedCount: E))
    let decoder = PolarListDecoder(listSize: 1)
    let all = words(A).map { (message: $0, coded: code.encode($0)) }
    var random = Randomness(11)
    var errors = 0
    for _ in 0..<(A > 8 ? 40 : 150) {
      let sent = all.randomElement(using: &random)!
      let soft = random.soft(sent.coded, decibels: -10 * log10(Double(E)))
      func likelihood(_ coded: [UInt8]) -> Float {
        zip(coded, soft).reduce(0) { $0 + ($1.0 == 0 ? $1.1 : -$1.1) }
      }
      let best = all.map { likelihood($0.coded) }.max()!
      let decoded = code.decode(soft, decoder)
      #expect(decoded.fits)
      #expect(abs(likelihood(code.encode(decoded.message)) - best) < 1e-3)
      errors += decoded.message == sent.message ? 0 : 1
    }
    #expect(errors > 0)
  }
}
