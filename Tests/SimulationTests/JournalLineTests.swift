import DataFiles
import Foundation
import LinkMath
import Simulation
import TestSupport
import Testing

/// Lines of the journal: every bit of every number comes back, and no damage passes.
@Suite struct JournalLineTests {
  /// Two points, one of two users, three numbers.
  private static let layout = BlockLayout(numbers: ["a", "b", "c"], users: [1, 2])

  /// A block of any bit patterns, those that are no numbers among them, or of alike ones.
  private func block(_ drops: Int, _ random: inout RandomStream, isAlike: Bool = false)
    -> BlockMetrics
  {
    let awkward: [Double] = [
      0, -0.0, .nan, .signalingNaN, .infinity, -.infinity, .leastNonzeroMagnitude,
      .greatestFiniteMagnitude, 1, 10, Double(bitPattern: 0x0A1B_0A1B_0A1B_0A1B),
    ]
    let values = (0..<drops * Self.layout.valuesPerDrop).map { index -> Double in
      if isAlike { return awkward[index % 3] }
      return index < awkward.count
        ? awkward[index]
        : Double(bitPattern: UInt64(random.uniform() * 0x1p63) &* 0x9E37_79B9_7F4A_7C15)
    }
    return BlockMetrics(layout: Self.layout, dropCount: drops, values: values)!
  }

  @Test func everyBitComesBack() throws {
    var random = testStream(9)
    for drops in [1, 2, 7, 64, 500] {
      for isAlike in [false, true] {
        let block = block(drops, &random, isAlike: isAlike)
        let line = JournalLine.bytes(12, block)
        #expect(line.last == 0x0A && line.dropLast().allSatisfy { $0 != 0x0A })
        #expect(line == JournalLine.bytes(12, block))
        let (index, read) = try #require(JournalLine.parse(Data(line.dropLast()), Self.layout))
        #expect(index == 12 && read.dropCount == drops)
        #expect(read.values.map(\.bitPattern) == block.values.map(\.bitPattern))
        // Alike numbers take little room.
        if isAlike, drops >= 64 { #expect(line.count < 2 * block.values.count) }
      }
    }
  }

  /// The numbers stand as [number, user of a point, drop], the lowest bytes of all first: unpacked by hand.
  @Test func orderOfTheBytes() throws {
    let values = (0..<2 * Self.layout.valuesPerDrop).map { Double(bitPattern: UInt64($0) << 8 | 7) }
    let block = BlockMetrics(layout: Self.layout, dropCount: 2, values: values)!
    let line = JournalLine.bytes(0, block).dropLast()
    let fields = line.split(separator: 0x20, maxSplits: 4, omittingEmptySubsequences: false)
    var packed: [UInt8] = []
    var isEscaped = false
    for byte in fields[4] {
      if byte == 0x1B {
        isEscaped = true
      } else {
        packed.append(isEscaped ? (byte == 1 ? 0x0A : 0x1B) : byte)
        isEscaped = false
      }
    }
    let raw = try #require(Deflate.unpacked(packed, count: 8 * 18))
    #expect(raw.prefix(18).allSatisfy { $0 == 7 })
    #expect(
      raw[18..<36].map(Int.init)
        == (0..<3).flatMap { number in (0..<6).map { 3 * $0 + number } })
    #expect(raw[36...].allSatisfy { $0 == 0 })
  }

  /// Any changed byte, any cut, another layout: the line is no line.
  @Test func damageIsFound() throws {
    var random = testStream(10)
    let line = JournalLine.bytes(3, block(4, &random)).dropLast()
    for place in line.indices {
      var damaged = Data(line)
      damaged[place] ^= UInt8(1 + random.uniform() * 254)
      #expect(JournalLine.parse(damaged, Self.layout) == nil, "byte \(place)")
      #expect(JournalLine.parse(Data(line[..<place]), Self.layout) == nil, "cut at \(place)")
    }
    let other = BlockLayout(numbers: ["a", "b"], users: [1, 2])
    #expect(JournalLine.parse(Data(line), other) == nil)
    #expect(JournalLine.parse(Data(line), Self.layout) != nil)
  }

  /// Numbers that take more room than they say are refused without taking it, whatever the checksum.
  @Test func sizesAreChecked() {
    var random = testStream(11)
    let line = JournalLine.bytes(0, block(4096, &random, isAlike: true)).dropLast()
    let small = BlockLayout(numbers: ["a"], users: [1])
    let large = BlockLayout(
      numbers: (0..<1000).map(String.init), users: [Int](repeating: 1000, count: 1000))
    #expect(JournalLine.parse(Data(line), small) == nil)
    #expect(JournalLine.parse(Data(line), large) == nil)
  }
}
