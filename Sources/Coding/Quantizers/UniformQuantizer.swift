import LinkMath
import Parts

/// Uniform quantiser of B bits for each real of the codeword.
///
/// On the range [lo, hi] with `Δ = (hi - lo) / 2^B` the index is `floor((x - lo) / Δ)`, clipped to 0...2^B - 1, and the
/// reconstruction is the centre of the cell, `lo + (index + 1/2) Δ`. For a smooth density inside the range the mean
/// squared error is Δ²/12. Indices are sent in natural binary, so independent bit errors of rate p add
/// `Δ² p (4^B - 1) / 3` when all bits are equiprobable.
///
/// `range: [0, 1]` is that of a codeword behind a sigmoid, as in Z. Lu et al. (ACRNet), IEEE Trans. Wireless Commun. (2022),
/// equations 12 and 13. The range is fitted for each component or given for all; a component that never varied has Δ = 0 and is reproduced
/// as its constant.
public struct UniformQuantizer: Quantizer, Part {
  /// Where the range of a component comes from.
  public enum Range: SettingValue, Hashable {
    /// The range that minimises the mean squared error on the fitted codewords.
    case optimal
    /// The smallest and largest fitted value.
    case minmax
    /// The same two limits for every component.
    case fixed(low: Double, high: Double)

    public init?(setting: Setting) {
      switch setting {
      case .text("optimal"): self = .optimal
      case .text("minmax"): self = .minmax
      case .list(let limits):
        let numbers = limits.compactMap(\.asNumber)
        guard limits.count == 2, numbers.count == 2 else { return nil }
        self = .fixed(low: numbers[0], high: numbers[1])
      default: return nil
      }
    }

    public var setting: Setting {
      switch self {
      case .optimal: .text("optimal")
      case .minmax: .text("minmax")
      case .fixed(let low, let high): .list([.number(low), .number(high)])
      }
    }
  }

  static let bits = Parameter.integer(
    "bits", default: 4, in: 1...16, "Bits B for each real of the codeword.")
  static let range = Parameter<Range>(
    "range",
    .either([
      .choice(["optimal", "minmax"]), .list(.number(.plain, -1e30...1e30), count: 2...2),
    ]), default: .optimal,
    "Range [lo, hi]: fitted for the least error, fitted extremes, or two numbers for all reals.")

  /// Where in its cell a value is reconstructed.
  enum Reconstruction: String, Choice {
    case centre
    case lowerEdge = "lower_edge"
  }

  static let reconstruction = Parameter<Reconstruction?>.optional(
    "reconstruction", .choice(Reconstruction.allCases.map(\.rawValue)),
    "Where in its cell a value is reconstructed: centre, (index + 1/2) Δ above lo, if it is not given, or lower_edge."
  )

  public static let schema = PartSchema(
    .quantizer, "uniform", "Uniform quantiser with centre reconstruction, B bits for each real.",
    reference: "J. Max, IRE Trans. Inf. Theory 6 (1960) 7, table II for the optimal range",
    parameters: [bits.declaration, range.declaration, reconstruction.declaration]
      + FitParameters.declarations)

  private let width: Int
  private let low: [Float]
  private let high: [Float]
  private let step: [Float]
  /// 1/Δ, zero for a constant component.
  private let inverseStep: [Float]
  /// Of the reconstruction in its cell.
  private let place: Float

  /// A quantiser of the fitted `range` [component, 2], lo and hi, unless the settings give the range.
  public init(_ settings: Settings, in context: LinkContext, fitted: Artefact?) throws {
    let count = context.codewordLength
    precondition(count > 0, "a quantiser is made after the codec")
    width = settings[Self.bits]
    place = settings[Self.reconstruction] == .lowerEdge ? 0 : 0.5
    if let (lowest, highest) = try Self.fixedRange(settings) {
      low = [Float](repeating: lowest, count: count)
      high = [Float](repeating: highest, count: count)
    } else {
      let range = try fitted.array("range", shape: [count, 2], for: settings.part).elements
      low = (0..<count).map { range[2 * $0] }
      high = (0..<count).map { range[2 * $0 + 1] }
    }
    let levels = Float(1 << width)
    step = zip(low, high).map { ($1 - $0) / levels }
    inverseStep = step.map { $0 > 0 ? 1 / $0 : 0 }
  }

  /// The range that the settings give; nil if it is fitted.
  static func fixedRange(_ settings: Settings) throws(SettingsError) -> (Float, Float)? {
    try settings[range].limits(of: settings)
  }

  public var alphabets: [Int]? { [Int](repeating: 1 << width, count: low.count) }

  /// - Returns: how many values lay outside [lo, hi] or were not numbers; those take an outer cell.
  /// - Complexity: O(M), a few nanoseconds for each value.
  public func symbols(
    of values: UnsafeBufferPointer<Float>, into symbols: UnsafeMutableBufferPointer<UInt32>
  ) -> Int {
    precondition(values.count == low.count, "\(values.count) reals for \(low.count) components")
    let top = Float(1 << width - 1)
    var outside = 0
    for i in values.indices {
      let value = values[i]
      if !(value >= low[i] && value <= high[i]) { outside += 1 }
      // The order of the comparisons sends a value that is not a number to the top cell.
      let cell = (value - low[i]) * inverseStep[i]
      let clipped = cell < top ? cell : top
      symbols.initializeElement(at: i, to: UInt32(clipped > 0 ? clipped : 0))
    }
    return outside
  }

  public func values(
    of symbols: UnsafeBufferPointer<UInt32>, into values: UnsafeMutableBufferPointer<Float>
  ) {
    precondition(values.count == low.count, "\(values.count) reals for \(low.count) components")
    for i in values.indices { values[i] = low[i] + (Float(symbols[i]) + place) * step[i] }
  }
}

extension UniformQuantizer.Range {
  /// The two limits that a part's settings give; nil if they are fitted.
  func limits(of settings: Settings) throws(SettingsError) -> (Float, Float)? {
    guard case .fixed(let low, let high) = self else { return nil }
    guard Float(low) < Float(high) else {
      throw SettingsError(
        part: settings.part, key: "range",
        reason: "must be [lo, hi] with lo below hi, got [\(low), \(high)]")
    }
    return (Float(low), Float(high))
  }
}
