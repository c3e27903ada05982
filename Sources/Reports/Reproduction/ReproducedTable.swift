import Foundation
import LinkMath
import Parts
import Scenarios
import Simulation

/// A published table beside what was obtained with a budget.
public struct ReproducedTable: Sendable, Codable, Equatable {
  /// What a figure says of the published one.
  public enum Verdict: String, Sendable, Codable {
    /// The difference is within the tolerance.
    case within
    /// Better by more than the tolerance.
    case better
    /// Worse by more than the tolerance.
    case missed
    /// Obtained with a budget that is too small for a verdict.
    case unjudged
    /// Obtained where the paper draws a curve and prints no number.
    case unprinted
    /// Published only.
    case quoted
  }

  /// One figure.
  public struct Cell: Sendable, Codable, Equatable {
    /// Values of the table's keys.
    public let values: [String]
    /// What the paper prints; nil if it draws a curve only.
    public let published: Double?
    /// What was obtained; nil for what is only quoted.
    public let obtained: Double?
    /// Ends of the 95 % interval of what was obtained.
    public let low, high: Double?
    /// NMSE as mean of decibels: of the means over batches of 200 drops, as the CRNet family prints it.
    public let batchMeanDB: Double?
    /// Samples of an epoch and epochs of its training; nil without one.
    public let samples, epochs: Int?
    /// What it says.
    public let verdict: Verdict

    init(
      _ cell: PaperTable.Cell, obtained: Double? = nil, low: Double? = nil, high: Double? = nil,
      batchMeanDB: Double? = nil, samples: Int? = nil, epochs: Int? = nil, verdict: Verdict
    ) {
      (values, published) = (cell.values, cell.published)
      (self.obtained, self.low, self.high) = (obtained, low, high)
      (self.batchMeanDB, self.samples, self.epochs) = (batchMeanDB, samples, epochs)
      self.verdict = verdict
    }

    // Two capitals in a row do not come back from snake case.
    private enum CodingKeys: String, CodingKey {
      case values, published, obtained, low, high, samples, epochs, verdict
      case batchMeanDB = "batchMeanDb"
    }

    /// Samples of an epoch and epochs; nil without a training.
    var training: (samples: Int, epochs: Int)? {
      samples.flatMap { samples in epochs.map { (samples, $0) } }
    }

    /// Obtained less published; nil if one of them is missing.
    public var difference: Double? { obtained.flatMap { own in published.map { own - $0 } } }
  }

  /// How a claim of the paper fares at the points that have both values.
  public struct Claim: Sendable, Codable, Equatable {
    /// In words.
    public let text: String
    /// Points where the drops say yes, no, or neither.
    public let confirmed, refuted, undecided: Int
    /// Mean of the paired differences in the column's unit, better less worse.
    public let meanDifference: Double

    /// One word, or what is found at how many points.
    public var verdict: String {
      switch (confirmed, refuted, undecided) {
      case (_, 0, 0): "confirmed"
      case (0, _, 0): "refuted"
      default: "\(confirmed) points yes, \(refuted) no, \(undecided) undecided"
      }
    }
  }

  /// Such as `acrnet/table-1`.
  public let name: String
  /// Authors, title and year; which table; how the paper trained; what else to know.
  public let source, title, setting, note: String
  /// Column of the report, and its unit.
  public let column, unit: String
  /// In the unit.
  public let tolerance: Double
  /// Samples of all epochs of the paper; nil if not said.
  public let publishedPasses: Double?
  /// Name of the budget.
  public let budget: String
  /// What tells the cells apart.
  public let keys: [String]
  /// In the order of the file, those that are quoted last.
  public let cells: [Cell]
  /// In the order of the file.
  public let claims: [Claim]
  /// Version of the program.
  public let version: String

  /// Whether a figure is worse than the tolerance allows.
  public var isMissed: Bool { cells.contains { $0.verdict == .missed } }
}

extension ReproducedTable {
  /// Drops of a batch whose mean the CRNet family puts in decibels.
  static let batch = 200

  /// Looks the figures of a table up in results, or counts them.
  ///
  /// - Parameters:
  ///   - plan: what was run.
  ///   - results: of its variants, in their order; none for a table that is counted.
  /// - Throws: ``FigureError`` for a cell that no point, or several points, have; errors of journals.
  public init(_ plan: ReproductionPlan, _ results: [RecordedResult]) throws {
    let table = plan.table
    let known = FigureKey.columns.first { $0.name == table.column }
    (name, budget, keys) = (plan.name, plan.budget.name, table.keys)
    (source, title, setting, note) = (table.source, table.table, table.setting, table.note)
    (column, unit, tolerance) = (table.column, known?.unit ?? "", table.tolerance)
    publishedPasses = table.passes
    version = results.first?.version ?? ProgramIdentity.version
    let quoted = table.quoted.map { Cell($0, verdict: .quoted) }
    if let counts = plan.counts {
      cells =
        zip(table.cells, counts).map { cell, count in
          Cell(
            cell, obtained: Double(count),
            verdict: Self.verdict(Double(count), cell, table.tolerance, lowerIsBetter: true))
        } + quoted
      claims = []
      return
    }
    let lookup = Lookup(plan: plan, results: results, lowerIsBetter: known?.lowerIsBetter ?? true)
    cells = try table.cells.map(lookup.cell) + quoted
    let found = try table.orderings.map(lookup.claim)
    claims = plan.budget.isJudged ? found : []
  }

  private static func verdict(
    _ obtained: Double, _ cell: PaperTable.Cell, _ tolerance: Double, lowerIsBetter: Bool
  ) -> Verdict {
    guard let published = cell.published else { return .unprinted }
    let worse = lowerIsBetter ? obtained - published : published - obtained
    return abs(worse) <= tolerance ? .within : worse > 0 ? .missed : .better
  }

  /// Finds figures in the results of the variants.
  private struct Lookup {
    let plan: ReproductionPlan
    let results: [RecordedResult]
    let lowerIsBetter: Bool
    private var table: PaperTable { plan.table }

    init(plan: ReproductionPlan, results: [RecordedResult], lowerIsBetter: Bool) {
      (self.plan, self.results, self.lowerIsBetter) = (plan, results, lowerIsBetter)
    }

    private func variant(_ name: String) -> Int {
      plan.variants.firstIndex { $0.name == name }!  // the plan has checked it
    }

    func cell(_ cell: PaperTable.Cell) throws -> Cell {
      let pairs = Array(zip(table.keys, cell.values))
      let named = pairs.first { $0.0 == PaperTable.variantKey }?.1
      let index = named.map(variant) ?? 0
      let result = results[index]
      let row = try result.row(
        where: pairs.filter { $0.0 != PaperTable.variantKey }.map { .init(key: $0, values: [$1]) })
      guard let obtained = result.number(row, table.column), obtained.isFinite else {
        throw FigureError(
          message: "\(plan.path): the result has no number in column '\(table.column)'", hint: nil)
      }
      let variant = plan.variants[index]
      let training = variant.trained == nil ? nil : variant.scenario.training
      return Cell(
        cell, obtained: obtained, low: result.number(row, "\(table.column)_low"),
        high: result.number(row, "\(table.column)_high"),
        batchMeanDB: try batchMean(result, row), samples: training?.count("samples"),
        epochs: training?.count("epochs"),
        verdict: plan.budget.isJudged
          ? ReproducedTable.verdict(
            obtained, cell, table.tolerance, lowerIsBetter: lowerIsBetter) : .unjudged)
    }

    /// 10 log10 of the means over batches, averaged; a last batch that is not full counts as one, as there.
    private func batchMean(_ result: RecordedResult, _ row: Int) throws -> Double? {
      let number = DropNumber.errorRatio.name
      guard table.column == Column.nmseDB.name,
        let ratios = try result.drops([number]).values(of: number, point: row)?.filter({ !$0.isNaN }
        ),
        !ratios.isEmpty
      else { return nil }
      let levels = stride(from: 0, to: ratios.count, by: batch).map { first in
        let part = ratios[first..<min(first + batch, ratios.count)]
        return 10 * log10(part.reduce(0, +) / Double(part.count))
      }
      return levels.reduce(0, +) / Double(levels.count)
    }

    func claim(_ ordering: PaperTable.Ordering) throws -> Claim {
      let rows: [Comparison.Row]
      if ordering.key == PaperTable.variantKey {
        let pair = [results[variant(ordering.worse)], results[variant(ordering.better)]]
        rows = try Comparison(pair.distinguished, columns: [table.column]).rows
      } else {
        rows = try results.flatMap { result in
          try Comparison(
            [result], across: [ordering.key],
            reference: [.init(key: ordering.key, values: [ordering.worse])], columns: [table.column]
          ).rows.filter { FigureSelection.isSame($0.compared, ordering.better) }
        }
      }
      guard !rows.isEmpty else {
        throw FigureError(
          message: "\(plan.path): no points to compare \(ordering.better) with \(ordering.worse)",
          hint: "they are values of \(ordering.key)")
      }
      return Claim(
        text: ordering.claim, confirmed: rows.count { $0.verdict == .better },
        refuted: rows.count { $0.verdict == .worse },
        undecided: rows.count { $0.verdict == .undecided || $0.verdict == .equal },
        meanDifference: rows.map(\.difference).reduce(0, +) / Double(rows.count))
    }
  }
}

extension Settings {
  /// A whole number of the settings.
  fileprivate func count(_ key: String) -> Int? {
    if case .integer(let value)? = values[key] { value } else { nil }
  }
}
