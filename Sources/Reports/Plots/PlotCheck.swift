import Parts
import Scenarios
import Simulation

extension ResultPlots {
  /// Refuses columns and plots of a report that cannot be, before anything is run: names that are unknown, and what the operating points
  /// alone show, several points at one place of a curve or a value that no point has. Plots over columns can only be told by their values.
  ///
  /// - Throws: `ScenarioErrors`, a diagnostic for each column and plot, in the order of the lines.
  public static func check(_ scenario: Scenario) throws {
    let axes = scenario.axes.map(\.path)
    let text = (try? scenario.resolvedYAML()) ?? ""
    let misnamed = ReportSettings.problems(of: scenario)
    let told = Set(misnamed.filter { $0.key == "plots" }.map(\.element))
    let impossible = (ReportSettings.readablePlots(of: scenario) ?? []).compactMap {
      index, plot -> SettingsError? in
      let result = RecordedResult(
        label: scenario.name, name: scenario.name, axes: axes, columns: [plot.y],
        rows: scenario.points.map { $0.coordinates.map { $0 ?? "" } + ["1"] }, scenario: text,
        scenarioDigest: "", seed: "", version: "", folder: nil)
      guard !told.contains(index), plot.x != nil || !axes.isEmpty,
        plot.keys.allSatisfy({
          axes.contains($0) || result.settings[$0] != nil || result.listedSection(of: $0) != nil
        })
      else { return nil }
      do throws(FigureError) {
        _ = try Figure(plot, of: [result])
        return nil
      } catch {
        return SettingsError(
          part: "report", key: "plots",
          reason: "has a plot '\(plot.fileName)' that cannot be drawn: \(error.message)",
          hint: error.hint.map(inScenario), element: index)
      }
    }
    let problems = misnamed + impossible
    guard problems.isEmpty else {
      throw ScenarioErrors(scenario.diagnostics(for: problems, section: .report))
    }
  }

  /// Options of `csilink plot` as the words of a scenario.
  static func inScenario(_ hint: String) -> String {
    [("--series", "by"), ("--facet", "per"), ("--where", "where")].reduce(hint) {
      $0.replacing("\($1.0) ", with: "\($1.1) ")
    }
  }
}
