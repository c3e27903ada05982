import Coding
import Foundation
import Testing

struct PolarCodeTests {
  // MARK: Tables and check bits

  /// A generator of degree L finds every single error and every burst of at most L bits.
  @Test(arguments: [CyclicCode.crc6, .crc11]) func checksFindBursts(_ check: CyclicCode) {
    var random = Randomness(1)
    let word = check.appended(to: random.bits(30))
    let syndromes = check.syndromes(length: word.count)
    func syndrome(_ word: [UInt8]) -> UInt32 {
      zip(word, syndromes).reduce(0) { $1.0 == 1 ? $0 ^ $1.1 : $0 }
    }
    #expect(syndrome(word) == 0 && check.remainder(of: word) == 0)
    for first in word.indices {
      for pattern in 0..<1 << (min(check.degree, word.count - first) - 1) {
        var wrong = word
        wrong[first] ^= 1
        for i in 0..<check.degree where pattern >> i & 1 == 1 { wrong[first + 1 + i] ^= 1 }
        if syndrome(wrong) == 0 { Issue.record("burst \(pattern) at \(first) not found") }
        if pattern % 37 == 0 { #expect(check.remainder(of: wrong) != 0) }
      }
    }
  }

  /// Long division on paper: x^6 (x^3 + 1) modulo x^6 + x^5 + 1.
  @Test func remainderByHand() {
    // x^6 = x^5 + 1, x^7 = x^5 + x + 1, x^8 = x^5 + x^2 + x + 1, x^9 = x^5 + x^3 + x^2 + x + 1; x^9 + x^6 = x^3 + x^2 + x.
    #expect(CyclicCode.crc6.remainder(of: [1, 0, 0, 1]) == 0b001110)
  }

  struct Golden: Sendable, CustomTestStringConvertible {
    let messageCount, codedCount, blockCount, length: Int
    let rateMatching: String
    let message, coded: [UInt8]
    var testDescription: String { "A \(messageCount) E \(codedCount)" }
  }

  static let golden: [Golden] = {
    let file = codingFixtures.appending(path: "polar_golden.csv")
    let text = (try? String(contentsOf: file, encoding: .utf8)) ?? ""
    return text.split(separator: "\n").filter { $0.first!.isNumber }.map { line in
      let cells = line.split(separator: ",")
      let numbers = cells[..<4].map { Int($0)! }
      let bits = cells[5...].map { $0.utf8.map { $0 - 48 } }
      return Golden(
        messageCount: numbers[0], codedCount: numbers[1], blockCount: numbers[2],
        length: numbers[3], rateMatching: String(cells[4]), message: bits[0], coded: bits[1])
    }
  }()

  @Test func thereAreTenGoldenWords() { #expect(Self.golden.count == 10) }

  @Test(arguments: golden) func goldenWord(_ word: Golden) throws {
    let code = try #require(
      UplinkControlCode(messageCount: word.messageCount, codedCount: word.codedCount))
    #expect(code.encode(word.message) == word.coded)
    let polar = try #require(
      PolarCode(messageCount: word.blockCount, codedCount: word.codedCount))
    #expect(polar.length == word.length)
    #expect(polar.rateMatching.rawValue == word.rateMatching)
    let soft = word.coded.map { $0 == 0 ? Float(1) : -1 }
    let received = code.decode(soft, PolarListDecoder(listSize: 8))
    #expect(received.fits && received.message == word.message)
  }

  // MARK: Codes

  /// TS 38.212, Table 5.3.1.2-1: inputs from the least to the most reliable one.
  private static let reliability: [Int] = {
    let file = codingFixtures.appending(path: "polar_sequence_1024.csv")
    let text = (try? String(contentsOf: file, encoding: .utf8)) ?? ""
    return text.split(separator: "\n").filter { $0.first!.isNumber }.map {
      Int($0.split(separator: ",")[1])!
    }
  }()

  /// Codes of 128 and 256 bits that are repeated, so that every input can be chosen. Of 18 to 25 bits three inputs are parity
  /// checks: the least reliable of the chosen ones, or two of these and, if `E - K + 3 > 192`, the most reliable one of least
  /// row weight among the others; a row of G has 2^(ones of its index) ones.
  @Test(arguments: [(18, 128, 130), (25, 256, 300), (18, 256, 300), (17, 256, 300), (26, 256, 290)])
  func chosenInputs(K: Int, N: Int, E: Int) throws {
    let code = try #require(PolarCode(messageCount: K, codedCount: E))
    #expect(code.length == N && code.rateMatching == .repetition)
    let checks = (18...25).contains(K) ? 3 : 0
    let chosen = Array(Self.reliability.filter { $0 < N }.suffix(K + checks))
    var parity = Array(chosen.prefix(checks))
    if checks > 0, E - K + 3 > 192 {
      let rest = chosen.dropFirst(3)
      let least = rest.map(\.nonzeroBitCount).min()!
      parity[2] = rest.filter { $0.nonzeroBitCount == least }.last!
    }
    #expect(code.parityPositions == parity.sorted())
    #expect(code.messagePositions == chosen.filter { !parity.contains($0) }.sorted())
  }

  /// Every coded bit that is sent is an output of the transform, each at most once unless they are repeated; no input that is
  /// used depends on outputs that are known to be zero.
  @Test func rateMatchingIsAPermutation() throws {
    var kinds: Set<PolarCode.RateMatching> = []
    for K in [13, 18, 24, 31, 75, 150, 411] {
      for E in stride(from: K + 4, to: 1400, by: 61) {
        let code = try #require(PolarCode(messageCount: K, codedCount: E))
        kinds.insert(code.rateMatching)
        let counts = code.sentOutputs.reduce(into: [Int: Int]()) { $0[$1, default: 0] += 1 }
        let low = code.rateMatching == .repetition ? E / code.length : 1
        #expect(counts.values.allSatisfy { $0 == low || $0 == low + 1 && E > code.length })
        #expect(counts.count == min(E, code.length))
        #expect(code.zeroOutputs.allSatisfy { counts[$0] == nil })
      }
    }
    #expect(kinds.count == 3)
  }

  /// A linear code: the sum of two words is the word of the sum; and shortened outputs are zero for every message, or decoding
  /// without noise would fail below.
  @Test(arguments: [(12, 24), (19, 400), (64, 128), (400, 1100)])
  func codesAreLinear(A: Int, E: Int) throws {
    let code = try #require(UplinkControlCode(messageCount: A, codedCount: E))
    var random = Randomness(3)
    let (a, b) = (random.bits(A), random.bits(A))
    let sum = zip(a, b).map { $0 ^ $1 }
    #expect(zip(code.encode(a), code.encode(b)).map { $0 ^ $1 } == code.encode(sum))
  }

  /// Without noise every message arrives, with any list: all lengths up to 40, and beyond them segmentation, each kind of rate
  /// matching, the least number of coded bits and the largest messages.
  @Test(arguments: [1, 8]) func messagesArriveWithoutNoise(list: Int) throws {
    let decoder = PolarListDecoder(listSize: list)
    var random = Randomness(4)
    let lengths = Array(1...40) + [64, 100, 359, 360, 361, 400, 511, 1012, 1013, 1500, 1705, 1706]
    for A in lengths {
      let least = try #require(UplinkControlCode.leastCodedCount(messageCount: A))
      let further = [least + 1, least + 7, 5 * A / 4 + 24, 2 * A + 25, 1087, 1088, 1089, 3000]
      for E in [least] + further.filter({ $0 > least && A < 360 || $0 > 3 * A / 2 }) {
        let code = try #require(UplinkControlCode(messageCount: A, codedCount: E), "\(A) \(E)")
        #expect(code.blockCount == (A >= 1013 || A >= 360 && E >= 1088 ? 2 : 1))
        let message = random.bits(A)
        let coded = code.encode(message)
        #expect(coded.count == E)
        let received = code.decode(coded.map { $0 == 0 ? 2.5 : -2.5 }, decoder)
        #expect(received.fits && received.message == message, "A \(A) E \(E)")
      }
    }
  }

  @Test func impossibleSizesAreRefused() {
    #expect(UplinkControlCode(messageCount: 0, codedCount: 10) == nil)
    #expect(UplinkControlCode(messageCount: 1707, codedCount: 9000) == nil)
    #expect(UplinkControlCode(messageCount: 20, codedCount: 30) == nil)
    #expect(UplinkControlCode(messageCount: 5, codedCount: 4) == nil)
    #expect(UplinkControlCode(messageCount: 64, codedCount: 70000) == nil)
    #expect(UplinkControlCode.leastCodedCount(messageCount: 1707) == nil)
    // CRC11 behind 20 bits and no parity-check bits from K = 31 on; CRC6 and three parity-check bits at A = 12.
    #expect(UplinkControlCode.leastCodedCount(messageCount: 20) == 31)
    #expect(UplinkControlCode.leastCodedCount(messageCount: 12) == 21)
    #expect(UplinkControlCode.leastCodedCount(messageCount: 3) == 3)
  }
}
