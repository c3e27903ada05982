import LinkMath

/// Why a run ended.
public enum StopReason: String, Sendable {
  /// All drops were run.
  case drops = "max"
  /// All intervals are as narrow as asked for.
  case interval = "ci"
}

/// The result of one operating point: a row of `report.csv`.
public struct PointSummary: Sendable {
  /// Swept values in axis order; nil where the axis does not apply.
  public let coordinates: [String?]
  private let values: [String: Column.Value]

  /// - Parameter values: by name of the column; missing ones are empty fields.
  package init(coordinates: [String?], values: [String: Column.Value]) {
    self.coordinates = coordinates
    self.values = values
  }

  /// The field of a column; nil if it is empty.
  public func value(_ column: Column) -> Column.Value? { values[column.name] }

  /// The number or count of a column; NaN if it is empty.
  public subscript(column: Column) -> Double { number(column) ?? .nan }

  /// The number or count of a column; nil if it is empty.
  public func number(_ column: Column) -> Double? {
    switch value(column) {
    case .number(let number): number
    case .count(let count): Double(count)
    default: nil
    }
  }

  /// Drops of the point, those without energy included.
  public var drops: Int { Int(number(.drops) ?? 0) }

  /// Why no more drops were run.
  public var stopReason: StopReason? {
    guard case .word(let word) = value(.stopReason) else { return nil }
    return StopReason(rawValue: word)
  }

  /// The 95 % interval of a mean; nil if the point has none.
  public func interval(_ ends: Column.Interval) -> ClosedRange<Double>? {
    number(ends.low).flatMap { low in number(ends.high).map { low...$0 } }
  }

  /// Whether the drops determine an interval; nil if the point has none.
  public func isReliable(_ ends: Column.Interval) -> Bool? {
    value(ends.isReliable).map { $0 == .answer(true) }
  }
}
