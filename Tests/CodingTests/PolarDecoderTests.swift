import Coding
import Foundation
import Testing

struct PolarDecoderTests {
  /// Blocks of few bits in a code without check bits, with a list of all words: the likeliest word of all.
  @Test(arguments: [(3, 8), (3, 40), (2, 32), (3, 21)])
  func fullListsAreMaximumLikelihood(K: Int, E: Int) throws {
    let code = try #require(PolarCode(messageCount: K, codedCount: E))
    let decoder = PolarListDecoder(listSize: 8)
    var random = Randomness(5)
    let words = (0..<1 << K).map { w in (0..<K).map { UInt8(w >> $0 & 1) } }
    var errors = 0
    for _ in 0..<400 {
      let sent = words.randomElement(using: &random)!
      let soft = random.soft(code.encode(sent), decibels: -6 - 10 * log10(Double(E) / 20))
      func likelihood(_ word: [UInt8]) -> Float {
        zip(code.encode(word), soft).reduce(0) { $0 + ($1.0 == 0 ? $1.1 : -$1.1) }
      }
      let best = words.max { likelihood($0) < likelihood($1) }!
      let decoded = decoder.decode(code, syndromes: Array(repeating: 0, count: K), soft).block
      #expect(decoded == best || abs(likelihood(decoded) - likelihood(best)) < 1e-4)
      errors += best == sent ? 0 : 1
    }
    #expect(errors > 10, "too little noise to tell: \(errors)")
  }

  /// With check bits the result is the likeliest of the kept paths that fits; the lists are those of deciding bit by bit.
  @Test(
    arguments: [(12, 24), (12, 40), (16, 90), (19, 230), (20, 48), (32, 60), (64, 128), (64, 90)],
    [1, 2, 4, 8])
  func nodesAreDecidedAsBitByBit(_ size: (A: Int, E: Int), list: Int) throws {
    let check: CyclicCode = size.A < 20 ? .crc6 : .crc11
    let K = size.A + check.degree
    let code = try #require(PolarCode(messageCount: K, codedCount: size.E))
    let syndromes = check.syndromes(length: K)
    let decoder = PolarListDecoder(listSize: list)
    let plain = PlainListDecoder(code: code, listSize: list)
    var random = Randomness(UInt64(100 * K + list))
    var (failures, wrong) = (0, 0)
    // Around the noise at which a few in ten blocks are lost.
    let level = 10 * log10(Double(K) / Double(size.E)) + 1
    for _ in 0..<8 {
      let sent = check.appended(to: random.bits(size.A))
      let soft = random.soft(code.encode(sent), decibels: level)
      let kept = plain.decode(soft)
      let fitting = kept.first { check.remainder(of: $0.block) == 0 }
      let decoded = decoder.decode(code, syndromes: syndromes, soft)
      #expect(decoded.fits == (fitting != nil))
      #expect(decoded.block == (fitting ?? kept[0]).block)
      failures += decoded.fits ? 0 : 1
      wrong += decoded.block == sent ? 0 : 1
    }
    #expect(failures < 8 && wrong < 8)
  }

  /// A list of 8 loses far fewer blocks than successive cancellation.
  @Test func longerListsLoseFewer() throws {
    let code = try #require(UplinkControlCode(messageCount: 20, codedCount: 48))
    var lost: [Int: Int] = [:]
    for list in [1, 8] {
      let decoder = PolarListDecoder(listSize: list)
      var random = Randomness(6)
      for _ in 0..<1500 {
        let message = random.bits(20)
        let soft = random.soft(code.encode(message), decibels: -0.5)
        if code.decode(soft, decoder).message != message { lost[list, default: 0] += 1 }
      }
    }
    #expect(lost[8]! > 20 && lost[1]! > 2 * lost[8]!, "\(lost)")
  }

  /// Scaling all soft bits changes nothing: the metric is linear.
  @Test func decisionsDoNotDependOnScale() throws {
    let code = try #require(UplinkControlCode(messageCount: 40, codedCount: 100))
    let decoder = PolarListDecoder(listSize: 8)
    var random = Randomness(7)
    for _ in 0..<40 {
      let soft = random.soft(code.encode(random.bits(40)), decibels: -2)
      let small = code.decode(soft.map { $0 * 0x1p-40 }, decoder)
      let large = code.decode(soft.map { $0 * 0x1p60 }, decoder)
      #expect(small == code.decode(soft, decoder) && large == small)
    }
  }

  /// Any soft bits decode: nothing, infinities of both signs, what is not a number, the largest and the smallest numbers.
  @Test(arguments: [(1, 5), (2, 9), (7, 40), (12, 30), (19, 300), (64, 128), (400, 1200), (64, 90)])
  func anySoftBitsDecode(A: Int, E: Int) throws {
    let code = try #require(UplinkControlCode(messageCount: A, codedCount: E))
    let odd: [Float] = [
      0, -0.0, .infinity, -.infinity, .nan, .signalingNaN, .greatestFiniteMagnitude,
      -.greatestFiniteMagnitude, .leastNonzeroMagnitude, 1, -1,
    ]
    var random = Randomness(8)
    for list in [1, 2, 3, 4, 8] {
      let decoder = PolarListDecoder(listSize: list)
      for value in odd {
        let message = code.decode(Array(repeating: value, count: E), decoder).message
        #expect(message.allSatisfy { $0 < 2 })
      }
      for _ in 0..<20 {
        let soft = (0..<E).map { _ in odd.randomElement(using: &random)! }
        #expect(code.decode(soft, decoder).message.allSatisfy { $0 < 2 })
      }
    }
    // Infinities are certain bits; what is not a number is an unknown one.
    let message = random.bits(A)
    var soft = code.encode(message).map { $0 == 0 ? Float.infinity : -.infinity }
    if E > 2 * A + 30 { soft[E / 2] = .nan }
    let received = code.decode(soft, PolarListDecoder(listSize: 4))
    #expect(received.fits && received.message == message)
  }

  /// Check bits let about 2^-6 and 2^-11 of random words pass for each of the list's candidates.
  @Test func checksRefuseNoise() throws {
    for (A, E, degree) in [(15, 40, 6), (30, 64, 11)] {
      let code = try #require(UplinkControlCode(messageCount: A, codedCount: E))
      let decoder = PolarListDecoder(listSize: 8)
      var random = Randomness(9)
      var passed = 0
      for _ in 0..<3000 {
        let noise = (0..<E).map { _ in Float(random.normal()) }
        passed += code.decode(noise, decoder).fits ? 1 : 0
      }
      // At most the chance of any of eight, at least that of one, in 4 standard errors.
      let chance = pow(2, -Double(degree)) * 3000
      #expect(Double(passed) < 8 * chance + 4 * (8 * chance).squareRoot(), "\(passed)")
      #expect(Double(passed) > chance - 4 * chance.squareRoot(), "\(passed)")
    }
  }
}
