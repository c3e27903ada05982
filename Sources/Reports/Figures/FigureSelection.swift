import Parts
import Simulation

/// The operating points that a figure shows, of all its results.
struct FigureSelection {
  struct Point {
    let result, row: Int
  }

  let results: [RecordedResult]
  /// In the order of the results and their rows.
  let points: [Point]
  let columns: Set<String>

  /// - Throws: ``FigureError`` for a key that no result knows, and if no point meets the conditions.
  init(_ results: [RecordedResult], _ request: FigureRequest) throws(FigureError) {
    self.results = results
    columns = Set(results.flatMap(\.columns))
    for key in request.keys + [request.y] {
      try Self.require(key, results)
    }
    guard columns.contains(request.y) else {
      throw FigureError(
        message: "'\(request.y)' is no column and cannot be drawn upwards",
        hint: "columns: \(results[0].columns.joined(separator: ", "))")
    }
    points = try Self.points(of: results, meeting: request.conditions)
  }

  /// Points of all results that meet all conditions, in the order of the results and their rows.
  ///
  /// - Throws: ``FigureError`` for a key that no result knows, and for a value that no point has.
  static func points(
    of results: [RecordedResult], meeting conditions: [FigureRequest.Condition]
  ) throws(FigureError) -> [Point] {
    let all = results.indices.flatMap { result in
      results[result].rows.indices.map { Point(result: result, row: $0) }
    }
    var points = all
    for condition in conditions {
      try require(condition.key, results)
      func field(_ point: Point) -> String? {
        results[point.result].field(point.row, condition.key)
      }
      let kept = points.filter { point in
        field(point).map { found in condition.values.contains { Self.isSame(found, $0) } } ?? false
      }
      // A value that no point has is an error beside others too; one that other conditions leave out is not. Of several, the first is their
      // whole text, which may be a value itself.
      func isThere(_ value: String) -> Bool {
        all.contains { field($0).map { Self.isSame($0, value) } ?? false }
      }
      let missing =
        isThere(condition.values[0])
        ? nil
        : (condition.values.count > 1 ? condition.values.dropFirst() : condition.values[...])
          .first { !isThere($0) }
      guard !kept.isEmpty, missing == nil else {
        let values = (missing == nil ? points : all).compactMap(field)
        throw FigureError(
          message: "no point has \(condition.key)=\(missing ?? condition.values[0])",
          hint: "its values: \(Set(values).sorted().prefix(20).joined(separator: ", "))")
      }
      points = kept
    }
    return points
  }

  private static func require(_ key: String, _ results: [RecordedResult]) throws(FigureError) {
    guard !results.contains(where: { $0.knows(key) }) else { return }
    let axes = results.flatMap(\.axes)
    let known =
      axes + Set(results.flatMap(\.columns)).sorted()
      + results.flatMap { $0.listedKeys + $0.settings.keys.sorted() }
    throw FigureError(
      message: "no result has '\(key)'",
      hint: Column.nearest(to: key, among: known).map { "did you mean '\($0)'?" }
        ?? "swept: \(axes.joined(separator: ", ")); columns: "
        + (results.first?.columns ?? []).joined(separator: ", "))
  }

  /// Whether two texts are equal, or equal numbers: `20` and `20.0 dB`.
  static func isSame(_ a: String, _ b: String) -> Bool {
    if a == b { return true }
    return FigureAxis.numbers([a, b]).map { $0.0[0] == $0.0[1] } ?? false
  }

  func field(_ point: Point, _ key: String) -> String? {
    results[point.result].field(point.row, key)
  }

  /// The distinct values of a key in the order of the points, numbers by size; nil stands for points without it.
  func values(_ key: String, of points: [Point]? = nil) -> [String?] {
    var seen: Set<String?> = []
    let values = (points ?? self.points).map { field($0, key) }.filter { seen.insert($0).inserted }
    guard case let texts = values.compactMap({ $0 }), let (numbers, _) = FigureAxis.numbers(texts)
    else { return values }
    let sorted = zip(numbers, texts).sorted { $0.0 < $1.0 }.map(\.1)
    return sorted + (texts.count < values.count ? [nil] : [])
  }

  /// Swept keys, and `result`, of which the points have several values.
  func varying(besides used: [String]) -> [String] {
    var axes: [String] = []
    for axis in results.flatMap(\.axes) where !axes.contains(axis) { axes.append(axis) }
    return axes.filter { !used.contains($0) && values($0).count > 1 }
  }
}
