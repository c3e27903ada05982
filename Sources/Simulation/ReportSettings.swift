import Parts
import Scenarios

/// What the report's metrics refer to.
public struct ReportSettings: Sendable {
  /// The tones that cosine similarity and SGCS are averaged over.
  enum CosineDomain: String, Choice {
    case all_tones
    /// The first 125 of 257 tones, as the published evaluation of the CsiNet data does.
    case public_set
  }

  static let cosineDomain = Parameter<CosineDomain>.choice(
    "cosine_domain", default: .all_tones,
    "Tones of cosine_similarity and sgcs: all, or the first 125 of a grid of 257 (public_set).")
  static let furtherColumns = Parameter<[String]?>.optional(
    "columns", .list(.text, count: 1...1000),
    "Columns of the report besides the standard ones, such as rate_5_percentile; 'csilink list metric' tells all."
  )
  static let plotTexts = Parameter<[String]?>.optional(
    "plots", .list(.text, count: 0...100),
    "Plots of the report, each 'Y over X by KEY, ... per KEY where KEY=VALUE as NAME', where all but Y may be left out: curves by the keys, panels per key; if not given, NMSE and rate over the first swept key."
  )
  static let schema = PartSchema(
    .report, "report", "What the metrics of the report refer to.",
    reference: "C.-K. Wen et al., IEEE WCL 7 (2018) 748, evaluation script",
    parameters: [
      cosineDomain.declaration, furtherColumns.declaration, plotTexts.declaration,
    ])

  private let domain: CosineDomain
  private let names: [String]
  private let texts: [String]?

  init(_ settings: Settings) {
    domain = settings[Self.cosineDomain]
    names = settings[Self.furtherColumns] ?? []
    texts = settings[Self.plotTexts]
  }

  /// The plots that a scenario asks for, as far as they can be read; nil if it does not say.
  public static func plots(of scenario: Scenario) -> [FigureRequest]? {
    readablePlots(of: scenario)?.map(\.plot)
  }

  /// The same, each with its place in the list.
  public static func readablePlots(of scenario: Scenario) -> [(index: Int, plot: FigureRequest)]? {
    guard let texts = scenario.report.flatMap({ ReportSettings($0).texts }) else { return nil }
    return texts.enumerated().compactMap { index, text in
      (try? FigureRequest(parsing: text)).map { (index, $0) }
    }
  }

  /// Everything that is wrong with the columns and the plots that a scenario asks for, but what only their points show.
  public static func problems(of scenario: Scenario) -> [SettingsError] {
    guard let settings = scenario.report else { return [] }
    let report = ReportSettings(settings)
    let (further, problems) = MetricSelection.further(
      scenario.registry, named: report.names)
    // A plot of a column whose name is misspelt among the columns is not told a second time.
    let columns =
      Column.standard + further.filter { !problems.isEmpty || report.names.contains($0.name) }
    return problems + report.plots(of: scenario, columns: columns).problems
  }

  /// Metrics, and plots, of which the scenario may say nothing.
  ///
  /// - Throws: all ``problems(of:)`` at their places.
  func contents(of scenario: Scenario) throws -> (MetricSelection, [FigureRequest]?) {
    let problems = Self.problems(of: scenario)
    guard problems.isEmpty else {
      throw ScenarioErrors(scenario.diagnostics(for: problems, section: .report))
    }
    let metrics = try metrics(of: scenario.registry)
    return (metrics, plots(of: scenario, columns: metrics.columns).plots)
  }

  /// The plots that the scenario asks for, nil if it does not say, and what is wrong with others: a text that is no plot, a column that
  /// the report does not have, a key that the link does not have, two plots of one name.
  private func plots(of scenario: Scenario, columns: [Column]) -> (
    plots: [FigureRequest]?, problems: [SettingsError]
  ) {
    guard let texts else { return (nil, []) }
    let axes = scenario.axes.map(\.path)
    let text = (try? scenario.resolvedYAML()) ?? ""
    let settings = ScenarioText.settings(text)
    let listed = ScenarioText.listedParts(text).flatMap { section, parts in
      Set(parts.values.flatMap(\.keys)).map { "\(section).\($0)" }
    }
    let known = columns.map(\.name) + axes + listed.sorted()
    var plots: [FigureRequest] = []
    var problems: [SettingsError] = []
    for (index, text) in texts.enumerated() {
      let complain = { (reason: String, hint: String?) in
        SettingsError(part: "report", key: "plots", reason: reason, hint: hint, element: index)
      }
      let plot: FigureRequest
      do throws(FigureRequest.Problem) {
        plot = try FigureRequest(parsing: text)
      } catch {
        problems.append(complain(error.message, error.hint))
        continue
      }
      let unknown = ([plot.y] + plot.keys).filter { !known.contains($0) && settings[$0] == nil }
      problems += unknown.map { unknown in
        complain(
          "must name swept keys and columns of the report, got '\(unknown)'",
          Column.nearest(to: unknown, among: known).map { "did you mean '\($0)'?" }
            ?? "known: \(known.joined(separator: ", "))")
      }
      if plots.contains(where: { $0.fileName == plot.fileName }) {
        problems.append(
          complain(
            "has two plots called '\(plot.fileName)'", "write 'as NAME' behind one of them"))
      }
      plots.append(plot)
    }
    return (plots, problems)
  }

  /// The metrics that the columns of the report need.
  ///
  /// - Throws: ``SettingsError`` for a column that no metric has.
  func metrics(of registry: PartRegistry) throws(SettingsError) -> MetricSelection {
    try MetricSelection(registry, further: names)
  }

  /// Whether a further column is wanted.
  func asks(for column: Column) -> Bool { names.contains(column.name) }

  /// What the numbers of a drop depend on.
  var physics: String { "cosine_domain \(domain.rawValue)" }

  /// - Throws: ``SettingsError`` if the grid is not the public set's.
  func cosineToneCount(of toneCount: Int) throws(SettingsError) -> Int {
    guard domain == .public_set else { return toneCount }
    guard toneCount == 257 else {
      throw SettingsError(
        part: "report", key: "cosine_domain",
        reason: "public_set needs a grid of 257 tones, got \(toneCount)",
        hint: "write 'preset: csinet' in the link")
    }
    return 125
  }
}
