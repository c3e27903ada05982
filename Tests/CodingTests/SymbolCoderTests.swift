import Coding
import Foundation
import LinkMath
import Parts
import Testing

@Suite struct SymbolCoderTests {
  private static let alphabets = [16, 1, 5, 2, 16, 16, 300, 3, 1, 4096]

  private func codewords(_ count: Int, _ alphabets: [Int], seed: Int) -> [[UInt32]] {
    var random = stream(seed, instance: 30)
    return (0..<count).map { _ in
      alphabets.map { UInt32(random.uniform(below: $0)) }
    }
  }

  /// Symbols whose spread changes from codeword to codeword, so that neighbours tell of each other.
  private func bursts(_ count: Int, _ length: Int, seed: Int) -> [[UInt32]] {
    var random = stream(seed, instance: 31)
    return (0..<count).map { _ in
      let scale = Float(exp(2 * random.uniform() - 1))
      return random.normal(count: length).map { UInt32(min(max(8 + 3 * scale * $0, 0), 15)) }
    }
  }

  @Test func fixedWidthIsNaturalBinary() {
    let coder = FixedWidthCoder(alphabets: [4, 4, 1, 5, 2])
    #expect(coder.size == .bits(8))
    let bits = coder.bits([3, 0, 0, 4, 1])
    #expect((0..<8).map { bits[$0] } == [true, true, false, false, true, false, false, true])
    #expect(coder.symbols(bits, count: 5) == [3, 0, 0, 4, 1])
    // An index beyond its alphabet.
    var seven = BitString()
    seven.append(0b0000_1110, width: 8)
    #expect(coder.symbols(seven, count: 5) == [0, 0, 0, 4, 0])
  }

  @Test func fixedWidthKeepsEverySymbol() {
    let coder = FixedWidthCoder(alphabets: Self.alphabets)
    for symbols in codewords(500, Self.alphabets, seed: 1) {
      #expect(coder.symbols(coder.bits(symbols), count: symbols.count) == symbols)
    }
  }

  private static let models = ["static", "adaptive"]

  private func coder(
    _ model: String, _ alphabets: [Int], _ fitted: [[UInt32]], limit: Int? = nil
  ) throws -> RangeCoder {
    var given: [String: Setting] = ["model": .text(model)]
    if let limit { given["max_bits"] = .integer(limit) }
    return try make(
      RangeCoder.self, given, in: context(alphabets.count, alphabets: alphabets),
      fittedOn: [.symbols(fitted)])
  }

  /// 1e5 random symbols and those of bursts come back, behind other bits too.
  @Test(arguments: models)
  func rangeCoderKeepsEverySymbol(model: String) throws {
    let random = try coder(model, Self.alphabets, codewords(300, Self.alphabets, seed: 2))
    for symbols in codewords(10_000, Self.alphabets, seed: 3) {
      #expect(random.symbols(random.bits(symbols), count: symbols.count) == symbols)
    }
    let alphabets = [Int](repeating: 16, count: 64)
    let burst = try coder(model, alphabets, bursts(500, 64, seed: 4))
    var head = BitString()
    head.append(0b101_1111, width: 7)
    for symbols in bursts(500, 64, seed: 5) + codewords(300, alphabets, seed: 6) {
      let bits = burst.bits(symbols, behind: head)
      #expect(burst.symbols(bits, count: 64, behind: 7) == symbols)
      var reader = BitReader(bits)
      #expect(reader.read(7) == 0b101_1111)
    }
  }

  /// Bits written are those of the model's probabilities, within 1 % of the mean and 2 bits of any codeword.
  @Test func costsWhatTheModelSays() throws {
    let fitted = bursts(2000, 128, seed: 7)
    let tables = (0..<128).map { i in
      FrequencyTable(counts: (0..<16).map { level in fitted.count { $0[i] == level } })
    }
    let prior = AdaptiveModel.prior(of: Array(fitted.joined()), tables: tables)
    let models: [any SymbolModel] = [StaticModel(tables), AdaptiveModel(tables, prior: prior)]
    var means: [Double] = []
    for model in models {
      var (written, cost) = (0, 0.0)
      for symbols in bursts(1000, 128, seed: 8) {
        var (context, price) = (model.start(), 0.0)
        for symbol in symbols { price += context.cost(Int(symbol)) }
        var (writer, encoder) = (model.start(), RangeEncoder(BitString()))
        for symbol in symbols { writer.write(Int(symbol), to: &encoder) }
        let bits = encoder.finished().count
        #expect(abs(Double(bits) - price) < 2, "\(bits) \(price)")
        written += bits
        cost += price
      }
      #expect(abs(Double(written) / cost - 1) < 0.01)
      means.append(Double(written) / 1000)
    }
    // What neighbours tell is worth bits; and both are below the 4 bits of a symbol.
    #expect(means[1] < 0.98 * means[0])
    #expect(means[0] < 0.97 * 4 * 128)
  }

  /// Rare symbols, certain ones, and tables of one or two symbols.
  @Test(arguments: models)
  func extremeTables(model: String) throws {
    let alphabets = [2, 2, 4096, 1, 3]
    let fitted = [[UInt32]](repeating: [0, 1, 4095, 0, 2], count: 1_000)
    let coder = try coder(model, alphabets, fitted)
    #expect(coder.bits(fitted[0]).count <= 1)
    for symbols in codewords(2000, alphabets, seed: 9) + fitted.prefix(1) {
      let bits = coder.bits(symbols)
      #expect(coder.symbols(bits, count: 5) == symbols)
      #expect(bits.count <= coder.size.bitLimit!)
    }
  }

  /// Any bits decode to symbols of the alphabets, also none and far too many.
  @Test(arguments: models)
  func anyBitsDecode(model: String) throws {
    let coder = try coder(model, Self.alphabets, codewords(50, Self.alphabets, seed: 10))
    var random = stream(11, instance: 32)
    for i in 0..<3000 {
      var bits = BitString()
      for _ in 0..<i % 90 {
        bits.append(i % 3 == 0 ? 1 : i % 3 == 1 ? 0 : random.nextWord() >> 31, width: 1)
      }
      let symbols = coder.symbols(bits, count: Self.alphabets.count)
      #expect(zip(symbols, Self.alphabets).allSatisfy { Int($0) < $1 })
    }
  }

  /// A single wrong bit gives symbols, too.
  @Test(arguments: models)
  func flippedBitsDecode(model: String) throws {
    let alphabets = [Int](repeating: 16, count: 64)
    let coder = try coder(model, alphabets, bursts(200, 64, seed: 12))
    for (i, symbols) in bursts(300, 64, seed: 13).enumerated() {
      var bits = coder.bits(symbols)
      bits.flip(i % bits.count)
      let found = coder.symbols(bits, count: 64)
      #expect(found.allSatisfy { $0 < 16 })
    }
  }

  /// The same bytes on every machine and at every kernel level: a digest that was computed once.
  @Test func bytesAreThose() throws {
    let alphabets = [Int](repeating: 16, count: 64)
    for (model, expected) in Self.digests {
      let coder = try coder(model, alphabets, bursts(200, 64, seed: 14))
      let bytes = bursts(50, 64, seed: 15).flatMap { coder.bits($0).bytes }
      let digest = bytes.reduce(UInt64(14_695_981_039_346_656_037)) {
        ($0 ^ UInt64($1)) &* 1_099_511_628_211
      }
      #expect(digest == expected, "\(model) \(digest)")
    }
  }
  private static let digests: KeyValuePairs<String, UInt64> = [
    "static": 10_635_901_541_697_703_729, "adaptive": 6_404_071_489_269_078_764,
  ]

  @Test func frequencies() {
    let table = FrequencyTable(counts: [0, 7, 0, 1])
    #expect(table.starts.last == 65536)
    #expect((0..<4).map(table.frequency) == [1, 57342, 1, 8192].map { UInt32($0) })
    for symbol in 0..<4 {
      #expect(table.symbol(at: table.starts[symbol]) == symbol)
      #expect(table.symbol(at: table.starts[symbol + 1] - 1) == symbol)
    }
    #expect(FrequencyTable(counts: [0, 0, 0]).starts.count == 4)
  }

  @Test func limits() throws {
    let alphabets = [Int](repeating: 16, count: 64)
    #expect(
      try coder("static", alphabets, bursts(20, 64, seed: 16), limit: 100).size == .atMostBits(100))
    #expect(throws: SettingsError.self) { try coder("static", [8192], [[1]]) }
  }
}
