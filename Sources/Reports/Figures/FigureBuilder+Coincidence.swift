extension FigureBuilder {
  /// The panels with curves that lie on each other told apart: the later ones get other dashes and open markers, so that both are seen.
  ///
  /// Only where one key makes the curves: with more of them dashes and markers have a meaning, and a note must do.
  ///
  /// - Parameter notes: gets a sentence about each set of such curves.
  func toldApart(_ panels: [Figure.Panel], _ notes: inout [String]) -> [Figure.Panel] {
    var hidden: [String: Set<String>] = [:]
    for curves in panels.flatMap({ Self.coinciding($0.curves) }) {
      let labels = curves.map(\.label).uniqued
      guard labels.count > 1 else { continue }
      for label in labels { hidden[label, default: []].formUnion(labels) }
      notes.append(
        "\(labels.joined(separator: " and ")) have the same values everywhere: their curves lie on each other"
      )
    }
    guard series.count == 1, !hidden.isEmpty else { return panels }
    // The same look in all panels: the first one that no curve has on which it lies somewhere.
    var looks: [String: Int] = [:]
    for curve in panels.flatMap(\.curves) where looks[curve.label] == nil {
      guard let others = hidden[curve.label] else { continue }
      let taken = Set(others.compactMap { looks[$0] })
      looks[curve.label] = (0...others.count).first { !taken.contains($0) }
    }
    return panels.map { panel in
      Figure.Panel(
        title: panel.title,
        curves: panel.curves.map { curve in
          guard !curve.isBound, let look = looks[curve.label], look > 0 else { return curve }
          return Figure.Curve(
            label: curve.label, style: curve.style.above(look), shape: curve.shape,
            points: curve.points)
        })
    }
  }

  /// Sets of curves of one panel that have the same points, and so hide each other: dashes on a solid line are not seen either.
  private static func coinciding(_ curves: [Figure.Curve]) -> [[Figure.Curve]] {
    var traces: [[[Double]]] = []
    var members: [[[Double]]: [Figure.Curve]] = [:]
    for curve in curves where !curve.isBound {
      let trace = curve.points.filter(\.y.isFinite).map { [$0.x, $0.y] }
      if members[trace] == nil { traces.append(trace) }
      members[trace, default: []].append(curve)
    }
    return traces.compactMap { members[$0]!.count > 1 ? members[$0] : nil }
  }
}

extension Figure.Curve {
  /// Whether it is a bound, which has its own look.
  var isBound: Bool { shape == .bound || shape == .commonBound }
}

extension Figure.Style {
  /// The look of a curve that lies on `count` others: as many dashes further, with an open marker.
  fileprivate func above(_ count: Int) -> Figure.Style {
    let half = Self.markerCount / 2
    return Figure.Style(
      colour: colour, dash: (dash + count) % Self.dashCount, marker: half + marker % half)
  }
}
