import Parts
import Scenarios
import Simulation

extension ResultPlots {
  /// Refuses plots of `report.plots` that the operating points alone show to be impossible, before anything is run: several points at one
  /// place of a curve, a value that no point has. Plots over columns can only be told by their values.
  ///
  /// - Throws: `ScenarioErrors`, a diagnostic for each plot.
  public static func check(_ scenario: Scenario) throws {
    let axes = scenario.axes.map(\.path)
    let text = (try? scenario.resolvedYAML()) ?? ""
    let settings = ScenarioText.settings(text)
    guard let plots = ReportSettings.plots(of: scenario) else { return }
    let problems = plots.compactMap { plot -> Diagnostic? in
      guard plot.keys.allSatisfy({ axes.contains($0) || settings[$0] != nil }),
        plot.x != nil || !axes.isEmpty
      else { return nil }
      let result = RecordedResult(
        label: scenario.name, name: scenario.name, axes: axes, columns: [plot.y],
        rows: scenario.points.map { $0.coordinates.map { $0 ?? "" } + ["1"] }, scenario: text,
        scenarioDigest: "", seed: "", version: "", folder: nil)
      do throws(FigureError) {
        _ = try Figure(plot, of: [result])
        return nil
      } catch {
        return scenario.diagnostic(
          for: SettingsError(
            part: "report", key: "plots",
            reason: "has a plot '\(plot.fileName)' that cannot be drawn: \(error.message)",
            hint: error.hint.map(inScenario)), section: .report)
      }
    }
    if !problems.isEmpty { throw ScenarioErrors(problems) }
  }

  /// Options of `csilink plot` as the words of a scenario.
  static func inScenario(_ hint: String) -> String {
    [("--series", "by"), ("--facet", "per"), ("--where", "where")].reduce(hint) {
      $0.replacing("\($1.0) ", with: "\($1.1) ")
    }
  }
}
