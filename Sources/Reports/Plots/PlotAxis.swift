import Parts

/// The horizontal axis of the plots: the values of the first swept key.
struct PlotAxis {
  enum Scale: Equatable {
    case linear, logarithmic
    /// One place per value, at 0, 1, 2, ...
    case categories
  }

  let label: String
  let scale: Scale
  /// Texts with their positions, in the order of the sweep.
  let values: [(text: String, position: Double)]

  /// - Parameter texts: distinct values in the order of the sweep.
  init(_ name: AxisName, texts: [String]) {
    guard let (numbers, unit) = Self.numbers(texts) else {
      label = name.label()
      scale = .categories
      values = texts.enumerated().map { ($1, Double($0)) }
      return
    }
    label = name.label(unit: unit)
    values = Array(zip(texts, numbers))
    let isLevel = (unit ?? name.unit) == "dB"
    scale = !isLevel && Self.isGeometric(numbers) ? .logarithmic : .linear
  }

  var isNumeric: Bool { scale != .categories }

  func position(of text: String) -> Double? {
    values.first { $0.text == text }?.position
  }

  /// The ends of the axis, with a margin.
  var range: ClosedRange<Double> {
    let positions = values.map(\.position)
    guard let low = positions.min(), let high = positions.max() else { return 0...1 }
    switch scale {
    case .categories: return low - 0.5...high + 0.5
    case .linear:
      let margin = high > low ? 0.03 * (high - low) : 1
      return low - margin...high + margin
    case .logarithmic:
      let margin = (high / low).squareRoot().squareRoot().squareRoot().squareRoot()
      return low / margin...high * margin
    }
  }

  /// Marks at the values themselves where these are few and regular; nil leaves them to gnuplot.
  var marks: [(text: String, position: Double)]? {
    if scale == .categories { return values }
    let sorted = values.map(\.position).sorted()
    guard sorted.count <= 12, scale == .logarithmic || Self.isRegular(sorted) else { return nil }
    return sorted.map { (numberText($0), $0) }
  }

  /// The numbers of the texts in the unit of the first one that has a unit; nil if a text is not a number.
  static func numbers(_ texts: [String]) -> ([Double], unit: String?)? {
    for dimension in Dimension.allCases {
      let parsed = texts.compactMap(dimension.parse).filter(\.isFinite)
      guard !texts.isEmpty, parsed.count == texts.count else { continue }
      // Longest name first, so that "ms" is not taken for "s".
      let units = dimension.units.sorted { $0.name.count > $1.name.count }
      let written = texts.lazy.compactMap { text in units.first { text.hasSuffix($0.name) } }
      guard let unit = written.first else { return (parsed, nil) }
      return (parsed.map { $0 / unit.size }, unit.name)
    }
    return nil
  }

  /// Whether the steps are closer to equal factors than to equal differences.
  private static func isGeometric(_ numbers: [Double]) -> Bool {
    let sorted = numbers.sorted()
    guard sorted.count >= 3, sorted[0] > 0 else { return false }
    let pairs = zip(sorted, sorted.dropFirst())
    let factors = pairs.map { $1 / $0 }
    let differences = pairs.map { $1 - $0 }
    return spread(factors) < spread(differences)
  }

  private static func isRegular(_ sorted: [Double]) -> Bool {
    spread(zip(sorted, sorted.dropFirst()).map { $1 - $0 }) < 1 + 1e-6
  }

  private static func spread(_ values: [Double]) -> Double {
    guard let low = values.min(), let high = values.max(), low > 0 else { return 1 }
    return high / low
  }
}
