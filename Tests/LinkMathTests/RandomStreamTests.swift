import Foundation
import LinkMath
import TestSupport
import Testing

@Suite struct RandomStreamTests {
  /// Known answers published with the generator (Random123, kat_vectors, philox4x32 with 10 rounds).
  @Test(
    arguments: [
      ([0, 0, 0, 0], [0, 0], [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8]),
      (
        [0xffff_ffff, 0xffff_ffff, 0xffff_ffff, 0xffff_ffff], [0xffff_ffff, 0xffff_ffff],
        [0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd]
      ),
      (
        [0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344], [0xa409_3822, 0x299f_31d0],
        [0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1]
      ),
    ] as [([UInt32], [UInt32], [UInt32])])
  func knownAnswers(counter: [UInt32], key: [UInt32], expected: [UInt32]) {
    var stream = RandomStream(
      key: (key[0], key[1]), counter: (counter[0], counter[1], counter[2], counter[3]))
    var vector = stream
    #expect((0..<4).map { _ in stream.nextWord() } == expected)
    var words = [UInt32](repeating: 0, count: 4)
    words.withUnsafeMutableBufferPointer { vector.fill(words: $0) }
    #expect(words == expected)
  }

  @Test func vectorAndScalarWordsAgree() {
    var scalar = testStream(7)
    var vector = testStream(7)
    var words = [UInt32](repeating: 0, count: 1003)
    words.withUnsafeMutableBufferPointer { vector.fill(words: $0) }
    #expect(words == (0..<1003).map { _ in scalar.nextWord() })
    for _ in 0..<1 { _ = scalar.nextWord() }  // the fill consumed whole blocks: 1004 words
    #expect(vector.nextWord() == scalar.nextWord())
  }

  /// Every normal value against Box-Muller in double precision on the same words: 16 blocks give 6 rows of 16 values, a
  /// pair of rows from 26 bits of radius and 16 bits of direction.
  @Test func normalsEqualBoxMullerInDouble() {
    let groups = 400
    var stream = testStream(3)
    var words = [UInt32](repeating: 0, count: 64 * groups)
    var copy = stream
    words.withUnsafeMutableBufferPointer { copy.fill(words: $0) }
    let normals = stream.normal(count: 96 * groups)
    var worst = 0.0
    for group in 0..<groups {
      for block in 0..<16 {
        // The 128 bits of the block, first word first, cut into three fields of 26 + 16 bits.
        let w = (0..<4).map { UInt64(words[64 * group + 4 * block + $0]) }
        let (high, low) = (w[0] << 32 | w[1], w[2] << 32 | w[3])
        let fields = [high >> 22, (high & 0x3f_ffff) << 20 | low >> 44, low >> 2 & 0x3ff_ffff_ffff]
        for (pair, field) in fields.enumerated() {
          // The upper end of the cell in single precision: its rounding is part of the definition.
          let u = Double(Float(0x1p-26).addingProduct(Float(field >> 16), 0x1p-26))
          let radius = sqrt(-2 * log(u))
          let angle = 2 * Double.pi * Double(field & 0xffff) * 0x1p-16
          let first = 96 * group + 32 * pair + block
          worst = max(worst, abs(Double(normals[first]) - radius * cos(angle)))
          worst = max(worst, abs(Double(normals[first + 16]) - radius * sin(angle)))
        }
      }
    }
    #expect(worst < 4e-6)
  }

  @Test func consecutiveFillsContinue() {
    var whole = testStream(4)
    var parts = testStream(4)
    #expect(whole.normal(count: 500) == parts.normal(count: 192) + parts.normal(count: 308))
  }

  /// Bits that must never change: scenarios of published results depend on them.
  @Test func normalBitsAreFrozen() {
    var stream = RandomStream(key: (1, 2), counter: (0, 3, 4, 5))
    let bits = stream.normal(count: 1000).reduce(into: UInt64(14_695_981_039_346_656_037)) {
      hash, value in
      hash = (hash ^ UInt64(value.bitPattern)) &* 1_099_511_628_211
    }
    #expect(bits == RandomStreamTests.frozen)
  }
  static let frozen: UInt64 = 9_695_021_681_117_106_308

  @Test func normalMoments() {
    let count = 4_000_000
    var stream = testStream(11)
    let x = stream.normal(count: count).map(Double.init)
    let n = Double(count)
    let moment = { (p: Double) in x.reduce(0) { $0 + pow($1, p) } / n }
    #expect(abs(moment(1)) < 4 / sqrt(n))
    #expect(abs(moment(2) - 1) < 4 * sqrt(2 / n))
    #expect(abs(moment(3)) < 4 * sqrt(15 / n))
    #expect(abs(moment(4) - 3) < 4 * sqrt(96 / n))
    let beyond = Double(x.filter { abs($0) > 4 }.count)
    let expected = n * erfc(4 / sqrt(2))
    #expect(abs(beyond - expected) < 4 * sqrt(expected))
    let finite = x.allSatisfy { $0.isFinite }
    #expect(finite)
  }

  @Test func streamsOfDifferentKeysDiffer() {
    var seen = Set<[UInt32]>()
    var count = 0
    for seed in [1, 2, 1 << 40] as [UInt64] {
      for domain in StreamKey.Domain.allCases {
        for purpose in StreamKey.Purpose.allCases {
          for (drop, slot, instance, user) in [
            (0, 0, 0, 0), (1, 0, 0, 0), (1 << 33, 0, 0, 0), (0, 1, 0, 0), (0, 0, 1, 0),
            (0, 0, 0, 1), (0, 0, 0, 255), (0, (1 << 24) - 1, 0, 0), (0, (1 << 24) - 1, 0, 1),
          ] {
            var stream = StreamKey(seed: seed, domain: domain, purpose: purpose, instance: instance)
              .stream(drop: drop, slot: slot, user: user)
            seen.insert((0..<4).map { _ in stream.nextWord() })
            count += 1
          }
        }
      }
    }
    #expect(seen.count == count)
  }

  @Test func permutationsAreUniform() {
    var stream = testStream(5)
    var counts = [[Int]: Int]()
    for _ in 0..<6000 { counts[stream.permutation(3), default: 0] += 1 }
    #expect(counts.count == 6)
    for count in counts.values { #expect(abs(count - 1000) < 4 * 29) }
  }

  @Test func uniformIsInRange() {
    var stream = testStream(6)
    let values = (0..<100_000).map { _ in stream.uniform() }
    let inside = values.allSatisfy { (0..<1).contains($0) }
    #expect(inside)
    #expect(abs(values.reduce(0, +) / 1e5 - 0.5) < 4 * sqrt(1.0 / 12 / 1e5))
  }
}
