import LinkMath
import Parts

/// Numbers that are kept of each drop, and the columns of the report that tell of them.
///
/// A new one is a file with such a type and a line in ``MetricRegistry``; another program adds it to its registry of parts.
/// The numbers are summed while a drop passes the link, and written to the journal. A metric without numbers has columns
/// that tell of others' numbers. It is part of a run if one of its columns is standard or named in `report.columns`.
public protocol Metric: Part {
  /// The numbers of a drop that it keeps, in the order in which ``DropSums`` counts them.
  static var numbers: [DropNumber] { get }

  /// The columns that it adds to the report; they may ask for its own numbers and for ``DropNumber/standard``.
  static var columns: [Column] { get }

  /// A metric that needs to know nothing of the link.
  init()

  /// Adds what reports of one slot make of drops.
  func add(_ slot: ReportedSlot, to sums: inout DropSums)

  /// Adds what the downlink of one slot makes of drops.
  func add(_ slot: ServedSlot, to sums: inout DropSums)
}

extension Metric {
  /// Columns only.
  public static var numbers: [DropNumber] { [] }

  /// Every link alike; a metric that depends on the grid or the ports has an `init` of its own.
  public init(_ settings: Settings, in context: LinkContext, fitted: Artefact?) throws {
    self.init()
  }

  /// Nothing of reports.
  public func add(_ slot: ReportedSlot, to sums: inout DropSums) {}

  /// Nothing of the downlink.
  public func add(_ slot: ServedSlot, to sums: inout DropSums) {}
}

/// Every metric of this package.
public enum MetricRegistry {
  /// The metrics, in the order of their numbers in journals.
  public static let metrics: [any Metric.Type] = [
    EstimateError.self, CSIError.self, FullBandError.self, Similarity.self, BeamGain.self,
    Rate.self, ReportBits.self, RatePercentile.self, ReportLoss.self,
    SumRate.self, PayloadSpread.self, GaussianFloor.self, SymbolEntropy.self,
  ]

  /// Those that every run has, because a column of theirs is in every report.
  static let standard = metrics.filter { metric in
    metric.columns.contains { Column.standardNames.contains($0.name) }
  }
}

extension Column {
  /// Whether the reports of this package can have a column of that name.
  public static func isKnown(_ name: String) -> Bool {
    standardNames.contains(name)
      || MetricRegistry.metrics.contains { $0.columns.contains { $0.name == name } }
  }
}

/// The metrics of a run, and the columns of its report.
struct MetricSelection: Sendable {
  let metrics: [any Metric.Type]
  let columns: [Column]

  /// The numbers of all metrics, in order.
  var numbers: [DropNumber] { metrics.flatMap { $0.numbers } }

  /// The standard columns, and further ones of a registry by name.
  ///
  /// - Throws: ``SettingsError`` if no metric has a column of that name.
  init(_ registry: PartRegistry, further names: [String] = []) throws(SettingsError) {
    let all = Self.metrics(of: registry)
    let further = Self.furtherColumns(all)
    precondition(Set(further.map(\.name)).count == further.count, "two columns share a name")
    if let unknown = Self.problems(names, among: further).first { throw unknown }
    columns = Column.standard + further.filter { names.contains($0.name) }
    let wanted = Set(columns.map(\.name))
    metrics = all.filter { $0.columns.contains { wanted.contains($0.name) } }
  }

  /// The further columns of a registry, and a complaint about each name that is none of them.
  static func further(_ registry: PartRegistry, named names: [String]) -> (
    columns: [Column], problems: [SettingsError]
  ) {
    let columns = furtherColumns(metrics(of: registry))
    return (columns, problems(names, among: columns))
  }

  private static func metrics(of registry: PartRegistry) -> [any Metric.Type] {
    registry.parts(of: .metric).map { schema in
      registry.type(of: .metric, named: schema.name) as! any Metric.Type
    }
  }

  private static func furtherColumns(_ metrics: [any Metric.Type]) -> [Column] {
    metrics.flatMap { $0.columns }.filter { !Column.standardNames.contains($0.name) }
  }

  private static func problems(_ names: [String], among further: [Column]) -> [SettingsError] {
    let known = further.map(\.name)
    return names.enumerated().filter { !known.contains($1) }.map { index, unknown in
      SettingsError(
        part: "report", key: "columns",
        reason: "must name further columns, \(known.joined(separator: ", ")), got '\(unknown)'",
        hint: nearestWord(to: unknown, among: known).map { "did you mean '\($0)'?" }
          ?? "'csilink list metric' tells what they are", element: index)
    }
  }
}
