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

  /// A block of any singles, those that are no numbers among them, or of alike ones.
  private func block(
    _ drops: Int, _ random: inout RandomStream, isAlike: Bool = false,
    _ layout: BlockLayout = layout
  ) -> BlockMetrics {
    let awkward: [Float] = [
      0, -0.0, .nan, .infinity, -.infinity, .leastNonzeroMagnitude, -.leastNonzeroMagnitude,
      .greatestFiniteMagnitude, 1, 10, Float(bitPattern: 0x0A1B_0A1B),
    ]
    let values = (0..<drops * layout.valuesPerDrop).map { index -> Double in
      if isAlike { return Double(awkward[index % 3]) }
      return Double(
        index < awkward.count
          ? awkward[index]
          : Float(bitPattern: UInt32(random.uniform() * 0x1p31) &* 0x9E37_79B9))
    }
    return BlockMetrics(layout: layout, dropCount: drops, values: values)!
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
        if isAlike, drops >= 64 { #expect(line.count < block.values.count) }
      }
    }
  }

  /// Numbers that a metric says resemble others come back whether they do or not, whatever their order, and take little room if they do.
  @Test(arguments: [false, true])
  func resembling(_ isReversed: Bool) throws {
    let names = [
      "error_ratio", "error_energy", "reference_energy", "truncation_ratio", "full_ratio",
      "squared_cosine_similarity", "gain_fraction",
    ]
    let layout = BlockLayout(numbers: isReversed ? names.reversed() : names, users: [1, 2])
    var random = testStream(12)
    let any = block(64, &random, layout)
    let lines = try [any, alike(64, layout, &random)].map { block in
      let line = JournalLine.bytes(0, block)
      let (_, read) = try #require(JournalLine.parse(Data(line.dropLast()), layout))
      #expect(
        zip(read.values, block.values).allSatisfy {
          $0.bitPattern == $1.bitPattern || $0.isNaN && $1.isNaN
        })
      return line.count
    }
    // Three of seven are the products and sums of the others, within a step.
    #expect(Double(lines[1]) < 0.7 * Double(lines[0]))
    let unknown = BlockLayout(numbers: names.map { "other_" + $0 }, users: [1, 2])
    #expect(lines[0] < JournalLine.bytes(0, block(64, &random, unknown)).count + 200)
  }

  /// Ratios and energies that belong to each other.
  private func alike(_ drops: Int, _ layout: BlockLayout, _ random: inout RandomStream)
    -> BlockMetrics
  {
    var values: [Double] = []
    for _ in 0..<drops * layout.users.reduce(0, +) {
      let own = (0..<4).map { _ in Float(random.uniform()) }
      let numbers = [
        "error_ratio": own[0], "reference_energy": own[1], "error_energy": own[0] * own[1],
        "truncation_ratio": own[2], "full_ratio": own[0] * (1 - own[2]) + own[2],
        "squared_cosine_similarity": own[3], "gain_fraction": own[3],
      ]
      values += layout.numbers.map { Double(numbers[$0]!) }
    }
    return BlockMetrics(layout: layout, dropCount: drops, values: values)!
  }

  /// The bytes stand as [number, byte, user of a point, drop], the lowest byte first: unpacked by hand.
  @Test func orderOfTheBytes() throws {
    let values = (0..<2 * Self.layout.valuesPerDrop).map {
      Double(Float(bitPattern: UInt32($0) << 8 | 7))
    }
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
    let raw = try #require(Deflate.unpacked(packed, count: 4 * 18))
    for number in 0..<3 {
      let own = raw[24 * number..<24 * (number + 1)]
      #expect(own.prefix(6).allSatisfy { $0 == 7 } && own.suffix(12).allSatisfy { $0 == 0 })
      #expect(own.dropFirst(6).prefix(6).map(Int.init) == (0..<6).map { 3 * $0 + number })
    }
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
