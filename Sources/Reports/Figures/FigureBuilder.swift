import Foundation
import Simulation

extension Figure {
  /// More curves than this in a panel become panels of their own, one for each value of a key.
  static let easyCurveLimit = 12
  /// More curves than this cannot be told apart.
  public static let curveLimit = 40
  /// More panels than this are too small.
  public static let panelLimit = 16

  /// The figure that a request makes of results.
  ///
  /// - Throws: ``FigureError`` for keys that no result knows, points that fall on each other, too many curves or panels, and
  ///   if nothing has a finite value.
  /// - Complexity: O(points · keys).
  public init(_ request: FigureRequest, of results: [RecordedResult]) throws(FigureError) {
    self = try FigureBuilder(request, results).figure()
  }
}

/// Sorts the points of results into panels and curves.
struct FigureBuilder {
  let request: FigureRequest
  let selection: FigureSelection
  let x: String
  private(set) var series: [String]
  private var facet: String?
  let keys: [String: FigureKey]
  let axis: FigureAxis
  /// Where each value of a series key stands among all, and the texts of its values.
  private var orders: [String: [String?: Int]] = [:]
  private var texts: [String: [String]] = [:]
  /// Combinations of the places of all series keys but the first, in order.
  private(set) var laterPlaces: [[Int]] = []

  typealias Point = FigureSelection.Point

  init(_ request: FigureRequest, _ results: [RecordedResult]) throws(FigureError) {
    self.request = request
    let selection = try FigureSelection(results, request)
    self.selection = selection
    let varying = selection.varying(besides: [])
    guard let x = request.x ?? varying.first ?? results.lazy.flatMap(\.axes).first else {
      throw FigureError(
        message: "nothing is swept that could run to the right",
        hint: "name a column with --x, such as payload_bits")
    }
    self.x = x
    facet = request.facet
    let isColumn = selection.columns.contains(x)
    let free = selection.varying(besides: [x] + [request.facet].compactMap { $0 })
    // Along a column, such as the bits of a report, runs the last key whose values are numbers.
    let isMoving = isColumn && request.y != RecordedResult.shareKey
    let along = isMoving ? free.last { Self.isNumeric(selection.values($0)) } : nil
    let others = (isColumn ? [] : [x]) + [request.facet, along].compactMap { $0 }
    let curveKeys =
      request.series ?? Self.independent(free.filter { $0 != along }, of: others, selection)
    series = curveKeys
    let names = [x, request.y] + curveKeys + [request.facet].compactMap { $0 } + free
    keys = FigureKey.keys(names.uniqued, columns: selection.columns)
    let texts = selection.values(x).compactMap { $0 }
    guard !texts.isEmpty else {
      throw FigureError(message: "no point has a value of '\(x)'", hint: nil)
    }
    axis = FigureAxis(keys[x]!, texts: texts, scale: request.xScale)
    if isColumn, !axis.isNumeric {
      throw FigureError(message: "'\(x)' is not a column of numbers", hint: nil)
    }
    if results.count > 1,
      !([x] + series + [facet].compactMap { $0 }).contains(RecordedResult.resultKey),
      firstCollision() != nil
    {
      series.append(RecordedResult.resultKey)
    }
    try checkCollisions()
    try split()
    for key in series + [facet].compactMap({ $0 }) {
      let values = selection.values(key)
      orders[key] = Dictionary(zip(values, 0...)) { first, _ in first }
      self.texts[key] = values.compactMap { $0 }
    }
    laterPlaces = Set(selection.points.map { Array(places($0).dropFirst()) })
      .sorted { $0.lexicographicallyPrecedes($1) }
  }

  /// The keys that do not advance together with others, or with one before: of such lists the first is enough.
  private static func independent(
    _ keys: [String], of others: [String], _ selection: FigureSelection
  ) -> [String] {
    keys.reduce(into: []) { chosen, key in
      let advances = (others + chosen).contains { other in
        let both = count([key, other], selection)
        return count([key], selection) == both && count([other], selection) == both
      }
      if !advances { chosen.append(key) }
    }
  }

  private static func isNumeric(_ values: [String?]) -> Bool {
    FigureAxis.numbers(values.compactMap { $0 }) != nil
  }

  /// What tells the curve of a point from others.
  private func curveKey(_ point: Point) -> [String?] {
    // Whether the horizontal key applies is part of the identity of a curve.
    [facet.flatMap { selection.field(point, $0) }, isAcross(point) ? nil : ""]
      + series.map { selection.field(point, $0) }
  }

  private func isAcross(_ point: Point) -> Bool {
    selection.field(point, x) == nil && !selection.columns.contains(x)
  }

  /// Whether the rows of an operating point are a curve, its distribution over drops.
  private var isDistribution: Bool { request.y == RecordedResult.shareKey }

  /// Two points of one curve at the same place; in distributions two operating points of one curve.
  private func firstCollision() -> (Point, Point)? {
    var seen: [[String?]: Point] = [:]
    for point in selection.points where selection.number(point, request.y) != nil {
      let place = curveKey(point) + (isDistribution ? [] : [selection.field(point, x)])
      if let other = seen[place] {
        if !isDistribution || !isSamePoint(other, point) { return (other, point) }
      } else {
        seen[place] = point
      }
    }
    return nil
  }

  private func isSamePoint(_ a: Point, _ b: Point) -> Bool {
    a.result == b.result
      && selection.results[a.result].axes.allSatisfy {
        selection.field(a, $0) == selection.field(b, $0)
      }
  }

  private func checkCollisions() throws(FigureError) {
    guard let (a, b) = firstCollision() else { return }
    let others =
      selection.varying(besides: [x, facet].compactMap { $0 } + series)
      + (series.contains(RecordedResult.resultKey) ? [] : [RecordedResult.resultKey])
    let different = others.filter { selection.field(a, $0) != selection.field(b, $0) }
    guard let key = different.first else {
      throw FigureError(
        message: "several points stand at \(x)=\(selection.field(a, x) ?? "-") of one curve, "
          + "and nothing tells them apart",
        hint: "is a result named twice?")
    }
    let trouble =
      isDistribution
      ? "share one curve" : "stand at \(x)=\(selection.field(a, x) ?? "-") of one curve"
    throw FigureError(
      message: "several points \(trouble): they differ in \(different.joined(separator: ", "))",
      hint: "add '--series \(key)' or '--facet \(key)', or choose with "
        + "--where '\(key)=\(selection.field(a, key) ?? "")'")
  }

  /// Many curves become panels, by the key that leaves the most curves that can be told apart; else they are too many.
  private mutating func split() throws(FigureError) {
    if request.facet == nil, curveCount(series) > Figure.easyCurveLimit, series.count > 1 {
      let choices = series.compactMap { key -> (key: String, curves: Int)? in
        let panels = selection.values(key).count
        let curves = curveCount(series.filter { $0 != key })
        return panels <= Figure.panelLimit && curves <= Figure.easyCurveLimit ? (key, curves) : nil
      }
      if let best = choices.max(by: { $0.curves < $1.curves }) {
        facet = best.key
        series.removeAll { $0 == best.key }
      }
    }
    let count = curveCount(series)
    guard count <= Figure.curveLimit else {
      throw FigureError(
        message: "\(count) curves are too many for one panel (at most \(Figure.curveLimit))",
        hint: "choose with '--where KEY=VALUE', or put the key with the most values on the axis")
    }
    let panels = facet.map { selection.values($0).count } ?? 1
    guard panels <= Figure.panelLimit else {
      throw FigureError(
        message: "\(panels) panels are too many for one figure (at most \(Figure.panelLimit))",
        hint: "choose with '--where KEY=VALUE'")
    }
  }

  /// Combinations of the values of some keys.
  private func curveCount(_ keys: [String]) -> Int { Self.count(keys, selection) }

  private static func count(_ keys: [String], _ selection: FigureSelection) -> Int {
    Set(selection.points.map { point in keys.map { selection.field(point, $0) } }).count
  }
}

extension FigureBuilder {
  func figure() throws(FigureError) -> Figure {
    var notes: [String] = []
    let drawn = (facet.map { selection.values($0) } ?? [nil]).map { value in
      let members = selection.points.filter { point in
        facet.map { selection.field(point, $0) == value } ?? true
      }
      return Figure.Panel(title: title(value), curves: curves(members, &notes))
    }.filter { !$0.curves.isEmpty }
    let panels = toldApart(drawn, &notes)
    let unplaced = selection.points.count { positions($0).isEmpty }
    if unplaced > 0 { notes.append("\(unplaced) points have no \(x) and are left out") }
    let shown = panels.flatMap(\.curves).flatMap(\.points)
    let heights = shown.flatMap {
      [$0.y] + ($0.interval.map { [$0.lowerBound, $0.upperBound] } ?? [])
    }
    .filter(\.isFinite)
    guard !heights.isEmpty else {
      throw FigureError(message: "\(request.y) has no finite value", hint: nil)
    }
    let y = FigureAxis(keys[request.y]!, values: heights, scale: request.yScale)
    for (axis, wish) in [(axis, request.xScale), (y, request.yScale)]
    where wish == .log && axis.scale != .logarithmic {
      notes.append("\(axis.label): values that are not positive numbers have no logarithmic axis")
    }
    return Figure(
      name: request.fileName, x: axis, y: y, panels: panels,
      legend: legend(panels), shortLegend: shortLegend(panels), notes: notes.uniqued)
  }

  private func title(_ value: String?) -> String {
    guard let facet else { return "" }
    let key = keys[facet, default: .result]
    return value.map { key.text(of: $0, among: texts[facet]!) } ?? "without \(key.short)"
  }

  private func curves(_ points: [Point], _ notes: inout [String]) -> [Figure.Curve] {
    var order: [[String?]] = []
    var members: [[String?]: [Point]] = [:]
    for point in points {
      let key = curveKey(point)
      if members[key] == nil { order.append(key) }
      members[key, default: []].append(point)
    }
    // Colours follow the values of the first key, whatever the order of the points.
    let sorted = order.sorted { a, b in
      let (a, b) = (members[a]![0], members[b]![0])
      return places(a).lexicographicallyPrecedes(places(b))
    }
    var curves = sorted.enumerated().map { index, key in
      curve(members[key]!, shift: dodge(index, of: sorted.count))
    }
    for curve in curves where curve.points.allSatisfy({ !$0.y.isFinite }) {
      notes.append("\(curve.label.isEmpty ? "the curve" : curve.label) has no finite \(request.y)")
    }
    curves.removeAll { $0.points.allSatisfy { !$0.y.isFinite } }
    return curves + bounds(sorted.map { members[$0]! })
  }

  /// Where the values of a point's series stand among all.
  func places(_ point: Point) -> [Int] {
    series.map { orders[$0]![selection.field(point, $0)]! }
  }

  /// Curves over categories stand side by side.
  func dodge(_ index: Int, of count: Int) -> Double {
    axis.isNumeric ? 0 : (Double(index) - Double(count - 1) / 2) * dodgeStep(count)
  }

  private func dodgeStep(_ count: Int) -> Double { min(0.12, 0.8 / Double(count)) }

  func style(_ point: Point) -> Figure.Style {
    let places = places(point)
    guard places.count > 1 else { return Figure.Style(places.first ?? 0) }
    // What has none of the other keys is drawn as their first value.
    let hasOthers = series.dropFirst().contains { selection.field(point, $0) != nil }
    guard hasOthers else { return Figure.Style(places[0], 0) }
    return Figure.Style(places[0], laterPlaces.firstIndex(of: Array(places.dropFirst()))!)
  }

  func label(_ point: Point, _ series: some Collection<String>) -> String {
    let parts = series.compactMap { key -> String? in
      guard let value = selection.field(point, key) else { return nil }
      return keys[key, default: .result].text(
        of: value, among: texts[key]!)
    }
    guard parts.isEmpty, let key = series.first else { return parts.joined(separator: ", ") }
    return "without \(keys[key, default: .result].short)"
  }

  private func curve(_ points: [Point], shift: Double) -> Figure.Curve {
    let first = points[0]
    let shape: Figure.Shape
    if isAcross(first) {
      shape = axis.isNumeric ? .across : .points
    } else if !axis.isNumeric {
      shape = .points
    } else {
      shape = moving(points).count > 1 ? .points : points.count > 60 ? .smooth : .line
    }
    return Figure.Curve(
      label: label(first, series), style: style(first), shape: shape,
      points: ordered(points).flatMap { self.points($0, shift: shift) })
  }

  /// Keys that change along a curve over a column.
  private func moving(_ points: [Point]) -> [String] {
    guard selection.columns.contains(x) else { return [] }
    return selection.varying(besides: series + [facet].compactMap { $0 })
      .filter { selection.values($0, of: points).count > 1 }
  }

  /// By place; along a column by the key that moves.
  func ordered(_ points: [Point]) -> [Point] {
    let key = moving(points).first ?? x
    let values = selection.values(key, of: points)
    let places = points.map { values.firstIndex(of: selection.field($0, key)) ?? 0 }
    return zip(places, points).enumerated()
      .sorted { ($0.element.0, $0.offset) < ($1.element.0, $1.offset) }.map(\.element.1)
  }

  /// The point, or its copies at both ends of the axis, at all places of categories, if the key does not apply to it.
  private func points(_ point: Point, shift: Double) -> [Figure.Point] {
    positions(point).map { position in
      Figure.Point(
        x: position + shift, y: selection.number(point, request.y) ?? .nan,
        interval: interval(point))
    }
  }

  func positions(_ point: Point) -> [Double] {
    if let text = selection.field(point, x) { return [axis.position(of: text)!] }
    guard isAcross(point) else { return [] }
    let all = axis.values.map(\.position)
    return axis.isNumeric ? Set([all.min()!, all.max()!]).sorted() : all
  }

  private func interval(_ point: Point) -> ClosedRange<Double>? {
    // The ends of an interval have the beginning of their mean's name.
    let name = request.y == Column.rate.name ? "rate" : request.y
    guard let low = selection.number(point, "\(name)_low"),
      let high = selection.number(point, "\(name)_high"), low <= high
    else { return nil }
    return low...high
  }
}

extension FigureSelection {
  func number(_ point: Point, _ column: String) -> Double? {
    results[point.result].number(point.row, column)
  }
}

extension FigureKey {
  static let result = FigureKey(
    name: RecordedResult.resultKey, words: "result", short: "result", unit: nil, isColumn: false)
}

extension Array where Element: Hashable {
  /// The first of each element.
  var uniqued: [Element] {
    var seen: Set<Element> = []
    return filter { seen.insert($0).inserted }
  }
}
