import Simulation

/// What a plot shows over the first swept key.
enum PlotQuantity: String, CaseIterable {
  case nmse, rate

  var label: String {
    switch self {
    case .nmse: "NMSE (dB)"
    case .rate: "rate (bit/s/Hz)"
    }
  }

  /// Columns of the data file, counted from one: value, ends of its interval.
  var columns: (value: Int, low: Int, high: Int) {
    switch self {
    case .nmse: (2, 3, 4)
    case .rate: (5, 6, 7)
    }
  }

  var hasBound: Bool { self == .rate }

  func value(_ point: PointSummary) -> Double {
    switch self {
    case .nmse: point.nmseDB
    case .rate: point.rate
    }
  }

  private func interval(_ point: PointSummary) -> ClosedRange<Double>? {
    switch self {
    case .nmse: point.nmseDBInterval
    case .rate: point.rateInterval
    }
  }

  /// A range that shows all finite values and, unless they are far longer than the curves are high, the intervals.
  ///
  /// - Returns: nil without finite values.
  func range(of points: [PointSummary]) -> ClosedRange<Double>? {
    let values = (points.map(value) + (hasBound ? points.map(\.perfectRate) : []))
      .filter(\.isFinite)
    guard let low = values.min(), let high = values.max() else { return nil }
    let intervals = points.compactMap(interval)
    let bars = intervals.flatMap { [$0.lowerBound, $0.upperBound] }.filter(\.isFinite)
    let reach = high > low ? 0.3 * (high - low) : .infinity
    let bottom = max(min(bars.min() ?? low, low), low - reach)
    let top = min(max(bars.max() ?? high, high), high + reach)
    let margin = top > bottom ? 0.05 * (top - bottom) : 1
    return bottom - margin...top + margin
  }
}
