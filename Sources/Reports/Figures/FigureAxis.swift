import Foundation
import Parts
import Simulation

/// An axis of a figure.
struct FigureAxis: Sendable {
  enum Scale: String, Sendable {
    case linear, logarithmic
    /// One place per value, at 0, 1, 2, ...
    case categories
  }

  let label: String
  let scale: Scale
  /// Texts with their positions, in their order; empty if the values are not told apart.
  let values: [(text: String, position: Double)]
  let range: ClosedRange<Double>
  /// Marks at positions of our choice; nil leaves them to the drawing program.
  let marks: [(text: String, position: Double)]?

  var isNumeric: Bool { scale != .categories }

  func position(of text: String) -> Double? {
    values.first { $0.text == text }?.position
  }

  /// The horizontal axis.
  ///
  /// - Parameters:
  ///   - key: what runs along it, and the unit of its column, if it is one.
  ///   - texts: distinct values in their order.
  ///   - wish: a scale to be used if all values are numbers.
  init(_ key: FigureKey, texts: [String], scale wish: FigureRequest.Scale? = nil) {
    guard let (numbers, written) = Self.numbers(texts) else {
      (label, scale) = (key.label(), .categories)
      values = texts.enumerated().map { ($1, Double($0)) }
      range = -0.5...Double(max(texts.count, 1)) - 0.5
      marks = values
      return
    }
    label = key.label(unit: written)
    values = Array(zip(texts, numbers))
    let isLevel = (written ?? key.unit) == "dB"
    let isPositive = numbers.allSatisfy { $0 > 0 }
    let isGeometric = !isLevel && Self.isGeometric(numbers)
    scale = isPositive && (wish.map { $0 == .log } ?? isGeometric) ? .logarithmic : .linear
    range = Self.range(numbers, scale)
    marks = Self.marks(numbers, scale, range, atValues: !key.isColumn)
  }

  /// The vertical axis, which shows all values.
  init(_ key: FigureKey, values: [Double], scale wish: FigureRequest.Scale?) {
    label = key.label()
    scale = wish == .log && values.allSatisfy { $0 > 0 } ? .logarithmic : .linear
    self.values = []
    let (low, high) = (values.min() ?? 0, values.max() ?? 1)
    if scale == .logarithmic {
      let margin = high > low ? pow(high / low, 0.05) : 2
      range = low / margin...high * margin
    } else {
      let margin = high > low ? 0.05 * (high - low) : 1
      range = low - margin...high + margin
    }
    marks = nil
  }

  private static func range(_ positions: [Double], _ scale: Scale) -> ClosedRange<Double> {
    guard let low = positions.min(), let high = positions.max() else { return 0...1 }
    if scale == .logarithmic {
      let margin = high > low ? pow(high / low, 1.0 / 16) : 2
      return low / margin...high * margin
    }
    let margin = high > low ? 0.03 * (high - low) : 1
    return low - margin...high + margin
  }

  /// Marks at the values of a swept key where these are few and regular; on other logarithmic axes 1, 2, 5, 10, ..., or powers of 10 where
  /// those are more than narrow panels have room for.
  private static func marks(
    _ numbers: [Double], _ scale: Scale, _ range: ClosedRange<Double>, atValues: Bool
  ) -> [(text: String, position: Double)]? {
    let sorted = Set(numbers).sorted()
    if atValues, sorted.count <= 12, scale == .logarithmic || isRegular(sorted) {
      return sorted.map { (numberText($0), $0) }
    }
    guard scale == .logarithmic else { return nil }
    let decades =
      Int(log10(range.lowerBound).rounded(.down))...Int(log10(range.upperBound).rounded(.up))
    let choices = [[1.0, 2, 5], [1]].map { digits in
      decades.flatMap { decade in digits.map { $0 * pow(10, Double(decade)) } }
        .filter { range.contains($0) }
    }
    return choices.first { (2...6).contains($0.count) }?.map { (numberText($0), $0) }
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

  /// The round distance of marks of which few have room; nil where there is room for as many as drawing programs choose.
  static func step(_ range: ClosedRange<Double>, most: Int) -> Double? {
    guard most < 8 else { return nil }
    let rough = (range.upperBound - range.lowerBound) / Double(max(most, 2))
    let decade = pow(10, log10(rough).rounded(.down))
    return [1, 2, 5, 10].map { $0 * decade }.first { $0 >= rough * (1 - 1e-9) }
  }

  /// Whether the steps are closer to equal factors than to equal differences.
  private static func isGeometric(_ numbers: [Double]) -> Bool {
    let sorted = Set(numbers).sorted()
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

/// What a key or a column is called in figures.
struct FigureKey: Sendable {
  let name: String
  /// All words, without the unit.
  let words: String
  /// As few words as tell it from the others.
  let short: String
  /// Nil if there is none, or if the values carry their unit.
  let unit: String?
  let isColumn: Bool

  /// `pilot SNR (dB)`
  func label(unit written: String? = nil) -> String {
    (written ?? unit).map { "\(words) (\($0))" } ?? words
  }

  /// The columns of all metrics.
  static let columns: [Column] =
    Column.standard
    + PartRegistry.standard.parts(of: .metric).flatMap { schema in
      (PartRegistry.standard.type(of: .metric, named: schema.name) as! any Metric.Type).columns
    }.filter { column in !Column.standard.contains { $0.name == column.name } }

  /// Keys by name; the columns among them have the label and the unit of their metric.
  static func keys(_ names: [String], columns: Set<String>) -> [String: FigureKey] {
    let axes = AxisName.names(of: names.filter { !columns.contains($0) })
    var next = 0
    var keys: [String: FigureKey] = [:]
    for name in names {
      if columns.contains(name) {
        let column = Self.columns.first { $0.name == name }
        let unit = column?.unit ?? (name.hasSuffix("_db") ? "dB" : "")
        let words = column?.label ?? name.inWords
        keys[name] = FigureKey(
          name: name, words: words, short: words, unit: unit.isEmpty ? nil : unit, isColumn: true)
      } else {
        keys[name] = FigureKey(
          name: name, words: name.inWords.onOneLine, short: axes[next].short.inWords,
          unit: axes[next].unit, isColumn: false)
        next += 1
      }
    }
    return keys
  }

  /// How a value is told in legends and above panels: words such as `pca` need no key in front of them, numbers do.
  func text(of value: String, among all: [String]) -> String {
    let isWord =
      FigureAxis.numbers(all) == nil && !all.contains { ["true", "false"].contains($0) }
    if isWord { return value.onOneLine }
    // "SNR 10 dB": a number whose unit is in the key gets it back.
    let ending = unit.map { value.hasSuffix($0) ? "" : " \($0)" } ?? ""
    return "\(short) \(value.onOneLine)\(ending)"
  }
}
