/// What a range coder expects of the next symbol, given those before it in the codeword.
public protocol SymbolModel: Sendable {
  /// A model of the first symbol of a codeword.
  func start() -> any SymbolContext
  /// The most bits that a codeword can take.
  var largestCost: Double { get }
}

/// The state of a model inside one codeword: the same on both sides.
public protocol SymbolContext {
  /// Writes the next symbol.
  mutating func write(_ symbol: Int, to encoder: inout RangeEncoder)
  /// Reads it.
  mutating func read(_ decoder: inout RangeDecoder) -> Int
  /// Bits by the model that the next symbol would take; goes on as if it had been written.
  mutating func cost(_ symbol: Int) -> Double
}

/// A table for each symbol of the codeword, independent of the others.
public struct StaticModel: SymbolModel {
  /// Tables in the order of the symbols.
  public let tables: [FrequencyTable]

  /// A model of the given tables.
  public init(_ tables: [FrequencyTable]) { self.tables = tables }

  public var largestCost: Double {
    tables.reduce(0) { sum, table in sum + ((0..<table.count).map(table.cost).max() ?? 0) }
  }

  public func start() -> any SymbolContext { Context(tables: tables) }

  private struct Context: SymbolContext {
    let tables: [FrequencyTable]
    var place = 0

    mutating func write(_ symbol: Int, to encoder: inout RangeEncoder) {
      let table = tables[place]
      place += 1
      if table.count > 1 {
        encoder.write(first: table.starts[symbol], frequency: table.frequency(symbol))
      }
    }

    mutating func read(_ decoder: inout RangeDecoder) -> Int {
      let table = tables[place]
      place += 1
      guard table.count > 1 else { return 0 }
      let symbol = table.symbol(at: decoder.share())
      decoder.remove(first: table.starts[symbol], frequency: table.frequency(symbol))
      return symbol
    }

    mutating func cost(_ symbol: Int) -> Double {
      defer { place += 1 }
      return tables[place].cost(symbol)
    }
  }
}
