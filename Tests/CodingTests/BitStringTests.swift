import Coding
import LinkMath
import Testing

@Suite struct BitStringTests {
  /// The bits of a value, most significant first.
  private func bits(_ value: UInt32, _ width: Int) -> [Bool] {
    (0..<width).map { value >> UInt32(width - 1 - $0) & 1 == 1 }
  }

  private func low(_ word: UInt32, _ width: Int) -> UInt32 {
    width == 32 ? word : word & (1 << UInt32(width) - 1)
  }

  @Test(arguments: 0..<50)
  func fieldsOfRandomWidthsMatchAnArrayOfBools(seed: Int) {
    var random = stream(seed)
    var string = BitString()
    var reference: [Bool] = []
    var fields: [(value: UInt32, width: Int)] = []
    for _ in 0..<random.uniform(below: 60) {
      let width = random.uniform(below: 33)
      let value = low(random.nextWord(), width)
      string.append(value, width: width)
      reference += bits(value, width)
      fields.append((value, width))
    }
    #expect(string.count == reference.count)
    #expect((0..<string.count).map { string[$0] } == reference)
    #expect(string.bytes.count == (reference.count + 7) / 8)
    var reader = BitReader(string)
    for field in fields { #expect(reader.read(field.width) == field.value) }
    #expect(reader.remaining == 0)
  }

  @Test(arguments: 0...32)
  func batchesEqualSingleFields(width: Int) {
    for head in 0..<9 {
      var random = stream(head, instance: width)
      let values = (0..<random.uniform(below: 40)).map { _ in low(random.nextWord(), width) }
      var single = BitString(zeros: head)
      var batch = single
      for value in values { single.append(value, width: width) }
      values.withUnsafeBufferPointer { batch.append($0, width: width) }
      #expect(single == batch)

      var reader = BitReader(batch)
      _ = reader.read(head)
      var back = [UInt32](repeating: 7, count: values.count)
      back.withUnsafeMutableBufferPointer { reader.read(width, into: $0) }
      #expect(back == values)
      #expect(reader.remaining == 0)
    }
  }

  @Test func appendedStringsAndDistances() {
    for seed in 0..<40 {
      var random = stream(seed, instance: 77)
      var (a, b) = (BitString(), BitString())
      for _ in 0..<random.uniform(below: 90) { a.append(random.nextWord() & 1, width: 1) }
      for _ in 0..<random.uniform(below: 90) { b.append(random.nextWord() & 1, width: 1) }
      var joined = a
      joined.append(b)
      let flat = (0..<a.count).map { a[$0] } + (0..<b.count).map { b[$0] }
      #expect((0..<joined.count).map { joined[$0] } == flat)
      var reader = BitReader(joined)
      #expect(reader.readString(a.count) == a)
      #expect(reader.readString(b.count) == b)

      var harmed = joined
      var flips: Set<Int> = []
      if joined.count > 0 {
        for _ in 0..<5 { flips.insert(random.uniform(below: joined.count)) }
      }
      for flip in flips { harmed.flip(flip) }
      #expect(joined.hammingDistance(to: harmed) == flips.count)
      for flip in flips { #expect(joined[flip] != harmed[flip]) }
    }
  }
}
