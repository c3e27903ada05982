import Foundation
import LinkMath
import Parts
import Simulation

/// What differs between results, or between points of one: settings, and columns with paired intervals.
public struct Comparison: Sendable {
  /// What a difference says.
  public enum Verdict: String, Sendable, Encodable {
    /// The interval lies on the good side of zero.
    case better
    /// The interval lies on the bad side of zero.
    case worse
    /// The numbers of all drops are the same, or those of a column without interval.
    case equal
    /// The numbers of a column without interval differ: nothing tells whether by chance.
    case different
    /// The interval contains zero, or the drops do not determine it.
    case undecided
  }

  /// A setting that two results have different values of.
  public struct Change: Sendable, Encodable {
    /// Label of the result that is compared.
    public let result: String
    /// Path of the setting.
    public let key: String
    /// Its values; nil where a result does not have it.
    public let reference, value: String?
  }

  /// One column at one point against the reference.
  public struct Row: Sendable, Encodable {
    /// What the reference and the point have in common: swept values by key.
    public let point: [String: String]
    /// What tells them apart: label of the result, or values of the keys that are compared across.
    public let reference, compared: String
    /// Name and unit of the column.
    public let column, unit: String
    /// Values of the report.
    public let referenceValue, value: Double?
    /// The difference, in the unit of the column, dB of levels.
    public let difference: Double
    /// Ends of its 95 % interval.
    public let low, high: Double?
    /// Drops that it is taken over.
    public let drops: Int
    /// Whether drops are paired; else the intervals of the report are put together.
    public let paired: Bool
    /// What it says.
    public let verdict: Verdict
  }

  /// Labels of the results, the reference first.
  public let results: [String]
  /// Settings that differ from the reference.
  public let changes: [Change]
  /// In the order of the reference's points and of the columns.
  public let rows: [Row]
  /// For the user: points that have no partner, drops that cannot be paired.
  public let notes: [String]
  /// Keys of ``Row/point`` in order.
  let keys: [String]

  /// How many rows have a verdict.
  public func count(_ verdict: Verdict) -> Int { rows.count { $0.verdict == verdict } }
}

extension Comparison {
  /// Columns that are compared if none are named.
  public static let usualColumns = [
    Column.nmseDB, .nmseFullDB, .squaredCosineSimilarity, .rate,
  ].map(\.name)

  /// Compares points of results that have equal swept values.
  ///
  /// - Parameters:
  ///   - results: the reference first.
  ///   - across: keys whose values are compared with each other; the first value is the reference.
  ///   - reference: other values of these keys for the reference.
  ///   - conditions: what all points must have that are compared.
  ///   - columns: names of columns of numbers; those that are no means over drops, such as payload_bits, are compared without pairs.
  /// - Throws: ``FigureError`` for columns without numbers, keys that no result knows, and if no points can be compared.
  public init(
    _ results: [RecordedResult], across: [String] = [],
    reference: [FigureRequest.Condition] = [], where conditions: [FigureRequest.Condition] = [],
    columns: [String] = usualColumns
  ) throws(FigureError) {
    let comparer = try Comparer(results, across + reference.map(\.key), reference, conditions)
    let metrics = try columns.map { name throws(FigureError) in try Self.column(name, results) }
    self.results = results.map(\.label)
    changes = results.dropFirst().flatMap { Self.changes(from: results[0], to: $0) }
    (rows, notes) = try comparer.rows(metrics)
    keys = comparer.keys
  }

  private static func column(_ name: String, _ results: [RecordedResult]) throws(FigureError)
    -> Column
  {
    let known = FigureKey.columns
    if let column = known.first(where: { $0.name == name }),
      usualColumns.contains(name) || results.contains(where: { $0.hasNumbers(in: name) })
    {
      return column
    }
    let columns = known.map(\.name).filter { name in
      results.contains { $0.hasNumbers(in: name) }
    }
    throw FigureError(
      message: "'\(name)' is no column of numbers that could be compared",
      hint: known.contains { $0.name == name }
        && !results.contains { $0.columns.contains(name) }
        ? "no result has it: run with --set 'report.columns=[\(name)]'"
        : Column.nearest(to: name, among: columns).map { "did you mean '\($0)'?" }
          ?? "columns: \(columns.joined(separator: ", "))")
  }

  private static func changes(from a: RecordedResult, to b: RecordedResult) -> [Change] {
    Set(a.settings.keys).union(b.settings.keys).sorted().compactMap { key in
      let (old, new) = (a.settings[key], b.settings[key])
      return old == new ? nil : Change(result: b.label, key: key, reference: old, value: new)
    }
  }
}

/// Finds the partners of points and takes their differences.
private struct Comparer {
  private typealias Place = FigureSelection.Point

  private let results: [RecordedResult]
  private let across: [String]
  private let reference: [FigureRequest.Condition]
  private let places: [Place]
  /// Swept keys that partners have in common.
  let keys: [String]
  /// Of the first result and of each other one; nil without a journal.
  private let journals: [RecordedDrops?]
  private var notes: [String] = []

  init(
    _ results: [RecordedResult], _ across: [String], _ reference: [FigureRequest.Condition],
    _ conditions: [FigureRequest.Condition]
  ) throws(FigureError) {
    let across = across.uniqued
    for key in across where !results.contains(where: { $0.knows(key) }) {
      let axes = results.flatMap(\.axes).uniqued
      throw FigureError(
        message: "no result has '\(key)'",
        hint: "swept: \((axes + results.flatMap(\.listedKeys).uniqued).joined(separator: ", "))")
    }
    guard results.count > 1 || !across.isEmpty else {
      throw FigureError(
        message: "one result alone has nothing to be compared with",
        hint: "name another, or compare its points with '--across KEY', such as codec")
    }
    (self.results, self.across, self.reference) = (results, across, reference)
    places = try FigureSelection.points(of: results, meeting: conditions)
    keys = Self.commonKeys(results, across)
    var notes: [String] = []
    let numbers = FigureKey.columns.compactMap { $0.mean?.name }
    journals = results.map { result in
      do {
        return try result.drops(numbers)
      } catch {
        notes.append("\(result.label): drops are not paired, \(error)")
        return nil
      }
    }
    self.notes = notes
  }

  /// Swept keys that are not compared across. Where a setting of listed parts is, such as quantizer.bits, the settings of these that tell
  /// them apart besides it stand in the place of their section.
  private static func commonKeys(_ results: [RecordedResult], _ across: [String]) -> [String] {
    let sections = Set(results.flatMap { result in across.compactMap(result.listedSection) })
    var keys = results.flatMap(\.axes).uniqued.filter {
      !across.contains($0) && !sections.contains($0)
    }
    func count(_ keys: [String]) -> Int {
      Set(
        results.flatMap { result in
          result.rows.indices.map { row in keys.map { result.field(row, $0) } }
        }
      ).count
    }
    let settings = results.flatMap(\.listedKeys).uniqued.filter { key in
      sections.contains { key.hasPrefix("\($0).") } && !across.contains(key)
        && !key.hasSuffix(".label")
    }
    // The type first: it tells more than what comes with it.
    for key in settings.filter({ $0.hasSuffix(".type") }) + settings
    where count(keys + [key]) > count(keys) {
      keys.append(key)
    }
    return keys
  }

  func rows(_ columns: [Column]) throws(FigureError) -> ([Comparison.Row], notes: [String]) {
    var rows: [Comparison.Row] = []
    var unmatched = 0
    for (point, members) in groups(places) {
      guard let base = members.first(where: isReference) else {
        unmatched += members.count
        continue
      }
      let others = members.filter { $0.result != base.result || $0.row != base.row }
      if others.isEmpty { unmatched += 1 }
      for other in others {
        rows += columns.compactMap { row(base, other, $0, point) }
      }
    }
    if let condition = reference.first(where: { condition in
      !results[0].rows.indices.contains { meets(condition, $0) }
    }) {
      let values = results[0].rows.indices.compactMap { results[0].field($0, condition.key) }
      throw FigureError(
        message: "no point has \(condition.key)=\(condition.values[0])",
        hint: "its values: \(values.uniqued.joined(separator: ", "))")
    }
    guard !rows.isEmpty else {
      throw FigureError(
        message: "no two points have equal values of \(keys.joined(separator: ", "))",
        hint: across.isEmpty
          ? "compare points of different values with '--across KEY'"
          : "what changes together is compared together: '--across \((across + keys).joined(separator: ","))' compares all points"
      )
    }
    let left = unmatched > 0 ? ["\(unmatched) points have no partner"] : []
    return (rows, (notes + left).uniqued)
  }

  /// Points with equal values of the common keys, in the order in which these appear.
  private func groups(_ places: [Place]) -> [(point: [String: String], members: [Place])] {
    var order: [[String: String]] = []
    var members: [[String: String]: [Place]] = [:]
    for place in places {
      var point: [String: String] = [:]
      for key in keys { point[key] = results[place.result].field(place.row, key).map(canonical) }
      if members[point] == nil { order.append(point) }
      members[point, default: []].append(place)
    }
    return order.map { ($0, members[$0]!) }
  }

  /// Equal numbers have equal texts.
  private func canonical(_ text: String) -> String {
    guard let (numbers, unit) = FigureAxis.numbers([text]) else { return text }
    return numberText(numbers[0]) + (unit.map { $0 == "dB" ? "" : " \($0)" } ?? "")
  }

  private func isReference(_ place: Place) -> Bool {
    place.result == 0 && reference.allSatisfy { meets($0, place.row) }
  }

  /// Whether a point of the first result has a value.
  private func meets(_ condition: FigureRequest.Condition, _ row: Int) -> Bool {
    results[0].field(row, condition.key).map { found in
      condition.values.contains { canonical($0) == canonical(found) }
    } ?? false
  }

  /// Label of the result, if there are several, and the values compared across.
  private func name(_ place: Place) -> String {
    let values = across.map { results[place.result].field(place.row, $0) ?? "-" }
    return ((results.count > 1 ? [results[place.result].label] : []) + values)
      .joined(separator: " ")
  }

  private func row(_ base: Place, _ other: Place, _ column: Column, _ point: [String: String])
    -> Comparison.Row?
  {
    let values = [base, other].map { results[$0.result].number($0.row, column.name) }
    guard let old = values[0], let new = values[1], !old.isNaN, !new.isNaN else { return nil }
    let paired = paired(base, other, column)
    // Values of the drops that both have, where one has more.
    let shared = paired.flatMap { pair in
      let counts = [base, other].map { results[$0.result].number($0.row, "drops") }
      return counts.allSatisfy { $0 == Double(pair.count) } ? nil : (pair.from, pair.to)
    }
    let unpaired = unpaired(base, other, column, new - old)
    let difference = paired?.value ?? unpaired.value
    let interval = paired.map(\.interval) ?? unpaired.interval
    let drops = paired?.count ?? Int(results[other.result].number(other.row, "drops") ?? 0)
    let isReliable =
      drops >= 30
      && [base, other].allSatisfy { place in
        results[place.result].field(place.row, reliability(column)) != "no"
      }
    return Comparison.Row(
      point: point, reference: name(base), compared: name(other), column: column.name,
      unit: column.unit, referenceValue: shared?.0 ?? old, value: shared?.1 ?? new,
      difference: difference,
      low: interval?.lowerBound, high: interval?.upperBound, drops: drops, paired: paired != nil,
      verdict: paired != nil && interval == 0...0
        ? .equal
        : column.mean == nil && interval == nil
          ? difference == 0 ? .equal : .different
          : isReliable ? verdict(interval, column) : .undecided)
  }

  private func reliability(_ column: Column) -> String {
    column.unit == "dB" && column.lowerIsBetter
      ? Column.Interval.nmse.isReliable.name : Column.Interval.rate.isReliable.name
  }

  private func verdict(_ interval: ClosedRange<Double>?, _ column: Column) -> Comparison.Verdict {
    guard let interval, !interval.contains(0) else { return .undecided }
    return (interval.upperBound < 0) == column.lowerIsBetter ? .better : .worse
  }

  private func paired(_ base: Place, _ other: Place, _ column: Column) -> PairedDifference? {
    guard let number = column.mean?.name,
      let old = journals[base.result]?.values(of: number, point: base.row),
      let new = journals[other.result]?.values(of: number, point: other.row)
    else { return nil }
    let count = min(old.count, new.count)
    return PairedDifference(
      from: Array(old.prefix(count)), to: Array(new.prefix(count)),
      column.unit == "dB" ? .decibels : .linear)
  }

  /// Half widths of independent intervals add up in squares.
  private func unpaired(_ base: Place, _ other: Place, _ column: Column, _ difference: Double)
    -> (value: Double, interval: ClosedRange<Double>?)
  {
    let name = column.name == Column.rate.name ? "rate" : column.name
    let ends = [base, other].map { place -> (low: Double, value: Double, high: Double)? in
      let result = results[place.result]
      guard let low = result.number(place.row, "\(name)_low"),
        let high = result.number(place.row, "\(name)_high"),
        let value = result.number(place.row, column.name)
      else { return nil }
      return (low, value, high)
    }
    guard let old = ends[0], let new = ends[1] else { return (difference, nil) }
    let down = hypot(new.value - new.low, old.high - old.value)
    let up = hypot(new.high - new.value, old.value - old.low)
    return (difference, difference - down...difference + up)
  }
}
