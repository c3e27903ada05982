import Simulation

/// The points of a result, sorted into curves over the first swept key.
struct PlotCurves {
  struct Curve {
    let label: String
    /// False if the first key does not apply: the one point then stands for the whole axis.
    let dependsOnAxis: Bool
    /// In the order of the axis.
    var points: [(x: Double, summary: PointSummary)]
  }

  let axis: PlotAxis
  let curves: [Curve]
  /// The rate with perfect CSI if it is one function of the axis for all curves; else each curve has its own.
  let commonBound: [(x: Double, rate: Double)]?

  /// - Returns: nil if nothing is swept, or if the first key applies to no point.
  init?(_ result: RunResult) {
    let names = AxisName.names(of: result.axes)
    guard let first = names.first else { return nil }
    let texts = distinct(result.points.compactMap { $0.coordinates[0] })
    guard !texts.isEmpty else { return nil }
    let axis = PlotAxis(first, texts: texts)
    let labels = CurveLabels(names: names, points: result.points)
    var keys: [[String?]: Int] = [:]
    var curves: [Curve] = []
    for point in result.points {
      let x = point.coordinates[0].flatMap(axis.position)
      // The presence of the first key is part of the identity of a curve.
      let key = (x == nil ? [nil] : [""]) + point.coordinates.dropFirst()
      let index = keys[key] ?? curves.count
      if index == curves.count {
        keys[key] = index
        let label = labels.label(of: point)
        curves.append(Curve(label: label, dependsOnAxis: x != nil, points: []))
      }
      for position in x.map({ [$0] }) ?? axis.ends {
        curves[index].points.append((position, point))
      }
    }
    for index in curves.indices { curves[index].points.sort { $0.x < $1.x } }
    self.axis = axis
    self.curves = curves
    commonBound = Self.commonBound(of: curves)
  }

  private static func commonBound(of curves: [Curve]) -> [(x: Double, rate: Double)]? {
    var rates: [Double: Double] = [:]
    for curve in curves where curve.dependsOnAxis {
      for (x, point) in curve.points {
        guard agree(rates[x] ?? point[.perfectRate], point[.perfectRate]) else { return nil }
        rates[x] = point[.perfectRate]
      }
    }
    for curve in curves where !curve.dependsOnAxis {
      guard rates.values.allSatisfy({ agree($0, curve.points[0].summary[.perfectRate]) })
      else { return nil }
    }
    return rates.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
  }

  private static func agree(_ a: Double, _ b: Double) -> Bool { numberText(a) == numberText(b) }
}

extension PlotAxis {
  /// First and last value of a numeric axis, all values of categories.
  fileprivate var ends: [Double] {
    let positions = values.map(\.position)
    guard isNumeric, let low = positions.min(), let high = positions.max() else {
      return positions
    }
    return low < high ? [low, high] : [low]
  }
}

/// Legends: the values of all keys but the first.
private struct CurveLabels {
  private let names: [AxisName]
  /// Words such as `pca` need no key in front of them; numbers and truth values do.
  private let isWord: [Bool]

  init(names: [AxisName], points: [PointSummary]) {
    self.names = names
    isWord = names.indices.map { i in
      let texts = distinct(points.compactMap { $0.coordinates[i] })
      return PlotAxis.numbers(texts) == nil && !texts.contains { ["true", "false"].contains($0) }
    }
  }

  func label(of point: PointSummary) -> String {
    let parts = names.indices.dropFirst().compactMap { i -> String? in
      guard let text = point.coordinates[i] else { return nil }
      if isWord[i] { return text.onOneLine }
      // "snr 10 dB": a number whose unit is in the key gets it back.
      let unit = names[i].unit.map { text.hasSuffix($0) ? "" : " \($0)" } ?? ""
      return "\(names[i].short.withSpaces) \(text.onOneLine)\(unit)"
    }
    if !parts.isEmpty { return parts.joined(separator: ", ") }
    return names.count == 1 ? "CSI feedback" : "others"
  }
}

private func distinct(_ texts: [String]) -> [String] {
  var seen: Set<String> = []
  return texts.filter { seen.insert($0).inserted }
}
