import Simulation

/// What a plot shows over the first swept key. A new plot is a constant of this type and its name in ``all``.
struct PlotQuantity {
  /// Name of the files.
  let name: String
  let label: String
  let value: Column
  let ends: Column.Interval?
  /// Whether the curve with perfect CSI is drawn too.
  var hasBound = false

  static let all = [nmse, rate, rate5Percentile, sumRate]

  static let nmse = PlotQuantity(name: "nmse", label: "NMSE (dB)", value: .nmseDB, ends: .nmse)
  static let rate = PlotQuantity(
    name: "rate", label: "rate (bit/s/Hz)", value: .rate, ends: .rate, hasBound: true)
  static let rate5Percentile = PlotQuantity(
    name: "rate_5_percentile", label: "5th percentile of the rate (bit/s/Hz)",
    value: .rate5Percentile, ends: nil)
  static let sumRate = PlotQuantity(
    name: "sum_rate", label: "rate of all users (bit/s/Hz)", value: .sumRate, ends: nil)

  /// Those whose column a result has.
  static func shown(in result: RunResult) -> [PlotQuantity] {
    let names = Set(result.columns.map(\.name))
    return all.filter { names.contains($0.value.name) }
  }

  /// Columns of the data: the value, the ends of its interval, the bound.
  var columns: [Column] {
    [value] + (ends.map { [$0.low, $0.high] } ?? []) + (hasBound ? [.perfectRate] : [])
  }

  /// A range that shows all finite values and, unless they are far longer than the curves are high, the intervals.
  ///
  /// - Returns: nil without finite values.
  func range(of points: [PointSummary]) -> ClosedRange<Double>? {
    let values = (points.map { $0[value] } + (hasBound ? points.map { $0[.perfectRate] } : []))
      .filter(\.isFinite)
    guard let low = values.min(), let high = values.max() else { return nil }
    let intervals = ends.map { ends in points.compactMap { $0.interval(ends) } } ?? []
    let bars = intervals.flatMap { [$0.lowerBound, $0.upperBound] }.filter(\.isFinite)
    let reach = high > low ? 0.3 * (high - low) : .infinity
    let bottom = max(min(bars.min() ?? low, low), low - reach)
    let top = min(max(bars.max() ?? high, high), high + reach)
    let margin = top > bottom ? 0.05 * (top - bottom) : 1
    return bottom - margin...top + margin
  }
}
