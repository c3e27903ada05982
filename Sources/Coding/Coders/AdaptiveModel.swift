import Foundation

/// Tables for each symbol, corrected by what the symbols before it in the codeword were like.
///
/// The symbols of an output fall into four classes by how far from the output's median they lie, of equal probability as far as
/// its alphabet allows. A codeword whose neighbouring outputs were far out is likely to go on so: the class is coded first, with
/// probabilities proportional to `p_i(k) observed_c(k) / expected_c(k)`, where p_i is the table's, and the sums over what was coded
/// so far in context c start with those of the fitted codewords. The context is the sum of the classes of the two symbols before.
/// Then the symbol is coded inside its class, by the table.
public struct AdaptiveModel: SymbolModel {
  /// Classes of a symbol.
  public static let classCount = 4
  /// Contexts of a symbol.
  public static let contextCount = 2 * classCount - 1
  /// What the fitted codewords weigh, in symbols.
  static let priorWeight = 64

  /// Sums over symbols of a context [context, class], in shares of 2^16.
  public struct Statistics: Sendable, Hashable {
    /// Symbols of the class.
    public var observed: [Int]
    /// Their probability by the tables.
    public var expected: [Int]

    /// Sums without any symbol.
    public init() {
      observed = [Int](repeating: 0, count: contextCount * classCount)
      expected = observed
    }

    /// The same proportions with so many symbols in each context, and one beside them that was as the tables expect, so that
    /// no ratio is zero or undefined.
    func scaled(to symbols: Int) -> Statistics {
      let unit = 1 << RangeEncoder.precision
      let share = unit / classCount
      var result = Statistics()
      for context in 0..<contextCount {
        let classes = context * classCount..<(context + 1) * classCount
        let total = expected[classes].reduce(0, +)
        // Integers: the same on every machine.
        func scaled(_ sum: Int) -> Int {
          let whole = UInt128(max(total, unit))
          return Int((UInt128(sum) * UInt128(symbols * unit) + whole / 2) / whole)
        }
        for k in classes {
          result.observed[k] = share + scaled(observed[k])
          result.expected[k] = share + scaled(expected[k])
        }
      }
      return result
    }
  }

  /// The symbols of an output by class.
  private struct Output: Sendable {
    /// Class of each symbol, and its place among the symbols of it.
    let places: [(k: Int, place: Int)]
    /// Symbols of each class, and their frequencies.
    private(set) var members = [[Int]](repeating: [], count: classCount)
    private(set) var tables: [FrequencyTable?] = []
    /// Share of each class in 2^16.
    private(set) var masses = [UInt64](repeating: 0, count: classCount)

    init(_ table: FrequencyTable) {
      var places: [(Int, Int)] = []
      for symbol in 0..<table.count {
        // Twice the distance of the symbol's middle from the median, at most 2^16.
        let distance = abs(Int(table.starts[symbol] + table.starts[symbol + 1]) - 1 << 16)
        let k = min((distance * classCount) >> RangeEncoder.precision, classCount - 1)
        places.append((k, members[k].count))
        members[k].append(symbol)
        masses[k] += UInt64(table.frequency(symbol))
      }
      self.places = places
      tables = members.map { members in
        members.isEmpty
          ? nil : FrequencyTable(counts: members.map { Int(table.frequency($0)) })
      }
    }
  }

  private let outputs: [Output]
  private let prior: Statistics

  /// - Parameters:
  ///   - tables: in the order of the symbols.
  ///   - prior: sums that each codeword begins with, all expected ones positive.
  public init(_ tables: [FrequencyTable], prior: Statistics) {
    outputs = tables.map(Output.init)
    self.prior = prior
  }

  /// What codewords [codeword, symbol] come to, in the weight that each codeword begins with.
  public static func prior(of codewords: [UInt32], tables: [FrequencyTable]) -> Statistics {
    let outputs = tables.map(Output.init)
    var sums = Statistics()
    for start in stride(from: 0, to: codewords.count, by: max(tables.count, 1)) {
      var context = Context(outputs: outputs, sums: sums)
      for symbol in codewords[start..<start + tables.count] { context.advance(Int(symbol)) }
      sums = context.sums
    }
    return sums.scaled(to: priorWeight)
  }

  public var largestCost: Double {
    // A class has at least one share, and so has a symbol.
    Double(outputs.reduce(0) { $0 + ($1.places.count > 1 ? 2 * RangeEncoder.precision : 0) })
  }

  public func start() -> any SymbolContext { Context(outputs: outputs, sums: prior) }

  private struct Context: SymbolContext {
    let outputs: [Output]
    var sums: Statistics
    private var place = 0
    /// Classes of the two symbols before.
    private var before = (1, 1)

    init(outputs: [Output], sums: Statistics) {
      (self.outputs, self.sums) = (outputs, sums)
    }

    /// The shares of the classes for the next symbol.
    private func classes(_ output: Output) -> ClassTable {
      let first = (before.0 + before.1) * classCount
      var weights = SIMD4<UInt64>.zero
      for k in 0..<classCount where output.masses[k] > 0 {
        let ratio = UInt64(sums.observed[first + k]) << 12 / UInt64(sums.expected[first + k])
        weights[k] = output.masses[k] * max(ratio, 1)
      }
      return ClassTable(weights)
    }

    /// Goes on behind a symbol.
    mutating func advance(_ symbol: Int) {
      let output = outputs[place]
      place += 1
      guard output.places.count > 1 else { return }
      let first = (before.0 + before.1) * classCount
      for k in 0..<classCount { sums.expected[first + k] += Int(output.masses[k]) }
      let k = output.places[symbol].k
      sums.observed[first + k] += 1 << RangeEncoder.precision
      before = (before.1, k)
    }

    mutating func write(_ symbol: Int, to encoder: inout RangeEncoder) {
      let output = outputs[place]
      if output.places.count > 1 {
        let (k, member) = output.places[symbol]
        let (classes, table) = (classes(output), output.tables[k]!)
        encoder.write(first: classes.starts[k], frequency: classes.frequencies[k])
        encoder.write(first: table.starts[member], frequency: table.frequency(member))
      }
      advance(symbol)
    }

    mutating func read(_ decoder: inout RangeDecoder) -> Int {
      let output = outputs[place]
      var symbol = 0
      if output.places.count > 1 {
        let classes = classes(output)
        let k = classes.place(at: decoder.share())
        decoder.remove(first: classes.starts[k], frequency: classes.frequencies[k])
        let table = output.tables[k]!
        let member = table.symbol(at: decoder.share())
        decoder.remove(first: table.starts[member], frequency: table.frequency(member))
        symbol = output.members[k][member]
      }
      advance(symbol)
      return symbol
    }

    mutating func cost(_ symbol: Int) -> Double {
      let output = outputs[place]
      defer { advance(symbol) }
      guard output.places.count > 1 else { return 0 }
      let (k, member) = output.places[symbol]
      return 16 - log2(Double(classes(output).frequencies[k])) + output.tables[k]!.cost(member)
    }
  }

  /// Shares of 2^16 in proportion to weights below 2^46; a class without weight has none, any other at least one.
  private struct ClassTable {
    let starts: SIMD4<UInt32>
    let frequencies: SIMD4<UInt32>

    init(_ weights: SIMD4<UInt64>) {
      let total = UInt64(1) << UInt64(RangeEncoder.precision)
      let present = (0..<classCount).filter { weights[$0] > 0 }
      let free = total - UInt64(present.count)
      let sum = weights.wrappedSum()
      var shares = SIMD4<UInt64>.zero
      var largest = present[0]
      for k in present {
        shares[k] = 1 + weights[k] * free / sum
        if weights[k] > weights[largest] { largest = k }
      }
      shares[largest] += total - shares.wrappedSum()
      var starts = SIMD4<UInt32>.zero
      for k in 1..<classCount { starts[k] = starts[k - 1] + UInt32(shares[k - 1]) }
      self.starts = starts
      frequencies = SIMD4(truncatingIfNeeded: shares)
    }

    /// The class that covers a share.
    func place(at share: UInt32) -> Int {
      (0..<classCount).last { frequencies[$0] > 0 && starts[$0] <= share }!
    }
  }
}
