import DataFiles
import Foundation
import LinkMath
import Parts
import Scenarios
import Simulation

/// What has to be trained and run to repeat a published table with a budget.
public struct ReproductionPlan: Sendable {
  /// One training and run; a table without variants has one without a name.
  public struct Variant: Sendable {
    /// As the file calls it; empty if it has none.
    public let name: String
    /// Overrides of the scenario, without the weights.
    public let overrides: [String]
    /// The scenario with them.
    public let scenario: Scenario
    /// Folder of the weights that its networks without any are trained into; nil if there are none such.
    public let trained: String?
    /// Folders of weights of earlier variants that it reads.
    public let starts: [String]
    /// Folder of its result.
    public let result: String
  }

  /// The scenario file.
  public let path: String
  /// The file below `scenarios/papers` without its ending, such as `acrnet/table-1`.
  public let name: String
  /// What is published.
  public let table: PaperTable
  /// What may be spent.
  public let budget: PaperTable.Variation
  /// In an order in which each has the weights that it starts from; none of a table that is counted.
  public let variants: [Variant]
  /// Folder of the tables.
  public let output: String
  /// The figures of a table that is counted, in the order of its cells; nil for one that needs trainings and runs.
  let counts: [Int]?

  /// Folder of the scenarios of papers.
  public static let home = "scenarios/papers"
  /// Name of the budget of a table that is counted.
  static let countedName = "counted"
  /// Folder of weights below that of the tables.
  public static let trainedName = "trained"

  /// Where the table with this budget is written.
  public var folder: String { "\(output)/\(name)/\(budget.name)" }

  /// - Parameters:
  ///   - name: of a file below `scenarios/papers` without its ending, or a path.
  ///   - budget: one of the file's; the first if nil.
  ///   - overrides: values that all variants get, as of `--set`.
  ///   - output: folder of the tables.
  /// - Throws: `ScenarioErrors`; ``FigureError`` for a file without a table and for names that it does not know.
  public init(_ name: String, budget: String?, overrides: [String], output: String) throws {
    path = Self.path(name)
    self.name = Self.name(path)
    self.output = output
    let (scenario, _) = try ScenarioReader.standard.read(path, overrides: overrides)
    guard let table = scenario.paper else {
      throw FigureError(
        message: "\(path) repeats no published table",
        hint: "it needs 'paper: {published: ...}'; see \(Self.home)")
    }
    self.table = table
    counts = try NetworkCount(table.column)?.figures(of: table, scenario, path)
    guard counts == nil else {
      // Nothing is spent on it, whatever the budget.
      (self.budget, variants) = (PaperTable.Variation(name: Self.countedName), [])
      return
    }
    let budgets =
      table.budgets.isEmpty ? [PaperTable.Variation(name: "full")] : table.budgets
    guard let budget = budget.map({ name in budgets.first { $0.name == name } }) ?? budgets[0]
    else {
      throw FigureError(
        message: "\(path) has no budget '\(budget!)'",
        hint: "its budgets: \(budgets.map(\.name).joined(separator: ", "))")
    }
    self.budget = budget
    let variants =
      table.variants.isEmpty ? [PaperTable.Variation(name: "")] : table.variants
    var made: [Variant] = []
    for variant in variants {
      made.append(
        try Self.variant(
          variant, path,
          budget.overrides + variant.overrides + (variant.byBudget[budget.name] ?? []) + overrides,
          in: "\(output)/\(self.name)/\(budget.name)", output, after: made))
    }
    self.variants = made
    try checkValues()
  }

  /// What the table names must be there, before anything is trained.
  private func checkValues() throws(FigureError) {
    if !table.variants.isEmpty, !table.keys.contains(PaperTable.variantKey) {
      throw FigureError(
        message: "\(path): which variant a figure is of must be told by the keys",
        hint: "write 'keys: [\(([PaperTable.variantKey] + table.keys).joined(separator: ", "))]'")
    }
    let rows = table.cells.map { zip(table.keys, $0.values).map { ($0, $1) } }
    let claims = table.orderings.flatMap { [[($0.key, $0.better)], [($0.key, $0.worse)]] }
    for row in rows + claims {
      let name = row.first { $0.0 == PaperTable.variantKey }?.1
      guard let variant = name.map({ name in variants.first { $0.name == name } }) ?? variants[0]
      else {
        throw FigureError(
          message: "\(path): no variant '\(name!)'",
          hint: "variants: \(variants.map(\.name).joined(separator: ", "))")
      }
      for (key, value) in row where key != PaperTable.variantKey {
        try Self.check(key, value, variant.scenario, path)
      }
    }
  }

  private static func check(
    _ key: String, _ value: String, _ scenario: Scenario, _ path: String
  ) throws(FigureError) {
    guard let axis = scenario.axes.first(where: { $0.path == key }) else {
      throw FigureError(
        message: "\(path): '\(key)' is not swept",
        hint: "swept: \(scenario.axes.map(\.path).joined(separator: ", "))")
    }
    guard axis.values.contains(where: { FigureSelection.isSame($0, value) }) else {
      throw FigureError(
        message: "\(path): no point has \(key)=\(value)",
        hint: "its values: \(axis.values.joined(separator: ", "))")
    }
  }

  private static func variant(
    _ variant: PaperTable.Variation, _ path: String, _ overrides: [String], in folder: String,
    _ output: String, after earlier: [Variant]
  ) throws -> Variant {
    let start = path.folderOfPath
    var starts: [String] = []
    let given = try overrides.map { text in
      try text.replacing(/trained:([A-Za-z0-9_-]+)/) { match in
        guard let trained = earlier.first(where: { $0.name == match.1 })?.trained else {
          throw FigureError(
            message: "\(path): no variant '\(match.1)' is trained before '\(variant.name)'",
            hint: "variants are trained in their order")
        }
        starts.append(trained)
        return relativePath(of: trained, from: start)
      }
    }
    let (scenario, _) = try ScenarioReader.standard.read(path, overrides: given)
    return Variant(
      name: variant.name, overrides: given, scenario: scenario,
      trained: TrainingRun.isUntrained(scenario)
        ? "\(output)/\(trainedName)/\(digest(of: scenario, start, output))" : nil,
      starts: starts,
      result: variant.name.isEmpty ? folder : "\(folder)/\(variant.name)")
  }

  /// Of what weights are made from, wherever other weights that it starts from lie.
  private static func digest(of scenario: Scenario, _ start: String, _ output: String) -> Substring
  {
    let folder = relativePath(of: "\(output)/\(trainedName)", from: start)
    return Digest.sha256(scenario.trainingText.replacing(folder, with: trainedName)).prefix(12)
  }

  private static func path(_ name: String) -> String {
    FileManager.default.fileExists(atPath: name) || name.hasSuffix(".yaml")
      ? name : "\(home)/\(name).yaml"
  }

  /// The last folder and the name of the file.
  private static func name(_ path: String) -> String {
    let parts = URL(filePath: path).standardizedFileURL.deletingPathExtension().pathComponents
    return parts.suffix(2).joined(separator: "/")
  }

  /// All files of a folder that repeat a table, by name.
  ///
  /// - Throws: `ScenarioErrors` of a file that cannot be read.
  public static func all(in folder: String = home) throws -> [String] {
    let names = FileManager.default.enumerator(atPath: folder)?.compactMap { $0 as? String } ?? []
    return try names.filter { $0.hasSuffix(".yaml") }.sorted().map { "\(folder)/\($0)" }
      .filter { try ScenarioReader.standard.read($0).scenario.paper != nil }
  }
}

extension ReproductionPlan.Variant {
  /// The scenario to be run: networks have the weights that were trained for them.
  public func scenarioForRun(_ path: String) throws -> Scenario {
    guard let trained else { return scenario }
    let weights = relativePath(of: trained, from: path.folderOfPath)
    return try ScenarioReader.standard.read(
      path, overrides: overrides + ["codec.weights=\(weights)"]
    )
    .scenario
  }
}

extension Scenario {
  /// What the weights that its training leaves depend on besides network and program: equal texts, equal trainings.
  fileprivate var trainingText: String {
    let passesLink = training?.values["link"] == .flag(true)
    let sections = registry.sections.filter {
      Section.stages.contains($0) && $0 != .codec && (passesLink || $0 < .codec)
    }
    let stages = Set(
      points.map { point in
        sections.compactMap { point.settings[$0]?.canonical }.joined(separator: "\n")
      })
    let seed = run?.values["seed"]?.canonical ?? ""
    return (["csilink weights 1", seed, training?.canonical ?? ""] + stages.sorted())
      .joined(separator: "\n")
  }
}

/// A folder as seen from another one; symbolic links are followed, so that the way up is that of the file system.
package func relativePath(of folder: String, from start: String) -> String {
  let target = realComponents(folder)
  let origin = realComponents(start.isEmpty ? "." : start)
  let shared = zip(target, origin).prefix { $0 == $1 }.count
  return (origin.dropFirst(shared).map { _ in ".." } + target.dropFirst(shared))
    .joined(separator: "/")
}

/// The steps of a path from the root, without links as far as it exists.
private func realComponents(_ path: String) -> [String] {
  var url = URL(filePath: path).standardizedFileURL
  var missing: [String] = []
  while !FileManager.default.fileExists(atPath: url.path), url.pathComponents.count > 1 {
    missing.insert(url.lastPathComponent, at: 0)
    url.deleteLastPathComponent()
  }
  return url.resolvingSymlinksInPath().pathComponents + missing
}
