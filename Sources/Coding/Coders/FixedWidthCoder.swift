import LinkMath
import Parts

/// Every symbol in natural binary, in as many bits as its alphabet needs.
public struct FixedWidthCoder: SymbolCoder, Part {
  public static let schema = PartSchema(
    .coder, "fixed_width", "Every symbol in natural binary, in as many bits as its alphabet needs.")

  /// Neighbouring symbols of equal width.
  private struct Run {
    var symbols: Range<Int>
    let width: Int
    /// The last symbol of the alphabets, where some have fewer than 2^width.
    var last: [UInt32]?
  }

  private let runs: [Run]
  private let bitCount: Int

  /// A coder of the context's alphabets.
  public init(_ settings: Settings, in context: LinkContext, fitted: Artefact?) {
    self.init(alphabets: context.alphabets)
  }

  /// A coder of symbols of the given numbers of levels, 1...2^32.
  public init(alphabets: [Int]) {
    var runs: [Run] = []
    for (symbol, levels) in alphabets.enumerated() {
      precondition((1...1 << 32).contains(levels), "an alphabet of \(levels) symbols")
      let width = Int.bitWidth - (levels - 1).leadingZeroBitCount
      if runs.last?.width == width {
        runs[runs.count - 1].symbols = runs[runs.count - 1].symbols.lowerBound..<symbol + 1
      } else {
        runs.append(Run(symbols: symbol..<symbol + 1, width: width))
      }
    }
    for i in runs.indices {
      let levels = alphabets[runs[i].symbols]
      guard levels.contains(where: { $0 != 1 << runs[i].width }) else { continue }
      runs[i].last = levels.map { UInt32($0 - 1) }
    }
    self.runs = runs
    bitCount = runs.reduce(0) { $0 + $1.symbols.count * $1.width }
  }

  public var size: ReportSize { .bits(bitCount) }

  /// - Complexity: about a nanosecond for each symbol.
  public func write(_ symbols: UnsafeBufferPointer<UInt32>, to bits: inout BitString) {
    for run in runs {
      bits.append(UnsafeBufferPointer(rebasing: symbols[run.symbols]), width: run.width)
    }
  }

  /// An index beyond an alphabet that is no power of two reads as the last one of it.
  public func read(_ bits: inout BitReader, into symbols: UnsafeMutableBufferPointer<UInt32>) {
    for run in runs {
      let part = UnsafeMutableBufferPointer(rebasing: symbols[run.symbols])
      bits.read(run.width, into: part)
      guard let last = run.last else { continue }
      for i in part.indices { part[i] = min(part[i], last[i]) }
    }
  }
}
