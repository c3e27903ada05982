import Foundation
import Simulation

extension RecordedResult {
  /// The column of `distribution(of:)` that runs from 0 to 1.
  public static let shareKey = "share_of_drops"
  /// A distribution is told by so many quantiles at most.
  private static let quantiles = 200

  /// The distribution of a mean's numbers over drops, read from the journals: for each operating point up to 201 rows with a value of the
  /// column, in its unit, and the share of drops that do not exceed it.
  ///
  /// - Parameters:
  ///   - name: the column.
  ///   - points: the rows whose distributions are wanted; all if nil.
  /// - Throws: ``FigureError`` for a column that is no mean over drops; `JournalError` without a journal.
  public func distribution(of name: String, points: [Int]? = nil) throws -> RecordedResult {
    guard let column = FigureKey.columns.first(where: { $0.name == name }),
      let number = column.mean?.name
    else {
      let known = FigureKey.columns.filter { $0.mean != nil }.map(\.name)
      throw FigureError(
        message: "'\(name)' is no mean over drops, so it has no distribution",
        hint: "columns: \(known.joined(separator: ", "))")
    }
    let drops = try drops([number])
    let table = (points ?? Array(rows.indices)).flatMap { point -> [[String]] in
      let values = (drops.values(of: number, point: point) ?? []).filter { !$0.isNaN }
      return Self.curve(values.map { column.unit == "dB" ? 10 * log10($0) : $0 }).map { step in
        Array(rows[point].prefix(axes.count)) + [numberText(step.value), numberText(step.share)]
      }
    }
    return RecordedResult(self, columns: [name, Self.shareKey], rows: table)
  }

  /// Values with the share of all that do not exceed them, finite ones only, each once.
  private static func curve(_ values: [Double]) -> [(value: Double, share: Double)] {
    let sorted = values.sorted()
    let step = max(1, Double(sorted.count) / Double(quantiles))
    var curve: [(value: Double, share: Double)] = []
    var next = 0.0
    for (index, value) in sorted.enumerated() {
      guard Double(index) >= next || index == sorted.count - 1 else { continue }
      next += step
      let share = Double(index + 1) / Double(sorted.count)
      if let last = curve.last, numberText(last.value) == numberText(value) {
        curve[curve.count - 1].share = share
      } else if value.isFinite {
        curve.append((value, share))
      }
    }
    return curve
  }
}
