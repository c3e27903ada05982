import Simulation

extension FigureBuilder {
  /// What bounds a column: the column of the bound and what it is called.
  private static let bounds = [
    Column.rate.name: (Column.perfectRate.name, "perfect CSI"),
    Column.nmseRatioOfSumsDB.name: ("nmse_gaussian_floor_db", "ideal coding of Gaussian CSI"),
  ]

  /// One curve for all if they share it, else one for each.
  func bounds(_ curves: [[Point]]) -> [Figure.Curve] {
    guard let (column, name) = Self.bounds[request.y], selection.columns.contains(column) else {
      return []
    }
    let own = curves.enumerated().map { index, points in
      let shift = dodge(index, of: curves.count)
      let places = ordered(points).flatMap { point in
        positions(point).map { place in
          Figure.Point(x: place + shift, y: selection.number(point, column) ?? .nan)
        }
      }
      return Figure.Curve(
        label: name, style: style(points[0]), shape: .bound,
        points: places.filter { $0.y.isFinite })
    }
    var shared: [Double: Double] = [:]
    for (index, curve) in own.enumerated() {
      for point in curve.points {
        let place = point.x - dodge(index, of: curves.count)
        if let other = shared[place], numberText(other) != numberText(point.y) {
          return own.filter { !$0.points.isEmpty }
        }
        shared[place] = point.y
      }
    }
    guard !shared.isEmpty else { return [] }
    let points = shared.sorted { $0.key < $1.key }.map { Figure.Point(x: $0.key, y: $0.value) }
    return [Figure.Curve(label: name, style: Figure.Style(), shape: .commonBound, points: points)]
  }

  /// Every curve once, in the order of styles; colours and dashes by themselves where combinations would be many.
  func legend(_ panels: [Figure.Panel]) -> [Figure.Entry] {
    let labels = Set(Self.ownCurves(panels).map(\.label))
    return entries(panels, areSorted: series.count > 1 && labels.count > 8)
  }

  /// The second form of the legend wherever there are two; empty where there are not.
  func shortLegend(_ panels: [Figure.Panel]) -> [Figure.Entry] {
    series.count > 1 ? entries(panels, areSorted: true) : []
  }

  private static func ownCurves(_ panels: [Figure.Panel]) -> [Figure.Curve] {
    panels.flatMap(\.curves).filter { !$0.isBound }
  }

  private func entries(_ panels: [Figure.Panel], areSorted: Bool) -> [Figure.Entry] {
    var entries: [Figure.Entry] = []
    var seen: Set<String> = []
    let all = panels.flatMap(\.curves)
    let curves = Self.ownCurves(panels)
    if areSorted {
      entries = section([series[0]]) { ($0[0], Figure.Style($0[0], 0)) }
      entries += section(Array(series.dropFirst())) { places in
        let later = laterPlaces.firstIndex(of: Array(places.dropFirst()))!
        let style = Figure.Style(0, later)
        return (later, Figure.Style(colour: -1, dash: style.dash, marker: style.marker))
      }
    } else {
      for curve in curves where !curve.label.isEmpty && seen.insert(curve.label).inserted {
        entries.append(Figure.Entry(label: curve.label, style: curve.style, shape: curve.shape))
      }
    }
    if let bound = all.first(where: { $0.shape == .commonBound }) {
      entries.append(Figure.Entry(label: bound.label, style: bound.style, shape: .commonBound))
    }
    if let bound = all.first(where: { $0.shape == .bound }) {
      entries.append(
        Figure.Entry(label: "\(bound.label) (dashed)", style: bound.style, shape: .commonBound))
    }
    // A single curve needs no name.
    return entries.count > 1 || all.contains { $0.shape == .commonBound } ? entries : []
  }

  /// The values of some keys under a heading, each with its place among them and its style. What has none of the keys is drawn as their first
  /// value, and has no entry.
  private func section(_ keys: [String], _ style: ([Int]) -> (place: Int, Figure.Style))
    -> [Figure.Entry]
  {
    let heading = keys.map { self.keys[$0, default: .result].words }.joined(separator: ", ")
    var entries: [Int: Figure.Entry] = [:]
    for point in selection.points
    where keys.contains(where: { selection.field(point, $0) != nil }) {
      let (place, style) = style(places(point))
      if entries[place] == nil {
        entries[place] = Figure.Entry(
          label: label(point, keys), style: style, shape: axis.isNumeric ? .line : .points)
      }
    }
    return [Figure.Entry(label: heading, style: nil, shape: .line)]
      + entries.sorted { $0.key < $1.key }.map(\.value)
  }
}
